#include "models/adapter/patience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/world.h"

namespace shaduf::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Error kInTheWay(ErrorKind::conflict, "orders is being built by another run");

TEST(Patience, EndsWithTheOtherRun) {
    World world;
    std::vector<std::string> told;
    int attempts = 0;
    const Patience patience = {.wait = std::chrono::seconds(10),
                               .tell = [&](const std::string& text) { told.push_back(text); }};
    const auto done = until_free(world.run, patience, [&]() -> Result<void> {
        if (++attempts < 4) return kInTheWay;
        return {};
    });
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(world.clock.slept().size(), 3U);
    EXPECT_THAT(told, ElementsAre("waiting, at most 10 s: orders is being built by another run"));
}

TEST(Patience, HasAnEnd) {
    for (const int seconds : {0, 2}) {
        SCOPED_TRACE(seconds);
        World world;
        const auto done =
            until_free(world.run, {.wait = std::chrono::seconds(seconds)}, []() -> Result<void> { return kInTheWay; });
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind(), ErrorKind::conflict);
        EXPECT_THAT(done.error().message(), HasSubstr("--wait SECONDS"));
        EXPECT_EQ(done.error().message().find("; waited 2 s") != std::string::npos, seconds == 2);
        std::chrono::milliseconds waited(0);
        for (const auto pause : world.clock.slept()) waited += pause;
        EXPECT_EQ(waited, std::chrono::seconds(seconds));
    }
}

TEST(Patience, IsForOtherRunsAlone) {
    World world;
    const auto failed = until_free(world.run, {.wait = std::chrono::seconds(10)},
                                   []() -> Result<void> { return Error(ErrorKind::auth, "wrong password"); });
    EXPECT_EQ(failed.error().kind(), ErrorKind::auth);
    world.cancellation.cancel();
    const auto canceled =
        until_free(world.run, {.wait = std::chrono::seconds(10)}, []() -> Result<void> { return kInTheWay; });
    EXPECT_EQ(canceled.error().kind(), ErrorKind::canceled);
    EXPECT_TRUE(world.clock.slept().empty());
}

}  // namespace
}  // namespace shaduf::models
