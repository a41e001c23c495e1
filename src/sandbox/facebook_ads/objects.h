#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/facebook_ads/params.h"
#include "sandbox/frame/json_text.h"
#include "sandbox/platform.h"
#include "sandbox/world/world.h"

namespace shaduf::sandbox::facebook {

enum class ObjectType : uint8_t { account, campaign, ad_set, ad, creative, activity };

// One object: an entity seen as one of these. Of a creative it is the ad that shows it, of an activity what was
// changed.
struct Object {
    ObjectType type;
    const Entity* entity;
};

std::string_view effective_status(const World& world, const Entity& entity);
std::string_view objective_of(const Entity& campaign);
std::string creative_id(const Entity& ad);
// "1050", in the smallest coin of the account's currency.
std::string minor_units(const World& world, const Entity& entity, int64_t micros);

// nullopt: nothing has this id. Accounts are found with and without "act_".
std::optional<Object> find_object(const World& world, std::string_view id);

// Whether the API knows the field at all; object_fields.cc has their names.
bool is_object_field(ObjectType type, std::string_view name);
// The error that asking for these fields is; nullopt: none.
std::optional<GraphError> check_fields(ObjectType type, const std::vector<FieldRequest>& fields);
// REQUIRES: checked fields.
void write_object(const World& world, const Object& object, const std::vector<FieldRequest>& fields,
                  const std::vector<FieldChange>& changes, JsonText& out);

// The objects of an edge that fit, in order of creation. Deleted and archived ones only where a condition asks for a
// status.
struct EdgeQuery {
    ObjectType type;
    std::vector<Filter> filters;
    std::vector<std::string> statuses;  // of the parameter effective_status
    std::optional<Timestamp> since;     // of activities
    std::optional<Timestamp> until;
};
std::vector<Object> list_edge(const World& world, const Entity& entity, const EdgeQuery& query);

// "campaigns", "ad_sets": as the truth and scenarios call them.
std::string_view object_stream(ObjectType type);

}  // namespace shaduf::sandbox::facebook
