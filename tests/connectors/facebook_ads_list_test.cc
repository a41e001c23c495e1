#include "tests/connectors/facebook_ads_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

class FacebookListTest : public FacebookTest {
protected:
    Result<void> fetch(ads::SliceFetcher& fetcher, FakeOutput& out, const std::string& cursor = "") {
        ads::Slice whole{account, "", std::nullopt, cursor};
        return fetcher.fetch(run, whole, memory, out);
    }
    ads::Slice whole() const { return {account, "", std::nullopt, ""}; }
};

TEST_F(FacebookListTest, ReadsChangesSinceTheLatestOne) {
    facebook.lists["campaigns"] = {
        {{"id", "11"}, {"name", "A"}, {"daily_budget", "5000"}, {"updated_time", "2025-12-01T10:00:00-0500"}},
        {{"id", "12"}, {"name", "B"}, {"updated_time", "2025-12-01T16:30:00+0100"}}};
    auto fetcher = make("campaigns", "{fields: [name, daily_budget]}");
    EXPECT_EQ(fetcher->kind(), ads::SliceKind::changes);
    FakeOutput out(*fetcher, whole());
    ASSERT_TRUE(fetch(*fetcher, out).ok());
    EXPECT_EQ(out.cursor, "1764603000");  // 15:30 UTC
    EXPECT_THAT(facebook.targets(),
                ElementsAre("GET /v26.0/act_1/campaigns?fields=id,name,daily_budget,updated_time&limit=200",
                            "GET /v26.0/act_1/campaigns?fields=id,name,daily_budget,updated_time&filtering=[{\"field\":"
                            "\"campaign.effective_status\",\"operator\":\"IN\",\"value\":[\"DELETED\",\"ARCHIVED\"]}]"
                            "&limit=200"));
    EXPECT_EQ(out.typed_rows()[0],
              R"({"account_id":"1","account_currency":"EUR","account_time_zone":"Europe/Berlin","id":"11","name":"A",)"
              R"("daily_budget":5000,"updated_time":"2025-12-01T15:00:00Z"})");

    // From there on, that second once more.
    FakeOutput later(*fetcher, whole());
    facebook.lists["campaigns"].clear();
    ASSERT_TRUE(fetch(*fetcher, later, "1764603000").ok());
    EXPECT_THAT(
        facebook.targets()[2],
        HasSubstr(R"(filtering=[{"field":"campaign.updated_time","operator":"GREATER_THAN","value":1764602999}]&)"));
    EXPECT_THAT(facebook.targets()[3], HasSubstr(R"("value":1764602999},{"field":"campaign.effective_status")"));
    EXPECT_EQ(later.cursor, "1764603000") << "nothing has changed";
}

TEST_F(FacebookListTest, AsksForThreeStatusesAtOnce) {
    auto fetcher =
        make("ads", "{statuses: [ACTIVE, PAUSED, DELETED, ARCHIVED], fields: [name]}", ReadMode::full_refresh);
    EXPECT_EQ(fetcher->kind(), ads::SliceKind::by_account);
    FakeOutput out(*fetcher, whole());
    ASSERT_TRUE(fetch(*fetcher, out).ok());
    ASSERT_EQ(facebook.targets().size(), 2U);
    EXPECT_THAT(facebook.targets()[0],
                HasSubstr(R"("ad.effective_status","operator":"IN","value":["ACTIVE","PAUSED","DELETED"])"));
    EXPECT_THAT(facebook.targets()[1], HasSubstr(R"("value":["ARCHIVED"])"));
    EXPECT_EQ(out.cursor, "");
}

