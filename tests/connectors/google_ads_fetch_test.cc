#include "connectors/google_ads/fetcher.h"
#include "tests/connectors/google_ads_world.h"

namespace shaduf {
namespace {

using google_ads::Fetcher;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class GoogleAdsFetchTest : public testing::Test {
protected:
    // The fetcher of a stream behind `plan`.
    Fetcher& planned(const std::string& options, const std::string& stream = "report") {
        auto api = google_ads::ApiSettings::read(
            ads_options(connector_google_ads.fields, std::string(GoogleFake::kConnection)), "google");
        auto shape = google_ads::shape_of(stream, ads_options(connector_google_ads.stream_fields, options));
        EXPECT_TRUE(api.ok() && shape.ok());
        fetcher_ = std::make_unique<Fetcher>(api.release_value(), shape.release_value(), stream);
        auto plan = fetcher_->plan(world.run, memory);
        EXPECT_TRUE(plan.ok()) << plan.error().to_string();
        if (plan.ok()) plan_ = plan.release_value();
        return *fetcher_;
    }
    ads::Slice slice(std::string_view first, std::string_view last) const {
        return {plan_.accounts.at(0), "", days(first, last), ""};
    }

    World world;
    GoogleFake google{world.http};
    ads::Memory memory;
    ads::StreamPlan plan_;
    std::unique_ptr<Fetcher> fetcher_;
};

const char* const kReport = "{query: 'SELECT campaign.id, segments.date, metrics.clicks FROM campaign'}";

std::string row(const std::string& campaign, const std::string& date, int clicks) {
    return R"({"campaign":{"resourceName":"customers/1/campaigns/)" + campaign + R"(","id":")" + campaign +
           R"("},"metrics":{"clicks":")" + std::to_string(clicks) + R"("},"segments":{"date":")" + date + R"("}})";
}
std::string told(const std::string& campaign, const std::string& date, int clicks) {
    return R"({"customer_id":"1000000001","customer_currency_code":"EUR",)"
           R"("customer_time_zone":"Europe/Berlin","campaign_id":")" +
           campaign + R"(","segments_date":")" + date + R"(","metrics_clicks":)" + std::to_string(clicks) + "}";
}

TEST_F(GoogleAdsFetchTest, WalksManagersAndLeavesClosedAccountsOut) {
    planned(kReport);
    ASSERT_THAT(plan_.accounts, SizeIs(2));
    EXPECT_EQ(plan_.accounts[0].id, "1000000001");
    EXPECT_EQ(plan_.accounts[0].name, "Shop");
    EXPECT_EQ(plan_.accounts[0].time_zone, "Europe/Berlin");
    EXPECT_EQ(plan_.accounts[0].currency, "EUR");
    EXPECT_EQ(plan_.accounts[0].owner, "1000000000");
    EXPECT_EQ(plan_.accounts[1].id, "1000000002");
    EXPECT_THAT(world.events.messages(), ElementsAre("google: account 1000000003 (Old) is left out: it is CANCELED"));
}

TEST_F(GoogleAdsFetchTest, AsksForTheDaysThroughTheManager) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [](const std::string&, const std::string&) {
        return GoogleFake::ok(GoogleFake::stream_of({row("7", "2026-01-01", 3)}));
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-02"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-02"), memory, out).ok());
    EXPECT_THAT(google.queries,
                ElementsAre("1000000001: SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE "
                            "segments.date BETWEEN '2026-01-01' AND '2026-01-02' ORDER BY segments.date"));
    EXPECT_THAT(out.typed_rows(), ElementsAre(told("7", "2026-01-01", 3)));
    const HttpRequest last = world.http.requests().back();
    EXPECT_EQ(FakeHttp::header(last, "login-customer-id"), "1000000000");
    EXPECT_EQ(FakeHttp::header(last, "Authorization"), "Bearer t1");
    EXPECT_EQ(FakeHttp::header(last, "developer-token"), "");
}

TEST_F(GoogleAdsFetchTest, TellsItsColumnsWhereThereAreNoRows) {
    Fetcher& fetcher = planned(kReport);
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out).ok());
    ASSERT_THAT(out.batches(), SizeIs(1));
    EXPECT_EQ(std::get<RecordBatch>(out.batches()[0].rows).schema()->size(), 6U);
}

