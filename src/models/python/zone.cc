#include <date/tz.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "models/python/moment.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

// What pytz's zones have besides: localize(datetime).
Result<std::optional<Value>> call_zone_method(const Zone& zone, std::string_view name, const Arguments& arguments) {
    if (name == "localize" || name == "normalize") {
        const std::array<Parameter, 2> parameters = {{{"dt"}, {"is_dst", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments(name, parameters, arguments));
        const auto* moment = values[0].object_as<Moment>();
        if (moment == nullptr) return Error(ErrorKind::invalid_config, std::string(name) + "() takes a datetime");
        return std::optional(moment_value(Moment::Kind::datetime, moment->local_micros(), zone.following_clock()));
    }
    return std::optional<Value>();
}

class FixedZone final : public Zone {
public:
    explicit FixedZone(int32_t offset) : offset_(offset) {}
    std::string_view type_name() const override { return "timezone"; }
    int32_t offset_at_utc(int64_t) const override { return offset_; }
    int32_t offset_at_local(int64_t) const override { return offset_; }
    std::string name_at(int64_t) const override {
        if (offset_ == 0) return "UTC";
        std::array<char, 32> text{};
        const int all = offset_ < 0 ? -offset_ : offset_;
        std::snprintf(text.data(), text.size(), "UTC%c%02d:%02d", offset_ < 0 ? '-' : '+', all / 3600, all / 60 % 60);
        return text.data();
    }
    std::string text() const override { return name_at(0); }
    std::string repr() const override { return offset_ == 0 ? "<UTC>" : "datetime.timezone(" + name_at(0) + ")"; }
    Result<std::optional<Value>> call_method(Vm&, std::string_view name, const Arguments& arguments) const override {
        return call_zone_method(*this, name, arguments);
    }

private:
    const int32_t offset_;
};

class NamedZone final : public Zone {
public:
    enum class Follows : uint8_t { mean_time, clock };
    NamedZone(const date::time_zone* zone, Follows follows) : zone_(zone), follows_(follows) {}
    std::string_view type_name() const override { return "DstTzInfo"; }
    Ref<Zone> following_clock() const override { return Ref<Zone>(new NamedZone(zone_, Follows::clock)); }
    int32_t offset_at_utc(int64_t utc) const override {
        if (follows_ == Follows::mean_time) return mean_time();
        return static_cast<int32_t>(
            zone_->get_info(date::sys_time<std::chrono::microseconds>(std::chrono::microseconds(utc))).offset.count());
    }
    int32_t offset_at_local(int64_t local) const override {
        if (follows_ == Follows::mean_time) return mean_time();
        const auto info =
            zone_->get_info(date::local_time<std::chrono::microseconds>(std::chrono::microseconds(local)));
        return static_cast<int32_t>(info.first.offset.count());
    }
    std::string name_at(int64_t utc) const override {
        return zone_->get_info(date::sys_time<std::chrono::microseconds>(std::chrono::microseconds(utc))).abbrev;
    }
    std::string text() const override { return zone_->name(); }
    std::string repr() const override { return "<DstTzInfo '" + zone_->name() + "'>"; }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        return name == "zone" ? std::optional(Value(zone_->name())) : std::nullopt;
    }
    Result<std::optional<Value>> call_method(Vm&, std::string_view name, const Arguments& arguments) const override {
        return call_zone_method(*this, name, arguments);
    }

private:
    // Before the first change of clocks, to whole minutes.
    int32_t mean_time() const {
        const auto first = zone_->get_info(date::sys_days(date::year(1800) / 1 / 1));
        const auto seconds = static_cast<int32_t>(first.offset.count());
        return static_cast<int32_t>(std::lround(static_cast<double>(seconds) / 60)) * 60;
    }

    const date::time_zone* zone_;
    const Follows follows_;
};

}  // namespace

Ref<Zone> fixed_zone(int32_t offset_seconds) { return Ref<Zone>(new FixedZone(offset_seconds)); }
Ref<Zone> utc_zone() { return fixed_zone(0); }

Result<Ref<Zone>> named_zone(const std::string& name) {
    if (name == "UTC" || name == "utc") return utc_zone();
    try {
        return Ref<Zone>(new NamedZone(date::locate_zone(name), NamedZone::Follows::mean_time));
    } catch (const std::exception&) {
        return Error(ErrorKind::invalid_config, "no such time zone: " + name + "; give one like Europe/Berlin");
    }
}

}  // namespace shaduf::models
