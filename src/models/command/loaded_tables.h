#pragma once

#include <string>
#include <vector>

#include "models/manifest.h"

namespace shaduf::models {

// A table that something else loads before models run. Names of schemas and tables are compared without case.
struct LoadedTable {
    std::string schema;
    std::string table;
    bool is_loaded = false;  // false: the load failed, or did not come to it
};

enum class Readers : uint8_t {
    all,           // every node
    of_the_loads,  // those that read one of the tables, directly or through others
};

// What can run after loads.
struct AfterLoads {
    std::vector<const Node*> nodes;
    std::vector<const Node*> held_back;   // read a table that was not loaded, directly or through others
    std::vector<std::string> not_loaded;  // those tables: "raw.orders"
};

// `selected`, by the sources that it reads.
AfterLoads after_loads(const Manifest& manifest, const std::vector<const Node*>& selected,
                       const std::vector<LoadedTable>& tables, Readers readers);

}  // namespace shaduf::models
