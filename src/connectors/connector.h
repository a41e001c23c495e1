#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "base/run_context.h"
#include "base/strong.h"
#include "config/modes.h"
#include "config/options.h"
#include "config/stream_defaults.h"
#include "data/batch.h"
#include "data/encoded_rows.h"
#include "data/raw_rows.h"
#include "data/row_decoder.h"
#include "data/system_columns.h"

// The contracts between the runner (src/pipeline) and the systems (src/connectors/<system>.cc). This is the only file
// of the folder that anyone outside includes. The life of a row: Source::read -> ReadBatch -> contract, expectations,
// policies (the runner) -> Sink::write -> Sink::commit -> Source::acknowledge.
namespace shaduf {

// A source's position, opaque to all others: the source writes it and reads it again in a later run. UTF-8, at most 1
// MiB.
using Checkpoint = Strong<std::string, struct CheckpointTag>;

// ----------------------------------------------------------------------------------------------------------------
// source

// What the stream's policies did to rows before they came to lie in quarantine. Names of columns in lower case.
struct Treated {
    std::map<std::string, std::vector<std::string>> columns;  // changed already, with the path to the value in the row
    std::set<std::string> withheld;                           // taken out, since the policy could not be applied
};

// A part of a table that is replaced as a whole: the rows whose columns have these values.
struct TableSlice {
    std::vector<std::pair<std::string, std::string>> equal;  // column (of text) and its value
    std::string day_column;                                  // of type date; "": no days
    int32_t first_day = 0;                                   // since 1970-01-01; both ends belong to it
    int32_t last_day = 0;

    bool operator==(const TableSlice&) const = default;
};

struct ReadBatch {
    // May have no row, to carry a checkpoint alone, or (a RecordBatch) to tell the columns of a stream that has no
    // rows.
    std::variant<RawRows, RecordBatch, std::shared_ptr<const EncodedRows>> rows;
    // The position behind these rows. nullopt: the stream cannot be resumed here, nothing is committed up to here
    // alone.
    std::optional<Checkpoint> next;
    // Where the rows of a RecordBatch came from, for quarantine and errors (RawRows say it themselves).
    std::string place;
    // Of rows that come back from quarantine: all rows of the batch alike. nullptr for all others.
    std::shared_ptr<const Treated> treated = nullptr;
    // Rows of a RecordBatch, ascending, that hold something which its types do not; they go to quarantine. They stand
    // in `rows` with null in that place.
    std::vector<RejectedRow> rejected = {};
    // What these rows are a part of. All batches of a slice have the same pointer and come one behind the other; the
    // last one, which may have no row, has `next`. nullptr: the stream has no slices.
    std::shared_ptr<const TableSlice> slice = nullptr;
    // Of a SharedSource, in a batch without rows: the runner commits all that came before, and calls `resume_at` with
    // what the sink then holds before it reads on.
    bool settles = false;

    size_t row_count() const;
    size_t byte_size() const;
    std::string position(size_t row) const;  // as the quarantine names it
};

inline size_t ReadBatch::row_count() const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->rows.size();
    if (const auto* typed = std::get_if<RecordBatch>(&rows)) return typed->rows();
    return std::get<std::shared_ptr<const EncodedRows>>(rows)->rows();
}

inline size_t ReadBatch::byte_size() const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->byte_size();
    if (const auto* typed = std::get_if<RecordBatch>(&rows)) return typed->byte_size();
    return std::get<std::shared_ptr<const EncodedRows>>(rows)->byte_size();
}

inline std::string ReadBatch::position(size_t row) const {
    if (const auto* raw = std::get_if<RawRows>(&rows)) return raw->position(row);
    const auto* encoded = std::get_if<std::shared_ptr<const EncodedRows>>(&rows);
    return encoded != nullptr ? (*encoded)->position(row) : place;
}

// Reads one stream of an external system. One thread at a time; open once, then read until nullopt or an error that may
// not be retried. The runner keeps that order, retries, backs off and counts: a source does none of it. So `read` and
// `open`, when they fail with an error that may be retried, leave the source such that the same call can be made again
// and goes on as if the first had not happened. Every wait goes through `run` and ends within a second of cancellation.
class Source {
public:
    virtual ~Source() = default;
    // Seeks to `resume_from`, the checkpoint that the sink holds; nullopt on a first run, and when a full refresh
    // begins anew.
    virtual Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) = 0;
    // Blocks until rows are there (aim at 1 to 8 MB at once). nullopt: the stream has ended.
    virtual Result<std::optional<ReadBatch>> read(RunContext& run) = 0;
    // Rows before `checkpoint` are durable and so is `checkpoint`: upstream may forget them. Called between reads.
    virtual Result<void> acknowledge(RunContext& run, const Checkpoint& checkpoint) {
        (void)run;
        (void)checkpoint;
        return {};
    }
};

