#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/google_ads/amount.h"
#include "connectors/google_ads/cutter.h"
#include "connectors/google_ads/gaql.h"
#include "connectors/google_ads/reading.h"
#include "connectors/google_ads/rows.h"

namespace shaduf::google_ads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(GoogleAdsAmountTest, IsExact) {
    const std::pair<const char*, std::optional<int64_t>> kCases[] = {
        {"0", 0},
        {"12340000", 12'340'000},
        {"-5", -5},
        {"1234567.5", 1'234'568},
        {"1234567.4999999999999999", 1'234'567},
        {"-0.5", -1},
        {"0.04", 0},
        {"1.5e7", 15'000'000},
        {"1.5E+7", 15'000'000},
        {"25e-1", 3},
        {"3e-9", 0},
        {"999999999999999999", 999'999'999'999'999'999},
        {"999999999999999999.5", std::nullopt},
        {"1000000000000000000", std::nullopt},
        {"1e18", std::nullopt},
        {"1e300", std::nullopt},
        {"0e30", 0},
        {"", std::nullopt},
        {"-", std::nullopt},
        {".5", std::nullopt},
        {"5.", std::nullopt},
        {"1e", std::nullopt},
        {"NaN", std::nullopt},
        {"1 ", std::nullopt},
    };
    for (const auto& [text, expected] : kCases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_micros(text), expected);
    }
}

TEST(GoogleAdsNameTest, IsWrittenAsJsonHasIt) {
    EXPECT_EQ(camel_case("cost_micros"), "costMicros");
    EXPECT_EQ(camel_case("video_quartile_p25_rate"), "videoQuartileP25Rate");
    EXPECT_EQ(camel_case("product_custom_attribute0"), "productCustomAttribute0");
    EXPECT_EQ(camel_case("url_1"), "url1");
    EXPECT_EQ(camel_case("id"), "id");
}

TEST(GoogleAdsQueryTest, IsTakenApart) {
    const auto query = Query::parse(
        "select Campaign.id,\n segments.date , campaign.id FROM campaign\nWHERE campaign.name = 'FROM \\' here' AND "
        "segments.date BETWEEN '2026-01-01' AND '2026-01-02' and metrics.clicks > 0 ORDER BY campaign.id DESC LIMIT 7 "
        "PARAMETERS include_drafts=true;");
    ASSERT_TRUE(query.ok()) << query.error().to_string();
    EXPECT_THAT(query.value().fields, ElementsAre("campaign.id", "segments.date"));
    EXPECT_EQ(query.value().resource, "campaign");
    EXPECT_THAT(query.value().filtered, ElementsAre("campaign.name", "segments.date", "metrics.clicks"));
    EXPECT_EQ(query.value().order, "campaign.id DESC");
    EXPECT_EQ(query.value().limit, "7");
    EXPECT_EQ(query.value().parameters, "include_drafts=true");
    EXPECT_EQ(Query::parse(query.value().to_string()).value().to_string(), query.value().to_string());
}

TEST(GoogleAdsQueryTest, SaysWhereItIsNoQuery) {
    const std::pair<const char*, const char*> kCases[] = {
        {"", "expected SELECT at character 1, found its end"},
        {"SELECT FROM campaign", "something behind SELECT at character 8, found FROM"},
        {"SELECT campaign.id campaign.name FROM campaign", "expected a comma at character 20, found campaign.name"},
        {"SELECT campaign.id, FROM campaign", "a field behind the comma at character 21"},
        {"SELECT campaign FROM campaign", "expected a field, such as campaign.id,"},
        {"SELECT campaign.id FROM campaign, ad_group", "one resource behind FROM"},
        {"SELECT campaign.id FROM campaign LIMIT 5 WHERE a.b = 1", "in this order"},
        {"SELECT campaign.id FROM campaign WHERE a.b = 'x", "text without an end at character 46"},
        {"SELECT campaign.id FROM campaign ORDER campaign.id", "expected BY"},
        {"SELECT campaign.id FROM campaign; SELECT", "nothing behind ;"},
    };
    for (const auto& [text, message] : kCases) {
        SCOPED_TRACE(text);
        const auto query = Query::parse(text);
        ASSERT_FALSE(query.ok());
        EXPECT_THAT(query.error().message(), HasSubstr(message));
    }
}

