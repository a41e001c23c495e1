#include "sandbox/clevertap/events.h"

#include <algorithm>
#include <charconv>

#include "base/time.h"
#include "sandbox/world/dice.h"

namespace shaduf::sandbox::clevertap {
namespace {

constexpr uint64_t kUsers = 400;
// Between six and eleven, where no clock is changed.
constexpr int64_t kFirstSecond = 6 * 3600;
constexpr int64_t kSeconds = 17 * 3600;
constexpr int64_t kCentMicros = 10'000;

int64_t count_of(std::string_view name, const Metrics& metrics) {
    if (name == "Charged") return metrics.purchases;
    if (name == "Product Viewed") return metrics.link_clicks;
    return metrics.clicks;
}

int64_t stamp(int32_t day, int64_t second) {
    int64_t date = 0;
    const std::string text = compact_day(day);
    std::from_chars(text.data(), text.data() + text.size(), date);
    return ((date * 100 + second / 3600) * 100 + second / 60 % 60) * 100 + second % 60;
}

}  // namespace

bool is_event(std::string_view name) {
    return std::find(std::begin(kEvents), std::end(kEvents), name) != std::end(kEvents);
}

void for_each_event(const World& world, const Entity& project, std::string_view name, int32_t day,
                    const std::function<void(const Event&)>& each) {
    for (uint32_t i = project.first_ad; i < project.end_ad; ++i) {
        const Entity& ad = world.entity(Level::ad, i);
        const Metrics metrics = world.measure(ad, day);
        const int64_t count = count_of(name, metrics);
        const int64_t cents = metrics.purchase_value_micros / kCentMicros;
        for (int64_t n = 0; n < count; ++n) {
            const uint64_t rolled = dice(world.key_of(ad), static_cast<uint64_t>(day), name.size(), n);
            Event event;
            event.user = rolled % kUsers;
            event.ts = stamp(day, kFirstSecond + static_cast<int64_t>(dice(rolled, 1) % kSeconds));
            if (name == "Charged") event.amount = cents / count + (n < cents % count ? 1 : 0);
            each(event);
        }
    }
}

int64_t count_events(const World& world, const Entity& project, std::string_view name, int32_t day) {
    int64_t count = 0;
    for (uint32_t i = project.first_ad; i < project.end_ad; ++i)
        count += count_of(name, world.measure(world.entity(Level::ad, i), day));
    return count;
}

std::string identity_of(const Entity& project, uint64_t user) {
    return "user" + std::to_string(project.index) + "-" + std::to_string(user);
}

std::string object_id_of(const Entity& project, uint64_t user) {
    return "_s" + std::to_string(mix(uint64_t{project.index} * kUsers + user));
}

std::string compact_day(int32_t day) {
    std::string text = format_date(day);
    std::erase(text, '-');
    return text;
}

std::optional<int32_t> parse_compact_day(std::string_view text) {
    if (text.size() != 8) return std::nullopt;
    return parse_date(std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4, 2)) + "-" +
                      std::string(text.substr(6, 2)));
}

}  // namespace shaduf::sandbox::clevertap
