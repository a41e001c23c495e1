#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"

// The C handles of libpq; its header stays inside src/io.
struct pg_conn;
struct pg_result;

// PostgreSQL, as a thin owner of libpq. Nothing blocks: each wait ends within a second of cancellation, and a statement
// that runs is then canceled on the server, too. (Only the look-up of a host's name is libpq's own and may last.)
// The kind of an error follows from its SQLSTATE; no message holds a password.
namespace shaduf {

// `"name"`, with quotes inside doubled: the one way in which identifiers reach SQL. invalid_config: more than 63 bytes
// (the server would cut the name and meet another one), empty, or with a zero byte.
Result<std::string> postgres_identifier(std::string_view name);
// `"schema"."table"`; without a schema, the table alone (the server's search path finds it).
Result<std::string> postgres_table(std::string_view schema, std::string_view table);
// `'text'`, whatever standard_conforming_strings says. A zero byte, which no text of PostgreSQL has, ends it.
std::string postgres_literal(std::string_view text);

using PostgresParameters = std::vector<std::pair<std::string, std::string>>;

struct PostgresOptions {
    // libpq's own keywords (host, sslmode, ...); a later one replaces an earlier.
    PostgresParameters parameters;
    std::chrono::milliseconds connect_timeout{10'000};
    // Statements that run first, for the session.
    std::vector<std::string> session = {};
};

// The keywords of a URL (postgresql://...) or of "host=... user=...". invalid_config, without a word of the text.
Result<PostgresParameters> parse_postgres_dsn(const std::string& dsn);

// What a statement gave, as text. For results known to be small.
struct PostgresRows {
    std::vector<std::string> columns;
    std::vector<uint32_t> types;  // of the columns, by the server's numbers
    std::vector<std::vector<std::optional<std::string>>> rows;
    int64_t affected = 0;
    std::string command;  // the server's word for it: "SELECT 5", "CREATE VIEW"
};

// A column of a statement's result, by the server's numbers. Domains come as their base types.
struct PostgresColumn {
    std::string name;
    uint32_t type = 0;
    int32_t modifier = -1;
    uint32_t table = 0;  // 0: no column of a table
    int16_t number = 0;  // in that table
};

class PostgresCopyIn;
class PostgresCopyOut;

// What another session has told by NOTIFY.
struct PostgresNotification {
    std::string channel;
    std::string payload;
};

// One session; one thread at a time. Dates come as ISO, times in UTC, intervals as ISO 8601, texts as UTF-8. After an
// error for which `is_lost` holds, the session is gone and another one must be made.
class PostgresConnection {
public:
    // `cancellation` outlives the connection.
    static Result<std::unique_ptr<PostgresConnection>> connect(const PostgresOptions& options,
                                                               const Cancellation& cancellation);
    ~PostgresConnection();
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    // Any number of statements. Gives the number of rows changed by the last one.
    Result<int64_t> execute(const std::string& sql);
    // One statement, with $1, $2 ... for `values`.
    Result<PostgresRows> query(const std::string& sql, const std::vector<std::string>& values = {});
    // Any number of statements; what the last one gave.
    Result<PostgresRows> run(const std::string& sql);
    // The columns that a query would give, without running it.
    Result<std::vector<PostgresColumn>> describe(const std::string& sql);
    // COPY ... TO STDOUT. The connection is busy until the object goes away; when that is before the end, it is lost.
    Result<std::unique_ptr<PostgresCopyOut>> begin_copy_out(const std::string& sql);
    // The same without waiting for the server's answer: what is wrong with the statement is said with the first row.
    Result<std::unique_ptr<PostgresCopyOut>> start_copy_out(const std::string& sql);
    // COPY ... FROM STDIN. The connection is busy until the object goes away.
    Result<std::unique_ptr<PostgresCopyIn>> begin_copy_in(const std::string& sql);

    // What has come on the channels that the session LISTENs to; waits for it until `within` has passed, then nothing.
    // REQUIRES: no transaction is open
    Result<std::vector<PostgresNotification>> notifications(std::chrono::milliseconds within);

    bool is_lost() const;
    // Whether a transaction is open, be it void.
    bool in_transaction() const;
    // Of the statement that failed last: "42501"; "" when the server said none.
    const std::string& sqlstate() const { return sqlstate_; }
    std::string user() const;
    std::string server_encoding() const;
    int server_version() const;  // 150018 is 15.18

private:
    friend class PostgresCopyIn;
    friend class PostgresCopyOut;
    struct ResultDeleter {
        void operator()(pg_result* result) const;
    };
    using ResultPtr = std::unique_ptr<pg_result, ResultDeleter>;

    PostgresConnection(pg_conn* handle, std::string password, const Cancellation& cancellation);
    Result<void> finish_connecting(std::chrono::milliseconds timeout);
    // Waits until the socket is ready for `events` of poll. unavailable past the deadline.
    Result<void> wait(short events, std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt);
    Result<void> flush();
    Result<void> receive();
    Result<void> start(int sent);
    // The next result; nullptr behind the last one.
    Result<ResultPtr> next_result();
    // The last result; the first error, if there was one. Nothing is left to receive.
    Result<ResultPtr> last_result();
    void cancel_statement();
    Error connection_error();
    Error result_error(const pg_result* result);
    std::string without_password(std::string text) const;

    pg_conn* handle_;
    const std::string password_;
    const Cancellation& cancellation_;
    int wake_ = -1;  // an eventfd, readable once canceled
    std::unique_ptr<Cancellation::Waker> waker_;
    bool is_busy_ = false;  // a statement runs
    std::string sqlstate_;
};

// What COPY TO gives, a message at a time: of binary format, one row each (the first with the header before it).
class PostgresCopyOut {
public:
    explicit PostgresCopyOut(PostgresConnection& connection) : connection_(connection) {}
    ~PostgresCopyOut();
    PostgresCopyOut(const PostgresCopyOut&) = delete;
    PostgresCopyOut& operator=(const PostgresCopyOut&) = delete;

    // Stays until the next call. nullopt: the end, without an error.
    Result<std::optional<std::string_view>> next();
    // The same without waiting. nullopt: nothing is there yet, or, when `has_ended` holds, ever.
    Result<std::optional<std::string_view>> poll();
    bool has_ended() const { return has_ended_; }
    // Waits until `poll` of one of them may give more. REQUIRES: one at least; all of one cancellation
    static Result<void> wait_for_any(std::span<PostgresCopyOut* const> copies);

private:
    friend class PostgresConnection;
    // Takes the server's answer to the statement. REQUIRES: it need not be waited for, or may be
    Result<void> take_answer();

    PostgresConnection& connection_;
    char* message_ = nullptr;
    bool has_begun_ = false;
    bool has_ended_ = false;
};

// What COPY FROM takes.
class PostgresCopyIn {
public:
    explicit PostgresCopyIn(PostgresConnection& connection) : connection_(connection) {}
    // Takes back what was put, unless `finish` was called.
    ~PostgresCopyIn();
    PostgresCopyIn(const PostgresCopyIn&) = delete;
    PostgresCopyIn& operator=(const PostgresCopyIn&) = delete;

    // Any part of the stream; blocks while the server is behind. An error of the server may come some rows late.
    Result<void> put(std::string_view bytes);
    // The number of rows copied.
    Result<int64_t> finish();

private:
    PostgresConnection& connection_;
    bool has_ended_ = false;
};

}  // namespace shaduf