// What a cutter makes of an answer that comes in pieces of `size`.
struct Cut {
    std::vector<std::string> rows;
    std::vector<std::string> errors;
    bool complete = false;
    std::string fault;
};
Cut cut(std::string_view text, size_t size) {
    Cut cut;
    StreamCutter cutter(
        [&](std::string_view row) -> Result<void> {
            cut.rows.emplace_back(row);
            return {};
        },
        [&](std::string_view error) -> Result<void> {
            cut.errors.emplace_back(error);
            return {};
        });
    for (size_t at = 0; at < text.size(); at += size) {
        const auto fed = cutter.feed(text.substr(at, size));
        if (fed.ok()) continue;
        cut.fault = fed.error().message();
        return cut;
    }
    cut.complete = cutter.complete();
    return cut;
}

TEST(GoogleAdsCutterTest, CutsRowsWhereverTheAnswerIsParted) {
    const std::string text =
        "[{\n  \"fieldMask\": \"a,b\",\n \"results\": [ {\"a\":{\"b\":\"]}\\\"\"}} "
        ",\n{\"c\":[{\"d\":1}],\"e\":\"ü\\\\\"}],"
        "\"requestId\":\"r\", \"queryResourceConsumption\" : 12, \"x\":null "
        "}\n,\r\n{\"results\":[]},{\"results\":[{}], "
        "\"error\":{\"code\":5}}]\n";
    for (size_t size = 1; size <= text.size(); ++size) {
        SCOPED_TRACE(size);
        const Cut got = cut(text, size);
        EXPECT_THAT(got.rows, ElementsAre("{\"a\":{\"b\":\"]}\\\"\"}}", "{\"c\":[{\"d\":1}],\"e\":\"ü\\\\\"}", "{}"));
        EXPECT_THAT(got.errors, ElementsAre("{\"code\":5}"));
        EXPECT_TRUE(got.complete);
        EXPECT_EQ(got.fault, "");
    }
}

TEST(GoogleAdsCutterTest, KnowsWhatIsCutShortAndWhatIsNoAnswer) {
    for (const char* text : {"", "[", "[{\"results\":[{\"a\":1}", "[{\"results\":[{\"a\":1}]}", "[{\"results\":[{}]},"})
        EXPECT_FALSE(cut(text, 3).complete) << text;
    EXPECT_TRUE(cut("[]", 1).complete);
    EXPECT_TRUE(cut("{\"error\":{}}", 1).complete);
    for (const char* text : {"<html>", "[1]", "[{x}]", "[{\"results\":[1]}]", "[{\"\":1}]", "[]x"})
        EXPECT_THAT(cut(text, 2).fault, HasSubstr("not what searchStream gives")) << text;
}

FieldInfo field(std::string name, std::string category, std::string type, bool repeated = false) {
    return {std::move(name), std::move(category), std::move(type), repeated};
}

TEST(GoogleAdsColumnsTest, FollowFromTheCatalogue) {
    struct Case {
        FieldInfo field;
        const char* name;
        const char* type;
    };
    const Case kCases[] = {
        {field("campaign.id", "ATTRIBUTE", "INT64"), "campaign_id", "string"},
        {field("ad_group_criterion.criterion_id", "ATTRIBUTE", "INT64"), "ad_group_criterion_criterion_id", "string"},
        {field("metrics.cost_micros", "METRIC", "INT64"), "metrics_cost", "decimal(18,6)"},
        {field("metrics.average_cpc", "METRIC", "DOUBLE"), "metrics_average_cpc", "decimal(18,6)"},
        {field("metrics.trueview_average_cpv", "METRIC", "DOUBLE"), "metrics_trueview_average_cpv", "decimal(18,6)"},
        {field("metrics.cost_per_conversion", "METRIC", "DOUBLE"), "metrics_cost_per_conversion", "decimal(18,6)"},
        {field("metrics.conversions_value", "METRIC", "DOUBLE"), "metrics_conversions_value", "float64"},
        {field("metrics.conversions_value_per_cost", "METRIC", "DOUBLE"), "metrics_conversions_value_per_cost",
         "float64"},
        {field("metrics.clicks", "METRIC", "INT64"), "metrics_clicks", "int64"},
        {field("segments.date", "SEGMENT", "DATE"), "segments_date", "date"},
        {field("campaign.start_date_time", "ATTRIBUTE", "DATE"), "campaign_start_date_time", "string"},
        {field("campaign.labels", "ATTRIBUTE", "RESOURCE_NAME", true), "campaign_labels", "json"},
        {field("campaign.network_settings", "ATTRIBUTE", "MESSAGE"), "campaign_network_settings", "json"},
        {field("customer.manager", "ATTRIBUTE", "BOOLEAN"), "customer_manager", "bool"},
    };
    for (const Case& one : kCases) {
        const auto columns = plan_columns({one.field});
        EXPECT_EQ(columns[0].name, one.name);
        EXPECT_EQ(type_of(columns[0].form).to_string(), one.type) << one.name;
    }
    const auto both =
        plan_columns({field("metrics.cost", "METRIC", "INT64"), field("metrics.cost_micros", "METRIC", "INT64")});
    EXPECT_EQ(both[1].name, "metrics_cost_micros");
}

