#pragma once

#include <span>
#include <vector>

#include "config/connections.h"

namespace shaduf {

// What is around a pipeline while it is read.
struct ViaScope {
    const ProjectWorld& world;
    const ValueResolver& resolve;
    Connections& connections;
    std::vector<Error>& errors;
};

// `via` of a pipeline: topics of Kafka between its source and its sink, one a stream. What comes out are two ordinary
// pipelines, so that nobody behind this file has to know of it. The producer reads the source and appends to the
// topics; columns, policies and all expectations are its own, but those that look into the table (unique,
// relationships). The consumer reads the topics along the columns that the producer's sink keeps on the brokers, and
// writes the table as the user has it. What is wrong goes to `errors`; empty when nothing can be made of it.
std::vector<PipelineConfig> split_at_topics(PipelineConfig whole, const Node& via, const ViaScope& scope);

// The keys of `via`, for the docs.
std::span<const FieldSpec> via_fields();

}  // namespace shaduf
