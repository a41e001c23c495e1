#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "config/yaml_edit.h"

// The first line is the operation and the path, the second the value, the rest the file. Whatever comes out must be
// read again, and an edit that sets a value must leave it there.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace shaduf;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const size_t first = input.find('\n');
    const size_t second = first == input.npos ? input.npos : input.find('\n', first + 1);
    if (second == input.npos || first == 0) return 0;
    YamlEdit edit;
    edit.op = static_cast<YamlEdit::Op>(static_cast<unsigned char>(input[0]) % 4);
    for (const std::string_view part : split(input.substr(1, first - 1), '.')) edit.path.emplace_back(part);
    auto value = Node::parse_yaml(input.substr(first + 1, second - first - 1), "value");
    if (!value.ok()) return 0;
    edit.value = value.release_value();
    const auto edited = edit_yaml(input.substr(second + 1), "file", std::span(&edit, 1));
    if (!edited.ok()) return 0;
    const auto again = Node::parse_yaml(edited.value().text, "file");
    if (!again.ok()) std::abort();
    const Node* at = &again.value();
    if (edit.op != YamlEdit::Op::set) return 0;
    for (const std::string& part : edit.path) {
        if (at->is_list()) return 0;
        at = &(*at)[part];
    }
    if (!mean_same(*at, edit.value)) std::abort();
    return 0;
}
