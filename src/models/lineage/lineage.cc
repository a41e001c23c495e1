#include "models/lineage/lineage.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::models {
namespace {

bool is_same(const ColumnName& a, const ColumnName& b) {
    return a.relation == b.relation && equals_ignoring_case(a.column, b.column);
}

}  // namespace

std::string_view to_string(LineageKind kind) {
    switch (kind) {
        case LineageKind::copied: return "copied";
        case LineageKind::transformed: return "transformed";
        case LineageKind::aggregated: return "aggregated";
    }
    return "";
}

const ColumnLineage* NodeLineage::find(std::string_view column) const {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnLineage& known) {
        return equals_ignoring_case(known.name, column);
    });
    return found == columns.end() ? nullptr : &*found;
}

void add_source(std::vector<ColumnSource>& sources, ColumnName from, LineageKind kind) {
    for (ColumnSource& known : sources) {
        if (!is_same(known.from, from)) continue;
        known.kind = std::max(known.kind, kind);
        return;
    }
    sources.push_back({std::move(from), kind});
}

void add_name(std::vector<ColumnName>& names, ColumnName name) {
    const bool is_known =
        std::any_of(names.begin(), names.end(), [&](const auto& known) { return is_same(known, name); });
    if (!is_known) names.push_back(std::move(name));
}

}  // namespace shaduf::models