// An answer that ends early: what has not left is thrown away and asked for anew, from the first day.
TEST_F(GoogleAdsFetchTest, BeginsAnewAfterACutWhileNothingHasLeft) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        const std::string all = GoogleFake::stream_of({row("7", "2026-01-01", 1), row("7", "2026-01-02", 2)});
        return GoogleFake::ok(google.queries.size() == 1 ? all.substr(0, all.size() - 30) : all);
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-02"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-02"), memory, out).ok());
    EXPECT_EQ(out.restarts, 1);
    EXPECT_THAT(out.typed_rows(), ElementsAre(told("7", "2026-01-01", 1), told("7", "2026-01-02", 2)));
}

// Else the last day that came is asked for again: its rows that came are known, though their numbers moved.
TEST_F(GoogleAdsFetchTest, GoesOnBehindWhatHasLeft) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        if (google.queries.size() > 1)
            return GoogleFake::ok(GoogleFake::stream_of(
                {row("9", "2026-01-02", 3), row("8", "2026-01-02", 20), row("7", "2026-01-03", 4)}));
        const std::string begun =
            GoogleFake::stream_of({row("7", "2026-01-01", 1), row("8", "2026-01-02", 2), row("9", "2026-01-02", 3)});
        return GoogleFake::ok(begun.substr(0, begun.find("campaigns/9")));
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-03"));
    out.leaves_after = 0;
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-03"), memory, out).ok());
    ASSERT_THAT(google.queries, SizeIs(2));
    EXPECT_THAT(google.queries[1], HasSubstr("BETWEEN '2026-01-02' AND '2026-01-03'"));
    EXPECT_EQ(out.restarts, 0);
    EXPECT_THAT(out.typed_rows(), ElementsAre(told("7", "2026-01-01", 1), told("8", "2026-01-02", 2),
                                              told("9", "2026-01-02", 3), told("7", "2026-01-03", 4)));
}

TEST_F(GoogleAdsFetchTest, FailsWhenARowThatHasLeftIsGone) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        if (google.queries.size() > 1) return GoogleFake::ok(GoogleFake::stream_of({row("9", "2026-01-01", 3)}));
        const std::string begun = GoogleFake::stream_of({row("8", "2026-01-01", 2), row("9", "2026-01-01", 3)});
        return GoogleFake::ok(begun.substr(0, begun.find("campaigns/9")));
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    out.leaves_after = 0;
    const auto fetched = fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out);
    ASSERT_FALSE(fetched.ok());
    EXPECT_THAT(fetched.error().message(), HasSubstr("are not there any more: 1"));
    EXPECT_FALSE(fetched.error().may_retry());
}

TEST_F(GoogleAdsFetchTest, TakesAnErrorBehindGoodRowsForACut) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        std::string body = GoogleFake::stream_of({row("7", "2026-01-01", 1)});
        if (google.queries.size() > 1) return GoogleFake::ok(body);
        body.pop_back();
        return GoogleFake::ok(
            body + ",{\"error\":" + GoogleFake::error_object(500, "internalError", "TRANSIENT_ERROR") + "}]");
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out).ok());
    EXPECT_THAT(google.queries, SizeIs(2));
    EXPECT_THAT(out.typed_rows(), ElementsAre(told("7", "2026-01-01", 1)));
}

// Days that are too many at once are halved, and the number that worked is remembered for later loads.
TEST_F(GoogleAdsFetchTest, HalvesDaysThatAreTooMany) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string& query) {
        if (query.find("'2026-01-01' AND '2026-01-04'") != std::string::npos)
            return GoogleFake::error(504, "internalError", "DEADLINE_EXCEEDED");
        const std::string first = query.substr(query.find("BETWEEN '") + 9, 10);
        return GoogleFake::ok(GoogleFake::stream_of({row("7", first, 1)}));
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-04"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-04"), memory, out).ok());
    EXPECT_THAT(out.typed_rows(), ElementsAre(told("7", "2026-01-01", 1), told("7", "2026-01-03", 1)));
    EXPECT_EQ(memory.get("days"), "2");
    planned(kReport);
    EXPECT_EQ(plan_.slice_days, 2);
    EXPECT_EQ(plan_.history_days, 2);
}

TEST_F(GoogleAdsFetchTest, SkipsAnAccountThatIsNotEnabled) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [](const std::string&, const std::string&) {
        return GoogleFake::error(403, "authorizationError", "CUSTOMER_NOT_ENABLED");
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out).ok());
    EXPECT_THAT(out.skipped, HasSubstr("CUSTOMER_NOT_ENABLED"));
    EXPECT_THAT(out.pages(), IsEmpty());
}

TEST_F(GoogleAdsFetchTest, RenewsATokenThatIsRefused) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        if (google.queries.size() == 1) return GoogleFake::error(401, "authenticationError", "OAUTH_TOKEN_EXPIRED");
        return GoogleFake::ok("[]");
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out).ok());
    EXPECT_THAT(google.tokens, SizeIs(2));
    EXPECT_EQ(google.tokens[0].body,
              "grant_type=refresh_token&client_id=1-a.apps&client_secret=hush&refresh_token=hush-hush");
}

