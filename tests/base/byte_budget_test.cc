#include "base/byte_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/cancellation.h"

namespace shaduf {
namespace {

TEST(ByteBudget, CountsSharesUntilTheyGoAway) {
    const Cancellation cancellation;
    ByteBudget budget(100);
    {
        auto one = budget.acquire(60, cancellation);
        EXPECT_EQ(one.bytes(), 60U);
        ByteBudget::Share moved(std::move(one));
        EXPECT_EQ(budget.bytes_used(), 60U);
        auto two = budget.acquire(40, cancellation);
        EXPECT_EQ(budget.bytes_used(), 100U);
        two = std::move(moved);  // gives back what it held
        EXPECT_EQ(budget.bytes_used(), 60U);
        two.release();
        two.release();
        EXPECT_EQ(budget.bytes_used(), 0U);
    }
    EXPECT_EQ(budget.bytes_used(), 0U);
}

TEST(ByteBudget, MoreThanTheWholeIsTheWhole) {
    const Cancellation cancellation;
    ByteBudget budget(100);
    EXPECT_EQ(budget.acquire(1000, cancellation).bytes(), 100U);
    EXPECT_EQ(budget.bytes_used(), 0U);
}

TEST(ByteBudget, IsNeverExceededByThreads) {
    const Cancellation cancellation;
    ByteBudget budget(10);
    std::atomic<size_t> held{0};
    std::vector<std::thread> threads;
    for (size_t thread = 1; thread <= 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 500; ++i) {
                auto share = budget.acquire(1 + thread * 2, cancellation);
                EXPECT_LE(held += share.bytes(), 10U);
                held -= share.bytes();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(budget.bytes_used(), 0U);
}

TEST(ByteBudget, WaitsNoLongerThanTheRun) {
    Cancellation cancellation;
    ByteBudget budget(10);
    const auto all = budget.acquire(10, cancellation);
    std::thread waiting([&] { EXPECT_EQ(budget.acquire(1, cancellation).bytes(), 0U); });
    cancellation.cancel();
    waiting.join();
    EXPECT_EQ(budget.bytes_used(), 10U);
}

}  // namespace
}  // namespace shaduf
