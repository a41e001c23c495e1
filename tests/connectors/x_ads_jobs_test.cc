#include <map>

#include "base/time.h"
#include "connectors/x_ads/report_fetcher.h"
#include "io/compression.h"
#include "tests/connectors/x_ads_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Plays the endpoints of jobs: what becomes of the n-th job (from 0) is scripted, else it succeeds at the first poll.
class JobServer {
public:
    struct Fate {
        int polls_before = 0;         // that find it in progress
        std::string end = "SUCCESS";  // or FAILED, or "" for never
        int expired_urls = 0;
    };

    explicit JobServer(FakeHttp& http) {
        http.expect("GET /12/stats/accounts/a1/active_entities")
            .answer([this](const HttpRequest&) { return FakeHttp::make_response(200, {}, active); })
            .repeat();
        http.expect("POST /12/stats/jobs/accounts/a1")
            .answer([this](const HttpRequest& request) { return post(request); })
            .repeat();
        http.expect("GET /12/stats/jobs/accounts/a1")
            .answer([this](const HttpRequest& request) { return poll(request); })
            .repeat();
        http.expect("GET /file").answer([this](const HttpRequest& request) { return file(request); }).repeat();
    }

    std::map<int, Fate> fates;
    std::vector<QueryParams> jobs;
    std::string active = R"({"data":[{"entity_id":"a","activity_start_time":"2025-11-01T00:00:00Z",)"
                         R"("activity_end_time":"2026-01-09T00:00:00Z","placements":["ALL_ON_TWITTER"]}]})";
    int post_status = 201;
    size_t polled_most = 0;
    bool is_signed = false;

    std::string param(size_t job, std::string_view name) const {
        for (const auto& [key, value] : jobs.at(job)) {
            if (key == name) return value;
        }
        return "";
    }

private:
    static QueryParams query_of(const HttpRequest& request) {
        return parse_query(Url::parse(request.url).value().query);
    }
    static std::string value_of(const HttpRequest& request, std::string_view name) {
        for (const auto& [key, value] : query_of(request)) {
            if (key == name) return value;
        }
        return "";
    }

    // Ids are larger than a double holds; the number is wrong on purpose, as clients read it.
    HttpResponse post(const HttpRequest& request) {
        jobs.push_back(query_of(request));
        const std::string id = "112082964771165" + std::to_string(1000 + jobs.size() - 1);
        return FakeHttp::make_response(
            post_status, {},
            R"({"data":{"id":1120829647711654000,"id_str":")" + id + R"(","status":"PROCESSING","url":null}})");
    }
    HttpResponse poll(const HttpRequest& request) {
        std::string data;
        size_t count = 0;
        std::string ids = value_of(request, "job_ids");
        for (size_t at = 0; at < ids.size(); ++count) {
            const size_t end = std::min(ids.find(',', at), ids.size());
            const std::string id = ids.substr(at, end - at);
            const int number = std::stoi(id.substr(id.size() - 3));
            Fate& fate = fates[number];
            const bool is_done = fate.polls_before-- <= 0 && !fate.end.empty();
            const std::string url = is_done && fate.end == "SUCCESS"
                                        ? "\"https://files.test/file?n=" + std::to_string(number) + "\""
                                        : "null";
            data += (data.empty() ? "" : ",") + (R"({"id_str":")" + id) + R"(","status":")" +
                    (is_done ? fate.end : "PROCESSING") + R"(","url":)" + url + "}";
            at = end + 1;
        }
        polled_most = std::max(polled_most, count);
        return FakeHttp::make_response(200, {}, R"({"data":[)" + data + "]}");
    }
    HttpResponse file(const HttpRequest& request) {
        is_signed = is_signed || !FakeHttp::header(request, "Authorization").empty();
        const int number = std::stoi(value_of(request, "n"));
        if (fates[number].expired_urls-- > 0) return FakeHttp::make_response(403, {}, "<Error>expired</Error>");
        const QueryParams& job = jobs.at(static_cast<size_t>(number));
        Timestamp ends[2];
        std::string id;
        for (const auto& [key, value] : job) {
            if (key == "start_time")
                ends[0] = Timestamp(std::chrono::microseconds(parse_timestamp(value)->microseconds));
            if (key == "end_time") ends[1] = Timestamp(std::chrono::microseconds(parse_timestamp(value)->microseconds));
            if (key == "entity_ids") id = value;
        }
        const auto points = (ends[1] - ends[0]) / std::chrono::hours(24);
        std::string values = "1";
        for (long i = 1; i < points; ++i) values += ",1";
        const std::string body = R"({"data":[{"id":")" + id +
                                 R"(","id_data":[{"segment":null,"metrics":{"impressions":[)" + values + "]}}]}]}";
        return FakeHttp::make_response(200, {}, compress_gzip(body).value());
    }
};

class XAdsJobs : public testing::Test {
protected:
    FakeOutput fetch(std::string_view first, std::string_view last) {
        fetcher = x_ads::make_report_fetcher(x_ads_api(), report);
        const auto slice = x_ads_slice(first, last, "UTC");
        FakeOutput out(*fetcher, slice);
        const auto done = fetcher->fetch(world.run, slice, memory, out);
        error = done.ok() ? "" : done.error().to_string();
        return out;
    }

