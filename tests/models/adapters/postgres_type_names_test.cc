#include "models/adapters/postgres/type_names.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

TEST(PostgresTypeNamesTest, KindredTypesHaveOneName) {
    const struct {
        uint32_t type;
        const char* name;
    } cases[] = {
        {21, "INTEGER"},
        {23, "INTEGER"},
        {20, "LONGINTEGER"},
        {25, "STRING"},
        {1043, "STRING"},
        {16, "BOOLEAN"},
        {1700, "DECIMAL"},
        {700, "FLOAT"},
        {701, "FLOAT"},
        {1114, "DATETIME"},
        {1082, "DATE"},
        {3802, "JSONB"},
        {1184, "DATETIMETZ"},
        {1266, "TIME"},
        {1007, "INTEGERARRAY"},
        {3927, "typeARRAY"},
        {2950, "unknown type_code 2950"},
        {0, "unknown type_code 0"},
    };
    for (const auto& test : cases) EXPECT_EQ(postgres_type_name(test.type), test.name);
}

}  // namespace
}  // namespace shaduf::models
