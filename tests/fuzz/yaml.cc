#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/node.h"
#include "config/options.h"
#include "config/stream_rules.h"

// Any bytes as YAML: read, or refused with a line; what was read prints, prints the same when read again, and goes
// through the readers of expectations, policies and columns.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace shaduf;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto node = Node::parse_yaml(text, "fuzz.yml");
    if (!node.ok()) return node.error().kind() == ErrorKind::invalid_config ? 0 : -1;
    const std::string json = node.value().to_json();
    const auto again = Node::parse_yaml(json, "again.yml");
    if (size < 4096 && again.ok() && again.value().to_json() != json) __builtin_trap();
    std::vector<Error> errors;
    (void)read_expectations(node.value()["expect"], {}, errors);
    (void)read_policies(node.value()["policies"], errors);
    (void)read_columns(node.value()["columns"], errors);
    return 0;
}
