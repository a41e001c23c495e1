#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

// The C handles of the engine; its header stays inside src/io.
struct _duckdb_database;
struct _duckdb_connection;

// The embedded engine, as a thin owner of its C API. DuckDbInstances -> DuckDbDatabase (a file or a memory, shared by
// all of the process) -> DuckDbConnection (one thread, one transaction). Errors keep the engine's own words; their kind
// is derived from its error type.
namespace shaduf {

class Cancellation;
class DuckDbAppend;
class DuckDbConnection;
class DuckDbRowQueue;
class DuckDbRowSource;
class DuckDbRowSources;

// `"name"`, with quotes inside doubled: the one way in which identifiers reach SQL.
std::string quote_identifier(std::string_view name);
// `'text'`, with quotes inside doubled.
std::string quote_literal(std::string_view text);
// `"schema"."table"`.
std::string quote_table(std::string_view schema, std::string_view table);
// The type as DDL of the engine writes it: BIGINT, DECIMAL(12,2), STRUCT("a" VARCHAR[]).
std::string duckdb_type_name(const DataType& type);

enum class DuckDbAccess : uint8_t { read_write, read_only };

struct DuckDbOptions {
    int threads = 0;                        // 0: as many as cores
    uint64_t memory_bytes = 128ULL << 20U;  // of the engine's buffers; more is spilled to `temp_directory`
    std::string temp_directory = {};        // "": beside the database
    DuckDbAccess access = DuckDbAccess::read_write;
    bool external_access = true;  // whether SQL may reach files and the network
    // Whether rows keep their order where no ORDER BY stands; if so, one thread inserts at a time.
    bool keep_order = true;
    bool memory_grows = false;  // with the columns that are loaded, see DuckDbDatabase::begin_load
    bool threads_grow = false;  // to two, see DuckDbDatabase::take_second_thread
    // Of files that are created: the oldest engine that must read them ("v1.3.0"); "": what the engine takes itself.
    std::string storage_version = {};
};

// One open database. Thread-safe.
class DuckDbDatabase {
public:
    ~DuckDbDatabase();
    DuckDbDatabase(const DuckDbDatabase&) = delete;
    DuckDbDatabase& operator=(const DuckDbDatabase&) = delete;

    const std::string& path() const { return path_; }
    // `cancellation` interrupts what the connection runs, and outlives it.
    Result<std::unique_ptr<DuckDbConnection>> connect(const Cancellation& cancellation);

    // Guards short transactions on tables that all streams share.
    std::mutex& shared_tables() { return shared_tables_; }

    // Claims a name (a table, a stream) until the Claim goes away; nullptr when somebody of this process has it. Other
    // processes are kept out by the engine's lock on the file.
    class Claim {
    public:
        Claim(DuckDbDatabase& database, std::string name) : database_(database), name_(std::move(name)) {}
        ~Claim();
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

    private:
        DuckDbDatabase& database_;
        std::string name_;
    };
    std::unique_ptr<Claim> claim(const std::string& name);

    // The columns of a table that is written to, until the Load goes away. For each column the engine holds blocks in
    // memory that it cannot spill, so with many of them its memory limit is raised.
    class Load {
    public:
        Load(DuckDbDatabase& database, size_t columns) : database_(database), columns_(columns) {}
        ~Load();
        Load(const Load&) = delete;
        Load& operator=(const Load&) = delete;

    private:
        DuckDbDatabase& database_;
        size_t columns_;
    };
    std::unique_ptr<Load> begin_load(size_t columns);
    // Gives the engine a second thread where the columns of all loads are few. It keeps it: to take one away, the
    // engine waits until that one's work has ended.
    void take_second_thread();

private:
    friend class DuckDbInstances;
    DuckDbDatabase(std::string path, _duckdb_database* handle, const DuckDbOptions& options);
    void set_memory_limit();

    std::string path_;
    _duckdb_database* handle_;
    const DuckDbOptions options_;
    std::mutex loads_mutex_;
    size_t columns_ = 0;  // of all loads
    int threads_ = 0;
    std::unique_ptr<DuckDbRowSources> row_sources_;
    std::mutex shared_tables_;
    std::mutex claims_mutex_;
    std::set<std::string> claims_;
};

// The open databases of a process, by canonical path, so that all who use a file share one engine (a second one on the
// same file would corrupt it). A database is closed when its last user lets go. Nothing is opened before it is asked
// for. Outlives the databases. Thread-safe.
class DuckDbInstances {
public:
    DuckDbInstances();
    ~DuckDbInstances();

