#include "pipeline/job_factory.h"

#include <algorithm>
#include <thread>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr uint64_t kInFlightPercent = 10;
constexpr uint64_t kSinksPercent = 20;
constexpr uint64_t kKeysPercent = 15;
constexpr unsigned kWorkersMax = 8;

Result<Side> find_side(const Project& project, const Registry<ConnectorSpec>& connectors, const std::string& name,
                       const char* role, bool (*fits_role)(const ConnectorSpec&)) {
    const ConnectionConfig* connection = project.connection(name);
    if (connection == nullptr) {
        std::vector<std::string> known;
        for (const auto& [other, config] : project.connections) known.push_back(other);
        return Error(ErrorKind::invalid_config, "connection not found: " + name + did_you_mean(name, known));
    }
    const ConnectorSpec* spec = connectors.find(connection->type);
    if (spec != nullptr && fits_role(*spec)) return Side{spec, connection};
    return Error(ErrorKind::invalid_config,
                 "connection cannot be a " + std::string(role) + ": " + name + " is of type " + connection->type)
        .at(connection->place);
}

}  // namespace

Result<Side> find_source(const Project& project, const Registry<ConnectorSpec>& connectors, const std::string& name) {
    return find_side(project, connectors, name, "source",
                     [](const ConnectorSpec& spec) { return spec.make_source != nullptr; });
}

Result<Side> find_sink(const Project& project, const Registry<ConnectorSpec>& connectors, const std::string& name) {
    return find_side(project, connectors, name, "sink",
                     [](const ConnectorSpec& spec) { return spec.make_sink != nullptr; });
}

Result<const StreamConfig*> find_stream(const PipelineConfig& pipeline, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& stream : pipeline.streams) {
        if (stream.name == name) return &stream;
        names.push_back(stream.name);
    }
    return Error(ErrorKind::invalid_config, "stream not found: " + name + did_you_mean(name, names)).at(pipeline.place);
}

StreamRequest request_of(const PipelineConfig& pipeline, const StreamConfig& stream, ReadMode mode) {
    StreamRequest request{pipeline.source, stream.name, mode, stream.source_options, pipeline.name};
    for (const auto& other : pipeline.streams) request.pipeline_streams.emplace_back(other.name, other.source_options);
    return request;
}

bool is_shared(const Side& source, const PipelineConfig& pipeline, const StreamConfig& stream) {
    return source.spec->is_shared != nullptr && source.spec->is_shared(request_of(pipeline, stream, stream.mode));
}

MemoryShares MemoryShares::of(uint64_t memory_bytes) {
    return {memory_bytes * kInFlightPercent / 100, memory_bytes * kSinksPercent / 100,
            memory_bytes * kKeysPercent / 100};
}

Result<StreamJob> make_job(const JobRequest& request) {
    const PipelineConfig& pipeline = request.pipeline;
    const StreamConfig& stream = request.stream;
    const MemoryShares memory = MemoryShares::of(pipeline.memory_bytes);
    StreamJob job;
    job.run_id = request.run_id;
    job.pipeline = pipeline.name;
    job.stream = stream.name;
    job.source_connection = pipeline.source;
    job.schema = pipeline.schema;
    job.table = stream.table;
    job.read = stream.mode;
    job.write = request.write;
    job.commit_every = stream.commit_every;
    job.retries.tries_max = static_cast<int>(stream.retries) + 1;
    job.workers = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kWorkersMax));

    TableTarget target;
    target.connection = pipeline.sink;
    target.pipeline = pipeline.name;
    target.stream = request.checkpoint_name;
    target.schema = pipeline.schema;
    target.table = stream.table;
    target.mode = request.write;
    target.key = stream.key;
    target.order_by = stream.order_by;
    target.options = stream.table_options;
    target.run_id = request.run_id;
    target.restatements = stream.restatements;
    target.keeps_restatements = request.keeps_restatements;
    target.shared = request.shared;
    target.memory_bytes = memory.sinks / request.streams_at_once;
    // A report that lost a metric still has all its rows: nothing else would tell.
    job.tells_lost_fields = request.write == WriteMode::slices;
    const Options& options = request.sink.connection->options;
    job.sink = TRY(request.sink.spec->make_sink(options, target));
    if (request.sink.spec->make_store != nullptr && (!stream.expect.empty() || job.tells_lost_fields)) {
        job.store = TRY(request.sink.spec->make_store(options, pipeline.sink));
    }
    job.expectations = TRY(Expectations::create(stream.expect, memory.keys / request.streams_at_once));
    job.policies = TRY(Policies::create(stream.policies, request.policy_key));
    if (!job.policies->empty()) job.expectations->hide_rows();
    job.contract.mode = stream.contract;
    job.contract.nesting = stream.nested;
    job.contract.columns = stream.columns;
    job.contract.ignore_unlisted = stream.ignore_unlisted;
    job.contract.sample_rows = stream.sample_rows;
    job.contract.retyped = job.policies->retyped();
    return job;
}

}  // namespace shaduf
