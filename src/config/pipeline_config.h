#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "config/modes.h"
#include "config/options.h"
#include "data/row_decoder.h"
#include "data/type.h"

// A file of pipelines/ as typed values: what the runner (src/pipeline) is told to do. Plain data, read once.
namespace shaduf {

// What happens when the data does not have the form that the table has.
enum class ContractMode : uint8_t {
    evolve,          // the table gains columns and wider types, it never loses or narrows one
    freeze,          // the run stops and shows the difference
    discard_row,     // the row goes to quarantine
    discard_column,  // the value becomes null, the unknown field is left out
};

// `columns: {user_id: user_identifiers.id, day: {from: timestamp, type: date}}`
struct ColumnConfig {
    std::string name;
    std::vector<std::string> path;  // keys, outermost first; default: the name
    std::optional<DataType> type;   // nullopt: as found in the data
    Place place;
};

enum class ExpectSeverity : uint8_t {
    error,  // rows that fail go to quarantine
    warn,   // rows pass, the run says how many failed
    fatal,  // the run stops and nothing of it is committed
};

// When failures become more than what the severity says: past either limit an `error` stops the run (what is committed
// stays), a `warn` is said at all, a `fatal` is fatal (below, its rows go to quarantine).
struct ExpectLimit {
    std::optional<int64_t> max_rows;
    std::optional<double> max_percent;  // of the rows of the load, 0 to 100; judged at its end
};

enum class ExpectKind : uint8_t {
    not_null,         // columns
    unique,           // columns, together one key: within the load, and against the table when rows are appended
    accepted_values,  // column, values
    range,            // column, min, max: both inclusive, either may be missing
    regex,            // column, pattern (RE2): must match somewhere in the text
    relationships,    // column, to_table, to_column: a value is null or stands there
    freshness,        // column, within: the newest value of the load is not older
    row_count,        // min, max: rows written by the load
    expression,       // a SQL boolean expression over the row's columns; null passes, as in a CHECK
};

struct ExpectConfig {
    ExpectKind kind;
    std::vector<std::string> columns;
    std::vector<std::string> values;  // accepted_values
    std::optional<std::string> min;   // as written; read along the column's type
    std::optional<std::string> max;
    std::string pattern;   // regex
    std::string to_table;  // relationships: of the same schema, or "schema.table"
    std::string to_column;
    std::chrono::milliseconds within{0};
    std::string expression;
    ExpectSeverity severity = ExpectSeverity::error;
    ExpectLimit limit;
    std::string text;  // as reasons name it: "not_null(ad_id)", "impressions >= 0"
    Place place;
};

// How many rows of a load may go to quarantine, for whatever reason; more stop it before they are committed.
struct QuarantineLimit {
    std::optional<int64_t> max_rows;
    std::optional<double> max_percent;  // of the rows read, 0 to 100
};

enum class PolicyKind : uint8_t {
    drop,      // the column does not reach the sink
    hash,      // HMAC-SHA-256 with the project's policy key, hexadecimal; null stays null
    mask,      // all but the last `keep` characters become '*'
    truncate,  // the first `keep` characters
    tokenize,  // deterministic encryption with the policy key (AES-SIV): equal values get equal tokens, and who has the
               // key can read them again
};

struct PolicyConfig {
    std::string column;
    PolicyKind kind;
    int64_t keep = 0;  // mask: characters left readable at the end; truncate: at the start
    Place place;
};

struct StreamConfig {
    std::string name;
    std::string table;  // default: the name
    ReadMode mode = ReadMode::full_refresh;
    // Default: what the source says of the stream; else full_refresh replaces; incremental and cdc merge when there is
    // a key, else append; stream appends.
    WriteMode write = WriteMode::replace;
    std::vector<std::string> key;
    std::string order_by;
    ContractMode contract = ContractMode::evolve;
    Nesting nested = Nesting::flatten;
    std::vector<ColumnConfig> columns;
    bool ignore_unlisted = false;  // `columns` given and no `unlisted: keep`
    std::vector<ExpectConfig> expect;
    std::vector<PolicyConfig> policies;
    QuarantineLimit quarantine;
    std::chrono::milliseconds commit_every{30'000};
    std::chrono::milliseconds restatements{0};  // how long what slices replaced is kept; 0: for ever
    int64_t retries = 5;                        // of one read that failed, beside the first try
    int64_t sample_rows = 1000;                 // that types are inferred from
    // The other keys of the stream: the connectors' own, checked.
    Options source_options;  // by the source's ConnectorSpec::stream_fields
    Options table_options;   // by the sink's ConnectorSpec::table_fields
    Place place;
};

// A named connection of shaduf.yml, or one written inside a pipeline.
struct ConnectionConfig {
    std::string name;
    std::string type;  // of a ConnectorSpec
    Options options;   // by its `fields`
    Place place;
};

// Of a pipeline with `via`, which is read as two: one from its source to the topics, and one from there to its sink.
enum class PipelineHalf : uint8_t { whole, producer, consumer };
// Behind the name of a pipeline: its half that writes the topics.
inline constexpr std::string_view kProducerSuffix = "@producer";

struct PipelineConfig {
    std::string name;   // `title`; that of the producer ends in kProducerSuffix
    std::string title;  // the file's name without .yml, by which the user calls it, and both halves
    PipelineHalf half = PipelineHalf::whole;
    std::string file;
    // Names in Project::connections; one written inside the pipeline is there as "<pipeline>.source",
    // "<pipeline>.sink", "<pipeline>.via".
    std::string source;
    std::string sink;
    std::string schema;    // of the tables; "" is the sink's default
    std::string schedule;  // cron, as written
    int64_t streams_parallel = 4;
    std::vector<StreamConfig> streams;
    uint64_t memory_bytes = 256'000'000;  // of all rows in flight
    Place place;
};

}  // namespace shaduf
