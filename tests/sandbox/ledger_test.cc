#include "sandbox/frame/ledger.h"

#include <gtest/gtest.h>

#include "tests/world.h"

namespace shaduf::sandbox {
namespace {

using namespace std::chrono_literals;

TEST(SandboxRate, IsCallsInATime) {
    struct Case {
        const char* text;
        int64_t calls;  // 0: refused
        std::chrono::milliseconds window;
    };
    constexpr Case kCases[] = {{"600/1h", 600, 1h}, {"1/250ms", 1, 250ms}, {"600", 0, 0ms}, {"/1h", 0, 0ms},
                               {"0/1h", 0, 0ms},    {"5/", 0, 0ms},        {"5/h", 0, 0ms}, {"5x/1h", 0, 0ms}};
    for (const auto& [text, calls, window] : kCases) {
        SCOPED_TRACE(text);
        const auto rate = Rate::parse(text);
        ASSERT_EQ(rate.ok(), calls > 0);
        if (calls == 0) continue;
        EXPECT_EQ(rate.value().calls, calls);
        EXPECT_EQ(rate.value().window, window);
    }
}

TEST(SandboxLedger, AllowsEverythingWithoutARate) {
    FakeClock clock;
    Ledgers ledgers(clock, std::nullopt);
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(ledgers.take("a").allowed);
    ASSERT_EQ(ledgers.states().size(), 1U);
    EXPECT_EQ(ledgers.states()[0].allowed, 1000);
    EXPECT_EQ(ledgers.states()[0].allowance, 0);
}

TEST(SandboxLedger, GivesBackEvenly) {
    FakeClock clock;
    Ledgers ledgers(clock, Rate{10, 10s});
    for (int i = 1; i <= 10; ++i) EXPECT_EQ(ledgers.take("a").remaining, 10 - i);
    const Verdict refused = ledgers.take("a");
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.reset_in, 1s);
    EXPECT_TRUE(ledgers.take("b").allowed) << "another key has an allowance of its own";
    clock.advance(999ms);
    EXPECT_FALSE(ledgers.take("a").allowed);
    clock.advance(1ms);
    EXPECT_TRUE(ledgers.take("a").allowed);
    clock.advance(20s);
    EXPECT_EQ(ledgers.look("a").remaining, 10);
    const LedgerState state = ledgers.states()[0];
    EXPECT_EQ(state.allowed, 11);
    EXPECT_EQ(state.refused, 2);
    EXPECT_EQ(state.allowance, 10 + 21);
}

TEST(SandboxLedger, GivesBackByWindow) {
    FakeClock clock;
    Ledgers ledgers(clock, Rate{2, 60s});
    EXPECT_TRUE(ledgers.take("a", Refill::by_window).allowed);
    clock.advance(10s);
    EXPECT_TRUE(ledgers.take("a", Refill::by_window).allowed);
    const Verdict refused = ledgers.take("a", Refill::by_window);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.reset_in, 50s) << "the window began with its first call";
    clock.advance(50s);
    EXPECT_EQ(ledgers.take("a", Refill::by_window).remaining, 1);
}

}  // namespace
}  // namespace shaduf::sandbox