TEST(GoogleAdsColumnsTest, ComeBackFromTheNote) {
    RowPlan plan;
    plan.columns =
        plan_columns({field("campaign.id", "ATTRIBUTE", "INT64"), field("metrics.clicks", "METRIC", "INT64")});
    plan.marks_deleted = true;
    const auto read = RowPlan::of_note(plan.to_note());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read.value().columns, plan.columns);
    EXPECT_TRUE(read.value().marks_deleted);
    for (const char* note : {"", "[]", "{}", R"({"columns":[[1]]})", R"({"columns":[["a","b",99,0]]})"})
        EXPECT_FALSE(RowPlan::of_note(note).ok()) << note;
}

class GoogleAdsRowsTest : public testing::Test {
protected:
    // The rows that lines become, without the columns of the account.
    std::vector<std::string> read(const std::string& lines) {
        RowPlan plan;
        plan.columns =
            plan_columns({field("campaign.id", "ATTRIBUTE", "INT64"), field("campaign.name", "ATTRIBUTE", "STRING"),
                          field("campaign.manual_cpc.enhanced_cpc_enabled", "ATTRIBUTE", "BOOLEAN"),
                          field("campaign.labels", "ATTRIBUTE", "STRING", true),
                          field("segments.date", "SEGMENT", "DATE"), field("metrics.clicks", "METRIC", "INT64"),
                          field("metrics.cost_micros", "METRIC", "INT64"), field("metrics.ctr", "METRIC", "DOUBLE")});
        BufferBuilder text;
        text.append(lines);
        const auto body = text.finish();
        const DecodedRows decoded = RowReader(plan).read({"5", "Shop", "UTC", "EUR", ""}, body->view());
        rejected.clear();
        for (const RejectedRow& row : decoded.rejected)
            rejected.push_back(std::to_string(row.row) + ": " + row.why.message());
        std::vector<std::string> rows;
        const std::string account = R"("customer_id":"5","customer_currency_code":"EUR","customer_time_zone":"UTC",)";
        for (size_t i = 0; i < decoded.rows.rows(); ++i) {
            std::string row = decoded.rows.row_as_json(i);
            EXPECT_THAT(row, HasSubstr(account));
            rows.push_back(row.replace(row.find(account), account.size(), ""));
        }
        return rows;
    }
    std::vector<std::string> rejected;
};

TEST_F(GoogleAdsRowsTest, AreTypedWhateverTheirOrder) {
    EXPECT_THAT(
        read(R"({"campaign":{"resourceName":"customers/5/campaigns/7","id":"7","name":"Ü",)"
             R"("manualCpc":{"enhancedCpcEnabled":true},"labels":["a","b"]},"metrics":{"clicks":)"
             R"("9007199254740993","costMicros":"12340000","ctr":0.25},"segments":{"date":"2026-01-01"}}
{"segments":{"date":"2026-01-02"},"metrics":{"ctr":1e-3,"costMicros":5,"clicks":3},"campaign":{"id":7,"name":null}})"),
        ElementsAre(R"({"campaign_id":"7","campaign_name":"Ü","campaign_manual_cpc_enhanced_cpc_enabled":true,)"
                    R"("campaign_labels":["a","b"],"segments_date":"2026-01-01","metrics_clicks":9007199254740993,)"
                    R"("metrics_cost":12.340000,"metrics_ctr":0.25})",
                    R"({"campaign_id":"7","campaign_name":"","campaign_manual_cpc_enhanced_cpc_enabled":null,)"
                    R"("campaign_labels":null,"segments_date":"2026-01-02","metrics_clicks":3,)"
                    R"("metrics_cost":0.000005,"metrics_ctr":0.001})"));
    EXPECT_THAT(rejected, IsEmpty());
}

