#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "jinja/value.h"

// Objects of Python's standard library as templates see them: what a database gives, and what `modules` holds.
namespace shaduf::models {

__extension__ using Int128 = __int128;

// datetime.date, datetime.time; datetime.datetime with the offset of its zone, or none.
jinja::Value date_value(int32_t days_since_1970);
jinja::Value time_value(int64_t microseconds_since_midnight);
jinja::Value datetime_value(int64_t microseconds_since_1970, std::optional<int32_t> utc_offset_seconds);
// decimal.Decimal: unscaled / 10^scale.
jinja::Value decimal_value(Int128 unscaled, int scale);
jinja::Value decimal_value(std::string_view text);

// What `modules` of the context is: datetime, re, pytz, itertools.
jinja::Value modules_value();

}  // namespace shaduf::models
