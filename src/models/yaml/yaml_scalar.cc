#include "models/yaml/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace shaduf::models {
namespace {

constexpr size_t kDigitsMax = 4300;  // as Python's int()

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_sign(char c) { return c == '-' || c == '+'; }

// Takes characters off the front of a scalar, to match it against a pattern.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_(text) {}
    bool done() const { return rest_.empty(); }
    bool take(char c) {
        return take_if([c](char x) { return x == c; });
    }
    template <typename Predicate>
    bool take_if(Predicate predicate) {
        if (rest_.empty() || !predicate(rest_.front())) return false;
        rest_.remove_prefix(1);
        return true;
    }
    template <typename Predicate>
    size_t take_while(Predicate predicate, size_t at_most = std::numeric_limits<size_t>::max()) {
        size_t taken = 0;
        while (taken < at_most && take_if(predicate)) ++taken;
        return taken;
    }
    // Digits as a number; -1 when there are fewer than `at_least`.
    int number(size_t at_least, size_t at_most) {
        int value = 0;
        size_t taken = 0;
        while (taken < at_most && !rest_.empty() && is_digit(rest_.front())) {
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
            ++taken;
        }
        return taken < at_least ? -1 : value;
    }
    // ":5" or ":59", as often as they come.
    size_t take_sixties() {
        size_t taken = 0;
        for (; !rest_.empty() && rest_.front() == ':'; ++taken) {
            size_t length = 1;
            if (rest_.size() > 2 && rest_[1] >= '0' && rest_[1] <= '5' && is_digit(rest_[2])) {
                length = 3;
            } else if (rest_.size() > 1 && is_digit(rest_[1])) {
                length = 2;
            }
            if (length == 1) return taken;
            rest_.remove_prefix(length);
        }
        return taken;
    }

private:
    std::string_view rest_;
};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_boolean(std::string_view text) {
    return is_one_of(text, {"yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE",
                            "on", "On", "ON", "off", "Off", "OFF"});
}

bool is_real(std::string_view text) {
    const auto digit = [](char c) { return is_digit(c) || c == '_'; };
    const auto exponent = [](Cursor& cursor) {
        if (!cursor.take_if([](char c) { return c == 'e' || c == 'E'; })) return true;
        return cursor.take_if(is_sign) && cursor.take_while(is_digit) > 0;
    };
    if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return true;
    Cursor cursor(text);
    const bool has_sign = cursor.take_if(is_sign);
    if (is_one_of(text.substr(has_sign ? 1 : 0), {".inf", ".Inf", ".INF"})) return true;
    if (cursor.take_if(is_digit)) {
        cursor.take_while(digit);
        const bool sixties = cursor.take_sixties() > 0;
        if (!cursor.take('.')) return false;
        cursor.take_while(digit);
        return (sixties || exponent(cursor)) && cursor.done();
    }
    if (has_sign || !cursor.take('.') || !cursor.take_if(is_digit)) return false;
    cursor.take_while(digit);
    return exponent(cursor) && cursor.done();
}

bool is_integer(std::string_view text) {
    const auto all = [](std::string_view digits, auto predicate) {
        return !digits.empty() && std::all_of(digits.begin(), digits.end(), predicate);
    };
    if (!text.empty() && is_sign(text.front())) text.remove_prefix(1);
    if (text.empty() || !is_digit(text.front())) return false;
    if (text == "0") return true;
    const auto tail = text.substr(1);
    if (text.front() == '0') {
        if (tail.front() == 'b') return all(tail.substr(1), [](char c) { return c == '0' || c == '1' || c == '_'; });
        if (tail.front() == 'x') {
            return all(tail.substr(1), [](char c) {
                return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '_';
            });
        }
        return all(tail, [](char c) { return (c >= '0' && c <= '7') || c == '_'; });
    }
    Cursor cursor(tail);
    cursor.take_while([](char c) { return is_digit(c) || c == '_'; });
    cursor.take_sixties();
    return cursor.done();
}

struct TimestampParts {
    int year = 0, month = 0, day = 0, hour = -1, minute = 0, second = 0;
    int micros = 0;
    bool has_zone = false;
    int zone_minutes = 0;
};

int read_fraction(Cursor& cursor) {
    int value = 0;
    int digits = 0;
    for (; digits < 6; ++digits) {
        const int digit = cursor.number(1, 1);
        if (digit < 0) break;
        value = value * 10 + digit;
    }
    cursor.take_while(is_digit);
    for (; digits < 6; ++digits) value *= 10;
    return value;
}

