#include "jinja/escapes.h"

#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

int digit_of(char byte, int base) {
    const int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                      : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                      : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                   : base;
    return digit < base ? digit : -1;
}

constexpr char32_t kCodePointMax = 0x10FFFF;

// \xHH, \uHHHH, \UHHHHHHHH; `at` stands at the letter and is moved behind it all.
Result<void> append_hex_escape(std::string& out, std::string_view text, size_t& at) {
    const char letter = text[at];
    const size_t wanted = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    char32_t code = 0;
    for (size_t i = 1; i <= wanted; ++i) {
        const int digit = at + i < text.size() ? digit_of(text[at + i], 16) : -1;
        if (digit < 0) {
            return Error(ErrorKind::invalid_config, "truncated escape in a string: \\" + std::string(1, letter) +
                                                        ": give " + std::to_string(wanted) + " hexadecimal digits");
        }
        code = code * 16 + static_cast<char32_t>(digit);
    }
    if (code > kCodePointMax) return Error(ErrorKind::invalid_config, "illegal Unicode character in a string");
    append_code_point(out, code);
    at += wanted + 1;
    return {};
}

void append_octal_escape(std::string& out, std::string_view text, size_t& at) {
    char32_t code = 0;
    for (int i = 0; i < 3 && at < text.size() && digit_of(text[at], 8) >= 0; ++i, ++at) {
        code = code * 8 + static_cast<char32_t>(digit_of(text[at], 8));
    }
    append_code_point(out, code);
}

}  // namespace

Result<std::string> unescape_string(std::string_view text) {
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    std::string out;
    out.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
        if (text[at] != '\\') {
            out += text[at++];
            continue;
        }
        if (++at >= text.size()) return Error(ErrorKind::invalid_config, "\\ at end of string");
        const char letter = text[at];
        if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
            out += kMeanings[known];
            ++at;
        } else if (letter == '\n') {
            ++at;
        } else if (letter == 'x' || letter == 'u' || letter == 'U') {
            TRY(append_hex_escape(out, text, at));
        } else if (digit_of(letter, 8) >= 0) {
            append_octal_escape(out, text, at);
        } else if (letter == 'N') {
            return Error(ErrorKind::invalid_config,
                         "characters by name are not known in strings: write \\u and a code");
        } else {
            out += '\\';
        }
    }
    return out;
}

}  // namespace shaduf::jinja