// Optional power of a source, asked for by dynamic_cast: several processes may read the stream at the same time, each
// other parts of it (partitions of a consumer group), and parts change hands while they do. Its checkpoints are in
// parts (connectors/parts/checkpoint_parts.h), and so only those parts stand in them that this process has. When parts
// come or go it gives a batch that `settles`.
class SharedSource {
public:
    virtual ~SharedSource() = default;
    // Behind a batch that settles, by the reader's thread: all rows given so far are committed, and `stands` is what
    // the sink holds of all parts, whoever has read them. Goes on from there.
    virtual Result<void> resume_at(RunContext& run, const std::optional<Checkpoint>& stands) = 0;
};

// Optional power of a source, asked for by dynamic_cast: its rows may be CSV, whose text says little by itself. Needs
// no `open`.
class RawTextReader {
public:
    virtual ~RawTextReader() = default;
    // How the text of a row from `place` (RawRows::place) is to be read; nullptr: as JSON. bad_data when that can no
    // longer be told.
    virtual Result<std::shared_ptr<const CsvDialect>> dialect_of(RunContext& run, const std::string& place) = 0;
};

// Optional power of a source, asked for by dynamic_cast once it is open: it was told which columns its text rows have,
// before any came. Columns that the user lists, and wider types that the rows turn out to need, go before.
class ColumnTeller {
public:
    virtual ~ColumnTeller() = default;
    virtual std::vector<ShapeColumn> known_columns() const = 0;
};

// Optional power of a source, asked for by dynamic_cast: it hands on what was turned away, with its reason, to where
// its owner looks for it. Called by the writer's thread while another reads, before the commit that quarantines the
// rows: so each is handed on at least once.
struct RejectedMessage {
    std::string position;  // ReadBatch::position
    std::string reason;    // as the quarantine has it
};
class DeadLetters {
public:
    virtual ~DeadLetters() = default;
    virtual Result<void> hand_on(RunContext& run, std::span<const RejectedMessage> rejected) = 0;
};

// What `discover` tells of a stream.
struct StreamInfo {
    std::string name;
    std::optional<Schema> schema;  // nullopt: known only from the data
    std::vector<std::string> key;
    std::string cursor_field;
    std::vector<ReadMode> modes;
};

// What `shaduf import` makes of a stream that another tool was told to read.
struct ImportedStream {
    std::string name;
    ReadMode read = ReadMode::full_refresh;
    WriteMode write = WriteMode::replace;
    std::vector<std::string> key;
    std::string cursor_field;  // of the option of that name
    std::optional<Checkpoint> checkpoint;
    std::string note;  // what of it could not be carried over; "": nothing
};

// What a source gets of one stream of a pipeline.
struct StreamRequest {
    std::string connection;  // its name, for errors
    std::string stream;
    ReadMode mode = ReadMode::full_refresh;
    Options options;            // the stream's own, by ConnectorSpec::stream_fields
    std::string pipeline = {};  // its name
    // The options of all streams of the pipeline, by name: a stream may be told in terms of another one.
    std::vector<std::pair<std::string, Options>> pipeline_streams = {};
};

// ------------------------------------------------------------------------------------------------------------------
// sink

struct TableTarget {
    std::string connection;  // its name, for errors
    std::string pipeline;    // pipeline and stream name the checkpoint
    std::string stream;
    std::string schema;  // may be empty: the sink's default
    std::string table;
    WriteMode mode = WriteMode::append;
    std::vector<std::string> key;  // merge, history
    std::string order_by;  // merge, history: a column; of two rows of a key the one with more of it wins. May be empty
    Options options;       // the stream's own, by ConnectorSpec::table_fields
    std::string run_id;    // as kRunIdColumn has it
    std::chrono::milliseconds restatements{0};  // slices: how long what was replaced is kept; 0: for ever
    bool keeps_restatements = true;             // slices: false when old answers are read again, which says nothing new
    // Other processes write the table as well, each from other parts of the stream. A checkpoint given to `commit` is
    // of the parts that this process has read: they are set where the sink holds what it held before for each of them,
    // all others stay. Where it does not, another process was faster, and `commit` is a `conflict` that changes
    // nothing.
    bool shared = false;
    uint64_t memory_bytes = 64 << 20;  // that the sink may hold for this stream besides the batches in flight
};

