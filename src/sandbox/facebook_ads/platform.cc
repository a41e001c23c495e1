#include "sandbox/facebook_ads/platform.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "sandbox/facebook_ads/account_access.h"
#include "sandbox/facebook_ads/insights_edge.h"
#include "sandbox/facebook_ads/objects.h"
#include "sandbox/frame/ledger.h"

namespace shaduf::sandbox::facebook {
namespace {

constexpr size_t kBatchMax = 50;
constexpr std::string_view kNewestVersion = "v26.0";

// Whether a part of a path is a version of the API: v26.0
bool is_version(std::string_view part) {
    const size_t dot = part.find('.');
    if (!part.starts_with('v') || dot == std::string_view::npos || dot < 2 || dot + 1 >= part.size()) return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::all_of(part.begin() + 1, part.begin() + static_cast<std::ptrdiff_t>(dot), is_digit) &&
           std::all_of(part.begin() + static_cast<std::ptrdiff_t>(dot) + 1, part.end(), is_digit);
}

// The parts of a path behind the version.
std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    for (const std::string_view part : split(path, '/')) {
        if (!part.empty()) parts.push_back(part);
    }
    if (!parts.empty() && is_version(parts.front())) parts.erase(parts.begin());
    return parts;
}

// A fault that is an error of the API.
std::optional<GraphError> error_of_faults(const Call& call) {
    if (const Fault* fault = call.fault("graph_error")) {
        const Options& options = *fault->options;
        return GraphError{.message = "(#" + std::to_string(options.integer("code")) + ") " + options.text("message"),
                          .code = options.integer("code"),
                          .subcode = options.integer("subcode"),
                          .status = static_cast<int>(options.integer("status")),
                          .is_transient = options.boolean("transient")};
    }
    if (call.fault("reduce_data") != nullptr) {
        return GraphError{.message = "Please reduce the amount of data you're asking for, then retry your request",
                          .code = 1,
                          .status = 500};
    }
    if (call.fault("expired_token") != nullptr) {
        return GraphError{.message = "Error validating access token: Session has expired. The current time is later.",
                          .code = 190,
                          .subcode = 463};
    }
    if (call.fault("permission_flip") != nullptr) {
        return GraphError{.message = "(#200) Permissions error", .code = 200, .subcode = 4841013, .status = 403};
    }
    return std::nullopt;
}

GraphError throttle_error(int64_t code) {
    if (code == 80000 || code == 80004) return too_many_calls(code == 80000);
    GraphError error{.message = "(#" + std::to_string(code) + ") User request limit reached", .code = code};
    if (code == 17) error.subcode = 2446079;
    if (code == 4) {
        error.message = "(#4) Application request limit reached";
        error.subcode = 1504022;
        error.is_transient = true;
        error.status = 403;
    }
    return error;
}

struct Edge {
    std::string_view name;
    ObjectType type;
};
constexpr Edge kEdges[] = {{"campaigns", ObjectType::campaign},
                           {"adsets", ObjectType::ad_set},
                           {"ads", ObjectType::ad},
                           {"adcreatives", ObjectType::creative},
                           {"activities", ObjectType::activity}};

// One call of the Graph API on its way.
class GraphCall {
public:
    GraphCall(Environment& environment, InsightsEdge& insights, Call& call)
        : environment_(environment),
          insights_(insights),
          call_(call),
          params_(call.request),
          parts_(parts_of(call.request.path)),
          world_(environment.world()) {}