bool read_zone(Cursor& cursor, TimestampParts& parts) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (cursor.done()) return true;
    cursor.take_while(blank);
    parts.has_zone = true;
    if (cursor.take('Z')) return cursor.done();
    const bool minus = cursor.take('-');
    if (!minus && !cursor.take('+')) return false;
    const int hours = cursor.number(1, 2);
    const int minutes = cursor.take(':') ? cursor.number(2, 2) : 0;
    if (hours < 0 || minutes < 0) return false;
    parts.zone_minutes = (hours * 60 + minutes) * (minus ? -1 : 1);
    return cursor.done();
}

bool read_timestamp(std::string_view text, TimestampParts& parts) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    Cursor cursor(text);
    parts.year = cursor.number(4, 4);
    if (parts.year < 0 || !cursor.take('-')) return false;
    parts.month = cursor.number(1, 2);
    if (parts.month < 0 || !cursor.take('-')) return false;
    parts.day = cursor.number(1, 2);
    if (parts.day < 0) return false;
    if (cursor.done()) return text.size() == 10;  // a date alone has two digits each
    if (!cursor.take('T') && !cursor.take('t') && cursor.take_while(blank) == 0) return false;
    parts.hour = cursor.number(1, 2);
    if (parts.hour < 0 || !cursor.take(':')) return false;
    parts.minute = cursor.number(2, 2);
    if (parts.minute < 0 || !cursor.take(':')) return false;
    parts.second = cursor.number(2, 2);
    if (parts.second < 0) return false;
    if (cursor.take('.')) parts.micros = read_fraction(cursor);
    return read_zone(cursor, parts);
}

Error no_value(std::string what, std::string_view text) {
    return Error(ErrorKind::bad_data,
                 std::move(what) + ": " + std::string(text) + "; put it in quotes if it is a text");
}

void append_padded(std::string& out, int value, int width) {
    const std::string digits = std::to_string(value);
    out.append(static_cast<size_t>(std::max(0, width - static_cast<int>(digits.size()))), '0');
    out += digits;
}

Result<ScalarValue> timestamp_value(std::string_view text) {
    using namespace std::chrono;
    TimestampParts parts;
    if (!read_timestamp(text, parts)) return no_value("not a date", text);
    const year_month_day date{year(parts.year), month(static_cast<unsigned>(parts.month)),
                              day(static_cast<unsigned>(parts.day))};
    const bool time_exists = parts.hour < 24 && parts.minute < 60 && parts.second < 60;
    if (!date.ok() || parts.year == 0) return no_value("there is no such day", text);
    if (!time_exists || std::abs(parts.zone_minutes) >= 24 * 60) return no_value("there is no such time", text);
    ScalarValue value;
    value.kind = parts.hour < 0 ? YamlKind::date : YamlKind::datetime;
    append_padded(value.text, parts.year, 4);
    append_padded(value.text += '-', parts.month, 2);
    append_padded(value.text += '-', parts.day, 2);
    if (parts.hour < 0) return value;
    append_padded(value.text += 'T', parts.hour, 2);
    append_padded(value.text += ':', parts.minute, 2);
    append_padded(value.text += ':', parts.second, 2);
    if (parts.micros > 0) append_padded(value.text += '.', parts.micros, 6);
    if (parts.has_zone) {
        value.text += parts.zone_minutes < 0 ? '-' : '+';
        append_padded(value.text, std::abs(parts.zone_minutes) / 60, 2);
        append_padded(value.text += ':', std::abs(parts.zone_minutes) % 60, 2);
    }
    return value;
}

// Decimal digits of a number of any size, made by multiplying and adding.
class Decimal {
public:
    void multiply_add(uint32_t factor, uint32_t addend) {
        uint64_t carry = addend;
        for (uint32_t& part : parts_) {
            carry += static_cast<uint64_t>(part) * factor;
            part = static_cast<uint32_t>(carry % kBase);
            carry /= kBase;
        }
        if (carry > 0) parts_.push_back(static_cast<uint32_t>(carry));
    }
    std::string digits() const {
        if (parts_.empty()) return "0";
        std::string text = std::to_string(parts_.back());
        for (size_t i = parts_.size() - 1; i-- > 0;) append_padded(text, static_cast<int>(parts_[i]), 9);
        return text;
    }

private:
    static constexpr uint64_t kBase = 1'000'000'000;
    std::vector<uint32_t> parts_;
};

int digit_value(char c) {
    if (is_digit(c)) return c - '0';
    return (c | 0x20) - 'a' + 10;
}

