#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "connectors/facebook_ads/fetcher.h"
#include "io/url.h"
#include "tests/connectors/ads_world.h"

namespace shaduf {
extern const ConnectorSpec connector_facebook_ads;

// A Marketing API of one account with some ads: insights by day and ad, at once and by report runs, with limits of what
// it does at once. Independent of the code under test: requests are read with nlohmann. Thread-safe.
class FakeFacebook final : public HttpTransport {
public:
    using Json = nlohmann::json;
    struct Ad {
        std::string campaign;
        std::string ad_set;
        std::string id;
    };
    struct Run {
        QueryParams params;
        std::string node;
        int polls = 0;
    };
    // What a run's state is when it is asked for; nullopt: as the limits say.
    using RunState = std::function<std::optional<Json>(const std::string& id, const Run& run)>;
    // An answer instead of the usual one.
    using Fault = std::function<std::optional<HttpResponse>(const HttpRequest& request)>;

    Result<HttpResponse> send(RunContext& run, const HttpRequest& request) override {
        TRY(run.cancellation.check());
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        if (fault) {
            if (auto answer = fault(request)) return *answer;
        }
        const Url url = Url::parse(request.url).release_value();
        QueryParams params = parse_query(url.query);
        if (request.method == "POST") params = parse_query(request.body);
        HttpResponse response = answer(request.method, url.path, params);
        for (const auto& header : headers) response.headers.push_back(header);
        return response;
    }

    std::vector<std::string> targets() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> targets;
        for (const HttpRequest& request : requests_) {
            const auto slash = request.url.find('/', request.url.find("://") + 3);
            targets.push_back(request.method + " " + percent_decode(request.url.substr(slash)));
        }
        return targets;
    }
    std::vector<HttpRequest> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    size_t count(std::string_view part) const {
        const auto all = targets();
        return static_cast<size_t>(std::count_if(
            all.begin(), all.end(), [&](const std::string& target) { return target.find(part) != std::string::npos; }));
    }

    static HttpResponse error(int status, int64_t code, int64_t subcode, const std::string& message) {
        const Json body = {{"error",
                            {{"message", message},
                             {"type", "OAuthException"},
                             {"code", code},
                             {"error_subcode", subcode},
                             {"fbtrace_id", "T"}}}};
        return FakeHttp::make_response(status, {}, body.dump());
    }

    std::vector<Ad> ads;
    size_t rows_at_once_max = 1'000'000;  // of a synchronous call; more are too large
    size_t rows_of_run_max = 1'000'000;   // of a report run
    int64_t limit_max = 1'000'000;        // of a page
    int polls_needed = 1;                 // before a run is complete
    RunState run_state;
    Fault fault;
    HttpHeaders headers;                             // of every answer
    size_t null_batch_elements = 0;                  // so many elements of batches are not executed
    int under_way_max = 0;                           // runs at the same time
    std::map<std::string, std::vector<Json>> lists;  // by edge

private:
    static std::string param(const QueryParams& params, std::string_view name) {
        for (const auto& [key, value] : params) {
            if (key == name) return value;
        }
        return "";
    }

    HttpResponse ok(const Json& body) const { return FakeHttp::make_response(200, {}, body.dump()); }

    HttpResponse answer(const std::string& method, const std::string& path, const QueryParams& params) {
        if (method == "POST" && path == "/") return answer_batch(params);
        const std::string rest = path.substr(path.find('/', 1) + 1);  // behind the version
        const auto slash = rest.find('/');
        const std::string node = rest.substr(0, slash);
        const std::string edge = slash == std::string::npos ? "" : rest.substr(slash + 1);
        const Json account = {{"id", "act_1"},
                              {"account_id", "1"},
                              {"name", "One"},
                              {"currency", "EUR"},
                              {"timezone_name", "Europe/Berlin"}};
        if (node == "debug_token") return ok({{"data", {{"is_valid", true}, {"expires_at", 0}}}});
        if (node == "me") return ok({{"data", {account}}});
        if (runs_.contains(node))
            return edge.empty() ? state_of(node) : page(rows(runs_[node].node, runs_[node].params), params);
        if (edge.empty()) return ok(account);
        if (edge != "insights") return page(lists[edge], params);
        if (method == "POST") return submit(node, params);
        const auto all = rows(node, params);
        if (all.size() > rows_at_once_max) return error(400, 100, 1487534, "Please reduce the amount of data");
        return page(all, params);
    }

    HttpResponse answer_batch(const QueryParams& params) {
        Json answers = Json::array();
        for (const Json& call : Json::parse(param(params, "batch"))) {
            if (null_batch_elements > 0) {
                --null_batch_elements;
                answers.push_back(nullptr);
                continue;
            }
            const std::string target = "/" + call["relative_url"].get<std::string>();
            const HttpResponse response = answer("GET", target, {});
            answers.push_back({{"code", response.status}, {"headers", Json::array()}, {"body", response.text()}});
        }
        return ok(answers);
    }

