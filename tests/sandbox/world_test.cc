#include "sandbox/world/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/time.h"
#include "sandbox/world/user_data.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox {
namespace {

std::string plain_id(Level level, uint32_t index, uint64_t) {
    return std::to_string(static_cast<int>(level)) + "-" + std::to_string(index);
}

WorldSettings settings() {
    const int32_t today = *parse_date("2026-11-21");
    return {.seed = 7, .accounts = 4, .ads = 50, .days = 500, .first_today = today, .today = today};
}

std::shared_ptr<const World> world_of(const WorldSettings& settings) {
    auto world = World::create(settings, plain_id);
    EXPECT_TRUE(world.ok()) << world.error().to_string();
    return world.release_value();
}

Metrics total(const World& world, int32_t first, int32_t last) {
    Metrics sum;
    for (const Entity& account : world.entities(Level::account)) sum += world.measure_range(account, first, last);
    return sum;
}

TEST(SandboxWorld, TheSameSettingsGiveTheSameNumbers) {
    const auto a = world_of(settings());
    const auto b = world_of(settings());
    WorldSettings other = settings();
    other.seed = 8;
    const auto c = world_of(other);
    const int32_t today = settings().today;
    EXPECT_EQ(total(*a, today - 100, today), total(*b, today - 100, today));
    EXPECT_NE(total(*a, today - 100, today), total(*c, today - 100, today));
    EXPECT_GT(total(*a, today - 100, today).impressions, 100'000);
    // What they are made of must not change from one build to the next: tables of users' tests hang on it.
    const int32_t closed = *parse_date("2026-06-01");
    EXPECT_EQ(total(*a, closed, closed).impressions, 25337);
}

TEST(SandboxWorld, ClosedDaysDoNotHangOnTheDayItIsMade) {
    const auto before = world_of(settings());
    WorldSettings at = settings();
    at.today = at.first_today += 90;
    at.days += 45;
    const auto after = world_of(at);
    const int32_t today = settings().today;
    EXPECT_EQ(total(*before, today - 300, today - kSettlingDays), total(*after, today - 300, today - kSettlingDays));
    for (size_t i = 0; i < 50; ++i) {
        EXPECT_EQ(before->entities(Level::ad)[i].id, after->entities(Level::ad)[i].id);
    }
}

TEST(SandboxWorld, EachLevelIsTheSumOfTheOneBelow) {
    const auto world = world_of(settings());
    const int32_t today = settings().today;
    for (const Level level : {Level::account, Level::campaign, Level::ad_group}) {
        const auto next = static_cast<Level>(static_cast<int>(level) + 1);
        for (const Entity& entity : world->entities(level)) {
            Metrics sum;
            const auto [first, end] = world->below(entity, next);
            for (uint32_t i = first; i < end; ++i) {
                EXPECT_EQ(world->above(world->entity(next, i), level).id, entity.id);
                sum += world->measure_range(world->entity(next, i), today - 60, today);
            }
            EXPECT_EQ(sum, world->measure_range(entity, today - 60, today)) << entity.name;
        }
    }
    EXPECT_EQ(world->entities(Level::ad).size(), 50U);
    EXPECT_EQ(world->find(Level::ad, "3-49"), &world->entity(Level::ad, 49));
    EXPECT_EQ(world->find(Level::ad, "3-50"), nullptr);
}

TEST(SandboxWorld, NumbersGrowWithAgeAndThenStay) {
    WorldSettings at = settings();
    const int32_t day = at.today;
    Metrics before;
    for (int32_t age = 0; age < 40; ++age) {
        at.today = day + age;
        const Metrics now = total(*world_of(at), day, day);
        // Zones east of noon UTC are a day ahead; what counts is that nothing shrinks and in the end nothing moves.
        EXPECT_GE(now.impressions, before.impressions) << age;
        EXPECT_GE(now.purchases, before.purchases) << age;
        if (age > kSettlingDays) {
            EXPECT_EQ(now, before) << age;
        }
        if (age == 10) {
            EXPECT_EQ(now.impressions, before.impressions);
        }
        before = now;
    }
    at.today = day;
    EXPECT_LT(total(*world_of(at), day, day).impressions, before.impressions);
    EXPECT_LT(total(*world_of(at), day, day).purchases, before.purchases);
}

TEST(SandboxWorld, ARestatementChangesTheLast28DaysForGood) {
    WorldSettings at = settings();
    const int32_t today = at.today;
    const auto before = world_of(at);
    at.restatements.push_back({today});
    const auto after = world_of(at);
    for (const Entity& ad : before->entities(Level::ad)) {
        for (int32_t day = today - 60; day <= today - kSettlingDays; ++day) {
            EXPECT_EQ(before->measure(ad, day), after->measure(ad, day)) << "a day that was closed";
        }
    }
    EXPECT_NE(total(*before, today - 27, today), total(*after, today - 27, today));
    at.today += 100;
    const auto later = world_of(at);
    at.restatements.clear();
    EXPECT_NE(total(*later, today - 27, today), total(*world_of(at), today - 27, today)) << "it was forgotten";
    // In the east it was the next day already.
    EXPECT_EQ(total(*later, today + 2, today + 60), total(*world_of(at), today + 2, today + 60)) << "days after it";
}

TEST(SandboxWorld, PartsSumUpToTheWhole) {
    constexpr Share kAges[] = {{"young", 0.3}, {"old", 0.7}};
    constexpr Share kPlaces[] = {{"a", 0.98}, {"b", 0.01}, {"c", 0.01}};
    const Dimension age{"age", kAges};
    const Dimension place{"place", kPlaces};
    const Dimension* const both[] = {&age, &place};
    const auto world = world_of(settings());
    const int32_t today = settings().today;
    for (const Entity& ad : world->entities(Level::ad)) {
        const int64_t coin = world->details(ad).coin_micros;
        for (int32_t day = today - 40; day <= today; ++day) {
            const Metrics whole = world->measure(ad, day);
            Metrics sum;
            std::set<std::vector<uint16_t>> seen;
            if (!whole.has_delivery()) continue;
            for (const Part& part : break_down(whole, world->key_of(ad), both, coin)) {
                EXPECT_TRUE(part.metrics.has_delivery());
                EXPECT_EQ(part.metrics.spend_micros % coin, 0);
                EXPECT_TRUE(seen.insert(part.shares).second);
                sum += part.metrics;
            }
            sum.cells = whole.cells;
            EXPECT_EQ(sum, whole);
        }
    }
}

TEST(SandboxWorld, SplitsExactly) {
    const double weights[] = {1, 2, 0, 3};
    int64_t parts[4];
    for (const int64_t total : {0, 1, 5, 6, 1'000'003}) {
        split_number(total, weights, parts);
        EXPECT_EQ(parts[0] + parts[1] + parts[2] + parts[3], total);
        EXPECT_EQ(parts[2], 0);
    }
}

TEST(SandboxZone, KnowsDaysAndOffsets) {
    const auto moment = [](const char* text) {
        return Timestamp(std::chrono::microseconds(parse_timestamp(text)->microseconds));
    };
    const auto berlin = Zone::find("Europe/Berlin").release_value();
    const auto angeles = Zone::find("America/Los_Angeles").release_value();
    EXPECT_EQ(format_with_offset(moment("2026-07-01T22:30:00Z"), *berlin), "2026-07-02T00:30:00+0200");
    EXPECT_EQ(format_with_offset(moment("2026-01-01T02:00:00Z"), *angeles), "2025-12-31T18:00:00-0800");
    EXPECT_EQ(berlin->day_at(moment("2026-07-01T22:30:00Z")), *parse_date("2026-07-02"));
    EXPECT_EQ(berlin->start_of(*parse_date("2026-03-30")), moment("2026-03-29T22:00:00Z"));
    EXPECT_FALSE(Zone::find("Europe/Atlantis").ok());
}

class UserDataTest : public testing::Test {
protected:
    UserDataTest() { std::filesystem::create_directories(folder_); }
    ~UserDataTest() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

    const std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() /
        ("sandbox_user_data_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" +
         ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(UserDataTest, TakesTheUsersTables) {
    write("insights.csv",
          "account_id,campaign_id,ad_group_id,ad_id,date,impressions,clicks,spend\n"
          "1,10,100,1000,2026-11-19,50,3,1.25\n1,10,100,1000,2026-11-20,60,4,2\n1,11,110,1100,2026-11-20,7,1,0.5\n");
    write("campaigns.csv", "id,account_id,name,status\n10,1,Spring,paused\n12,1,Unused,removed\n");
    WorldSettings given = settings();
    auto data = UserData::load(folder_.string());
    ASSERT_TRUE(data.ok()) << data.error().to_string();
    given.data = data.value();
    const auto world = world_of(given);
    EXPECT_EQ(world->entities(Level::campaign).size(), 3U);
    const Entity* spring = world->find(Level::campaign, "10");
    ASSERT_NE(spring, nullptr);
    EXPECT_EQ(spring->name, "Spring");
    EXPECT_EQ(spring->status, Status::paused);
    const Metrics days = world->measure_range(*spring, *parse_date("2026-11-19"), *parse_date("2026-11-20"));
    EXPECT_EQ(days.impressions, 110);
    EXPECT_EQ(days.spend_micros, 3'250'000);
    EXPECT_EQ(world->measure(*world->find(Level::ad, "1100"), *parse_date("2026-11-19")), Metrics{});
}

TEST_F(UserDataTest, SaysWhatIsWrong) {
    EXPECT_EQ(UserData::load(folder_.string()).value(), nullptr) << "no insights, nothing to take";
    write("insights.csv", "account_id,date\n1,2026-11-19\n");
    const auto missing = UserData::load(folder_.string());
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("campaign_id"));
    write("insights.csv", "account_id,campaign_id,ad_group_id,ad_id,date\n1,2,3,4,yesterday\n");
    EXPECT_EQ(UserData::load(folder_.string()).error().kind(), ErrorKind::invalid_config);
}

}  // namespace
}  // namespace shaduf::sandbox
