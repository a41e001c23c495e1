#include "base/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/world.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::SizeIs;

const Error kBusy(ErrorKind::unavailable, "server is busy");

TEST(Retry, BacksOffTwiceAsFarEachTime) {
    const RetryPolicy policy{.delay_first = milliseconds(500), .delay_max = milliseconds(3000)};
    struct Case {
        int failures;
        double random;
        int64_t delay;
    };
    const Case cases[] = {{1, 1.0, 500},  {2, 1.0, 1000},  {3, 1.0, 2000}, {4, 1.0, 3000},
                          {5, 1.0, 3000}, {60, 1.0, 3000}, {1, 0.0, 0},    {3, 0.5, 1000}};
    for (const auto& [failures, random, delay] : cases) {
        SCOPED_TRACE(failures);
        EXPECT_EQ(backoff_delay(policy, failures, random), milliseconds(delay));
    }
}

// Fails so often with `error`, then succeeds; says how often it was called.
int calls_until_done(World& world, const RetryPolicy& policy, int failures, const Error& error, bool& ok) {
    int calls = 0;
    ok = with_retries(world.run, policy, [&]() -> Result<int> {
             if (++calls <= failures) return error;
             return calls;
         }).ok();
    return calls;
}

TEST(Retry, StopsWhenItMust) {
    const RetryPolicy policy{.tries_max = 4};
    struct Case {
        const char* what;
        Error error;
        int failures;
        int calls;
        bool ok;
    };
    const Case cases[] = {
        {"at once", kBusy, 0, 1, true},
        {"in time", kBusy, 3, 4, true},
        {"too late", kBusy, 4, 4, false},
        {"rate limited", Error(ErrorKind::rate_limited, "slower"), 1, 2, true},
        {"not this time", kBusy.permanent(), 1, 1, false},
        {"nobody's to retry", Error(ErrorKind::auth, "no"), 1, 1, false},
        {"bad data", Error(ErrorKind::bad_data, "no"), 1, 1, false},
        {"asked to wait too long", kBusy.retry_after(std::chrono::hours(1)), 1, 1, false},
    };
    for (const auto& test : cases) {
        SCOPED_TRACE(test.what);
        World world;
        bool ok = false;
        EXPECT_EQ(calls_until_done(world, policy, test.failures, test.error, ok), test.calls);
        EXPECT_EQ(ok, test.ok);
        EXPECT_THAT(world.clock.slept(), SizeIs(static_cast<size_t>(test.calls - 1)));
    }
}

TEST(Retry, ObeysTheServer) {
    World world;
    bool ok = false;
    calls_until_done(world, {}, 2, kBusy.retry_after(milliseconds(30'000)), ok);
    EXPECT_TRUE(ok);
    EXPECT_THAT(world.clock.slept(), ElementsAre(milliseconds(30'000), milliseconds(30'000)));
    EXPECT_THAT(world.events.messages(), ElementsAre(": retry 1 of 5 in 30000 ms: server is busy",
                                                     ": retry 2 of 5 in 30000 ms: server is busy"));
}

TEST(Retry, EndsWithTheRun) {
    World world;
    world.cancellation.cancel();
    const auto waited = wait_before_retry(world.run, {}, 1, kBusy);
    ASSERT_FALSE(waited.ok());
    EXPECT_EQ(waited.error().kind(), ErrorKind::canceled);
}

}  // namespace
}  // namespace shaduf
