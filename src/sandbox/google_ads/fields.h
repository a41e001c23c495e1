#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sandbox/google_ads/model.h"

namespace shaduf::sandbox::google_ads {

// An entry of change_status.
struct Change {
    std::string_view type;  // CAMPAIGN
    const Entity* entity = nullptr;
    int keyword = kNone;
    std::string time;
};

// One row before its fields are taken out of it: what it is of, its segments and its numbers. Entities live as long as
// the world.
struct Row {
    const World* world = nullptr;
    const Entity* account = nullptr;  // nullptr: the manager, or the closed one
    const Entity* campaign = nullptr;
    const Entity* ad_group = nullptr;
    const Entity* ad = nullptr;
    std::string_view client;  // of customer_client: its id
    const Change* change = nullptr;
    int keyword = kNone;
    int term = kNone;
    int place = kNone;
    int action = kNone;
    int device = kNone;
    int network = kNone;
    int32_t day = 0;
    int64_t click = kNone;
    Metrics numbers;
};

// monostate: null.
using Value = std::variant<std::monostate, int64_t, double, bool, std::string, std::vector<std::string>>;

enum class Category : uint8_t { resource, attribute, segment, metric };
enum class DataType : uint8_t { int64, int32, real, text, boolean, enumeration, date, resource_name };

struct Field {
    std::string_view name;
    Category category;
    DataType type;
    Value (*get)(const Row& row);
    bool is_repeated = false;
};

std::span<const Field> all_fields();
const Field* find_field(std::string_view name);
std::string_view to_string(Category category);
std::string_view to_string(DataType type);

// A resource that can stand behind FROM.
struct Resource {
    std::string_view name;
    std::string_view attributed;  // resources whose attributes can be selected with it, separated by spaces
    std::string_view segments;    // that can be selected with it
    bool has_metrics = false;
};
std::span<const Resource> all_resources();
const Resource* find_resource(std::string_view name);
// "customers/1/campaigns/2" of the row; "" where it has none.
std::string resource_name(std::string_view resource, const Row& row);
// Whether the resource can be selected FROM `resource`.
bool is_attributed(const Resource& resource, std::string_view other);
bool has_segment(const Resource& resource, std::string_view segment);  // "segments.date"

}  // namespace shaduf::sandbox::google_ads
