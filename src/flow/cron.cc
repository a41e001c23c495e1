#include "flow/cron.h"

#include <bit>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "base/text.h"

namespace shaduf {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::weekday;
using std::chrono::year_month_day;

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldKind {
    std::string_view name;
    uint32_t first;
    uint32_t last;
    std::span<const std::string_view> names;  // of the values from `first` on
};
constexpr FieldKind kSecond{"second", 0, 59, {}};
constexpr FieldKind kMinute{"minute", 0, 59, {}};
constexpr FieldKind kHour{"hour", 0, 23, {}};
constexpr FieldKind kDay{"day of the month", 1, 31, {}};
constexpr FieldKind kMonth{"month", 1, 12, kMonths};
constexpr FieldKind kWeekday{"day of the week", 0, 7, kWeekdays};

struct Preset {
    std::string_view name;
    std::string_view fields;
};
constexpr Preset kPresets[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                               {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                               {"@hourly", "0 * * * *"}};

// Whatever comes at all comes within it: February 29 on a Monday may take forty years, around 2100.
constexpr days kHorizon{41 * 366};

bool has(uint64_t bits, unsigned bit) { return (bits >> bit & 1) != 0; }

// The first of the bits at or behind `from`; 64 when there is none.
unsigned first_bit(uint64_t bits, unsigned from) {
    return from >= 64 ? 64 : static_cast<unsigned>(std::countr_zero(bits >> from << from));
}

std::optional<uint32_t> parse_number(std::string_view text) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                     : std::nullopt;
}

}  // namespace

class CronParser {
public:
    explicit CronParser(std::string_view text) : text_(text) {}

    Result<Cron> parse() {
        std::string_view fields = trim(text_);
        for (const auto& [name, meaning] : kPresets) {
            if (equals_ignoring_case(fields, name)) fields = meaning;
        }
        if (fields.starts_with('@')) {
            return error("preset", fields, "@hourly, @daily, @weekly, @monthly or @yearly");
        }
        std::vector<std::string_view> parts;
        for (const std::string_view part : split(fields, ' ')) {
            if (!trim(part).empty()) parts.push_back(trim(part));
        }
        if (parts.size() != 5 && parts.size() != 6) {
            return Error(ErrorKind::invalid_config,
                         "cron expression has " + std::to_string(parts.size()) + " fields: " + std::string(text_) +
                             "; give five (minute hour day month weekday), or six with seconds in front");
        }
        size_t at = 0;
        cron_.seconds_ = parts.size() == 6 ? TRY(plain(kSecond, parts[at++])) : 1;
        cron_.minutes_ = TRY(plain(kMinute, parts[at++]));
        cron_.hours_ = static_cast<uint32_t>(TRY(plain(kHour, parts[at++])));
        const std::string_view days = parts[at++];
        TRY(parse_days(days));
        cron_.months_ = static_cast<uint32_t>(TRY(plain(kMonth, parts[at++])));
        const std::string_view weekdays = parts[at];
        TRY(parse_weekdays(weekdays));
        cron_.either_day_ = !is_any(days) && !is_any(weekdays);
        if (!cron_.search(WallTime(std::chrono::local_days(std::chrono::year(2020) / 1 / 1)))) {
            return Error(ErrorKind::invalid_config,
                         "cron expression names a day that never comes: " + std::string(text_));
        }
        return cron_;
    }

private:
    static bool is_any(std::string_view field) { return field.starts_with('*') || field == "?"; }

    Error error(std::string_view what, std::string_view found, const std::string& expected) const {
        return Error(ErrorKind::invalid_config, "cron expression has no valid " + std::string(what) + ": " +
                                                    std::string(found) + " of " + std::string(text_) + "; expected " +
                                                    expected);
    }
    Error error(const FieldKind& kind, std::string_view found) const {
        std::string values = std::to_string(kind.first) + " to " + std::to_string(kind.last);
        if (!kind.names.empty()) {
            values += " or " + std::string(kind.names.front()) + " to " + std::string(kind.names.back());
        }
        return error(kind.name, found, values + ", *, lists (1,2), ranges (1-5), steps (*/5)");
    }

    Result<uint32_t> value(const FieldKind& kind, std::string_view text) const {
        for (size_t i = 0; i < kind.names.size(); ++i) {
            if (equals_ignoring_case(text, kind.names[i])) return kind.first + static_cast<uint32_t>(i);
        }
        const auto number = parse_number(text);
        if (!number || *number < kind.first || *number > kind.last) return error(kind, text);
        return *number;
    }

    Result<uint64_t> plain(const FieldKind& kind, std::string_view field) const {
        uint64_t bits = 0;
        for (const std::string_view part : split(field, ',')) bits |= TRY(range(kind, part));
        return bits;
    }

    // "5", "*", "1-5", each with "/2".
    Result<uint64_t> range(const FieldKind& kind, std::string_view part) const {
        const auto slash = part.find('/');
        const std::string_view values = part.substr(0, slash);
        uint32_t step = 1;
        if (slash != std::string_view::npos) {
            const auto given = parse_number(part.substr(slash + 1));
            if (!given || *given == 0 || *given > kind.last) return error(kind, part);
            step = *given;
        }
        uint32_t from = kind.first;
        uint32_t to = kind.names.data() == kWeekdays ? 6 : kind.last;
        if (values != "*" && values != "?") {
            const auto dash = values.find('-');
            from = TRY(value(kind, values.substr(0, dash)));
            if (dash != std::string_view::npos) {
                to = TRY(value(kind, values.substr(dash + 1)));
            } else if (slash == std::string_view::npos) {
                to = from;
            }
        }
        return bits_of(kind, from, to, step);
    }

