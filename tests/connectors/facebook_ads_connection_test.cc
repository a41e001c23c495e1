#include "tests/connectors/facebook_ads_world.h"

namespace shaduf {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FacebookConnectionTest : public FacebookTest {
protected:
    Result<ads::StreamPlan> plan(const std::string& stream, const std::string& options = "{}") {
        fetcher = make(stream, options);
        return fetcher->plan(run, memory);
    }
    // Answers to debug_token; the others are usual.
    void say_of_token(const std::string& data) {
        facebook.fault = [data](const HttpRequest& request) -> std::optional<HttpResponse> {
            if (request.url.find("/debug_token") == std::string::npos) return std::nullopt;
            return FakeHttp::make_response(200, {}, R"({"data":)" + data + "}");
        };
    }
    std::string seconds_from_now(std::chrono::seconds seconds) const {
        const auto now = std::chrono::floor<std::chrono::seconds>(world.clock.now().time_since_epoch());
        return std::to_string((now + seconds).count());
    }

    std::unique_ptr<ads::SliceFetcher> fetcher;
};

TEST_F(FacebookConnectionTest, FindsItsAccounts) {
    for (const char* with : {"{access_token: t0ken, accounts: [act_1]}", "{access_token: t0ken, accounts: ['1']}",
                             "{access_token: t0ken}"}) {
        SCOPED_TRACE(with);
        connection = with;
        SharedValues fresh;
        RunContext other{world.clock, world.cancellation, facebook, world.run.databases, world.events,
                         fresh,       *world.rates};
        const auto planned = make("ad_insights")->plan(other, memory);
        ASSERT_TRUE(planned.ok()) << planned.error().to_string();
        ASSERT_EQ(planned.value().accounts.size(), 1U);
        const ads::Account& found = planned.value().accounts[0];
        EXPECT_EQ(found.id, "1");
        EXPECT_EQ(found.name, "One");
        EXPECT_EQ(found.time_zone, "Europe/Berlin");
        EXPECT_EQ(found.currency, "EUR");
    }
    EXPECT_EQ(facebook.count("/me/adaccounts"), 1U);
}

TEST_F(FacebookConnectionTest, KeepsToTheRetention) {
    EXPECT_EQ(plan("ad_insights").value().retention_days, 1126);  // 2022-12-03 to 2026-01-02
    EXPECT_EQ(
        plan("x", "{level: ad, breakdowns: [hourly_stats_aggregated_by_advertiser_time_zone]}").value().retention_days,
        395);
    EXPECT_EQ(plan("creatives").value().retention_days, std::nullopt);
}

TEST_F(FacebookConnectionTest, WarnsOfMetricsThatAreLeftOut) {
    ASSERT_TRUE(plan("x", "{level: ad, fields: [reach, spend, cpp], breakdowns: [age], since: 2024-01-01}").ok());
    EXPECT_THAT(world.events.messages(),
                ElementsAre(HasSubstr("2024-12-02: reach, cpp; ask for them in a stream without "
                                      "breakdowns")));
    for (const char* fine : {"{level: ad, fields: [reach], since: 2024-01-01}",
                             "{level: ad, fields: [reach], breakdowns: [age], since: 90d}",
                             "{level: ad, fields: [spend], breakdowns: [age], since: 2024-01-01}"}) {
        ASSERT_TRUE(plan("x", fine).ok());
        EXPECT_EQ(world.events.messages().size(), 1U) << fine;
    }
}

TEST_F(FacebookConnectionTest, TellsThatTheTokenExpires) {
    const struct {
        std::string data;
        std::string message;  // "": none
    } kCases[] = {
        {R"({"is_valid":true,"expires_at":0})", ""},
        {R"({"is_valid":true,"expires_at":)" + seconds_from_now(std::chrono::days(8)) + "}", ""},
        {R"({"is_valid":true,"expires_at":)" + seconds_from_now(std::chrono::days(6)) + "}",
         "access token expires at 2026-01-08T03:04:05Z; get a new one"},
        {R"({"is_valid":true,"expires_at":)" + seconds_from_now(std::chrono::hours(1)) + "}",
         "with app_id and app_secret, runs exchange it for one of 60 days"},
        {R"({"is_valid":true,"expires_at":"soon"})", ""},
    };
    for (size_t i = 0; i < std::size(kCases); ++i) {
        const auto& [data, message] = kCases[i];
        SCOPED_TRACE(data);
        say_of_token(data);
        connection = "{access_token: t0ken" + std::to_string(i) + ", accounts: [act_1]}";
        const size_t before = world.events.messages().size();
        ASSERT_TRUE(plan("ad_insights").ok());
        EXPECT_EQ(world.events.messages().size() - before, message.empty() ? 0U : 1U);
        if (!message.empty()) {
            EXPECT_THAT(world.events.messages().back(), HasSubstr(message));
            EXPECT_THAT(world.events.messages().back(), Not(HasSubstr("t0ken")));
        }
    }
}

TEST_F(FacebookConnectionTest, RefusesATokenThatIsNoLongerValid) {
    say_of_token(R"({"is_valid":false,"error":{"code":190,"message":"Session has expired"}})");
    const auto planned = plan("ad_insights");
    ASSERT_FALSE(planned.ok());
    EXPECT_EQ(planned.error().kind(), ErrorKind::auth);
    EXPECT_THAT(planned.error().message(), HasSubstr("Session has expired"));
}

TEST_F(FacebookConnectionTest, ExchangesAShortLivedToken) {
    connection = "{access_token: t0ken, accounts: [act_1], app_id: '7', app_secret: k3y}";
    facebook.fault = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
        if (request.url.find("/debug_token") != std::string::npos) {
            EXPECT_EQ(FakeHttp::header(request, "Authorization"), "Bearer 7|k3y");
            return FakeHttp::make_response(
                200, {}, R"({"data":{"is_valid":true,"expires_at":)" + seconds_from_now(std::chrono::hours(1)) + "}}");
        }
        if (request.url.find("/oauth/access_token") != std::string::npos)
            return FakeHttp::make_response(200, {}, R"({"access_token":"long","token_type":"bearer"})");
        EXPECT_EQ(FakeHttp::header(request, "Authorization"), "Bearer long");
        return std::nullopt;
    };
    ASSERT_TRUE(plan("ad_insights").ok());
    EXPECT_THAT(facebook.targets(),
                Contains(HasSubstr("/oauth/access_token?grant_type=fb_exchange_token&client_id=7&client_secret=k3y&"
                                   "fb_exchange_token=t0ken")));
    EXPECT_THAT(world.events.messages(), ElementsAre(HasSubstr("goes on with the long-lived one")));
}

