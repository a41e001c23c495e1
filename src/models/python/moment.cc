#include "models/python/moment.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace shaduf::models {

using jinja::Arguments;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

namespace {

template <typename... Numbers>
std::string formatted(const char* format, Numbers... numbers) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, numbers...);
    return text.data();
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

int64_t integer_or(const Value& value, int64_t fallback) {
    return value.kind() == jinja::Kind::integer ? value.integer() : fallback;
}

std::optional<double> number_of(const Value& value) {
    if (value.kind() == jinja::Kind::integer) return static_cast<double>(value.integer());
    if (value.kind() == jinja::Kind::floating) return value.floating();
    return std::nullopt;
}

std::string offset_text(int32_t seconds, std::string_view between) {
    const int32_t all = seconds < 0 ? -seconds : seconds;
    return (seconds < 0 ? "-" : "+") + formatted("%02d", all / 3600) + std::string(between) +
           formatted("%02d", all / 60 % 60);
}

}  // namespace

Civil civil_of(int64_t local) {
    const int64_t days = floor_div(local, kMicrosPerDay);
    const int64_t rest = local - days * kMicrosPerDay;
    const auto sys = std::chrono::sys_days(std::chrono::days(days));
    const std::chrono::year_month_day ymd(sys);
    const auto first = std::chrono::sys_days(ymd.year() / std::chrono::January / 1);
    Civil civil{};
    civil.year = static_cast<int>(ymd.year());
    civil.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
    civil.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
    civil.hour = static_cast<int>(rest / (3600 * kMicrosPerSecond));
    civil.minute = static_cast<int>(rest / (60 * kMicrosPerSecond) % 60);
    civil.second = static_cast<int>(rest / kMicrosPerSecond % 60);
    civil.micro = static_cast<int>(rest % kMicrosPerSecond);
    civil.weekday = static_cast<int>(std::chrono::weekday(sys).iso_encoding()) - 1;
    civil.day_of_year = static_cast<int>((sys - first).count()) + 1;
    return civil;
}

std::optional<int64_t> micros_of(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second,
                                 int64_t micro) {
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
    if (micro < 0 || micro >= kMicrosPerSecond) return std::nullopt;
    const auto ymd =
        std::chrono::year(static_cast<int>(year)) / static_cast<unsigned>(month) / static_cast<unsigned>(day);
    if (!ymd.ok()) return std::nullopt;
    const int64_t days = std::chrono::sys_days(ymd).time_since_epoch().count();
    return days * kMicrosPerDay + ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + micro;
}

Value moment_value(Moment::Kind kind, int64_t local_micros, Ref<Zone> zone) {
    return {Ref<jinja::Object>(new Moment(kind, local_micros, std::move(zone)))};
}
Value timedelta_value(int64_t micros) { return {Ref<jinja::Object>(new TimeDelta(micros))}; }

// ----------------------------------------------------------------------------------------------------------- timedelta

std::string TimeDelta::text() const {
    const int64_t days = floor_div(micros_, kMicrosPerDay);
    const Civil rest = civil_of(micros_ - days * kMicrosPerDay);
    std::string text;
    if (days != 0) text = std::to_string(days) + (days == 1 || days == -1 ? " day, " : " days, ");
    text += formatted("%d:%02d:%02d", rest.hour, rest.minute, rest.second);
    return rest.micro == 0 ? text : text + formatted(".%06d", rest.micro);
}

std::string TimeDelta::repr() const {
    const int64_t days = floor_div(micros_, kMicrosPerDay);
    const int64_t rest = micros_ - days * kMicrosPerDay;
    std::string parts;
    const auto add = [&](const char* name, int64_t value) {
        if (value != 0) parts += (parts.empty() ? "" : ", ") + std::string(name) + "=" + std::to_string(value);
    };
    add("days", days);
    add("seconds", rest / kMicrosPerSecond);
    add("microseconds", rest % kMicrosPerSecond);
    return "datetime.timedelta(" + (parts.empty() ? "0" : parts) + ")";
}

