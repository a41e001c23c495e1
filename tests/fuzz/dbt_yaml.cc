#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/yaml/parse_yaml.h"

namespace {

using shaduf::models::YamlEntry;
using shaduf::models::YamlNode;

// Each key is found under its own name, and has a place.
size_t walk(const YamlNode& node, size_t left) {
    for (const YamlNode& item : node.items()) left = left == 0 ? 0 : walk(item, left - 1);
    for (const YamlEntry& entry : node.entries()) {
        if (entry.key.is_text() && node.find(entry.key.text()) != &entry.value) __builtin_trap();
        if (entry.key.line() == 0) __builtin_trap();
        left = left == 0 ? 0 : walk(entry.value, left - 1);
    }
    return left;
}

}  // namespace

// Any bytes as YAML of a dbt project: read, or refused with a line; every key is found again, and what was read prints
// as JSON that is read as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace shaduf;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto tree = models::parse_yaml(text, "fuzz.yml");
    if (!tree.ok()) return tree.error().kind() == ErrorKind::invalid_config ? 0 : -1;
    walk(tree.value().root(), 10'000);
    if (size > 4096) return 0;
    const std::string json = models::to_python_json(tree.value().root());
    if (json.size() > 100'000) return 0;
    // YAML 1.1 reads these forms of JSON as texts.
    for (const std::string_view form : {"Infinity", "NaN", "e+", "e-"}) {
        if (json.find(form) != std::string::npos) return 0;
    }
    const auto again = models::parse_yaml(json, "again.yml");
    if (again.ok() && again.value().duplicates().empty() && models::to_python_json(again.value().root()) != json) {
        __builtin_trap();
    }
    return 0;
}