ScalarValue whole_number(const std::string& digits, bool negative) {
    const std::string text = (negative && digits != "0" ? "-" : "") + digits;
    ScalarValue value;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value.integer);
    value.kind = read.ec == std::errc{} ? YamlKind::integer : YamlKind::big_integer;
    if (value.kind == YamlKind::big_integer) value.text = text;
    return value;
}

Result<ScalarValue> integer_value(std::string_view text) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '_'; });
    const bool negative = digits[0] == '-';
    if (is_sign(digits[0])) digits.erase(0, 1);
    if (digits.size() > kDigitsMax) return no_value("a number of more than 4,300 digits", text.substr(0, 20));
    uint32_t base = 10;
    Decimal decimal;
    if (digits.find(':') != std::string::npos) {
        uint32_t part = 0;
        bool first = true;
        for (const char c : digits + ':') {
            if (c != ':') {
                if (first) decimal.multiply_add(10, static_cast<uint32_t>(c - '0'));
                part = part * 10 + static_cast<uint32_t>(c - '0');
                continue;
            }
            if (!first) decimal.multiply_add(60, part);
            first = false;
            part = 0;
        }
        return whole_number(decimal.digits(), negative);
    }
    if (digits.size() > 1 && digits[0] == '0') {
        base = digits[1] == 'b' ? 2 : digits[1] == 'x' ? 16 : 8;
        digits.erase(0, base == 8 ? 1 : 2);
        if (digits.empty()) return no_value("a number without digits", text);
    }
    for (const char c : digits) decimal.multiply_add(base, static_cast<uint32_t>(digit_value(c)));
    return whole_number(decimal.digits(), negative);
}

double decimal_value(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

ScalarValue real_value(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c != '_') digits += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    ScalarValue value;
    value.kind = YamlKind::real;
    const double sign = digits[0] == '-' ? -1.0 : 1.0;
    if (is_sign(digits[0])) digits.erase(0, 1);
    if (digits == ".inf") {
        value.real = sign * std::numeric_limits<double>::infinity();
    } else if (digits == ".nan") {
        value.real = std::numeric_limits<double>::quiet_NaN();
    } else if (digits.find(':') != std::string::npos) {
        double base = 1;
        double sum = 0;
        while (!digits.empty()) {  // from the right, as Python sums them
            const auto colon = digits.rfind(':');
            sum += decimal_value(colon == std::string::npos ? digits : digits.substr(colon + 1)) * base;
            base *= 60;
            digits.resize(colon == std::string::npos ? 0 : colon);
        }
        value.real = sign * sum;
    } else {
        value.real = sign * decimal_value(digits);
    }
    return value;
}

}  // namespace

YamlTag implicit_tag(std::string_view plain) {
    if (plain.empty() || is_one_of(plain, {"~", "null", "Null", "NULL"})) return YamlTag::null;
    const char first = plain.front();
    if (first == '<') return plain == "<<" ? YamlTag::merge : YamlTag::text;
    if (first == '=') return plain == "=" ? YamlTag::value : YamlTag::text;
    if (!is_digit(first) && !is_sign(first) && first != '.') {
        constexpr std::string_view kBooleanStarts = "yYnNtTfFoO";
        const bool may = plain.size() <= 5 && kBooleanStarts.find(first) != std::string_view::npos;
        return may && is_boolean(plain) ? YamlTag::boolean : YamlTag::text;
    }
    if (is_real(plain)) return YamlTag::real;
    if (is_integer(plain)) return YamlTag::integer;
    TimestampParts parts;
    if (is_digit(first) && read_timestamp(plain, parts)) return YamlTag::timestamp;
    return YamlTag::text;
}

Result<ScalarValue> read_scalar(YamlTag tag, std::string_view text) {
    ScalarValue value;
    switch (tag) {
        case YamlTag::null: value.kind = YamlKind::null; return value;
        case YamlTag::boolean: {
            std::string lower(text);
            for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
            value.kind = YamlKind::boolean;
            value.boolean = is_one_of(lower, {"yes", "true", "on"});
            if (!value.boolean && !is_one_of(lower, {"no", "false", "off"})) return no_value("not a boolean", text);
            return value;
        }
        case YamlTag::integer:
            if (!is_integer(text)) return no_value("not a whole number", text);
            return integer_value(text);
        case YamlTag::real:
            if (!is_real(text) && !is_integer(text)) return no_value("not a number", text);
            return real_value(text);
        case YamlTag::timestamp: return timestamp_value(text);
        case YamlTag::text:
        case YamlTag::merge:
        case YamlTag::value: break;
    }
    value.text = text;
    return value;
}

}  // namespace shaduf::models
