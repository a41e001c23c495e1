#include "base/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace shaduf {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// A cursor over fixed-width digits.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}
    bool done() const { return at_ == text_.size(); }
    char peek() const { return done() ? '\0' : text_[at_]; }
    bool take(char expected) {
        if (peek() != expected) return false;
        ++at_;
        return true;
    }
    // `width` digits, or -1.
    int digits(size_t width) {
        if (text_.size() - at_ < width) return -1;
        int value = 0;
        for (size_t i = 0; i < width; ++i) {
            const unsigned digit = static_cast<unsigned char>(text_[at_ + i]) - unsigned{'0'};
            if (digit > 9) return -1;
            value = value * 10 + static_cast<int>(digit);
        }
        at_ += width;
        return value;
    }
    // One to nine digits behind a decimal point, as microseconds (finer ones cut off); -1 when there is none.
    int64_t fraction() {
        int64_t value = 0;
        int count = 0;
        for (; peek() >= '0' && peek() <= '9'; ++at_, ++count) {
            if (count < 6) value = value * 10 + (peek() - '0');
        }
        if (count == 0 || count > 9) return -1;
        for (; count < 6; ++count) value *= 10;
        return value;
    }

private:
    std::string_view text_;
    size_t at_ = 0;
};

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in_month(int year, int month) {
    constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

std::optional<int64_t> scan_date(Scanner& in) {
    const bool is_before_zero = in.take('-');
    const int year = in.digits(4);
    if (year < 0 || (is_before_zero && year == 0) || !in.take('-')) return std::nullopt;
    const int month = in.digits(2);
    if (month < 1 || month > 12 || !in.take('-')) return std::nullopt;
    const int day = in.digits(2);
    if (day < 1 || day > days_in_month(year, month)) return std::nullopt;
    return days_from_civil(is_before_zero ? -year : year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

std::optional<int64_t> scan_time_of_day(Scanner& in) {
    const int hour = in.digits(2);
    if (hour < 0 || hour > 23 || !in.take(':')) return std::nullopt;
    const int minute = in.digits(2);
    if (minute < 0 || minute > 59) return std::nullopt;
    int second = 0;
    int64_t micros = 0;
    if (in.take(':')) {
        second = in.digits(2);
        if (second < 0 || second > 59) return std::nullopt;
        if (in.take('.')) micros = in.fraction();
        if (micros < 0) return std::nullopt;
    }
    return ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + micros;
}

// Z, +hh, +hhmm or +hh:mm, in microseconds east of Greenwich.
std::optional<int64_t> scan_zone(Scanner& in) {
    if (in.take('Z') || in.take('z')) return 0;
    const bool west = in.peek() == '-';
    if (!in.take('+') && !in.take('-')) return std::nullopt;
    const int hours = in.digits(2);
    if (hours < 0 || hours > 18) return std::nullopt;
    int minutes = 0;
    if (in.take(':') || !in.done()) minutes = in.digits(2);
    if (minutes < 0 || minutes > 59) return std::nullopt;
    const int64_t offset = (hours * 60 + minutes) * 60 * kMicrosPerSecond;
    return west ? -offset : offset;
}

struct CivilDate {
    int year;
    unsigned month;
    unsigned day;
};

// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (civil_from_days).
CivilDate civil_from_days(int64_t days) {
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto day_of_era = static_cast<unsigned>(days - era * 146097);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted_month = (5 * day_of_year + 2) / 153;
    const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const auto year = static_cast<int>(static_cast<int64_t>(year_of_era) + era * 400) + (month <= 2 ? 1 : 0);
    return {year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

struct DurationUnit {
    std::string_view name;
    int64_t milliseconds;
};
constexpr std::array<DurationUnit, 6> kDurationUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}}};

template <typename... Args>
std::string print(const char* format, Args... args) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, args...);
    return text.data();
}

}  // namespace

// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil).
int64_t days_from_civil(int year, unsigned month, unsigned day) {
    year -= month <= 2 ? 1 : 0;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto year_of_era = static_cast<unsigned>(year - era * 400);
    const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

std::optional<int32_t> parse_date(std::string_view text) {
    Scanner in(text);
    const auto days = scan_date(in);
    if (!days || !in.done()) return std::nullopt;
    return static_cast<int32_t>(*days);
}

std::optional<int64_t> parse_time_of_day(std::string_view text) {
    Scanner in(text);
    const auto micros = scan_time_of_day(in);
    if (!micros || !in.done()) return std::nullopt;
    return micros;
}

std::optional<ParsedTimestamp> parse_timestamp(std::string_view text) {
    Scanner in(text);
    const auto days = scan_date(in);
    if (!days) return std::nullopt;
    if (!in.take('T') && !in.take(' ') && !in.take('t')) return std::nullopt;
    const auto micros = scan_time_of_day(in);
    if (!micros) return std::nullopt;
    ParsedTimestamp parsed{*days * kMicrosPerDay + *micros, false};
    if (in.done()) return parsed;
    const auto offset = scan_zone(in);
    if (!offset || !in.done()) return std::nullopt;
    return ParsedTimestamp{parsed.microseconds - *offset, true};
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    int64_t total = 0;
    while (!text.empty()) {
        int64_t count = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
        if (parsed.ec != std::errc{} || count < 0) return std::nullopt;
        text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
        const auto unit = text.substr(0, text.find_first_of("0123456789"));
        const DurationUnit* known = nullptr;
        for (const auto& candidate : kDurationUnits) known = candidate.name == unit ? &candidate : known;
        int64_t part = 0;
        if (known == nullptr || __builtin_mul_overflow(count, known->milliseconds, &part) ||
            __builtin_add_overflow(total, part, &total)) {
            return std::nullopt;
        }
        text.remove_prefix(unit.size());
    }
    return std::chrono::milliseconds(total);
}

std::string format_date(int32_t days) {
    const CivilDate date = civil_from_days(days);
    return print(date.year < 0 ? "%05d-%02u-%02u" : "%04d-%02u-%02u", date.year, date.month, date.day);
}

std::string format_time_of_day(int64_t microseconds) {
    const int64_t seconds = microseconds / kMicrosPerSecond;
    const auto fraction = static_cast<int>(microseconds % kMicrosPerSecond);
    const std::string text = print("%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                                   static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
    return fraction == 0 ? text : text + print(".%06d", fraction);
}

std::string format_timestamp(int64_t microseconds, bool has_zone) {
    int64_t days = microseconds / kMicrosPerDay;
    int64_t rest = microseconds % kMicrosPerDay;
    if (rest < 0) {
        rest += kMicrosPerDay;
        --days;
    }
    return format_date(static_cast<int32_t>(days)) + "T" + format_time_of_day(rest) + (has_zone ? "Z" : "");
}

std::string format_timestamp(Timestamp time) { return format_timestamp(time.time_since_epoch().count(), true); }

std::string format_duration(std::chrono::nanoseconds duration) {
    const double seconds = std::chrono::duration<double>(duration).count();
    if (seconds < 0.9995) return print("%.0fms", seconds * 1000);
    if (seconds < 59.95) return print("%.1fs", seconds);
    const int64_t whole = std::llround(seconds);
    if (whole < 3600) return print("%dm%02ds", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
    return print("%dh%02dm", static_cast<int>(whole / 3600), static_cast<int>(whole / 60 % 60));
}

}  // namespace shaduf