TEST_F(FacebookListTest, ReadsCreativesWhole) {
    for (int i = 0; i < 250; ++i)
        facebook.lists["adcreatives"].push_back({{"id", std::to_string(i)}, {"object_story_spec", {{"page_id", "9"}}}});
    facebook.limit_max = 60;
    auto fetcher = make("creatives", "{fields: [object_story_spec]}");
    EXPECT_EQ(fetcher->kind(), ads::SliceKind::by_account);
    FakeOutput out(*fetcher, whole());
    ASSERT_TRUE(fetch(*fetcher, out).ok());
    EXPECT_EQ(out.rows().size(), 250U);
    EXPECT_THAT(out.typed_rows()[7], HasSubstr(R"("id":"7","object_story_spec":{"page_id":"9"})"));
    EXPECT_EQ(memory.get("limit:1:creatives"), "50");
}

TEST_F(FacebookListTest, ReadsTheAccountItself) {
    auto fetcher = make("accounts", "{fields: [name, currency, timezone_name]}");
    FakeOutput out(*fetcher, whole());
    ASSERT_TRUE(fetch(*fetcher, out).ok());
    ASSERT_EQ(out.typed_rows().size(), 1U);
    EXPECT_THAT(out.typed_rows()[0], HasSubstr(R"("id":"act_1","name":"One","currency":"EUR")"));
    EXPECT_THAT(facebook.targets(), ElementsAre("GET /v26.0/act_1?fields=id,name,currency,timezone_name"));
}

// 2025-10-26 has 25 hours in Berlin.
TEST_F(FacebookListTest, ReadsActivitiesByTheAccountsDays) {
    facebook.lists["activities"] = {{{"event_time", "2025-10-25T22:30:00+0000"}, {"event_type", "create_ad"}},
                                    {{"event_time", "2025-10-26T22:59:59+0000"}, {"event_type", "update_ad"}},
                                    {{"event_time", "2025-10-26T23:00:00+0000"}, {"event_type", "next_day"}},
                                    {{"event_type", "without a time"}}};
    auto fetcher = make("activities", "{fields: [event_time, event_type]}");
    EXPECT_EQ(fetcher->kind(), ads::SliceKind::by_day);
    EXPECT_EQ(fetcher->columns().day, "event_date");
    FakeOutput out(*fetcher, slice("2025-10-26", "2025-10-26"));
    ASSERT_TRUE(fetcher->fetch(run, slice("2025-10-26", "2025-10-26"), memory, out).ok());
    EXPECT_THAT(facebook.targets()[0], HasSubstr("&since=1761429600&until=1761519600&"));
    const auto rows = out.typed_rows();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_THAT(rows[0], HasSubstr(R"("event_date":"2025-10-26","event_time":"2025-10-25T22:30:00Z")"));
    EXPECT_THAT(rows[1], HasSubstr(R"("event_type":"update_ad")"));
    EXPECT_THAT(rows[2], HasSubstr(R"("event_date":null)"));
}

TEST_F(FacebookListTest, StopsWhenPagesDoNotGoOn) {
    facebook.fault = [](const HttpRequest&) -> std::optional<HttpResponse> {
        return FakeHttp::make_response(200, {},
                                       R"({"data":[{"id":"1"}],"paging":{"cursors":{"after":"x"},"next":"n"}})");
    };
    auto fetcher = make("creatives");
    FakeOutput out(*fetcher, whole());
    const auto done = fetch(*fetcher, out);
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message(), HasSubstr("pages do not go on"));
}

TEST_F(FacebookListTest, GoesOnBehindAnEmptyPage) {
    int call = 0;
    facebook.fault = [&](const HttpRequest&) -> std::optional<HttpResponse> {
        if (++call == 1)
            return FakeHttp::make_response(200, {}, R"({"data":[],"paging":{"cursors":{"after":"x"},"next":"n"}})");
        return FakeHttp::make_response(200, {}, R"({"data":[{"id":"1"}],"paging":{"cursors":{"after":"y"}}})");
    };
    auto fetcher = make("creatives");
    FakeOutput out(*fetcher, whole());
    ASSERT_TRUE(fetch(*fetcher, out).ok());
    EXPECT_EQ(out.rows().size(), 1U);
}

}  // namespace
}  // namespace shaduf
