#include "models/python_text.h"

namespace shaduf::models {
namespace {

// The length of the white space character at the start, 0 when there is none (str.isspace of Python 3.11).
size_t space_at(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (first < 0x80) return (first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x20) ? 1 : 0;
    if (first == 0xC2) return byte(1) == 0x85 || byte(1) == 0xA0 ? 2 : 0;
    if (first == 0xE1) return byte(1) == 0x9A && byte(2) == 0x80 ? 3 : 0;
    if (first == 0xE3) return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
    if (first != 0xE2) return 0;
    if (byte(1) == 0x81) return byte(2) == 0x9F ? 3 : 0;
    if (byte(1) != 0x80) return 0;
    const unsigned last = byte(2);
    return (last >= 0x80 && last <= 0x8A) || last == 0xA8 || last == 0xA9 || last == 0xAF ? 3 : 0;
}

}  // namespace

std::string_view python_strip(std::string_view text) {
    for (size_t length = space_at(text); length > 0; length = space_at(text)) text.remove_prefix(length);
    for (;;) {
        size_t length = 0;
        for (size_t back = 1; back <= 3 && back <= text.size() && length == 0; ++back) {
            if (space_at(text.substr(text.size() - back)) == back) length = back;
        }
        if (length == 0) return text;
        text.remove_suffix(length);
    }
}

}  // namespace shaduf::models
