#include "connectors/x_ads/report_fetcher.h"
#include "connectors/x_ads/report_unit.h"
#include "connectors/x_ads/stats_rows.h"
#include "tests/connectors/x_ads_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Timestamp time_of(int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }
constexpr int64_t kJanuary = 1'767'323'045;  // 2026-01-02T03:04:05Z, Berlin is at +01:00
constexpr int64_t kJuly = 1'782'961'445;     // 2026-07-02T03:04:05Z, Berlin is at +02:00

// Days are asked for by the offset of today, on either side of a change of the clocks.
TEST(XAdsCalendar, MidnightIsAsFarFromUtcAsItIsToday) {
    struct Case {
        const char* zone;
        int64_t now;
        const char* day;
        const char* start;
    };
    const Case cases[] = {
        {"Europe/Berlin", kJanuary, "2026-01-01", "2025-12-31T23:00:00Z"},
        {"Europe/Berlin", kJuly, "2026-01-01", "2025-12-31T22:00:00Z"},
        {"Europe/Berlin", kJanuary, "2025-07-01", "2025-06-30T23:00:00Z"},
        {"America/Los_Angeles", kJuly, "2026-03-08", "2026-03-08T07:00:00Z"},  // the day on which they changed
        {"Asia/Kolkata", kJuly, "2026-03-08", "2026-03-07T18:30:00Z"},
        {"", kJuly, "2026-03-08", "2026-03-08T00:00:00Z"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(std::string(one.zone) + " " + one.day);
        const x_ads::ReportCalendar calendar(ads::Zone::find(one.zone).value(), time_of(one.now), false);
        const auto params = x_ads::unit_params({{"e"}, days(one.day, one.day), "P"}, x_ads_report(), calendar, {"G"});
        EXPECT_THAT(params, testing::Contains(testing::Pair("start_time", one.start)));
        EXPECT_EQ(calendar.day_of(calendar.start_of(day(one.day))), day(one.day));
        EXPECT_EQ(calendar.end_of(day(one.day)) - calendar.start_of(day(one.day)), std::chrono::hours(24));
    }
}

// Hours are real ones: the day on which the clocks change has 23 or 25.
TEST(XAdsCalendar, HoursOfADay) {
    struct Case {
        const char* zone;
        const char* day;
        size_t hours;
    };
    const Case cases[] = {{"Europe/Berlin", "2026-03-29", 23},
                          {"Europe/Berlin", "2026-10-25", 25},
                          {"Europe/Berlin", "2026-10-26", 24},
                          {"Asia/Kolkata", "2026-10-26", 24}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.day);
        const x_ads::ReportCalendar calendar(ads::Zone::find(one.zone).value(), time_of(kJuly), true);
        EXPECT_EQ(calendar.frame_of({{"e"}, days(one.day, one.day), "P"}).points, one.hours);
    }
}

TEST(XAdsUnits, SplitByDaysThenByEntities) {
    const x_ads::ReportUnit unit{{"a", "b", "c"}, days("2026-01-01", "2026-01-03"), "P", 1};
    const auto halves = x_ads::split_unit(unit);
    ASSERT_THAT(halves, SizeIs(2));
    EXPECT_EQ(halves[0].days, days("2026-01-01", "2026-01-01"));
    EXPECT_EQ(halves[1].days, days("2026-01-02", "2026-01-03"));
    EXPECT_EQ(halves[1].failures, 0);
    const auto by_entity = x_ads::split_unit(halves[0]);
    ASSERT_THAT(by_entity, SizeIs(2));
    EXPECT_THAT(by_entity[0].ids, ElementsAre("a"));
    EXPECT_THAT(by_entity[1].ids, ElementsAre("b", "c"));
    EXPECT_THAT(x_ads::split_unit(by_entity[0]), IsEmpty());
    const auto cut = x_ads::cut_unit(unit, 2);
    ASSERT_THAT(cut, SizeIs(2));
    EXPECT_EQ(cut[1].days, days("2026-01-03", "2026-01-03"));
}

