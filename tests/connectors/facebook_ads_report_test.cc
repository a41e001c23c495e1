#include "tests/connectors/facebook_ads_world.h"

namespace shaduf {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

class FacebookReportTest : public FacebookTest {
protected:
    // Fetches a slice to its end and holds it against what the account has.
    void expect_fetched(ads::SliceFetcher& fetcher, std::string_view first, std::string_view last) {
        FakeOutput out(fetcher, slice(first, last));
        const auto done = fetcher.fetch(run, slice(first, last), memory, out);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
        expect_whole(out, days(first, last));
    }
    Result<void> fetch(ads::SliceFetcher& fetcher, FakeOutput& out, const ads::Slice& of) {
        return fetcher.fetch(run, of, memory, out);
    }
};

TEST_F(FacebookReportTest, AsksAtOnceForFewDays) {
    auto fetcher = make("ad_insights", "{fields: [impressions, spend], limit: 20}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-07"));
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-07")).ok());
    expect_whole(out, days("2025-12-01", "2025-12-07"));
    EXPECT_EQ(out.pages().size(), 5U);  // 84 rows
    const auto targets = facebook.targets();
    ASSERT_EQ(targets.size(), 5U);
    EXPECT_EQ(targets[0],
              "GET /v26.0/act_1/insights?level=ad&fields=ad_id,impressions,spend&time_range={\"since\":\"2025-12-01\","
              "\"until\":\"2025-12-07\"}&time_increment=1&use_account_attribution_setting=true&limit=20");
    EXPECT_THAT(targets[1], testing::EndsWith("&limit=20&after=20"));
    for (const HttpRequest& request : facebook.requests()) {
        EXPECT_EQ(FakeHttp::header(request, "Authorization"), "Bearer t0ken");
        EXPECT_THAT(request.url, Not(HasSubstr("t0ken")));
    }
}

TEST_F(FacebookReportTest, TypesItsRows) {
    auto fetcher = make("ad_insights", "{fields: [impressions, spend], attribution_windows: [1d_click, 7d_click]}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-01"));
    facebook.ads.resize(1);
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-01")).ok());
    EXPECT_EQ(out.typed_rows(),
              std::vector<std::string>{
                  R"({"date_start":"2025-12-01","date_stop":"2025-12-01","account_id":"1","account_currency":"EUR",)"
                  R"("account_time_zone":"Europe/Berlin","attribution_windows":"1d_click,7d_click","ad_id":"c1s1a1",)"
                  R"("impressions":185,"spend":14.350000})"});
    EXPECT_THAT(facebook.targets()[0], HasSubstr(R"(&action_attribution_windows=["1d_click","7d_click"]&)"));
    EXPECT_THAT(facebook.targets()[0], Not(HasSubstr("use_account_attribution_setting")));
}

TEST_F(FacebookReportTest, SendsWhatTheStreamSays) {
    auto fetcher = make("by country", R"({level: campaign, fields: [spend], breakdowns: [country, age],
        action_breakdowns: [action_device], filtering: [{field: campaign.name, operator: CONTAIN, value: brand}],
        report_runs: never})");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-01"));
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-01")).ok());
    const std::string target = facebook.targets()[0];
    EXPECT_THAT(target, HasSubstr("level=campaign&fields=campaign_id,spend&"));
    EXPECT_THAT(target, HasSubstr(R"(&breakdowns=["country","age"]&action_breakdowns=["action_device"]&)"));
    EXPECT_THAT(target, HasSubstr(R"(&filtering=[{"field":"campaign.name","operator":"CONTAIN","value":"brand"}]&)"));
}

TEST_F(FacebookReportTest, ProvesThatItHasTheAppSecret) {
    connection = "{access_token: t0ken, accounts: [act_1], app_id: '7', app_secret: key}";
    auto fetcher = make("ad_insights");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-01"));
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-01")).ok());
    // printf t0ken | openssl dgst -sha256 -hmac key
    EXPECT_THAT(facebook.targets()[0],
                HasSubstr("appsecret_proof=5d93dc52e9316cff42b7b6284c0c13e4a465a567dd997f06478b203f178e4059"));
}

