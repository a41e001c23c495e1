#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/unicode.h"
#include "jinja/value.h"

// What methods of str and filters do with texts.
namespace shaduf::jinja {

std::string capitalize(std::string_view text);
std::string fold_case(std::string_view text);
std::string swap_case(std::string_view text);
std::string title_case(std::string_view text);

bool is_all_alnum(std::string_view text);
bool is_all_alpha(std::string_view text);
bool is_all_decimal(std::string_view text);
bool is_all_digit(std::string_view text);
bool is_all_printable(std::string_view text);
bool is_all_space(std::string_view text);
bool is_identifier(std::string_view text);
bool is_lower_text(std::string_view text);
bool is_upper_text(std::string_view text);
bool is_title_text(std::string_view text);

// The most that a text may be widened to by one call.
inline constexpr int64_t kWidthMax = 10'000'000;
// Fills up on that side; both: in the middle, as str.center does.
Result<std::string> justify(std::string_view text, int64_t width, std::string_view fill, Side side);
// str.strip(chars) and its like; chars may be None.
Result<Value> strip_text(const Value& text, const Value& chars, Side side);

// At most `count` times; below 0: as often as there is one.
std::vector<std::string_view> split_text(std::string_view text, std::string_view separator, int64_t count);
std::vector<std::string_view> split_text_from_end(std::string_view text, std::string_view separator, int64_t count);
std::vector<std::string_view> split_space(std::string_view text, int64_t count);
std::vector<std::string_view> split_space_from_end(std::string_view text, int64_t count);
enum class LineEnds : uint8_t { dropped, kept };
std::vector<std::string_view> split_lines(std::string_view text, LineEnds ends);
Result<std::string> replace_text(std::string_view text, std::string_view old, std::string_view with, int64_t count);

}  // namespace shaduf::jinja
