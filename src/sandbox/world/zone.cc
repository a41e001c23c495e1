#include "sandbox/world/zone.h"

#include <date/tz.h>

#include <array>
#include <cstdio>
#include <exception>

#include "base/time.h"

namespace shaduf::sandbox {
namespace {

class NamedZone final : public Zone {
public:
    explicit NamedZone(const date::time_zone* zone) : zone_(zone) {}
    int32_t offset_at(Timestamp moment) const override {
        return static_cast<int32_t>(zone_->get_info(moment).offset.count());
    }

private:
    const date::time_zone* zone_;
};

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::find(const std::string& name) {
    try {
        return std::shared_ptr<const Zone>(std::make_shared<NamedZone>(date::locate_zone(name)));
    } catch (const std::exception&) {
        return Error(ErrorKind::invalid_config, "time zone not found: " + name + "; give one such as Europe/Berlin");
    }
}

int32_t Zone::day_at(Timestamp moment) const {
    const auto local = moment + std::chrono::seconds(offset_at(moment));
    return static_cast<int32_t>(std::chrono::floor<std::chrono::days>(local).time_since_epoch().count());
}

Timestamp Zone::start_of(int32_t day) const {
    const Timestamp midnight{std::chrono::days(day)};
    const Timestamp guess = midnight - std::chrono::seconds(offset_at(midnight));
    return midnight - std::chrono::seconds(offset_at(guess));
}

std::string format_with_offset(Timestamp moment, const Zone& zone) {
    const int32_t offset = zone.offset_at(moment);
    const auto local = std::chrono::floor<std::chrono::seconds>(moment + std::chrono::seconds(offset));
    std::array<char, 16> text{};
    const int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    std::snprintf(text.data(), text.size(), "%c%02d%02d", offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(local.time_since_epoch()).count();
    return format_timestamp(micros, false) + text.data();
}

}  // namespace shaduf::sandbox
