#include <algorithm>

#include "base/text.h"
#include "data/row_decoder.h"

namespace shaduf {
namespace {

// A structure whose fields differ only in case cannot be stored anywhere; it stays json.
DataType storable(const DataType& type) {
    const auto& children = type.children();
    if (type.kind() == TypeKind::list) return DataType::list(storable(children[0].type));
    if (type.kind() != TypeKind::structure) return type;
    std::vector<Field> fields;
    std::vector<std::string> names;
    for (const auto& child : children) {
        fields.push_back({child.name, storable(child.type), child.nullable});
        names.push_back(to_lower(child.name));
    }
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) return TypeKind::json;
    return DataType::structure(std::move(fields));
}

std::string unique_name(const Shape& shape, const std::vector<std::string>& path) {
    const std::string wanted = join(path, "__");
    const auto taken = [&](const std::string& name) {
        return std::any_of(shape.columns.begin(), shape.columns.end(),
                           [&](const ShapeColumn& column) { return equals_ignoring_case(column.name, name); });
    };
    std::string name = wanted;
    for (int number = 2; taken(name); ++number) name = wanted + "_" + std::to_string(number);
    return name;
}

}  // namespace

SchemaPtr Shape::schema() const {
    std::vector<Field> fields;
    fields.reserve(columns.size());
    for (const auto& column : columns) fields.push_back({column.name, column.type});
    return std::make_shared<const Schema>(std::move(fields));
}

void apply_drift(const std::vector<DriftColumn>& drift, Shape& shape) {
    for (const auto& asked : drift) {
        bool known = false;
        for (auto& column : shape.columns) {
            if (column.path != asked.path) continue;
            known = true;
            if (!column.declared) column.type = storable(widen(column.type, asked.type));
        }
        if (!known) shape.columns.push_back({unique_name(shape, asked.path), storable(asked.type), asked.path, false});
    }
}

}  // namespace shaduf
