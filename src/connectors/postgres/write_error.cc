#include "connectors/postgres/write_error.h"

namespace shaduf {
namespace {

// "shop_app, session 4711 (psql), which is idle in transaction: UPDATE ..."
Result<std::string> holders_of(PostgresConnection& connection, const PostgresTableName& name) {
    const auto found = TRY(connection.query(
        "SELECT DISTINCT a.pid, coalesce(a.usename, '?'), coalesce(a.application_name, ''), coalesce(a.state, '?'), "
        "left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 60) FROM pg_catalog.pg_locks l JOIN "
        "pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid() AND "
        "l.relation = pg_catalog.to_regclass($1) ORDER BY 1 LIMIT 3",
        {TRY(name.quoted())}));
    std::string text;
    for (const auto& row : found.rows) {
        text += text.empty() ? "" : "; ";
        text += row[1].value_or("") + ", session " + row[0].value_or("");
        if (!row[2].value_or("").empty()) text += " (" + *row[2] + ")";
        text += ", which is " + row[3].value_or("");
        if (!row[4].value_or("").empty()) text += ": " + *row[4];
    }
    return text;
}

// The GRANTs that let the role write the table.
Result<std::string> missing_grants(PostgresConnection& connection, const PostgresTableName& name,
                                   const std::vector<std::string>& privileges) {
    const std::string role = TRY(postgres_identifier(connection.user()));
    std::string lacking;
    for (const auto& privilege : privileges) {
        lacking += (lacking.empty() ? "" : ", ") +
                   ("CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, '" + privilege) + "') THEN '" + privilege +
                   "' END";
    }
    const auto found = TRY(connection.query(
        "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_schema_privilege(n.oid, 'CREATE'), "
        "(SELECT pg_catalog.concat_ws(', ', " +
            lacking +
            ") FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid "
            "AND c.relname = $2) FROM pg_catalog.pg_namespace n WHERE n.nspname = $1",
        {name.schema, name.table}));
    if (found.rows.empty()) return std::string();
    const auto& row = found.rows.front();
    std::string grants;
    const bool must_create = !row[2].has_value();
    if (row[0] != "t" || (must_create && row[1] != "t")) {
        grants = std::string("GRANT USAGE") + (must_create ? ", CREATE" : "") + " ON SCHEMA " +
                 TRY(postgres_identifier(name.schema)) + " TO " + role;
    }
    if (row[2] && !row[2]->empty()) {
        grants += (grants.empty() ? "" : "; ") + ("GRANT " + *row[2]) + " ON " + TRY(name.quoted()) + " TO " + role;
    }
    if (grants.empty() && !must_create) grants = "ALTER TABLE " + TRY(name.quoted()) + " OWNER TO " + role;
    return grants;
}

Error with(const Error& error, const std::string& more) {
    const Error longer(error.kind(), error.message() + "; " + more);
    const auto cause = error.cause();
    return cause ? longer.caused_by(*cause) : longer;
}

}  // namespace

Error explain_write_error(PostgresConnection& connection, const PostgresTableName& name,
                          const std::vector<std::string>& privileges, const std::string& sqlstate, const Error& error) {
    if (connection.is_lost()) return error;
    if (sqlstate == "42501") {
        const auto grants = missing_grants(connection, name, privileges);
        if (!grants.ok() || grants.value().empty() || error.message().find("; let ") != std::string::npos) return error;
        return with(error, "let the owner run: " + grants.value());
    }
    if (sqlstate == "55P03") {
        const auto holders = holders_of(connection, name);
        const bool is_known = holders.ok() && !holders.value().empty();
        return with(error, "the table is locked: " + name.to_string() + (is_known ? " by " + holders.value() : "") +
                               "; wait for it, or raise `lock_timeout`");
    }
    return error;
}

}  // namespace shaduf
