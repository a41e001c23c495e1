#include "models/adapters/postgres/session.h"

#include <charconv>
#include <cstring>

#include "base/failpoint.h"
#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"
#include "models/adapters/postgres/type_names.h"
#include "models/python/values.h"

namespace shaduf::models {
namespace {

using jinja::Value;

// Numbers of pg_type that are the same on every server.
enum PostgresType : uint32_t {
    pg_bool = 16,
    pg_int8 = 20,
    pg_int2 = 21,
    pg_int4 = 23,
    pg_oid = 26,
    pg_float4 = 700,
    pg_float8 = 701,
    pg_date = 1082,
    pg_time = 1083,
    pg_timestamp = 1114,
    pg_timestamptz = 1184,
    pg_numeric = 1700,
};

Value number_or_text(const std::string& text) {
    double number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    return end.ec == std::errc() && end.ptr == text.data() + text.size() ? Value(number) : Value(text);
}

Value moment_or_text(const std::string& text, uint32_t type) {
    const auto moment = parse_timestamp(text);
    if (!moment) return Value(text);
    return datetime_value(moment->microseconds,
                          type == pg_timestamptz ? std::optional<int32_t>(0) : std::optional<int32_t>());
}

Value value_of(const std::string& text, uint32_t type) {
    switch (type) {
        case pg_bool: return Value(text == "t");
        case pg_int2:
        case pg_int4:
        case pg_int8:
        case pg_oid: {
            int64_t number = 0;
            std::from_chars(text.data(), text.data() + text.size(), number);
            return Value(number);
        }
        case pg_float4:
        case pg_float8: return number_or_text(text);
        case pg_numeric: return decimal_value(text);
        case pg_date: {
            const auto days = parse_date(text);
            return days ? date_value(*days) : Value(text);
        }
        case pg_time: {
            const auto time = parse_time_of_day(text);
            return time ? time_value(*time) : Value(text);
        }
        case pg_timestamp:
        case pg_timestamptz: return moment_or_text(text, type);
        default: return Value(text);
    }
}

jinja::Ref<Table> table_of(const PostgresRows& result, std::optional<int64_t> rows_max) {
    std::vector<Table::Row> rows;
    for (const auto& cells : result.rows) {
        if (rows_max && rows.size() >= static_cast<size_t>(*rows_max)) break;
        auto& values = rows.emplace_back();
        for (size_t i = 0; i < cells.size(); ++i) {
            values.push_back(cells[i] ? value_of(*cells[i], result.types[i]) : Value::none());
        }
    }
    return jinja::make<Table>(result.columns, std::move(rows));
}

std::string literal(const Value& value) {
    switch (value.kind()) {
        case jinja::Kind::none: return "NULL";
        case jinja::Kind::boolean: return value.boolean() ? "true" : "false";
        case jinja::Kind::integer:
        case jinja::Kind::floating: return value.text();
        default: return postgres_literal(value.text());
    }
}

// "%s" in turn by the values, "%%" by a percent sign.
Result<std::string> with_bindings(const std::string& sql, const std::vector<Value>& bindings) {
    if (bindings.empty()) return sql;
    std::string bound;
    size_t next = 0;
    for (size_t i = 0; i < sql.size(); ++i) {
        if (sql[i] != '%' || i + 1 == sql.size()) {
            bound += sql[i];
        } else if (sql[++i] == 's') {
            if (next == bindings.size()) {
                return Error(ErrorKind::invalid_config,
                             "more placeholders than bindings in a statement: " + std::to_string(bindings.size()));
            }
            bound += literal(bindings[next++]);
        } else {
            if (sql[i] != '%') bound += '%';
            bound += sql[i];
        }
    }
    return bound;
}

// The words of "INSERT 0 5" that are no numbers.
std::string code_of(const std::string& command) {
    std::string code;
    for (const std::string_view word : split(command, ' ')) {
        if (word.empty() || word.find_first_not_of("0123456789") == std::string_view::npos) continue;
        if (!code.empty()) code += ' ';
        code += word;
    }
    return code;
}

// A bigint, as a literal. The server keeps those of each database apart.
std::string lock_key(const std::string& relation) {
    const std::string digest = md5("shaduf builds " + to_lower(relation));
    uint64_t bits = 0;
    std::memcpy(&bits, digest.data(), sizeof(bits));
    return "'" + std::to_string(static_cast<int64_t>(bits)) + "'::bigint";
}

}  // namespace

Result<void> PostgresSession::begin_when_due() {
    const bool is_due = commits_ == Commits::when_asked && (in_transaction_ || !has_begun_);
    has_begun_ = true;
    if (is_due && !connection_->in_transaction()) TRY(connection_->execute("BEGIN"));
    return {};
}

Result<QueryResult> PostgresSession::execute(const Statement& statement) {
    TRY(begin_when_due());
    const PostgresRows rows = TRY(connection_->run(TRY(with_bindings(statement.sql, statement.bindings))));
    QueryResult result;
    result.message = rows.command;
    result.code = code_of(rows.command);
    result.rows_affected = rows.columns.empty() ? rows.affected : static_cast<int64_t>(rows.rows.size());
    result.table = statement.fetch == Fetch::rows ? table_of(rows, statement.rows_max) : jinja::make<Table>();
    return result;
}

Result<void> PostgresSession::begin() {
    in_transaction_ = true;
    return {};
}

Result<void> PostgresSession::commit() {
    if (connection_->in_transaction()) TRY(failpoint("models.commit.before"));
    in_transaction_ = false;
    if (connection_->in_transaction()) TRY(connection_->execute("COMMIT"));
    return {};
}

Result<void> PostgresSession::rollback() {
    in_transaction_ = false;
    has_begun_ = false;
    if (!connection_->is_lost() && connection_->in_transaction()) TRY(connection_->execute("ROLLBACK"));
    return {};
}

Result<std::vector<Session::ResultColumn>> PostgresSession::describe(const std::string& sql) {
    TRY(begin_when_due());
    std::vector<ResultColumn> columns;
    for (const PostgresColumn& column : TRY(connection_->describe(sql))) {
        const auto named = TRY(connection_->query("select format_type($1::oid, $2::int)",
                                                  {std::to_string(column.type), std::to_string(column.modifier)}));
        columns.push_back({column.name, named.rows[0][0].value_or(""), postgres_type_name(column.type)});
    }
    return columns;
}

Result<void> PostgresSession::try_lock(const std::string& relation, const std::string& key) {
    const PostgresRows got = TRY(connection_->query("select pg_try_advisory_lock(" + key + ")"));
    if (got.rows.at(0).at(0) == "t") return {};
    const PostgresRows held = TRY(connection_->query(
        "select 'process ' || pid || ' since ' || to_char(backend_start at time zone 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || coalesce(' at ' || host(client_addr), '') "
        "from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and granted and "
        "(classid::bigint << 32) | objid::bigint = " +
        key));
    const std::string holder = held.rows.empty() ? "which has just ended" : held.rows[0].at(0).value_or("");
    return Error(ErrorKind::conflict, relation + " is being built by another run: " + holder);
}

Result<void> PostgresSession::lock(const std::string& relation) {
    const std::string key = lock_key(relation);
    return until_free(run_, patience_, [&] { return try_lock(relation, key); });
}

Result<void> PostgresSession::unlock(const std::string& relation) {
    TRY(connection_->query("select pg_advisory_unlock(" + lock_key(relation) + ")"));
    return {};
}

}  // namespace shaduf::models
