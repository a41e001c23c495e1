#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "models/lineage/lineage.h"
#include "models/manifest.h"

namespace shaduf::models {

// What `lineage` is asked for: "orders", "orders.amount", "2+orders.amount", "raw.orders.id+1". A plus gives a
// direction, as in selections, and its number how many steps; without any, both are gone to their ends.
struct LineageTarget {
    std::string relation;               // a unique id
    std::optional<std::string> column;  // as the lineage names it
    struct Side {
        bool is_shown = true;
        std::optional<size_t> depth;
    };
    Side upstream, downstream;
};

// invalid_config: nothing is named so; the nearest name stands in the message.
Result<LineageTarget> read_lineage_target(std::string_view text, const Manifest& manifest,
                                          const ProjectLineage& lineage);

// "orders", "orders.v2", "raw.orders": what people call a unique id; the id itself where it is no resource's.
std::string short_name(const Manifest& manifest, const std::string& unique_id);

}  // namespace shaduf::models