    World world;
    ads::Memory memory;
    JobServer server{world.http};
    x_ads::ReportSettings report = x_ads_report();
    std::unique_ptr<ads::SliceFetcher> fetcher;
    std::string error;
};

TEST_F(XAdsJobs, AMonthIsAJob) {
    server.fates[0] = {.polls_before = 3};
    const FakeOutput out = fetch("2025-12-01", "2025-12-30");
    ASSERT_EQ(error, "");
    EXPECT_THAT(out.rows(), SizeIs(30));
    EXPECT_THAT(server.jobs, SizeIs(1));
    EXPECT_FALSE(server.is_signed);
    using std::chrono::seconds;
    EXPECT_THAT(world.clock.slept(), ElementsAre(seconds(1), seconds(2), seconds(4), seconds(8)));
}

TEST_F(XAdsJobs, SegmentsAreJobsHoweverShort) {
    report.segmentation = "AGE";
    const FakeOutput out = fetch("2025-12-01", "2025-12-01");
    ASSERT_EQ(error, "");
    EXPECT_THAT(out.rows(), SizeIs(1));
    EXPECT_EQ(server.param(0, "segmentation_type"), "AGE");
}

TEST_F(XAdsJobs, NoJobIsLongerThanItMayBe) {
    report.segmentation = "AGE";
    ASSERT_THAT(fetch("2025-11-01", "2025-12-30").rows(), SizeIs(60));
    EXPECT_THAT(server.jobs, SizeIs(2));  // of 45 and 15 days
}

TEST_F(XAdsJobs, AFailedJobIsMadeOnceMore) {
    server.fates[0] = {.end = "FAILED"};
    EXPECT_THAT(fetch("2025-12-01", "2025-12-30").rows(), SizeIs(30));
    EXPECT_EQ(error, "");
    EXPECT_THAT(server.jobs, SizeIs(2));
    EXPECT_EQ(memory.get("job_days:a1"), "");
}

TEST_F(XAdsJobs, OneThatFailsAgainIsSplitAndTheSizeRemembered) {
    server.fates[0] = server.fates[1] = {.end = "FAILED"};
    EXPECT_THAT(fetch("2025-12-01", "2025-12-30").rows(), SizeIs(30));
    EXPECT_EQ(error, "");
    EXPECT_THAT(server.jobs, SizeIs(4));
    EXPECT_EQ(memory.get("job_days:a1"), "15");
    EXPECT_THAT(fetch("2025-12-01", "2025-12-30").rows(), SizeIs(30));
    EXPECT_THAT(server.jobs, SizeIs(6));
}

TEST_F(XAdsJobs, OneThatCannotBeSplitIsAnError) {
    for (int i = 0; i < 60; ++i) server.fates[i] = {.end = "FAILED"};
    EXPECT_THAT(fetch("2025-12-01", "2025-12-08").rows(), IsEmpty());
    EXPECT_THAT(error, HasSubstr("report job failed, for one entity and one day: a, 2025-12-0"));
    EXPECT_THAT(error, HasSubstr("X says FAILED; ask for fewer metric_groups"));
}

TEST_F(XAdsJobs, AnExpiredFileIsAskedForAgain) {
    server.fates[0] = {.expired_urls = 2};
    EXPECT_THAT(fetch("2025-12-01", "2025-12-30").rows(), SizeIs(30));
    EXPECT_EQ(error, "");
    EXPECT_THAT(server.jobs, SizeIs(1));
}

TEST_F(XAdsJobs, OneThatNeverEndsIsMadeAgainAfterAnHour) {
    server.fates[0] = {.end = ""};
    EXPECT_THAT(fetch("2025-12-01", "2025-12-30").rows(), SizeIs(30));
    EXPECT_EQ(error, "");
    EXPECT_THAT(server.jobs, SizeIs(2));
    EXPECT_GT(world.clock.now() - Timestamp(std::chrono::seconds(1'767'323'045)), std::chrono::hours(1));
}

TEST_F(XAdsJobs, NoMoreJobsThanTheirShareAreOpen) {
    server.active = R"({"data":[)";
    for (int i = 0; i < 40 * 20; ++i)
        server.active += (i == 0 ? R"({"entity_id":"e)" : R"(,{"entity_id":"e)") + std::to_string(i) + "\"}";
    server.active += "]}";
    fetch("2025-12-01", "2025-12-30");
    EXPECT_EQ(error, "");
    EXPECT_THAT(server.jobs, SizeIs(40));
    EXPECT_EQ(server.polled_most, 25U);
}

TEST_F(XAdsJobs, ConversionsOfAppsAreAJobOfTheirOwn) {
    report.metric_groups = {"ENGAGEMENT", "MOBILE_CONVERSION"};
    const FakeOutput out = fetch("2025-12-01", "2025-12-30");
    ASSERT_EQ(error, "");
    EXPECT_THAT(out.pages(), SizeIs(1));
    EXPECT_THAT(out.rows(), SizeIs(30));
    ASSERT_THAT(server.jobs, SizeIs(2));
    EXPECT_EQ(server.param(0, "metric_groups"), "ENGAGEMENT");
    EXPECT_EQ(server.param(1, "metric_groups"), "MOBILE_CONVERSION");
}

TEST_F(XAdsJobs, EndWhenTheRunIsCanceled) {
    world.cancellation.cancel();
    fetch("2025-12-01", "2025-12-30");
    EXPECT_NE(error, "");
}

}  // namespace
}  // namespace shaduf
