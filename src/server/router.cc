#include "server/router.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "io/url.h"
#include "server/answers.h"
#include "server/audit_log.h"
#include "server/json_shape.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

bool is_param(std::string_view word) { return word.starts_with('{') && word.ends_with('}'); }
bool takes_rest(std::string_view word) { return is_param(word) && word.ends_with("...}"); }
std::string_view name_of(std::string_view param) {
    param.remove_prefix(1);
    param.remove_suffix(takes_rest(param) || param.ends_with("...}") ? 4 : 1);
    return param;
}

std::vector<std::string_view> words_of(std::string_view path) {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    return split(path, '/');
}

// Literal words come before those that stand for any, and these before one that takes all the rest.
int rank_of(std::string_view word) { return takes_rest(word) ? 2 : is_param(word) ? 1 : 0; }

// What of a body may stand in the audit log: names and choices, never what could be a secret or somebody's data.
constexpr auto kAuditedFields = std::to_array<std::string_view>(
    {"name",  "role", "folders",  "expires", "paused", "from",   "to",      "due",    "again", "oldest_first", "tasks",
     "state", "yes",  "pipeline", "stream",  "ids",    "reason", "message", "locked", "until", "dry_run"});

// The path, without what stands before all of them, and without secrets.
std::string audit_target(std::string_view path, const std::map<std::string, std::string, std::less<>>& values) {
    constexpr std::string_view kBase = "/api/v1";
    std::string target;
    for (const std::string_view word : words_of(path.substr(path.starts_with(kBase) ? kBase.size() : 0))) {
        const auto value = is_param(word) ? values.find(name_of(word)) : values.end();
        const bool is_secret = is_param(word) && name_of(word) == "secret";
        target += "/" + (is_secret ? "..." : value == values.end() ? std::string(word) : value->second);
    }
    return target;
}

std::string audit_detail(const std::string& body) {
    const auto json = nlohmann::ordered_json::parse(body, nullptr, false);
    if (!json.is_object()) return "";
    auto kept = nlohmann::ordered_json::object();
    for (const auto& [name, value] : json.items()) {
        const bool is_plain = !value.is_object() && value.size() <= 100;
        const auto* const known = std::find(kAuditedFields.begin(), kAuditedFields.end(), name);
        if (is_plain && known != kAuditedFields.end()) kept[name] = value;
    }
    return kept.empty() ? "" : kept.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

HttpServerResponse refuse_shape(const std::vector<ShapeProblem>& problems) {
    JsonWriter json;
    json.begin_object().key("error").begin_object().field("kind", "invalid_config");
    const ShapeProblem& first = problems.front();
    json.field("message",
               "the body is not as it should be: " + (first.path.empty() ? "it" : first.path) + " " + first.message);
    json.key("places").begin_array();
    for (const ShapeProblem& problem : problems) {
        json.begin_object().field("path", problem.path).field("message", problem.message).end_object();
    }
    json.end_array().end_object().end_object();
    auto response = refuse(400, "", "");
    response.body = json.str();
    return response;
}

bool is_json(std::string_view content_type) {
    return to_lower(trim(content_type.substr(0, content_type.find(';')))) == "application/json";
}

HttpServerResponse to_response(ApiAnswer answer) {
    if (answer.raw != nullptr) return std::move(*answer.raw);
    HttpServerResponse response;
    response.status = answer.body.empty() && answer.status == 200 ? 204 : answer.status;
    response.headers = std::move(answer.headers);
    if (!answer.body.empty()) response.headers.emplace_back("Content-Type", "application/json");
    const auto is_cache = [](const auto& header) { return equals_ignoring_case(header.first, "Cache-Control"); };
    if (std::none_of(response.headers.begin(), response.headers.end(), is_cache)) {
        response.headers.emplace_back("Cache-Control", "no-store");
    }
    response.body = std::move(answer.body);
    return response;
}

}  // namespace

struct Router::Route {
    const EndpointSpec* spec;
    std::vector<std::string_view> words;
    std::map<std::string, std::string, std::less<>> defaults;

    bool fits(const std::vector<std::string>& path) const {
        for (size_t i = 0; i < words.size(); ++i) {
            if (takes_rest(words[i])) return path.size() > i;
            if (i >= path.size() || (!is_param(words[i]) && words[i] != path[i])) return false;
        }
        return words.size() == path.size();
    }
    std::map<std::string, std::string, std::less<>> values(const std::vector<std::string>& path) const {
        std::map<std::string, std::string, std::less<>> values;
        for (size_t i = 0; i < words.size(); ++i) {
            if (!is_param(words[i])) continue;
            std::string value = path[i];
            if (takes_rest(words[i])) value = join(std::span(path).subspan(i), "/");
            values.emplace(name_of(words[i]), std::move(value));
        }
        return values;
    }
};

struct Router::Match {
    const Route* route = nullptr;
    std::vector<std::string> path;     // decoded
    std::vector<std::string> methods;  // that the path has, when not this one
    bool is_foul = false;              // a part that would lead elsewhere
};

