#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/project.h"

// What is known of a pipeline without running it.
namespace shaduf {

// The schema that the sink writes to when the pipeline names none.
std::string schema_of(const Project& project, const PipelineConfig& pipeline);
// "schema.table" of each stream; of one with `via` those of its consumer.
std::vector<std::string> tables_of(const Project& project, std::string_view title);
// Those of all pipelines that load into the environment's warehouse.
std::vector<std::string> tables_of_warehouse(const Project& project);
// Some stream of it never ends.
bool is_endless(const Project& project, std::string_view title);

}  // namespace shaduf