// The day's operations are used up: nobody asks under this project before they are back, and it is said when.
TEST_F(GoogleAdsFetchTest, PausesTheProjectWhenItsDayIsUsedUp) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string&, const std::string&) {
        return GoogleFake::error(429, "quotaError", "RESOURCE_EXHAUSTED",
                                 R"(,"details":{"quotaErrorDetails":{"rateScope":"DEVELOPER","retryDelay":"7200s"}})");
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    const auto fetched = fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out);
    ASSERT_FALSE(fetched.ok());
    EXPECT_EQ(fetched.error().kind(), ErrorKind::rate_limited);
    EXPECT_THAT(fetched.error().message(), HasSubstr("2026-01-02T05:04:05"));
    EXPECT_THAT(google.queries, SizeIs(1));
}

TEST_F(GoogleAdsFetchTest, WaitsForALimitOfOneAccountAlone) {
    Fetcher& fetcher = planned(kReport);
    google.on_query = [&](const std::string& customer, const std::string&) {
        if (customer == "1000000002" || google.queries.size() > 1) return GoogleFake::ok("[]");
        return GoogleFake::error(429, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED",
                                 R"(,"details":{"quotaErrorDetails":{"rateScope":"ACCOUNT","retryDelay":"30s"}})");
    };
    FakeOutput out(fetcher, slice("2026-01-01", "2026-01-01"));
    ASSERT_TRUE(fetcher.fetch(world.run, slice("2026-01-01", "2026-01-01"), memory, out).ok());
    EXPECT_THAT(world.clock.slept(), testing::Contains(std::chrono::milliseconds(30'000)));
}

class GoogleAdsChangesTest : public GoogleAdsFetchTest {
protected:
    // Fetches `keywords` from a cursor.
    Result<void> fetch(FakeOutput& out, const ads::Slice& slice) {
        return fetcher_->fetch(world.run, slice, memory, out);
    }
};

const char* const kCampaigns = "{fields: []}";

std::string campaign(const std::string& id, const std::string& status) {
    return R"({"campaign":{"resourceName":"customers/1/campaigns/)" + id + R"(","id":")" + id + R"(","name":"n)" + id +
           R"(","status":")" + status + R"("}})";
}

// Only what the API's catalogue knows is asked for; the fake knows few fields.
TEST_F(GoogleAdsChangesTest, FollowsChangesAndTellsWhatIsGone) {
    auto api = google_ads::ApiSettings::read(
        ads_options(connector_google_ads.fields, std::string(GoogleFake::kConnection)), "google");
    google_ads::StreamShape shape;
    shape.kind = ads::SliceKind::changes;
    shape.query = google_ads::Query{{"campaign.id", "campaign.name", "campaign.status"}, "campaign"};
    shape.entity = google_ads::EntityShape{"CAMPAIGN", "change_status.campaign", {"campaign.id"}, "campaign.status"};
    Fetcher fetcher(api.release_value(), shape, "campaigns");
    const auto plan = fetcher.plan(world.run, memory);
    ASSERT_TRUE(plan.ok());
    ads::Slice slice{plan.value().accounts[0], "", {}, ""};

    google.on_query = [](const std::string&, const std::string&) {
        return GoogleFake::ok(GoogleFake::stream_of({campaign("1", "ENABLED"), campaign("2", "REMOVED")}));
    };
    FakeOutput whole(fetcher, slice);
    ASSERT_TRUE(fetcher.fetch(world.run, slice, memory, whole).ok());
    EXPECT_THAT(google.queries.back(), testing::EndsWith("FROM campaign"));
    EXPECT_EQ(whole.cursor, "2026-01-02T03:04:05Z");
    const std::string head = R"({"customer_id":"1000000001","customer_currency_code":"EUR",)"
                             R"("customer_time_zone":"Europe/Berlin","campaign_id":)";
    EXPECT_THAT(whole.typed_rows(),
                ElementsAre(head + R"("1","campaign_name":"n1","campaign_status":"ENABLED","_deleted":false})",
                            head + R"("2","campaign_name":"n2","campaign_status":"REMOVED","_deleted":true})"));

    slice.cursor = whole.cursor;
    google.queries.clear();
    google.on_query = [](const std::string&, const std::string& query) {
        const auto change = [](const std::string& id) {
            return R"({"changeStatus":{"resourceName":"x","lastChangeDateTime":"2026-01-02 04:00:00.1",)"
                   R"("campaign":"customers/1/campaigns/)" +
                   id + R"("}})";
        };
        if (query.find("FROM change_status") != std::string::npos)
            return GoogleFake::ok(GoogleFake::stream_of({change("1"), change("3"), change("1")}));
        return GoogleFake::ok(GoogleFake::stream_of({campaign("1", "PAUSED")}));
    };
    FakeOutput changed(fetcher, slice);
    ASSERT_TRUE(fetcher.fetch(world.run, slice, memory, changed).ok());
    ASSERT_THAT(google.queries, SizeIs(2));
    // Two hours before the cursor, as Berlin's clocks read.
    EXPECT_THAT(google.queries[0], HasSubstr(">= '2026-01-02 02:04:05'"));
    EXPECT_THAT(google.queries[0], HasSubstr("resource_type = 'CAMPAIGN' ORDER BY"));
    EXPECT_THAT(google.queries[1],
                HasSubstr("WHERE campaign.resource_name IN ('customers/1/campaigns/1', 'customers/1/campaigns/3')"));
    EXPECT_THAT(changed.typed_rows(),
                ElementsAre(head + R"("1","campaign_name":"n1","campaign_status":"PAUSED","_deleted":false})",
                            head + R"("3","campaign_name":null,"campaign_status":"REMOVED","_deleted":true})"));

    // Changes of 90 days ago are not told any more: all is read.
    slice.cursor = "2025-09-01T00:00:00Z";
    google.queries.clear();
    FakeOutput old(fetcher, slice);
    ASSERT_TRUE(fetcher.fetch(world.run, slice, memory, old).ok());
    EXPECT_THAT(google.queries, ElementsAre(testing::EndsWith("FROM campaign")));
}

