#include "connectors/x_ads/list_fetcher.h"
#include "connectors/x_ads/list_rows.h"
#include "tests/connectors/x_ads_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(XAdsMicros, AreExact) {
    struct Case {
        const char* raw;
        const char* decimal;  // nullptr: it is none
    };
    const Case cases[] = {{"0", "0.000000"},
                          {"1", "0.000001"},
                          {"1234567", "1.234567"},
                          {"-50", "-0.000050"},
                          {"\"2500000\"", "2.500000"},
                          {"9007199254740993", "9007199254.740993"},
                          {"1.5", nullptr},
                          {"1e6", nullptr},
                          {"true", nullptr},
                          {"\"\"", nullptr},
                          {"-", nullptr}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.raw);
        const auto decimal = x_ads::micros_as_decimal(one.raw);
        ASSERT_EQ(decimal.has_value(), one.decimal != nullptr);
        if (decimal.has_value()) {
            EXPECT_EQ(*decimal, one.decimal);
        }
    }
}

class XAdsList : public testing::Test {
protected:
    FakeOutput fetch(const std::string& stream, std::string cursor = "") {
        fetcher = x_ads::make_list_fetcher(x_ads_api(), *x_ads::find_list_stream(stream));
        ads::Slice slice{.account = x_ads_account(), .part = "", .days = std::nullopt, .cursor = std::move(cursor)};
        FakeOutput out(*fetcher, slice);
        const auto done = fetcher->fetch(world.run, slice, memory, out);
        error = done.ok() ? "" : done.error().to_string();
        return out;
    }
    static std::string campaign(const std::string& id, const std::string& updated) {
        return R"({"id":")" + id + R"(","updated_at":")" + updated + "\"}";
    }
    static std::string page(const std::string& rows, const std::string& next = "") {
        return R"({"request":{},"data":[)" + rows + R"(],"next_cursor":)" +
               (next.empty() ? "null" : "\"" + next + "\"") + "}";
    }

    World world;
    ads::Memory memory;
    std::unique_ptr<ads::SliceFetcher> fetcher;
    std::string error;
};

constexpr const char* kCampaigns = "/12/accounts/a1/campaigns?count=1000&sort_by=updated_at-desc&with_deleted=true";

TEST_F(XAdsList, FollowsCursorsToTheEndAndRemembersTheNewest) {
    world.http.expect(std::string("GET ") + kCampaigns)
        .reply(page(campaign("c3", "2026-01-03T00:00:00Z") + "," + campaign("c2", "2026-01-02T00:00:00Z"), "n1"));
    world.http.expect(std::string("GET ") + kCampaigns + "&cursor=n1")
        .reply(page(campaign("c1", "2026-01-01T00:00:00Z")));
    const FakeOutput out = fetch("campaigns");
    EXPECT_EQ(error, "");
    EXPECT_EQ(out.rows().size(), 3U);
    EXPECT_EQ(out.cursor, "2026-01-03T00:00:00Z");
    EXPECT_THAT(world.http.unused(), IsEmpty());
}

TEST_F(XAdsList, StopsAtWhatTheLoadBeforeHas) {
    world.http.expect(std::string("GET ") + kCampaigns)
        .reply(page(campaign("c3", "2026-01-03T00:00:00Z") + "," + campaign("c2", "2026-01-01T00:00:00Z"), "n1"));
    const FakeOutput out = fetch("campaigns", "2026-01-02T00:00:00Z");
    EXPECT_EQ(error, "");
    EXPECT_EQ(out.cursor, "2026-01-03T00:00:00Z");
    EXPECT_EQ(world.http.requests().size(), 1U);
}

TEST_F(XAdsList, WhatChangedInTheSameSecondAsTheBookmarkIsReadAgain) {
    world.http.expect(std::string("GET ") + kCampaigns).reply(page(campaign("c3", "2026-01-02T00:00:00Z"), "n1"));
    world.http.expect(std::string("GET ") + kCampaigns + "&cursor=n1")
        .reply(page(campaign("c2", "2026-01-02T00:00:00Z") + "," + campaign("c1", "2026-01-01T00:00:00Z"), "n2"));
    const FakeOutput out = fetch("campaigns", "2026-01-02T00:00:00Z");
    EXPECT_EQ(error, "");
    EXPECT_EQ(out.rows().size(), 3U);
    EXPECT_EQ(out.cursor, "2026-01-02T00:00:00Z");
}

