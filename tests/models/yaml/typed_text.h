#pragma once

#include <gmock/gmock.h>

#include <string>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// A value with the types of its parts, on one line: n, b1, i5, f0.5, "text", d2024-01-31, t2024-01-31T00:00:00, [..],
// {key=value}. The oracle prints the same of what PyYAML read.
inline std::string typed_text(const YamlNode& node) {
    switch (node.kind()) {
        case YamlKind::null: return "n";
        case YamlKind::boolean: return node.boolean() ? "b1" : "b0";
        case YamlKind::integer: return "i" + std::to_string(node.integer());
        case YamlKind::big_integer: return "i" + std::string(node.text());
        case YamlKind::real: return "f" + python_float(node.real());
        case YamlKind::text: return to_python_json(node);
        case YamlKind::date: return "d" + std::string(node.text());
        case YamlKind::datetime: return "t" + std::string(node.text());
        case YamlKind::list: {
            std::string out = "[";
            for (const YamlNode& item : node.items()) out += (out.size() > 1 ? "," : "") + typed_text(item);
            return out + "]";
        }
        case YamlKind::map: {
            std::string out = "{";
            for (const YamlEntry& entry : node.entries()) {
                out += (out.size() > 1 ? "," : "") + typed_text(entry.key) + "=" + typed_text(entry.value);
            }
            return out + "}";
        }
    }
    return "";
}

}  // namespace shaduf::models
