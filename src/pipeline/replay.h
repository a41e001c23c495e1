#pragma once

#include <optional>
#include <string>

#include "pipeline/run.h"

namespace shaduf {

struct ReplayOptions {
    std::string stream;
    std::vector<std::string> ids;     // empty: all rows of the stream
    std::optional<std::string> text;  // a mended row, JSON or as its file has it; with one id
};

// Sends rows of the quarantine through the pipeline again: contract, expectations and policies as they are now. Rows
// that pass are appended (merged where the stream has a key) and leave the quarantine; rows that fail again stay there
// with the new reason and their first position. What a policy changed on the way into the quarantine is not changed
// again. Exactly once: the ids of rows that are loaded together are the checkpoint of their commit, so when the process
// dies between it and their removal from quarantine, the next replay begins by removing them.
//
// A stream that replaces its table on each run holds replayed rows until its next run.
Result<StreamResult> replay_quarantine(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                       const Registry<ConnectorSpec>& connectors, const ReplayOptions& options);

}  // namespace shaduf
