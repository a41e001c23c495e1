#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"
#include "sandbox/facebook_ads/account_access.h"
#include "sandbox/frame/sandbox.h"
#include "tests/world.h"

namespace shaduf {
extern const sandbox::PlatformSpec platform_facebook_ads;
}

namespace shaduf::sandbox {
namespace {

using facebook::kToken;
using testing::Contains;
using testing::HasSubstr;
using Json = nlohmann::json;

Registry<PlatformSpec> facebook_alone() { return Registry<PlatformSpec>({&platform_facebook_ads}); }

// The sandbox with Facebook alone, asked without a connection.
class FacebookSandbox {
public:
    explicit FacebookSandbox(const std::string& scenario = {}, SandboxOptions options = {}) {
        options.today = *parse_date("2026-11-21");
        auto faults = Scenario::empty();
        if (!scenario.empty()) {
            const auto errors =
                Scenario::parse(Node::parse_yaml(scenario, "s.yml").value(), facebook_alone(), 1, faults);
            EXPECT_TRUE(errors.empty()) << errors.front().to_string();
        }
        auto started = Sandbox::start(options, facebook_alone(), std::move(faults), clock);
        EXPECT_TRUE(started.ok()) << started.error().to_string();
        sandbox = started.release_value();
    }

    HttpServerResponse call(const std::string& method, const std::string& path, QueryParams params) {
        if (params.empty() || params.front().first != "access_token") params.emplace_back("access_token", kToken);
        HttpServerRequest request{.method = method, .path = path};
        request.target = path + "?" + format_query(params);
        (method == "POST" ? request.form : request.query) = std::move(params);
        return sandbox->answer(request);
    }
    Json json(const HttpServerResponse& response) { return Json::parse(response.body); }
    Json get(const std::string& path, const QueryParams& params = {}) {
        return json(call("GET", "/v26.0/" + path, params));
    }
    Json post(const std::string& path, const QueryParams& params = {}) {
        return json(call("POST", "/v26.0/" + path, params));
    }

    // All pages, by the URL of the next one.
    std::vector<Json> pages(const std::string& path, QueryParams params) {
        std::vector<Json> rows;
        Json page = get(path, params);
        for (int guard = 0; guard < 10'000; ++guard) {
            if (!page.contains("data")) {
                ADD_FAILURE() << page.dump();
                return rows;
            }
            for (const Json& row : page["data"]) rows.push_back(row);
            if (!page.contains("paging") || !page["paging"].contains("next")) return rows;
            const std::string next = page["paging"]["next"];
            const size_t at = next.find("/v26.0/");
            const size_t mark = next.find('?');
            HttpServerRequest request{.method = "GET", .path = next.substr(at, mark - at)};
            request.query = parse_query(std::string_view(next).substr(mark + 1));
            page = json(sandbox->answer(request));
        }
        ADD_FAILURE() << "pages without end";
        return rows;
    }

    // The truth's rows: by name of column.
    std::vector<std::map<std::string, std::string>> truth(const std::string& stream, const std::string& since,
                                                          const std::string& until) {
        HttpServerRequest request{.method = "GET", .path = "/_sandbox/truth/facebook_ads/" + stream + ".csv"};
        request.query = {{"since", since}, {"until", until}};
        HttpServerResponse response = sandbox->answer(request);
        while (response.next_chunk && response.next_chunk(response.body)) {
        }
        std::vector<std::map<std::string, std::string>> rows;
        std::vector<std::string_view> names;
        for (const std::string_view line : split(response.body, '\n')) {
            if (line.empty()) continue;
            const auto values = split(line, ',');
            if (names.empty()) {
                names = values;
                continue;
            }
            auto& row = rows.emplace_back();
            for (size_t i = 0; i < names.size(); ++i) row[std::string(names[i])] = values[i];
        }
        return rows;
    }