TEST_F(FacebookReportTest, HalvesThePageThatIsTooLargeAndRemembersIt) {
    facebook.limit_max = 70;
    auto fetcher = make("ad_insights");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-07");
    EXPECT_EQ(memory.get("limit:1:ad_insights:ad"), "62");
    const size_t before = facebook.targets().size();
    expect_fetched(*fetcher, "2025-12-08", "2025-12-14");
    EXPECT_THAT(facebook.targets()[before], HasSubstr("limit=62"));
    EXPECT_EQ(facebook.targets().size() - before, 2U) << "nothing is tried that failed before";
}

TEST_F(FacebookReportTest, HalvesTheDaysThatAreTooManyAndRemembersThem) {
    facebook.rows_at_once_max = 30;  // 12 a day
    auto fetcher = make("ad_insights");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-07");
    EXPECT_EQ(memory.get("days:1:ad_insights:ad"), "2");
    const size_t wasted = facebook.count("limit=62");
    expect_fetched(*fetcher, "2025-12-08", "2025-12-14");
    EXPECT_EQ(facebook.count("limit=62"), wasted);
    EXPECT_EQ(facebook.count("POST"), 0U);
}

TEST_F(FacebookReportTest, TakesAReportRunForADayThatIsTooLargeAtOnce) {
    facebook.rows_at_once_max = 10;
    auto fetcher = make("ad_insights");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-02");
    EXPECT_GT(facebook.count("POST /v26.0/act_1/insights"), 0U);
    // The next load begins there.
    const size_t at_once = facebook.count("GET /v26.0/act_1/insights");
    expect_fetched(*fetcher, "2025-12-03", "2025-12-04");
    EXPECT_EQ(facebook.count("GET /v26.0/act_1/insights"), at_once);
}

TEST_F(FacebookReportTest, RunsReportsForManyDays) {
    facebook.polls_needed = 4;
    auto fetcher = make("ad_insights");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-30");
    EXPECT_EQ(facebook.count("POST /v26.0/act_1/insights"), 1U);
    EXPECT_EQ(facebook.count("GET /v26.0/act_1/insights"), 0U);
    const auto slept = world.clock.slept();
    ASSERT_EQ(slept.size(), 4U);
    EXPECT_LT(slept[0], slept[3]);
}

TEST_F(FacebookReportTest, RunsReportsThatAreEmptyOtherwise) {
    auto fetcher = make("ad_insights", "{breakdowns: [impression_device]}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-01"));
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-01")).ok());
    EXPECT_EQ(facebook.count("POST /v26.0/act_1/insights"), 1U);
}

TEST_F(FacebookReportTest, PollsManyRunsTogether) {
    memory.set("days:1:ad_insights:ad", "3");
    facebook.polls_needed = 3;
    facebook.null_batch_elements = 2;
    auto fetcher = make("ad_insights", "{report_runs: always}");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-30");
    EXPECT_EQ(facebook.count("POST /v26.0/act_1/insights"), 10U);
    EXPECT_THAT(facebook.targets(), Contains("POST /")) << "no batch";
    EXPECT_EQ(facebook.under_way_max, 3) << "it starts carefully";
}

TEST_F(FacebookReportTest, RunsAsManyReportsAsTheHeaderAllows) {
    memory.set("days:1:ad_insights:ad", "1");
    facebook.polls_needed = 3;
    const auto runs_at_once = [&](const std::string& used) {
        facebook.headers = {
            {"x-fb-ads-insights-throttle", R"({"app_id_util_pct":)" + used + R"(,"acc_id_util_pct":1})"}};
        auto fetcher = make("ad_insights", "{report_runs: always}");
        facebook.under_way_max = 0;
        expect_fetched(*fetcher, "2025-12-01", "2025-12-30");
        return facebook.under_way_max;
    };
    EXPECT_GT(runs_at_once("5"), 8);
    EXPECT_LE(runs_at_once("93"), 3);
}

