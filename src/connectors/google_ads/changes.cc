#include "connectors/google_ads/changes.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/text.h"
#include "base/time.h"
#include "connectors/google_ads/gaql.h"

namespace shaduf::google_ads {
namespace {

using nlohmann::json;

constexpr size_t kAnswerMax = 10'000;  // rows that one query of change_status may ask for
constexpr size_t kChangedMax = 20'000;
// Changes are told within minutes, and an hour of a year has two readings.
constexpr std::chrono::hours kOverlap{2};

// As the account's clocks read: "2026-11-01 13:00:00".
std::string local_time(const ads::Zone& zone, Timestamp time) {
    std::string text = format_timestamp(std::chrono::floor<std::chrono::seconds>(time + zone.offset_at(time)));
    text.pop_back();
    text[text.find('T')] = ' ';
    return text;
}

std::string change_query(const EntityShape& entity, const std::string& from, const std::string& to) {
    const std::string time = "change_status.last_change_date_time";
    return "SELECT change_status.resource_name, " + time + ", change_status.resource_type, " + entity.change_field +
           " FROM change_status WHERE " + time + " >= '" + from + "' AND " + time + " <= '" + to +
           "' AND change_status.resource_type = '" + entity.change_type + "' ORDER BY " + time + " LIMIT " +
           std::to_string(kAnswerMax);
}

}  // namespace

Result<std::optional<std::vector<std::string>>> changed_since(RunContext& run, const Api& api,
                                                              const ads::Account& account, const EntityShape& entity,
                                                              Timestamp since) {
    const ads::Zone zone = TRY(ads::Zone::find(account.time_zone));
    std::string from = local_time(zone, since - kOverlap);
    const std::string to = local_time(zone, run.clock.now() + std::chrono::days(1));
    const std::string member = camel_case(entity.change_field.substr(entity.change_field.find('.') + 1));
    std::vector<std::string> names;
    std::unordered_map<std::string, bool> known;
    for (;;) {
        const auto rows = TRY(api.rows(run, asked(account), change_query(entity, from, to)));
        std::string last;
        for (const std::string& row : rows) {
            const json document = json::parse(row, nullptr, false);
            const json status = document.is_object() ? document.value("changeStatus", json::object()) : json::object();
            if (!status.is_object()) continue;
            const json name = status.value(member, json());
            const json time = status.value("lastChangeDateTime", json());
            if (time.is_string()) last = time.get<std::string>();
            if (name.is_string() && known.emplace(name.get<std::string>(), true).second) names.push_back(name);
        }
        if (names.size() > kChangedMax) return std::optional<std::vector<std::string>>();
        if (rows.size() < kAnswerMax) return std::optional(std::move(names));
        // More than an answer holds within one instant: it cannot be passed.
        if (last.empty() || last == from) return std::optional<std::vector<std::string>>();
        from = last;
    }
}

std::string row_of_removed(const std::string& name, const EntityShape& entity) {
    const auto parts = split(std::string_view(name).substr(name.rfind('/') + 1), '~');
    if (parts.size() != entity.key_fields.size()) return "";
    json row = json::object();
    const auto set = [&](const std::string& field, std::string_view value) {
        json* at = &row;
        for (const std::string_view part : split(field, '.')) at = &(*at)[camel_case(part)];
        *at = value;
    };
    for (size_t i = 0; i < parts.size(); ++i) set(entity.key_fields[i], parts[i]);
    set(entity.status_field, "REMOVED");
    return row.dump();
}

}  // namespace shaduf::google_ads
