#include "io/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "tests/world.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr milliseconds kLong{10'000};

class ChildProcessTest : public testing::Test {
protected:
    std::unique_ptr<ChildProcess> start(const std::string& script, const std::string& input = {}) {
        ChildCommand command{{"sh", "-c", script, "name", "one word"}, {{"MARK", "set"}}, input};
        return ChildProcess::start(command, [this](std::string_view line) { lines_.emplace_back(line); })
            .release_value();
    }
    // All that it writes, up to its end.
    std::string read_all(ChildProcess& child) {
        BufferBuilder out;
        for (;;) {
            const auto outcome = child.read(cancellation_, kLong, 1 << 16, out);
            EXPECT_TRUE(outcome.ok()) << outcome.error().to_string();
            if (!outcome.ok() || outcome.value() != ChildProcess::Outcome::bytes) break;
        }
        return std::string(reinterpret_cast<const char*>(out.data()), out.size());
    }
    ChildExit wait(ChildProcess& child) { return child.wait(cancellation_, kLong).release_value(); }
    static bool lives(pid_t pid) {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string id, name, state;
        return stat >> id >> name >> state && state != "Z";
    }
    static bool dies_soon(pid_t pid) {
        const auto until = steady_clock::now() + kLong;
        while (lives(pid) && steady_clock::now() < until) std::this_thread::yield();
        return !lives(pid);
    }

    Cancellation cancellation_;
    std::vector<std::string> lines_;
};

TEST_F(ChildProcessTest, GivesOutputInputEnvironmentAndStatus) {
    auto child = start("echo \"$MARK $1\"; cat; echo warned >&2; printf 'cut' >&2; exit 3", "from input");
    EXPECT_EQ(read_all(*child), "set one word\nfrom input");
    EXPECT_EQ(wait(*child).to_string(), "exit status 3");
    EXPECT_THAT(lines_, ElementsAre("warned", "cut"));
    EXPECT_EQ(child->error_tail(), "warned\ncut\n");
}

TEST_F(ChildProcessTest, KeepsItsOwnVariablesAndFilesToItself) {
    ::setenv("SHADUF_SECRET_X", "hidden", 1);
    const int file = ::open("/dev/null", O_RDONLY);  // not closed on exec by itself
    auto child = start("env; ls /proc/self/fd | tr '\\n' ' '");
    const std::string out = read_all(*child);
    ::unsetenv("SHADUF_SECRET_X");
    ::close(file);
    EXPECT_THAT(out, Not(HasSubstr("SHADUF")));
    EXPECT_THAT(out, EndsWith("0 1 2 3 "));  // 3 is the listed folder itself
    EXPECT_TRUE(wait(*child).ok());
}

TEST(SplitCommand, PartsAsAShellDoes) {
    const struct {
        const char* text;
        std::vector<std::string> words;
    } cases[] = {
        {"", {}},
        {"  ", {}},
        {"a b", {"a", "b"}},
        {" a\t b\n", {"a", "b"}},
        {"'a b' \"c d\"", {"a b", "c d"}},
        {"a'b c'd", {"ab cd"}},
        {R"(a\ b \"c)", {"a b", "\"c"}},
        {R"("a\"b" 'c\d')", {"a\"b", "c\\d"}},
        {"'' \"\"", {"", ""}},
        {"$HOME *", {"$HOME", "*"}},
    };
    for (const auto& [text, words] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(split_command(text), words);
    }
}

TEST_F(ChildProcessTest, SaysWhatCannotBeRun) {
    const struct {
        std::vector<std::string> arguments;
        const char* message;
    } cases[] = {
        {{}, "command is empty"},
        {{"no-such-program-here"}, "command not found: no-such-program-here"},
        {{"/no/such/file"}, "there is no such file"},
        {{"/etc/passwd"}, "make the file executable"},
    };
    for (const auto& [arguments, message] : cases) {
        SCOPED_TRACE(message);
        const auto child = ChildProcess::start({arguments, {}, {}});
        ASSERT_FALSE(child.ok());
        EXPECT_THAT(child.error().to_string(), HasSubstr(message));
        EXPECT_EQ(child.error().kind(), ErrorKind::invalid_config);
    }
}

TEST_F(ChildProcessTest, TakesAFloodOfErrorsAndKeepsTheEnd) {
    auto child =
        start("i=0; while [ $i -lt 50000 ]; do echo \"line $i of a long story\" >&2; i=$((i+1)); done; echo ok");
    EXPECT_EQ(read_all(*child), "ok\n");
    EXPECT_TRUE(wait(*child).ok());
    EXPECT_EQ(lines_.size(), 50'000U);
    EXPECT_LE(child->error_tail().size(), 4096U);
    EXPECT_THAT(child->error_tail(), StartsWith("line "));
    EXPECT_THAT(child->error_tail(), EndsWith("line 49999 of a long story\n"));
}

TEST_F(ChildProcessTest, AHangIsQuietAndTheWholeGroupDies) {
    auto child = start("sleep 1000 & echo $!; wait");
    BufferBuilder out;
    ASSERT_EQ(child->read(cancellation_, kLong, 100, out).release_value(), ChildProcess::Outcome::bytes);
    EXPECT_EQ(child->read(cancellation_, milliseconds(20), 100, out).release_value(), ChildProcess::Outcome::quiet);
    const pid_t grandchild = std::stoi(std::string(reinterpret_cast<const char*>(out.data()), out.size()));
    const pid_t pid = child->id();
    EXPECT_TRUE(lives(grandchild));
    child.reset();
    EXPECT_TRUE(dies_soon(pid));
    EXPECT_TRUE(dies_soon(grandchild));
}

TEST_F(ChildProcessTest, OneThatIgnoresTermIsKilledSoon) {
    auto child = start("trap '' TERM; echo ready; while :; do sleep 1; done");
    BufferBuilder out;
    ASSERT_EQ(child->read(cancellation_, kLong, 100, out).release_value(), ChildProcess::Outcome::bytes);
    const auto began = steady_clock::now();
    const pid_t pid = child->id();
    child.reset();
    EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(1));
    EXPECT_TRUE(dies_soon(pid));
}

TEST_F(ChildProcessTest, CancellationEndsTheWait) {
    auto child = start("sleep 1000");
    std::thread other([this] { cancellation_.cancel(); });
    BufferBuilder out;
    const auto outcome = child->read(cancellation_, kLong, 100, out);
    other.join();
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind(), ErrorKind::canceled);
}

TEST_F(ChildProcessTest, TellsTheSignalAndWhatStaysAfterItsOutput) {
    auto killed = start("kill -9 $$");
    EXPECT_EQ(read_all(*killed), "");
    EXPECT_THAT(wait(*killed).to_string(), StartsWith("signal 9"));

    auto staying = start("exec >&-; sleep 1000");
    EXPECT_EQ(read_all(*staying), "");
    const auto waited = staying->wait(cancellation_, milliseconds(20));
    ASSERT_FALSE(waited.ok());
    EXPECT_THAT(waited.error().to_string(), HasSubstr("did not end within"));
}

// A process that is killed without a chance to clean up takes its child with it.
TEST_F(ChildProcessTest, DiesWithItsParent) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        auto child = ChildProcess::start({{"sleep", "1000"}, {}, {}}).release_value();
        const pid_t pid = child->id();
        const ssize_t written = ::write(ends[1], &pid, sizeof pid);
        (void)written;
        for (;;) ::pause();
    }
    pid_t child = 0;
    ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
    EXPECT_TRUE(lives(child));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    EXPECT_TRUE(dies_soon(child));
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace shaduf