Router::Router(const Registry<ApiSpec>& apis, ServeContext& serve) : serve_(serve) {
    for (const ApiSpec* api : apis.all()) {
        for (const EndpointSpec& spec : api->endpoints) {
            Route route{&spec, words_of(spec.path), {}};
            for (const QueryParamSpec& param : spec.query) {
                if (!param.default_value.empty()) route.defaults.emplace(param.name, param.default_value);
            }
            routes_.push_back(std::move(route));
        }
    }
    std::stable_sort(routes_.begin(), routes_.end(), [](const Route& a, const Route& b) {
        return std::lexicographical_compare(
            a.words.begin(), a.words.end(), b.words.begin(), b.words.end(),
            [](std::string_view left, std::string_view right) { return rank_of(left) < rank_of(right); });
    });
}

Router::~Router() = default;

uint64_t Router::body_bytes_max() const {
    uint64_t most = 0;
    for (const Route& route : routes_) most = std::max(most, route.spec->body_bytes_max);
    return most;
}

Router::Match Router::match(std::string_view method, std::string_view target) const {
    Match match;
    for (const std::string_view word : words_of(target.substr(0, target.find('?')))) {
        match.path.push_back(percent_decode(word));
        const std::string& last = match.path.back();
        match.is_foul |= last.empty() || last == "." || last == ".." || last.find('\0') != std::string::npos;
    }
    for (const Route& route : routes_) {
        if (!route.fits(match.path)) continue;
        if (route.spec->method == method) {
            match.route = &route;
            return match;
        }
        match.methods.emplace_back(route.spec->method);
    }
    return match;
}

const EndpointSpec* Router::find(std::string_view method, std::string_view target) const {
    const Match found = match(method, target);
    return found.route == nullptr ? nullptr : found.route->spec;
}

HttpServerResponse Router::handle(const HttpServerRequest& request, const Caller& caller) const {
    Match found = match(request.method, request.target);
    if (found.is_foul) return refuse(400, "invalid_config", "the path has an empty part, or one of dots");
    if (found.route == nullptr && found.methods.empty()) {
        return refuse(404, "not_found", "there is no such call: " + request.path + "; /api/v1/openapi.json has all");
    }
    if (found.route == nullptr) {
        auto response = refuse(405, "not_found", "the call has no method " + request.method + ": " + request.path);
        response.headers.emplace_back("Allow", join(found.methods, ", "));
        return response;
    }
    const EndpointSpec& spec = *found.route->spec;
    if (caller.role == Role::nobody && spec.role != Role::nobody) {
        return refuse(401, "denied", "sign in first");
    }
    if (caller.role < spec.role) {
        return refuse(403, "denied",
                      "role needed: " + std::string(to_string(spec.role)) +
                          "; yours: " + std::string(to_string(caller.role)) + "; ask an admin");
    }
    if (request.body.size() > spec.body_bytes_max) {
        return refuse(413, "too_large", "the body is larger than " + format_bytes(spec.body_bytes_max));
    }
    for (const QueryParamSpec& param : spec.query) {
        if (!request.has_query(param.name)) continue;
        if (const auto problem = check_text(request.query_value(param.name), *param.shape)) {
            return refuse(400, "invalid_config", "query parameter " + std::string(param.name) + " " + *problem);
        }
    }
    HttpServerRequest with_body = request;
    if (spec.request != nullptr) {
        if (with_body.body.empty()) {
            with_body.body = "{}";
        } else if (!is_json(request.header("Content-Type"))) {
            return refuse(415, "invalid_config", "the body must be application/json");
        }
        if (const auto problems = check_json(with_body.body, *spec.request); !problems.empty()) {
            return refuse_shape(problems);
        }
    }
    ApiCall call{with_body, caller, serve_, found.route->values(found.path), found.route->defaults};
    auto answer = this->call(*found.route, call);
    return answer.ok() ? to_response(answer.release_value()) : answer_of(answer.error());
}

// A change stands in the log before it is made; one that failed has a second line.
Result<ApiAnswer> Router::call(const Route& route, ApiCall& call) const {
    const EndpointSpec& spec = *route.spec;
    if (spec.audited.empty()) return spec.handle(call);
    AuditEntry entry{.actor = call.caller.name,
                     .action = std::string(spec.audited),
                     .target = audit_target(spec.path, call.path),
                     .detail = spec.request == nullptr ? "" : audit_detail(call.request.body),
                     .address = call.caller.address};
    TRY(serve_.audit.append(entry));
    auto answer = spec.handle(call);
    if (answer.ok() && answer.value().status < 400) return answer;
    entry.action += ".failed";
    entry.detail = answer.ok() ? "status " + std::to_string(answer.value().status) : answer.error().to_string();
    TRY(serve_.audit.append(std::move(entry)));
    return answer;
}

}  // namespace shaduf::server
