#include "models/run/batches.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace shaduf::models {
namespace {

int64_t at(std::string_view text) {
    if (const auto day = parse_date(text)) return static_cast<int64_t>(*day) * 86'400'000'000;
    const auto time = parse_timestamp(text);
    EXPECT_TRUE(time.has_value()) << text;
    return time ? time->microseconds : 0;
}

TEST(Batches, moments_are_rounded_and_moved) {
    struct Case {
        std::string_view moment;
        BatchSize size;
        std::string_view floor, ceiling, before, after;
    };
    constexpr std::string_view kLate = "2024-09-17 16:06:00";
    const Case cases[] = {
        {kLate, BatchSize::hour, "2024-09-17 16:00:00", "2024-09-17 17:00:00", "2024-09-17 15:00:00",
         "2024-09-17 17:00:00"},
        {kLate, BatchSize::day, "2024-09-17 00:00:00", "2024-09-18 00:00:00", "2024-09-16 00:00:00",
         "2024-09-18 00:00:00"},
        {kLate, BatchSize::month, "2024-09-01 00:00:00", "2024-10-01 00:00:00", "2024-08-01 00:00:00",
         "2024-10-01 00:00:00"},
        {kLate, BatchSize::year, "2024-01-01 00:00:00", "2025-01-01 00:00:00", "2023-01-01 00:00:00",
         "2025-01-01 00:00:00"},
        {"2024-01-01 00:00:00", BatchSize::month, "2024-01-01 00:00:00", "2024-01-01 00:00:00", "2023-12-01 00:00:00",
         "2024-02-01 00:00:00"},
        {"2024-02-29 00:00:00.000001", BatchSize::day, "2024-02-29 00:00:00", "2024-03-01 00:00:00",
         "2024-02-28 00:00:00", "2024-03-01 00:00:00"},
        {"1969-12-31 23:30:00", BatchSize::hour, "1969-12-31 23:00:00", "1970-01-01 00:00:00", "1969-12-31 22:00:00",
         "1970-01-01 00:00:00"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.moment) + " by size " + std::to_string(static_cast<int>(c.size)));
        EXPECT_EQ(batch_floor(at(c.moment), c.size), at(c.floor));
        EXPECT_EQ(batch_ceiling(at(c.moment), c.size), at(c.ceiling));
        EXPECT_EQ(batch_offset(at(c.moment), c.size, -1), at(c.before));
        EXPECT_EQ(batch_offset(at(c.moment), c.size, 1), at(c.after));
    }
}

struct PlanCase {
    std::string_view what;
    BatchSize size;
    std::string_view begin;
    int64_t lookback;
    bool is_incremental;
    std::string_view given_start, given_end, now;
    std::vector<std::string> names;
    std::string_view last_end;
};

TEST(Batches, are_made_of_a_plan) {
    const PlanCase cases[] = {
        {"the first build begins with begin",
         BatchSize::day,
         "2024-01-01",
         1,
         false,
         "",
         "",
         "2024-01-03 10:00:00",
         {"2024-01-01", "2024-01-02", "2024-01-03"},
         "2024-01-04 00:00:00"},
        {"begin is rounded down",
         BatchSize::month,
         "2024-01-20",
         1,
         false,
         "",
         "",
         "2024-02-01 00:00:00",
         {"2024-01"},
         "2024-02-01 00:00:00"},
        {"later builds look back",
         BatchSize::day,
         "2020-01-01",
         2,
         true,
         "",
         "",
         "2024-01-03 10:00:00",
         {"2024-01-01", "2024-01-02", "2024-01-03"},
         "2024-01-04 00:00:00"},
        {"no look back",
         BatchSize::hour,
         "2020-01-01",
         0,
         true,
         "",
         "",
         "2024-01-03 10:30:00",
         {"2024-01-03T10"},
         "2024-01-03 11:00:00"},
        {"an end between batches is that of the earlier one",
         BatchSize::day,
         "2020-01-01",
         1,
         true,
         "",
         "",
         "2024-01-03 00:00:00",
         {"2024-01-01", "2024-01-02"},
         "2024-01-03 00:00:00"},
        {"flags stand for all",
         BatchSize::year,
         "2010-01-01",
         5,
         true,
         "2022-05-05",
         "2023-02-01",
         "2030-01-01 00:00:00",
         {"2022", "2023"},
         "2024-01-01 00:00:00"},
        {"begin in the future is one batch",
         BatchSize::day,
         "2024-02-01",
         1,
         false,
         "",
         "",
         "2024-01-03 10:00:00",
         {"2024-02-01"},
         "2024-01-04 00:00:00"},
    };
    for (const PlanCase& c : cases) {
        SCOPED_TRACE(c.what);
        BatchPlan plan{.size = c.size,
                       .begin = at(c.begin),
                       .lookback = c.lookback,
                       .is_incremental = c.is_incremental,
                       .given = {},
                       .now = at(c.now)};
        if (!c.given_start.empty()) plan.given = TimeSpan{at(c.given_start), at(c.given_end)};
        const std::vector<Batch> batches = batches_of(plan);
        std::vector<std::string> names;
        for (const Batch& batch : batches) names.push_back(batch.name);
        EXPECT_EQ(names, c.names);
        EXPECT_EQ(batches.back().time.end, at(c.last_end));
        for (size_t i = 1; i < batches.size(); ++i) EXPECT_EQ(batches[i - 1].time.end, batches[i].time.start);
    }
}

TEST(Batches, have_ids_for_names_of_relations) {
    BatchPlan plan{.size = BatchSize::hour, .begin = at("2024-01-03 09:00:00"), .now = at("2024-01-03 09:30:00")};
    const std::vector<Batch> batches = batches_of(plan);
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_EQ(batches[0].id, "20240103T09");
    EXPECT_EQ(utc_text(batches[0].time.start), "2024-01-03 09:00:00+00:00");
}

}  // namespace
}  // namespace shaduf::models