TEST(XAdsUnits, BatchesOfTwentyByPlacementOverTheDaysOfActivity) {
    const x_ads::ReportCalendar calendar(ads::Zone::find("UTC").value(), time_of(kJanuary), false);
    std::string data;
    for (int i = 0; i < 21; ++i)
        data += R"({"entity_id":"e)" + std::to_string(100 + i) +
                R"(","activity_start_time":"2026-01-02T05:00:00Z","activity_end_time":"2026-01-03T02:00:00Z",)"
                R"("placements":["ALL_ON_TWITTER"]},)";
    data += R"({"entity_id":"spot","activity_start_time":"2025-12-01T00:00:00Z",)"
            R"("activity_end_time":"2026-02-01T00:00:00Z","placements":["SPOTLIGHT","ALL_ON_TWITTER"]},)"
            R"({"entity_id":"late","activity_start_time":"2026-01-09T00:00:00Z",)"
            R"("activity_end_time":"2026-01-09T00:00:00Z","placements":[]})";
    auto entities =
        x_ads::read_active_entities(padded(R"({"data":[)" + data + "]}"), days("2026-01-01", "2026-01-07"), calendar);
    ASSERT_TRUE(entities.ok()) << entities.error().to_string();
    const auto units = x_ads::units_of(entities.value(), {"ALL_ON_TWITTER", "SPOTLIGHT", "TREND"});
    ASSERT_THAT(units, SizeIs(3));
    EXPECT_EQ(units[0].days, days("2026-01-01", "2026-01-07"));  // spot comes first, and is active on all days
    EXPECT_THAT(units[0].ids, SizeIs(20));
    EXPECT_EQ(units[1].days, days("2026-01-02", "2026-01-03"));
    EXPECT_THAT(units[1].ids, SizeIs(2));
    EXPECT_EQ(units[2].placement, "SPOTLIGHT");
    EXPECT_THAT(units[2].ids, ElementsAre("spot"));
}

class XAdsSeries : public testing::Test {
protected:
    std::vector<std::string> rows(const std::string& body, size_t answers = 1, size_t points = 2) {
        x_ads::SeriesFrame frame{"ALL_ON_TWITTER", day("2026-01-01"), 0, points, answers};
        const auto read = x_ads::series_rows(padded(body), frame, report, x_ads_account(), "place");
        error = read.ok() ? "" : read.error().to_string();
        std::vector<std::string> out;
        if (!read.ok()) return out;
        for (size_t i = 0; i < read.value().rows.size(); ++i) out.emplace_back(read.value().row(i));
        return out;
    }
    static std::string entity(const std::string& id, const std::string& metrics, const std::string& segment = "null") {
        return R"({"id":")" + id + R"(","id_data":[{"segment":)" + segment + R"(,"metrics":{)" + metrics + "}}]}";
    }
    static std::string answer(const std::string& entities) {
        return R"({"data_type":"stats","time_series_length":2,"data":[)" + entities + R"(],"request":{"params":{}}})";
    }

    x_ads::ReportSettings report = x_ads_report();
    std::string error;
};

TEST_F(XAdsSeries, ArraysBecomeRowsAndNullsZeros) {
    const auto got = rows(answer(
        entity("e1", R"("impressions":[5,0],"follows":null,"likes":[null,0],"billed_charge_local_micro":[1500000,0])") +
        "," + entity("e2", R"("impressions":[0,7],"clicks":["3","0"],"billed_charge_local_micro":null)")));
    ASSERT_EQ(error, "");
    const std::string first =
        R"({"account_id":"a1","account_time_zone":"Europe/Berlin","account_currency":"EUR","entity":"LINE_ITEM",)"
        R"("placement":"ALL_ON_TWITTER",)";
    EXPECT_THAT(got, ElementsAre(first + R"("date":"2026-01-01","entity_id":"e1","impressions":5,"follows":0,)"
                                         R"("likes":0,"billed_charge":1.500000})",
                                 first + R"("date":"2026-01-01","entity_id":"e2","impressions":0,"clicks":"3",)"
                                         R"("billed_charge":0.000000})",
                                 first + R"("date":"2026-01-02","entity_id":"e2","impressions":7,"clicks":"0",)"
                                         R"("billed_charge":0.000000})"));
}

