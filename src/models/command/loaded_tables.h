#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "models/manifest.h"

namespace shaduf::models {

class Invocation;

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

// The same, where nodes may also read tables of `others` ("schema.table"), which something else loads: those that the
// database does not have yet hold back what reads them, as the first load of something else has yet to come. What is
// among `tables` is not looked for; a database that cannot be asked has all of them.
AfterLoads after_loads(Invocation& invocation, const std::vector<const Node*>& selected,
                       const std::vector<LoadedTable>& tables, const std::vector<std::string>& others, Readers readers);

}  // namespace shaduf::models
