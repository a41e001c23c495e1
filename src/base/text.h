#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

// The pieces point into `text`, so that it must be one that lasts.
std::vector<std::string_view> split(std::string_view text, char separator);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> split(Temporary&& text, char separator) = delete;
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);                        // ASCII
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII
std::string join(std::span<const std::string> parts, std::string_view separator);
bool is_valid_utf8(std::string_view text);
// Replaces each invalid byte by U+FFFD.
std::string make_valid_utf8(std::string_view text);

// The candidate that a typing error away from `name`, or nullopt when none is near.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);
// "; did you mean X?", or "; known: A, B, C" when there is no near one, or "" when there are no candidates.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

std::string format_bytes(uint64_t bytes);                    // "1.5 MB"
std::string format_count(int64_t count);                     // "1,234,567"
std::optional<uint64_t> parse_bytes(std::string_view text);  // "256MB", "64KiB", "1048576"

}  // namespace shaduf
