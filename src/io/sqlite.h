#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace shaduf {

// A prepared statement, finalized at the end of its scope. One thread at a time; the database outlives it.
class SqliteStatement {
public:
    SqliteStatement(sqlite3* database, const std::string& sql);
    ~SqliteStatement();
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    // Values of the parameters, one behind the other.
    void bind(const std::string& text);
    void bind(int64_t value);
    void bind(double value);
    void bind_null();
    // Begins anew, with other values.
    void reset();
    int step();  // SQLITE_ROW, SQLITE_DONE, or an error's code
    std::string text(int column) const;
    int64_t integer(int column) const;
    double number(int column) const;
    bool is_null(int column) const;
    int columns() const;

private:
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
};

// What the database says went wrong, as "run history: cannot <what>: ..., <advice>". conflict while another process
// holds it for too long.
Error sqlite_error(sqlite3* database, const std::string& what,
                   const std::string& advice = "the file may be deleted, no data depends on it");

}  // namespace shaduf