    // Creates the file when it is not there (not its folder; not with read_only). The options count for the first who
    // opens it. conflict: another process has it, which is named. invalid_config: the file is no database, or of a
    // storage version that this engine cannot read; it is left as it is.
    Result<std::shared_ptr<DuckDbDatabase>> open(const std::string& path, const DuckDbOptions& options);
    // A database of its own for each call, gone with its last user.
    Result<std::shared_ptr<DuckDbDatabase>> open_in_memory(const DuckDbOptions& options);

private:
    struct Entry {
        std::weak_ptr<DuckDbDatabase> database;
        bool is_open = false;  // stays set while the last user's database closes
    };
    std::mutex mutex_;
    std::condition_variable closed_;
    std::map<std::string, Entry> entries_;
};

struct DuckDbAppendLimits {
    size_t bytes_max;    // of rows that wait for the engine, or one batch that is larger
    size_t threads_max;  // of the engine's, each of which fills a row group of its own
};

using DuckDbValue = std::variant<std::monostate, bool, int64_t, double, std::string>;
using DuckDbValues = std::vector<DuckDbValue>;

// A result on its way, batch by batch, so that its size does not matter. The connection is busy until it goes away.
class DuckDbCursor {
public:
    virtual ~DuckDbCursor() = default;
    virtual const SchemaPtr& schema() const = 0;
    // At most `rows_max` of open_cursor (rounded up to the engine's vectors of 2048); nullopt at the end.
    virtual Result<std::optional<RecordBatch>> next() = 0;
};

// One thread at a time; outlived by its database. A transaction is opened and closed by SQL. The session's time zone is
// UTC. Everything ends with an error of kind canceled soon after cancellation; an open transaction is then void.
class DuckDbConnection {
public:
    ~DuckDbConnection();
    DuckDbConnection(const DuckDbConnection&) = delete;
    DuckDbConnection& operator=(const DuckDbConnection&) = delete;

    // Any number of statements when there are no values. Gives the number of rows changed by the last one.
    Result<int64_t> execute(const std::string& sql);
    Result<int64_t> execute(const std::string& sql, const DuckDbValues& values);
    // Runs a statement in which the last kRowsTable stands for `rows` (of `schema`), read in parallel and without a
    // copy of their values. It has one column more: kRowNumberColumn counts the rows from 0, in their order.
    static constexpr std::string_view kRowsTable = "$rows";
    static constexpr std::string_view kRowNumberColumn = "_shaduf_row";
    Result<int64_t> execute_over(const std::string& sql, const SchemaPtr& schema, std::span<const RecordBatch> rows);
    // The result of such a statement.
    Result<std::vector<RecordBatch>> query_over(const std::string& sql, const SchemaPtr& schema,
                                                std::span<const RecordBatch> rows);
    // Columns are matched by name; those of the table that `rows` lack become null or their default. `table` is quoted
    // already. One thread of the engine inserts, in order: of two, each would leave row groups half full behind each
    // statement, and the next checkpoint writes those anew.
    Result<int64_t> append(const std::string& table, const SchemaPtr& schema, std::span<const RecordBatch> rows);
    // The same as one statement that lasts until `finish`, on several threads of the engine and in any order. The
    // connection is busy until the object goes away.
    Result<std::unique_ptr<DuckDbAppend>> begin_append(const std::string& table, const SchemaPtr& schema,
                                                       const DuckDbAppendLimits& limits);

    // The whole result, in at least one batch: for results known to be small. Types without a place in ours come as
    // their text.
    Result<std::vector<RecordBatch>> query(const std::string& sql, const DuckDbValues& values = {});
    Result<std::unique_ptr<DuckDbCursor>> open_cursor(const std::string& sql, const DuckDbValues& values = {},
                                                      size_t rows_max = 64 << 10);
    Result<void> scan(const std::string& sql, const DuckDbValues& values,
                      const std::function<Result<void>(const RecordBatch&)>& each);
    // What a query would give, without running it.
    Result<SchemaPtr> describe(const std::string& sql);

private:
    friend class DuckDbAppend;
    friend class DuckDbDatabase;
    DuckDbConnection(_duckdb_connection* handle, DuckDbRowSources& row_sources, const Cancellation& cancellation);

    _duckdb_connection* handle_;
    DuckDbRowSources& row_sources_;
    const Cancellation& cancellation_;
};

// An INSERT on its way, fed by one thread. The engine fills whole row groups on each of its threads and writes them out
// at once, so any number of rows may come. Ended by `finish`; when it goes away before that, or after an error, the
// transaction holds some of the rows and must be rolled back.
class DuckDbAppend {
public:
    ~DuckDbAppend();
    DuckDbAppend(const DuckDbAppend&) = delete;
    DuckDbAppend& operator=(const DuckDbAppend&) = delete;

    // Blocks while the engine is behind. The statement's error, which may come some rows late.
    Result<void> write(RecordBatch rows);
    // Waits for the end; the number of rows inserted.
    Result<int64_t> finish();

private:
    friend class DuckDbConnection;
    DuckDbAppend(DuckDbConnection& connection, const std::string& table, const SchemaPtr& schema,
                 const DuckDbAppendLimits& limits);

    std::unique_ptr<DuckDbRowQueue> rows_;
    Result<int64_t> inserted_ = 0;  // the thread's until it was joined
    std::thread thread_;
};

}  // namespace shaduf