TEST_F(FacebookReportTest, RepeatsARunThatFailsOnce) {
    const struct {
        const char* name;
        Json state;
        int calls_of_run;
    } kCases[] = {
        {"failed", {{"async_status", "Job Failed"}}, 2},
        {"skipped", {{"async_status", "Job Skipped"}}, 2},
        {"passing", {{"async_status", "Job Failed"}, {"error_code", -2}, {"error_subcode", 2490547}}, 2},
        {"stuck", {{"async_status", "Job Started"}, {"async_percent_completion", 0}}, 2},
        {"nearly", {{"async_status", "Job Completed"}, {"async_percent_completion", 99}}, 1},
    };
    for (const auto& [name, state, runs] : kCases) {
        SCOPED_TRACE(name);
        const size_t before = facebook.count("POST /v26.0/act_1/insights");
        const bool for_good = std::string(name) != "nearly";
        const std::string first = std::to_string(9'000 + before);
        facebook.run_state = [&, for_good](const std::string& id, const FakeFacebook::Run& of) -> std::optional<Json> {
            if (id != first || (!for_good && of.polls > 2)) return std::nullopt;
            return state;
        };
        auto fetcher = make("ad_insights", "{report_runs: always}");
        expect_fetched(*fetcher, "2025-12-01", "2025-12-03");
        EXPECT_EQ(facebook.count("POST /v26.0/act_1/insights") - before, static_cast<size_t>(runs));
    }
}

TEST_F(FacebookReportTest, CutsRunsByDaysAndThenByWhatTheyAreAbout) {
    facebook.rows_of_run_max = 4;  // an ad set has 3 a day
    auto fetcher = make("ad_insights", "{report_runs: always}");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-04");
    EXPECT_GT(facebook.count("POST /v26.0/c1s1/insights"), 0U);
    EXPECT_EQ(facebook.count("POST /v26.0/c1s1a1/insights"), 0U);
    EXPECT_EQ(memory.get("days:1:ad_insights:ad"), "1");
}

TEST_F(FacebookReportTest, SaysWhenNothingIsSmallEnough) {
    facebook.rows_of_run_max = 0;
    auto fetcher = make("ad_insights", "{report_runs: always}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-02"));
    const auto done = fetch(*fetcher, out, slice("2025-12-01", "2025-12-02"));
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::too_large);
    EXPECT_THAT(done.error().to_string(), HasSubstr("Job Failed"));
    EXPECT_THAT(done.error().to_string(), HasSubstr("fewer fields or breakdowns"));
}

TEST_F(FacebookReportTest, DoesNotRepeatARunThatIsRefused) {
    facebook.run_state = [](const std::string&, const FakeFacebook::Run&) -> std::optional<Json> {
        return Json{{"async_status", "Job Failed"},
                    {"error_code", 2},
                    {"error_subcode", 1504041},
                    {"error_message", "Invalid breakdown combination"}};
    };
    auto fetcher = make("ad_insights", "{report_runs: always}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-02"));
    const auto done = fetch(*fetcher, out, slice("2025-12-01", "2025-12-02"));
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::invalid_config);
    EXPECT_THAT(done.error().message(), HasSubstr("Invalid breakdown combination"));
    EXPECT_EQ(facebook.count("POST"), 1U);
}

