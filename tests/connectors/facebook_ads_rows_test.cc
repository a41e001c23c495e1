#include "connectors/facebook_ads/report_days.h"
#include "connectors/facebook_ads/rows.h"
#include "tests/connectors/facebook_ads_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FacebookRowsTest : public FacebookTest {
protected:
    // The typed rows of one page, without the columns that all rows have; `rejected` says why rows are in quarantine.
    std::vector<std::string> rows_of(const std::string& stream, const std::string& options, const std::string& body) {
        auto fetcher = make(stream, options);
        FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-02"));
        BufferBuilder bytes;
        bytes.append(body);
        const auto given = out.give(run, {bytes.finish(), ""});
        EXPECT_TRUE(given.ok()) << given.error().to_string();
        std::vector<std::string> rows;
        for (const std::string& row : out.typed_rows()) {
            auto json = nlohmann::ordered_json::parse(row);
            for (const char* common : {"account_id", "account_currency", "account_time_zone", "attribution_windows",
                                       "date_start", "date_stop"})
                json.erase(common);
            rows.push_back(json.dump());
        }
        rejected = out.rejected;
        return rows;
    }

    std::vector<std::string> rejected;
};

TEST_F(FacebookRowsTest, TakesNumbersExactly) {
    const std::string fields = "{level: account, fields: [impressions, spend, frequency, ctr]}";
    const struct {
        const char* row;
        const char* typed;
    } kCases[] = {
        {R"({"impressions":"185","spend":"14.35","frequency":"1.002625","ctr":"0.97087378640777"})",
         R"({"impressions":185,"spend":14.350000,"frequency":1.002625000000000000,"ctr":0.970873786407770000})"},
        {R"({"impressions":185,"spend":14.35})",
         R"({"impressions":185,"spend":14.350000,"frequency":null,"ctr":null})"},
        {R"({"impressions":null,"spend":"0"})", R"({"impressions":null,"spend":0.000000,"frequency":null,"ctr":null})"},
        {R"({"impressions":"9007199254740993","spend":"123456789012.123456"})",
         R"({"impressions":9007199254740993,"spend":123456789012.123456,"frequency":null,"ctr":null})"},
    };
    for (const auto& [row, typed] : kCases) {
        SCOPED_TRACE(row);
        auto fetcher = make("r", fields);
        FakeOutput out(*fetcher, slice("2025-12-01", "2025-12-02"));
        BufferBuilder bytes;
        bytes.append(R"({"data":[)" + std::string(row) + "]}");
        ASSERT_TRUE(out.give(run, {bytes.finish(), ""}).ok());
        const auto rows = out.typed_rows();
        ASSERT_EQ(rows.size(), 1U);
        EXPECT_THAT(rows[0], HasSubstr(std::string(typed).substr(1)));
        EXPECT_THAT(out.rejected, IsEmpty());
    }
}

TEST_F(FacebookRowsTest, TurnsAwayWhatDoesNotFit) {
    const auto rows = rows_of("r", "{level: account, fields: [impressions]}",
                              R"({"data":[{"impressions":"12"},{"impressions":"many"},{"impressions":"1.5"}]})");
    EXPECT_THAT(rows, ElementsAre(R"({"impressions":12})"));
    EXPECT_THAT(rejected, ElementsAre(HasSubstr("impressions is int64, the value is \"many\""),
                                      HasSubstr("impressions is int64, the value is \"1.5\"")));
}

TEST_F(FacebookRowsTest, KeepsNamesThatLookLikeDays) {
    EXPECT_THAT(rows_of("r", "{level: campaign, fields: [campaign_name]}",
                        R"({"data":[{"campaign_id":"120210000000000001","campaign_name":"2025-12-01"}]})"),
                ElementsAre(R"({"campaign_id":"120210000000000001","campaign_name":"2025-12-01"})"));
}

TEST_F(FacebookRowsTest, KeepsListsOfActionsAsJson) {
    EXPECT_THAT(rows_of("r", "{level: account, fields: [actions]}",
                        R"({"data":[{"actions":[{"action_type":"link_click","value":"9"}]},{}]})"),
                ElementsAre(R"({"actions":[{"action_type":"link_click","value":"9"}]})", R"({"actions":null})"));
}

TEST_F(FacebookRowsTest, GivesTheHourAndTheAssetOfARow) {
    const std::string hourly = "hourly_stats_aggregated_by_advertiser_time_zone";
    EXPECT_THAT(rows_of("r", "{level: account, fields: [clicks], breakdowns: [" + hourly + "]}",
                        R"({"data":[{"clicks":"1",")" + hourly + R"(":"13:00:00 - 13:59:59"},{"clicks":"2"}]})"),
                ElementsAre(R"({"clicks":1,")" + hourly + R"(":"13:00:00 - 13:59:59"})",
                            R"({"clicks":2,")" + hourly + R"(":"00:00:00 - 00:59:59"})"));
    EXPECT_THAT(rows_of("r", "{level: account, fields: [clicks], breakdowns: [image_asset]}",
                        R"({"data":[{"clicks":"1","image_asset":{"id":"77","hash":"x"}}]})"),
                ElementsAre(R"({"clicks":1,"image_asset__id":"77","image_asset__hash":"x"})"));
}

