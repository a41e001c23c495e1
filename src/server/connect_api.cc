#include "server/connect_api.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "version.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::ordered_json;

HttpServerResponse answer(int status, const Json& body) {
    HttpServerResponse response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return response;
}

HttpServerResponse nothing(int status) {
    HttpServerResponse response;
    response.status = status;
    return response;
}

HttpServerResponse refuse(int status, const std::string& message) {
    return answer(status, {{"error_code", status}, {"message", message}});
}

HttpServerResponse refuse(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::invalid_config:
        case ErrorKind::bad_data: return refuse(400, error.to_string());
        case ErrorKind::conflict: return refuse(409, error.to_string());
        default: return refuse(500, error.to_string());
    }
}

// 202 and the like where it went well.
HttpServerResponse done(const Result<void>& result, int status) {
    return result.ok() ? nothing(status) : refuse(result.error());
}

std::optional<Json> parse(const std::string& body) {
    Json json = Json::parse(body, nullptr, false);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

// Values that are no texts are taken as they are written, as Connect does.
std::optional<ConnectorConfig> config_of(const Json& json) {
    if (!json.is_object()) return std::nullopt;
    ConnectorConfig config;
    for (const auto& [name, value] : json.items()) {
        if (!value.is_null()) config[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return config;
}

Json to_json(const ConnectorConfig& config) {
    Json json = Json::object();
    for (const auto& [name, value] : config) json[name] = value;
    return json;
}

Json info_of(const ConnectorInfo& info) {
    Json tasks = Json::array();
    for (size_t i = 0; i < info.tasks.size(); ++i) tasks.push_back({{"connector", info.name}, {"task", i}});
    return {{"name", info.name}, {"config", to_json(info.config)}, {"tasks", std::move(tasks)}, {"type", "sink"}};
}

Json state_of(ConnectorState state, const std::string& trace, const std::string& worker) {
    Json json = {{"state", to_string(state)}, {"worker_id", worker}};
    if (!trace.empty()) json["trace"] = trace;
    return json;
}

Json status_of(const ConnectorInfo& info, const std::string& worker) {
    Json tasks = Json::array();
    for (size_t i = 0; i < info.tasks.size(); ++i) {
        Json task = {{"id", i}};
        task.update(state_of(info.tasks[i].state, info.tasks[i].trace, worker));
        tasks.push_back(std::move(task));
    }
    return {{"name", info.name},
            {"connector", state_of(info.state, info.trace, worker)},
            {"tasks", std::move(tasks)},
            {"type", "sink"}};
}

// {"offsets": [{"partition": {"kafka_topic", "kafka_partition"}, "offset": {"kafka_offset"} or null}]}
std::optional<std::vector<ConnectorOffset>> offsets_of(const std::string& body) {
    const auto json = parse(body);
    if (!json || !json->contains("offsets") || !(*json)["offsets"].is_array()) return std::nullopt;
    std::vector<ConnectorOffset> offsets;
    try {
        for (const Json& item : (*json)["offsets"]) {
            ConnectorOffset offset{item.at("partition").at("kafka_topic"), item.at("partition").at("kafka_partition"),
                                   std::nullopt};
            if (!item.at("offset").is_null()) offset.offset = item.at("offset").at("kafka_offset").get<int64_t>();
            offsets.push_back(std::move(offset));
        }
    } catch (const std::exception&) {
        return std::nullopt;
    }
    return offsets;
}

}  // namespace

std::string_view to_string(ConnectorState state) {
    switch (state) {
        case ConnectorState::running: return "RUNNING";
        case ConnectorState::paused: return "PAUSED";
        case ConnectorState::stopped: return "STOPPED";
        case ConnectorState::failed: return "FAILED";
        case ConnectorState::unassigned: return "UNASSIGNED";
    }
    return "UNASSIGNED";
}

struct ConnectApi::Call {
    const HttpServerRequest& request;
    std::vector<std::string> words;  // what stood in place of the braces
    ConnectorInfo info;              // of the connector that the first of them names, where there is one

    bool has_flag(std::string_view name) const { return request.query_value(name) == "true"; }
};

const std::vector<ConnectApi::Route>& ConnectApi::routes() {
    static const std::vector<Route> routes{
        {"GET", "/", &ConnectApi::about},
        {"GET", "/connectors", &ConnectApi::list},
        {"POST", "/connectors", &ConnectApi::create},
        {"GET", "/connectors/{name}", &ConnectApi::show},
        {"DELETE", "/connectors/{name}", &ConnectApi::remove},
        {"GET", "/connectors/{name}/config", &ConnectApi::show_config},
        {"PUT", "/connectors/{new}/config", &ConnectApi::put_config},
        {"PATCH", "/connectors/{name}/config", &ConnectApi::patch_config},
        {"GET", "/connectors/{name}/status", &ConnectApi::show_status},
        {"PUT", "/connectors/{name}/pause", &ConnectApi::pause},
        {"PUT", "/connectors/{name}/resume", &ConnectApi::resume},
        {"PUT", "/connectors/{name}/stop", &ConnectApi::stop},
        {"POST", "/connectors/{name}/restart", &ConnectApi::restart},
        {"GET", "/connectors/{name}/tasks", &ConnectApi::show_tasks},
        {"GET", "/connectors/{name}/tasks/{task}/status", &ConnectApi::show_task},
        {"POST", "/connectors/{name}/tasks/{task}/restart", &ConnectApi::restart_task},
        {"GET", "/connectors/{name}/topics", &ConnectApi::show_topics},
        {"PUT", "/connectors/{name}/topics/reset", &ConnectApi::reset_topics},
        {"GET", "/connectors/{name}/offsets", &ConnectApi::show_offsets},
        {"PATCH", "/connectors/{name}/offsets", &ConnectApi::patch_offsets},
        {"DELETE", "/connectors/{name}/offsets", &ConnectApi::forget_offsets},
        {"GET", "/connector-plugins", &ConnectApi::plugins},
        {"PUT", "/connector-plugins/{class}/config/validate", &ConnectApi::validate},
    };
    return routes;
}

HttpServerResponse ConnectApi::handle(const HttpServerRequest& request) const {
    std::string path = request.path;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const auto asked = split(path, '/');
    std::vector<std::string> methods;
    for (const Route& route : routes()) {
        const auto parts = split(route.path, '/');
        Call call{request, {}, {}};
        bool fits = parts.size() == asked.size();
        for (size_t i = 0; fits && i < parts.size(); ++i) {
            const bool is_word = parts[i].starts_with('{');
            if (is_word) call.words.emplace_back(asked[i]);
            fits = is_word ? !asked[i].empty() : parts[i] == asked[i];
        }
        if (!fits) continue;
        methods.emplace_back(route.method);
        if (route.method != request.method) continue;
        if (route.path.find("{name}") != std::string_view::npos) {
            auto info = host_.info(call.words.front());
            if (!info) return refuse(404, "Connector " + call.words.front() + " not found");
            call.info = std::move(*info);
        }
        return (this->*route.handler)(call);
    }
    if (methods.empty()) return refuse(404, "HTTP 404 Not Found");
    HttpServerResponse response = refuse(405, "HTTP 405 Method Not Allowed");
    response.headers.emplace_back("Allow", join(methods, ", "));
    return response;
}

HttpServerResponse ConnectApi::about(const Call&) const {
    return answer(200, {{"version", kVersion}, {"commit", "shaduf"}, {"kafka_cluster_id", ""}});
}

HttpServerResponse ConnectApi::list(const Call& call) const {
    const auto names = host_.names();
    std::vector<std::string> expand;
    for (const auto& [name, value] : call.request.query) {
        if (name == "expand") expand.push_back(value);
    }
    if (expand.empty()) return answer(200, Json(names));
    Json all = Json::object();
    for (const std::string& name : names) {
        const auto info = host_.info(name);
        if (!info) continue;
        Json one = Json::object();
        for (const std::string& what : expand) {
            if (what == "status") one["status"] = status_of(*info, worker_id_);
            if (what == "info") one["info"] = info_of(*info);
        }
        all[name] = std::move(one);
    }
    return answer(200, all);
}

HttpServerResponse ConnectApi::create(const Call& call) const {
    const auto body = parse(call.request.body);
    if (!body || !body->contains("name") || !(*body)["name"].is_string() || !body->contains("config"))
        return refuse(400, R"(expected {"name": "...", "config": {...}})");
    const auto config = config_of((*body)["config"]);
    if (!config) return refuse(400, "config: expected a map of properties");
    const std::string name = (*body)["name"];
    if (host_.info(name)) return refuse(409, "Connector " + name + " already exists");
    if (const auto made = host_.put(name, *config); !made.ok()) return refuse(made.error());
    const auto info = host_.info(name);
    return info ? answer(201, info_of(*info)) : nothing(201);
}

HttpServerResponse ConnectApi::show(const Call& call) const { return answer(200, info_of(call.info)); }

HttpServerResponse ConnectApi::remove(const Call& call) const { return done(host_.remove(call.info.name), 204); }

HttpServerResponse ConnectApi::show_config(const Call& call) const { return answer(200, to_json(call.info.config)); }

HttpServerResponse ConnectApi::put_config(const Call& call) const {
    const std::string& name = call.words.front();
    const auto body = parse(call.request.body);
    const auto config = body ? config_of(*body) : std::nullopt;
    if (!config) return refuse(400, "expected a map of properties");
    const bool is_new = !host_.info(name);
    if (const auto made = host_.put(name, *config); !made.ok()) return refuse(made.error());
    const auto info = host_.info(name);
    return info ? answer(is_new ? 201 : 200, info_of(*info)) : nothing(200);
}

HttpServerResponse ConnectApi::patch_config(const Call& call) const {
    const auto body = parse(call.request.body);
    if (!body) return refuse(400, "expected a map of properties");
    ConnectorConfig config = call.info.config;
    for (const auto& [name, value] : body->items()) {
        if (value.is_null()) {
            config.erase(name);
        } else {
            config[name] = value.is_string() ? value.get<std::string>() : value.dump();
        }
    }
    if (const auto made = host_.put(call.info.name, config); !made.ok()) return refuse(made.error());
    const auto info = host_.info(call.info.name);
    return info ? answer(200, info_of(*info)) : nothing(200);
}

HttpServerResponse ConnectApi::show_status(const Call& call) const {
    return answer(200, status_of(call.info, worker_id_));
}

HttpServerResponse ConnectApi::pause(const Call& call) const { return done(host_.pause(call.info.name), 202); }
HttpServerResponse ConnectApi::resume(const Call& call) const { return done(host_.resume(call.info.name), 202); }
HttpServerResponse ConnectApi::stop(const Call& call) const { return done(host_.stop(call.info.name), 204); }

// Of the plain form Connect says nothing; of the newer one it shows what it has begun.
HttpServerResponse ConnectApi::restart(const Call& call) const {
    const RestartOptions options{call.has_flag("includeTasks"), call.has_flag("onlyFailed")};
    if (const auto begun = host_.restart(call.info.name, options); !begun.ok()) return refuse(begun.error());
    if (!options.include_tasks && !options.only_failed) return nothing(204);
    const auto info = host_.info(call.info.name);
    return info ? answer(202, status_of(*info, worker_id_)) : nothing(202);
}

HttpServerResponse ConnectApi::show_tasks(const Call& call) const {
    Json tasks = Json::array();
    for (size_t i = 0; i < call.info.tasks.size(); ++i) {
        tasks.push_back(
            {{"id", {{"connector", call.info.name}, {"task", i}}}, {"config", to_json(call.info.tasks[i].config)}});
    }
    return answer(200, tasks);
}

namespace {

std::optional<size_t> task_number(const std::string& text, const ConnectorInfo& info) {
    size_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    return is_number && number < info.tasks.size() ? std::optional(number) : std::nullopt;
}

HttpServerResponse no_such_task(const std::string& text, const ConnectorInfo& info) {
    return refuse(404, "No status found for task " + info.name + "-" + text);
}

}  // namespace

HttpServerResponse ConnectApi::show_task(const Call& call) const {
    const auto number = task_number(call.words[1], call.info);
    if (!number) return no_such_task(call.words[1], call.info);
    Json task = {{"id", *number}};
    task.update(state_of(call.info.tasks[*number].state, call.info.tasks[*number].trace, worker_id_));
    return answer(200, task);
}

HttpServerResponse ConnectApi::restart_task(const Call& call) const {
    const auto number = task_number(call.words[1], call.info);
    if (!number) return no_such_task(call.words[1], call.info);
    return done(host_.restart_task(call.info.name, *number), 204);
}

HttpServerResponse ConnectApi::show_topics(const Call& call) const {
    return answer(200, {{call.info.name, {{"topics", call.info.topics}}}});
}

// The topics are those of the configuration: there is nothing to forget.
HttpServerResponse ConnectApi::reset_topics(const Call&) const { return nothing(200); }

HttpServerResponse ConnectApi::show_offsets(const Call& call) const {
    const auto offsets = host_.offsets(call.info.name);
    if (!offsets.ok()) return refuse(offsets.error());
    Json list = Json::array();
    for (const ConnectorOffset& offset : offsets.value()) {
        list.push_back({{"partition", {{"kafka_topic", offset.topic}, {"kafka_partition", offset.partition}}},
                        {"offset", {{"kafka_offset", offset.offset.value_or(0)}}}});
    }
    return answer(200, {{"offsets", std::move(list)}});
}

HttpServerResponse ConnectApi::patch_offsets(const Call& call) const {
    const auto offsets = offsets_of(call.request.body);
    if (!offsets || offsets->empty()) {
        return refuse(400, R"(expected {"offsets": [{"partition": {"kafka_topic": "...", "kafka_partition": 0}, )"
                           R"("offset": {"kafka_offset": 0}}]})");
    }
    if (const auto set = host_.set_offsets(call.info.name, *offsets); !set.ok()) return refuse(set.error());
    return answer(200, {{"message", "The offsets for this connector have been altered successfully"}});
}

HttpServerResponse ConnectApi::forget_offsets(const Call& call) const {
    if (const auto set = host_.set_offsets(call.info.name, {}); !set.ok()) return refuse(set.error());
    return answer(200, {{"message", "The offsets for this connector have been reset successfully"}});
}

HttpServerResponse ConnectApi::plugins(const Call&) const {
    Json list = Json::array();
    for (const std::string& name : host_.classes())
        list.push_back({{"class", name}, {"type", "sink"}, {"version", kVersion}});
    return answer(200, list);
}

HttpServerResponse ConnectApi::validate(const Call& call) const {
    const auto body = parse(call.request.body);
    const auto config = body ? config_of(*body) : std::nullopt;
    if (!config) return refuse(400, "expected a map of properties");
    const auto known = host_.classes();
    const std::string& name = call.words.front();
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const std::string& other) {
        return other == name || other.ends_with("." + name);
    });
    if (!is_known)
        return refuse(404, "Failed to find any class that implements Connector and which name matches " + name);
    const auto problems = host_.validate(*config);
    Json configs = Json::array();
    const auto add = [&](const std::string& property) {
        Json errors = Json::array();
        for (const ConnectorProblem& problem : problems) {
            if (problem.property == property) errors.push_back(problem.text);
        }
        const auto value = config->find(property);
        configs.push_back({{"definition", {{"name", property}, {"type", "STRING"}, {"required", false}}},
                           {"value",
                            {{"name", property},
                             {"value", value == config->end() ? Json() : Json(value->second)},
                             {"recommended_values", Json::array()},
                             {"errors", std::move(errors)},
                             {"visible", true}}}});
    };
    for (const auto& [property, value] : *config) add(property);
    for (const ConnectorProblem& problem : problems) {
        if (!config->contains(problem.property)) add(problem.property);
    }
    return answer(
        200,
        {{"name", name}, {"error_count", problems.size()}, {"groups", Json::array()}, {"configs", std::move(configs)}});
}

}  // namespace shaduf::server
