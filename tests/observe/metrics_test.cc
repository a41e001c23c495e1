#include "observe/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>

#include "base/text.h"

namespace shaduf::observe {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CatalogIsWellFormed) {
    std::set<std::string_view> names;
    for (const MetricSpec* spec : all_metrics()) {
        SCOPED_TRACE(spec->name);
        EXPECT_TRUE(names.insert(spec->name).second) << "is there twice";
        EXPECT_EQ(spec->kind == MetricKind::counter, spec->name.ends_with("_total"));
        EXPECT_EQ(spec->kind == MetricKind::histogram, !spec->buckets.empty());
        EXPECT_TRUE(std::is_sorted(spec->buckets.begin(), spec->buckets.end()));
        EXPECT_FALSE(spec->help.empty());
        EXPECT_TRUE(spec->name.starts_with("shaduf_") || spec->name.starts_with("process_"));
    }
}

TEST(Metrics, WritesBothFormats) {
    MetricPage page;
    page.add(metric::runs, {"a\"b\\c\nd", "manual", "failed"}, 3);
    page.observe(metric::run_duration, {"daily"}, 0.3);
    page.observe(metric::run_duration, {"daily"}, 90'000);
    const std::string plain = write_metrics(page, MetricFormat::prometheus);
    EXPECT_THAT(plain, HasSubstr("# TYPE shaduf_runs_total counter\n"
                                 "shaduf_runs_total{flow=\"a\\\"b\\\\c\\nd\",type=\"manual\",state=\"failed\"} 3\n"));
    EXPECT_THAT(plain, HasSubstr("shaduf_run_duration_seconds_bucket{flow=\"daily\",le=\"0.1\"} 0\n"
                                 "shaduf_run_duration_seconds_bucket{flow=\"daily\",le=\"0.5\"} 1\n"
                                 "shaduf_run_duration_seconds_bucket{flow=\"daily\",le=\"1.0\"} 1\n"));
    EXPECT_THAT(plain, HasSubstr("le=\"86400.0\"} 1\nshaduf_run_duration_seconds_bucket{flow=\"daily\",le=\"+Inf\"} 2\n"
                                 "shaduf_run_duration_seconds_sum{flow=\"daily\"} 90000.3\n"
                                 "shaduf_run_duration_seconds_count{flow=\"daily\"} 2\n"));
    const std::string open = write_metrics(page, MetricFormat::openmetrics);
    EXPECT_THAT(open, HasSubstr("# TYPE shaduf_runs counter\nshaduf_runs_total{"));
    EXPECT_THAT(open, EndsWith("# EOF\n"));
    EXPECT_THAT(plain, Not(HasSubstr("# EOF")));
}

TEST(Metrics, ALabelThatIsNoUtf8IsMadeSo) {
    MetricPage page;
    page.set(metric::table_age, {"raw.\xff"}, 1);
    EXPECT_TRUE(is_valid_utf8(write_metrics(page, MetricFormat::prometheus)));
}

TEST(Metrics, TheClientChoosesTheFormat) {
    const struct {
        const char* accept;
        MetricFormat format;
    } kCases[] = {
        {"", MetricFormat::prometheus},
        {"*/*", MetricFormat::prometheus},
        {"text/plain", MetricFormat::prometheus},
        {"application/openmetrics-text", MetricFormat::openmetrics},
        {"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         MetricFormat::openmetrics},
        {"application/openmetrics-text;q=0.1, text/plain;q=0.9", MetricFormat::prometheus},
        {"application/openmetrics-text;q=0", MetricFormat::prometheus},
        {"application/openmetrics-text;q=nonsense,,;", MetricFormat::prometheus},
    };
    for (const auto& [accept, format] : kCases) EXPECT_EQ(metric_format_of(accept), format) << accept;
}

TEST(Metrics, SeriesAreBounded) {
    MetricPage page;
    for (size_t i = 0; i < MetricPage::kSeriesMax + 500; ++i) {
        page.add(metric::runs, {"flow " + std::to_string(i), "manual", "failed"}, 1);
    }
    EXPECT_LE(page.find(metric::runs)->size(), MetricPage::kSeriesMax + 1);
    EXPECT_EQ(page.value(metric::runs, {"other", "manual", "failed"}), 500);
    EXPECT_EQ(page.value(metric::series_folded, {metric::runs.name}), 500);
    // What has a series of its own goes on with it.
    page.add(metric::runs, {"flow 7", "manual", "failed"}, 1);
    EXPECT_EQ(page.value(metric::runs, {"flow 7", "manual", "failed"}), 2);
    for (size_t i = 0; i < MetricPage::kHistogramSeriesMax + 10; ++i) {
        page.observe(metric::run_duration, {std::to_string(i)}, 1);
    }
    EXPECT_LE(page.find(metric::run_duration)->size(), MetricPage::kHistogramSeriesMax + 1);
}

TEST(Metrics, OfAgesTheLargestIsTold) {
    MetricPage page;
    for (size_t i = 0; i < MetricPage::kSeriesMax; ++i) page.set(metric::table_age, {std::to_string(i)}, 1);
    page.set(metric::table_age, {"x"}, 70);
    page.set(metric::table_age, {"y"}, 30);
    EXPECT_EQ(page.value(metric::table_age, {"other"}), 70);
}

TEST(Metrics, CountsOfManyThreadsAreAllThere) {
    Metrics metrics;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 2'000; ++n) metrics.add(metric::http_requests, {"ui", "GET", "200"});
            static_cast<void>(metrics.write(MetricFormat::prometheus));
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(metrics.value(metric::http_requests, {"ui", "GET", "200"}), 8'000);
}

TEST(Metrics, CollectorsTellHowThingsStand) {
    Metrics metrics;
    int asked = 0;
    metrics.collect_by([&](MetricPage& page) { page.set(metric::leader, {}, ++asked); });
    EXPECT_THAT(metrics.write(MetricFormat::prometheus), HasSubstr("\nshaduf_leader 1\n"));
    EXPECT_THAT(metrics.write(MetricFormat::prometheus), HasSubstr("\nshaduf_leader 2\n"));
    metrics.forget_collectors();
    EXPECT_THAT(metrics.write(MetricFormat::prometheus), Not(HasSubstr("shaduf_leader")));
}

}  // namespace
}  // namespace shaduf::observe
