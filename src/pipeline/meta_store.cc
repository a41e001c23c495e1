#include "pipeline/meta_store.h"

#include <sqlite3.h>

#include <filesystem>

#include "io/sqlite.h"

namespace shaduf {
namespace {

// 2: the ledger of rate limits. 3: results of checks.
constexpr int kSchemaVersion = 3;
constexpr int kBusyTimeoutMs = 5000;

constexpr const char* kSchema = R"(
    CREATE TABLE IF NOT EXISTS stream_run (
        run_id TEXT NOT NULL, pipeline TEXT NOT NULL, stream TEXT NOT NULL, table_name TEXT NOT NULL,
        status TEXT NOT NULL, error TEXT NOT NULL, checkpoint TEXT NOT NULL, started_at TEXT NOT NULL,
        rows_read INTEGER NOT NULL, rows_written INTEGER NOT NULL, rows_quarantined INTEGER NOT NULL,
        bytes_read INTEGER NOT NULL, warnings INTEGER NOT NULL, retries INTEGER NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (run_id, pipeline, stream)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS stream_run_by_time ON stream_run (started_at);
    CREATE TABLE IF NOT EXISTS rate_limit (
        key TEXT PRIMARY KEY, paused_until INTEGER NOT NULL DEFAULT 0, remaining INTEGER,
        reset INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rate_call (key TEXT NOT NULL, at INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS rate_call_by_time ON rate_call (key, at);
    CREATE TABLE IF NOT EXISTS rate_permit (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, process INTEGER NOT NULL, at INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS rate_permit_by_key ON rate_permit (key);
    CREATE TABLE IF NOT EXISTS check_run (
        id TEXT NOT NULL, at TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL, rows INTEGER NOT NULL,
        message TEXT NOT NULL, PRIMARY KEY (id, at, run_id)) WITHOUT ROWID;
)";

constexpr const char* kSave = R"(
    INSERT OR REPLACE INTO stream_run (run_id, pipeline, stream, table_name, status, error, checkpoint, started_at,
        rows_read, rows_written, rows_quarantined, bytes_read, warnings, retries, seconds)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
)";

constexpr const char* kColumns =
    "run_id, pipeline, stream, table_name, status, error, checkpoint, started_at, rows_read, rows_written, "
    "rows_quarantined, bytes_read, warnings, retries, seconds";

Result<void> prepare_schema(sqlite3* database, const std::string& path) {
    sqlite3_busy_timeout(database, kBusyTimeoutMs);
    int version = 0;
    {
        SqliteStatement read(database, "PRAGMA user_version");
        if (read.step() != SQLITE_ROW) return sqlite_error(database, "read " + path);
        version = static_cast<int>(read.integer(0));
    }
    if (version == kSchemaVersion) return {};
    if (version > kSchemaVersion) {
        return Error(ErrorKind::invalid_config, "run history was written by a newer shaduf: " + path + " has version " +
                                                    std::to_string(version) + ", this program knows " +
                                                    std::to_string(kSchemaVersion) + "; upgrade shaduf");
    }
    const std::string sql = "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; " + std::string(kSchema) +
                            "PRAGMA user_version=" + std::to_string(kSchemaVersion) + "; COMMIT;";
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return sqlite_error(database, "set up " + path);
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<MetaStore>> MetaStore::open(const std::string& path) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    const int opened = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
    std::unique_ptr<MetaStore> store(new MetaStore(database));
    if (opened != SQLITE_OK) return sqlite_error(database, "open " + path);
    TRY(prepare_schema(database, path));
    // A lost line of history after a power failure is fine; a slow start of each run is not.
    sqlite3_exec(database, "PRAGMA synchronous=NORMAL", nullptr, nullptr, nullptr);
    return store;
}

MetaStore::~MetaStore() { sqlite3_close(database_); }

Result<void> MetaStore::save(const StreamRecord& record) {
    std::lock_guard lock(mutex_);
    SqliteStatement insert(database_, kSave);
    const StreamProgress& progress = record.progress;
    for (const auto* text : {&record.run_id, &progress.pipeline, &progress.stream, &progress.table, &record.status,
                             &record.error, &record.checkpoint, &record.started_at}) {
        insert.bind(*text);
    }
    for (const int64_t count : {progress.rows_read, progress.rows_written, progress.rows_quarantined,
                                progress.bytes_read, progress.warnings, progress.retries}) {
        insert.bind(count);
    }
    insert.bind(progress.seconds);
    if (insert.step() != SQLITE_DONE) return sqlite_error(database_, "save a run");
    return {};
}

Result<std::vector<StreamRecord>> MetaStore::recent(int64_t limit) {
    return select(
        std::string("SELECT ") + kColumns + " FROM stream_run ORDER BY started_at DESC, pipeline, stream LIMIT ?",
        limit);
}

Result<std::vector<StreamRecord>> MetaStore::latest_of_each_stream() {
    return select(
        std::string("SELECT ") + kColumns +
            " FROM (SELECT *, row_number() OVER (PARTITION BY pipeline, stream ORDER BY started_at DESC) AS age "
            "FROM stream_run) WHERE age = 1 ORDER BY pipeline, stream LIMIT ?",
        -1);
}

Result<std::vector<StreamRecord>> MetaStore::select(const std::string& sql, int64_t limit) {
    std::lock_guard lock(mutex_);
    SqliteStatement query(database_, sql);
    query.bind(limit);
    std::vector<StreamRecord> records;
    int step = query.step();
    for (; step == SQLITE_ROW; step = query.step()) {
        StreamRecord record;
        record.run_id = query.text(0);
        StreamProgress& progress = record.progress;
        progress.pipeline = query.text(1);
        progress.stream = query.text(2);
        progress.table = query.text(3);
        record.status = query.text(4);
        record.error = query.text(5);
        record.checkpoint = query.text(6);
        record.started_at = query.text(7);
        progress.rows_read = query.integer(8);
        progress.rows_written = query.integer(9);
        progress.rows_quarantined = query.integer(10);
        progress.bytes_read = query.integer(11);
        progress.warnings = query.integer(12);
        progress.retries = query.integer(13);
        progress.seconds = query.number(14);
        records.push_back(std::move(record));
    }
    if (step != SQLITE_DONE) return sqlite_error(database_, "read runs");
    return records;
}

}  // namespace shaduf
