#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/batch.h"

// Single values as JSON, as append_json writes those of columns.
namespace shaduf::kafka {

void append_json_int(int64_t value, std::string& out);
void append_json_float(double value, std::string& out);
void append_json_decimal(int128 unscaled, int scale, std::string& out);
void append_json_bytes(std::string_view bytes, std::string& out);

// The two's complement of any length, the highest byte first; false when it is beyond int128.
bool read_big_endian(std::string_view bytes, int128& value);

}  // namespace shaduf::kafka
