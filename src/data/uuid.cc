#include "data/uuid.h"

namespace shaduf {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

bool parse_uuid(std::string_view text, uint8_t* to) {
    if (text.size() > 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
    size_t at = 0;
    for (size_t i = 0; i < kUuidBytes; ++i) {
        if (at + 2 > text.size()) return false;
        const int high = hex_digit(text[at]);
        const int low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0) return false;
        to[i] = static_cast<uint8_t>(high * 16 + low);
        at += 2;
        if (i % 2 == 1 && i + 1 < kUuidBytes && at < text.size() && text[at] == '-') ++at;
    }
    return at == text.size();
}

void append_uuid_text(std::string_view bytes, std::string& out) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (size_t i = 0; i < kUuidBytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        const auto byte = static_cast<unsigned char>(bytes[i]);
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
    }
}

}  // namespace shaduf
