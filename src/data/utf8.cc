#include "data/utf8.h"

#include <simdjson.h>

#include "base/text.h"

namespace shaduf {

std::optional<size_t> find_invalid_utf8(std::string_view text) {
    if (simdjson::validate_utf8(text.data(), text.size())) return std::nullopt;
    size_t valid = 0;
    for (;;) {
        size_t length = 1;
        while (length <= 4 && valid + length <= text.size() && !is_valid_utf8(text.substr(valid, length))) ++length;
        if (length > 4 || valid + length > text.size()) return valid;
        valid += length;
    }
}

}  // namespace shaduf
