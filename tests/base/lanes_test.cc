#include "base/lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

namespace shaduf {
namespace {

TEST(Lanes, EachDoesItsPartOnceARound) {
    Lanes lanes(3);
    ASSERT_EQ(lanes.count(), 3U);
    std::vector<int> rounds(3, 0);
    std::vector<std::thread::id> threads(3);
    for (int round = 1; round <= 200; ++round) {
        ASSERT_TRUE(lanes
                        .run([&](size_t lane) -> Result<void> {
                            ++rounds[lane];
                            threads[lane] = std::this_thread::get_id();
                            return {};
                        })
                        .ok());
        ASSERT_EQ(rounds, std::vector<int>(3, round));
    }
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 3U);
}

TEST(Lanes, AnErrorWaitsForTheOthersAndIsForgottenByTheNextRound) {
    Lanes lanes(2);
    for (const size_t bad : {size_t{0}, size_t{1}}) {
        std::atomic<int> ended{0};
        const auto failed = lanes.run([&](size_t lane) -> Result<void> {
            ++ended;
            if (lane == bad) return Error(ErrorKind::bad_data, "lane " + std::to_string(lane));
            return {};
        });
        ASSERT_FALSE(failed.ok());
        EXPECT_EQ(failed.error().message(), "lane " + std::to_string(bad));
        EXPECT_EQ(ended, 2);
        EXPECT_TRUE(lanes.run([](size_t) -> Result<void> { return {}; }).ok());
    }
}

}  // namespace
}  // namespace shaduf
