#pragma once

#include <optional>
#include <string_view>

namespace shaduf {

// Where `text` stops being valid UTF-8; nullopt when it is. Quick where it is.
std::optional<size_t> find_invalid_utf8(std::string_view text);

}  // namespace shaduf
