#include "connectors/rest/cursor.h"

#include <charconv>
#include <optional>

#include "base/time.h"

namespace shaduf::rest {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kFirstMilliseconds = 100'000'000'000;  // a larger epoch is one of milliseconds

std::optional<double> as_number(std::string_view text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int64_t> as_integer(std::string_view text) {
    int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Microseconds since 1970 of a date or time; without a zone it is UTC.
std::optional<int64_t> as_time(std::string_view text) {
    if (const auto date = parse_date(text)) return *date * kMicrosPerDay;
    if (const auto time = parse_timestamp(text)) return time->microseconds;
    return std::nullopt;
}

template <typename T>
int compare(const T& a, const T& b) {
    if (a < b) return -1;
    return b < a ? 1 : 0;
}

std::string format_micros(int64_t micros, CursorFormat format) {
    const auto time = Timestamp(std::chrono::microseconds(micros));
    switch (format) {
        case CursorFormat::as_found:
        case CursorFormat::iso: return format_timestamp(time);
        case CursorFormat::date:
            return format_date(
                static_cast<int32_t>(std::chrono::floor<std::chrono::days>(time).time_since_epoch().count()));
        case CursorFormat::epoch_s:
            return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
        case CursorFormat::epoch_ms:
            return std::to_string(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
    }
    return {};
}

// As the text was, but earlier: a date stays a date, a time without zone stays one.
std::string earlier_as_found(std::string_view value, std::chrono::milliseconds lookback) {
    const int64_t micros = std::chrono::microseconds(lookback).count();
    if (const auto number = as_integer(value)) {
        const bool is_ms = *number >= kFirstMilliseconds;
        return std::to_string(*number - (is_ms ? lookback.count() : lookback.count() / 1000));
    }
    if (parse_date(value)) return format_micros(*as_time(value) - micros, CursorFormat::date);
    if (const auto time = parse_timestamp(value)) return format_timestamp(time->microseconds - micros, time->has_zone);
    return std::string(value);
}

}  // namespace

int compare_cursors(std::string_view a, std::string_view b) {
    const auto time_a = as_time(a);
    const auto time_b = as_time(b);
    if (time_a && time_b) return compare(*time_a, *time_b);
    const auto integer_a = as_integer(a);
    const auto integer_b = as_integer(b);
    if (integer_a && integer_b) return compare(*integer_a, *integer_b);
    const auto number_a = as_number(a);
    const auto number_b = as_number(b);
    if (number_a && number_b) return compare(*number_a, *number_b);
    return a.compare(b);
}

std::string format_cursor(std::string_view value, CursorFormat format, std::chrono::milliseconds lookback) {
    if (format == CursorFormat::as_found)
        return lookback.count() == 0 ? std::string(value) : earlier_as_found(value, lookback);
    auto micros = as_time(value);
    if (!micros) {
        const auto number = as_integer(value);
        if (!number) return std::string(value);
        micros = *number >= kFirstMilliseconds ? *number * 1000 : *number * 1'000'000;
    }
    return format_micros(*micros - std::chrono::microseconds(lookback).count(), format);
}

std::string format_cursor(Timestamp time, CursorFormat format) {
    return format_micros(time.time_since_epoch().count(), format);
}

}  // namespace shaduf::rest
