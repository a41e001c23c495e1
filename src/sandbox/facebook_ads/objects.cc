#include "sandbox/facebook_ads/objects.h"

#include <algorithm>
#include <array>

#include "sandbox/world/zone.h"

namespace shaduf::sandbox::facebook {
namespace {

struct Subject {
    const World& world;
    const Object& object;
    const Entity& entity;
    const FieldRequest& field;
    std::string_view name;  // under which it is written
};
using Write = void (*)(const Subject& at, JsonText& out);
struct Field {
    std::string_view name;
    Write write;
};

constexpr std::array<std::string_view, 5> kObjectives{"OUTCOME_SALES", "OUTCOME_TRAFFIC", "OUTCOME_AWARENESS",
                                                      "OUTCOME_LEADS", "OUTCOME_ENGAGEMENT"};

const AccountDetails& account_of(const Subject& at) { return at.world.details(at.entity); }

void put_time(const Subject& at, Timestamp moment, JsonText& out) {
    out.field(at.name, format_with_offset(moment, *account_of(at).zone));
}

void put_owner(const Subject& at, Level level, JsonText& out) {
    if (level <= at.entity.level) out.field(at.name, at.world.above(at.entity, level).id);
}

// An object in an object: {id}, and what was asked of it besides.
void put_inner(const Subject& at, const Object& inner, JsonText& out) {
    out.key(at.name);
    write_object(at.world, inner, at.field.parts, {}, out);
}

void put_money(const Subject& at, int64_t micros, JsonText& out) {
    out.field(at.name, minor_units(at.world, at.entity, micros));
}

std::string_view own_status(const Entity& entity) {
    if (entity.status == Status::active) return "ACTIVE";
    if (entity.status == Status::paused) return "PAUSED";
    return entity.kind / 4 % 2 == 0 ? "DELETED" : "ARCHIVED";
}

void put_end(const Subject& at, JsonText& out) {
    if (at.entity.end_day >= kNoEnd) return;  // it runs on
    put_time(at, account_of(at).zone->start_of(at.entity.end_day), out);
}

constexpr std::string_view kTargeting =
    R"({"age_max":65,"age_min":18,"geo_locations":{"countries":["DE"],"location_types":["home"]}})";
constexpr std::string_view kPixel = R"({"pixel_id":"905500123456789"})";
constexpr std::string_view kTracking = R"([{"action.type":["offsite_conversion"],"fb_pixel":["905500123456789"]}])";

constexpr auto kShared = std::to_array<Field>({
    {"account_id", [](const Subject& at, JsonText& out) { put_owner(at, Level::account, out); }},
    {"name", [](const Subject& at, JsonText& out) { out.field(at.name, at.entity.name); }},
    {"status", [](const Subject& at, JsonText& out) { out.field(at.name, own_status(at.entity)); }},
    {"configured_status", [](const Subject& at, JsonText& out) { out.field(at.name, own_status(at.entity)); }},
    {"effective_status",
     [](const Subject& at, JsonText& out) { out.field(at.name, effective_status(at.world, at.entity)); }},
    {"created_time", [](const Subject& at, JsonText& out) { put_time(at, at.entity.created, out); }},
    {"updated_time", [](const Subject& at, JsonText& out) { put_time(at, at.entity.updated, out); }},
    {"start_time",
     [](const Subject& at, JsonText& out) { put_time(at, account_of(at).zone->start_of(at.entity.first_day), out); }},
    {"stop_time", put_end},
    {"end_time", put_end},
    {"campaign_id", [](const Subject& at, JsonText& out) { put_owner(at, Level::campaign, out); }},
    {"adset_id", [](const Subject& at, JsonText& out) { put_owner(at, Level::ad_group, out); }},
    {"campaign",
     [](const Subject& at, JsonText& out) {
         put_inner(at, {ObjectType::campaign, &at.world.above(at.entity, Level::campaign)}, out);
     }},
    {"adset",
     [](const Subject& at, JsonText& out) {
         put_inner(at, {ObjectType::ad_set, &at.world.above(at.entity, Level::ad_group)}, out);
     }},
    {"creative", [](const Subject& at, JsonText& out) { put_inner(at, {ObjectType::creative, &at.entity}, out); }},
    {"objective", [](const Subject& at, JsonText& out) { out.field(at.name, objective_of(at.entity)); }},
    {"buying_type", [](const Subject& at, JsonText& out) { out.field(at.name, "AUCTION"); }},
    {"bid_strategy", [](const Subject& at, JsonText& out) { out.field(at.name, "LOWEST_COST_WITHOUT_CAP"); }},
    {"billing_event", [](const Subject& at, JsonText& out) { out.field(at.name, "IMPRESSIONS"); }},
    {"optimization_goal", [](const Subject& at, JsonText& out) { out.field(at.name, "LINK_CLICKS"); }},
    {"bid_amount",
     [](const Subject& at, JsonText& out) { out.field(at.name, static_cast<int64_t>(100 + at.entity.kind % 400)); }},
    {"daily_budget", [](const Subject& at, JsonText& out) { put_money(at, at.entity.daily_budget_micros, out); }},
    {"lifetime_budget", [](const Subject& at, JsonText& out) { out.field(at.name, "0"); }},
    {"budget_remaining",
     [](const Subject& at, JsonText& out) { put_money(at, at.entity.daily_budget_micros / 2, out); }},
    {"special_ad_categories", [](const Subject& at, JsonText& out) { out.key(at.name).raw("[]"); }},
    {"targeting", [](const Subject& at, JsonText& out) { out.key(at.name).raw(kTargeting); }},
    {"promoted_object", [](const Subject& at, JsonText& out) { out.key(at.name).raw(kPixel); }},
    {"tracking_specs", [](const Subject& at, JsonText& out) { out.key(at.name).raw(kTracking); }},
    {"conversion_specs",
     [](const Subject& at, JsonText& out) { out.key(at.name).raw(R"([{"action.type":["offsite_conversion"]}])"); }},
});

constexpr auto kOfAccounts = std::to_array<Field>({
    {"account_id", [](const Subject& at, JsonText& out) { out.field(at.name, at.entity.id); }},
    {"account_status", [](const Subject& at, JsonText& out) { out.field(at.name, int64_t{1}); }},
    {"currency", [](const Subject& at, JsonText& out) { out.field(at.name, account_of(at).currency); }},
    {"timezone_name", [](const Subject& at, JsonText& out) { out.field(at.name, account_of(at).time_zone); }},
    {"timezone_offset_hours_utc",
     [](const Subject& at, JsonText& out) {
         const double hours = account_of(at).zone->offset_at(at.world.now()) / 3600.0;
         const auto tenths = static_cast<int64_t>(hours * 10);
         out.key(at.name).raw(tenths % 10 == 0 ? std::to_string(tenths / 10) : std::to_string(hours));
     }},
    {"amount_spent",
     [](const Subject& at, JsonText& out) {
         const int32_t today = account_of(at).today;
         const Metrics all = at.world.measure_range(at.entity, at.world.first_day(), today);
         put_money(at, all.spend_micros, out);
     }},
    {"balance", [](const Subject& at, JsonText& out) { out.field(at.name, "0"); }},
    {"spend_cap", [](const Subject& at, JsonText& out) { out.field(at.name, "0"); }},
    {"business_name", [](const Subject& at, JsonText& out) { out.field(at.name, "Acme"); }},
    {"age", [](const Subject& at, JsonText& out) { out.key(at.name).raw("412.5"); }},
    {"disable_reason", [](const Subject& at, JsonText& out) { out.field(at.name, int64_t{0}); }},
    {"min_daily_budget", [](const Subject& at, JsonText& out) { out.field(at.name, int64_t{100}); }},
    {"is_personal", [](const Subject& at, JsonText& out) { out.field(at.name, int64_t{0}); }},
});

constexpr auto kOfCreatives = std::to_array<Field>({
    {"status", [](const Subject& at,
                  JsonText& out) { out.field(at.name, at.entity.status == Status::removed ? "DELETED" : "ACTIVE"); }},
    {"name", [](const Subject& at, JsonText& out) { out.field(at.name, at.entity.name + " creative"); }},
    {"title", [](const Subject& at, JsonText& out) { out.field(at.name, "Mugs for mornings"); }},
    {"body",
     [](const Subject& at, JsonText& out) { out.field(at.name, "Handmade, \"dishwasher-proof\" \xE2\x98\x95"); }},
    {"thumbnail_url",
     [](const Subject& at, JsonText& out) {
         out.field(at.name, "https://scontent.example.com/v/t45/" + at.entity.id + ".jpg");
     }},
    {"call_to_action_type", [](const Subject& at, JsonText& out) { out.field(at.name, "SHOP_NOW"); }},
    {"url_tags",
     [](const Subject& at, JsonText& out) { out.field(at.name, "utm_source=facebook&utm_content={{ad.id}}"); }},
    {"effective_object_story_id",
     [](const Subject& at, JsonText& out) { out.field(at.name, "104001234567890_" + at.entity.id); }},
    {"object_type", [](const Subject& at, JsonText& out) { out.field(at.name, "SHARE"); }},
    {"object_story_spec",
     [](const Subject& at, JsonText& out) {
         out.key(at.name).open('{').field("page_id", "104001234567890").key("link_data").open('{');
         out.field("link", "https://shop.example.com/?ad=" + at.entity.id).field("message", at.entity.name);
         out.close('}').close('}');
     }},
});

constexpr auto kOfActivities = std::to_array<Field>({
    {"event_type", [](const Subject& at, JsonText& out) { out.field(at.name, "update_campaign_budget"); }},
    {"translated_event_type", [](const Subject& at, JsonText& out) { out.field(at.name, "Campaign budget updated"); }},
    {"event_time", [](const Subject& at, JsonText& out) { put_time(at, at.entity.updated, out); }},
    {"date_time_in_timezone", [](const Subject& at, JsonText& out) { put_time(at, at.entity.updated, out); }},
    {"object_id", [](const Subject& at, JsonText& out) { out.field(at.name, at.entity.id); }},
    {"object_name", [](const Subject& at, JsonText& out) { out.field(at.name, at.entity.name); }},
    {"object_type", [](const Subject& at, JsonText& out) { out.field(at.name, "CAMPAIGN"); }},
    {"actor_id", [](const Subject& at, JsonText& out) { out.field(at.name, "104009876543210"); }},
    {"actor_name", [](const Subject& at, JsonText& out) { out.field(at.name, "Ada Example"); }},
    {"extra_data",
     [](const Subject& at, JsonText& out) {
         JsonText extra;
         extra.open('{')
             .field("old_value", int64_t{0})
             .field("new_value", minor_units(at.world, at.entity, at.entity.daily_budget_micros));
         out.field(at.name, extra.close('}').str());
     }},
});

template <size_t N>
Write find_in(const std::array<Field, N>& fields, std::string_view name) {
    for (const Field& field : fields) {
        if (field.name == name) return field.write;
    }
    return nullptr;
}

Write writer_of(ObjectType type, std::string_view name) {
    Write found = nullptr;
    if (type == ObjectType::account) found = find_in(kOfAccounts, name);
    if (type == ObjectType::creative) found = find_in(kOfCreatives, name);
    if (type == ObjectType::activity) return find_in(kOfActivities, name);
    return found != nullptr ? found : find_in(kShared, name);
}

std::string_view type_name(ObjectType type) {
    constexpr std::array<std::string_view, 6> kNames{"AdAccount", "Campaign",   "AdSet",
                                                     "Ad",        "AdCreative", "AdActivity"};
    return kNames[static_cast<size_t>(type)];
}

// What delivery_info says of it.
std::string_view delivery_of(const World& world, const Entity& entity) {
    const std::string_view status = effective_status(world, entity);
    if (status == "ACTIVE") return "active";
    if (status == "DELETED") return "deleted";
    if (status == "ARCHIVED") return "archived";
    return "inactive";
}

bool fits(const World& world, const Object& object, const EdgeQuery& query) {
    const Entity& entity = *object.entity;
    const std::string_view status = effective_status(world, entity);
    bool asks_for_status = !query.statuses.empty();
    const auto seconds = [](Timestamp moment) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(moment.time_since_epoch()).count());
    };
    for (const Filter& filter : query.filters) {
        const std::string_view field = std::string_view(filter.field).substr(filter.field.find('.') + 1);
        asks_for_status |= field.ends_with("status") || field == "delivery_info";
        const bool is_fit = field == "updated_time"     ? filter.fits(seconds(entity.updated))
                            : field == "created_time"   ? filter.fits(seconds(entity.created))
                            : field == "id"             ? filter.fits(entity.id)
                            : field == "name"           ? filter.fits(entity.name)
                            : field == "delivery_info"  ? filter.fits(delivery_of(world, entity))
                            : field.ends_with("status") ? filter.fits(status)
                                                        : true;
        if (!is_fit) return false;
    }
    if (!query.statuses.empty() &&
        std::find(query.statuses.begin(), query.statuses.end(), status) == query.statuses.end()) {
        return false;
    }
    if (object.type == ObjectType::activity) {
        return entity.version > 0 && (!query.since || entity.updated >= *query.since) &&
               (!query.until || entity.updated < *query.until);
    }
    const bool is_hidden = object.type != ObjectType::creative && (status == "DELETED" || status == "ARCHIVED");
    return asks_for_status || !is_hidden;
}

}  // namespace

