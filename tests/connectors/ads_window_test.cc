#include "connectors/ads/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Which slices a load fetches, and what a checkpoint remembers of them.
namespace shaduf::ads {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Day day(std::string_view text) { return *parse_day(text); }
DayRange days(std::string_view first, std::string_view last) { return {day(first), day(last)}; }
Timestamp noon(std::string_view text) { return day(text) + std::chrono::hours(12); }

std::vector<std::string> texts(const std::vector<DayRange>& ranges) {
    std::vector<std::string> out;
    for (const DayRange& range : ranges) out.push_back(format_day(range.first) + ".." + format_day(range.last));
    return out;
}

std::vector<std::string> texts(const std::vector<Slice>& slices) {
    std::vector<std::string> out;
    for (const Slice& slice : slices) {
        std::string text = slice.account.id + (slice.part.empty() ? "" : "/" + slice.part);
        if (slice.days) text += " " + texts(std::vector{*slice.days}).front();
        out.push_back(std::move(text));
    }
    return out;
}

TEST(AdsDaySet, JoinsWhatTouches) {
    DaySet set;
    set.add(days("2026-01-10", "2026-01-12"));
    set.add(days("2026-01-01", "2026-01-02"));
    EXPECT_THAT(texts(set.ranges()), ElementsAre("2026-01-01..2026-01-02", "2026-01-10..2026-01-12"));
    set.add(days("2026-01-03", "2026-01-09"));
    EXPECT_THAT(texts(set.ranges()), ElementsAre("2026-01-01..2026-01-12"));
    set.add(days("2026-01-05", "2026-01-06"));
    EXPECT_THAT(texts(set.ranges()), ElementsAre("2026-01-01..2026-01-12"));
}

TEST(AdsDaySet, TellsWhatIsMissing) {
    DaySet set;
    EXPECT_THAT(texts(set.missing(days("2026-01-01", "2026-01-03"))), ElementsAre("2026-01-01..2026-01-03"));
    set.add(days("2026-01-02", "2026-01-02"));
    set.add(days("2026-01-05", "2026-01-20"));
    EXPECT_THAT(texts(set.missing(days("2026-01-01", "2026-01-10"))),
                ElementsAre("2026-01-01..2026-01-01", "2026-01-03..2026-01-04"));
    EXPECT_THAT(texts(set.missing(days("2026-01-06", "2026-01-20"))), IsEmpty());
}

class AdsWindow : public testing::Test {
protected:
    AdsWindow() {
        plan.accounts = {{"1", "one", "UTC", "EUR", ""}};
        plan.slice_days = 7;
        plan.history_days = 30;
        settings.since = "2026-01-01";
        settings.lookback = std::chrono::days(3);
        position.begun = noon("2026-02-10");
    }
    std::vector<std::string> planned(SliceKind kind = SliceKind::by_day) {
        const auto slices = plan_slices(kind, plan, settings, position);
        EXPECT_TRUE(slices.ok()) << slices.error().to_string();
        return texts(slices.value());
    }
    void finish(const Slice& slice, SliceKind kind = SliceKind::by_day) {
        ASSERT_TRUE(finish_slice(kind, settings, slice, position).ok());
    }
    void finish_all() {
        const auto slices = plan_slices(SliceKind::by_day, plan, settings, position);
        for (const Slice& slice : slices.value()) finish(slice);
        finish_load(position);
    }