TEST_F(FacebookConnectionTest, GoesOnWhenATokenMayNotBeLookedAt) {
    facebook.fault = [](const HttpRequest& request) -> std::optional<HttpResponse> {
        if (request.url.find("/debug_token") == std::string::npos) return std::nullopt;
        return FakeFacebook::error(400, 100, 0, "You must provide an app access token");
    };
    EXPECT_TRUE(plan("ad_insights").ok());
    EXPECT_THAT(world.events.messages(), IsEmpty());
}

TEST_F(FacebookConnectionTest, ChecksAndDiscovers) {
    const Options options = ads_options(connector_facebook_ads.fields, connection);
    const auto checked = connector_facebook_ads.check(run, "fb", options);
    EXPECT_TRUE(checked.ok()) << checked.error().to_string();
    EXPECT_THAT(facebook.targets(), Contains("GET /v26.0/act_1/campaigns?fields=id&limit=1"));
    const auto streams = connector_facebook_ads.discover(run, "fb", options);
    ASSERT_TRUE(streams.ok());
    std::vector<std::string> names;
    for (const StreamInfo& info : streams.value()) names.push_back(info.name);
    EXPECT_THAT(names, ElementsAre("accounts", "campaigns", "ad_sets", "ads", "creatives", "activities",
                                   "account_insights", "campaign_insights", "ad_set_insights", "ad_insights"));
    const StreamInfo& ads = streams.value().back();
    EXPECT_THAT(ads.key, ElementsAre("date_start", "account_id", "ad_id"));
    EXPECT_TRUE(ads.schema->index_of("spend").has_value());
}

