#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shaduf::google_ads {

// The whole millionths nearest to a JSON number of millionths, halves away from zero: "12340000", "1234567.891",
// "1.5e7". Exact: no binary fractions. nullopt for anything else, and for 18 digits and more before the point, which an
// amount of 18 digits cannot hold.
std::optional<int64_t> parse_micros(std::string_view number);

}  // namespace shaduf::google_ads