    // From `from` to `to`, over the end when `to` is before it.
    static uint64_t bits_of(const FieldKind& kind, uint32_t from, uint32_t to, uint32_t step) {
        const bool is_weekday = kind.names.data() == kWeekdays;
        const uint32_t count = is_weekday ? 7 : kind.last - kind.first + 1;
        if (to < from) to += count;
        uint64_t bits = 0;
        for (uint32_t at = from; at <= to; at += step) bits |= uint64_t{1} << (kind.first + (at - kind.first) % count);
        return bits;
    }

    Result<void> parse_days(std::string_view field) {
        for (const std::string_view part : split(field, ',')) {
            if (equals_ignoring_case(part, "LW") || equals_ignoring_case(part, "WL")) {
                cron_.last_weekday_ = true;
            } else if (part.starts_with('L') || part.starts_with('l')) {
                const auto back = part.size() == 1 ? std::optional(0U)
                                  : part[1] == '-' ? parse_number(part.substr(2))
                                                   : std::nullopt;
                if (!back || *back > 30) return error("last day of the month", part, "L, or L-1 to L-30");
                cron_.days_before_last_ |= 1U << *back;
            } else if (part.ends_with('W') || part.ends_with('w')) {
                cron_.nearest_weekdays_ |= 1U << TRY(value(kDay, part.substr(0, part.size() - 1)));
            } else {
                cron_.days_ |= static_cast<uint32_t>(TRY(range(kDay, part)));
            }
        }
        return {};
    }

    Result<void> parse_weekdays(std::string_view field) {
        for (const std::string_view part : split(field, ',')) {
            const auto hash = part.find('#');
            if (hash != std::string_view::npos) {
                const auto number = parse_number(part.substr(hash + 1));
                if (!number || *number < 1 || *number > 5) return error("numbered day of the week", part, "5#1 to 5#5");
                cron_.numbered_weekdays_[*number] |= 1U << TRY(value(kWeekday, part.substr(0, hash))) % 7;
            } else if (part.size() > 1 && (part.ends_with('L') || part.ends_with('l'))) {
                cron_.last_weekdays_ |= 1U << TRY(value(kWeekday, part.substr(0, part.size() - 1))) % 7;
            } else {
                cron_.weekdays_ |= static_cast<uint32_t>(TRY(range(kWeekday, part)));
            }
        }
        return {};
    }

    const std::string_view text_;
    Cron cron_;
};

Result<Cron> Cron::parse(std::string_view text) { return CronParser(text).parse(); }

bool Cron::matches_day_of_month(year_month_day date) const {
    const auto number = static_cast<unsigned>(date.day());
    const auto last = static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
    if (has(days_, number) || has(days_before_last_, last - number)) return true;
    if (nearest_weekdays_ == 0 && !last_weekday_) return false;
    const unsigned on = weekday(local_days(date)).c_encoding();
    if (on == 0 || on == 6) return false;
    const bool ends_week = on == 5;
    const bool begins_week = on == 1;
    if (last_weekday_ && (number == last || (ends_week && number + 2 >= last))) return true;
    if (has(nearest_weekdays_, number)) return true;
    // A Friday stands for the Saturday behind it, a Monday for the Sunday before; at the ends of a month the other way.
    if (ends_week && number + 1 <= last && has(nearest_weekdays_, number + 1)) return true;
    if (begins_week && number > 1 && has(nearest_weekdays_, number - 1)) return true;
    if (ends_week && number + 2 == last && has(nearest_weekdays_, last)) return true;
    return begins_week && number == 3 && has(nearest_weekdays_, 1);
}

bool Cron::matches_day_of_week(year_month_day date) const {
    const unsigned on = weekday(local_days(date)).c_encoding();
    if (has(weekdays_, on)) return true;
    const auto number = static_cast<unsigned>(date.day());
    const auto last = static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
    return has(numbered_weekdays_[(number + 6) / 7], on) || (number + 7 > last && has(last_weekdays_, on));
}

bool Cron::matches(year_month_day date) const {
    const bool month_day = matches_day_of_month(date);
    const bool week_day = matches_day_of_week(date);
    return either_day_ ? month_day || week_day : month_day && week_day;
}

std::optional<WallTime> Cron::search(WallTime from) const {
    const auto whole = std::chrono::ceil<seconds>(from);
    const auto first_day = std::chrono::floor<days>(whole);
    const std::chrono::hh_mm_ss time(whole - first_day);
    auto hour = static_cast<unsigned>(time.hours().count());
    auto minute = static_cast<unsigned>(time.minutes().count());
    auto second = static_cast<unsigned>(time.seconds().count());
    for (auto at = first_day; at < first_day + kHorizon;) {
        const year_month_day date(at);
        if (!has(months_, static_cast<unsigned>(date.month()))) {
            at = local_days((date.year() / date.month() + std::chrono::months(1)) / 1);
            hour = minute = second = 0;
            continue;
        }
        if (matches(date)) {
            if (!has(hours_, hour)) minute = second = 0;
            for (hour = first_bit(hours_, hour); hour < 24; hour = first_bit(hours_, hour + 1)) {
                if (!has(minutes_, minute)) second = 0;
                for (minute = first_bit(minutes_, minute); minute < 60; minute = first_bit(minutes_, minute + 1)) {
                    second = first_bit(seconds_, second);
                    if (second < 60) return WallTime(at + hours(hour) + minutes(minute) + seconds(second));
                    second = 0;
                }
                minute = second = 0;
            }
        }
        at += days(1);
        hour = minute = second = 0;
    }
    return std::nullopt;
}

WallTime Cron::first_from(WallTime from) const { return search(from).value_or(WallTime::max()); }

}  // namespace shaduf
