#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/world/world.h"

// What the users of a project did. Events have no id, and come in the order of nothing.
namespace shaduf::sandbox::clevertap {

inline constexpr std::string_view kEvents[] = {"App Launched", "Charged", "Product Viewed"};
inline constexpr std::string_view kNotExported = "Notification Sent";  // an event that CleverTap keeps to itself
bool is_event(std::string_view name);

struct Event {
    uint64_t user = 0;   // in its project
    int64_t ts = 0;      // 20260131235959, of the project's time zone
    int64_t amount = 0;  // in hundredths of the currency; of Charged
};
// Events of a name on a day of the project, the same each time they are asked for.
void for_each_event(const World& world, const Entity& project, std::string_view name, int32_t day,
                    const std::function<void(const Event&)>& each);
int64_t count_events(const World& world, const Entity& project, std::string_view name, int32_t day);

std::string identity_of(const Entity& project, uint64_t user);
std::string object_id_of(const Entity& project, uint64_t user);
// "20260131"
std::string compact_day(int32_t day);
// nullopt: no day of a calendar.
std::optional<int32_t> parse_compact_day(std::string_view text);

}  // namespace shaduf::sandbox::clevertap
