#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace shaduf {

// A UUID is 16 bytes in the order in which its text shows them. Source: RFC 9562.
inline constexpr size_t kUuidBytes = 16;

// Reads hex digits of either case, with a hyphen behind any four of them or none, in braces or not, as PostgreSQL and
// DuckDB do. False when the text is none; `to` may be written to all the same.
bool parse_uuid(std::string_view text, uint8_t* to);
// "0b6b4a5c-8f0e-4b53-9c1d-5d1f0e7a9b2c". REQUIRES: kUuidBytes bytes.
void append_uuid_text(std::string_view bytes, std::string& out);

}  // namespace shaduf