struct SinkState {
    // Committed last, with its rows. In replace mode: of a load that was begun and not finished, else nullopt.
    std::optional<Checkpoint> checkpoint;
    // The table as it stands, with the `_shaduf_` columns; nullopt when there is none (replace mode: the one being
    // built).
    std::optional<Schema> table;
};

struct WriteReport {
    size_t rows_written = 0;
    std::vector<RejectedRow> rejected;  // rows of the batch that the table cannot hold; the others are written
};

enum class CommitKind : uint8_t {
    interim,  // more may come
    // The stream has ended: in replace mode the new table takes the old one's place. Where nothing was prepared,
    // nothing came: then the old table, if there is one, stays without its rows.
    final,
};

// Writes one table and, in the same transaction, what was rejected and the checkpoint. One thread at a time; open once;
// then prepare, write, quarantine, commit in any number, a prepare before the first write. What is not committed when
// the object goes away never becomes visible. A sink retries what is safe to repeat in its own protocol; any error it
// returns ends the run of the stream (the next run starts from the last commit).
class Sink {
public:
    virtual ~Sink() = default;
    // Recovers what an earlier run left half-done. `conflict` when another process writes the same table.
    virtual Result<SinkState> open(RunContext& run) = 0;
    // Creates the table, or adds columns and widens types: `schema` always fits what was prepared before, and what
    // `open` returned. invalid_config when the sink cannot: say that `contract: freeze` is the way.
    virtual Result<void> prepare(RunContext& run, const SchemaPtr& schema) = 0;
    // `rows` has exactly the schema prepared last.
    virtual Result<WriteReport> write(RunContext& run, const RecordBatch& rows) = 0;
    // WriteMode::slices: the rows that come from here on are all there is of `slice`, up to the next call or the
    // commit; what the table has of it and the rows have not goes with that commit. Before the first `prepare` as well.
    virtual Result<void> begin_slice(RunContext& run, const TableSlice& slice) {
        (void)run;
        (void)slice;
        return Error(ErrorKind::invalid_config,
                     "sink cannot replace slices; write to duckdb or postgres, or set mode: full_refresh");
    }
    // Rows for the table kQuarantineTable, of quarantine_schema().
    virtual Result<void> quarantine(RunContext& run, const RecordBatch& rows) = 0;
    // TableTarget::shared, behind a commit: the checkpoint of all parts as it stands now, whoever has set it.
    virtual Result<std::optional<Checkpoint>> refresh(RunContext& run) {
        (void)run;
        return Error(ErrorKind::invalid_config,
                     "sink cannot be shared by several processes; write to files or postgres, or read with "
                     "mode: incremental");
    }
    // All since the last commit and `checkpoint` become durable and visible together, or not at all. nullopt: there is
    // no checkpoint behind these rows, the one that stands is forgotten (a full refresh has ended).
    virtual Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind) = 0;
};

