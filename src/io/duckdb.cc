#include "io/duckdb.h"

#include <duckdb.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/assert.h"
#include "base/cancellation.h"
#include "io/duckdb_internal.h"

namespace shaduf {
namespace {

// Columns of tables being written that the smallest memory limit has room for with two threads, and what one more takes
// on each thread (measured: a block of values, one of validity, and what compressing them needs).
constexpr size_t kFewColumns = 32;
constexpr uint64_t kBytesPerColumn = 768 << 10;

struct Config {
    duckdb_config handle = nullptr;
    Config() { duckdb_create_config(&handle); }
    ~Config() { duckdb_destroy_config(&handle); }
    Config(const Config&) = delete;
    Config& operator=(const Config&) = delete;
    bool set(const char* name, const std::string& value) {
        return duckdb_set_config(handle, name, value.c_str()) == DuckDBSuccess;
    }
};

Result<void> configure(Config& config, const DuckDbOptions& options) {
    config.set("memory_limit", std::to_string(options.memory_bytes) + "B");
    if (options.threads > 0) config.set("threads", std::to_string(options.threads));
    if (!options.temp_directory.empty()) config.set("temp_directory", options.temp_directory);
    if (options.access == DuckDbAccess::read_only) config.set("access_mode", "READ_ONLY");
    if (!options.external_access) config.set("enable_external_access", "false");
    // Nothing is fetched from the network behind the user's back.
    config.set("autoinstall_known_extensions", "false");
    if (!options.keep_order) config.set("preserve_insertion_order", "false");
    if (options.storage_version.empty() || config.set("storage_compatibility_version", options.storage_version)) {
        return {};
    }
    return Error(ErrorKind::invalid_config, "DuckDB " + std::string(duckdb_library_version()) +
                                                " knows no storage version " + options.storage_version +
                                                "; give one like v1.3.0, or `latest`");
}

Result<duckdb_database> open_handle(const std::string& path, const DuckDbOptions& options) {
    Config config;
    TRY(configure(config, options));
    duckdb_database handle = nullptr;
    char* message = nullptr;
    if (duckdb_open_ext(path.c_str(), &handle, config.handle, &message) == DuckDBSuccess) return handle;
    Error error = duckdb_open_error(path, message == nullptr ? "no reason given" : message);
    duckdb_free(message);
    return error;
}

Error creation_error(const std::string& path) {
    const auto kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::exhausted : ErrorKind::invalid_config;
    return Error(kind, "cannot create the database: " + path + ": " + std::strerror(errno));
}

// The engine makes a new file in steps, and one that was killed between them leaves a file that it refuses ever after.
// So a new database is made beside and renamed into its place, by whoever holds the lock on the empty file there.
Result<void> create_whole(const std::string& path, const DuckDbOptions& options) {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0 && there.st_size > 0) return {};
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return creation_error(path);
    const std::shared_ptr<void> closer(nullptr, [file](void*) { ::close(file); });
    struct stat locked {};
    if (::flock(file, LOCK_EX) != 0 || ::fstat(file, &locked) != 0) return creation_error(path);
    // Another process may have been first: then the name stands for another file by now.
    const bool is_ours = ::stat(path.c_str(), &there) == 0 && there.st_ino == locked.st_ino && there.st_size == 0;
    if (!is_ours) return {};
    const std::string draft = path + ".new";
    ::unlink(draft.c_str());
    ::unlink((draft + ".wal").c_str());
    duckdb_database made = TRY(open_handle(draft, options));
    duckdb_close(&made);
    if (::rename(draft.c_str(), path.c_str()) != 0) return creation_error(path);
    return {};
}

std::string canonical_path(const std::string& path) {
    std::error_code ignored;
    // Absolute first: of a relative path to a file that is not there yet, weakly_canonical makes nothing, and once the
    // file is there it would have another name, and the process a second engine on it.
    const auto absolute = std::filesystem::absolute(path, ignored);
    const auto canonical = std::filesystem::weakly_canonical(absolute, ignored);
    return canonical.empty() ? path : canonical.string();
}

// A result, and the error in it.
struct Outcome {
    duckdb_result handle{};
    Outcome() = default;
    ~Outcome() { duckdb_destroy_result(&handle); }
    Outcome(const Outcome&) = delete;
    Outcome& operator=(const Outcome&) = delete;
    Error error() { return duckdb_error(duckdb_result_error_type(&handle), text_of(duckdb_result_error(&handle))); }
    static std::string_view text_of(const char* text) { return text == nullptr ? "no reason given" : text; }
};

struct Statement {
    duckdb_prepared_statement handle = nullptr;
    Statement() = default;
    ~Statement() { duckdb_destroy_prepare(&handle); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
};

void bind_value(duckdb_prepared_statement statement, idx_t i, const DuckDbValue& value) {
    if (const auto* boolean = std::get_if<bool>(&value)) {
        duckdb_bind_boolean(statement, i, *boolean);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
        duckdb_bind_int64(statement, i, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
        duckdb_bind_double(statement, i, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        duckdb_bind_varchar_length(statement, i, text->data(), text->size());
    } else {
        duckdb_bind_null(statement, i);
    }
}

// The engine gives only a text when it cannot prepare; its first words name the type ("Binder Error: ...").
Error prepare_error(duckdb_prepared_statement statement) {
    const std::string_view message = Outcome::text_of(duckdb_prepare_error(statement));
    const bool io = message.starts_with("IO Error");
    return duckdb_error(io ? DUCKDB_ERROR_IO : DUCKDB_ERROR_BINDER, message);
}

Result<void> prepare(duckdb_connection connection, const std::string& sql, const DuckDbValues& values, Statement& out) {
    if (duckdb_prepare(connection, sql.c_str(), &out.handle) != DuckDBSuccess) return prepare_error(out.handle);
    for (size_t i = 0; i < values.size(); ++i) bind_value(out.handle, i + 1, values[i]);
    return {};
}

struct Columns {
    std::vector<Field> fields;
    std::vector<bool> fits;
    bool all_fit() const { return std::find(fits.begin(), fits.end(), false) == fits.end(); }
};

// Takes the name and the type over.
void add_column(Columns& columns, std::string name, duckdb_logical_type logical) {
    const auto type = type_of_logical(logical);
    columns.fields.push_back({std::move(name), type.value_or(TypeKind::string)});
    columns.fits.push_back(type.has_value());
    duckdb_destroy_logical_type(&logical);
}

Columns prepared_columns(duckdb_prepared_statement statement) {
    Columns columns;
    for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
        const char* name = duckdb_prepared_statement_column_name(statement, i);
        add_column(columns, name, duckdb_prepared_statement_column_logical_type(statement, i));
        duckdb_free(const_cast<char*>(name));
    }
    return columns;
}

Columns result_columns(duckdb_result& result) {
    Columns columns;
    for (idx_t i = 0; i < duckdb_column_count(&result); ++i) {
        add_column(columns, duckdb_column_name(&result, i), duckdb_column_logical_type(&result, i));
    }
    return columns;
}

// The same query with the columns that have no place in our types cast to text.
std::string cast_to_text(const std::string& sql, const Columns& columns) {
    std::string select;
    std::string names;
    for (size_t i = 0; i < columns.fields.size(); ++i) {
        const std::string name = "c" + std::to_string(i);
        select += i > 0 ? ", " : "";
        select += columns.fits[i] ? name : "CAST(" + name + " AS VARCHAR)";
        select += " AS " + quote_identifier(columns.fields[i].name);
        names += (i > 0 ? ", " : "") + name;
    }
    const auto end = sql.find_last_not_of("; \n\t");
    return "SELECT " + select + " FROM (" + sql.substr(0, end + 1) + "\n) AS t(" + names + ")";
}

// With values, types are known only once it runs; their text is then for the query to ask for.
Result<void> prepare_query(duckdb_connection connection, const std::string& sql, const DuckDbValues& values,
                           Statement& out) {
    TRY(prepare(connection, sql, values, out));
    if (!values.empty()) return {};
    const Columns columns = prepared_columns(out.handle);
    if (columns.all_fit()) return {};
    duckdb_destroy_prepare(&out.handle);
    return prepare(connection, cast_to_text(sql, columns), values, out);
}

std::string with_rows_table(const std::string& sql, const std::string& table) {
    const auto at = sql.rfind(DuckDbConnection::kRowsTable);
    SHADUF_ASSERT(at != std::string::npos);
    return sql.substr(0, at) + table + sql.substr(at + DuckDbConnection::kRowsTable.size());
}

std::string insert_sql(const std::string& table, const Schema& schema, const std::string& rows) {
    std::string columns;
    for (const auto& field : schema.fields()) {
        if (!columns.empty()) columns += ", ";
        columns += quote_identifier(field.name);
    }
    return "INSERT INTO " + table + " (" + columns + ") SELECT " + columns + " FROM " + rows;
}

class Cursor final : public DuckDbCursor {
public:
    Cursor(size_t rows_max, const Cancellation& cancellation) : rows_max_(rows_max), cancellation_(cancellation) {}

    Result<void> start(duckdb_prepared_statement statement) {
        duckdb_pending_result pending = nullptr;
        if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess) {
            Error error = duckdb_error(DUCKDB_ERROR_INVALID_INPUT, Outcome::text_of(duckdb_pending_error(pending)));
            duckdb_destroy_pending(&pending);
            return error;
        }
        const auto state = duckdb_execute_pending(pending, &result_.handle);
        duckdb_destroy_pending(&pending);
        if (state != DuckDBSuccess) return result_.error();
        Columns columns = result_columns(result_.handle);
        if (!columns.all_fit())
            return Error(ErrorKind::bad_data, "DuckDB: a column has a type that needs a cast to text");
        schema_ = std::make_shared<const Schema>(std::move(columns.fields));
        return {};
    }

    const SchemaPtr& schema() const override { return schema_; }

    Result<std::optional<RecordBatch>> next() override {
        RecordBatchBuilder rows(schema_);
        while (!ended_ && rows.rows() < rows_max_) {
            TRY(cancellation_.check());
            duckdb_data_chunk chunk = duckdb_fetch_chunk(result_.handle);
            if (chunk == nullptr) {
                if (duckdb_result_error(&result_.handle) != nullptr) return result_.error();
                ended_ = true;
                break;
            }
            append_chunk(chunk, rows);
            duckdb_destroy_data_chunk(&chunk);
        }
        if (rows.rows() == 0) return std::nullopt;
        return std::optional<RecordBatch>(rows.finish());
    }

private:
    SchemaPtr schema_;
    size_t rows_max_;
    const Cancellation& cancellation_;
    Outcome result_;
    bool ended_ = false;
};

}  // namespace

DuckDbDatabase::DuckDbDatabase(std::string path, duckdb_database handle, const DuckDbOptions& options)
    : path_(std::move(path)), handle_(handle), options_(options), threads_(options.threads) {}

DuckDbDatabase::~DuckDbDatabase() {
    row_sources_.reset();
    duckdb_close(&handle_);
}

Result<std::unique_ptr<DuckDbConnection>> DuckDbDatabase::connect(const Cancellation& cancellation) {
    duckdb_connection handle = nullptr;
    if (duckdb_connect(handle_, &handle) != DuckDBSuccess) {
        return Error(ErrorKind::internal, "DuckDB gives no connection: " + path_);
    }
    std::unique_ptr<DuckDbConnection> connection(new DuckDbConnection(handle, *row_sources_, cancellation));
    TRY(connection->execute("SET TimeZone = 'UTC'"));
    return connection;
}

std::unique_ptr<DuckDbDatabase::Claim> DuckDbDatabase::claim(const std::string& name) {
    std::lock_guard lock(claims_mutex_);
    if (!claims_.insert(name).second) return nullptr;
    return std::make_unique<Claim>(*this, name);
}

DuckDbDatabase::Claim::~Claim() {
    std::lock_guard lock(database_.claims_mutex_);
    database_.claims_.erase(name_);
}

std::unique_ptr<DuckDbDatabase::Load> DuckDbDatabase::begin_load(size_t columns) {
    std::lock_guard lock(loads_mutex_);
    columns_ += columns;
    set_memory_limit();
    return std::make_unique<Load>(*this, columns);
}

DuckDbDatabase::Load::~Load() {
    std::lock_guard lock(database_.loads_mutex_);
    database_.columns_ -= columns_;
    database_.set_memory_limit();
}

void DuckDbDatabase::take_second_thread() {
    std::lock_guard lock(loads_mutex_);
    if (!options_.threads_grow || columns_ > kFewColumns || threads_ >= 2) return;
    threads_ = 2;
    duckdb_query(row_sources_->connection(), "SET threads = 2", nullptr);
    set_memory_limit();
}

// A limit that could not be lowered again is no harm; one that was not raised, the load will tell of.
void DuckDbDatabase::set_memory_limit() {
    if (!options_.memory_grows) return;
    const uint64_t many = columns_ - std::min(columns_, kFewColumns);
    const uint64_t bytes = options_.memory_bytes + many * kBytesPerColumn * static_cast<uint64_t>(threads_);
    const std::string sql = "SET memory_limit = '" + std::to_string(bytes) + "B'";
    duckdb_query(row_sources_->connection(), sql.c_str(), nullptr);
}

DuckDbInstances::DuckDbInstances() = default;
DuckDbInstances::~DuckDbInstances() = default;

Result<std::shared_ptr<DuckDbDatabase>> DuckDbInstances::open(const std::string& path, const DuckDbOptions& options) {
    const std::string canonical = canonical_path(path);
    std::unique_lock lock(mutex_);
    Entry& entry = entries_[canonical];
    std::shared_ptr<DuckDbDatabase> database;
    closed_.wait(lock, [&] { return (database = entry.database.lock()) != nullptr || !entry.is_open; });
    if (database != nullptr) return database;
    const auto close = [this, &entry](DuckDbDatabase* unused) {
        delete unused;
        std::lock_guard closing(mutex_);
        entry.is_open = false;
        closed_.notify_all();
    };
    // Opened before the object is made: an error returned between `new` and its constructor would leak the object.
    if (options.access == DuckDbAccess::read_write) TRY(create_whole(canonical, options));
    auto* const handle = TRY(open_handle(canonical, options));
    std::unique_ptr<DuckDbDatabase> opened(new DuckDbDatabase(canonical, handle, options));
    opened->row_sources_ = TRY(DuckDbRowSources::create(opened->handle_));
    database = std::shared_ptr<DuckDbDatabase>(opened.release(), close);
    entry.database = database;
    entry.is_open = true;
    return database;
}

Result<std::shared_ptr<DuckDbDatabase>> DuckDbInstances::open_in_memory(const DuckDbOptions& options) {
    auto* const handle = TRY(open_handle(":memory:", options));
    std::shared_ptr<DuckDbDatabase> database(new DuckDbDatabase(":memory:", handle, options));
    database->row_sources_ = TRY(DuckDbRowSources::create(database->handle_));
    return database;
}

DuckDbConnection::DuckDbConnection(duckdb_connection handle, DuckDbRowSources& row_sources,
                                   const Cancellation& cancellation)
    : handle_(handle), row_sources_(row_sources), cancellation_(cancellation) {}

DuckDbConnection::~DuckDbConnection() { duckdb_disconnect(&handle_); }

Result<int64_t> DuckDbConnection::execute(const std::string& sql) {
    TRY(cancellation_.check());
    const Cancellation::Waker waker(cancellation_, [this] { duckdb_interrupt(handle_); });
    Outcome result;
    if (duckdb_query(handle_, sql.c_str(), &result.handle) != DuckDBSuccess) return result.error();
    return static_cast<int64_t>(duckdb_rows_changed(&result.handle));
}

Result<int64_t> DuckDbConnection::execute(const std::string& sql, const DuckDbValues& values) {
    if (values.empty()) return execute(sql);
    TRY(cancellation_.check());
    const Cancellation::Waker waker(cancellation_, [this] { duckdb_interrupt(handle_); });
    Statement statement;
    TRY(prepare(handle_, sql, values, statement));
    Outcome result;
    if (duckdb_execute_prepared(statement.handle, &result.handle) != DuckDBSuccess) return result.error();
    return static_cast<int64_t>(duckdb_rows_changed(&result.handle));
}

Result<int64_t> DuckDbConnection::execute_over(const std::string& sql, const SchemaPtr& schema,
                                               std::span<const RecordBatch> rows) {
    DuckDbGivenRows source(schema, rows, kAnyThreads);
    const auto registration = row_sources_.add(source);
    return execute(with_rows_table(sql, registration.sql()));
}

Result<std::vector<RecordBatch>> DuckDbConnection::query_over(const std::string& sql, const SchemaPtr& schema,
                                                              std::span<const RecordBatch> rows) {
    DuckDbGivenRows source(schema, rows, kAnyThreads);
    const auto registration = row_sources_.add(source);
    return query(with_rows_table(sql, registration.sql()));
}

Result<int64_t> DuckDbConnection::append(const std::string& table, const SchemaPtr& schema,
                                         std::span<const RecordBatch> rows) {
    DuckDbGivenRows source(schema, rows, 1);
    const auto registration = row_sources_.add(source);
    return execute(insert_sql(table, *schema, registration.sql()));
}

Result<std::unique_ptr<DuckDbAppend>> DuckDbConnection::begin_append(const std::string& table, const SchemaPtr& schema,
                                                                     const DuckDbAppendLimits& limits) {
    TRY(cancellation_.check());
    return std::unique_ptr<DuckDbAppend>(new DuckDbAppend(*this, table, schema, limits));
}

DuckDbAppend::DuckDbAppend(DuckDbConnection& connection, const std::string& table, const SchemaPtr& schema,
                           const DuckDbAppendLimits& limits)
    : rows_(std::make_unique<DuckDbRowQueue>(schema, limits)) {
    thread_ = std::thread([this, &connection, table] {
        const auto registration = connection.row_sources_.add(*rows_);
        // The engine's interrupt does not reach a thread that waits for rows.
        const Cancellation::Waker waker(connection.cancellation_, [this] { rows_->abort(); });
        inserted_ = connection.execute(insert_sql(table, *rows_->schema(), registration.sql()));
        if (inserted_.ok()) return;
        // The engine tells an aborted queue as it tells broken data.
        if (auto canceled = connection.cancellation_.check(); !canceled.ok()) inserted_ = canceled.release_error();
        rows_->abort();
    });
}

DuckDbAppend::~DuckDbAppend() {
    if (!thread_.joinable()) return;
    rows_->abort();
    thread_.join();
}

Result<void> DuckDbAppend::write(RecordBatch rows) {
    if (rows_->push(std::move(rows))) return {};
    TRY(finish());
    return Error(ErrorKind::canceled, "the load was stopped");
}

Result<int64_t> DuckDbAppend::finish() {
    rows_->close();
    if (thread_.joinable()) thread_.join();
    return inserted_;
}

Result<std::unique_ptr<DuckDbCursor>> DuckDbConnection::open_cursor(const std::string& sql, const DuckDbValues& values,
                                                                    size_t rows_max) {
    TRY(cancellation_.check());
    const Cancellation::Waker waker(cancellation_, [this] { duckdb_interrupt(handle_); });
    Statement statement;
    TRY(prepare_query(handle_, sql, values, statement));
    auto cursor = std::make_unique<Cursor>(rows_max, cancellation_);
    TRY(cursor->start(statement.handle));
    return std::unique_ptr<DuckDbCursor>(std::move(cursor));
}

Result<void> DuckDbConnection::scan(const std::string& sql, const DuckDbValues& values,
                                    const std::function<Result<void>(const RecordBatch&)>& each) {
    const auto cursor = TRY(open_cursor(sql, values));
    while (auto rows = TRY(cursor->next())) TRY(each(*rows));
    return {};
}

Result<std::vector<RecordBatch>> DuckDbConnection::query(const std::string& sql, const DuckDbValues& values) {
    std::vector<RecordBatch> batches;
    const auto cursor = TRY(open_cursor(sql, values));
    while (auto rows = TRY(cursor->next())) batches.push_back(std::move(*rows));
    if (batches.empty()) batches.push_back(RecordBatchBuilder(cursor->schema()).finish());
    return batches;
}

Result<SchemaPtr> DuckDbConnection::describe(const std::string& sql) {
    TRY(cancellation_.check());
    Statement statement;
    TRY(prepare(handle_, sql, {}, statement));
    return std::make_shared<const Schema>(prepared_columns(statement.handle).fields);
}

}  // namespace shaduf
