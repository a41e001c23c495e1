#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf::jinja {

struct WrapOptions {
    int64_t width = 79;
    bool breaks_long_words = true;
    bool breaks_on_hyphens = true;
};
// Lines of at most that width, as Python's textwrap.wrap makes them of one line (blanks are kept as they are within).
std::vector<std::string> wrap_text(std::string_view text, const WrapOptions& options);

}  // namespace shaduf::jinja