// A page in the middle turns out to be too large, at whatever size: what was given is thrown away.
TEST_F(FacebookReportTest, BeginsAnewWhenAPieceBreaksInItsMiddle) {
    const auto breaks_behind_the_first_page = [](const HttpRequest& request) -> std::optional<HttpResponse> {
        const std::string target = percent_decode(request.url);
        const bool is_week = target.find(R"("since":"2025-12-01","until":"2025-12-07")") != std::string::npos;
        if (!is_week || target.find("after=") == std::string::npos) return std::nullopt;
        return FakeFacebook::error(400, 100, 1487534, "Please reduce the amount of data");
    };
    facebook.fault = breaks_behind_the_first_page;
    auto fetcher = make("ad_insights", "{limit: 20}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-07"));
    ASSERT_TRUE(fetch(*fetcher, out, slice("2025-12-01", "2025-12-07")).ok());
    EXPECT_EQ(out.restarts, 1);
    expect_whole(out, days("2025-12-01", "2025-12-07"));

    // When rows have left already, the next load does it by what was learned.
    memory.assign({});
    FakeOutput left(*fetcher, slice("2025-12-01", "2025-12-07"));
    left.leaves_after = 1;
    const auto done = fetch(*fetcher, left, slice("2025-12-01", "2025-12-07"));
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message(), HasSubstr("next run asks for fewer days"));
    EXPECT_EQ(memory.get("days:1:ad_insights:ad"), "3");
}

TEST_F(FacebookReportTest, GetsThroughWhatPasses) {
    const struct {
        const char* name;
        HttpResponse answer;
    } kCases[] = {
        {"unknown", FakeFacebook::error(400, 1, 0, "An unknown error occurred")},
        {"busy", FakeHttp::make_response(503, {}, "<html>busy</html>")},
        {"half a page", FakeHttp::make_response(200, {}, R"({"data":[{"ad_id":"1"})")},
        {"error beside a list", FakeHttp::make_response(200, {}, R"({"data":[],"error":{"code":1},"paging":{}})")},
        {"too large, by chance", FakeFacebook::error(500, 1, 0, "Please reduce the amount of data you're asking for")},
        {"flip", FakeFacebook::error(403, 200, 4841013, "Permissions error")},
        {"throttled account", FakeFacebook::error(400, 80000, 2446079, "There have been too many calls")},
        {"throttled app", FakeFacebook::error(400, 4, 1504022, "Application request limit reached")},
        {"summary", FakeFacebook::error(400, 100, 0, "Cannot include x in summary param because they weren't there")},
    };
    for (const auto& [name, answer] : kCases) {
        for (const char* runs : {"always", "never"}) {
            SCOPED_TRACE(std::string(name) + " " + runs);
            int call = 0;
            facebook.fault = [&, answer = answer](const HttpRequest&) -> std::optional<HttpResponse> {
                // The first, third, fifth call.
                return ++call % 2 == 1 && call < 9 ? std::optional(answer) : std::nullopt;
            };
            auto fetcher = make("ad_insights", "{limit: 20, report_runs: " + std::string(runs) + "}");
            expect_fetched(*fetcher, "2025-12-01", "2025-12-03");
        }
    }
}

TEST_F(FacebookReportTest, WaitsAsLongAsItIsTold) {
    int call = 0;
    facebook.fault = [&](const HttpRequest&) -> std::optional<HttpResponse> {
        if (++call > 1) return std::nullopt;
        HttpResponse answer = FakeFacebook::error(400, 80000, 2446079, "There have been too many calls");
        answer.headers.emplace_back(
            "x-business-use-case-usage",
            R"({"1":[{"type":"ads_insights","call_count":100,"estimated_time_to_regain_access":7}]})");
        return answer;
    };
    auto fetcher = make("ad_insights");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-01");
    EXPECT_THAT(world.clock.slept(), Contains(testing::Eq(std::chrono::minutes(7))));
}

TEST_F(FacebookReportTest, PausesBeforeTheLimit) {
    facebook.headers = {{"x-app-usage", R"({"call_count":96,"total_time":1,"total_cputime":1})"}};
    auto fetcher = make("ad_insights", "{limit: 50}");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-07");  // two pages
    EXPECT_THAT(world.clock.slept(), Contains(testing::Eq(std::chrono::minutes(1))));
}

