#include "sandbox/google_ads/answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sandbox/google_ads/fields.h"
#include "sandbox/google_ads/query_run.h"

namespace shaduf::sandbox::google_ads {
namespace {

using Json = nlohmann::ordered_json;

std::string status_of(const Refusal& refusal) {
    switch (refusal.http) {
        case 401: return "UNAUTHENTICATED";
        case 403: return "PERMISSION_DENIED";
        case 404: return "NOT_FOUND";
        case 429: return "RESOURCE_EXHAUSTED";
        case 500: return "INTERNAL";
        case 503: return "UNAVAILABLE";
        case 504: return "DEADLINE_EXCEEDED";
        default: return "INVALID_ARGUMENT";
    }
}

Json error_of(const Refusal& refusal, std::string_view version) {
    Json entry{{"errorCode", {{refusal.type, refusal.code}}}, {"message", refusal.message}};
    if (!refusal.trigger.empty()) entry["trigger"] = {{"stringValue", refusal.trigger}};
    if (!refusal.retry_delay.empty()) {
        entry["details"] = {{"quotaErrorDetails",
                             {{"rateScope", refusal.rate_scope.empty() ? "DEVELOPER" : refusal.rate_scope},
                              {"rateName", "Number of operations"},
                              {"retryDelay", refusal.retry_delay}}}};
    }
    const std::string type =
        "type.googleapis.com/google.ads.googleads." + std::string(version) + ".errors.GoogleAdsFailure";
    return {{"code", refusal.http},
            {"message", "Request contains an invalid argument."},
            {"status", status_of(refusal)},
            {"details", {{{"@type", type}, {"errors", {entry}}, {"requestId", "sandbox-request"}}}}};
}

// What the catalogue has in its columns.
struct Entry {
    std::string name;
    std::string category;
    std::string data_type;
    bool is_repeated = false;
};

std::vector<Entry> all_entries() {
    std::vector<Entry> entries;
    for (const Resource& resource : all_resources()) {
        entries.push_back({std::string(resource.name), "RESOURCE", "MESSAGE", false});
        entries.push_back({std::string(resource.name) + ".resource_name", "ATTRIBUTE", "RESOURCE_NAME", false});
    }
    for (const Field& field : all_fields())
        entries.push_back({std::string(field.name), std::string(to_string(field.category)),
                           std::string(to_string(field.type)), field.is_repeated});
    return entries;
}

Value value_of(const Entry& entry, const std::string& column) {
    if (column == "name") return entry.name;
    if (column == "category") return entry.category;
    if (column == "data_type") return entry.data_type;
    if (column == "is_repeated") return entry.is_repeated;
    if (column == "selectable") return entry.category != "RESOURCE";
    if (column == "filterable" || column == "sortable") return entry.category != "RESOURCE" && !entry.is_repeated;
    return {};
}

Json json_of(const Entry& entry, const std::vector<std::string>& columns) {
    Json row{{"resourceName", "googleAdsFields/" + entry.name}};
    for (const std::string& column : columns) {
        const Value value = value_of(entry, column);
        const std::string key = column == "data_type" ? "dataType" : column == "is_repeated" ? "isRepeated" : column;
        if (const auto* text = std::get_if<std::string>(&value)) row[key] = *text;
        if (const auto* flag = std::get_if<bool>(&value)) row[key] = *flag;
    }
    return row;
}

}  // namespace

std::string error_body(const Refusal& refusal, std::string_view version) {
    return Json{{"error", error_of(refusal, version)}}.dump(2);
}

HttpServerResponse json_answer(std::string body) {
    return {.status = 200, .headers = {{"Content-Type", "application/json; charset=UTF-8"}}, .body = std::move(body)};
}
HttpServerResponse error_answer(const Refusal& refusal, std::string_view version) {
    HttpServerResponse response = json_answer(error_body(refusal, version));
    response.status = refusal.http;
    return response;
}
HttpServerResponse stream_error_answer(const Refusal& refusal, std::string_view version) {
    HttpServerResponse response = json_answer("[" + error_body(refusal, version) + "\n]");
    response.status = refusal.http;
    return response;
}

HttpServerResponse search_fields(const std::string& query, std::string_view version) {
    auto parsed = parse_gaql(query, false);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) return error_answer(*refusal, version);
    const Gaql& gaql = std::get<Gaql>(parsed);
    Json results = Json::array();
    for (const Entry& entry : all_entries()) {
        const bool is_wanted = std::all_of(gaql.conditions.begin(), gaql.conditions.end(),
                                           [&](const Condition& c) { return meets(c, value_of(entry, c.field)); });
        if (is_wanted && (!gaql.limit || static_cast<int64_t>(results.size()) < *gaql.limit))
            results.push_back(json_of(entry, gaql.fields));
    }
    const std::string total = std::to_string(results.size());
    return json_answer(Json{{"results", std::move(results)}, {"totalResultsCount", total}}.dump());
}

}  // namespace shaduf::sandbox::google_ads