std::string_view effective_status(const World& world, const Entity& entity) {
    if (entity.level == Level::account || entity.status != Status::active) return own_status(entity);
    for (auto level = static_cast<int>(entity.level) - 1; level > 0; --level) {
        if (world.above(entity, static_cast<Level>(level)).status == Status::active) continue;
        return level == 1 ? "CAMPAIGN_PAUSED" : "ADSET_PAUSED";
    }
    return "ACTIVE";
}

std::string_view objective_of(const Entity& campaign) { return kObjectives[campaign.kind % kObjectives.size()]; }

std::string creative_id(const Entity& ad) { return "1" + ad.id; }

std::string minor_units(const World& world, const Entity& entity, int64_t micros) {
    return std::to_string(micros / world.details(entity).coin_micros);
}

std::optional<Object> find_object(const World& world, std::string_view id) {
    if (id.starts_with("act_")) id.remove_prefix(4);
    constexpr std::array<ObjectType, 4> kTypes{ObjectType::account, ObjectType::campaign, ObjectType::ad_set,
                                               ObjectType::ad};
    for (size_t level = 0; level < kTypes.size(); ++level) {
        const Entity* entity = world.find(static_cast<Level>(level), id);
        if (entity != nullptr) return Object{kTypes[level], entity};
    }
    const Entity* ad = id.starts_with('1') ? world.find(Level::ad, id.substr(1)) : nullptr;
    if (ad != nullptr) return Object{ObjectType::creative, ad};
    return std::nullopt;
}

