#include "base/rate_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "pipeline/meta_store.h"
#include "tests/world.h"

// What a ledger of rate limits promises, of one process and of several.
namespace shaduf {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Kind : uint8_t { memory, shared };

class RateLedgerTest : public testing::TestWithParam<Kind> {
protected:
    void SetUp() override {
        if (GetParam() == Kind::memory) {
            ledger = make_memory_ledger();
            return;
        }
        store = MetaStore::open(folder / "meta.db").release_value();
        ledger = store->make_ledger();
    }
    TempFolder folder;
    World world;
    std::unique_ptr<MetaStore> store;
    std::unique_ptr<RateLedger> ledger;
};

TEST_P(RateLedgerTest, LetsCallsOutWithinTheWindow) {
    const RateRule rule{.calls_max = 2, .window = seconds(10)};
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ledger->acquire(world.run, "a", rule).ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(seconds(10), seconds(10)));
    ASSERT_TRUE(ledger->acquire(world.run, "b", rule).ok()) << "another key has a limit of its own";
    EXPECT_THAT(world.clock.slept(), testing::SizeIs(2));
}

TEST_P(RateLedgerTest, WaitsOutAPause) {
    const Timestamp now = world.clock.now();
    ledger->pause("a", now + minutes(5));
    ledger->pause("a", now + minutes(2));  // the longer one stays
    ASSERT_TRUE(ledger->acquire(world.run, "a", {}).ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(minutes(5)));
}

TEST_P(RateLedgerTest, RefusesAWaitThatIsTooLong) {
    ledger->pause("google:token", world.clock.now() + std::chrono::hours(11));
    const auto refused = ledger->acquire(world.run, "google:token", {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::rate_limited);
    EXPECT_FALSE(refused.error().may_retry());
    EXPECT_THAT(refused.error().message(), HasSubstr("before 2026-01-02T14:04:05Z: google:token"));
    EXPECT_THAT(world.clock.slept(), IsEmpty());
}

TEST_P(RateLedgerTest, CountsDownWhatTheServerSaidIsLeft) {
    const Timestamp reset = world.clock.now() + minutes(3);
    ledger->set_remaining("x", 2, reset);
    ASSERT_TRUE(ledger->acquire(world.run, "x", {}).ok());
    ledger->set_remaining("x", 2, reset);  // an answer that was overtaken
    ASSERT_TRUE(ledger->acquire(world.run, "x", {}).ok());
    EXPECT_THAT(world.clock.slept(), IsEmpty());
    ASSERT_TRUE(ledger->acquire(world.run, "x", {}).ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(minutes(3)));
    ASSERT_TRUE(ledger->acquire(world.run, "x", {}).ok()) << "behind the reset nothing is known";
}

TEST_P(RateLedgerTest, ACanceledRunWaitsNoMore) {
    ledger->pause("a", world.clock.now() + minutes(5));
    world.cancellation.cancel();
    const auto stopped = ledger->acquire(world.run, "a", {});
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().kind(), ErrorKind::canceled);
}

TEST_P(RateLedgerTest, GivesAPermitBack) {
    const RateRule rule{.in_flight_max = 1};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(ledger->acquire(world.run, "a", rule).ok());
    EXPECT_THAT(world.clock.slept(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, RateLedgerTest, testing::Values(Kind::memory, Kind::shared),
                         [](const auto& each) { return each.param == Kind::memory ? "memory" : "shared"; });

TEST(SharedLedger, HoldsForSeveralProcesses) {
    TempFolder folder;
    World world;
    const std::string path = folder / "meta.db";
    const auto first = MetaStore::open(path).release_value();
    const auto second = MetaStore::open(path).release_value();
    const auto ledger = first->make_ledger();
    const auto other = second->make_ledger();
    const RateRule rule{.in_flight_max = 2, .calls_max = 3, .window = seconds(60)};
    auto one = ledger->acquire(world.run, "a", rule);
    auto two = std::make_unique<Result<RatePermit>>(other->acquire(world.run, "a", rule));
    ASSERT_TRUE(one.ok() && two->ok());
    // A third must wait: the clock of the world moves on, and gives one back.
    world.cancellation.cancel();
    EXPECT_FALSE(ledger->acquire(world.run, "a", rule).ok());
    two.reset();
    World later;
    EXPECT_TRUE(ledger->acquire(later.run, "a", rule).ok());
    EXPECT_THAT(later.clock.slept(), IsEmpty());
    EXPECT_TRUE(other->acquire(later.run, "a", rule).ok());
    EXPECT_THAT(later.clock.slept(), ElementsAre(seconds(60)));
}

TEST(SharedLedger, ForgetsTheCallsOfAProcessThatDied) {
    TempFolder folder;
    const std::string path = folder / "meta.db";
    const pid_t child = ::fork();
    if (child == 0) {
        World world;
        const auto store = MetaStore::open(path).release_value();
        const auto ledger = store->make_ledger();
        auto permit = ledger->acquire(world.run, "a", {.in_flight_max = 1});
        ::_exit(permit.ok() ? 0 : 1);  // with the permit in its hand
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    World world;
    const auto store = MetaStore::open(path).release_value();
    ASSERT_TRUE(store->make_ledger()->acquire(world.run, "a", {.in_flight_max = 1}).ok());
    EXPECT_THAT(world.clock.slept(), IsEmpty());
}

}  // namespace
}  // namespace shaduf
