#include "io/sqlite.h"

#include <sqlite3.h>

namespace shaduf {

SqliteStatement::SqliteStatement(sqlite3* database, const std::string& sql) {
    sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &statement_, nullptr);
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

void SqliteStatement::bind(const std::string& text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void SqliteStatement::bind(int64_t value) { sqlite3_bind_int64(statement_, ++bound_, value); }

void SqliteStatement::bind(double value) { sqlite3_bind_double(statement_, ++bound_, value); }

void SqliteStatement::bind_null() { sqlite3_bind_null(statement_, ++bound_); }

void SqliteStatement::reset() {
    sqlite3_reset(statement_);
    bound_ = 0;
}

int SqliteStatement::step() { return sqlite3_step(statement_); }

std::string SqliteStatement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr ? "" : std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double SqliteStatement::number(int column) const { return sqlite3_column_double(statement_, column); }

int SqliteStatement::columns() const { return sqlite3_column_count(statement_); }
bool SqliteStatement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Error sqlite_error(sqlite3* database, const std::string& what, const std::string& advice) {
    const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database);
    const std::string text = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
    ErrorKind kind = ErrorKind::internal;
    if (code == SQLITE_FULL) kind = ErrorKind::exhausted;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) kind = ErrorKind::conflict;
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        kind = ErrorKind::invalid_config;
    return Error(kind, "run history: cannot " + what + ": " + text + "; " + advice);
}

}  // namespace shaduf
