#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/yaml_edit.h"
#include "config/yaml_layout.h"

namespace shaduf {

// The value under a key that the map itself has, or the item of that number; nullptr: there is none.
const YamlPiece* child_of(const YamlPiece& piece, std::string_view part);
// The index of a list that a part of a path names.
std::optional<size_t> index_of(std::string_view part, size_t size);

// How far a path leads.
struct YamlSpot {
    YamlPiece* piece = nullptr;   // the deepest that is there
    YamlPiece* parent = nullptr;  // whose entry or item it is; nullptr: it is the root
    size_t index = 0;             // in the parent
    size_t depth = 0;             // parts of the path that led there
    bool in_flow = false;         // within brackets
};
// invalid_config: the path leads through an alias, a merge, or something that has no parts.
Result<YamlSpot> find_spot(YamlPiece& root, const std::string& file, const std::vector<std::string>& path);

// Makes the edit on what the text means, but for its bytes, which are told no more.
Result<void> change_piece(YamlPiece& root, const std::string& file, const YamlEdit& edit);

}  // namespace shaduf