    HttpResponse submit(const std::string& node, const QueryParams& params) {
        const std::string id = std::to_string(9'000 + runs_.size());
        runs_[id] = {params, node};
        under_way_max = std::max(under_way_max, ++under_way_);
        return FakeHttp::make_response(200, {}, R"({"report_run_id":)" + id + "}");  // a bare number
    }

    HttpResponse state_of(const std::string& id) {
        Run& run = runs_[id];
        ++run.polls;
        Json state = {{"id", id}, {"async_status", "Job Running"}, {"async_percent_completion", 50}};
        if (const auto scripted = run_state ? run_state(id, run) : std::nullopt) {
            state.update(*scripted);
        } else if (run.polls >= polls_needed) {
            const bool fits = rows(run.node, run.params).size() <= rows_of_run_max;
            state["async_status"] = fits ? "Job Completed" : "Job Failed";
            state["async_percent_completion"] = 100;
        }
        const std::string status = state["async_status"];
        if (status != "Job Running" && status != "Job Started") --under_way_;
        return ok(state);
    }

    // Of the ads below a node, by day; or the nodes of a level, when asked for the whole time.
    std::vector<Json> rows(const std::string& node, const QueryParams& params) const {
        std::vector<Json> rows;
        const std::string level = param(params, "level");
        const Json range = Json::parse(param(params, "time_range"));
        const ads::Day first = day(range["since"].get<std::string>());
        const ads::Day last = day(range["until"].get<std::string>());
        std::set<std::string> nodes;
        for (const Ad& ad : ads) {
            if (node != "act_1" && node != ad.campaign && node != ad.ad_set && node != ad.id) continue;
            nodes.insert(level == "campaign" ? ad.campaign : level == "adset" ? ad.ad_set : ad.id);
        }
        const std::string column = level + "_id";
        if (param(params, "time_increment") == "all_days") {
            for (const std::string& id : nodes) rows.push_back({{column, id}});
            return rows;
        }
        for (ads::Day at = first; at <= last; at += std::chrono::days(1)) {
            for (const std::string& id : nodes) {
                rows.push_back({{column, id},
                                {"impressions", "185"},
                                {"spend", "14.35"},
                                {"date_start", ads::format_day(at)},
                                {"date_stop", ads::format_day(at)}});
            }
        }
        return rows;
    }

    HttpResponse page(const std::vector<Json>& all, const QueryParams& params) const {
        const std::string limit_text = param(params, "limit");
        const int64_t limit = limit_text.empty() ? 25 : std::stoll(limit_text);
        if (limit > limit_max) return error(500, 1, 0, "Please reduce the amount of data you're asking for");
        const std::string after = param(params, "after");
        const size_t begin = after.empty() ? 0 : std::stoul(after);
        const size_t end = std::min(all.size(), begin + static_cast<size_t>(limit));
        Json body = {{"data", Json::array()}};
        for (size_t i = begin; i < end; ++i) body["data"].push_back(all[i]);
        body["paging"] = {{"cursors", {{"before", std::to_string(begin)}, {"after", std::to_string(end)}}}};
        if (end < all.size()) body["paging"]["next"] = "https://graph.facebook.com/x?access_token=s3cr3t";
        return ok(body);
    }

    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
    std::map<std::string, Run> runs_;
    int under_way_ = 0;
};

// A world whose transport is a FakeFacebook, and the fetcher of one stream of it.
class FacebookTest : public testing::Test {
protected:
    FacebookTest()
        : run{world.clock,  world.cancellation, facebook,    world.run.databases,
              world.events, world.shared,       *world.rates} {
        for (const char* campaign : {"c1", "c2"}) {
            for (const char* ad_set : {"s1", "s2"}) {
                for (const char* ad : {"a1", "a2", "a3"}) {
                    const std::string set = std::string(campaign) + ad_set;
                    facebook.ads.push_back({campaign, set, set + ad});
                }
            }
        }
        account.id = "1";
        account.currency = "EUR";
        account.time_zone = "Europe/Berlin";
    }

    std::unique_ptr<ads::SliceFetcher> make(const std::string& stream, const std::string& options = "{}",
                                            ReadMode mode = ReadMode::incremental) {
        const StreamRequest request{"fb", stream, mode, ads_options(connector_facebook_ads.stream_fields, options)};
        auto fetcher = facebook::make_fetcher(ads_options(connector_facebook_ads.fields, connection), request);
        EXPECT_TRUE(fetcher.ok()) << fetcher.error().to_string();
        return fetcher.release_value();
    }
    ads::Slice slice(std::string_view first, std::string_view last) const {
        return {account, "", days(first, last), ""};
    }
    // The "day ad" of each row, which must be all that the account has of the days, each once.
    void expect_whole(const FakeOutput& out, ads::DayRange range) const {
        std::vector<std::string> found;
        for (const std::string& row : out.rows()) {
            const auto json = nlohmann::json::parse(row);
            found.push_back(json["date_start"].get<std::string>() + " " + json["ad_id"].get<std::string>());
        }
        std::vector<std::string> wanted;
        for (ads::Day at = range.first; at <= range.last; at += std::chrono::days(1)) {
            for (const auto& ad : facebook.ads) wanted.push_back(ads::format_day(at) + " " + ad.id);
        }
        std::sort(found.begin(), found.end());
        std::sort(wanted.begin(), wanted.end());
        EXPECT_EQ(found.size(), wanted.size());
        EXPECT_TRUE(found == wanted);
    }

    World world;
    FakeFacebook facebook;
    RunContext run;
    ads::Memory memory;
    ads::Account account;
    std::string connection = "{access_token: t0ken, accounts: [act_1]}";
};

}  // namespace shaduf
