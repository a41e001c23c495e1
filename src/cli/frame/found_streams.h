#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/connector.h"

namespace shaduf {

// A file of pipelines/ that reads streams which a source was found to have.
struct FoundPipeline {
    std::string name;  // of the file, without .yml
    std::string text;
};

// One pipeline a schema, in the order of `streams`, from the connection `source` to the warehouse: each stream whole,
// with its key. Those of `public`, named without a schema, go to the sink's default schema. A stream without columns is
// left out, with a comment. Names differ even where case does not count, and schemas from those that are `taken`.
// Empty when nothing is left to read.
std::vector<FoundPipeline> pipelines_of(const std::string& source, const std::vector<StreamInfo>& streams,
                                        std::span<const std::string_view> taken);

}  // namespace shaduf