TEST(FacebookOptions, SayWhatIsWrong) {
    const struct {
        const char* stream;
        const char* options;
        const char* message;
    } kCases[] = {
        {"ad_insight", "{}", "set level to account, campaign, adset or ad"},
        {"ad_insights", "{time_increment: '0'}", "expected 1 to 90 (days), monthly or all_days: 0"},
        {"ad_insights", "{time_increment: weekly}", "expected 1 to 90 (days), monthly or all_days: weekly"},
        {"ad_insights", "{fields: [age], breakdowns: [age]}", "take it out of fields: age"},
        {"ad_insights", "{statuses: [ACTIVE]}", "statuses are for lists"},
        {"ad_insights", "{filtering: {a: b}}", "expected a list of {field, operator, value}"},
        {"ad_insights", "{limit: 0}", "expected 1 to 5000"},
        {"account_insights", "{fields: [account_id]}", "expected at least one"},
        {"campaigns", "{breakdowns: [age]}", "breakdowns is for reports"},
        {"creatives", "{statuses: [ACTIVE]}", "has no statuses"},
    };
    for (const auto& [stream, options, message] : kCases) {
        SCOPED_TRACE(options);
        const auto read = facebook::read_stream(ads_options(connector_facebook_ads.stream_fields, options), stream);
        ASSERT_FALSE(read.ok());
        EXPECT_EQ(read.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(read.error().to_string(), HasSubstr(message));
        EXPECT_THAT(read.error().to_string(), HasSubstr("test.yml"));
    }
    const struct {
        const char* options;
        const char* message;
    } kConnections[] = {{"{access_token: a, accounts: [one]}", "expected its number"},
                        {"{access_token: a, api_version: '26'}", "expected one such as v26.0"},
                        {"{access_token: a, base_url: nowhere}", "nowhere"},
                        {"{access_token: ''}", "access_token is empty"}};
    for (const auto& [options, message] : kConnections) {
        const auto read = facebook::read_connection(ads_options(connector_facebook_ads.fields, options), "fb");
        ASSERT_FALSE(read.ok()) << options;
        EXPECT_THAT(read.error().to_string(), HasSubstr(message));
    }
}

TEST(FacebookOptions, SayHowStreamsAreLoaded) {
    const struct {
        const char* stream;
        const char* options;
        WriteMode write;
        std::vector<std::string> key;
    } kCases[] = {
        {"ad_insights", "{}", WriteMode::slices, {"date_start", "account_id", "ad_id"}},
        {"ads_insights", "{}", WriteMode::slices, {"date_start", "account_id", "ad_id"}},
        {"account_insights", "{}", WriteMode::slices, {"date_start", "account_id"}},
        {"mine",
         "{level: adset, breakdowns: [age, image_asset]}",
         WriteMode::slices,
         {"date_start", "account_id", "adset_id", "age", "image_asset__id"}},
        {"campaigns", "{}", WriteMode::merge, {"id"}},
        {"creatives", "{}", WriteMode::slices, {"id"}},
        {"activities", "{}", WriteMode::slices, {}},
    };
    for (const auto& [stream, options, write, key] : kCases) {
        SCOPED_TRACE(stream);
        const auto defaults =
            connector_facebook_ads.stream_defaults(stream, ads_options(connector_facebook_ads.stream_fields, options));
        EXPECT_EQ(defaults.mode, ReadMode::incremental);
        EXPECT_EQ(defaults.write, write);
        EXPECT_EQ(defaults.key, key);
    }
}

}  // namespace
}  // namespace shaduf
