#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "io/postgres.h"

namespace shaduf {

// A connection that is written to, as configured.
struct PostgresSettings {
    PostgresOptions connection;
    std::string schema;  // of tables without one, and of the bookkeeping
    std::chrono::milliseconds lock_timeout{0};
};

// An index that a table gets.
struct PostgresIndex {
    std::vector<std::string> columns;
    bool is_unique = false;
    std::string method;  // "btree"
};

// How a table is created, besides its columns.
struct PostgresTableOptions {
    std::vector<std::pair<std::string, std::string>> column_types;         // SQL types, by column
    std::vector<std::pair<std::string, std::vector<std::string>>> grants;  // roles, by privilege
    std::vector<PostgresIndex> indexes;
};

struct PostgresTableName {
    std::string schema;
    std::string table;
    Result<std::string> quoted() const { return postgres_table(schema, table); }
    std::string to_string() const { return schema + "." + table; }
};

// `name` with `prefix`, in the 63 bytes that an identifier may have: what is too long ends in a hash of all.
std::string postgres_name_with(const std::string& prefix, const std::string& name, const std::string& suffix = {});

}  // namespace shaduf