    StreamPlan plan;
    SourceSettings settings;
    Position position;
};

TEST_F(AdsWindow, HistoryComesNewestFirstInLongerSlices) {
    EXPECT_THAT(planned(),
                ElementsAre("1 2026-02-07..2026-02-10", "1 2026-01-08..2026-02-06", "1 2026-01-01..2026-01-07"));
}

TEST_F(AdsWindow, DaysWithinTheLookbackComeAgainAndOlderOnesDoNot) {
    finish_all();
    EXPECT_FALSE(position.begun);
    position.begun = noon("2026-02-12");
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-09..2026-02-12", "1 2026-02-07..2026-02-08"));
    finish_all();
    position.begun = noon("2026-02-12") + std::chrono::hours(1);
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-09..2026-02-12"));
}

TEST_F(AdsWindow, ALoadThatWasBrokenOffGoesOnWithWhatIsLeft) {
    finish({plan.accounts[0], "", days("2026-01-08", "2026-02-06"), ""});
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-07..2026-02-10", "1 2026-01-01..2026-01-07"));
    position = parse_position(to_checkpoint(position)).value();
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-07..2026-02-10", "1 2026-01-01..2026-01-07"));
}

TEST_F(AdsWindow, AnEarlierSinceLoadsOnlyWhatIsNew) {
    finish_all();
    position.begun = noon("2026-02-10");
    settings.since = "2025-12-30";
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-07..2026-02-10", "1 2025-12-30..2025-12-31"));
}

TEST_F(AdsWindow, SinceMayBeADurationAndRetentionEndsIt) {
    settings.since = "5d";
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-07..2026-02-10", "1 2026-02-05..2026-02-06"));
    settings.since = "2020-01-01";
    plan.retention_days = 4;
    EXPECT_THAT(planned(), ElementsAre("1 2026-02-07..2026-02-10", "1 2026-02-06..2026-02-06"));
}

TEST_F(AdsWindow, TodayIsThatOfTheAccount) {
    plan.accounts = {{"la", "", "America/Los_Angeles", "USD", ""}, {"auckland", "", "Pacific/Auckland", "NZD", ""}};
    position.begun = day("2026-02-10") + std::chrono::hours(3);
    settings.since = "2026-02-09";
    EXPECT_THAT(planned(), ElementsAre("auckland 2026-02-09..2026-02-10", "la 2026-02-09..2026-02-09"));
    plan.accounts = {{"x", "", "Mars/Olympus", "", ""}};
    const auto slices = plan_slices(SliceKind::by_day, plan, settings, position);
    ASSERT_FALSE(slices.ok());
    EXPECT_THAT(slices.error().to_string(), testing::HasSubstr("Mars/Olympus"));
}

TEST_F(AdsWindow, AccountsTakeTurnsFromTheNewestDayOn) {
    plan.accounts.push_back({"2", "two", "UTC", "EUR", ""});
    settings.since = "2026-02-01";
    settings.slice_days = 4;
    EXPECT_THAT(planned(),
                ElementsAre("1 2026-02-07..2026-02-10", "2 2026-02-07..2026-02-10", "1 2026-02-03..2026-02-06",
                            "2 2026-02-03..2026-02-06", "1 2026-02-01..2026-02-02", "2 2026-02-01..2026-02-02"));
}

TEST_F(AdsWindow, ListsAreReadWholeAndChangesFromTheirCursor) {
    plan.parts = {"a", "b"};
    EXPECT_THAT(planned(SliceKind::by_account), ElementsAre("1/a", "1/b"));
    finish({plan.accounts[0], "a", std::nullopt, "2026-02-10T11:00:00Z"}, SliceKind::changes);
    EXPECT_THAT(planned(SliceKind::changes), ElementsAre("1/b"));
    finish_load(position);
    position.begun = noon("2026-02-11");
    const auto slices = plan_slices(SliceKind::changes, plan, settings, position).release_value();
    EXPECT_EQ(slices[0].cursor, "2026-02-10T11:00:00Z");
    EXPECT_EQ(slices[1].cursor, "");
}

TEST_F(AdsWindow, ACheckpointThatIsNoneIsRefused) {
    for (const char* text : {"", "{}", "7", R"({"v":2})", R"({"v":1,"begun":"soon"})", R"({"v":1,"accounts":[{}]})",
                             R"({"v":1,"accounts":[{"account":"1","settled":[["2026-01-02","2026-01-01"]]}]})",
                             R"({"v":1,"accounts":[{"account":"1","settled":[["x"]]}]})"}) {
        const auto parsed = parse_position(Checkpoint(text));
        ASSERT_FALSE(parsed.ok()) << text;
        EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid_config);
    }
}

TEST(AdsZone, DaysFollowTheClockOfTheZone) {
    const auto zone = Zone::find("Europe/Berlin");
    ASSERT_TRUE(zone.ok());
    const Day spring = day("2026-03-29");
    EXPECT_EQ(zone.value().start_of(spring), day("2026-03-28") + std::chrono::hours(23));
    EXPECT_EQ(zone.value().start_of(spring + std::chrono::days(1)), spring + std::chrono::hours(22));
    EXPECT_EQ(zone.value().day_of(spring + std::chrono::hours(22)), spring + std::chrono::days(1));
    // Midnight does not exist on that day in Beirut: the day begins at one o'clock.
    const auto beirut = Zone::find("Asia/Beirut");
    ASSERT_TRUE(beirut.ok());
    EXPECT_EQ(beirut.value().start_of(spring), day("2026-03-28") + std::chrono::hours(22));
    EXPECT_EQ(beirut.value().day_of(beirut.value().start_of(spring)), spring);
}

}  // namespace
}  // namespace shaduf::ads