    HttpServerResponse answer() {
        name_call();
        HttpServerResponse response = judge();
        if (const Fault* fault = call_.fault("usage")) usage_.used = fault->options->number("percent");
        add_usage_headers(usage_, response);
        response.headers.emplace_back("facebook-api-version", kNewestVersion);
        return response;
    }

private:
    // Finds out whom the call is about, for its counts and limits.
    void name_call() {
        for (const std::string_view part : parts_) {
            const auto object = find_object(*world_, part);
            if (object) {
                object_ = object;
                const Entity& account = world_->above(*object->entity, Level::account);
                constexpr std::string_view kNames[] = {"{account}", "{campaign}", "{adset}", "{ad}", "{creative}"};
                call_.route += "/" + std::string(kNames[static_cast<size_t>(object->type)]);
                call_.account = account.id;
            } else if (const std::string account = insights_.account_of(part); !account.empty()) {
                report_ = part;
                call_.route += "/{report}";
                call_.account = account;
            } else {
                constexpr std::string_view kWords[] = {"me", "oauth", "debug_token"};
                const bool is_word =
                    !call_.route.empty() || std::find(std::begin(kWords), std::end(kWords), part) != std::end(kWords);
                call_.route += is_word ? "/" + std::string(part) : "/{unknown}";
            }
        }
        if (call_.route.empty()) call_.route = "/";
        usage_.account = call_.account;
        usage_.is_insights = !report_.empty() || (!parts_.empty() && parts_.back() == "insights");
    }

    HttpServerResponse judge() {
        if (parts_.size() == 2 && parts_[0] == "oauth" && parts_[1] == "access_token") return exchange_token(params_);
        if (parts_.size() == 1 && parts_[0] == "debug_token") {
            return debug_token(call_.request, params_, environment_.clock().now());
        }
        if (auto error = check_access(call_.request, params_)) return error_answer(*error);
        if (auto error = error_of_faults(call_)) return error_answer(*error);
        if (auto error = check_limit()) {
            call_.refused = usage_.is_refused = true;
            return error_answer(*error);
        }
        return route();
    }

    std::optional<GraphError> check_limit() {
        if (const Fault* fault = call_.fault("throttle")) {
            usage_.used = 100;
            usage_.reset_seconds = fault->options->integer("minutes") * 60;
            return throttle_error(fault->options->integer("code"));
        }
        if (call_.account.empty()) return std::nullopt;
        const Verdict verdict = environment_.ledgers().take(call_.account);
        usage_.used = std::min(verdict.used, 1.0) * 100;
        usage_.reset_seconds = (verdict.reset_in.count() + 999) / 1000;
        if (verdict.allowed) return std::nullopt;
        return too_many_calls(usage_.is_insights);
    }

    HttpServerResponse route() {
        const std::string& method = call_.request.method;
        if (parts_.empty()) {
            return method == "POST" ? answer_batch() : error_answer(unknown_object("/"));
        }
        if (parts_[0] == "me") return answer_me();
        if (!report_.empty()) {
            if (parts_.size() == 1) return insights_.report_state(report_, *world_);
            if (parts_[1] == "insights") return insights_.report_rows(call_, params_, report_, *world_);
        }
        if (!object_) return error_answer(unknown_object(std::string(parts_[0])));
        if (parts_.size() == 1) return answer_object();
        const bool has_insights = object_->type <= ObjectType::ad;
        if (parts_[1] == "insights" && has_insights) {
            return method == "POST" ? insights_.begin_report(call_, params_, *world_, *object_->entity)
                                    : insights_.answer_now(call_, params_, *world_, *object_->entity);
        }
        for (const Edge& edge : kEdges) {
            if (edge.name == parts_[1] && object_->type <= ObjectType::ad) return answer_edge(edge.type);
        }
        if (parts_[1] == "customaudiences" || parts_[1] == "leads") return json_answer(R"({"data":[]})");
        return error_answer({.message = "(#100) Tried accessing nonexisting field (" + std::string(parts_[1]) +
                                        ") on node type (AdAccount)",
                             .code = 100});
    }

    HttpServerResponse answer_me() {
        if (parts_.size() == 1) return json_answer(R"({"name":"Ada Example","id":"104001112223334"})");
        if (parts_[1] != "adaccounts") return error_answer(unknown_object(std::string(parts_[1])));
        std::vector<Object> accounts;
        for (const Entity& account : world_->entities(Level::account))
            accounts.push_back({ObjectType::account, &account});
        return answer_list(ObjectType::account, accounts);
    }