bool TimeDelta::equals(const jinja::Object& other) const {
    const auto* that = dynamic_cast<const TimeDelta*>(&other);
    return that != nullptr && that->micros_ == micros_;
}

std::optional<int> TimeDelta::compare(const Value& other) const {
    const auto* that = other.object_as<TimeDelta>();
    if (that == nullptr) return std::nullopt;
    return micros_ < that->micros_ ? -1 : micros_ > that->micros_ ? 1 : 0;
}

Result<std::optional<Value>> TimeDelta::arithmetic(std::string_view symbol, const Value& other, bool is_left) const {
    const auto give = [](Value value) { return std::optional(std::move(value)); };
    if (const auto* that = other.object_as<TimeDelta>()) {
        const int64_t left = is_left ? micros_ : that->micros_;
        const int64_t right = is_left ? that->micros_ : micros_;
        if (symbol == "+") return give(timedelta_value(left + right));
        if (symbol == "-") return give(timedelta_value(left - right));
        const bool divides = symbol == "/" || symbol == "//" || symbol == "%";
        if (divides && right == 0) return Error(ErrorKind::invalid_config, "division by zero");
        if (symbol == "/") return give(Value(static_cast<double>(left) / static_cast<double>(right)));
        if (symbol == "//") return give(Value(floor_div(left, right)));
        return std::optional<Value>();
    }
    const auto number = number_of(other);
    if (!number) return std::optional<Value>();
    if (symbol == "*") return give(timedelta_value(static_cast<int64_t>(static_cast<double>(micros_) * *number)));
    if (!is_left || *number == 0) return std::optional<Value>();
    if (symbol == "/" || symbol == "//") {
        return give(timedelta_value(static_cast<int64_t>(static_cast<double>(micros_) / *number)));
    }
    return std::optional<Value>();
}

std::span<const TimeDelta::Method> TimeDelta::methods() {
    static constexpr std::array<Method, 1> kMethods = {{{"total_seconds", &TimeDelta::call_total_seconds}}};
    return kMethods;
}

Result<std::optional<Value>> TimeDelta::property(Vm&, std::string_view name) const {
    const int64_t days = floor_div(micros_, kMicrosPerDay);
    const int64_t rest = micros_ - days * kMicrosPerDay;
    if (name == "days") return std::optional(Value(days));
    if (name == "seconds") return std::optional(Value(rest / kMicrosPerSecond));
    if (name == "microseconds") return std::optional(Value(rest % kMicrosPerSecond));
    return std::optional<Value>();
}

Result<Value> TimeDelta::call_total_seconds(Vm&, const Arguments&) const {
    return Value(static_cast<double>(micros_) / static_cast<double>(kMicrosPerSecond));
}

// --------------------------------------------------------------------------------------------------------------
// moments

std::optional<int32_t> Moment::offset_seconds() const {
    if (!zone_) return std::nullopt;
    return zone_->offset_at_local(local_);
}

std::string_view Moment::type_name() const {
    return kind_ == Kind::date ? "date" : kind_ == Kind::time ? "time" : "datetime";
}

std::string Moment::iso(char separator) const {
    const Civil c = civil_of(local_);
    std::string text;
    if (kind_ != Kind::time) text = formatted("%04d-%02d-%02d", c.year, c.month, c.day);
    if (kind_ == Kind::date) return text;
    if (kind_ == Kind::datetime) text += separator;
    text += formatted("%02d:%02d:%02d", c.hour, c.minute, c.second);
    if (c.micro != 0) text += formatted(".%06d", c.micro);
    if (const auto offset = offset_seconds()) text += offset_text(*offset, ":");
    return text;
}

std::string Moment::text() const { return iso(' '); }

