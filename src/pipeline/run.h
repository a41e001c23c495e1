#pragma once

#include <string>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "base/run_context.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "pipeline/stream_run.h"

namespace shaduf {

struct RunOptions {
    std::string run_id;                    // "": a new one is made
    std::vector<std::string> streams;      // by name; empty: all
    std::optional<std::string> meta_path;  // default: .shaduf/meta.db of the project; "" keeps no history
};

struct RunSummary {
    std::string run_id;
    std::vector<StreamResult> streams;  // in the order of the file
    bool ok() const;
};

// Ids sort by time: "20261121T035603Z-4f2a9c".
std::string make_run_id(const Clock& clock);

// What a run would say before it reads anything: streams that refer to each other in a circle, options that do not go
// together. Reaches no system.
std::vector<Error> check_pipeline(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                  const Registry<ConnectorSpec>& connectors);

// Runs the streams of one pipeline, some at a time; one whose expectations refer to another's table waits for it. A
// stream that fails does not stop the others. Errors before any stream began are returned (conflict: the pipeline is
// being run already; invalid_config); those of streams stand in the summary.
Result<RunSummary> run_pipeline(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                const Registry<ConnectorSpec>& connectors, const RunOptions& options);

}  // namespace shaduf
