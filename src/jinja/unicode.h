#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Texts as Python sees them: sequences of code points, held as UTF-8. A byte that is no UTF-8 counts as one code point.
namespace shaduf::jinja {

bool is_ascii(std::string_view text);
size_t count_code_points(std::string_view text);
// The byte where the code point of that index begins; the size of the text behind its end.
size_t byte_of(std::string_view text, size_t index);
std::string_view slice_code_points(std::string_view text, size_t begin, size_t end);
// Bytes of the code point that begins at `at`. REQUIRES: at < text.size()
size_t code_point_size(std::string_view text, size_t at);
char32_t code_point_at(std::string_view text, size_t at);
void append_code_point(std::string& out, char32_t code);

// Runs `visit(std::string_view of one code point, char32_t)` over a text.
template <typename Visit>
void each_code_point(std::string_view text, const Visit& visit) {
    for (size_t at = 0; at < text.size();) {
        const size_t size = code_point_size(text, at);
        visit(text.substr(at, size), code_point_at(text, at));
        at += size;
    }
}

enum class CaseMapping : uint8_t { upper, lower };
void append_mapped(std::string& out, char32_t code, CaseMapping mapping);
std::string map_case(std::string_view text, CaseMapping mapping);

// Python's str.isspace, isalpha, ... of one code point.
bool is_space(char32_t code);
bool is_alpha(char32_t code);
bool is_digit(char32_t code);
bool is_upper(char32_t code);
bool is_lower(char32_t code);
bool is_printable(char32_t code);
inline bool is_alnum(char32_t code) { return is_alpha(code) || is_digit(code); }
inline bool is_name_start(char32_t code) { return code == '_' || is_alpha(code); }
inline bool is_name_part(char32_t code) { return code == '_' || is_alnum(code); }

// Python's whitespace of str.strip and str.split.
enum class Side : uint8_t { left, right, both };
std::string_view strip_space(std::string_view text, Side side);

}  // namespace shaduf::jinja
