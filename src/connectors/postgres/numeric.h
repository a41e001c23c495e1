#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/batch.h"
#include "data/buffer.h"

namespace shaduf {

// A numeric as it stands on the wire: digits to the base of 10,000, the first of which has the weight 10,000^weight.
class WireNumeric {
public:
    // nullopt when the bytes are none.
    static std::optional<WireNumeric> parse(std::string_view bytes);

    bool is_finite() const { return (sign_ & kSpecial) != kSpecial; }
    // Times 10^scale; nullopt when that is no integer of `precision` digits. REQUIRES: is_finite()
    std::optional<int128> to_decimal(int precision, int scale) const;
    // As the server writes it, with all digits: "-12.50", "NaN", "-Infinity".
    void append_text(std::string& out) const;

    static constexpr uint16_t kNegative = 0x4000;

private:
    static constexpr uint16_t kSpecial = 0xC000;

    int digit(int i) const;  // 0 outside of those that stand there
    std::optional<int128> magnitude(int scale) const;

    std::string_view digits_;  // two bytes each
    int count_ = 0;
    int weight_ = 0;
    uint16_t sign_ = 0;
    int scale_ = 0;  // digits behind the point
};

// What a column numeric(precision, scale) holds.
struct NumericLimits {
    int precision = 0;
    int scale = 0;  // may be negative, or greater than the precision
};
// Of a type's modifier; nullopt: no limits but those of the server.
std::optional<NumericLimits> numeric_limits_of(int32_t modifier);

// Whether no digit of unscaled / 10^scale would be lost there.
bool fits_numeric(int128 unscaled, int scale, const NumericLimits& limits);
// Appends unscaled / 10^scale, without its size before it.
void put_numeric(BufferBuilder& out, int128 unscaled, int scale);

enum class NumericText : uint8_t { held, no_number, too_long };
// Appends the number that a text stands for ("1.50", "-2e-7", "NaN", "Infinity"), without its size; nothing when a
// digit of it would be lost.
NumericText put_numeric_text(BufferBuilder& out, std::string_view text, const std::optional<NumericLimits>& limits);

}  // namespace shaduf
