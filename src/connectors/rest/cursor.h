#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "connectors/rest/settings.h"

namespace shaduf::rest {

// Values of an incremental cursor are kept as the text they came as. They are compared as points in time (ISO 8601)
// when both are, else as numbers when both are, else as text.
// Less than zero, zero or more, as `a` is before, like or behind `b`.
int compare_cursors(std::string_view a, std::string_view b);

// What is sent for the cursor `value`, `lookback` earlier. A number is an epoch in seconds, or in milliseconds when it
// is larger than 10^11. A text that is neither time nor number is sent as it is.
std::string format_cursor(std::string_view value, CursorFormat format, std::chrono::milliseconds lookback);
std::string format_cursor(Timestamp time, CursorFormat format);

}  // namespace shaduf::rest
