#include "data/value_append.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "data/json_cursor.h"
#include "data/uuid.h"

namespace shaduf {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr size_t kValueShownMax = 100;

int32_t day_of(int64_t micros) {
    return static_cast<int32_t>(micros >= 0 ? micros / kMicrosPerDay : (micros + 1) / kMicrosPerDay - 1);
}

// Two digits at `at`, or at least 1000 when they are none.
inline unsigned two_digits(const char* at) {
    const auto high = static_cast<unsigned char>(at[0] - '0');
    const auto low = static_cast<unsigned char>(at[1] - '0');
    return high > 9 || low > 9 ? 1000U : high * 10U + low;
}

// 2023-10-23T12:34:56Z and nothing else; days beyond 28 are left to the careful parser.
std::optional<ParsedTimestamp> parse_usual_timestamp(const char* at) {
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' || at[19] != 'Z') {
        return std::nullopt;
    }
    const unsigned century = two_digits(at);
    const unsigned year = two_digits(at + 2);
    const unsigned month = two_digits(at + 5);
    const unsigned day = two_digits(at + 8);
    const unsigned hour = two_digits(at + 11);
    const unsigned minute = two_digits(at + 14);
    const unsigned second = two_digits(at + 17);
    if (century > 99 || year > 99 || month - 1 > 11 || day - 1 > 27 || hour > 23 || minute > 59 || second > 59) {
        return std::nullopt;
    }
    const int64_t days = days_from_civil(static_cast<int>(century * 100 + year), month, day);
    return ParsedTimestamp{((days * 24 + hour) * 60 + minute) * 60 * kMicrosPerSecond + second * kMicrosPerSecond,
                           true};
}

// Which unit a number since 1970 counts follows from its size: seconds up to the year 2969, then milliseconds,
// microseconds, nanoseconds.
std::optional<int64_t> timestamp_of_epoch(int64_t number) {
    constexpr int64_t kSeconds = 31'536'000'000;
    const uint64_t size = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    if (size < kSeconds) return number * kMicrosPerSecond;
    if (size < kSeconds * 1000ULL) return number * 1000;
    if (size < kSeconds * 1000'000ULL) return number;
    return number / 1000;
}

std::optional<bool> parse_boolean(std::string_view text) {
    for (const std::string_view word : {"true", "t", "yes", "y", "1"}) {
        if (equals_ignoring_case(word, text)) return true;
    }
    for (const std::string_view word : {"false", "f", "no", "n", "0"}) {
        if (equals_ignoring_case(word, text)) return false;
    }
    return std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) {
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return value;
    const auto exact = parse_decimal(text, kDecimalDigitsMax, 0);  // 1.0, 1e3, +5
    if (!exact || *exact > std::numeric_limits<int64_t>::max() || *exact < std::numeric_limits<int64_t>::min()) {
        return std::nullopt;
    }
    return static_cast<int64_t>(*exact);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// "\x0aff" as the bytes it spells, as format_value writes them; any other text as its own bytes.
void append_bytes(ColumnBuilder& to, std::string_view text) {
    if (text.substr(0, 2) != "\\x" || text.size() % 2 != 0) return to.append_text(text);
    std::string bytes;
    for (size_t at = 2; at < text.size(); at += 2) {
        const int high = hex_digit(text[at]);
        const int low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0) return to.append_text(text);
        bytes += static_cast<char>(high << 4 | low);
    }
    to.append_text(bytes);
}

bool append_timestamp(ColumnBuilder& to, const TargetColumn& column, std::string_view text, TimestampOnce& timestamp) {
    const auto& parsed = timestamp.get();
    if (parsed) {
        if (parsed->has_zone && column.kind == TypeKind::timestamp && !column.declared) return false;
        to.append_int64(parsed->microseconds);
        return true;
    }
    const auto number = column.declared ? parse_integer(trim(text)) : std::nullopt;
    return number && append_number_value(to, column, text, number);
}

bool append_date_text(ColumnBuilder& to, const TargetColumn& column, std::string_view text, TimestampOnce& timestamp) {
    if (column.declared) {
        const auto& parsed = timestamp.get();
        if (parsed) to.append_date(day_of(parsed->microseconds));
        return parsed.has_value();
    }
    const auto days = parse_date(text);
    if (days) to.append_date(*days);
    return days.has_value();
}

// Strings into a column that was declared as numbers or truth values.
bool append_converted(ColumnBuilder& to, const TargetColumn& column, std::string_view text) {
    if (column.kind == TypeKind::boolean) {
        const auto value = parse_boolean(text);
        if (value) to.append_boolean(*value);
        return value.has_value();
    }
    return append_number_value(to, column, text, std::nullopt);
}

// Digits of a decimal, gathered with the power of ten they are to be multiplied with.
struct DecimalDigits {
    int128 value = 0;
    int count = 0;         // significant digits in `value`
    int64_t exponent = 0;  // of the last digit in `value`
    int64_t zeros = 0;     // zeros read behind `value`, not yet in it

    bool add(char digit, bool is_fraction) {
        if (is_fraction) --exponent;
        if (digit == '0') {
            if (count > 0) ++zeros;
            return true;
        }
        if (count + zeros + 1 > kDecimalDigitsMax) return false;
        for (; zeros > 0; --zeros, ++count) value *= 10;
        value = value * 10 + (digit - '0');
        ++count;
        return true;
    }
};

// The exponent behind "e"; nullopt when there are no digits.
std::optional<int64_t> parse_exponent(std::string_view text) {
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    int64_t exponent = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (text.empty() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range) return text[0] == '-' ? -1'000'000'000 : 1'000'000'000;
    if (parsed.ec != std::errc{}) return std::nullopt;
    return std::clamp<int64_t>(exponent, -1'000'000'000, 1'000'000'000);
}

}  // namespace

