#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf {

class Cancellation;
class DuckDbConnection;
class DuckDbDatabase;
class DuckDbInstances;

// An empty database for expressions, cut off from files and the network. One for a pipeline run is enough.
Result<std::shared_ptr<DuckDbDatabase>> open_expression_engine(DuckDbInstances& instances);

// A boolean SQL expression over the columns of one schema, such as "spend < 100000". It sees one row at a time: no
// subqueries, no aggregates. One thread at a time.
class SqlExpression {
public:
    enum class OnNull : uint8_t { fails, passes };

    // invalid_config, with the engine's own words, for an expression that does not parse, names an unknown column, is
    // not boolean, or looks beyond its row.
    static Result<std::unique_ptr<SqlExpression>> create(std::shared_ptr<DuckDbDatabase> engine,
                                                         const Cancellation& cancellation, SchemaPtr schema,
                                                         const std::string& expression, OnNull on_null);
    ~SqlExpression();

    // The rows for which the expression is not true, ascending. A row at which it fails (a division by zero, a text
    // that is no number) counts as null. REQUIRES: `rows` is of the schema.
    Result<std::vector<uint32_t>> failing_rows(const RecordBatch& rows);

private:
    SqlExpression(std::shared_ptr<DuckDbDatabase> engine, std::unique_ptr<DuckDbConnection> connection,
                  SchemaPtr schema, std::string expression, OnNull on_null);
    Result<void> compile();
    std::string failing_rows_sql(const std::string& value) const;

    std::shared_ptr<DuckDbDatabase> engine_;
    std::unique_ptr<DuckDbConnection> connection_;
    SchemaPtr schema_;
    std::string expression_;
    OnNull on_null_;
};

}  // namespace shaduf
