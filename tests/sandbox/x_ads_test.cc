#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "io/oauth1.h"
#include "sandbox/frame/sandbox.h"
#include "tests/world.h"

namespace shaduf {
extern const sandbox::PlatformSpec platform_x_ads;
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

class SandboxXTest : public testing::Test {
protected:
    void SetUp() override { start(1); }
    void start(uint32_t accounts) {
        sandbox::SandboxOptions options;
        options.accounts = accounts;
        options.ads = 30;
        options.days = 120;
        options.today = 20'455;  // 2026-01-02, as the clock says
        auto started = sandbox::Sandbox::start(options, platforms_, sandbox::Scenario::empty(), clock_);
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        sandbox_ = started.release_value();
        for (const auto& [name, value] : sandbox_->environment()) {
            if (name == "X_CONSUMER_KEY") keys_.consumer_key = value;
            if (name == "X_CONSUMER_SECRET") keys_.consumer_secret = value;
            if (name == "X_ACCESS_TOKEN") keys_.token = value;
            if (name == "X_ACCESS_TOKEN_SECRET") keys_.token_secret = value;
        }
        account_ = ask("GET", "/12/accounts")["data"][0]["id"].get<std::string>();
    }

    // Signed as clients do, by code that is not the sandbox's.
    HttpServerRequest request(const std::string& method, const std::string& target, Timestamp now) const {
        HttpRequest sent{.method = method, .url = "http://x.test" + target};
        EXPECT_TRUE(sign_oauth1(sent, keys_, now, "nonce").ok());
        const auto question = target.find('?');
        HttpServerRequest got{.method = method, .target = target, .path = target.substr(0, question)};
        if (question != std::string::npos) got.query = parse_query(target.substr(question + 1));
        got.headers = {{"Authorization", std::string(FakeHttp::header(sent, "Authorization"))}, {"Host", "x.test"}};
        return got;
    }
    HttpServerResponse call(const std::string& method, const std::string& target) const {
        return sandbox_->answer(request(method, target, clock_.now()));
    }
    json ask(const std::string& method, const std::string& target) const {
        return json::parse(call(method, target).body);
    }
    std::string stats(const std::string& more) const {
        return "/12/stats/accounts/" + account_ +
               "?entity=CAMPAIGN&granularity=DAY&metric_groups=ENGAGEMENT&placement=" + "ALL_ON_TWITTER&entity_ids=" +
               campaign() + more;
    }
    std::string campaign() const {
        return ask("GET", "/12/accounts/" + account_ + "/campaigns?with_deleted=true")["data"][0]["id"];
    }
    static std::string code(const json& answer) { return answer["errors"][0]["code"].get<std::string>(); }

