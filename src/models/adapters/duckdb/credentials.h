#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/duckdb.h"
#include "jinja/value.h"

namespace shaduf::models {

// An output of profiles.yml of type duckdb, with dbt-duckdb's keys.
struct DuckDbCredentials {
    std::string path = ":memory:";
    std::string database;  // "": the name of the file
    std::string external_root = ".";
    bool disable_transactions = false;
    std::vector<std::pair<std::string, std::string>> config_options;
    std::vector<std::pair<std::string, std::string>> settings;
    std::vector<std::string> extensions;
    std::vector<std::string> attachments;  // as SQL
    std::vector<std::string> secrets;      // as SQL

    // invalid_config: a key of a wrong type; what shaduf cannot do (plugins, MotherDuck, remotes), by its name.
    static Result<DuckDbCredentials> read(const jinja::Dict& output);

    bool is_in_memory() const { return path == ":memory:"; }
    std::string default_database() const;
    DuckDbOptions engine_options() const;
    // Run once for the database, and for each session.
    std::vector<std::string> database_statements() const;
    std::vector<std::string> session_statements() const;
};

}  // namespace shaduf::models