    HttpServerResponse answer_object() {
        const auto fields = parse_fields(params_.text("fields"));
        if (const auto* error = std::get_if<GraphError>(&fields)) return error_answer(*error);
        if (auto error = check_fields(object_->type, std::get<0>(fields))) return error_answer(*error);
        JsonText json;
        write_object(*world_, *object_, std::get<0>(fields), changes_of(object_->type), json);
        return json_answer(json.take());
    }

    std::vector<FieldChange> changes_of(ObjectType type) const {
        return environment_.field_changes(object_stream(type));
    }

    HttpServerResponse answer_edge(ObjectType type) {
        EdgeQuery query{.type = type};
        auto filters = parse_filters(params_.text("filtering"));
        if (const auto* error = std::get_if<GraphError>(&filters)) return error_answer(*error);
        query.filters = std::move(std::get<0>(filters));
        auto statuses = params_.list("effective_status");
        if (const auto* error = std::get_if<GraphError>(&statuses)) return error_answer(*error);
        query.statuses = std::move(std::get<0>(statuses));
        query.since = moment_of("since");
        query.until = moment_of("until");
        return answer_list(type, list_edge(*world_, *object_->entity, query));
    }

    // Seconds since 1970, or a date of the account.
    std::optional<Timestamp> moment_of(std::string_view name) const {
        const std::string text(params_.text(name));
        if (text.empty()) return std::nullopt;
        if (const auto day = parse_date(text)) return Timestamp(std::chrono::days(*day));
        return Timestamp(std::chrono::seconds(std::strtoll(text.c_str(), nullptr, 10)));
    }

    HttpServerResponse answer_list(ObjectType type, const std::vector<Object>& objects) {
        const auto fields = parse_fields(params_.text("fields"));
        if (const auto* error = std::get_if<GraphError>(&fields)) return error_answer(*error);
        if (auto error = check_fields(type, std::get<0>(fields))) return error_answer(*error);
        size_t begin = 0;
        if (const std::string_view after = params_.text("after"); !after.empty()) {
            const auto position = read_cursor(after);
            if (!position) return error_answer(bad_param("Invalid cursors values: " + std::string(after), "after"));
            begin = std::min<size_t>(objects.size(), std::strtoull(position->c_str(), nullptr, 10));
        }
        const size_t end = std::min(objects.size(), begin + page_limit(params_));
        const auto changes = changes_of(type);
        JsonText json;
        json.open('{').key("data").open('[');
        for (size_t i = begin; i < end; ++i) write_object(*world_, objects[i], std::get<0>(fields), changes, json);
        json.close(']');
        if (end > begin) {
            json.key("paging").open('{').key("cursors").open('{').field("before", make_cursor(std::to_string(begin)));
            const std::string after = make_cursor(std::to_string(end));
            json.field("after", after).close('}');
            if (end < objects.size()) json.field("next", next_url(call_, params_, after));
            json.close('}');
        }
        if (params_.text("summary").find("total_count") != std::string_view::npos ||
            params_.text("summary") == "true") {
            json.key("summary").open('{').field("total_count", static_cast<int64_t>(objects.size())).close('}');
        }
        return json_answer(json.close('}').take());
    }