// Zeros that were left out come back; what belongs to a message that is not there is null.
TEST_F(GoogleAdsRowsTest, HaveTheirZerosBack) {
    EXPECT_THAT(read(R"({"campaign":{"id":"7","manualCpc":{}},"segments":{"date":"2026-01-01"}})"),
                ElementsAre(HasSubstr(R"("campaign_name":"","campaign_manual_cpc_enhanced_cpc_enabled":false)")));
    EXPECT_THAT(read(R"({})"),
                ElementsAre(HasSubstr(
                    R"("campaign_id":null,"campaign_name":null,"campaign_manual_cpc_enhanced_cpc_enabled":null,)"
                    R"("campaign_labels":null,"segments_date":null,"metrics_clicks":0,"metrics_cost":0.000000,)"
                    R"("metrics_ctr":0)")));
}

TEST_F(GoogleAdsRowsTest, ThatDoNotFitAreRejectedAlone) {
    const auto rows = read(R"({"campaign":{"id":"1"},"metrics":{"clicks":"many"}}
{"campaign":{"id":"2"},"metrics":{"clicks":"1.5"}}
{"campaign":{"id":"3"},"segments":{"date":"2026-02-30"}}
{"campaign":{"id":"4"},"metrics":{"costMicros":"99999999999999999999"}}
{"campaign":"5"}
{"campaign":{"id":"6"}
{"campaign":{"id":"7"}}
{"campaign":{"id":"8","id":"9"}})");
    EXPECT_THAT(rows, SizeIs(8));
    EXPECT_THAT(
        rejected,
        ElementsAre("0: value of metrics.clicks is no int64: many", "1: value of metrics.clicks is no int64: 1.5",
                    "2: value of segments.date is no date: 2026-02-30",
                    "3: value of metrics.cost_micros is no decimal(18,6): 99999999999999999999",
                    HasSubstr("4: expected an object at campaign: \"5\""), HasSubstr("5: row is not a JSON object"),
                    HasSubstr("7: expected one value, found it twice: at campaign.id")));
    EXPECT_THAT(rows[6], HasSubstr(R"("campaign_id":"7")"));
}

TEST(GoogleAdsIdentityTest, IsOfResourcesAndSegmentsAlone) {
    const auto identity_of = [](std::string row) {
        row.reserve(row.size() + 64);
        RowIdentity identity;
        EXPECT_TRUE(identify(row, "campaign", identity)) << row;
        return std::tuple(identity.hash, std::string(identity.day), std::string(identity.resource));
    };
    const auto first = identity_of(
        R"({"campaign":{"resourceName":"c/1","name":"a"},"metrics":{"clicks":"1"},"segments":{"date":"2026-01-01"}})");
    EXPECT_EQ(std::get<1>(first), "2026-01-01");
    EXPECT_EQ(std::get<2>(first), "c/1");
    // Other numbers, another name, another order.
    EXPECT_EQ(first, identity_of(R"({"segments":{"date":"2026-01-01"},"campaign":{"name":"b","resourceName":"c/1"}})"));
    for (const char* other : {R"({"campaign":{"resourceName":"c/2"},"segments":{"date":"2026-01-01"}})",
                              R"({"campaign":{"resourceName":"c/1"},"segments":{"date":"2026-01-02"}})",
                              R"({"adGroup":{"resourceName":"c/1"},"segments":{"date":"2026-01-01"}})"})
        EXPECT_NE(std::get<0>(first), std::get<0>(identity_of(other))) << other;
}

}  // namespace
}  // namespace shaduf::google_ads