std::optional<GraphError> check_fields(ObjectType type, const std::vector<FieldRequest>& fields) {
    for (const FieldRequest& field : fields) {
        if (!is_object_field(type, field.name)) {
            return GraphError{.message = "(#100) Tried accessing nonexisting field (" + field.name +
                                         ") on node type (" + std::string(type_name(type)) + ")",
                              .code = 100};
        }
        std::optional<GraphError> error;
        if (field.name == "creative") error = check_fields(ObjectType::creative, field.parts);
        if (field.name == "campaign") error = check_fields(ObjectType::campaign, field.parts);
        if (field.name == "adset") error = check_fields(ObjectType::ad_set, field.parts);
        if (error) return error;
    }
    return std::nullopt;
}

void write_object(const World& world, const Object& object, const std::vector<FieldRequest>& fields,
                  const std::vector<FieldChange>& changes, JsonText& out) {
    const Entity& entity = *object.entity;
    out.open('{');
    for (const FieldRequest& field : fields) {
        if (field.name == "id") continue;  // comes last, as the API has it
        std::string_view written = field.name;
        for (const FieldChange& change : changes) {
            if (change.field != written) continue;
            written = change.kind == FieldChange::Kind::renamed   ? std::string_view(change.value)
                      : change.kind == FieldChange::Kind::removed ? std::string_view()
                                                                  : written;
        }
        const Write write = written.empty() ? nullptr : writer_of(object.type, field.name);
        if (write != nullptr) write({world, object, entity, field, written}, out);
    }
    for (const FieldChange& change : changes) {
        if (change.kind == FieldChange::Kind::added) out.key(change.field).raw(change.value);
    }
    if (object.type == ObjectType::account) out.field("id", "act_" + entity.id);
    if (object.type == ObjectType::creative) out.field("id", creative_id(entity));
    const bool is_plain =
        object.type == ObjectType::campaign || object.type == ObjectType::ad_set || object.type == ObjectType::ad;
    if (is_plain) out.field("id", entity.id);
    out.close('}');
}

std::vector<Object> list_edge(const World& world, const Entity& entity, const EdgeQuery& query) {
    constexpr std::array<Level, 6> kLevels{Level::account, Level::campaign, Level::ad_group,
                                           Level::ad,      Level::ad,       Level::campaign};
    const Level level = kLevels[static_cast<size_t>(query.type)];
    std::vector<Object> objects;
    if (level < entity.level) return objects;
    const auto [first, end] = world.below(entity, level);
    for (uint32_t i = first; i < end; ++i) {
        const Object object{query.type, &world.entity(level, i)};
        if (fits(world, object, query)) objects.push_back(object);
    }
    return objects;
}

std::string_view object_stream(ObjectType type) {
    constexpr std::array<std::string_view, 6> kNames{"accounts", "campaigns", "ad_sets",
                                                     "ads",      "creatives", "activities"};
    return kNames[static_cast<size_t>(type)];
}

}  // namespace shaduf::sandbox::facebook