TEST_F(XAdsSeries, ConversionsAreFlattened) {
    const auto got =
        rows(answer(entity("e1", R"("impressions":[1,1],"conversion_sign_ups":null,"conversion_purchases":)"
                                 R"({"order_quantity":[2,0],"sale_amount_local_micro":[3500000,0],"assisted":null})")));
    ASSERT_THAT(got, SizeIs(2));
    EXPECT_THAT(got[0], HasSubstr(R"("conversion_purchases__order_quantity":2,"conversion_purchases__sale_amount":)"
                                  R"(3.500000,"conversion_purchases__assisted":0})"));
    EXPECT_THAT(got[0], Not(HasSubstr("sign_ups")));
}

TEST_F(XAdsSeries, SegmentsAreRowsOfTheirOwn) {
    report.segmentation = "GENDER";
    const auto got = rows(
        R"({"data":[{"id_data":[{"segment":{"segment_name":"Male","segment_value":"1"},"metrics":{"impressions":)"
        R"([1,0]}},)"
        R"({"metrics":{"impressions":[2,0]},"segment":{"segment_name":"Female","segment_value":"2"}}],"id":"e1"}]})");
    EXPECT_THAT(got, ElementsAre(HasSubstr(R"("segment_name":"Male","segment_value":"1","impressions":1)"),
                                 HasSubstr(R"("segment_name":"Female","segment_value":"2","impressions":2)")));
}

TEST_F(XAdsSeries, AnswersOfSeveralGroupsAreJoined) {
    const auto got =
        rows("[" + answer(entity("e1", R"("impressions":[1,0])")) + "," +
                 answer(entity("e2", R"("installs":[4,0])") + "," + entity("e1", R"("installs":[0,3])")) + "]",
             2);
    EXPECT_THAT(got, ElementsAre(HasSubstr(R"("entity_id":"e1","impressions":1,"installs":0)"),
                                 HasSubstr(R"("entity_id":"e2","installs":4)"),
                                 HasSubstr(R"("date":"2026-01-02","entity_id":"e1","impressions":0,"installs":3)")));
}

TEST_F(XAdsSeries, WhatIsNoSeriesIsAnError) {
    const std::pair<std::string, const char*> cases[] = {
        {answer(entity("e1", R"("impressions":[1])")), "series impressions of e1 has 1 values where 2 were asked for"},
        {answer(entity("e1", R"("impressions":7)")), "metric is no list: impressions"},
        {answer(R"({"id_data":[]})"), "an entity has no id"},
        {answer("5"), "an entity is no object"},
        {R"({"data":[{"id":"e1","id_data":[{"metrics":{"a":[1,)", "not readable"},
        {R"({"data":[]} more)", "not readable"},
        {"[]", "no JSON object"},
        {"", "no JSON object"},
    };
    for (const auto& [body, says] : cases) {
        SCOPED_TRACE(body);
        EXPECT_THAT(rows(body), IsEmpty());
        EXPECT_THAT(error, HasSubstr(says));
    }
}

TEST_F(XAdsSeries, AFrameIsKeptAsANote) {
    const x_ads::SeriesFrame frame{"TREND", day("2026-01-01"), 490890, 24, 2};
    const auto read = x_ads::SeriesFrame::parse(frame.to_json());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read.value().to_json(), frame.to_json());
    for (const char* note : {"", "{}", "[]", R"({"first_day":7})", R"({"first_day":"2026-01-01","placement":7})"})
        EXPECT_FALSE(x_ads::SeriesFrame::parse(note).ok()) << note;
}

TEST_F(XAdsSeries, HoursBelongToTheDayInWhichTheyEnd) {
    report.hourly = true;
    // Kolkata is at +05:30: the hour from 18:00 UTC on ends at half past midnight.
    x_ads::SeriesFrame frame{"ALL_ON_TWITTER", day("2026-01-01"), 490890, 2, 1};
    const auto read = x_ads::series_rows(padded(answer(entity("e1", R"("impressions":[1,2])"))), frame, report,
                                         x_ads_account("Asia/Kolkata"), "place");
    ASSERT_TRUE(read.ok());
    EXPECT_THAT(std::string(read.value().row(0)),
                HasSubstr(R"("date":"2026-01-01","hour_start":"2025-12-31T18:00:00Z")"));
    EXPECT_THAT(std::string(read.value().row(1)), HasSubstr(R"("hour_start":"2025-12-31T19:00:00Z")"));
}

