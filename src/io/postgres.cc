#include "io/postgres.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "io/postgres_error.h"

namespace shaduf {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr size_t kIdentifierBytesMax = 63;
constexpr std::chrono::milliseconds kCancelWait{500};
constexpr int kHiddenInputMilliseconds = 100;

// A connection that went away without a word is noticed within a minute, unless the user says otherwise.
constexpr std::pair<const char*, const char*> kDefaultParameters[] = {
    {"fallback_application_name", "shaduf"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
};
constexpr const char* kSession =
    "SET DateStyle = 'ISO, YMD'; SET IntervalStyle = iso_8601; SET TimeZone = 'UTC'; SET extra_float_digits = 3; "
    "SET bytea_output = hex";

int64_t affected_rows(PGresult* result) {
    const std::string_view text = PQcmdTuples(result);
    int64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

std::string field_of(const PGresult* result, int field) {
    const char* text = PQresultErrorField(result, field);
    return text == nullptr ? "" : text;
}

struct OptionsDeleter {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// The request of cancellation goes over a connection of its own, in which libpq blocks: a thread waits for it, and is
// left behind when it lasts.
struct CancelRequest {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
};

void send_cancel(PGcancel* cancel) {
    if (cancel == nullptr) return;
    auto request = std::make_shared<CancelRequest>();
    std::thread([cancel, request] {
        char ignored[256];
        PQcancel(cancel, ignored, sizeof ignored);
        PQfreeCancel(cancel);
        std::lock_guard lock(request->mutex);
        request->done = true;
        request->changed.notify_all();
    }).detach();
    std::unique_lock lock(request->mutex);
    request->changed.wait_for(lock, kCancelWait, [&] { return request->done; });
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------- text

Result<std::string> postgres_identifier(std::string_view name) {
    if (name.empty()) return Error(ErrorKind::invalid_config, "identifier is empty; give a name");
    if (name.find('\0') != std::string_view::npos) {
        return Error(ErrorKind::invalid_config, "identifier has a zero byte: " + std::string(name.data()));
    }
    if (name.size() > kIdentifierBytesMax) {
        return Error(ErrorKind::invalid_config,
                     "identifier is longer than the 63 bytes of PostgreSQL: " + std::string(name) + " has " +
                         std::to_string(name.size()) + "; give a shorter name");
    }
    std::string quoted = "\"";
    for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + '"';
}

Result<std::string> postgres_table(std::string_view schema, std::string_view table) {
    const std::string name = TRY(postgres_identifier(table));
    if (schema.empty()) return name;
    return TRY(postgres_identifier(schema)) + "." + name;
}

std::string postgres_literal(std::string_view text) {
    text = text.substr(0, text.find('\0'));
    std::string quoted = text.find('\\') == std::string_view::npos ? "'" : " E'";
    for (const char c : text) quoted.append(c == '\'' || c == '\\' ? 2 : 1, c);
    return quoted + '\'';
}

Result<PostgresParameters> parse_postgres_dsn(const std::string& dsn) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(PQconninfoParse(dsn.c_str(), &message));
    // The message quotes what it does not understand, which may be the password.
    PQfreemem(message);
    if (options == nullptr || dsn.find('\0') != std::string::npos) {
        return Error(ErrorKind::invalid_config,
                     "DSN cannot be read; write postgresql://user:password@host:port/database, with reserved "
                     "characters as %XX, or host=... user=... password=...");
    }
    PostgresParameters parameters;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) parameters.emplace_back(option->keyword, option->val);
    }
    return parameters;
}

// ---------------------------------------------------------------------------------------------------------- connection

void PostgresConnection::ResultDeleter::operator()(pg_result* result) const { PQclear(result); }

PostgresConnection::PostgresConnection(pg_conn* handle, std::string password, const Cancellation& cancellation)
    : handle_(handle), password_(std::move(password)), cancellation_(cancellation) {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    waker_ = std::make_unique<Cancellation::Waker>(cancellation, [fd = wake_] {
        const uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
    });
}

PostgresConnection::~PostgresConnection() {
    if (is_busy_ && !is_lost()) cancel_statement();
    waker_.reset();
    PQfinish(handle_);
    ::close(wake_);
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::connect(const PostgresOptions& options,
                                                                        const Cancellation& cancellation) {
    TRY(cancellation.check());
    PostgresParameters parameters(std::begin(kDefaultParameters), std::end(kDefaultParameters));
    parameters.insert(parameters.end(), options.parameters.begin(), options.parameters.end());
    parameters.emplace_back("client_encoding", "UTF8");
    std::vector<const char*> names;
    std::vector<const char*> values;
    std::string password;
    for (const auto& [name, value] : parameters) {
        if (name == "password") password = value;
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    pg_conn* handle = PQconnectStartParams(names.data(), values.data(), 0);
    if (handle == nullptr) return Error(ErrorKind::exhausted, "no memory for a connection to PostgreSQL");
    std::unique_ptr<PostgresConnection> connection(
        new PostgresConnection(handle, std::move(password), cancellation));  // NOLINT: the constructor is private
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);
    PQsetNoticeProcessor(
        handle, [](void*, const char*) {}, nullptr);
    TRY(connection->finish_connecting(options.connect_timeout));
    PQsetnonblocking(handle, 1);
    TRY(connection->execute(kSession));
    for (const auto& statement : options.session) TRY(connection->execute(statement));
    return connection;
}

Result<void> PostgresConnection::finish_connecting(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
        if (PQstatus(handle_) == CONNECTION_BAD) return connection_error();
        TRY(wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline));
        state = PQconnectPoll(handle_);
        if (state == PGRES_POLLING_FAILED) return connection_error();
    }
    return {};
}

Result<void> PostgresConnection::wait(short events, std::optional<SteadyTime> deadline) {
    for (;;) {
        pollfd sockets[] = {{PQsocket(handle_), events, 0}, {wake_, POLLIN, 0}};
        // A part of what TLS has decrypted may be left where poll does not see it: libpq must be asked now and then.
        const bool may_hide_input = events == POLLIN && PQsslInUse(handle_) != 0 && !deadline;
        int timeout = may_hide_input ? kHiddenInputMilliseconds : -1;
        if (deadline) {
            const auto left = *deadline - std::chrono::steady_clock::now();
            const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
            timeout = static_cast<int>(std::clamp<int64_t>(milliseconds, 0, 1 << 30));
        }
        const int ready = ::poll(sockets, 2, timeout);
        if (cancellation_.canceled()) {
            cancel_statement();
            return cancellation_.check();
        }
        if (ready < 0 && errno == EINTR) continue;
        if (ready > 0 || may_hide_input) return {};
        const char* host = PQhost(handle_);
        return Error(ErrorKind::unavailable,
                     "PostgreSQL: no answer in time from " + std::string(host == nullptr ? "" : host) + " port " +
                         std::string(PQport(handle_)) + "; check host and port, and whether a firewall stands between");
    }
}

Result<void> PostgresConnection::flush() {
    for (;;) {
        const int left = PQflush(handle_);
        if (left == 0) return {};
        if (left < 0) return connection_error();
        // The server may want to say something before it takes more.
        TRY(wait(POLLIN | POLLOUT));
        if (PQconsumeInput(handle_) == 0) return connection_error();
    }
}

Result<std::vector<PostgresNotification>> PostgresConnection::notifications(std::chrono::milliseconds within) {
    std::vector<PostgresNotification> told;
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        if (PQconsumeInput(handle_) == 0) return connection_error();
        while (PGnotify* one = PQnotifies(handle_)) {
            told.push_back({one->relname, one->extra});
            PQfreemem(one);
        }
        if (!told.empty() || std::chrono::steady_clock::now() >= deadline) return told;
        const auto readable = wait(POLLIN, deadline);
        if (!readable.ok() && readable.error().kind() != ErrorKind::unavailable) return readable.error();
    }
}

