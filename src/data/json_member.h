#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shaduf {

// The text of one member of an object, to the letter as it is written there: numbers keep all their digits. nullopt
// when there is none, or `json` is no object.
std::optional<std::string> raw_member(std::string_view json, std::string_view key);

}  // namespace shaduf
