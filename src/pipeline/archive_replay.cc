#include "pipeline/archive_replay.h"

#include <algorithm>

#include "base/text.h"
#include "io/duckdb.h"
#include "pipeline/contract.h"
#include "pipeline/job_factory.h"
#include "pipeline/lease.h"

namespace shaduf {
namespace {

constexpr std::string_view kCheckpointSuffix = "~archive";

// Takes rows and keeps none.
class DrySink final : public Sink {
public:
    DrySink(std::optional<Schema> table, SchemaPtr& prepared) : table_(std::move(table)), prepared_(prepared) {}

    Result<SinkState> open(RunContext&) override { return SinkState{std::nullopt, table_}; }
    Result<void> prepare(RunContext&, const SchemaPtr& schema) override {
        prepared_ = schema;
        return {};
    }
    Result<WriteReport> write(RunContext&, const RecordBatch& rows) override {
        WriteReport report;
        report.rows_written = rows.rows();
        return report;
    }
    Result<void> begin_slice(RunContext&, const TableSlice&) override { return {}; }
    Result<void> quarantine(RunContext&, const RecordBatch&) override { return {}; }
    Result<void> commit(RunContext&, const std::optional<Checkpoint>&, CommitKind) override { return {}; }

private:
    const std::optional<Schema> table_;
    SchemaPtr& prepared_;
};

// Both ends of a replay, and what its job is made of.
struct Ends {
    const StreamConfig& stream;
    Side source;
    Side sink;
    std::string run_id;
};

Result<Ends> find_ends(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                       const Registry<ConnectorSpec>& connectors, const std::string& name) {
    const StreamConfig& stream = *TRY(find_stream(pipeline, name));
    Ends ends{stream, TRY(find_source(project, connectors, pipeline.source)),
              TRY(find_sink(project, connectors, pipeline.sink)), make_run_id(run.clock)};
    if (ends.source.spec->make_replay_source != nullptr) return ends;
    return Error(ErrorKind::invalid_config, "source keeps no raw answers that could be replayed: " + pipeline.source +
                                                "; rows in quarantine are replayed by shaduf quarantine replay")
        .at(stream.place);
}

Result<StreamJob> job_of(const Project& project, const PipelineConfig& pipeline, const Ends& ends,
                         const ReplayRange& range) {
    const bool merges = ends.stream.write == WriteMode::merge || ends.stream.write == WriteMode::history;
    const JobRequest request{.pipeline = pipeline,
                             .stream = ends.stream,
                             .sink = ends.sink,
                             .run_id = ends.run_id,
                             .policy_key = project.policy_key,
                             .checkpoint_name = ends.stream.name + std::string(kCheckpointSuffix),
                             .write = merges ? ends.stream.write : WriteMode::slices,
                             .keeps_restatements = false};
    StreamJob job = TRY(make_job(request));
    job.read = ReadMode::incremental;
    const StreamRequest wanted = request_of(pipeline, ends.stream, ReadMode::incremental);
    job.source = TRY(ends.source.spec->make_replay_source(ends.source.connection->options, wanted, range));
    return job;
}

std::unique_ptr<Store> store_of(const Ends& ends, const PipelineConfig& pipeline) {
    if (ends.sink.spec->make_store == nullptr) return nullptr;
    auto store = ends.sink.spec->make_store(ends.sink.connection->options, pipeline.sink);
    return store.ok() ? store.release_value() : nullptr;
}

// nullopt: there is none, or it cannot be looked at.
std::optional<Schema> table_of(RunContext& run, const Ends& ends, const PipelineConfig& pipeline) {
    const auto store = store_of(ends, pipeline);
    if (store == nullptr || store->reader() == nullptr) return std::nullopt;
    const std::string& name = ends.stream.table;
    const std::string table = pipeline.schema.empty() ? quote_identifier(name) : quote_table(pipeline.schema, name);
    const auto rows = store->reader()->query(run, "SELECT * FROM " + table + " LIMIT 1");
    if (!rows.ok() || rows.value().empty()) return std::nullopt;
    return *rows.value().front().schema();
}

}  // namespace

Result<StreamResult> replay_archive(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                    const Registry<ConnectorSpec>& connectors, const std::string& stream,
                                    const ReplayRange& range) {
    const Ends ends = TRY(find_ends(run, project, pipeline, connectors, stream));
    const Lease lease = TRY(Lease::take(project.folder + "/.shaduf/locks", pipeline.name));
    StreamJob job = TRY(job_of(project, pipeline, ends, range));
    ByteBudget budget(MemoryShares::of(pipeline.memory_bytes).in_flight);
    StreamResult result = run_stream(run, std::move(job), budget);
    if (result.error) return result;
    const auto store = store_of(ends, pipeline);
    if (store != nullptr && store->checkpoints() != nullptr) {
        const std::string name = stream + std::string(kCheckpointSuffix);
        TRY(store->checkpoints()->set_checkpoint(run, pipeline.name, name, std::nullopt));
    }
    return result;
}

Result<ArchiveCheck> check_archive(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                   const Registry<ConnectorSpec>& connectors, const std::string& stream,
                                   const ReplayRange& range) {
    const Ends ends = TRY(find_ends(run, project, pipeline, connectors, stream));
    StreamJob job = TRY(job_of(project, pipeline, ends, range));
    const std::optional<Schema> table = table_of(run, ends, pipeline);
    SchemaPtr prepared;
    job.sink = std::make_unique<DrySink>(table, prepared);
    ByteBudget budget(MemoryShares::of(pipeline.memory_bytes).in_flight);
    ArchiveCheck check;
    check.result = run_stream(run, std::move(job), budget);
    if (table && prepared != nullptr) check.differences = schema_difference(*table, *prepared);
    return check;
}

}  // namespace shaduf
