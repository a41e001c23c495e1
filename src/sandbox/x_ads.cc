#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/compression.h"
#include "sandbox/frame/ledger.h"
#include "sandbox/platform.h"
#include "sandbox/x_ads/jobs.h"
#include "sandbox/x_ads/lists.h"
#include "sandbox/x_ads/signature.h"
#include "sandbox/x_ads/stats.h"
#include "sandbox/x_ads/truth.h"

namespace shaduf {
namespace sandbox {
namespace {

using Json = nlohmann::ordered_json;
using namespace x_ads;  // NOLINT: this file is its front

constexpr size_t kPolledMax = 200;
constexpr std::string_view kVersions[] = {"/12/", "/11/"};

constexpr FieldSpec kSkewFields[] = {{.name = "by",
                                      .type = FieldType::duration,
                                      .help = "How far the server's clock is ahead.",
                                      .default_value = "20m"}};
constexpr FieldSpec kComplexFields[] = {
    {.name = "days", .type = FieldType::integer, .help = "That are not too many.", .default_value = "1"}};
constexpr FaultSpec kFaults[] = {
    {"x_clock_skew", "The server's clock is ahead of the client's.", kSkewFields},
    {"x_too_complex", "Statistics of more days are REQUEST_TOO_COMPLEX.", kComplexFields},
    {"x_job_fails", "The job that is asked for ends as FAILED."},
    {"x_job_hangs", "The job that is asked for stays PROCESSING."},
    {"x_url_expired", "The file of a job is no longer there."},
    {"x_jobs_full", "The account has as many jobs as it may."},
    {"x_account_lost", "The account is no longer shared with the user."},
};

constexpr Credential kCredentials[] = {{"X_CONSUMER_KEY", kConsumerKey},
                                       {"X_CONSUMER_SECRET", kConsumerSecret},
                                       {"X_ACCESS_TOKEN", kAccessToken},
                                       {"X_ACCESS_TOKEN_SECRET", kAccessTokenSecret}};

std::string_view version_of(std::string_view path) {
    for (const std::string_view version : kVersions) {
        if (path.starts_with(version)) return version;
    }
    return {};
}

bool owns(std::string_view path) { return !version_of(path).empty() || path.starts_with(kFilePrefix); }

void add_limits(HttpServerResponse& response, const std::string& prefix, const Verdict& verdict, Timestamp now) {
    if (verdict.limit == 0) return;
    const auto reset = std::chrono::ceil<std::chrono::seconds>(now + verdict.reset_in).time_since_epoch().count();
    response.headers.emplace_back(prefix + "limit", std::to_string(verdict.limit));
    response.headers.emplace_back(prefix + "remaining", std::to_string(verdict.remaining));
    response.headers.emplace_back(prefix + "reset", std::to_string(reset));
}

class XAds final : public Platform {
public:
    explicit XAds(Environment& environment) : environment_(environment) {}
    void reset() override { jobs_.reset(); }

    HttpServerResponse answer(Call& call) override {
        const HttpServerRequest& request = call.request;
        if (request.path.starts_with(kFilePrefix)) return answer_file(call);
        const Timestamp now = environment_.clock().now();
        Timestamp present = now;
        if (const Fault* skew = call.fault("x_clock_skew")) present += skew->options->duration("by");
        if (const auto refusal = check_signature(request, present)) {
            auto response = refuse(request, *refusal);
            response.headers.emplace_back("Date", http_date(present));
            call.route = "unauthorized";
            return response;
        }
        const auto world = environment_.world();
        const std::string path = request.path.substr(version_of(request.path).size());
        const auto parts = split(path, '/');
        const std::string account = account_of(parts);
        call.account = account;
        call.route = route_of_parts(parts);
        const std::string key = account.empty() ? "user:" + std::string(kAccessToken) : account;
        const Verdict verdict = environment_.ledgers().take(key + ":" + family_of(parts), Refill::by_window);
        HttpServerResponse response;
        if (verdict.allowed) {
            response = dispatch(call, *world, parts, present);
        } else {
            call.refused = true;
            response = refuse(request, {429, "TOO_MANY_REQUESTS", "Rate limit exceeded", ""});
        }
        add_limits(response, account.empty() ? "x-rate-limit-" : "x-account-rate-limit-", verdict, now);
        if (request.path.starts_with("/11/")) response.headers.emplace_back("x-api-warn", "deprecated version");
        return response;
    }

private:
    static std::string http_date(Timestamp time) {
        const auto day = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
        constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        char text[40];
        std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                      kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                      static_cast<int>(clock.seconds().count()));
        return text;
    }

    // accounts/{id}..., stats/accounts/{id}..., stats/jobs/accounts/{id}.
    static std::string account_of(const std::vector<std::string_view>& parts) {
        for (size_t i = 0; i + 1 < parts.size(); ++i) {
            if (parts[i] == "accounts") return std::string(parts[i + 1]);
        }
        return "";
    }
    static std::string family_of(const std::vector<std::string_view>& parts) {
        if (parts[0] != "stats") return parts.size() == 1 ? "accounts" : "entities";
        if (parts.size() > 1 && parts[1] == "jobs") return "jobs";
        return parts.back() == "active_entities" ? "active_entities" : "stats";
    }
    static std::string route_of_parts(const std::vector<std::string_view>& parts) {
        std::string route;
        for (size_t i = 0; i < parts.size(); ++i) {
            const bool is_id = i > 0 && parts[i - 1] == "accounts";
            route += "/" + (is_id ? std::string("{account}") : std::string(parts[i]));
        }
        return route;
    }

