#pragma once

#include <vector>

#include "config/options.h"
#include "config/pipeline_config.h"

namespace shaduf {

// Reads `expect:` (a list) and `policies:` (a map by column) of a stream. What is wrong goes to `errors`, the rest is
// still read.
std::vector<ExpectConfig> read_expectations(const Node& node, const ValueResolver& resolve, std::vector<Error>& errors);
std::vector<PolicyConfig> read_policies(const Node& node, std::vector<Error>& errors);
// `columns:`: name: path | {from: path, type: type}; a list of names is short for paths of one key.
std::vector<ColumnConfig> read_columns(const Node& node, std::vector<Error>& errors);

// The fields of one expectation, for the docs.
std::span<const FieldSpec> expectation_fields();

}  // namespace shaduf
