#include "server/user_database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "flow/shared/sessions.h"
#include "io/sqlite.h"

namespace shaduf::server {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 5'000;
// The same tables are among those of the state store (flow/shared/schema.cc).
constexpr const char* kSchema = R"(
    CREATE TABLE account (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, folders TEXT NOT NULL, password TEXT NOT NULL,
        locked INTEGER NOT NULL, last_seen INTEGER) WITHOUT ROWID;
    CREATE TABLE session (
        secret TEXT PRIMARY KEY, account TEXT NOT NULL, address TEXT NOT NULL, created INTEGER NOT NULL,
        last_used INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX session_by_account ON session (account);
    CREATE TABLE token (
        secret TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
        folders TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER, last_used INTEGER) WITHOUT ROWID;
    CREATE TABLE failure (
        key TEXT PRIMARY KEY, count INTEGER NOT NULL, last INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
)";

class SqliteUserDatabase final : public UserDatabase {
public:
    explicit SqliteUserDatabase(sqlite3* database) : database_(database) {}
    ~SqliteUserDatabase() override { sqlite3_close(database_); }
    SqliteUserDatabase(const SqliteUserDatabase&) = delete;
    SqliteUserDatabase& operator=(const SqliteUserDatabase&) = delete;

    Result<void> set_up() {
        TRY(execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE"));
        int64_t version = 0;
        {
            SqliteStatement select(database_, "PRAGMA user_version");
            if (select.step() == SQLITE_ROW) version = select.integer(0);
        }
        if (version > kSchemaVersion) {
            return Error(ErrorKind::invalid_config, "users were written by a newer shaduf: version " +
                                                        std::to_string(version) + ", this program knows " +
                                                        std::to_string(kSchemaVersion) + "; upgrade shaduf");
        }
        if (version == 0) {
            TRY(execute(kSchema));
            TRY(execute("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
        }
        return execute("COMMIT");
    }

    Result<Answer> ask(const std::string& sql, const std::vector<std::string>& values) override {
        std::string own = sql;
        std::replace(own.begin(), own.end(), '$', '?');
        const std::lock_guard lock(mutex_);
        SqliteStatement statement(database_, own);
        for (const std::string& value : values) statement.bind(value);
        Answer answer;
        int step = statement.step();
        for (; step == SQLITE_ROW; step = statement.step()) {
            Row row;
            for (int i = 0; i < statement.columns(); ++i) {
                row.push_back(statement.is_null(i) ? std::nullopt : std::optional(statement.text(i)));
            }
            answer.rows.push_back(std::move(row));
        }
        if (step != SQLITE_DONE) return error("be read or changed");
        answer.changed = sqlite3_changes(database_);
        return answer;
    }

    Error error(const std::string& what) const {
        const Error found = sqlite_error(database_, what, "check the file .shaduf/users.db and the disk that holds it");
        const std::string text = found.message();
        const size_t colon = text.find(": ");
        return Error(found.kind(), "users: " + text.substr(colon == std::string::npos ? 0 : colon + 2));
    }

private:
    Result<void> execute(const std::string& sql) const {
        const int done = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
        return done == SQLITE_OK ? Result<void>() : error("be set up");
    }

    sqlite3* const database_;
    std::mutex mutex_;
};

Result<std::unique_ptr<UserDatabase>> open_file(const std::string& path) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    const bool is_open = sqlite3_open_v2(path.c_str(), &database, flags, nullptr) == SQLITE_OK;
    auto users = std::make_unique<SqliteUserDatabase>(database);
    if (!is_open) return users->error("open " + path);
    ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
    sqlite3_busy_timeout(database, kBusyTimeoutMs);
    TRY(users->set_up());
    return std::unique_ptr<UserDatabase>(std::move(users));
}

class SharedUserDatabase final : public UserDatabase {
public:
    explicit SharedUserDatabase(const std::string& dsn) : sessions_(dsn, never_) {}
    Result<Answer> ask(const std::string& sql, const std::vector<std::string>& values) override {
        shared::Sessions::Loan session = TRY(sessions_.lend());
        PostgresRows found = TRY(session->query(sql, values));
        return Answer{std::move(found.rows), found.affected};
    }

private:
    Cancellation never_;
    shared::Sessions sessions_;
};

}  // namespace

Result<std::unique_ptr<UserDatabase>> open_user_database(const std::string& folder, const std::string& state) {
    if (state.empty()) {
        std::error_code failed;
        std::filesystem::create_directories(folder + "/.shaduf", failed);  // opening says what is wrong
        return open_file(folder + "/.shaduf/users.db");
    }
    auto users = std::make_unique<SharedUserDatabase>(state);
    TRY(users->ask("SELECT 1", {}));
    return std::unique_ptr<UserDatabase>(std::move(users));
}

}  // namespace shaduf::server
