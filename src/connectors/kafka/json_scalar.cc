#include "connectors/kafka/json_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

__extension__ using uint128 = unsigned __int128;

}  // namespace

void append_json_int(int64_t value, std::string& out) {
    std::array<char, 24> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

void append_json_float(double value, std::string& out) {
    std::array<char, 40> digits;
    const char* quote = std::isfinite(value) ? "" : "\"";
    out += quote;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
    out += quote;
}

void append_json_decimal(int128 unscaled, int scale, std::string& out) {
    const bool negative = unscaled < 0;
    auto rest = negative ? 0 - static_cast<uint128>(unscaled) : static_cast<uint128>(unscaled);
    std::string digits;
    for (int count = 0; rest > 0 || count <= scale; ++count) {
        if (count == scale && scale > 0) digits += '.';
        digits += static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    }
    std::reverse(digits.begin(), digits.end());
    out += negative ? "-" + digits : digits;
}

void append_json_bytes(std::string_view bytes, std::string& out) { out += "\"\\\\x" + to_hex(bytes) + '"'; }

bool read_big_endian(std::string_view bytes, int128& value) {
    const bool negative = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0;
    const char filler = negative ? '\xff' : '\0';
    while (bytes.size() > sizeof value) {
        if (bytes[0] != filler) return false;
        bytes.remove_prefix(1);
    }
    const bool still_negative = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0;
    if (bytes.size() == sizeof value && still_negative != negative) return false;
    auto bits = negative ? ~static_cast<uint128>(0) : static_cast<uint128>(0);
    for (const char byte : bytes) bits = bits << 8 | static_cast<uint8_t>(byte);
    value = static_cast<int128>(bits);
    return true;
}

}  // namespace shaduf::kafka