    FakeClock clock_;
    Registry<sandbox::PlatformSpec> platforms_{{&platform_x_ads}};
    std::unique_ptr<sandbox::Sandbox> sandbox_;
    OAuth1Credentials keys_;
    std::string account_;
};

TEST_F(SandboxXTest, RefusesEverySignatureThatIsNotRight) {
    const std::string target = "/12/accounts?count=5";
    const auto good = request("GET", target, clock_.now());
    EXPECT_EQ(sandbox_->answer(good).status, 200);
    auto other_query = good;
    other_query.query.front().second = "6";
    auto other_method = good;
    other_method.method = "POST";
    auto unsigned_one = good;
    unsigned_one.headers.erase(unsigned_one.headers.begin());
    auto other_host = good;
    other_host.headers.back().second = "evil.test";
    const HttpServerRequest wrong[] = {other_query,
                                       other_method,
                                       unsigned_one,
                                       other_host,
                                       request("GET", target, clock_.now() + std::chrono::minutes(6)),
                                       request("GET", target, clock_.now() - std::chrono::minutes(6))};
    for (const HttpServerRequest& one : wrong) {
        const auto answer = sandbox_->answer(one);
        EXPECT_EQ(answer.status, 401) << answer.body;
        EXPECT_EQ(code(json::parse(answer.body)), "UNAUTHORIZED_ACCESS");
    }
    keys_.token_secret = "wrong";
    EXPECT_EQ(call("GET", target).status, 401);
}

TEST_F(SandboxXTest, PagesAListToItsEnd) {
    const std::string list =
        "/12/accounts/" + account_ + "/promoted_tweets?with_deleted=true&count=7&sort_by=updated_at-desc";
    std::vector<std::string> times;
    for (std::string cursor;;) {
        const json page = ask("GET", list + (cursor.empty() ? "" : "&cursor=" + cursor));
        for (const json& row : page["data"]) times.push_back(row["updated_at"]);
        if (page["next_cursor"].is_null()) break;
        cursor = page["next_cursor"];
    }
    EXPECT_THAT(times, SizeIs(30));
    EXPECT_TRUE(std::is_sorted(times.rbegin(), times.rend()));
    EXPECT_LT(ask("GET", "/12/accounts/" + account_ + "/promoted_tweets?count=1000")["data"].size(), 31U);
}

TEST_F(SandboxXTest, RefusesWhatTheApiRefuses) {
    const std::string account = "/12/accounts/" + account_;
    const std::pair<std::string, const char*> cases[] = {
        {account + "/campaigns?count=1001", "INVALID_PARAMETER"},
        {account + "/campaigns?cursor=x", "INVALID_PARAMETER"},
        {account + "/campaigns?sort_by=name-asc", "INVALID_PARAMETER"},
        {account + "/nothing", "ROUTE_NOT_FOUND"},
        {"/12/accounts/zzz/campaigns", "ACCOUNT_NOT_FOUND"},
        // Berlin is at +01:00.
        {stats("&start_time=2025-12-01T00:00:00Z&end_time=2025-12-02T00:00:00Z"), "INVALID_TIME_WINDOW"},
        {stats("&start_time=2025-12-01T23:00:00Z&end_time=2025-12-09T23:00:00Z"), "INVALID_TIME_WINDOW"},
        {stats("&start_time=2025-12-01T23:00:00Z&end_time=2025-12-01T23:00:00Z"), "INVALID_TIME_WINDOW"},
        {stats("&start_time=2025-12-01&end_time=2025-12-02&segmentation_type=AGE"), "INVALID_PARAMETER"},
        {stats("x&start_time=2025-12-01&end_time=2025-12-02"), "CAMPAIGN_NOT_FOUND"},
    };
    for (const auto& [target, expected] : cases) {
        SCOPED_TRACE(target);
        EXPECT_EQ(code(ask("GET", target)), expected);
    }
}

TEST_F(SandboxXTest, TellsStatisticsOfDays) {
    const json answer = ask("GET", stats("&start_time=2025-12-01T23:00:00Z&end_time=2025-12-05T23:00:00Z"));
    EXPECT_EQ(answer["time_series_length"], 4);
    const json& metrics = answer["data"][0]["id_data"][0]["metrics"];
    EXPECT_TRUE(metrics["carousel_swipes"].is_null());
    EXPECT_THAT(metrics["impressions"], SizeIs(4));
    EXPECT_EQ(answer, [&] {
        json same = ask("GET", stats("&start_time=2025-12-02&end_time=2025-12-06"));
        same["request"] = answer["request"];
        return same;
    }());
}

TEST_F(SandboxXTest, MakesJobsWhoseIdsNoDoubleHolds) {
    const std::string jobs = "/12/stats/jobs/accounts/" + account_;
    const std::string params = stats("&start_time=2025-10-01T23:00:00Z&end_time=2025-11-01T23:00:00Z");
    const json job = ask("POST", jobs + params.substr(params.find('?')))["data"];
    EXPECT_EQ(job["status"], "PROCESSING");
    EXPECT_EQ(job["id"].dump(), job["id_str"].get<std::string>());
    EXPECT_GT(job["id"].get<int64_t>(), int64_t{1} << 53);
    const json state = ask("GET", jobs + "?job_ids=" + job["id_str"].get<std::string>())["data"][0];
    EXPECT_EQ(state["status"], "SUCCESS");
    const std::string url = state["url"];
    HttpServerRequest file{.method = "GET", .target = url, .path = url.substr(url.find("/x-ads-files"))};
    const auto answer = sandbox_->answer(file);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body.substr(0, 2), "\x1f\x8b");
    clock_.advance(std::chrono::hours(49));
    EXPECT_EQ(sandbox_->answer(file).status, 403);
}

TEST_F(SandboxXTest, AnAccountHasAHundredJobsAtMost) {
    const std::string params = stats("&start_time=2025-10-01T23:00:00Z&end_time=2025-11-01T23:00:00Z");
    const std::string target = "/12/stats/jobs/accounts/" + account_ + params.substr(params.find('?'));
    for (int i = 0; i < 100; ++i) ASSERT_EQ(call("POST", target).status, 201);
    EXPECT_EQ(code(ask("POST", target)), "TOO_MANY_JOBS");
}

}  // namespace
}  // namespace shaduf