    HttpServerResponse dispatch(Call& call, const World& world, const std::vector<std::string_view>& parts,
                                Timestamp now) {
        const HttpServerRequest& request = call.request;
        const Refusal no_route{404, "ROUTE_NOT_FOUND", "The route does not exist", ""};
        if (call.account.empty())
            return parts[0] == "accounts" && parts.size() == 1 ? answer_accounts(request, world)
                                                               : refuse(request, no_route);
        const Entity* account = world.find(Level::account, call.account);
        if (account == nullptr || call.fault("x_account_lost") != nullptr)
            return refuse(request, {403, "ACCOUNT_NOT_FOUND", "No account was found with id " + call.account, ""});
        if (parts[0] == "accounts" && request.method == "GET") {
            if (parts.size() == 2) return answer_account(request, world, *account);
            if (parts.size() == 3) return answer_list(request, environment_, world, *account, std::string(parts[2]));
        }
        if (parts[0] != "stats") return refuse(request, no_route);
        if (parts.size() == 4 && parts[1] == "jobs") return answer_jobs(call, world, *account, now);
        if (request.method != "GET") return refuse(request, no_route);
        if (parts.size() == 4 && parts[3] == "active_entities") return answer_active_entities(request, world, *account);
        return parts.size() == 3 ? answer_stats(call, world, *account, now) : refuse(request, no_route);
    }

    static bool is_too_complex(const Call& call, const StatsQuery& query) {
        const Fault* fault = call.fault("x_too_complex");
        constexpr int64_t kDay = 86'400;
        return fault != nullptr && query.end - query.start > fault->options->integer("days") * kDay;
    }
    static HttpServerResponse too_complex(const HttpServerRequest& request) {
        return refuse(request, {400, "REQUEST_TOO_COMPLEX", "Ask for less at once", ""});
    }

    HttpServerResponse answer_stats(const Call& call, const World& world, const Entity& account, Timestamp now) const {
        const HttpServerRequest& request = call.request;
        const auto read = read_stats_query(request, world, account, StatsKind::synchronous, now);
        if (const auto* refusal = std::get_if<Refusal>(&read)) return refuse(request, *refusal);
        const auto& query = std::get<StatsQuery>(read);
        if (is_too_complex(call, query)) return too_complex(request);
        return {.status = 200,
                .headers = {{"Content-Type", "application/json;charset=utf-8"}},
                .body = stats_body(request, world, query, environment_.field_changes(stats_stream(query.level)))};
    }

    HttpServerResponse answer_jobs(const Call& call, const World& world, const Entity& account, Timestamp now) {
        const HttpServerRequest& request = call.request;
        if (request.method == "GET") {
            const auto ids = list_param(request, "job_ids");
            if (ids.size() > kPolledMax)
                return refuse(request, {.message = "Expected 200 ids at most", .parameter = "job_ids"});
            return reply(request, 200, jobs_.states(account.id, ids, call.origin, now), {{"next_cursor", nullptr}});
        }
        const auto read = read_stats_query(request, world, account, StatsKind::job, now);
        if (const auto* refusal = std::get_if<Refusal>(&read)) return refuse(request, *refusal);
        if (is_too_complex(call, std::get<StatsQuery>(read))) return too_complex(request);
        JobFate fate = JobFate::succeeds;
        if (call.fault("x_job_fails") != nullptr) fate = JobFate::fails;
        if (call.fault("x_job_hangs") != nullptr) fate = JobFate::hangs;
        std::optional<Job> job;
        if (call.fault("x_jobs_full") == nullptr) job = jobs_.add(account.id, request, now, fate);
        if (!job) return refuse(request, {429, "TOO_MANY_JOBS", "100 jobs of this account are in progress", ""});
        return reply(request, 201, job_json(*job, "PROCESSING", ""), Json::object());
    }

    // Whoever has the URL gets the file.
    HttpServerResponse answer_file(Call& call) {
        call.route = std::string(kFilePrefix) + "{file}";
        const Timestamp now = environment_.clock().now();
        const auto job = jobs_.of_file(call.request.path, now);
        const HttpServerResponse gone{.status = 403,
                                      .headers = {{"Content-Type", "application/xml"}},
                                      .body = "<Error><Code>AccessDenied</Code></Error>"};
        if (!job || call.fault("x_url_expired") != nullptr) return gone;
        const auto world = environment_.world();
        const Entity* account = world->find(Level::account, job->account);
        if (account == nullptr) return gone;
        const auto read = read_stats_query(job->request, *world, *account, StatsKind::job, now);
        const auto* query = std::get_if<StatsQuery>(&read);
        if (query == nullptr) return gone;
        auto file = compress_gzip(
            stats_body(job->request, *world, *query, environment_.field_changes(stats_stream(query->level))));
        if (!file.ok()) return {.status = 500, .body = file.error().message()};
        return {.status = 200, .headers = {{"Content-Type", "application/gzip"}}, .body = file.release_value()};
    }

    Environment& environment_;
    Jobs jobs_;
};

std::unique_ptr<Platform> make_x_ads(Environment& environment) { return std::make_unique<XAds>(environment); }

}  // namespace
}  // namespace sandbox

extern const sandbox::PlatformSpec platform_x_ads;
const sandbox::PlatformSpec platform_x_ads{.name = "x_ads",
                                           .summary = "X (Twitter) Ads API, version 12.",
                                           .url_variable = "X_URL",
                                           .base_path = "",
                                           .owns = sandbox::owns,
                                           .make_id = sandbox::x_ads::make_id,
                                           .credentials = sandbox::kCredentials,
                                           .faults = sandbox::kFaults,
                                           .truth = sandbox::x_ads::truth_streams,
                                           .make = sandbox::make_x_ads};

}  // namespace shaduf
