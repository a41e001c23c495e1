#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/node.h"

namespace shaduf {

// One change of a YAML text. A path is of keys, and of indexes in lists: {"streams", "orders", "expect", "0"}.
struct YamlEdit {
    enum class Op : unsigned char {
        set,     // the value of the path becomes `value`; maps on the way to it are made
        add,     // `value` comes behind the items of the list, or under a key that is not there yet
        remove,  // the key, or the item, goes
        rename,  // the key becomes the text of `value`
    };
    Op op = Op::set;
    std::vector<std::string> path;
    Node value;  // JSON, as Node::parse_yaml reads it
};

struct YamlEdited {
    std::string text;
    // What the user should know: which aliases change with a value, where it is shared.
    std::vector<std::string> notes;
};

// Changes the text where the edits say so, and no other byte of it: comments, order, quotes and blank lines stay. New
// keys have the indent, the quotes and the line ends of the file. What comes out is parsed again and must mean what the
// edits make of what the text meant. invalid_config, with the line: an edit that cannot be made so, such as one of a
// value that an alias or a merge brings; then the user edits the text.
Result<YamlEdited> edit_yaml(std::string_view text, const std::string& file, std::span<const YamlEdit> edits);

// Whether two values mean the same; the order of keys does not count.
bool mean_same(const Node& a, const Node& b);

}  // namespace shaduf
