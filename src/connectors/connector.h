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
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "base/run_context.h"
#include "config/modes.h"
#include "config/options.h"
#include "config/stream_defaults.h"
#include "connectors/read_batch.h"
#include "connectors/store.h"
#include "data/batch.h"
#include "data/row_decoder.h"
#include "data/system_columns.h"

// The contracts between the runner (src/pipeline) and the systems (src/connectors/<system>.cc), with read_batch.h and
// store.h, which it includes. Nobody outside includes any other file of the folder but parts/checkpoint_parts.h. The
// life of a row: Source::read -> ReadBatch -> contract, expectations, policies (the runner) -> Sink::write ->
// Sink::commit -> Source::acknowledge.
namespace shaduf {

// ----------------------------------------------------------------------------------------------------------------
// source

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
