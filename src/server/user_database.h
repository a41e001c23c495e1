#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace shaduf::server {

// The tables that users are in: account, session, token, failure. Times in them are seconds since 1970; secrets stand
// as SHA-256, in hexadecimal. Thread-safe; several processes may have one open.
class UserDatabase {
public:
    using Row = std::vector<std::optional<std::string>>;
    struct Answer {
        std::vector<Row> rows;
        int64_t changed = 0;
    };
    virtual ~UserDatabase() = default;
    // One statement, in what SQL both SQLite and PostgreSQL speak; $1, $2, ... are the values.
    virtual Result<Answer> ask(const std::string& sql, const std::vector<std::string>& values) = 0;
};

// Where the users of a project are: in the file `.shaduf/users.db` of `folder`, or, where its processes share a state
// store, there. invalid_config: they were written by a newer program.
Result<std::unique_ptr<UserDatabase>> open_user_database(const std::string& folder, const std::string& state);

}  // namespace shaduf::server