class XAdsReport : public testing::Test {
protected:
    FakeOutput fetch(const ads::Slice& slice) {
        fetcher = x_ads::make_report_fetcher(x_ads_api(), report);
        FakeOutput out(*fetcher, slice);
        const auto done = fetcher->fetch(world.run, slice, memory, out);
        error = done.ok() ? "" : done.error().to_string();
        return out;
    }
    static std::string active(const std::string& ids) {
        std::string data;
        for (const char id : ids)
            data += (data.empty() ? R"({"entity_id":")" : R"(,{"entity_id":")") + std::string(1, id) +
                    R"(","activity_start_time":"2025-12-20T00:00:00Z","activity_end_time":"2026-01-09T00:00:00Z",)"
                    R"("placements":["ALL_ON_TWITTER"]})";
        return R"({"data":[)" + data + "]}";
    }

    World world;
    ads::Memory memory;
    x_ads::ReportSettings report = x_ads_report();
    std::unique_ptr<ads::SliceFetcher> fetcher;
    std::string error;
};

constexpr const char* kActive = "GET /12/stats/accounts/a1/active_entities";
constexpr const char* kStats = "GET /12/stats/accounts/a1";

TEST_F(XAdsReport, AWeekIsAskedForAtOnce) {
    world.http
        .expect(std::string(kActive) +
                "?entity=LINE_ITEM&start_time=2025-12-31T23%3A00%3A00Z&end_time=2026-01-02T23%3A00%3A00Z")
        .reply(active("ab"));
    world.http
        .expect(std::string(kStats) +
                "?entity=LINE_ITEM&entity_ids=a%2Cb&start_time=2025-12-31T23%3A00%3A00Z&end_time=2026-01-02T23%3A00%3A"
                "00Z&granularity=DAY&metric_groups=BILLING%2CENGAGEMENT&placement=ALL_ON_TWITTER")
        .reply(R"({"data":[{"id":"a","id_data":[{"segment":null,"metrics":{"impressions":[1,2]}}]},)"
               R"({"id":"b","id_data":[{"segment":null,"metrics":{"impressions":null}}]}]})");
    FakeOutput out = fetch(x_ads_slice("2026-01-01", "2026-01-02"));
    EXPECT_EQ(error, "");
    EXPECT_THAT(out.typed_rows(), SizeIs(2));
    EXPECT_THAT(out.rejected, IsEmpty());
    EXPECT_THAT(world.http.unused(), IsEmpty());
}

TEST_F(XAdsReport, NothingIsAskedForWhereNothingWasActive) {
    world.http.expect(kActive).reply(R"({"data":[]})");
    EXPECT_THAT(fetch(x_ads_slice("2026-01-01", "2026-01-02")).pages(), IsEmpty());
    EXPECT_EQ(error, "");
}

TEST_F(XAdsReport, AccountsAreAlwaysActive) {
    report = x_ads_report("ACCOUNT");
    world.http.expect(kStats).reply(
        R"({"data":[{"id":"a1","id_data":[{"segment":null,"metrics":{"impressions":[4]}}]}]})");
    EXPECT_THAT(fetch(x_ads_slice("2026-01-01", "2026-01-01")).rows(), SizeIs(1));
    EXPECT_EQ(error, "");
}

TEST_F(XAdsReport, ARequestThatIsTooComplexIsSplit) {
    world.http.expect(kActive).reply(active("a"));
    const char* too_complex = R"({"errors":[{"code":"REQUEST_TOO_COMPLEX","message":"less"}]})";
    const char* one = R"({"data":[{"id":"a","id_data":[{"segment":null,"metrics":{"impressions":[4]}}]}]})";
    world.http.expect(kStats).reply(400, too_complex).reply(one).reply(one);
    EXPECT_THAT(fetch(x_ads_slice("2026-01-01", "2026-01-02")).rows(),
                ElementsAre(HasSubstr("2026-01-01"), HasSubstr("2026-01-02")));
    EXPECT_EQ(error, "");
}

}  // namespace
}  // namespace shaduf
