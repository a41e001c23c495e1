#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/modes.h"
#include "config/options.h"
#include "data/row_decoder.h"
#include "data/type.h"

// One file of pipelines/ as typed values: checked, references replaced, defaults filled in. Plain data.
namespace shaduf {

// What happens to data that does not fit the table as it stands.
enum class ContractMode : uint8_t {
    evolve,          // add columns, widen types, never narrow
    freeze,          // stop with a diff
    discard_row,     // the row goes to quarantine
    discard_column,  // the value becomes null, the unknown field is left out
};
std::string_view to_string(ContractMode mode);

enum class ExpectKind : uint8_t {
    not_null,         // columns[0]
    unique,           // columns together; within the load, and against the table when it is the key
    accepted_values,  // columns[0] in values; null passes
    range,            // columns[0] between min and max, both included; null passes
    regex,            // columns[0] contains a match of pattern (RE2); null passes
    relationships,    // columns[0] is in to_table.to_column; null passes
    freshness,        // the newest columns[0] of the load is at most age_max old; judged at the end
    row_count,        // rows of the load; judged at the end
    expression,       // a boolean SQL expression in DuckDB's dialect; null passes
};
std::string_view to_string(ExpectKind kind);

enum class ExpectSeverity : uint8_t {
    error,  // the row goes to quarantine (freshness, row_count: the stream fails, nothing more is committed)
    warn,   // the row is kept, and counted
    fatal,  // the stream stops; nothing is committed
};

struct ExpectConfig {
    ExpectKind kind = ExpectKind::expression;
    std::string name;  // as given, or made: "not_null(ad_id)", "impressions >= 0"; the reason in quarantine
    std::vector<std::string> columns;
    std::vector<std::string> values;  // accepted_values, as text
    std::optional<std::string> min;   // range: a number, date or timestamp as text
    std::optional<std::string> max;
    std::string pattern;
    std::string to_schema;  // relationships; "" is the pipeline's
    std::string to_table;
    std::string to_column;
    std::chrono::milliseconds age_max{0};
    std::optional<int64_t> rows_min;  // row_count
    std::optional<int64_t> rows_max;
    std::string expression;
    ExpectSeverity severity = ExpectSeverity::error;
    // Thresholds on the rows that fail: more than that many, or than that share of the rows read, and the stream stops
    // as if the severity were fatal. The share is judged at the end, and before each commit once 1,000 rows were read.
    std::optional<int64_t> failed_rows_max;    // max_rows
    std::optional<double> failed_percent_max;  // max_percent
    Place place;
};

enum class PolicyKind : uint8_t {
    drop,      // the column never reaches the sink
    hash,      // HMAC-SHA-256 of the value's text with `key`, in hex
    mask,      // all but keep_first and keep_last characters become mask_character
    truncate,  // the first `length` characters; of dates and timestamps, down to `unit`
    tokenize,  // deterministic encryption with `key` (AES-SIV): equal values get equal tokens, the key reads them again
};
std::string_view to_string(PolicyKind kind);

struct PolicyConfig {
    std::string column;
    PolicyKind kind = PolicyKind::drop;
    std::string key;  // hash, tokenize; a secret, never empty there
    int64_t keep_first = 0;
    int64_t keep_last = 0;
    std::string mask_character = "*";
    int64_t length = 0;
    std::string unit;  // truncate: "", year, month, day, hour
    Place place;
};

struct ColumnConfig {
    std::string name;
    std::vector<std::string> path;  // the keys that lead to it; of CSV, the header name
    std::optional<DataType> type;   // nullopt: inferred
    Place place;
};

struct CommitEvery {
    int64_t rows = 0;                       // 0: no such limit
    std::chrono::milliseconds duration{0};  // 0: no such limit
};

// A named connection of shaduf.yml, or one written inside a pipeline ("<pipeline>.source", "<pipeline>.sink").
struct ConnectionConfig {
    std::string name;
    std::string type;  // of a ConnectorSpec
    Options options;   // by its `fields`
    Place place;
};
using ConnectionPtr = std::shared_ptr<const ConnectionConfig>;

struct StreamConfig {
    std::string name;
    ReadMode mode = ReadMode::full_refresh;
    // Unless given: replace for full_refresh; merge with a key, else append, for the others.
    WriteMode write = WriteMode::replace;
    std::string schema;  // may be empty: the sink's default
    std::string table;   // unless given, the stream's name
    std::vector<std::string> key;
    std::string order_by;
    ContractMode contract = ContractMode::evolve;
    Nesting nesting = Nesting::flatten;
    std::vector<ColumnConfig> columns;
    bool keep_unlisted = true;  // fields that `columns` does not name are kept; false when columns are listed
    std::vector<ExpectConfig> expect;
    std::vector<PolicyConfig> policies;
    CommitEvery commit_every;
    int64_t sample_rows = 1000;  // that types are inferred from
    Options source_options;      // by the source's `stream_fields`
    Options table_options;       // by the sink's `table_fields`
    Place place;
};

struct PipelineConfig {
    std::string name;  // of the file, without .yml
    ConnectionPtr source;
    ConnectionPtr sink;
    std::string schedule;  // five cron fields, or ""
    std::vector<StreamConfig> streams;
    Place place;
};

}  // namespace shaduf
