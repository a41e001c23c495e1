#include "models/command/event_time.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "models/python/moment.h"
#include "models/run/batches.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {
namespace {

// The zone is not looked at: every time here is one of UTC.
Result<int64_t> read_moment(const std::string& text, std::string_view flag) {
    if (const auto time = parse_timestamp(trim(text))) return time->microseconds;
    if (const auto day = parse_date(trim(text))) return static_cast<int64_t>(*day) * kMicrosPerDay;
    return Error(ErrorKind::invalid_config, "--" + std::string(flag) + " is no date and no time: " + text +
                                                "; write it as 2024-01-31 or 2024-01-31T12:00:00");
}

// The same day of the month and time of day, or the last day that the month has.
int64_t months_before(int64_t moment, int64_t months) {
    const int64_t month = batch_offset(moment, BatchSize::month, -months);
    const int64_t last_day = batch_offset(month, BatchSize::month, 1) - kMicrosPerDay;
    const int64_t day = month + (civil_of(moment).day - 1) * kMicrosPerDay;
    return std::min(day, last_day) + (moment - batch_floor(moment, BatchSize::day));
}

int64_t moment_before(int64_t moment, BatchSize unit, int64_t count) {
    switch (unit) {
        case BatchSize::hour: return moment - count * 3600 * kMicrosPerSecond;
        case BatchSize::day: return moment - count * kMicrosPerDay;
        case BatchSize::month: return months_before(moment, count);
        case BatchSize::year: return months_before(moment, 12 * count);
    }
    return moment;
}

Error bad_sample(const std::string& text) {
    return {ErrorKind::invalid_config, "--sample is no stretch of time: " + text +
                                           "; write it as '3 days' (hours, days, months, years), or as "
                                           "'{start: 2024-01-01, end: 2024-02-01}'"};
}

Result<TimeSpan> read_bounds(const std::string& text) {
    const auto tree = TRY(parse_yaml(text, "--sample"));
    if (!tree.root().is_map() || tree.root()["start"].is_null() || tree.root()["end"].is_null()) {
        return bad_sample(text);
    }
    const int64_t start = TRY(read_moment(std::string(tree.root()["start"].text()), "sample"));
    return TimeSpan{start, TRY(read_moment(std::string(tree.root()["end"].text()), "sample"))};
}

}  // namespace

Result<std::optional<TimeSpan>> read_event_time(const DbtArguments& arguments) {
    const std::string start = arguments.text("event-time-start");
    const std::string end = arguments.text("event-time-end");
    if (start.empty() && end.empty()) return std::optional<TimeSpan>();
    if (start.empty() || end.empty()) {
        const std::string_view given = start.empty() ? "end" : "start";
        const std::string_view other = start.empty() ? "start" : "end";
        return Error(ErrorKind::invalid_config,
                     "--event-time-" + std::string(given) + " is given alone; add --event-time-" + std::string(other));
    }
    const TimeSpan span{TRY(read_moment(start, "event-time-start")), TRY(read_moment(end, "event-time-end"))};
    if (span.start >= span.end) {
        return Error(ErrorKind::invalid_config,
                     "--event-time-start must be before --event-time-end: " + start + ", " + end);
    }
    return std::optional(span);
}

Result<std::optional<TimeSpan>> read_sample(const DbtArguments& arguments, int64_t now) {
    const std::string text(trim(arguments.text("sample")));
    if (text.empty()) return std::optional<TimeSpan>();
    if (text.front() == '{') return std::optional(TRY(read_bounds(text)));
    const size_t space = text.find(' ');
    if (space == std::string::npos) return bad_sample(text);
    int64_t count = 0;
    const char* end_of_count = text.data() + space;
    const auto [end, failure] = std::from_chars(text.data(), end_of_count, count);
    std::string unit_name = to_lower(trim(std::string_view(text).substr(space)));
    while (unit_name.ends_with('s')) unit_name.pop_back();
    const auto unit = batch_size_of(unit_name);
    if (failure != std::errc() || end != end_of_count || !unit) return bad_sample(text);
    return std::optional(TimeSpan{moment_before(now, *unit, count), now});
}

}  // namespace shaduf::models