// 96 per cent that are gone in 96 seconds: after 11 of them, 85 are left.
TEST_F(FacebookReportTest, PausesForAnAccountUntilThereIsRoom) {
    facebook.headers = {{"x-app-usage", R"({"call_count":96})"},
                        {"x-ad-account-usage", R"({"acc_id_util_pct":96,"reset_time_duration":96})"}};
    auto fetcher = make("ad_insights", "{limit: 50}");
    expect_fetched(*fetcher, "2025-12-01", "2025-12-07");  // two pages
    EXPECT_THAT(world.clock.slept(), Contains(testing::Eq(std::chrono::milliseconds(11'001))));
    EXPECT_THAT(world.clock.slept(), Not(Contains(testing::Ge(std::chrono::minutes(1)))));
}

TEST_F(FacebookReportTest, EndsAtErrorsThatStay) {
    const struct {
        HttpResponse answer;
        ErrorKind kind;
    } kCases[] = {
        {FakeFacebook::error(400, 190, 463, "Session has expired"), ErrorKind::auth},
        {FakeFacebook::error(403, 200, 0, "Requires ads_read"), ErrorKind::auth},
        {FakeFacebook::error(400, 100, 0, "(#100) nope is not valid for fields param"), ErrorKind::invalid_config},
        {FakeFacebook::error(500, 1, 0, "An unknown error occurred"), ErrorKind::unavailable},
    };
    for (const auto& [answer, kind] : kCases) {
        facebook.fault = [&, answer = answer](const HttpRequest&) { return std::optional(answer); };
        auto fetcher = make("ad_insights");
        FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-01"));
        const auto done = fetch(*fetcher, out, slice("2025-12-01", "2025-12-01"));
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind(), kind) << done.error().to_string();
        EXPECT_THAT(done.error().to_string(), Not(HasSubstr("t0ken")));
    }
}

TEST_F(FacebookReportTest, EndsWhenItIsCanceled) {
    facebook.polls_needed = 1'000'000;
    facebook.fault = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
        if (request.method == "GET") world.cancellation.cancel();
        return std::nullopt;
    };
    auto fetcher = make("ad_insights", "{report_runs: always}");
    FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-02"));
    const auto done = fetch(*fetcher, out, slice("2025-12-01", "2025-12-02"));
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::canceled);
}

// What is smaller than need be grows again, and what fails then is tried more and more rarely.
TEST_F(FacebookReportTest, AsksForMoreAgain) {
    facebook.limit_max = 70;
    auto fetcher = make("ad_insights", "{limit: 120, report_runs: always}");
    expect_fetched(*fetcher, "2025-11-01", "2025-12-31");  // 732 rows
    const size_t refused = facebook.count("limit=120");
    EXPECT_EQ(refused, 1U);
    facebook.limit_max = 1000;
    memory.assign({});
    int call = 0;
    facebook.fault = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
        if (request.url.find("/9") == std::string::npos || request.url.find("insights") == std::string::npos ||
            ++call > 1)
            return std::nullopt;
        return FakeFacebook::error(500, 1, 0, "Please reduce the amount of data you're asking for");
    };
    auto other = make("ad_insights", "{limit: 40, report_runs: always}");
    expect_fetched(*other, "2025-11-01", "2025-12-31");
    EXPECT_GT(facebook.count("limit=20"), 10U);
    EXPECT_GT(facebook.count("limit=40"), 1U);
}

// Whatever the limits are, every row comes once.
TEST_F(FacebookReportTest, HasEveryRowOnceUnderAnyLimits) {
    for (const size_t at_once : {1U, 5U, 13U, 40U, 1000U}) {
        for (const size_t of_run : {1U, 3U, 11U, 30U, 1000U}) {
            for (const int64_t limit : {10, 17, 500}) {
                SCOPED_TRACE(std::to_string(at_once) + " " + std::to_string(of_run) + " " + std::to_string(limit));
                memory.assign({});
                facebook.rows_at_once_max = std::max<size_t>(at_once, 4);  // children of a node
                facebook.rows_of_run_max = of_run;
                facebook.limit_max = limit;
                auto fetcher = make("ad_insights");
                expect_fetched(*fetcher, "2025-12-01", "2025-12-09");
                expect_fetched(*fetcher, "2025-12-10", "2025-12-12");
            }
        }
    }
}

}  // namespace
}  // namespace shaduf