TEST_F(XAdsList, AnEmptyListKeepsTheBookmark) {
    world.http.expect(std::string("GET ") + kCampaigns).reply(page(""));
    EXPECT_EQ(fetch("campaigns", "2026-01-02T00:00:00Z").cursor, "2026-01-02T00:00:00Z");
}

TEST_F(XAdsList, ACursorThatComesTwiceIsAnError) {
    world.http.expect(std::string("GET ") + kCampaigns).reply(page(campaign("c3", "2026-01-03T00:00:00Z"), "n1"));
    world.http.expect(std::string("GET ") + kCampaigns + "&cursor=n1")
        .reply(page(campaign("c3", "2026-01-03T00:00:00Z"), "n1"));
    const FakeOutput out = fetch("campaigns");
    EXPECT_THAT(error, HasSubstr("the same cursor came twice"));
    EXPECT_EQ(out.cursor, "");
}

TEST_F(XAdsList, RowsHaveTheAccountAndExactAmounts) {
    world.http.expect(std::string("GET ") + kCampaigns)
        .reply(
            page(R"({"id":"8u94t","account_id":"other","currency":"EUR","daily_budget_amount_local_micro":140000001,)"
                 R"("total_budget_amount_local_micro":null,"servable":true,"reasons_not_servable":["PAUSED"],)"
                 R"("name":"\u00dcber \"x\"","updated_at":"2026-01-03T00:00:00Z"},)"
                 R"({"id":"8u94u","daily_budget_amount_local_micro":1.5})"));
    FakeOutput out = fetch("campaigns");
    ASSERT_EQ(error, "");
    const auto rows = out.typed_rows();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_THAT(rows[0], HasSubstr(R"("account_id":"a1")"));
    EXPECT_THAT(rows[0], HasSubstr(R"("account_time_zone":"Europe/Berlin")"));
    EXPECT_THAT(rows[0], HasSubstr(R"("account_currency":"EUR")"));
    EXPECT_THAT(rows[0], HasSubstr(R"("daily_budget_amount":140.000001)"));
    EXPECT_THAT(rows[0], HasSubstr(R"("total_budget_amount":null)"));
    EXPECT_THAT(rows[0], HasSubstr(R"("updated_at":"2026-01-03T00:00:00Z")"));
    EXPECT_THAT(out.rejected, ElementsAre(HasSubstr("daily_budget_amount")));
}

TEST_F(XAdsList, AccountsAreFoundOnceWithTheirCurrency) {
    const char* account = R"({"id":"a1","name":"Acme","timezone":"Asia/Tokyo","deleted":false})";
    world.http.expect("GET /12/accounts").reply(page(account, "n1")).reply(page(R"({"id":"a2","timezone":"UTC"})"));
    world.http.expect("GET /12/accounts/a1/funding_instruments")
        .reply(page(R"({"currency":"USD","deleted":true},{"currency":"JPY","deleted":false})"));
    world.http.expect("GET /12/accounts/a2/funding_instruments").reply(page(""));
    const auto api = x_ads_api();
    for (const char* stream : {"accounts", "line_items"}) {
        auto one = x_ads::make_list_fetcher(api, *x_ads::find_list_stream(stream));
        const auto plan = one->plan(world.run, memory);
        ASSERT_TRUE(plan.ok()) << plan.error().to_string();
        ASSERT_EQ(plan.value().accounts.size(), 2U);
        EXPECT_EQ(plan.value().accounts[0].time_zone, "Asia/Tokyo");
        EXPECT_EQ(plan.value().accounts[0].currency, "JPY");
        EXPECT_EQ(plan.value().accounts[1].currency, "");
        if (std::string_view(stream) != "accounts") continue;
        const ads::Slice slice{.account = plan.value().accounts[0], .part = "", .days = std::nullopt, .cursor = ""};
        FakeOutput out(*one, slice);
        ASSERT_TRUE(one->fetch(world.run, slice, memory, out).ok());
        EXPECT_THAT(out.rows(), ElementsAre(HasSubstr(R"("name":"Acme")")));
    }
    EXPECT_EQ(world.http.requests().size(), 4U);
}

TEST_F(XAdsList, AnAccountThatIsNotSharedIsNamed) {
    auto settings = x_ads_connection();
    settings.account_ids = {"a1", "zz"};
    world.http.expect("GET /12/accounts?count=1000&account_ids=a1%2Czz").reply(page(R"({"id":"a1"})"));
    const auto accounts = x_ads::Api(settings).accounts(world.run);
    ASSERT_FALSE(accounts.ok());
    EXPECT_THAT(accounts.error().message(), HasSubstr("account not found: zz"));
}

}  // namespace
}  // namespace shaduf
