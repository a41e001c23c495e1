#pragma once

#include <memory>
#include <vector>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// What a tree owns: blocks of memory that only grow while it is built, and other trees that it points into.
struct YamlTree::Storage {
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        size_t size = 0;
        size_t used = 0;
    };
    std::vector<Block> blocks;
    std::vector<YamlTree> kept;
    std::vector<YamlDuplicate> duplicates;
};

}  // namespace shaduf::models