struct PlanError {
    std::string connection;  // besides the credentials
    std::string stream;
    std::string options;
    std::string message;
};

TEST(GoogleAdsPlanTest, SaysWhatIsWrong) {
    const PlanError kErrors[] = {
        {"", "report", "{query: 'SELECT campaign.nam FROM campaign'}", "field not known to version v26: campaign.nam"},
        {"customer_ids: [555-555-5555]", "report", kReport, "account not reached by these credentials: 5555555555"},
        {"customer_ids: [1000000000]", "report", kReport, "a manager account has no numbers: 1000000000"},
    };
    for (const PlanError& error : kErrors) {
        SCOPED_TRACE(error.message);
        World world;
        GoogleFake google(world.http);
        std::string connection(GoogleFake::kConnection);
        if (!error.connection.empty()) connection.insert(connection.size() - 1, ", " + error.connection);
        auto api = google_ads::ApiSettings::read(ads_options(connector_google_ads.fields, connection), "google");
        auto shape = google_ads::shape_of(error.stream, ads_options(connector_google_ads.stream_fields, error.options));
        ASSERT_TRUE(api.ok() && shape.ok());
        Fetcher fetcher(api.release_value(), shape.release_value(), error.stream);
        ads::Memory memory;
        const auto plan = fetcher.plan(world.run, memory);
        ASSERT_FALSE(plan.ok());
        EXPECT_THAT(plan.error().message(), HasSubstr(error.message));
        EXPECT_EQ(plan.error().kind(), ErrorKind::invalid_config);
    }
}

TEST(GoogleAdsShapeTest, RefusesQueriesThatCannotBeAskedByDay) {
    const std::pair<const char*, const char*> kCases[] = {
        {"SELECT segments.date, metrics.clicks FROM campaign WHERE segments.date DURING LAST_7_DAYS",
         "leave the condition"},
        {"SELECT segments.date, metrics.clicks FROM campaign LIMIT 5", "LIMIT cannot be asked day by day"},
        {"SELECT click_view.gclid FROM click_view", "select segments.date"},
        {"SELECT change_status.campaign FROM change_status", "cannot be loaded"},
        {"SELECT campaign.id", "expected FROM and a resource"},
    };
    for (const auto& [query, message] : kCases) {
        SCOPED_TRACE(query);
        const auto shape = google_ads::shape_of(
            "mine", ads_options(connector_google_ads.stream_fields, "{query: \"" + std::string(query) + "\"}"));
        ASSERT_FALSE(shape.ok());
        EXPECT_THAT(shape.error().message(), HasSubstr(message));
    }
    const auto unknown = google_ads::shape_of("campain_report", ads_options(connector_google_ads.stream_fields, "{}"));
    ASSERT_FALSE(unknown.ok());
    EXPECT_THAT(unknown.error().message(), HasSubstr("did you mean campaign_report?"));
}

}  // namespace
}  // namespace shaduf
