#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"
#include "sandbox/google_ads/query_run.h"

namespace shaduf::sandbox::google_ads {
namespace {

constexpr int32_t kKeptDays = 90;  // clicks and changes
constexpr int64_t kChangesMax = 10'000;
constexpr std::string_view kChangeTime = "change_status.last_change_date_time";

std::optional<Refusal> refuse(std::string code, const std::string& message, std::string trigger = {}) {
    return Refusal{"queryError", std::move(code), message, std::move(trigger)};
}

bool is_date(std::string_view field) {
    return field == "segments.date" || field == "segments.week" || field == "segments.month";
}

// `clause`: SELECT or WHERE.
std::optional<Refusal> check_field(const std::string& name, const Resource& resource, const std::string& clause) {
    const std::string prefix = name.substr(0, name.find('.'));
    if (name.ends_with(".resource_name") && find_resource(prefix) != nullptr) {
        if (is_attributed(resource, prefix)) return std::nullopt;
    } else {
        const Field* field = find_field(name);
        if (field == nullptr)
            return refuse("UNRECOGNIZED_FIELD", "Unrecognized field in the query: '" + name + "'.", name);
        if (field->category == Category::segment) {
            if (has_segment(resource, name)) return std::nullopt;
            return refuse("PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
                          "The segment " + name + " cannot be used with " + std::string(resource.name) + ".", name);
        }
        if (field->category == Category::metric) {
            const bool is_click = resource.name == "click_view" && name != "metrics.clicks";
            if (resource.has_metrics && !is_click) return std::nullopt;
            return refuse("PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
                          "The metric " + name + " cannot be used with " + std::string(resource.name) + ".", name);
        }
        if (is_attributed(resource, prefix)) return std::nullopt;
    }
    return refuse("PROHIBITED_RESOURCE_TYPE_IN_" + clause + "_CLAUSE",
                  "The resource " + prefix + " cannot be selected from " + std::string(resource.name) + ".", name);
}

std::optional<Refusal> check_together(const Gaql& gaql) {
    constexpr std::array<std::string_view, 4> kOfActions = {"metrics.conversions", "metrics.conversions_value",
                                                            "metrics.all_conversions", "metrics.all_conversions_value"};
    const auto is_action = [](const std::string& f) { return f.starts_with("segments.conversion_action"); };
    if (std::none_of(gaql.fields.begin(), gaql.fields.end(), is_action)) return std::nullopt;
    for (const std::string& field : gaql.fields) {
        if (!field.starts_with("metrics.")) continue;
        if (std::find(kOfActions.begin(), kOfActions.end(), field) == kOfActions.end())
            return refuse("PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
                          "The metric " + field + " cannot be segmented by conversion action.", field);
    }
    return std::nullopt;
}

std::optional<Refusal> check_values(const Condition& condition) {
    if (!is_date(condition.field) || condition.op == Operator::during) return std::nullopt;
    for (const std::string& value : condition.values) {
        if (!parse_date(value))
            return refuse("INVALID_DATE_FORMAT", "The date '" + value + "' is not YYYY-MM-DD.", value);
    }
    return std::nullopt;
}

std::optional<Refusal> check_changes(const Gaql& gaql, const World& world) {
    const auto wrong = [](std::string code, std::string message) {
        return std::optional(Refusal{"changeStatusError", std::move(code), std::move(message)});
    };
    std::string from;
    std::string to;
    for (const Condition& condition : gaql.conditions) {
        if (condition.field != kChangeTime) continue;
        const Operator op = condition.op;
        if (op == Operator::between || op == Operator::greater || op == Operator::greater_equal)
            from = condition.values.front();
        if (op == Operator::between || op == Operator::less || op == Operator::less_equal) to = condition.values.back();
    }
    if (from.empty() || to.empty())
        return wrong("CHANGE_DATE_RANGE_INFINITE",
                     "The change status search request must specify a finite range filter.");
    if (from > to) return wrong("CHANGE_DATE_RANGE_NEGATIVE", "The start of the range is behind its end.");
    if (from < format_date(world.settings().today - kKeptDays))
        return wrong("START_DATE_TOO_OLD", "The start date is too old: at most 90 days back.");
    if (!gaql.limit) return wrong("LIMIT_NOT_SPECIFIED", "The change status search request must specify a LIMIT.");
    if (*gaql.limit > kChangesMax) return wrong("INVALID_LIMIT_CLAUSE", "The LIMIT must be at most 10000.");
    return std::nullopt;
}

std::optional<Refusal> check_clicks(const Gaql& gaql, const World& world) {
    const int32_t today = world.settings().today;
    constexpr int32_t kFarAway = 3'000'000;
    const auto [first, last] = days_of(gaql, today, -kFarAway, kFarAway);
    if (first != last)
        return Refusal{"clickViewError", "EXPECTED_FILTER_ON_A_SINGLE_DAY", "Queries of click_view need one day."};
    if (first < today - kKeptDays) return Refusal{"clickViewError", "DATE_TOO_OLD", "Clicks are kept for 90 days."};
    return std::nullopt;
}

bool has_numbers(const Gaql& gaql) {
    return std::any_of(gaql.fields.begin(), gaql.fields.end(),
                       [](const std::string& f) { return f.starts_with("metrics."); });
}

}  // namespace

std::optional<Refusal> check_query(const Gaql& gaql, const World& world, std::string_view customer) {
    const Resource* resource = find_resource(gaql.resource);
    if (resource == nullptr)
        return refuse("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", "The resource '" + gaql.resource + "' is not known.",
                      gaql.resource);
    for (const std::string& field : gaql.fields) {
        if (auto wrong = check_field(field, *resource, "SELECT")) return wrong;
    }
    for (const Condition& condition : gaql.conditions) {
        if (auto wrong = check_field(condition.field, *resource, "WHERE")) return wrong;
        if (auto wrong = check_values(condition)) return wrong;
        const Field* field = find_field(condition.field);
        const bool is_attribute = field == nullptr || field->category == Category::attribute;
        if (!is_attribute && !is_date(condition.field) && !gaql.selects(condition.field))
            return refuse("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
                          "The field " + condition.field + " must be in the SELECT clause.", condition.field);
    }
    for (const Sorting& sorting : gaql.sortings) {
        if (!gaql.selects(sorting.field))
            return refuse("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
                          "The field " + sorting.field + " must be in the SELECT clause.", sorting.field);
    }
    if (auto wrong = check_together(gaql)) return wrong;
    if (customer == kManagerId && has_numbers(gaql))
        return refuse("REQUESTED_METRICS_FOR_MANAGER",
                      "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests "
                      "against each client account under the manager account.");
    if (gaql.resource == "change_status") return check_changes(gaql, world);
    if (gaql.resource == "click_view") return check_clicks(gaql, world);
    return std::nullopt;
}

}  // namespace shaduf::sandbox::google_ads