Result<void> PostgresConnection::receive() {
    TRY(wait(POLLIN));
    if (PQconsumeInput(handle_) == 0) return connection_error();
    return {};
}

Result<void> PostgresConnection::start(int sent) {
    sqlstate_.clear();
    if (sent == 0) return connection_error();
    is_busy_ = true;
    return flush();
}

Result<PostgresConnection::ResultPtr> PostgresConnection::next_result() {
    while (PQisBusy(handle_) != 0) TRY(receive());
    ResultPtr result(PQgetResult(handle_));
    if (result == nullptr) is_busy_ = false;
    return result;
}

Result<PostgresConnection::ResultPtr> PostgresConnection::last_result() {
    ResultPtr last;
    std::optional<Error> error;
    while (ResultPtr result = TRY(next_result())) {
        const auto status = PQresultStatus(result.get());
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            if (!error) error = result_error(result.get());
        }
        // It would wait for ever for data that nobody gives or takes.
        const bool is_copy = status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
        last = std::move(result);
        if (is_copy) return last;
    }
    if (error) return *error;
    if (last == nullptr) return connection_error();
    return last;
}

void PostgresConnection::cancel_statement() {
    if (std::exchange(is_busy_, false)) send_cancel(PQgetCancel(handle_));
}

Error PostgresConnection::connection_error() {
    is_busy_ = false;
    return postgres_connect_error(without_password(PQerrorMessage(handle_)), sqlstate_);
}

