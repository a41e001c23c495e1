#include "models/python/values.h"

#include <string>

#include "models/python/decimal.h"
#include "models/python/moment.h"

namespace shaduf::models {

using jinja::Ref;
using jinja::Value;

Value date_value(int32_t days) { return moment_value(Moment::Kind::date, days * kMicrosPerDay); }
Value time_value(int64_t microseconds) { return moment_value(Moment::Kind::time, microseconds); }

Value datetime_value(int64_t microseconds, std::optional<int32_t> utc_offset_seconds) {
    Ref<Zone> zone;
    if (utc_offset_seconds) zone = fixed_zone(*utc_offset_seconds);
    return moment_value(Moment::Kind::datetime, microseconds, std::move(zone));
}

Value decimal_value(std::string_view text) { return {Ref<jinja::Object>(new Decimal(std::string(text)))}; }

Value decimal_value(Int128 unscaled, int scale) {
    const bool is_negative = unscaled < 0;
    std::string digits;
    for (Int128 rest = unscaled; rest != 0; rest /= 10) {
        const auto digit = static_cast<int>(rest % 10);
        digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    }
    if (scale == 0 && digits.size() < 19) return Value(static_cast<int64_t>(unscaled));
    while (digits.size() <= static_cast<size_t>(scale)) digits.insert(digits.begin(), '0');
    if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
    return decimal_value((is_negative ? "-" : "") + digits);
}

}  // namespace shaduf::models
