#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/builder.h"
#include "io/duckdb.h"

struct _duckdb_arrow_converted_schema;
struct _duckdb_connection;
struct _duckdb_data_chunk;
struct _duckdb_database;
struct _duckdb_logical_type;
struct _duckdb_vector;

// What the files of the engine's wrapper share with each other and with nobody else.
namespace shaduf {

// `type` is a duckdb_error_type.
Error duckdb_error(int type, std::string_view message);
// For calls that give only a text ("IO Error: Could not set lock ...").
Error duckdb_open_error(const std::string& path, std::string_view message);

// A type of the engine as ours; nullopt where only its text would do (INTERVAL, UNION, TIMETZ, BIT ...).
std::optional<DataType> type_of_logical(_duckdb_logical_type* type);
// To be destroyed by the caller.
_duckdb_logical_type* logical_of_type(const DataType& type);

// Appends all rows of a chunk, whose vectors are flat. REQUIRES: the chunk's types were mapped by type_of_logical.
void append_chunk(_duckdb_data_chunk* chunk, RecordBatchBuilder& to);

constexpr size_t kAnyThreads = 64;

// Rows that a statement reads as a table. Lives as long as the statement runs.
class DuckDbRowSource {
public:
    struct Slice {
        std::shared_ptr<const RecordBatch> batch;
        size_t first;
        size_t length;  // at most one vector of the engine
        int64_t row;    // of all rows
    };

    DuckDbRowSource(SchemaPtr schema, size_t threads_max) : schema_(std::move(schema)), threads_max_(threads_max) {}
    virtual ~DuckDbRowSource() = default;
    DuckDbRowSource(const DuckDbRowSource&) = delete;
    DuckDbRowSource& operator=(const DuckDbRowSource&) = delete;

    const SchemaPtr& schema() const { return schema_; }
    // Threads of the engine that may take slices; the engine has no more than it was opened with.
    size_t threads_max() const { return threads_max_; }
    // nullopt: not known yet.
    virtual std::optional<int64_t> row_count() const = 0;
    // The next part that nobody took yet; nullopt at the end. Thread-safe, may block. An error ends the statement.
    virtual Result<std::optional<Slice>> next_slice() = 0;

private:
    const SchemaPtr schema_;
    const size_t threads_max_;
};

// Rows that are there already; they must outlive it.
class DuckDbGivenRows final : public DuckDbRowSource {
public:
    DuckDbGivenRows(SchemaPtr schema, std::span<const RecordBatch> rows, size_t threads_max);

    std::optional<int64_t> row_count() const override { return row_count_; }
    Result<std::optional<Slice>> next_slice() override;

private:
    std::vector<Slice> slices_;
    std::atomic<size_t> next_{0};
    int64_t row_count_ = 0;
};

// Rows that come while the statement runs: one thread pushes, the engine's pull.
class DuckDbRowQueue final : public DuckDbRowSource {
public:
    DuckDbRowQueue(SchemaPtr schema, const DuckDbAppendLimits& limits);

    // Blocks while full. False: aborted, the rows were not taken.
    bool push(RecordBatch rows);
    // No more rows come; those that wait are still taken.
    void close();
    // Ends the statement with an error and whoever waits in `push`.
    void abort();

    std::optional<int64_t> row_count() const override { return std::nullopt; }
    Result<std::optional<Slice>> next_slice() override;

private:
    struct Waiting {
        std::shared_ptr<const RecordBatch> batch;
        size_t bytes;
    };
    const size_t bytes_max_;
    std::mutex mutex_;
    std::condition_variable not_full_;
    std::condition_variable not_empty_;
    std::deque<Waiting> waiting_;
    size_t bytes_ = 0;
    size_t taken_ = 0;  // rows of the first one that waits
    int64_t row_ = 0;
    bool closed_ = false;
    bool aborted_ = false;
};

// The table function shaduf_rows(id) of one database, which reads the source of that id; one column more,
// kRowNumberColumn, counts its rows. Thread-safe.
class DuckDbRowSources {
public:
    static Result<std::unique_ptr<DuckDbRowSources>> create(_duckdb_database* database);
    ~DuckDbRowSources();

    class Registration {
    public:
        Registration(DuckDbRowSources& sources, int64_t id) : sources_(sources), id_(id) {}
        ~Registration();
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        std::string sql() const;  // the call to write into a statement

    private:
        DuckDbRowSources& sources_;
        int64_t id_;
    };
    Registration add(DuckDbRowSource& source);
    DuckDbRowSource* find(int64_t id);
    _duckdb_connection* connection() const { return connection_; }

private:
    explicit DuckDbRowSources(_duckdb_connection* connection) : connection_(connection) {}
    _duckdb_connection* connection_;  // for conversions only
    std::mutex mutex_;
    std::map<int64_t, DuckDbRowSource*> sources_;
    int64_t next_id_ = 1;
};

}  // namespace shaduf
