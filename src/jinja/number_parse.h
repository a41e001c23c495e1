#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shaduf::jinja {

// Python's float(text): blanks around, underscores between digits, "inf", "nan".
std::optional<double> parse_float(std::string_view text);

struct ParsedInteger {
    std::optional<int64_t> number;
    bool is_too_big = false;  // a number, but beyond 64 bits
};
// Python's int(text, base); base 0: as the prefix says.
ParsedInteger parse_integer(std::string_view text, int base);

}  // namespace shaduf::jinja