TEST_F(FacebookRowsTest, MakesColumnsOfActions) {
    const std::string options =
        "{level: account, fields: [spend, actions, action_values], actions: columns, attribution_windows: [1d_click]}";
    EXPECT_THAT(
        rows_of("r", options,
                R"({"data":[{"spend":"1.5","actions":[{"action_type":"link_click","value":"9","1d_click":"8"},)"
                R"({"action_type":"offsite_conversion.fb_pixel_purchase","value":"0.5"}],)"
                R"("action_values":[{"action_type":"purchase","value":"123.45"}]},{"spend":"2"}]})"),
        ElementsAre(R"({"spend":1.5,"action_values__purchase":123.45,"actions__link_click":9.0,)"
                    R"("actions__link_click__1d_click":8.0,"actions__offsite_conversion_fb_pixel_purchase":0.5})",
                    R"({"spend":2.0,"action_values__purchase":null,"actions__link_click":null,)"
                    R"("actions__link_click__1d_click":null,"actions__offsite_conversion_fb_pixel_purchase":null})"));
    EXPECT_THAT(rejected, IsEmpty());
}

TEST_F(FacebookRowsTest, NamesColumnsByActionBreakdowns) {
    EXPECT_THAT(rows_of("r",
                        "{level: account, fields: [actions], actions: columns, action_breakdowns: [action_type, "
                        "action_device]}",
                        R"({"data":[{"actions":[{"action_type":"like","action_device":"iPhone 15","value":"2"}]}]})"),
                ElementsAre(R"({"actions__like__iphone_15":2.0})"));
}

TEST_F(FacebookRowsTest, TurnsAwayWhatDoesNotFitAmongActionColumns) {
    const auto rows = rows_of("r", "{level: account, fields: [impressions, actions], actions: columns}",
                              R"({"data":[{"impressions":"1"},{"impressions":"x"},)"
                              R"({"impressions":"3","actions":[{"action_type":"like","value":"?"}]}]})");
    EXPECT_THAT(rows,
                ElementsAre(R"({"impressions":1,"actions__like":null})", R"({"impressions":null,"actions__like":null})",
                            R"({"impressions":3,"actions__like":null})"));
    EXPECT_THAT(rejected,
                ElementsAre(HasSubstr("impressions is int64, the value is \"x\""), HasSubstr("actions__like")));
}

TEST_F(FacebookRowsTest, ShowsNewFieldsToTheContract) {
    const char* page = R"({"data":[{"clicks":"1","brand_new":7}]})";
    EXPECT_THAT(rows_of("r", "{level: account, fields: [clicks]}", page), ElementsAre(R"({"clicks":1,"brand_new":7})"));
    EXPECT_THAT(rows_of("r", "{level: account, fields: [clicks], actions: columns}", page),
                ElementsAre(R"({"clicks":1,"brand_new":7})"));
}

TEST_F(FacebookRowsTest, AsksAgainForBrokenPages) {
    for (const char* options : {"{level: account}", "{level: account, actions: columns}"}) {
        auto fetcher = make("r", options);
        for (const char* body : {R"({"data":[{"clicks":"1"})", R"({"data":[{"clicks":}]})"}) {
            BufferBuilder bytes;
            bytes.append(body);
            const auto batch = fetcher->parse(slice("2025-12-01", "2025-12-01"), {bytes.finish(), ""});
            ASSERT_FALSE(batch.ok());
            EXPECT_EQ(batch.error().kind(), ErrorKind::unavailable);
        }
    }
}

TEST(FacebookDays, BeginWhereRowsDo) {
    const struct {
        const char* increment;
        const char* since;
        const char* first;
    } kCases[] = {
        {"7", "2025-11-01", "2025-10-27"},  // a Monday
        {"7", "10d", "2025-12-22"},         // 2025-12-23
        {"7", "2025-10-27", "2025-10-27"},
        {"monthly", "2025-11-20", "2025-11-01"},
        {"monthly", "2020-01-01", "2023-01-01"},  // 37 months are kept: from 2022-12-02
        {"7", "2020-01-01", "2022-12-05"},
        {"all_days", "2025-11-20", "2025-11-20"},
        {"28", "2025-12-30", "2025-12-22"},
    };
    for (const auto& [increment, since, first] : kCases) {
        SCOPED_TRACE(std::string(increment) + " " + since);
        const auto stream =
            facebook::read_stream(ads_options(connector_facebook_ads.stream_fields,
                                              "{level: account, time_increment: '" + std::string(increment) + "'}"),
                                  "r");
        ASSERT_TRUE(stream.ok()) << stream.error().to_string();
        const auto range = facebook::whole_range(*stream.value().report, since, day("2026-01-02"));
        EXPECT_EQ(ads::format_day(range.first), first);
        EXPECT_EQ(ads::format_day(range.last), "2026-01-02");
    }
    EXPECT_EQ(facebook::months_before(day("2025-03-31"), 1), day("2025-02-28"));
    EXPECT_EQ(facebook::months_before(day("2025-01-15"), 37), day("2021-12-15"));
}

}  // namespace
}  // namespace shaduf
