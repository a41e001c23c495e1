#include "pipeline/lease.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace shaduf {
namespace {

std::string fresh_folder(const char* name) {
    const std::string folder = testing::TempDir() + "/" + name + std::to_string(::getpid());
    std::filesystem::remove_all(folder);
    return folder;
}

TEST(Lease, IsHeldByOneAtATime) {
    const std::string folder = fresh_folder("lease");
    {
        const auto first = Lease::take(folder, "ads/daily");
        ASSERT_TRUE(first.ok());
        const auto second = Lease::take(folder, "ads/daily");
        ASSERT_FALSE(second.ok());
        EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
        EXPECT_NE(second.error().message().find("process " + std::to_string(::getpid())), std::string::npos);
        EXPECT_TRUE(Lease::take(folder, "ads_daily").ok());
    }
    EXPECT_TRUE(Lease::take(folder, "ads/daily").ok());
}

TEST(Lease, EndsWithTheProcessThatWasKilled) {
    const std::string folder = fresh_folder("lease_killed");
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = Lease::take(folder, "p");
        if (held.ok() && ::write(ready[1], "x", 1) == 1) ::pause();
        ::_exit(1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_FALSE(Lease::take(folder, "p").ok());
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(Lease::take(folder, "p").ok());
}

TEST(Lease, SaysWhichFileItCouldNotWrite) {
    const auto lease = Lease::take("/proc/nowhere", "p");
    ASSERT_FALSE(lease.ok());
    EXPECT_NE(lease.error().message().find("/proc/nowhere/p.lock"), std::string::npos);
}

}  // namespace
}  // namespace shaduf
