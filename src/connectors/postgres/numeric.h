#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/batch.h"

namespace shaduf {

// A numeric as it stands on the wire: digits to the base of 10,000, the first of which has the weight 10,000^weight.
class WireNumeric {
public:
    // nullopt when the bytes are none.
    static std::optional<WireNumeric> parse(std::string_view bytes);

    bool is_finite() const { return (sign_ & kSpecial) != kSpecial; }
    // Times 10^scale; nullopt when that is no integer of 38 digits. REQUIRES: is_finite()
    std::optional<int128> to_decimal(int scale) const;
    // As the server writes it, with all digits: "-12.50", "NaN", "-Infinity".
    void append_text(std::string& out) const;

private:
    static constexpr uint16_t kNegative = 0x4000;
    static constexpr uint16_t kSpecial = 0xC000;

    int digit(int i) const;  // 0 outside of those that stand there

    std::string_view digits_;  // two bytes each
    int count_ = 0;
    int weight_ = 0;
    uint16_t sign_ = 0;
    int scale_ = 0;  // digits behind the point
};

}  // namespace shaduf
