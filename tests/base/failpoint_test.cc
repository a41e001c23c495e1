#include "base/failpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace shaduf {
namespace {

// The points are read once a process, so each case is one of its own: it reaches "a" three times and gives, as its exit
// status, the sum of 1, 10 and 100 for the times that failed in the way wanted.
int status_of_child(const char* points, ErrorKind wanted) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("SHADUF_FAILPOINT", points, 1);
        int sum = 0;
        for (const int worth : {1, 10, 100}) {
            const auto reached = failpoint("a");
            if (!reached.ok() && reached.error().kind() == wanted) sum += worth;
        }
        ::_exit(sum);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Failpoint, FiresAtItsTime) {
    struct Case {
        const char* points;
        ErrorKind wanted;
        int status;
    };
    const Case cases[] = {
        {"", ErrorKind::unavailable, 0},
        {"a=error", ErrorKind::unavailable, 1},
        {"a=error@2", ErrorKind::unavailable, 10},
        {"a=full@3", ErrorKind::exhausted, 100},
        {"a=error@4", ErrorKind::unavailable, 0},
        {"b=error@1,a=full@1", ErrorKind::exhausted, 1},
        {"b=kill@1", ErrorKind::unavailable, 0},
        {"nonsense", ErrorKind::unavailable, 0},
        {"a=kill@3", ErrorKind::unavailable, -SIGKILL},
    };
    for (const auto& [points, wanted, status] : cases) {
        SCOPED_TRACE(points);
        EXPECT_EQ(status_of_child(points, wanted), status);
    }
}

}  // namespace
}  // namespace shaduf