Error PostgresConnection::result_error(const pg_result* result) {
    sqlstate_ = field_of(result, PG_DIAG_SQLSTATE);
    // libpq itself made this one: the connection broke.
    if (sqlstate_.empty()) return postgres_connect_error(without_password(PQresultErrorMessage(result)), sqlstate_);
    const Error error = postgres_error(sqlstate_, without_password(field_of(result, PG_DIAG_MESSAGE_PRIMARY)),
                                       without_password(field_of(result, PG_DIAG_MESSAGE_DETAIL)));
    const int position = std::atoi(field_of(result, PG_DIAG_STATEMENT_POSITION).c_str());
    return position > 0 ? error.at_point({.column = static_cast<size_t>(position)}) : error;
}

std::string PostgresConnection::without_password(std::string text) const {
    if (password_.size() < 4) return text;  // it would tear words apart, and say where they stood
    for (size_t at = text.find(password_); at != std::string::npos; at = text.find(password_, at)) {
        text.replace(at, password_.size(), "***");
    }
    return text;
}

namespace {

PostgresRows rows_of(PGresult* result) {
    PostgresRows rows;
    rows.affected = affected_rows(result);
    rows.command = PQcmdStatus(result);
    const int columns = PQnfields(result);
    for (int i = 0; i < columns; ++i) {
        rows.columns.emplace_back(PQfname(result, i));
        rows.types.push_back(PQftype(result, i));
    }
    for (int row = 0; row < PQntuples(result); ++row) {
        auto& cells = rows.rows.emplace_back();
        for (int i = 0; i < columns; ++i) {
            const bool is_null = PQgetisnull(result, row, i) != 0;
            cells.push_back(is_null ? std::nullopt : std::optional<std::string>(PQgetvalue(result, row, i)));
        }
    }
    return rows;
}

}  // namespace

Result<int64_t> PostgresConnection::execute(const std::string& sql) {
    TRY(start(PQsendQuery(handle_, sql.c_str())));
    const ResultPtr result = TRY(last_result());
    return affected_rows(result.get());
}

Result<PostgresRows> PostgresConnection::query(const std::string& sql, const std::vector<std::string>& values) {
    std::vector<const char*> texts;
    texts.reserve(values.size());
    for (const auto& value : values) texts.push_back(value.c_str());
    TRY(start(PQsendQueryParams(handle_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                                nullptr, 0)));
    const ResultPtr result = TRY(last_result());
    return rows_of(result.get());
}

Result<PostgresRows> PostgresConnection::run(const std::string& sql) {
    TRY(start(PQsendQuery(handle_, sql.c_str())));
    const ResultPtr result = TRY(last_result());
    return rows_of(result.get());
}

Result<std::vector<PostgresColumn>> PostgresConnection::describe(const std::string& sql) {
    TRY(start(PQsendPrepare(handle_, "", sql.c_str(), 0, nullptr)));
    TRY(last_result());
    TRY(start(PQsendDescribePrepared(handle_, "")));
    const ResultPtr result = TRY(last_result());
    std::vector<PostgresColumn> columns;
    columns.reserve(static_cast<size_t>(PQnfields(result.get())));
    for (int i = 0; i < PQnfields(result.get()); ++i) {
        columns.push_back({PQfname(result.get(), i), PQftype(result.get(), i), PQfmod(result.get(), i),
                           PQftable(result.get(), i), static_cast<int16_t>(PQftablecol(result.get(), i))});
    }
    return columns;
}

