#include "base/shared_values.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace shaduf {
namespace {

TEST(SharedValues, MakesEachValueOnceForAllThreads) {
    SharedValues shared;
    std::atomic<int> made = 0;
    std::vector<std::shared_ptr<const std::string>> found(8);
    std::vector<std::thread> threads;
    for (auto& value : found) {
        threads.emplace_back([&] {
            value = shared.get<std::string>("a", [&] { return Result<std::string>("value " + std::to_string(++made)); })
                        .value_or(nullptr);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    for (const auto& value : found) EXPECT_EQ(value, found.front());
    EXPECT_EQ(*found.front(), "value 1");
    EXPECT_EQ(*shared.get<std::string>("b", [] { return Result<std::string>("other"); }).value(), "other");
}

TEST(SharedValues, KeepsNoErrors) {
    SharedValues shared;
    const auto failed = shared.get<int>("a", [] { return Result<int>(Error(ErrorKind::unavailable, "not now")); });
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().message(), "not now");
    EXPECT_EQ(*shared.get<int>("a", [] { return Result<int>(7); }).value(), 7);
}

}  // namespace
}  // namespace shaduf