TargetColumn make_target(const Shape& shape, size_t index) {
    const ShapeColumn& column = shape.columns[index];
    return {index, column.name, column.type, column.type.kind(), column.declared};
}

std::optional<ParsedTimestamp> TimestampOnce::parse(std::string_view text) {
    if (text.size() == 20) {
        if (const auto usual = parse_usual_timestamp(text.data())) return usual;
    }
    if (text.size() == 10) {
        const auto days = parse_date(text);
        if (!days) return std::nullopt;
        return ParsedTimestamp{*days * kMicrosPerDay, false};
    }
    return parse_timestamp(text);
}

std::optional<int128> parse_decimal(std::string_view text, int precision, int scale) {
    const bool negative = !text.empty() && text[0] == '-';
    if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
    DecimalDigits digits;
    bool seen_digit = false;
    bool seen_point = false;
    size_t at = 0;
    for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
        if (text[at] == '.' && !seen_point) {
            seen_point = true;
        } else if (text[at] < '0' || text[at] > '9' || !digits.add(text[at], seen_point)) {
            return std::nullopt;
        } else {
            seen_digit = true;
        }
    }
    if (!seen_digit) return std::nullopt;
    int64_t exponent = 0;
    if (at < text.size()) {
        const auto written = parse_exponent(text.substr(at + 1));
        if (!written) return std::nullopt;
        exponent = *written;
    }
    if (digits.value == 0) return int128{0};
    const int64_t shift = digits.exponent + digits.zeros + exponent + scale;
    if (shift < 0 || digits.count + shift > precision) return std::nullopt;
    int128 value = digits.value;
    for (int64_t i = 0; i < shift; ++i) value *= 10;
    return negative ? -value : value;
}

std::optional<double> parse_float(std::string_view text) {
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ptr != text.data() + text.size() || text.empty()) return std::nullopt;
    if (parsed.ec == std::errc{}) return value;
    if (parsed.ec != std::errc::result_out_of_range) return std::nullopt;
    // Too large, or too near to zero: strtod tells which, and zero is near enough.
    const double rounded = std::strtod(std::string(text).c_str(), nullptr);
    if (std::isinf(rounded)) return std::nullopt;
    return rounded;
}