    std::vector<std::string> accounts() {
        std::vector<std::string> ids;
        const Json page = get("me/adaccounts", {{"limit", "100"}});
        for (const Json& account : page["data"]) ids.push_back(account["id"]);
        return ids;
    }
    std::string account() { return accounts().front(); }

    FakeClock clock;
    std::unique_ptr<Sandbox> sandbox;
};

std::string range(const std::string& since, const std::string& until) {
    return R"({"since":")" + since + R"(","until":")" + until + R"("})";
}

std::string header(const HttpServerResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return "";
}

// Rows of a page, or of the truth, as lines in order.
template <typename Row>
std::multiset<std::string> lines(const std::vector<Row>& rows, const std::vector<std::string>& names) {
    std::multiset<std::string> all;
    for (const Row& row : rows) {
        std::string line;
        for (const std::string& name : names) {
            std::string value = row.count(name) == 0 ? "" : std::string(row.at(name));
            if (name == "spend") value = std::to_string(std::stod(value));
            line += value + "|";
        }
        all.insert(line);
    }
    return all;
}

struct TruthCase {
    const char* stream;
    const char* level;
    const char* breakdowns;
    std::vector<std::string> names;
};

TEST(FacebookSandbox, InsightsAreTheTruth) {
    FacebookSandbox facebook;
    const std::vector<std::string> numbers{"date_start",         "date_stop", "impressions", "clicks",
                                           "inline_link_clicks", "reach",     "spend"};
    const TruthCase cases[] = {
        {"account_insights", "account", "", {"account_id"}},
        {"campaign_insights", "campaign", "", {"account_id", "campaign_id"}},
        {"ad_insights", "ad", "", {"account_id", "campaign_id", "adset_id", "ad_id"}},
        {"ad_insights_country", "ad", "country", {"ad_id", "country"}},
        {"ad_insights_age_and_gender", "ad", R"(["age","gender"])", {"ad_id", "age", "gender"}},
    };
    for (auto [stream, level, breakdowns, names] : cases) {
        SCOPED_TRACE(stream);
        names.insert(names.end(), numbers.begin(), numbers.end());
        std::vector<Json> rows;
        for (const std::string& account : facebook.accounts()) {
            const auto part = facebook.pages(
                account + "/insights",
                {{"level", level},
                 {"fields", "account_id,campaign_id,adset_id,ad_id,impressions,clicks,inline_link_clicks,reach,spend"},
                 {"breakdowns", breakdowns},
                 {"time_increment", "1"},
                 {"limit", "37"},
                 {"time_range", range("2026-11-10", "2026-11-22")}});
            rows.insert(rows.end(), part.begin(), part.end());
        }
        EXPECT_GT(rows.size(), 20U);
        const auto found = lines(rows, names);
        const auto expected = lines(facebook.truth(stream, "2026-11-10", "2026-11-22"), names);
        const auto differing = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
        EXPECT_TRUE(found == expected) << found.size() << " rows, expected " << expected.size() << "; expected "
                                       << (differing.second == expected.end() ? "no more" : *differing.second);
    }
}

TEST(FacebookSandbox, TheNextPageHasTheTokenHoweverItCame) {
    FacebookSandbox facebook;
    HttpServerRequest request{.method = "GET", .path = "/v26.0/me/adaccounts"};
    request.query = {{"limit", "1"}};
    request.headers = {{"Authorization", "Bearer " + std::string(kToken)}};
    const Json page = facebook.json(facebook.sandbox->answer(request));
    EXPECT_THAT(std::string(page["paging"]["next"]), HasSubstr("access_token=" + std::string(kToken)));
}

TEST(FacebookSandbox, AReportHasTheRowsOfTheSynchronousCall) {
    FacebookSandbox facebook;
    const std::string account = facebook.account();
    const QueryParams query{{"level", "ad"},
                            {"fields", "ad_id,impressions,actions"},
                            {"date_preset", "last_7d"},
                            {"time_increment", "1"},
                            {"action_attribution_windows", R"(["1d_click","7d_click","7d_view"])"}};
    const std::string id = facebook.post(account + "/insights", query)["report_run_id"];
    EXPECT_EQ(facebook.get(id + "/insights")["error"]["code"], 2601) << "nobody has looked yet";
    const Json state = facebook.get(id);
    EXPECT_EQ(state["async_status"], "Job Completed");
    EXPECT_EQ(state["async_percent_completion"], 100);
    const auto rows = facebook.pages(id + "/insights", {{"limit", "10"}});
    EXPECT_EQ(rows, facebook.pages(account + "/insights", query));
    const Json& action = rows[0]["actions"][0];
    EXPECT_TRUE(action.contains("7d_click"));
    EXPECT_FALSE(action.contains("7d_view")) << "taken, and never told";
    facebook.clock.advance(std::chrono::hours(31 * 24));
    EXPECT_EQ(facebook.get(id)["error"]["code"], 100) << "reports die";
}

TEST(FacebookSandbox, ReportsMeetTheirFate) {
    struct Case {
        const char* fault;
        std::vector<std::string> statuses;  // of the looks, one after the other
    };
    const Case cases[] = {
        {"report_stuck", {"Job Not Started 0", "Job Started 0", "Job Started 0"}},
        {"report_failed", {"Job Failed 40"}},
        {"report_skipped", {"Job Skipped 0"}},
        {"report_late", {"Job Completed 99", "Job Completed 100"}},
        {"report_slow", {"Job Started 20", "Job Running 40", "Job Running 60", "Job Running 80", "Job Completed 100"}},
    };
    for (const auto& [fault, statuses] : cases) {
        SCOPED_TRACE(fault);
        FacebookSandbox facebook("faults:\n- fault: " + std::string(fault) + "\n");
        const std::string id = facebook.post(facebook.account() + "/insights", {{"level", "ad"}})["report_run_id"];
        Json state;
        for (const std::string& expected : statuses) {
            state = facebook.get(id);
            EXPECT_EQ(std::string(state["async_status"]) + " " + state["async_percent_completion"].dump(), expected);
        }
        EXPECT_EQ(state.value("error_code", 0), std::string(fault) == "report_failed" ? -2 : 0);
    }
}

struct ErrorCase {
    const char* path;
    QueryParams params;
    int code;
    int subcode;
};

TEST(FacebookSandbox, RefusesAsTheApiDoes) {
    FacebookSandbox facebook;
    const std::string account = facebook.account();
    const ErrorCase cases[] = {
        {"insights", {{"access_token", ""}}, 104, 0},
        {"insights", {{"access_token", "stale"}}, 190, 0},
        {"insights", {{"appsecret_proof", "00"}}, 100, 0},
        {"insights", {{"fields", "imprssions"}}, 100, 0},
        {"insights", {{"fields", "impressions,age"}}, 100, 0},
        {"insights", {{"breakdowns", "dma"}}, 100, 0},
        {"insights", {{"action_breakdowns", "action_mood"}}, 100, 0},
        {"insights", {{"breakdowns", "age,region"}}, 100, 1504041},
        {"insights", {{"time_range", "{"}}, 100, 0},
        {"insights", {{"time_range", R"({"since":"2026-11-02","until":"2026-11-01"})"}}, 100, 0},
        {"insights", {{"time_range", R"({"since":"2023-10-20","until":"2023-10-30"})"}}, 3018, 0},
        {"insights", {{"time_increment", "91"}}, 100, 0},
        {"insights", {{"level", "keyword"}}, 100, 0},
        {"insights", {{"filtering", R"([{"field":"ad.id","operator":"LIKE","value":"1"}])"}}, 100, 0},
        {"insights", {{"filtering", R"([{"field":"moon","operator":"EQUAL","value":"1"}])"}}, 100, 0},
        {"insights", {{"after", "!"}}, 100, 0},
        {"campaigns", {{"fields", "id,colour"}}, 100, 0},
        {"ads", {{"fields", "creative{id,colour}"}}, 100, 0},
        {"ads", {{"fields", "creative{id"}}, 2500, 0},
        {"moons", {}, 100, 0},
    };
    for (const auto& [path, params, code, subcode] : cases) {
        SCOPED_TRACE(std::string(path) + " " + (params.empty() ? "" : params[0].first + "=" + params[0].second));
        const auto response = facebook.call("GET", "/v26.0/" + account + "/" + path, params);
        EXPECT_EQ(response.status, 400);
        const Json error = facebook.json(response)["error"];
        EXPECT_EQ(error.value("code", 0), code) << error.dump();
        EXPECT_EQ(error.value("error_subcode", 0), subcode) << error.dump();
        EXPECT_FALSE(std::string(error["fbtrace_id"]).empty());
    }
    EXPECT_EQ(facebook.get("act_1/insights")["error"]["error_subcode"], 33);
}

TEST(FacebookSandbox, TellsWhatIsUsedAndThenRefuses) {
    SandboxOptions options;
    options.rate = Rate{10, std::chrono::seconds(600)};
    FacebookSandbox facebook({}, options);
    const std::string path = "/v26.0/" + facebook.account() + "/insights";
    for (int call = 1; call <= 10; ++call) {
        const auto response = facebook.call("GET", path, {});
        EXPECT_EQ(response.status, 200);
        const Json throttle = Json::parse(header(response, "x-fb-ads-insights-throttle"));
        EXPECT_EQ(throttle["acc_id_util_pct"], call * 10);
    }
    const auto refused = facebook.call("GET", path, {});
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(facebook.json(refused)["error"]["code"], 80000);
    EXPECT_EQ(facebook.json(refused)["error"]["error_subcode"], 2446079);
    const Json business = Json::parse(header(refused, "x-business-use-case-usage"));
    EXPECT_EQ(business.begin().value()[0]["estimated_time_to_regain_access"], 1);
    EXPECT_EQ(facebook.call("GET", "/v26.0/" + facebook.accounts()[1] + "/insights", {}).status, 200);
    facebook.clock.advance(std::chrono::seconds(60));
    EXPECT_EQ(facebook.call("GET", path, {}).status, 200);
    const Json calls = facebook.json(facebook.sandbox->answer({.method = "GET", .path = "/_sandbox/calls"}));
    EXPECT_EQ(calls["ledgers"][0]["allowed"], 11);
    EXPECT_EQ(calls["ledgers"][0]["refused"], 1);
}

TEST(FacebookSandbox, HidesWhatIsDeletedUnlessAsked) {
    FacebookSandbox facebook({}, {.ads = 3000});
    size_t shown = 0;
    size_t all = 0;
    std::set<std::string> statuses;
    for (const std::string& account : facebook.accounts()) {
        shown += facebook.pages(account + "/campaigns", {{"fields", "name"}}).size();
        const auto campaigns = facebook.pages(
            account + "/campaigns",
            {{"fields", "effective_status"}, {"effective_status", R"(["ACTIVE","PAUSED","DELETED","ARCHIVED"])"}});
        all += campaigns.size();
        for (const Json& campaign : campaigns) statuses.insert(campaign["effective_status"]);
    }
    EXPECT_THAT(statuses, Contains("ARCHIVED"));
    EXPECT_GT(all, shown);
    EXPECT_EQ(all, facebook.truth("campaigns", "2026-01-01", "2026-01-01").size());
}

TEST(FacebookSandbox, FiltersByTimeOfChange) {
    FacebookSandbox facebook({}, {.ads = 300});
    const auto since = [&](int64_t seconds) {
        return facebook
            .pages(facebook.account() + "/ads",
                   {{"fields", "updated_time"},
                    {"filtering", R"([{"field":"ad.updated_time","operator":"GREATER_THAN","value":)" +
                                      std::to_string(seconds) + "}]"}})
            .size();
    };
    const int64_t now = int64_t{86'400} * *parse_date("2026-11-21");
    EXPECT_GT(since(0), since(now - 30 * 86'400));
    EXPECT_GT(since(now - 30 * 86'400), 0U);
    EXPECT_EQ(since(now + 86'400), 0U);
}

TEST(FacebookSandbox, BatchesAnswerEachElement) {
    FacebookSandbox facebook("faults:\n- {fault: null_batch_element, element: 1}\n");
    const std::string account = facebook.account();
    const Json answer = facebook.json(facebook.call(
        "POST", "/",
        {{"access_token", std::string(kToken)},
         {"batch",
          R"([{"method":"GET","relative_url":"v26.0/)" + account + R"(?fields=currency"},)" +
              R"({"method":"GET","relative_url":"v26.0/me"},{"method":"GET","relative_url":"v26.0/act_9"}])"}}));
    ASSERT_EQ(answer.size(), 3U);
    EXPECT_EQ(answer[0]["code"], 200);
    EXPECT_EQ(Json::parse(std::string(answer[0]["body"]))["currency"], "EUR");
    EXPECT_TRUE(answer[1].is_null());
    EXPECT_EQ(answer[2]["code"], 400);
    EXPECT_THAT(answer[0]["headers"].dump(), HasSubstr("x-business-use-case-usage"));
}

// As Meta's Python client writes them: without a version, and with a slash behind an id.
TEST(FacebookSandbox, BatchesNeedNoVersion) {
    FacebookSandbox facebook;
    const std::string account = facebook.account();
    const Json run = facebook.json(facebook.call("POST", "/v26.0/" + account + "/insights",
                                                 {{"access_token", std::string(kToken)}, {"fields", "impressions"}}));
    const std::string id = run["report_run_id"];
    const Json answer = facebook.json(facebook.call(
        "POST", "/",
        {{"access_token", std::string(kToken)}, {"batch", R"([{"method":"GET","relative_url":")" + id + R"(/"}])"}}));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0]["code"], 200);
    EXPECT_EQ(Json::parse(std::string(answer[0]["body"]))["id"], id);
}

TEST(FacebookSandbox, LeavesReachOutOfOldBreakdowns) {
    FacebookSandbox facebook({}, {.days = 900});
    const std::string account = facebook.account();
    QueryParams query{{"fields", "reach,frequency,cpp,impressions"}, {"time_range", range("2025-08-01", "2025-08-01")}};
    EXPECT_TRUE(facebook.get(account + "/insights", query)["data"][0].contains("reach"));
    query.emplace_back("breakdowns", "country");
    const Json old = facebook.get(account + "/insights", query)["data"][0];
    EXPECT_FALSE(old.contains("reach"));
    EXPECT_FALSE(old.contains("cpp"));
    EXPECT_TRUE(old.contains("impressions"));
}

TEST(FacebookSandbox, RefusesTooMuchUntilTheRangeIsShort) {
    FacebookSandbox facebook("faults:\n- {fault: too_much_data, days_max: 7}\n");
    const std::string account = facebook.account();
    EXPECT_EQ(facebook.get(account + "/insights",
                           {{"time_range", range("2026-11-01", "2026-11-08")}})["error"]["error_subcode"],
              1487534);
    EXPECT_TRUE(
        facebook.get(account + "/insights", {{"time_range", range("2026-11-01", "2026-11-07")}}).contains("data"));
}

TEST(FacebookSandbox, FieldsChangeFromSomeCallOn) {
    FacebookSandbox facebook(
        "faults:\n"
        "- {fault: remove_field, stream: ad_insights, field: clicks, path: \"*/insights\", nth: 2}\n"
        "- {fault: rename_field, stream: ad_insights, field: spend, to: cost, path: \"*/insights\", nth: 2}\n"
        "- {fault: add_field, stream: ad_insights, field: glow, value: 7, path: \"*/insights\", nth: 2}\n");
    const std::string account = facebook.account();
    const QueryParams query{{"level", "ad"}, {"fields", "impressions,clicks,spend"}};
    const Json before = facebook.get(account + "/insights", query)["data"][0];
    EXPECT_TRUE(before.contains("clicks") && before.contains("spend") && !before.contains("glow"));
    const Json after = facebook.get(account + "/insights", query)["data"][0];
    EXPECT_FALSE(after.contains("clicks") || after.contains("spend"));
    EXPECT_EQ(after["glow"], 7);
    EXPECT_EQ(after["cost"], before["spend"]);
}

TEST(FacebookSandbox, SortsFiltersAndSumsUp) {
    FacebookSandbox facebook;
    const auto rows = facebook.pages(facebook.account() + "/insights", {{"level", "ad"},
                                                                        {"fields", "ad_id,impressions,spend"},
                                                                        {"sort", R"(["impressions_descending"])"},
                                                                        {"limit", "3"}});
    ASSERT_GT(rows.size(), 5U);
    for (size_t i = 1; i < rows.size(); ++i) {
        EXPECT_GE(std::stoll(std::string(rows[i - 1]["impressions"])), std::stoll(std::string(rows[i]["impressions"])));
    }
    const std::string ad = rows[2]["ad_id"];
    const Json page = facebook.get(facebook.account() + "/insights",
                                   {{"level", "ad"},
                                    {"fields", "ad_id,impressions"},
                                    {"filtering", R"([{"field":"ad.id","operator":"IN","value":[")" + ad + R"("]}])"},
                                    {"default_summary", "true"}});
    ASSERT_EQ(page["data"].size(), 1U);
    EXPECT_EQ(page["data"][0]["impressions"], rows[2]["impressions"]);
    int64_t sum = 0;
    for (const Json& row : rows) sum += std::stoll(std::string(row["impressions"]));
    EXPECT_EQ(std::string(page["summary"]["impressions"]), std::to_string(sum));
}

TEST(FacebookSandbox, ManyReadWhileTheWorldChanges) {
    FacebookSandbox facebook("faults:\n- {fault: shift_day, every: 9, path: \"*/campaigns\"}\n");
    const std::string account = facebook.account();
    std::atomic<int> answered{0};
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 6; ++reader) {
        readers.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                answered += facebook.get(account + "/insights", {{"level", "ad"}}).contains("data") ? 1 : 0;
                answered += facebook.get(account + "/campaigns").contains("data") ? 1 : 0;
                const Json report = facebook.post(account + "/insights", {{"level", "campaign"}});
                answered += facebook.get(std::string(report["report_run_id"])).contains("async_status") ? 1 : 0;
            }
        });
    }
    for (const char* change : {"restate", "shift-day", "restate"}) {
        facebook.sandbox->answer({.method = "POST", .path = "/_sandbox/" + std::string(change)});
    }
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(answered, 6 * 10 * 3);
}

TEST(FacebookSandbox, ChecksTokensAndExchangesThem) {
    FacebookSandbox facebook;
    const std::string proof = to_hex(hmac_sha256(facebook::kAppSecret, kToken));
    EXPECT_EQ(facebook.call("GET", "/v26.0/me", {{"appsecret_proof", proof}}).status, 200);
    const std::string app = std::string(facebook::kAppId) + "|" + std::string(facebook::kAppSecret);
    EXPECT_EQ(
        facebook.get("debug_token", {{"access_token", app}, {"input_token", std::string(kToken)}})["data"]["is_valid"],
        true);
    EXPECT_EQ(facebook.get("debug_token", {{"access_token", app}, {"input_token", "x"}})["data"]["is_valid"], false);
    const Json token = facebook.get("oauth/access_token", {{"grant_type", "fb_exchange_token"},
                                                           {"client_id", std::string(facebook::kAppId)},
                                                           {"client_secret", std::string(facebook::kAppSecret)},
                                                           {"fb_exchange_token", std::string(kToken)}});
    EXPECT_EQ(token["access_token"], kToken);
    EXPECT_EQ(token["expires_in"], 60 * 86'400);
}

}  // namespace
}  // namespace shaduf::sandbox
