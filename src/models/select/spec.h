#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::models {

enum class SelectMethod : uint8_t {
    fqn,
    tag,
    group,
    access,
    source,
    path,
    file,
    package,
    config,
    test_name,
    test_type,
    resource_type,
    state,
    exposure,
    metric,
    result,
    source_status,
    version,
    semantic_model,
    saved_query,
    unit_test,
    selector,
};
std::string_view to_string(SelectMethod method);

// Which tests come along with the nodes that they test.
enum class IndirectSelection : uint8_t {
    eager,      // those of any selected node
    cautious,   // those whose nodes are all selected
    buildable,  // those whose nodes are selected or come before one that is
    empty,      // none
};
// invalid_config: no such word.
Result<IndirectSelection> parse_indirect_selection(std::string_view text);

// One criterion: "2+tag:nightly+1".
struct Criterion {
    std::string raw;
    SelectMethod method = SelectMethod::fqn;
    std::vector<std::string> arguments;  // of "config.meta.owner:x": meta, owner
    std::string value;
    jinja::Value typed;  // of YAML: a boolean or a number that is no text; undefined: `value`
    bool children_parents = false, parents = false, children = false;
    std::optional<uint32_t> parents_depth, children_depth;
    IndirectSelection indirect = IndirectSelection::eager;
};

// What to select: a criterion, or a set of such. A plain value.
struct SelectionSpec {
    enum class Kind : uint8_t { criterion, union_of, intersection, difference };
    Kind kind = Kind::criterion;
    Criterion criterion;
    std::vector<SelectionSpec> parts;  // of a difference: the first less all others
    IndirectSelection indirect = IndirectSelection::eager;
    bool warns_when_empty = false;
    std::string raw;
};

// invalid_config: an unknown method, or operators that exclude each other.
Result<Criterion> parse_criterion(std::string_view text, IndirectSelection indirect);
// --select and --exclude. Each text may hold several criteria: spaces unite, commas intersect. nullopt: all there is.
Result<SelectionSpec> parse_selection(const std::optional<std::vector<std::string>>& select,
                                      const std::vector<std::string>& exclude, IndirectSelection indirect);
// The method of "config.severity", and what stands behind its first dot.
Result<std::pair<SelectMethod, std::vector<std::string>>> parse_method(std::string_view text);
SelectMethod default_method(std::string_view value);

}  // namespace shaduf::models