bool append_string_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                         TimestampOnce& timestamp) {
    switch (column.kind) {
        case TypeKind::string: to.append_padded_text(text); return true;
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return append_timestamp(to, column, text, timestamp);
        case TypeKind::date: return append_date_text(to, column, text, timestamp);
        case TypeKind::time: {
            const auto time = parse_time_of_day(text);
            if (time) to.append_int64(*time);
            return time.has_value();
        }
        case TypeKind::uuid: {
            std::array<uint8_t, kUuidBytes> bytes{};
            if (!parse_uuid(trim(text), bytes.data())) return false;
            to.append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            return true;
        }
        case TypeKind::bytes:
            if (column.declared) append_bytes(to, text);
            return column.declared;
        default: return column.declared && append_converted(to, column, trim(text));
    }
}

bool append_number_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                         std::optional<int64_t> integer) {
    switch (column.kind) {
        case TypeKind::int64:
            if (!integer && column.declared) integer = parse_integer(text);
            if (integer) to.append_int64(*integer);
            return integer.has_value();
        case TypeKind::float64: {
            const auto value = parse_float(text);
            if (value) to.append_float64(*value);
            return value.has_value();
        }
        case TypeKind::decimal: {
            const auto value = parse_decimal(text, column.type.precision(), column.type.scale());
            if (value) to.append_decimal(*value);
            return value.has_value();
        }
        case TypeKind::string: to.append_text(text); return true;
        case TypeKind::boolean:
            if (!column.declared || !integer || (*integer != 0 && *integer != 1)) return false;
            to.append_boolean(*integer == 1);
            return true;
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz:
        case TypeKind::date: {
            const auto micros = column.declared && integer ? timestamp_of_epoch(*integer) : std::nullopt;
            if (!micros) return false;
            column.kind == TypeKind::date ? to.append_date(day_of(*micros)) : to.append_int64(*micros);
            return true;
        }
        default: return false;
    }
}

bool append_boolean_value(ColumnBuilder& to, const TargetColumn& column, bool value) {
    switch (column.kind) {
        case TypeKind::boolean: to.append_boolean(value); return true;
        case TypeKind::string: to.append_text(value ? "true" : "false"); return true;
        case TypeKind::int64:
        case TypeKind::float64:
        case TypeKind::decimal:
            return column.declared && append_number_value(to, column, value ? "1" : "0", value ? 1 : 0);
        default: return false;
    }
}

DataType natural_number_type(std::string_view text, bool is_int64) {
    if (is_int64) return TypeKind::int64;
    if (text.find_first_of(".eE") == std::string_view::npos) {
        return parse_decimal(text, kDecimalDigitsMax, 0) ? DataType::decimal(0) : DataType(TypeKind::string);
    }
    return parse_float(text) ? TypeKind::float64 : TypeKind::string;
}

DataType natural_string_type(std::string_view text) {
    if (parse_date(text)) return TypeKind::date;
    const auto timestamp = parse_timestamp(text);
    if (!timestamp) return TypeKind::string;
    return timestamp->has_zone ? TypeKind::timestamp_tz : TypeKind::timestamp;
}

DataType natural_text_type(std::string_view text) {
    if (equals_ignoring_case(text, "true") || equals_ignoring_case(text, "false")) return TypeKind::boolean;
    JsonCursor cursor(text);
    JsonNumber number;
    if (!text.empty() && cursor.read_number(number) && number.text.size() == text.size()) {
        return natural_number_type(text, number.is_int64);
    }
    return natural_string_type(text);
}

Error misfit_error(const std::string& column, const DataType& type, std::string_view value) {
    std::string shown(value.substr(0, kValueShownMax));
    if (value.size() > kValueShownMax) shown = make_valid_utf8(shown) + "...";
    return Error(ErrorKind::bad_data,
                 "value does not fit its column: " + column + " is " + type.to_string() + ", the value is " + shown);
}

}  // namespace shaduf
