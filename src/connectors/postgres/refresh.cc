#include "connectors/postgres/refresh.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace shaduf {
namespace {

// Those that a role may have on a table. Source: PostgreSQL 18, GRANT.
constexpr std::array<std::string_view, 9> kPrivileges{"select",     "insert",  "update",   "delete", "truncate",
                                                      "references", "trigger", "maintain", "all"};

// What stands in the catalog of the old table ($1) and not of the new one ($2): each is a reason to keep the old table.
// A row each, in words.
constexpr const char* kAttachments =
    // Views, foreign keys of other tables, functions: whatever depends on the table or its row type.
    "SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_catalog.pg_depend d JOIN "
    "pg_catalog.pg_class c ON c.oid = $1::oid WHERE ((d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = "
    "c.oid) OR (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (SELECT t.oid FROM pg_catalog.pg_type "
    "t WHERE t.oid = c.reltype OR t.typelem = c.reltype))) AND NOT (d.classid = 'pg_catalog.pg_type'::regclass AND "
    "d.deptype = 'i') AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND EXISTS (SELECT FROM "
    "pg_catalog.pg_class o WHERE o.oid = d.objid AND o.relkind IN ('i', 't'))) AND NOT (d.classid = "
    "'pg_catalog.pg_class'::regclass AND d.objid = c.oid) "
    // Indexes made by hand.
    "UNION ALL SELECT 'index ' || i.indexrelid::regclass FROM pg_catalog.pg_index i WHERE i.indrelid = $1::oid AND NOT "
    "EXISTS (SELECT FROM pg_catalog.pg_index n WHERE n.indrelid = $2::oid AND n.indisunique = i.indisunique AND "
    "substring(pg_catalog.pg_get_indexdef(n.indexrelid) FROM ' USING .*$') = "
    "substring(pg_catalog.pg_get_indexdef(i.indexrelid) FROM ' USING .*$')) "
    // Rights, owner, settings, inheritance, comments.
    "UNION ALL SELECT 'owner, rights or settings of the table' FROM pg_catalog.pg_class o, pg_catalog.pg_class n WHERE "
    "o.oid = $1::oid AND n.oid = $2::oid AND (o.relowner <> n.relowner OR o.relkind <> n.relkind OR o.relpersistence "
    "<> n.relpersistence OR o.reloptions IS DISTINCT FROM n.reloptions OR o.reltablespace <> n.reltablespace OR "
    "o.relrowsecurity OR o.relforcerowsecurity OR o.relreplident <> n.relreplident OR o.relispartition OR "
    "o.relhassubclass OR EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = o.oid) OR EXISTS ((SELECT "
    "grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(coalesce(o.relacl, pg_catalog.acldefault('r', "
    "o.relowner)))) EXCEPT (SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(coalesce(n.relacl, "
    "pg_catalog.acldefault('r', n.relowner))))) OR EXISTS ((SELECT grantee, privilege_type, is_grantable FROM "
    "pg_catalog.aclexplode(coalesce(n.relacl, pg_catalog.acldefault('r', n.relowner)))) EXCEPT (SELECT grantee, "
    "privilege_type, is_grantable FROM pg_catalog.aclexplode(coalesce(o.relacl, pg_catalog.acldefault('r', "
    "o.relowner)))))) "
    "UNION ALL SELECT 'comment' FROM pg_catalog.pg_description WHERE classoid = 'pg_catalog.pg_class'::regclass AND "
    "objoid = $1::oid "
    "UNION ALL SELECT 'column ' || attname FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND "
    "NOT attisdropped AND (attnotnull OR atthasdef OR attidentity <> '' OR attgenerated <> '' OR attacl IS NOT NULL OR "
    "attoptions IS NOT NULL OR attstattarget >= 0)";

struct IndexNames {
    std::string while_new;
    std::string in_place;
};

IndexNames names_of(const PostgresTableName& name, const PostgresIndex& index) {
    const std::string end = join(index.columns, "_") + (index.is_unique ? "_key" : "_idx");
    const std::string whole = name.table + "_" + end;
    return {postgres_name_with("_shaduf_new_", whole), postgres_name_with("", whole)};
}

Result<void> create_index(PostgresConnection& connection, const PostgresTableName& name, const PostgresIndex& index,
                          const std::string& index_name) {
    TRY(connection.execute(std::string("CREATE ") + (index.is_unique ? "UNIQUE " : "") + "INDEX " +
                           TRY(postgres_identifier(index_name)) + " ON " + TRY(name.quoted()) + " USING " +
                           index.method + " (" + TRY(postgres_columns(index.columns)) + ")"));
    return {};
}

Result<bool> is_there(PostgresConnection& connection, const std::string& schema, const std::string& name) {
    const auto found = TRY(connection.query(
        "SELECT true FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
        "n.nspname = $1 AND c.relname = $2",
        {schema, name}));
    return !found.rows.empty();
}

Result<void> rename(PostgresConnection& connection, const PostgresTableName& name, const PostgresTableName& working,
                    const PostgresTableOptions& options) {
    TRY(connection.execute("ALTER TABLE " + TRY(working.quoted()) + " RENAME TO " +
                           TRY(postgres_identifier(name.table))));
    for (const auto& index : options.indexes) {
        const IndexNames names = names_of(name, index);
        if (TRY(is_there(connection, name.schema, names.in_place))) continue;
        TRY(connection.execute("ALTER INDEX " + TRY(postgres_table(name.schema, names.while_new)) + " RENAME TO " +
                               TRY(postgres_identifier(names.in_place))));
    }
    return {};
}

// Whoever reads after us waits behind our request, too: it is made for a moment at a time, until lock_timeout has
// passed.
Result<void> lock_alone(PostgresConnection& connection, const PostgresTarget& table) {
    constexpr int64_t kTurnMilliseconds = 2000;
    constexpr const char* kPause = "SELECT pg_catalog.pg_sleep(1)";
    constexpr int64_t kPauseMilliseconds = 1000;
    const auto setting =
        TRY(connection.query("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'"));
    int64_t limit = 0;  // for ever
    const std::string text = setting.rows.empty() ? "0" : setting.rows[0][0].value_or("0");
    std::from_chars(text.data(), text.data() + text.size(), limit);
    const int64_t turn = limit > 0 ? std::min(limit, kTurnMilliseconds) : kTurnMilliseconds;
    const std::string lock = "SAVEPOINT alone; SET LOCAL lock_timeout = " + std::to_string(turn) + "; LOCK TABLE " +
                             table.quoted + " IN ACCESS EXCLUSIVE MODE; SET LOCAL lock_timeout = " + text +
                             "; RELEASE SAVEPOINT alone";
    for (int64_t waited = turn;; waited += turn + kPauseMilliseconds) {
        auto locked = connection.execute(lock);
        if (locked.ok()) return {};
        const bool is_last = limit > 0 && waited + kPauseMilliseconds + turn > limit;
        if (connection.sqlstate() != "55P03" || is_last) return locked.release_error();
        TRY(connection.execute("ROLLBACK TO SAVEPOINT alone"));
        TRY(connection.execute(kPause));
    }
}

// Without the right to truncate, and where foreign keys of other tables forbid it, the rows are deleted.
Result<void> remove_rows(PostgresConnection& connection, const PostgresTarget& table) {
    const auto found = TRY(connection.query(
        "SELECT pg_catalog.has_table_privilege($1::oid, 'TRUNCATE') AND NOT EXISTS (SELECT FROM "
        "pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = $1::oid AND conrelid <> confrelid)",
        {std::to_string(table.oid)}));
    if (!found.rows.empty() && found.rows[0][0] == "t") {
        TRY(lock_alone(connection, table));
        TRY(connection.execute("TRUNCATE " + table.quoted));
        return {};
    }
    TRY(connection.execute("SET CONSTRAINTS ALL DEFERRED"));
    auto deleted = connection.execute("DELETE FROM " + table.quoted);
    if (deleted.ok()) return {};
    if (connection.sqlstate() != "23503") return deleted.release_error();
    return Error(ErrorKind::invalid_config,
                 "cannot replace the rows: a foreign key of another table holds them: " + table.quoted +
                     "; make it DEFERRABLE, drop it, or write with the mode merge")
        .caused_by(deleted.error());
}

Result<void> refill(PostgresConnection& connection, const PostgresTableName& name, const PostgresTableName& working,
                    const PostgresTableOptions& options) {
    auto old = TRY(find_target(connection, name));
    const auto fresh = TRY(find_target(connection, working));
    if (TRY(evolve_target(connection, name, *old, fresh->schema(), options))) old = TRY(find_target(connection, name));
    std::vector<std::string> from;
    std::vector<std::string> to;
    for (const auto& column : fresh->columns) {
        const PostgresTargetColumn* present = old->find(column.field.name);
        if (present == nullptr || present->is_generated) continue;
        from.push_back(column.field.name);
        to.push_back(present->field.name);
    }
    TRY(remove_rows(connection, *old));
    TRY(connection.execute("INSERT INTO " + old->quoted + " (" + TRY(postgres_columns(to)) +
                           ") OVERRIDING SYSTEM VALUE SELECT " + TRY(postgres_columns(from)) + " FROM " +
                           fresh->quoted));
    TRY(connection.execute("DROP TABLE " + fresh->quoted));
    return {};
}

}  // namespace

