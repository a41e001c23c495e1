#pragma once

#include <memory>
#include <string>

#include "base/registry.h"
#include "base/result.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "pipeline/stream_run.h"

namespace shaduf {

// One end of a pipeline: a connection and the system behind it. Both outlive it.
struct Side {
    const ConnectorSpec* spec = nullptr;
    const ConnectionConfig* connection = nullptr;
};

// invalid_config when there is no such connection, or its system cannot be read from / written to.
Result<Side> find_source(const Project& project, const Registry<ConnectorSpec>& connectors, const std::string& name);
Result<Side> find_sink(const Project& project, const Registry<ConnectorSpec>& connectors, const std::string& name);

// invalid_config when the pipeline has no such stream.
Result<const StreamConfig*> find_stream(const PipelineConfig& pipeline, const std::string& name);
// What the source is told of a stream, and of those beside it.
StreamRequest request_of(const PipelineConfig& pipeline, const StreamConfig& stream, ReadMode mode);

// Whether other processes may run the stream at the same time.
bool is_shared(const Side& source, const PipelineConfig& pipeline, const StreamConfig& stream);

// How the memory of a pipeline is shared out: rows on their way, what sinks gather, keys of uniqueness checks. The
// embedded engine's own limit is an option of its connection.
struct MemoryShares {
    uint64_t in_flight;
    uint64_t sinks;
    uint64_t keys;
    static MemoryShares of(uint64_t memory_bytes);
};

struct JobRequest {
    const PipelineConfig& pipeline;
    const StreamConfig& stream;
    Side sink;
    std::string run_id;
    std::string policy_key;
    std::string checkpoint_name;  // the stream's name in the sink's checkpoints
    WriteMode write;
    size_t streams_at_once = 1;  // that share the memory
    bool keeps_restatements = true;
    bool shared = false;  // see TableTarget::shared
};

// All parts of a job but its source.
Result<StreamJob> make_job(const JobRequest& request);

}  // namespace shaduf