// Optional powers of a sink's connection, asked for by dynamic_cast on what ConnectorSpec::make_store returns.
struct CheckpointEntry {
    std::string pipeline;
    std::string stream;
    Checkpoint checkpoint;
    std::string committed_at;  // ISO 8601
};
class CheckpointStore {
public:
    virtual ~CheckpointStore() = default;
    virtual Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) = 0;
    // Sets, or with nullopt forgets, the checkpoint of one stream. `conflict` while a run has the table.
    virtual Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                        const std::optional<Checkpoint>& checkpoint) = 0;
};
struct QuarantineFilter {
    std::string pipeline;          // "" is any
    std::string stream;            // "" is any
    std::vector<std::string> ids;  // empty is any
    int64_t limit = 0;             // 0: all
};
class QuarantineStore {
public:
    virtual ~QuarantineStore() = default;
    virtual Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) = 0;
    virtual Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) = 0;
};
// Lets expectations look into what is there already.
class TableReader {
public:
    virtual ~TableReader() = default;
    // Runs a query in the system's own SQL; the result is bounded by what the caller asks for.
    virtual Result<std::vector<RecordBatch>> query(RunContext& run, const std::string& sql) = 0;
    // Distinct values of `columns` of `schema.table`, batch by batch; nullptr at the end.
    virtual Result<void> scan_columns(RunContext& run, const std::string& schema, const std::string& table,
                                      const std::vector<std::string>& columns,
                                      const std::function<Result<void>(const RecordBatch&)>& each) = 0;
};
// Joins the small files of a table's folders into larger ones, while others read and write it.
struct CompactRequest {
    std::string table;                    // "schema/table" or "table"
    uint64_t below = 64'000'000;          // bytes: only files that are smaller
    uint64_t to = 256'000'000;            // bytes of a joined file, about
    std::vector<std::string> partitions;  // folders, "event_date=2026-01-02"; empty is any
    std::chrono::milliseconds older_than{0};
    std::chrono::milliseconds keep{std::chrono::hours(1)};  // how long the files that were joined stay for readers
    bool dry_run = false;
};
struct CompactReport {
    struct Joined {
        std::string folder;
        size_t files = 0;  // that became one
        int64_t rows = 0;
        int64_t bytes_before = 0;
        int64_t bytes_after = 0;  // dry_run: 0
    };
    std::vector<Joined> joined;
    int64_t removed = 0;  // files that were joined earlier, and whose time had come
};
class TableCompactor {
public:
    virtual ~TableCompactor() = default;
    // invalid_config when there is no such table.
    virtual Result<CompactReport> compact(RunContext& run, const CompactRequest& request) = 0;
};
class Store {
public:
    virtual ~Store() = default;
    virtual TableCompactor* compactor() { return nullptr; }
    virtual CheckpointStore* checkpoints() { return nullptr; }
    virtual QuarantineStore* quarantine() { return nullptr; }
    virtual TableReader* reader() { return nullptr; }
};

// ------------------------------------------------------------------------------------------------------------------
// spec

// What a system offers, standing at the end of its file as `extern const ConnectorSpec connector_<file name>`.
// What of an archive of raw answers is loaded again; days since 1970-01-01, both ends belong to it.
struct ReplayRange {
    std::optional<int32_t> first_day;
    std::optional<int32_t> last_day;
};

// Functions it does not have are null.
struct ConnectorSpec {
    std::string_view name;
    std::string_view summary;                       // one sentence
    std::span<const FieldSpec> fields = {};         // of a connection
    std::span<const FieldSpec> stream_fields = {};  // of a stream read from it
    std::span<const FieldSpec> table_fields = {};   // of a stream written to it
    // How a stream is read and written where the user does not say; nullptr: as for every source.
    StreamDefaults (*stream_defaults)(std::string_view stream, const Options& stream_options) = nullptr;
    // Whether several processes may read the stream at once (SharedSource); nullptr: never.
    bool (*is_shared)(const StreamRequest& stream) = nullptr;
    // Reaches the system with the credentials given.
    Result<void> (*check)(RunContext&, const std::string& connection, const Options& options) = nullptr;
    // The streams that can be read. Those that exist only by declaration in a pipeline are not known here.
    Result<std::vector<StreamInfo>> (*discover)(RunContext&, const std::string& connection,
                                                const Options& options) = nullptr;
    // The texts of the other tool's catalog and state (may be empty), whose form is this system's.
    Result<std::vector<ImportedStream>> (*import_streams)(std::string_view catalog, std::string_view state) = nullptr;
    Result<std::unique_ptr<Source>> (*make_source)(const Options& options, const StreamRequest& stream) = nullptr;
    // Reads the same rows out of the archive of raw answers, without a call to the system; for rows of reports by
    // slices.
    Result<std::unique_ptr<Source>> (*make_replay_source)(const Options& options, const StreamRequest& stream,
                                                          const ReplayRange& range) = nullptr;
    Result<std::unique_ptr<Sink>> (*make_sink)(const Options& options, const TableTarget& table) = nullptr;
    // Checkpoints, quarantine and queries outside a run.
    Result<std::unique_ptr<Store>> (*make_store)(const Options& options, const std::string& connection) = nullptr;
};

// One spec a file of src/connectors, listed by the build.
Registry<ConnectorSpec> builtin_connectors();

}  // namespace shaduf
