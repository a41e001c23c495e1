#include "io/growing_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace shaduf {
namespace {

TEST(GrowingThreads, GrowsAsFarAsItMay) {
    GrowingThreads threads(3);
    std::latch begun(3), go(1);
    std::atomic<int> done{0};
    for (int i = 0; i < 5; ++i) {
        threads.enqueue([&, i] {
            if (i < 3) begun.count_down();
            go.wait();
            ++done;
        });
    }
    begun.wait();  // three at the same time
    EXPECT_EQ(threads.threads(), 3U);
    go.count_down();
    threads.shutdown();
    EXPECT_EQ(done, 5);
    EXPECT_EQ(threads.threads(), 0U);
}

TEST(GrowingThreads, ThreadsThatHaveNothingToDoEnd) {
    GrowingThreads threads(8, std::chrono::seconds(0));
    std::atomic<int> done{0};
    for (int i = 0; i < 1'000; ++i) threads.enqueue([&] { ++done; });
    threads.shutdown();
    EXPECT_EQ(done, 1'000);
}

TEST(GrowingThreads, OneThreadDoesWhatComesOneBehindTheOther) {
    GrowingThreads threads(100);
    for (int i = 0; i < 50; ++i) {
        std::latch done(1);
        threads.enqueue([&] { done.count_down(); });
        done.wait();
    }
    EXPECT_LT(threads.threads(), 10U);
}

}  // namespace
}  // namespace shaduf
