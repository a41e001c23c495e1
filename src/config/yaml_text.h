#pragma once

#include <string>
#include <string_view>

#include "config/yaml_layout.h"

// Values as YAML text, in the style of the file around them.
namespace shaduf {

struct YamlStyle {
    std::string newline = "\n";
    size_t indent = 2;       // of a map below a key
    size_t list_indent = 2;  // of a list below a key
    char quote = '"';
};

// As most of the file has it.
YamlStyle style_of(std::string_view text, const YamlPiece& root);

// A value behind "key:" or "-": what stands in the same line, and what follows behind the line's end and its comment.
struct YamlValueText {
    std::string in_line;  // "": nothing
    std::string lines;    // each begins with the line's end
};

// Keys of a map stand at `column`; where it is compact, the first of them is in the line.
YamlValueText block_text(const Node& value, const YamlStyle& style, size_t column, bool is_compact);
// Behind a key that stands at `column`.
YamlValueText text_below_key(const Node& value, const YamlStyle& style, size_t column);
// In one line, as it can stand within brackets.
std::string flow_text(const Node& value, const YamlStyle& style);
// A scalar or null in one line, quoted like `like` where that can be.
std::string scalar_text(const Node& value, const YamlStyle& style, YamlPiece::Style like, bool in_flow);

}  // namespace shaduf