std::string Moment::repr() const {
    const Civil c = civil_of(local_);
    std::string parts;
    if (kind_ != Kind::time) parts = formatted("%d, %d, %d", c.year, c.month, c.day);
    if (kind_ != Kind::date) {
        parts += (parts.empty() ? "" : ", ") + formatted("%d, %d", c.hour, c.minute);
        if (c.second != 0 || c.micro != 0) parts += formatted(", %d", c.second);
        if (c.micro != 0) parts += formatted(", %d", c.micro);
    }
    if (zone_) parts += ", tzinfo=" + zone_->repr();
    return "datetime." + std::string(type_name()) + "(" + parts + ")";
}

bool Moment::equals(const jinja::Object& other) const {
    const auto* that = dynamic_cast<const Moment*>(&other);
    if (that == nullptr || that->kind_ != kind_ || !zone_ != !that->zone_) return false;
    return utc_micros() == that->utc_micros();
}

std::optional<int> Moment::compare(const Value& other) const {
    const auto* that = other.object_as<Moment>();
    if (that == nullptr || that->kind_ != kind_ || !zone_ != !that->zone_) return std::nullopt;
    return utc_micros() < that->utc_micros() ? -1 : utc_micros() > that->utc_micros() ? 1 : 0;
}

Result<std::optional<Value>> Moment::arithmetic(std::string_view symbol, const Value& other, bool is_left) const {
    const auto give = [](Value value) { return std::optional(std::move(value)); };
    if (kind_ == Kind::time) return std::optional<Value>();
    if (const auto* delta = other.object_as<TimeDelta>()) {
        int64_t step = delta->micros();
        if (kind_ == Kind::date) step = floor_div(step, kMicrosPerDay) * kMicrosPerDay;
        if (symbol == "+") return give(moment_value(kind_, local_ + step, zone_));
        if (symbol == "-" && is_left) return give(moment_value(kind_, local_ - step, zone_));
        return std::optional<Value>();
    }
    const auto* that = other.object_as<Moment>();
    if (that == nullptr || symbol != "-" || !is_left || that->kind_ != kind_) return std::optional<Value>();
    if (!zone_ != !that->zone_) {
        return Error(ErrorKind::invalid_config, "can't subtract offset-naive and offset-aware datetimes");
    }
    return give(timedelta_value(utc_micros() - that->utc_micros()));
}

std::span<const Moment::Method> Moment::methods() {
    static constexpr std::array<Method, 12> kMethods = {{
        {"strftime", &Moment::call_strftime},
        {"isoformat", &Moment::call_isoformat},
        {"date", &Moment::call_date},
        {"time", &Moment::call_time},
        {"timestamp", &Moment::call_timestamp},
        {"replace", &Moment::call_replace},
        {"astimezone", &Moment::call_astimezone},
        {"utcoffset", &Moment::call_utcoffset},
        {"weekday", &Moment::call_weekday},
        {"isoweekday", &Moment::call_isoweekday},
        {"isocalendar", &Moment::call_isocalendar},
        {"tzname", &Moment::call_tzname},
    }};
    return kMethods;
}

Result<std::optional<Value>> Moment::property(Vm&, std::string_view name) const {
    const Civil c = civil_of(local_);
    if (kind_ != Kind::time) {
        if (name == "year") return std::optional(Value(c.year));
        if (name == "month") return std::optional(Value(c.month));
        if (name == "day") return std::optional(Value(c.day));
    }
    if (kind_ != Kind::date) {
        if (name == "hour") return std::optional(Value(c.hour));
        if (name == "minute") return std::optional(Value(c.minute));
        if (name == "second") return std::optional(Value(c.second));
        if (name == "microsecond") return std::optional(Value(c.micro));
        if (name == "tzinfo") {
            return std::optional(zone_ ? Value(Ref<jinja::Object>(zone_.get())) : Value::none());
        }
    }
    return std::optional<Value>();
}

