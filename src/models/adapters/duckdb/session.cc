#include "models/adapters/duckdb/session.h"

#include "base/failpoint.h"
#include "models/python/values.h"

namespace shaduf::models {
namespace {

using jinja::Value;

// The engine's words when a script is prepared: nothing of it was run.
constexpr std::string_view kScriptError = "Cannot prepare multiple statements at once";

Value value_at(const shaduf::Column& column, size_t row) {
    if (column.is_null(row)) return Value::none();
    switch (column.type.kind()) {
        case TypeKind::boolean: return column.boolean_at(row);
        case TypeKind::int64: return column.int64_at(row);
        case TypeKind::float64: return column.float64_at(row);
        case TypeKind::decimal: return decimal_value(column.decimal_at(row), column.type.scale());
        case TypeKind::date: return date_value(column.date_at(row));
        case TypeKind::time: return time_value(column.int64_at(row));
        case TypeKind::timestamp: return datetime_value(column.int64_at(row), std::nullopt);
        case TypeKind::timestamp_tz: return datetime_value(column.int64_at(row), 0);
        case TypeKind::string:
        case TypeKind::json: return column.text_at(row);
        default: return format_value(column, row);
    }
}

jinja::Ref<Table> table_of(const std::vector<RecordBatch>& batches, std::optional<int64_t> rows_max) {
    std::vector<std::string> names;
    for (const Field& field : batches.front().schema()->fields()) names.push_back(field.name);
    std::vector<Table::Row> rows;
    for (const RecordBatch& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            if (rows_max && rows.size() >= static_cast<size_t>(*rows_max)) break;
            auto& values = rows.emplace_back();
            for (const shaduf::Column& column : batch.columns()) values.push_back(value_at(column, row));
        }
    }
    return jinja::make<Table>(std::move(names), std::move(rows));
}

DuckDbValues bound_values(const std::vector<Value>& values) {
    DuckDbValues bound;
    for (const Value& value : values) {
        switch (value.kind()) {
            case jinja::Kind::none: bound.emplace_back(); break;
            case jinja::Kind::boolean: bound.emplace_back(value.boolean()); break;
            case jinja::Kind::integer: bound.emplace_back(value.integer()); break;
            case jinja::Kind::floating: bound.emplace_back(value.floating()); break;
            default: bound.emplace_back(value.text());
        }
    }
    return bound;
}

}  // namespace

Result<QueryResult> DuckDbSession::execute(const Statement& statement) {
    QueryResult result;
    result.message = "OK";
    if (statement.fetch == Fetch::rows) {
        auto rows = connection_->query(statement.sql, bound_values(statement.bindings));
        if (rows.ok()) {
            result.table = table_of(rows.value(), statement.rows_max);
            return result;
        }
        // A script of several statements gives no rows: its like are run for what they do.
        const bool is_script = rows.error().message().find(kScriptError) != std::string::npos;
        if (!is_script) return rows.release_error();
        result.table = jinja::make<Table>();
        TRY(connection_->execute(statement.sql));
        return result;
    }
    result.table = jinja::make<Table>();
    if (statement.bindings.empty())
        TRY(connection_->execute(statement.sql));
    else
        TRY(connection_->execute(statement.sql, bound_values(statement.bindings)));
    return result;
}

Result<void> DuckDbSession::begin() {
    if (transactions_ == Transactions::used) TRY(connection_->execute("BEGIN"));
    in_transaction_ = true;
    return {};
}

Result<void> DuckDbSession::commit() {
    TRY(failpoint("models.commit.before"));
    in_transaction_ = false;
    if (transactions_ == Transactions::used) TRY(connection_->execute("COMMIT"));
    return {};
}

Result<void> DuckDbSession::rollback() {
    if (!std::exchange(in_transaction_, false)) return {};
    if (transactions_ == Transactions::used) TRY(connection_->execute("ROLLBACK"));
    return {};
}

Result<std::vector<Session::ResultColumn>> DuckDbSession::describe(const std::string& sql) {
    auto answer = execute({.sql = "DESCRIBE (\n" + sql + "\n)", .fetch = Fetch::rows});
    if (!answer.ok()) {
        auto point = answer.error().point();
        if (!point || point->line < 2) return answer.release_error();
        --point->line;
        return answer.error().at_point(std::move(*point));
    }
    const QueryResult described = answer.release_value();
    std::vector<ResultColumn> columns;
    for (const Table::Row& row : described.table->rows()) columns.push_back({row[0].text(), row[1].text()});
    return columns;
}

}  // namespace shaduf::models
