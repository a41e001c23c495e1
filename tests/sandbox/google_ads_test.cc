#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sandbox/frame/sandbox.h"
#include "sandbox/google_ads/gaql.h"
#include "tests/world.h"

namespace shaduf {
extern const sandbox::PlatformSpec platform_google_ads;
namespace {

using nlohmann::json;
using sandbox::google_ads::Gaql;
using sandbox::google_ads::parse_gaql;
using sandbox::google_ads::Refusal;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::SizeIs;

TEST(SandboxGaqlTest, RefusesAsTheApiDoes) {
    const std::pair<const char*, const char*> kCases[] = {
        {"", "EXPECTED_SELECT"},
        {"SELECT campaign.id", "EXPECTED_FROM"},
        {"SELECT campaign.id FROM", "UNEXPECTED_END_OF_QUERY"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id", "UNEXPECTED_END_OF_QUERY"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id ~ 5", "BAD_OPERATOR"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id # 5", "BAD_SYMBOL"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id IN 5", "EXPECTED_LIST"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id = (5)", "EXPECTED_SINGLE_VALUE"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 5 OR 6", "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR"},
        {"SELECT campaign.id FROM campaign WHERE campaign.id = 5 OR campaign.id = 6", "EXPECTED_AND"},
        {"SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"},
        {"SELECT campaign.id FROM campaign ORDER campaign.id", "EXPECTED_BY"},
        {"SELECT campaign.id FROM campaign LIMIT x", "BAD_LIMIT_VALUE"},
        {"SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"},
        {"SELECT campaign.id FROM campaign PARAMETERS a=true", "BAD_PARAMETER_NAME"},
        {"SELECT campaign.id FROM campaign PARAMETERS include_drafts=maybe", "BAD_PARAMETER_VALUE"},
        {"SELECT campaign.id FROM campaign LIMIT 5 LIMIT 6", "UNEXPECTED_INPUT"},
    };
    for (const auto& [query, code] : kCases) {
        SCOPED_TRACE(query);
        const auto parsed = parse_gaql(query, true);
        ASSERT_TRUE(std::holds_alternative<Refusal>(parsed));
        EXPECT_EQ(std::get<Refusal>(parsed).code, code);
        EXPECT_EQ(std::get<Refusal>(parsed).type, "queryError");
    }
}

TEST(SandboxGaqlTest, ReadsEveryClause) {
    const auto parsed = parse_gaql(
        "SELECT campaign.id, metrics.clicks FROM campaign WHERE campaign.name NOT LIKE '%a\\'b' AND campaign.status "
        "NOT "
        "IN (ENABLED, 'PAUSED') AND segments.date DURING LAST_7_DAYS AND campaign.labels CONTAINS NONE ('x') AND "
        "campaign.name IS NOT NULL AND metrics.clicks >= 5 ORDER BY metrics.clicks DESC, campaign.id LIMIT 9 "
        "PARAMETERS "
        "omit_unselected_resource_names=true;",
        true);
    ASSERT_TRUE(std::holds_alternative<Gaql>(parsed));
    const Gaql& gaql = std::get<Gaql>(parsed);
    EXPECT_THAT(gaql.fields, ElementsAre("campaign.id", "metrics.clicks"));
    ASSERT_THAT(gaql.conditions, SizeIs(6));
    EXPECT_THAT(gaql.conditions[0].values, ElementsAre("%a'b"));
    EXPECT_THAT(gaql.conditions[1].values, ElementsAre("ENABLED", "PAUSED"));
    EXPECT_TRUE(gaql.sortings[0].descending);
    EXPECT_FALSE(gaql.sortings[1].descending);
    EXPECT_EQ(gaql.limit, 9);
}

class SandboxGoogleTest : public testing::Test {
protected:
    void SetUp() override {
        sandbox::SandboxOptions options;
        options.accounts = 2;
        options.ads = 12;
        options.days = 120;
        options.today = 20'454;  // 2026-01-01
        auto started = sandbox::Sandbox::start(options, platforms_, sandbox::Scenario::empty(), clock_);
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        sandbox_ = started.release_value();
        HttpServerRequest request{.method = "POST", .target = "/token", .path = "/token"};
        request.form = {{"grant_type", "refresh_token"}};
        for (const auto& [name, value] : sandbox_->environment()) {
            if (name == "GOOGLE_CLIENT_ID") request.form.emplace_back("client_id", value);
            if (name == "GOOGLE_CLIENT_SECRET") request.form.emplace_back("client_secret", value);
            if (name == "GOOGLE_REFRESH_TOKEN") request.form.emplace_back("refresh_token", value);
        }
        token_ = json::parse(sandbox_->answer(request).body).value("access_token", "");
        ASSERT_NE(token_, "");
        const auto clients = rows(
            "SELECT customer_client.id FROM customer_client WHERE customer_client.manager = FALSE AND "
            "customer_client.status = 'ENABLED'",
            "9990001111");
        for (const json& client : clients) accounts_.push_back(client["customerClient"]["id"]);
        ASSERT_THAT(accounts_, SizeIs(2));
    }

    HttpServerResponse post(const std::string& path, const json& body, const std::string& login = "9990001111") {
        HttpServerRequest request{.method = "POST", .target = path, .path = path};
        request.headers = {{"Authorization", "Bearer " + token_}};
        if (!login.empty()) request.headers.emplace_back("login-customer-id", login);
        request.body = body.dump();
        HttpServerResponse response = sandbox_->answer(request);
        while (response.next_chunk && response.next_chunk(response.body)) {
        }
        return response;
    }
    HttpServerResponse ask(const std::string& query, const std::string& customer) {
        return post("/v26/customers/" + customer + "/googleAds:searchStream", {{"query", query}});
    }
    std::vector<json> rows(const std::string& query, const std::string& customer) {
        std::vector<json> rows;
        const auto response = ask(query, customer);
        EXPECT_EQ(response.status, 200) << response.body;
        if (response.status != 200) return rows;
        for (const json& element : json::parse(response.body)) {
            for (const json& row : element["results"]) rows.push_back(row);
        }
        return rows;
    }
    std::string refusal(const HttpServerResponse& response) {
        json body = json::parse(response.body);
        if (body.is_array()) body = body[0];
        const json code = body["error"]["details"][0]["errors"][0]["errorCode"];
        return std::to_string(response.status) + " " + code.begin().key() + "." + code.begin()->get<std::string>();
    }
    // Of those below the manager that are open.
    const std::string& account(size_t index) const { return accounts_.at(index); }

    FakeClock clock_;
    Registry<sandbox::PlatformSpec> platforms_{{&platform_google_ads}};
    std::unique_ptr<sandbox::Sandbox> sandbox_;
    std::string token_;
    std::vector<std::string> accounts_;
};

TEST_F(SandboxGoogleTest, AsksForAManagerAndAToken) {
    const std::string query = "SELECT campaign.id FROM campaign";
    const std::string path = "/v26/customers/" + account(1) + "/googleAds:searchStream";
    EXPECT_EQ(refusal(post(path, {{"query", query}}, "")), "403 authorizationError.USER_PERMISSION_DENIED");
    EXPECT_EQ(refusal(ask(query, "9990002222")), "403 authorizationError.CUSTOMER_NOT_ENABLED");
    EXPECT_EQ(refusal(ask(query, "5550001111")), "401 authenticationError.CUSTOMER_NOT_FOUND");
    EXPECT_EQ(refusal(post("/v19/customers/1/googleAds:search", {{"query", query}})),
              "404 requestError.UNSUPPORTED_VERSION");
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(refusal(ask(query, account(0))), "401 authenticationError.OAUTH_TOKEN_INVALID");
}

TEST_F(SandboxGoogleTest, RefusesWhatCannotStandTogether) {
    const std::pair<const char*, const char*> kCases[] = {
        {"SELECT campaign.nam FROM campaign", "queryError.UNRECOGNIZED_FIELD"},
        {"SELECT campaign.id FROM campains", "queryError.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"},
        {"SELECT ad_group.id FROM campaign", "queryError.PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"},
        {"SELECT campaign.id FROM campaign WHERE ad_group.id = 5",
         "queryError.PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE"},
        {"SELECT campaign_budget.id, metrics.clicks FROM campaign_budget",
         "queryError.PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE"},
        {"SELECT campaign.id, segments.click_type FROM campaign",
         "queryError.PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE"},
        {"SELECT segments.conversion_action, metrics.clicks FROM campaign",
         "queryError.PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE"},
        {"SELECT campaign.id FROM campaign WHERE metrics.clicks > 5",
         "queryError.EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"},
        {"SELECT campaign.id FROM campaign WHERE segments.date = '1/1/2026'", "queryError.INVALID_DATE_FORMAT"},
        {"SELECT click_view.gclid FROM click_view WHERE segments.date DURING LAST_7_DAYS",
         "clickViewError.EXPECTED_FILTER_ON_A_SINGLE_DAY"},
        {"SELECT click_view.gclid FROM click_view WHERE segments.date = '2025-09-15'", "clickViewError.DATE_TOO_OLD"},
        {"SELECT change_status.campaign FROM change_status LIMIT 5", "changeStatusError.CHANGE_DATE_RANGE_INFINITE"},
        {"SELECT change_status.campaign FROM change_status WHERE change_status.last_change_date_time >= '2025-12-01' "
         "AND "
         "change_status.last_change_date_time <= '2026-01-01'",
         "changeStatusError.LIMIT_NOT_SPECIFIED"},
        {"SELECT change_status.campaign FROM change_status WHERE change_status.last_change_date_time BETWEEN "
         "'2025-01-01' "
         "AND '2026-01-01' LIMIT 5",
         "changeStatusError.START_DATE_TOO_OLD"},
    };
    for (const auto& [query, code] : kCases) {
        SCOPED_TRACE(query);
        EXPECT_EQ(refusal(ask(query, account(0))), "400 " + std::string(code));
    }
    EXPECT_EQ(refusal(ask("SELECT metrics.clicks FROM customer", "9990001111")),
              "400 queryError.REQUESTED_METRICS_FOR_MANAGER");
    const auto sized = post("/v26/customers/" + account(0) + "/googleAds:search",
                            {{"query", "SELECT campaign.id FROM campaign"}, {"pageSize", 5}});
    EXPECT_EQ(refusal(sized), "400 requestError.PAGE_SIZE_NOT_SUPPORTED");
}

TEST_F(SandboxGoogleTest, FiltersSortsAndLimits) {
    const auto all = rows(
        "SELECT ad_group_ad.ad.id, ad_group_ad.status FROM ad_group_ad ORDER BY ad_group_ad.ad.id DESC", account(0));
    ASSERT_GT(all.size(), 3U);
    EXPECT_GT(all[0]["adGroupAd"]["ad"]["id"].get<std::string>(), all[1]["adGroupAd"]["ad"]["id"].get<std::string>());
    const std::string id = all[0]["adGroupAd"]["ad"]["id"];
    const std::string from = "SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE ad_group_ad.ad.id ";
    EXPECT_THAT(rows(from + "= " + id, account(0)), SizeIs(1));
    EXPECT_THAT(rows(from + "IN (" + id + ", 5)", account(0)), SizeIs(1));
    EXPECT_THAT(rows(from + "!= " + id, account(0)), SizeIs(all.size() - 1));
    EXPECT_THAT(rows(from + "NOT IN ('" + id + "')", account(0)), SizeIs(all.size() - 1));
    EXPECT_THAT(rows(from + "LIKE '" + id.substr(0, 5) + "%'", account(0)), SizeIs(all.size()));
    EXPECT_THAT(rows(from + "REGEXP_MATCH '[0-9]+'", account(0)), SizeIs(all.size()));
    EXPECT_THAT(rows(from + "IS NULL", account(0)), SizeIs(0));
    EXPECT_THAT(rows("SELECT ad_group_ad.ad.id FROM ad_group_ad LIMIT 2", account(0)), SizeIs(2));
}

// Zeros are left out, 64-bit numbers are texts, and the same numbers come by day as in all.
TEST_F(SandboxGoogleTest, AnswersAsProto3JsonIs) {
    const std::string days = " WHERE segments.date BETWEEN '2025-12-01' AND '2025-12-14'";
    const auto sum = [](const std::vector<json>& rows) {
        int64_t clicks = 0;
        for (const json& row : rows) {
            const json metrics = row.value("metrics", json::object());
            if (!metrics.contains("clicks")) continue;
            EXPECT_TRUE(metrics["clicks"].is_string());
            EXPECT_NE(metrics["clicks"], "0");
            clicks += std::stoll(metrics["clicks"].get<std::string>());
        }
        return clicks;
    };
    const auto total = rows("SELECT metrics.clicks FROM customer" + days, account(0));
    ASSERT_THAT(total, SizeIs(1));
    const auto by_day =
        rows("SELECT campaign.id, segments.date, segments.device, metrics.clicks FROM campaign" + days, account(0));
    const auto by_keyword = rows(
        "SELECT ad_group_criterion.criterion_id, segments.month, metrics.clicks FROM keyword_view" + days, account(0));
    EXPECT_GT(sum(total), 0);
    EXPECT_EQ(sum(by_day), sum(total));
    EXPECT_EQ(sum(by_keyword), sum(total));
    EXPECT_THAT(by_day[0]["campaign"]["resourceName"].get<std::string>(),
                HasSubstr("customers/" + account(0) + "/campaigns/"));
    EXPECT_FALSE(rows("SELECT campaign.id FROM campaign PARAMETERS omit_unselected_resource_names=true",
                      account(0))[0]["campaign"]
                     .contains("resourceName"));
}

TEST_F(SandboxGoogleTest, GivesPages) {
    const std::string path = "/v26/customers/" + account(0) + "/googleAds:search";
    const std::string query =
        "SELECT ad_group_ad.ad.id, segments.date, segments.device, segments.ad_network_type FROM ad_group_ad";
    const json settings{{"returnTotalResultsCount", true}};
    const json first = json::parse(post(path, {{"query", query}, {"searchSettings", settings}}).body);
    EXPECT_EQ(first["totalResultsCount"], std::to_string(first["results"].size()));
    EXPECT_FALSE(first.contains("nextPageToken"));
    EXPECT_EQ(refusal(post(path, {{"query", query}, {"pageToken", "AAAA"}})), "400 requestError.INVALID_PAGE_TOKEN");
}

TEST_F(SandboxGoogleTest, KnowsItsFields) {
    const auto answer = post("/v26/googleAdsFields:search",
                             {{"query",
                               "SELECT name, category, data_type, is_repeated WHERE name IN ('metrics.cost_micros', "
                               "'campaign.labels')"}});
    const json results = json::parse(answer.body)["results"];
    ASSERT_THAT(results, SizeIs(2));
    EXPECT_EQ(results[0]["name"], "campaign.labels");
    EXPECT_EQ(results[0]["isRepeated"], true);
    EXPECT_EQ(results[1]["category"], "METRIC");
    EXPECT_EQ(results[1]["dataType"], "INT64");
}

}  // namespace
}  // namespace shaduf
