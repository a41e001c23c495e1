#include "data/system_columns.h"

namespace shaduf {

const SchemaPtr& quarantine_schema() {
    static const SchemaPtr schema = std::make_shared<const Schema>(std::vector<Field>{
        {"id", TypeKind::string, false},
        {"pipeline", TypeKind::string, false},
        {"stream", TypeKind::string, false},
        {"table_name", TypeKind::string, false},
        {"position", TypeKind::string},
        {"raw", TypeKind::string},
        {"reason", TypeKind::string, false},
        {"run_id", TypeKind::string, false},
        {"quarantined_at", TypeKind::timestamp_tz, false},
        {"policies", TypeKind::string},
    });
    return schema;
}

}  // namespace shaduf
