#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/connections.h"

namespace shaduf {

// What a pipeline takes from the project around it.
struct PipelineSettings {
    std::string warehouse;  // what `sink: warehouse` means; may be empty
    uint64_t memory_bytes = 0;
    bool has_policy_key = false;
    Node defaults;  // of streams
};

// Reads one file of pipelines/: one pipeline, or with `via` its two halves, the producer first. What is wrong goes to
// `errors`; empty when nothing can be made of it.
std::vector<PipelineConfig> read_pipeline(const std::string& name, const Node& node, const PipelineSettings& settings,
                                          const ProjectWorld& world, const References& references,
                                          Connections& connections, std::vector<Error>& errors);

// The keys that each pipeline, and each stream of any source and sink, takes; for checks and docs.
std::span<const FieldSpec> pipeline_fields();
std::span<const FieldSpec> stream_fields();

}  // namespace shaduf
