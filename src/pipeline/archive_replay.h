#pragma once

#include <string>
#include <vector>

#include "pipeline/run.h"

namespace shaduf {

// Loads one stream again from the raw answers that its source keeps, by the contract, expectations and policies of now,
// without a call to the system. The slices that are read replace what the table has of them; rows merge where the
// stream has no slices. Restatements are not written: the provider said nothing new. The stream's own checkpoint stays;
// a replay that is interrupted begins anew. invalid_config: the source keeps no archive, or nothing is in it.
Result<StreamResult> replay_archive(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                    const Registry<ConnectorSpec>& connectors, const std::string& stream,
                                    const ReplayRange& range);

struct ArchiveCheck {
    StreamResult result;                   // rows that would be written and quarantined, and why
    std::vector<std::string> differences;  // of the table: "+ country string", "~ price int64 -> float64"
};

// The same, but nothing is written: what the rules of now would make of the answers of before.
Result<ArchiveCheck> check_archive(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                   const Registry<ConnectorSpec>& connectors, const std::string& stream,
                                   const ReplayRange& range);

}  // namespace shaduf