Result<Value> Moment::call_strftime(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"format"}}};
    return Value(format_moment(*this, TRY(jinja::bind_arguments("strftime", parameters, arguments))[0].text()));
}

Result<Value> Moment::call_isoformat(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"sep", Value("T")}, {"timespec", Value("auto")}}};
    const auto values = TRY(jinja::bind_arguments("isoformat", parameters, arguments));
    const std::string separator = values[0].text();
    std::string text = iso(separator.empty() ? 'T' : separator[0]);
    const size_t point = text.find('.');
    if (values[1].text() == "seconds" && point != std::string::npos) text.erase(point, 7);
    return Value(text);
}

Result<Value> Moment::call_date(Vm&, const Arguments&) const {
    return moment_value(Kind::date, floor_div(local_, kMicrosPerDay) * kMicrosPerDay);
}

Result<Value> Moment::call_time(Vm&, const Arguments&) const {
    return moment_value(Kind::time, local_ - floor_div(local_, kMicrosPerDay) * kMicrosPerDay);
}

Result<Value> Moment::call_timestamp(Vm&, const Arguments&) const {
    return Value(static_cast<double>(utc_micros()) / static_cast<double>(kMicrosPerSecond));
}

Result<Value> Moment::call_replace(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 8> parameters = {{{"year", Value::none()},
                                                  {"month", Value::none()},
                                                  {"day", Value::none()},
                                                  {"hour", Value::none()},
                                                  {"minute", Value::none()},
                                                  {"second", Value::none()},
                                                  {"microsecond", Value::none()},
                                                  {"tzinfo", Value()}}};
    const auto v = TRY(jinja::bind_arguments("replace", parameters, arguments));
    const Civil c = civil_of(local_);
    const auto micros = micros_of(integer_or(v[0], c.year), integer_or(v[1], c.month), integer_or(v[2], c.day),
                                  integer_or(v[3], c.hour), integer_or(v[4], c.minute), integer_or(v[5], c.second),
                                  integer_or(v[6], c.micro));
    if (!micros) return Error(ErrorKind::invalid_config, "day is out of range for month");
    Ref<Zone> zone = zone_;
    if (v[7].is_none()) zone = {};
    if (auto* given = v[7].object_as<Zone>()) zone = Ref<Zone>(given);
    return moment_value(kind_, *micros, std::move(zone));
}

// One without a zone is taken for UTC, in which shaduf counts.
Result<Value> Moment::call_astimezone(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"tz", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("astimezone", parameters, arguments));
    Ref<Zone> zone = utc_zone();
    if (auto* given = values[0].object_as<Zone>()) zone = Ref<Zone>(given);
    zone = zone->following_clock();
    const int64_t utc = utc_micros();
    const int64_t local = utc + zone->offset_at_utc(utc) * kMicrosPerSecond;
    return moment_value(kind_, local, std::move(zone));
}

Result<Value> Moment::call_utcoffset(Vm&, const Arguments&) const {
    const auto offset = offset_seconds();
    return offset ? timedelta_value(*offset * kMicrosPerSecond) : Value::none();
}

Result<Value> Moment::call_tzname(Vm&, const Arguments&) const {
    return zone_ ? Value(zone_->name_at(utc_micros())) : Value::none();
}

Result<Value> Moment::call_weekday(Vm&, const Arguments&) const { return Value(civil_of(local_).weekday); }
Result<Value> Moment::call_isoweekday(Vm&, const Arguments&) const { return Value(civil_of(local_).weekday + 1); }

// The week of a day is that of its Thursday.
Result<Value> Moment::call_isocalendar(Vm&, const Arguments&) const {
    const Civil c = civil_of(local_);
    const Civil thursday = civil_of(local_ + (3 - c.weekday) * kMicrosPerDay);
    return Value::tuple({Value(thursday.year), Value((thursday.day_of_year - 1) / 7 + 1), Value(c.weekday + 1)});
}

}  // namespace shaduf::models
