#include "jinja/unicode.h"

#include <locale.h>
#include <cwctype>

namespace shaduf::jinja {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The C library's tables of Unicode, in its own locale of UTF-8. Null where it has none: then ASCII alone has cases.
locale_t unicode_locale() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

bool is_class(char32_t code, int (*check)(wint_t, locale_t)) {
    const locale_t locale = unicode_locale();
    return locale != nullptr && check(static_cast<wint_t>(code), locale) != 0;
}

bool is_ascii_upper(char32_t code) { return code >= 'A' && code <= 'Z'; }
bool is_ascii_lower(char32_t code) { return code >= 'a' && code <= 'z'; }

}  // namespace

bool is_ascii(std::string_view text) {
    for (const char byte : text) {
        if (static_cast<unsigned char>(byte) >= 0x80U) return false;
    }
    return true;
}

size_t code_point_size(std::string_view text, size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0xC0U) return 1;
    const size_t wanted = first < 0xE0U ? 2 : first < 0xF0U ? 3 : first < 0xF8U ? 4 : 1;
    if (at + wanted > text.size()) return 1;
    for (size_t i = 1; i < wanted; ++i) {
        if (!is_continuation(text[at + i])) return 1;
    }
    return wanted;
}

char32_t code_point_at(std::string_view text, size_t at) {
    const size_t size = code_point_size(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    if (size == 1) return first;
    char32_t code = first & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; ++i) code = (code << 6U) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    return code;
}

size_t count_code_points(std::string_view text) {
    size_t count = 0;
    for (size_t at = 0; at < text.size(); at += code_point_size(text, at)) ++count;
    return count;
}

size_t byte_of(std::string_view text, size_t index) {
    size_t at = 0;
    for (; index > 0 && at < text.size(); --index) at += code_point_size(text, at);
    return at;
}

std::string_view slice_code_points(std::string_view text, size_t begin, size_t end) {
    if (end <= begin) return {};
    const size_t first = byte_of(text, begin);
    return text.substr(first, byte_of(text.substr(first), end - begin));
}

void append_code_point(std::string& out, char32_t code) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | (code >> 6U));
        tail(0);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | (code >> 12U));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0U | (code >> 18U));
        tail(12);
        tail(6);
        tail(0);
    }
}

void append_mapped(std::string& out, char32_t code, CaseMapping mapping) {
    if (code < 0x80) {
        const bool flips = mapping == CaseMapping::upper ? is_ascii_lower(code) : is_ascii_upper(code);
        out += static_cast<char>(flips ? code ^ 0x20U : code);
        return;
    }
    if (code == 0xDF && mapping == CaseMapping::upper) {
        out += "SS";
        return;
    }
    const locale_t locale = unicode_locale();
    if (locale == nullptr) return append_code_point(out, code);
    const auto wide = static_cast<wint_t>(code);
    append_code_point(out, static_cast<char32_t>(mapping == CaseMapping::upper ? towupper_l(wide, locale)
                                                                               : towlower_l(wide, locale)));
}

std::string map_case(std::string_view text, CaseMapping mapping) {
    std::string out;
    out.reserve(text.size());
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        if (bytes.size() == 1 && code >= 0x80) {
            out += bytes;
        } else {
            append_mapped(out, code, mapping);
        }
    });
    return out;
}

bool is_space(char32_t code) {
    if (code < 0x80) return code == ' ' || (code >= 9 && code <= 13) || (code >= 0x1C && code <= 0x1F);
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_digit(char32_t code) {
    if (code < 0x80) return code >= '0' && code <= '9';
    return code == 0xB2 || code == 0xB3 || code == 0xB9 || (code >= 0x660 && code <= 0x669) ||
           (code >= 0x966 && code <= 0x96F) || (code >= 0xFF10 && code <= 0xFF19);
}

bool is_alpha(char32_t code) {
    if (code < 0x80) return is_ascii_upper(code) || is_ascii_lower(code);
    return is_class(code, iswalpha_l) && !is_digit(code);
}
bool is_upper(char32_t code) { return code < 0x80 ? is_ascii_upper(code) : is_class(code, iswupper_l); }
bool is_lower(char32_t code) { return code < 0x80 ? is_ascii_lower(code) : code == 0xDF || is_class(code, iswlower_l); }
bool is_printable(char32_t code) {
    if (code < 0x80) return code >= 0x20 && code < 0x7F;
    return code >= 0xA1 && code != 0xAD && !is_space(code) && is_class(code, iswprint_l);
}

std::string_view strip_space(std::string_view text, Side side) {
    size_t begin = 0;
    size_t end = text.size();
    while (side != Side::right && begin < end && is_space(code_point_at(text, begin))) {
        begin += code_point_size(text, begin);
    }
    while (side != Side::left && end > begin) {
        size_t last = end - 1;
        while (last > begin && is_continuation(text[last])) --last;
        if (!is_space(code_point_at(text, last))) break;
        end = last;
    }
    return text.substr(begin, end - begin);
}

}  // namespace shaduf::jinja
