#include "sandbox/x_ads/reply.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace shaduf::sandbox::x_ads {
namespace {

using Json = nlohmann::ordered_json;

Json echo(const HttpServerRequest& request) {
    Json params = Json::object();
    for (const auto& [name, value] : request.query) params[name] = value;
    return {{"params", params}};
}

HttpServerResponse json_answer(int status, const Json& body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json;charset=utf-8"}, {"x-current-api-version", "12"}},
            .body = body.dump()};
}

}  // namespace

HttpServerResponse refuse(const HttpServerRequest& request, const Refusal& refusal) {
    Json error = {{"code", refusal.code}, {"message", refusal.message}};
    if (!refusal.parameter.empty()) {
        error["parameter"] = refusal.parameter;
        error["value"] = std::string(request.query_value(refusal.parameter));
    }
    return json_answer(refusal.status, {{"errors", Json::array({error})}, {"request", echo(request)}});
}

HttpServerResponse reply(const HttpServerRequest& request, int status, Json data, const Json& more) {
    Json body = {{"request", echo(request)}};
    for (const auto& [name, value] : more.items()) body[name] = value;
    body["data"] = std::move(data);
    return json_answer(status, body);
}

std::vector<std::string> list_param(const HttpServerRequest& request, std::string_view name) {
    std::vector<std::string> values;
    for (const std::string_view part : split(request.query_value(name), ',')) {
        if (!trim(part).empty()) values.emplace_back(trim(part));
    }
    return values;
}

}  // namespace shaduf::sandbox::x_ads
