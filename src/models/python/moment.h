#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "models/host_object.h"

// datetime, date, time and timedelta of Python, on microseconds and the proleptic Gregorian calendar.
namespace shaduf::models {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// A zone of time, as tzinfo is.
class Zone : public jinja::Object {
public:
    // Seconds east of UTC, at a moment of UTC or of the wall clock of the zone (where that is twice, the first).
    virtual int32_t offset_at_utc(int64_t utc_micros) const = 0;
    virtual int32_t offset_at_local(int64_t local_micros) const = 0;
    virtual std::string name_at(int64_t utc_micros) const = 0;
    // A zone of pytz that is put into a datetime as it stands has the local mean time of old, until localize() or
    // astimezone() makes it follow the clock; this is it as these two make it.
    virtual jinja::Ref<Zone> following_clock() const {
        return jinja::Ref<Zone>(const_cast<Zone*>(this));  // NOLINT: counted
    }
};
jinja::Ref<Zone> utc_zone();
jinja::Ref<Zone> fixed_zone(int32_t offset_seconds);
// invalid_config: no zone of that name.
Result<jinja::Ref<Zone>> named_zone(const std::string& name);

struct Civil {
    int year;
    int month, day;  // from 1
    int hour, minute, second, micro;
    int weekday;      // 0: Monday
    int day_of_year;  // from 1
};
Civil civil_of(int64_t local_micros);
// nullopt: there is no such day or time.
std::optional<int64_t> micros_of(int64_t year, int64_t month, int64_t day, int64_t hour = 0, int64_t minute = 0,
                                 int64_t second = 0, int64_t micro = 0);

class TimeDelta final : public HostObject<TimeDelta> {
public:
    explicit TimeDelta(int64_t micros) : micros_(micros) {}
    int64_t micros() const { return micros_; }
    std::string_view type_name() const override { return "timedelta"; }
    std::string text() const override;
    std::string repr() const override;
    bool truth() const override { return micros_ != 0; }
    bool equals(const jinja::Object& other) const override;
    size_t hash() const override { return static_cast<size_t>(micros_); }
    std::optional<int> compare(const jinja::Value& other) const override;
    Result<std::optional<jinja::Value>> arithmetic(std::string_view symbol, const jinja::Value& other,
                                                   bool is_left) const override;
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    Result<jinja::Value> call_total_seconds(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    const int64_t micros_;
};

// A date, a time of day, or a moment of both, by its wall clock; a moment may know its zone.
class Moment final : public HostObject<Moment> {
public:
    enum class Kind : uint8_t { date, time, datetime };
    Moment(Kind kind, int64_t local_micros, jinja::Ref<Zone> zone = {})
        : kind_(kind), local_(local_micros), zone_(std::move(zone)) {}
    Kind kind() const { return kind_; }
    int64_t local_micros() const { return local_; }
    std::optional<int32_t> offset_seconds() const;
    int64_t utc_micros() const { return local_ - offset_seconds().value_or(0) * kMicrosPerSecond; }

    std::string_view type_name() const override;
    std::string text() const override;
    std::string repr() const override;
    bool equals(const jinja::Object& other) const override;
    size_t hash() const override { return static_cast<size_t>(utc_micros()); }
    std::optional<int> compare(const jinja::Value& other) const override;
    Result<std::optional<jinja::Value>> arithmetic(std::string_view symbol, const jinja::Value& other,
                                                   bool is_left) const override;
    std::string iso(char separator) const;
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    Result<jinja::Value> call_strftime(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_isoformat(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_date(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_time(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_timestamp(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_replace(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_astimezone(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_utcoffset(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_weekday(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_isoweekday(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_isocalendar(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_tzname(jinja::Vm& vm, const jinja::Arguments& arguments) const;

    const Kind kind_;
    const int64_t local_;
    const jinja::Ref<Zone> zone_;
};

jinja::Value moment_value(Moment::Kind kind, int64_t local_micros, jinja::Ref<Zone> zone = {});
jinja::Value timedelta_value(int64_t micros);

// strftime and strptime of Python, with the directives of C89 and %f, %z. strptime: nullopt where the text does not
// fit.
std::string format_moment(const Moment& moment, std::string_view format);
std::optional<jinja::Value> parse_moment(std::string_view text, std::string_view format);

}  // namespace shaduf::models
