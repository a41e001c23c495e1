#include "io/duckdb_expression.h"

#include <algorithm>

#include "io/duckdb.h"

namespace shaduf {
namespace {

constexpr uint64_t kEngineMemoryBytes = 32 << 20;

Error refuse(const std::string& expression, const std::string& why) {
    return Error(ErrorKind::invalid_config, "expression is not usable: " + expression + " (" + why + ")");
}

// Asks the engine's own parser whether `SELECT (expression)` is that and no more.
Result<void> check_form(DuckDbConnection& connection, const std::string& expression) {
    const std::string sql =
        "WITH parsed AS (SELECT json_serialize_sql(?::VARCHAR)::JSON AS j) SELECT j->>'$.error_message', "
        "json_array_length(j, '$.statements'), json_array_length(j, '$.statements[0].node.select_list'), "
        "j->>'$.statements[0].node.from_table.type', contains(j::VARCHAR, '\"class\":\"SUBQUERY\"') FROM parsed";
    const auto answer = TRY(connection.query(sql, {"SELECT (" + expression + "\n)"}));
    const RecordBatch& row = answer.front();
    if (!row.column(0).is_null(0)) return refuse(expression, "DuckDB: " + format_value(row.column(0), 0));
    const bool one = format_value(row.column(1), 0) == "1" && format_value(row.column(2), 0) == "1" &&
                     format_value(row.column(3), 0) == "EMPTY";
    if (!one) return refuse(expression, "it must be one expression");
    if (row.column(4).boolean_at(0)) return refuse(expression, "it must not hold a query");
    return {};
}

}  // namespace

Result<std::shared_ptr<DuckDbDatabase>> open_expression_engine(DuckDbInstances& instances) {
    DuckDbOptions options;
    options.memory_bytes = kEngineMemoryBytes;
    options.external_access = false;
    options.threads = 1;
    return instances.open_in_memory(options);
}

SqlExpression::SqlExpression(std::shared_ptr<DuckDbDatabase> engine, std::unique_ptr<DuckDbConnection> connection,
                             SchemaPtr schema, std::string expression, OnNull on_null)
    : engine_(std::move(engine)),
      connection_(std::move(connection)),
      schema_(std::move(schema)),
      expression_(std::move(expression)),
      on_null_(on_null) {}

SqlExpression::~SqlExpression() = default;

Result<std::unique_ptr<SqlExpression>> SqlExpression::create(std::shared_ptr<DuckDbDatabase> engine,
                                                             const Cancellation& cancellation, SchemaPtr schema,
                                                             const std::string& expression, OnNull on_null) {
    auto connection = TRY(engine->connect(cancellation));
    TRY(check_form(*connection, expression));
    std::unique_ptr<SqlExpression> made(
        new SqlExpression(std::move(engine), std::move(connection), std::move(schema), expression, on_null));
    TRY(made->compile());
    return made;
}

Result<void> SqlExpression::compile() {
    auto answer = connection_->query_over("SELECT (" + expression_ + "\n) FROM $rows", schema_, {});
    if (!answer.ok()) {
        if (answer.error().kind() == ErrorKind::canceled) return answer.release_error();
        return refuse(expression_, answer.error().message());
    }
    const DataType type = (*answer.value().front().schema())[0].type;
    if (type.kind() != TypeKind::boolean) return refuse(expression_, "it gives " + type.to_string() + ", not bool");
    return {};
}

std::string SqlExpression::failing_rows_sql(const std::string& value) const {
    const std::string test = on_null_ == OnNull::fails ? " IS TRUE" : " IS NOT FALSE";
    const std::string row(DuckDbConnection::kRowNumberColumn);
    return "SELECT " + row + " FROM (SELECT " + row + ", " + value + test + " AS passes FROM $rows) WHERE NOT passes";
}

Result<std::vector<uint32_t>> SqlExpression::failing_rows(const RecordBatch& rows) {
    const std::span<const RecordBatch> batch(&rows, 1);
    auto answer = connection_->query_over(failing_rows_sql("(" + expression_ + "\n)"), schema_, batch);
    if (!answer.ok() && answer.error().kind() == ErrorKind::bad_data) {
        answer = connection_->query_over(failing_rows_sql("TRY((" + expression_ + "\n))"), schema_, batch);
    }
    if (!answer.ok()) return answer.release_error();
    std::vector<uint32_t> failing;
    for (const auto& part : answer.value()) {
        for (size_t i = 0; i < part.rows(); ++i) failing.push_back(static_cast<uint32_t>(part.column(0).int64_at(i)));
    }
    std::sort(failing.begin(), failing.end());
    return failing;
}

}  // namespace shaduf