    HttpServerResponse answer_batch() {
        using Json = nlohmann::json;
        const std::string_view text = params_.text("batch");
        const Json batch = Json::parse(text.begin(), text.end(), nullptr, false);
        if (!batch.is_array() || batch.empty())
            return error_answer(bad_param("batch parameter must be a JSON array", "batch"));
        if (batch.size() > kBatchMax) {
            return error_answer(
                {.message = "Too many requests in batch message. Maximum batch size is 50", .code = 100});
        }
        const Fault* skipped = call_.fault("null_batch_element");
        const bool with_headers = params_.text("include_headers") != "false";
        JsonText json;
        json.open('[');
        for (size_t i = 0; i < batch.size(); ++i) {
            if (skipped != nullptr && skipped->options->integer("element") == static_cast<int64_t>(i)) {
                json.raw("null");
            } else {
                answer_element(batch[i], with_headers, json);
            }
        }
        return json_answer(json.close(']').take());
    }

    void answer_element(const nlohmann::json& element, bool with_headers, JsonText& json) {
        const auto text = [&](const char* name) {
            const auto found = element.is_object() ? element.find(name) : element.end();
            return element.is_object() && found != element.end() && found->is_string() ? found->get<std::string>() : "";
        };
        HttpServerRequest request{.method = text("method").empty() ? "GET" : text("method")};
        std::string url = text("relative_url");
        request.target = url.starts_with('/') ? url : "/" + url;
        // Clients leave the version out of the calls of a batch, and only that tells whose the path of an object is.
        if (!owns_path(request.target)) request.target = "/" + std::string(kNewestVersion) + request.target;
        const size_t mark = request.target.find('?');
        request.path = percent_decode(std::string_view(request.target).substr(0, mark));
        if (mark != std::string::npos) request.query = parse_query(std::string_view(request.target).substr(mark + 1));
        request.form = parse_query(text("body"));
        request.query.emplace_back("access_token", token_of(call_.request, params_));
        HttpServerResponse inner;
        if (!owns_path(request.path) || parts_of(request.path).empty()) {
            inner = error_answer(unknown_object(request.path));
        } else {
            inner = environment_.call_inside(request, call_.origin);
        }
        json.open('{').field("code", static_cast<int64_t>(inner.status));
        if (with_headers) {
            json.key("headers").open('[');
            for (const auto& [name, value] : inner.headers) {
                json.open('{').field("name", name).field("value", value).close('}');
            }
            json.close(']');
        }
        json.field("body", inner.body).close('}');
    }

    Environment& environment_;
    InsightsEdge& insights_;
    Call& call_;
    const Params params_;
    const std::vector<std::string_view> parts_;
    const std::shared_ptr<const World> world_;
    std::optional<Object> object_;
    std::string_view report_;
    Usage usage_;
};

class FacebookPlatform final : public Platform {
public:
    explicit FacebookPlatform(Environment& environment) : environment_(environment), insights_(environment) {}
    HttpServerResponse answer(Call& call) override { return GraphCall(environment_, insights_, call).answer(); }
    void reset() override { insights_.reset(); }

private:
    Environment& environment_;
    InsightsEdge insights_;
};

}  // namespace

bool owns_path(std::string_view path) {
    if (path == "/") return true;
    const auto parts = split(path.substr(1), '/');
    if (is_version(parts.front())) return true;
    return parts.front() == "me" || parts.front() == "oauth" || parts.front() == "debug_token" ||
           parts.front().starts_with("act_");
}

std::string make_id(Level level, uint32_t index, uint64_t seed) {
    constexpr uint64_t kAccountBase = 100'000'000'000'000;
    constexpr uint64_t kObjectBase = 120'200'000'000'000'000;
    constexpr uint64_t kLevelStep = 10'000'000'000'000;
    constexpr uint64_t kSeedStep = 10'000'000'000;
    const uint64_t number = uint64_t{index} * 10 + 7;
    if (level == Level::account) return std::to_string(kAccountBase + seed % 9000 * kSeedStep + number * 7919);
    return std::to_string(kObjectBase + static_cast<uint64_t>(level) * kLevelStep + seed % 900 * kSeedStep + number);
}

std::unique_ptr<Platform> make_platform(Environment& environment) {
    return std::make_unique<FacebookPlatform>(environment);
}

}  // namespace shaduf::sandbox::facebook
