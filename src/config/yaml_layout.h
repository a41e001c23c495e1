#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/node.h"

namespace shaduf {

struct YamlEntry;

// A value of a YAML text, and which bytes of it say so. Anchors and aliases stay as they are written.
struct YamlPiece {
    enum class Kind : unsigned char { null, scalar, list, map, alias };
    enum class Style : unsigned char { plain, single_quoted, double_quoted, block };

    Kind kind = Kind::null;
    Style style = Style::plain;  // of a scalar
    bool is_flow = false;        // of a list or a map: in brackets
    size_t start = 0;            // of its anchor and tag, if it has any
    size_t body = 0;             // of the value itself
    size_t end = 0;              // behind the last byte of the value, comments left aside
    int line = 0;                // from 1
    std::string text;            // of a scalar; of an alias: the anchor's name
    std::string anchor;
    std::string tag;
    std::vector<YamlPiece> items;
    std::vector<YamlEntry> entries;

    bool is_block() const { return (kind == Kind::list || kind == Kind::map) && !is_flow; }
    // The value under a key that stands in the map itself, not one that "<<" brings; nullptr: there is none.
    const YamlEntry* find(std::string_view key) const;
    YamlEntry* find(std::string_view key);
};

struct YamlEntry {
    YamlPiece key;
    size_t colon = std::string::npos;  // npos: none stands behind the key
    YamlPiece value;
};

struct YamlLayout {
    YamlPiece root;
    size_t documents = 0;
};

// invalid_config: what cannot be placed byte by byte, such as unusual line ends. REQUIRES: Node::parse_yaml reads it.
Result<YamlLayout> read_yaml_layout(std::string_view text, const std::string& file);

// What the pieces mean: aliases and merges are replaced by what they stand for. An alias without its anchor is an
// error. Places are not told.
Result<Node> meaning_of(const YamlPiece& root);

}  // namespace shaduf