Result<void> empty_table(PostgresConnection& connection, const PostgresTableName& name) {
    const auto table = TRY(find_target(connection, name));
    return table ? remove_rows(connection, *table) : Result<void>();
}

Result<void> apply_grants(PostgresConnection& connection, const PostgresTableName& name,
                          const PostgresTableOptions& options) {
    for (const auto& [privilege, roles] : options.grants) {
        const std::string wanted = to_lower(privilege);
        if (std::find(kPrivileges.begin(), kPrivileges.end(), wanted) == kPrivileges.end()) {
            return Error(ErrorKind::invalid_config, "privilege of `grants` is not one of a table: " + privilege +
                                                        "; use select, insert, update...");
        }
        for (const auto& role : roles) {
            const std::string quoted = to_lower(role) == "public" ? "PUBLIC" : TRY(postgres_identifier(role));
            TRY(connection.execute("GRANT " + wanted + " ON " + TRY(name.quoted()) + " TO " + quoted));
        }
    }
    return {};
}

Result<void> create_indexes(PostgresConnection& connection, const PostgresTableName& name,
                            const PostgresTableOptions& options) {
    for (const auto& index : options.indexes)
        TRY(create_index(connection, name, index, names_of(name, index).in_place));
    return {};
}

Result<void> take_place(PostgresConnection& connection, const PostgresTableName& name, const PostgresTableName& working,
                        const PostgresTableOptions& options) {
    for (const auto& index : options.indexes) {
        TRY(create_index(connection, working, index, names_of(name, index).while_new));
    }
    const auto old = TRY(find_target(connection, name));
    if (!old) return rename(connection, name, working, options);
    const auto fresh = TRY(find_target(connection, working));
    const std::vector<std::string> tables{std::to_string(old->oid), std::to_string(fresh->oid)};
    // First without the lock, so that a table that may not be locked so strongly can be refilled.
    if (TRY(connection.query(kAttachments, tables)).rows.empty()) {
        TRY(lock_alone(connection, *old));
        if (TRY(connection.query(kAttachments, tables)).rows.empty()) {
            TRY(connection.execute("DROP TABLE " + old->quoted));
            return rename(connection, name, working, options);
        }
    }
    return refill(connection, name, working, options);
}

}  // namespace shaduf