bool PostgresConnection::in_transaction() const {
    const auto status = PQtransactionStatus(handle_);
    return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

bool PostgresConnection::is_lost() const { return PQstatus(handle_) != CONNECTION_OK; }
std::string PostgresConnection::user() const { return PQuser(handle_); }
int PostgresConnection::server_version() const { return PQserverVersion(handle_); }
std::string PostgresConnection::server_encoding() const {
    const char* name = PQparameterStatus(handle_, "server_encoding");
    return name == nullptr ? "" : name;
}

// ---------------------------------------------------------------------------------------------------------------- copy

Result<std::unique_ptr<PostgresCopyOut>> PostgresConnection::start_copy_out(const std::string& sql) {
    TRY(start(PQsendQuery(handle_, sql.c_str())));
    return std::make_unique<PostgresCopyOut>(*this);
}

Result<std::unique_ptr<PostgresCopyOut>> PostgresConnection::begin_copy_out(const std::string& sql) {
    auto copy = TRY(start_copy_out(sql));
    TRY(copy->take_answer());
    return copy;
}

Result<std::unique_ptr<PostgresCopyIn>> PostgresConnection::begin_copy_in(const std::string& sql) {
    TRY(start(PQsendQuery(handle_, sql.c_str())));
    const ResultPtr result = TRY(last_result());
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
        return Error(ErrorKind::internal, "statement is no COPY FROM STDIN: " + sql);
    }
    return std::make_unique<PostgresCopyIn>(*this);
}

PostgresCopyOut::~PostgresCopyOut() {
    if (message_ != nullptr) PQfreemem(message_);
}

Result<void> PostgresCopyOut::take_answer() {
    const auto result = TRY(connection_.last_result());
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
        return Error(ErrorKind::internal, "statement is no COPY TO STDOUT");
    }
    has_begun_ = true;
    return {};
}

Result<std::optional<std::string_view>> PostgresCopyOut::next() {
    for (;;) {
        const auto message = TRY(poll());
        if (message || has_ended_) return message;
        TRY(connection_.wait(POLLIN));
    }
}

Result<std::optional<std::string_view>> PostgresCopyOut::poll() {
    if (message_ != nullptr) PQfreemem(std::exchange(message_, nullptr));
    if (has_ended_) return std::nullopt;
    TRY(connection_.cancellation_.check());
    for (bool has_received = false;; has_received = true) {
        if (!has_begun_ && PQisBusy(connection_.handle_) == 0) TRY(take_answer());
        const int size = has_begun_ ? PQgetCopyData(connection_.handle_, &message_, 1) : 0;
        if (size > 0) return std::optional(std::string_view(message_, static_cast<size_t>(size)));
        if (size == -2) return connection_.connection_error();
        if (size == -1) break;
        if (has_received) return std::nullopt;
        if (PQconsumeInput(connection_.handle_) == 0) return connection_.connection_error();
    }
    has_ended_ = true;
    TRY(connection_.last_result());
    return std::nullopt;
}

Result<void> PostgresCopyOut::wait_for_any(std::span<PostgresCopyOut* const> copies) {
    const PostgresConnection& first = copies.front()->connection_;
    std::vector<pollfd> sockets{{first.wake_, POLLIN, 0}};
    bool may_hide_input = false;
    for (const PostgresCopyOut* copy : copies) {
        sockets.push_back({PQsocket(copy->connection_.handle_), POLLIN, 0});
        may_hide_input |= PQsslInUse(copy->connection_.handle_) != 0;
    }
    // Interrupted or not, whoever waits asks again.
    ::poll(sockets.data(), sockets.size(), may_hide_input ? kHiddenInputMilliseconds : -1);
    return first.cancellation_.check();
}

PostgresCopyIn::~PostgresCopyIn() {
    if (has_ended_ || connection_.is_lost()) return;
    // Errors are expected: this is the one that makes the server forget the rows.
    PQputCopyEnd(connection_.handle_, "not finished");
    if (!connection_.flush().ok() || !connection_.last_result().ok()) return;
}

Result<void> PostgresCopyIn::put(std::string_view bytes) {
    constexpr size_t kBytesAtOnce = 1 << 20;  // libpq copies what the socket does not take
    TRY(connection_.cancellation_.check());
    for (size_t at = 0; at < bytes.size(); at += kBytesAtOnce) {
        const auto part = bytes.substr(at, kBytesAtOnce);
        if (PQputCopyData(connection_.handle_, part.data(), static_cast<int>(part.size())) < 0) {
            return connection_.connection_error();
        }
        TRY(connection_.flush());
    }
    return {};
}

Result<int64_t> PostgresCopyIn::finish() {
    has_ended_ = true;
    if (PQputCopyEnd(connection_.handle_, nullptr) < 0) return connection_.connection_error();
    TRY(connection_.flush());
    const auto result = TRY(connection_.last_result());
    return affected_rows(result.get());
}

}  // namespace shaduf
