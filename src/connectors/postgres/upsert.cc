#include "connectors/postgres/upsert.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "connectors/keyed/versions.h"

namespace shaduf {
namespace {

bool is_in(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& other) { return equals_ignoring_case(other, name); });
}

// The table's own spelling of the columns.
std::vector<std::string> names_in_table(const PostgresTarget& table, const std::vector<std::string>& names) {
    std::vector<std::string> own;
    for (const auto& name : names) {
        const PostgresTargetColumn* column = table.find(name);
        own.push_back(column == nullptr ? name : column->field.name);
    }
    return own;
}

// Of a name that the table has, and that was quoted before.
std::string quote_known(const std::string& name) { return postgres_identifier(name).value_or("\"\""); }

// json, and types that are not ours, may know no equality.
std::string comparable(const PostgresTarget& table, const std::string& quoted) {
    const auto& columns = table.columns;
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const PostgresTargetColumn& column) {
        return quote_known(column.field.name) == quoted;
    });
    const bool is_plain = found != columns.end() && !found->field.is_cast && !found->copy.is_json;
    return is_plain ? quoted : quoted + "::text";
}

std::string array_literal(const std::vector<std::string>& names) {
    std::string text = "{";
    for (const auto& name : names) {
        text += text.size() > 1 ? ",\"" : "\"";
        for (const char c : name) text += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
        text += '"';
    }
    return text + "}";
}

}  // namespace

Result<void> ensure_key_index(PostgresConnection& connection, const PostgresUpsert& upsert) {
    std::vector<std::string> key = names_in_table(upsert.table, upsert.key);
    const std::string columns = TRY(postgres_columns(key));
    std::sort(key.begin(), key.end());
    const auto found = TRY(connection.query(
        "SELECT true FROM pg_catalog.pg_index i WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND "
        "i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND (SELECT array_agg(a.attname::text ORDER BY "
        "a.attname COLLATE \"C\") FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position) JOIN "
        "pg_catalog.pg_attribute a ON "
        "a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.position <= i.indnkeyatts) = $2::text[] LIMIT 1",
        {std::to_string(upsert.table.oid), array_literal(key)}));
    if (!found.rows.empty()) return {};
    const std::string sql = "CREATE UNIQUE INDEX ON " + upsert.table.quoted + " (" + columns + ")";
    auto created = connection.execute(sql);
    if (created.ok()) return {};
    const std::string state = connection.sqlstate();
    std::string what;
    if (state == "42501")
        what = "merging needs a unique index on the key, which the role may not create; let the owner run: ";
    if (state == "23505")
        what = "merging needs a unique index on the key, and the table has rows of one key; remove them, then run: ";
    if (what.empty()) return created.release_error();
    return Error(ErrorKind::invalid_config, what + sql).caused_by(created.error());
}

Result<void> merge_stage(PostgresConnection& connection, const PostgresUpsert& upsert, const PostgresStage& stage) {
    const auto names = TRY(stage.plan().quoted());
    const std::vector<std::string> own_key = names_in_table(upsert.table, upsert.key);
    const std::string keys = TRY(postgres_columns(own_key));
    std::string list;
    std::string changes;
    for (size_t i = 0; i < names.size(); ++i) {
        list += (list.empty() ? "" : ", ") + names[i];
        if (is_in(upsert.key, stage.plan().targets[i].field.name)) continue;
        changes += (changes.empty() ? "" : ", ") + names[i] + " = excluded." + names[i];
    }
    std::string newest = keys;
    std::string guard;
    if (!upsert.order_by.empty()) {
        const std::string order = TRY(postgres_identifier(names_in_table(upsert.table, {upsert.order_by})[0]));
        newest += ", " + order + " DESC NULLS LAST";
        guard = " WHERE t." + order + " IS NULL OR excluded." + order + " >= t." + order;
    }
    const std::string conflict = changes.empty() ? " DO NOTHING" : " DO UPDATE SET " + changes + guard;
    TRY(connection.execute("INSERT INTO " + upsert.table.quoted + " AS t (" + list +
                           ") OVERRIDING SYSTEM VALUE SELECT DISTINCT ON (" + keys + ") " + list + " FROM (SELECT " +
                           TRY(stage.values("s")) + ", s._shaduf_row FROM " + PostgresStage::kTable +
                           " s) s ORDER BY " + newest + ", _shaduf_row DESC ON CONFLICT (" + keys + ")" + conflict));
    return {};
}

Result<void> add_stage_versions(PostgresConnection& connection, const PostgresUpsert& upsert,
                                const PostgresStage& stage) {
    const HistoryDialect dialect{quote_known, [&](const std::vector<std::string>& columns) {
                                     std::string list;
                                     for (const auto& column : columns) {
                                         list += (list.empty() ? "" : ", ") + comparable(upsert.table, column);
                                     }
                                     return "row(" + list + ")";
                                 }};
    HistoryQuery query;
    query.table = upsert.table.quoted;
    query.new_rows = "pg_temp._shaduf_new";
    std::vector<Field> fields;
    for (const auto& target : stage.plan().targets) fields.push_back({target.field.name, target.field.type});
    query.schema = Schema(std::move(fields));
    query.key = names_in_table(upsert.table, upsert.key);
    if (!upsert.order_by.empty()) {
        const PostgresTargetColumn* order = upsert.table.find(upsert.order_by);
        query.order_by = order->field.name;
        query.order_type = order->field.sql_type;
    }
    const std::string columns = TRY(postgres_columns(query.schema.names())) + ", valid_from, valid_to, is_current";
    TRY(connection.execute("CREATE TEMPORARY TABLE _shaduf_new ON COMMIT DROP AS SELECT " + TRY(stage.values("s")) +
                           ", s._shaduf_row FROM " + PostgresStage::kTable + " s"));
    TRY(connection.execute("CREATE TEMPORARY TABLE _shaduf_versions ON COMMIT DROP AS " +
                           history_versions_sql(query, dialect)));
    TRY(connection.execute("DELETE FROM " + query.table + " t USING pg_temp._shaduf_new n WHERE " +
                           same_key_sql(query.key, "t", "n", dialect)));
    TRY(connection.execute("INSERT INTO " + query.table + " (" + columns + ") OVERRIDING SYSTEM VALUE SELECT " +
                           columns + " FROM pg_temp._shaduf_versions"));
    TRY(connection.execute("DROP TABLE pg_temp._shaduf_new, pg_temp._shaduf_versions"));
    return {};
}

}  // namespace shaduf
