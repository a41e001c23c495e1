#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/builder.h"

struct _duckdb_arrow_converted_schema;
struct _duckdb_connection;
struct _duckdb_data_chunk;
struct _duckdb_database;
struct _duckdb_logical_type;
struct _duckdb_vector;

// What the files of the engine's wrapper share with each other and with nobody else.
namespace shaduf {

class DuckDbConnection;

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

// Batches that a statement reads as a table. Lives as long as the statement runs.
class DuckDbRowSource {
public:
    explicit DuckDbRowSource(SchemaPtr schema) : schema_(std::move(schema)) {}
    // REQUIRES: no statement reads it now; the rows stay until the next call.
    void set_rows(std::span<const RecordBatch> rows);

    const SchemaPtr& schema() const { return schema_; }
    int64_t row_count() const { return row_count_; }
    struct Slice {
        const RecordBatch* batch;
        size_t first;
        size_t length;
        int64_t row;  // of all rows
    };
    // The next part that nobody took yet; nullptr at the end. Thread-safe.
    const Slice* next_slice();

private:
    SchemaPtr schema_;
    std::vector<Slice> slices_;
    std::atomic<size_t> next_{0};
    int64_t row_count_ = 0;
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
