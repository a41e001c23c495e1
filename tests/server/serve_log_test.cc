#include "server/serve_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"
#include "tests/world.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

class ServeLogTest : public testing::Test {
protected:
    std::vector<Json> lines(ServeLogStyle style, const FlowChanges& changes) {
        std::ostringstream out;
        {
            ServeLog log(out, style, clock);
            log.hear(changes, [](const TaskRow&) { return TaskTitle{"daily", "load"}; });
        }
        std::vector<Json> found;
        const std::string said = out.str();
        for (const std::string_view line : split(said, '\n')) {
            if (!line.empty()) found.push_back(Json::parse(line, nullptr, false));
        }
        return found;
    }
    FakeClock clock;
};

TEST_F(ServeLogTest, LinesOfTasksNameRunFlowTaskAndTry) {
    TaskRow task{.run = "a", .task = 0, .state = TaskState::running, .attempt = 2, .worker = "here:1"};
    const auto found = lines(ServeLogStyle::json, {.runs = {}, .tasks = {task}, .history = {}, .seen = {}});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0]["run"], "a");
    EXPECT_EQ(found[0]["flow"], "daily");
    EXPECT_EQ(found[0]["task"], "load");
    EXPECT_EQ(found[0]["attempt"], 2);
    EXPECT_EQ(found[0]["worker"], "here:1");
    EXPECT_EQ(found[0]["state"], "running");
    EXPECT_EQ(found[0]["level"], "info");
}

TEST_F(ServeLogTest, ABeginIsToldOnce) {
    TaskRow decided{.run = "a", .task = 0, .state = TaskState::running, .attempt = 1};
    EXPECT_TRUE(lines(ServeLogStyle::json, {.runs = {}, .tasks = {decided}, .history = {}, .seen = {}}).empty());
}

TEST_F(ServeLogTest, QuietIsWhatWentWrongAlone) {
    RunRow good{.id = "a", .flow = "daily", .state = RunState::succeeded};
    RunRow bad{.id = "b", .flow = "daily", .state = RunState::failed};
    EXPECT_EQ(lines(ServeLogStyle::quiet, {.runs = {good, bad}, .tasks = {}, .history = {}, .seen = {}}).size(), 1U);
}

// Takes nothing until it is told to.
class StuckBuffer final : public std::stringbuf {
public:
    std::mutex mutex;

protected:
    std::streamsize xsputn(const char* text, std::streamsize count) override {
        const std::lock_guard lock(mutex);
        return std::stringbuf::xsputn(text, count);
    }
};

TEST_F(ServeLogTest, NobodyWaitsForWhoReadsIt) {
    StuckBuffer buffer;
    std::ostream out(&buffer);
    {
        ServeLog log(out, ServeLogStyle::plain, clock);
        {
            const std::lock_guard stuck(buffer.mutex);
            for (size_t i = 0; i < 3 * LineWriter::kWaitingMax; ++i) log.say(Severity::info, "line");
        }
        log.say(Severity::info, "the last one that may be dropped, too");
    }
    const std::string said = buffer.str();
    const auto lines = static_cast<size_t>(std::count(said.begin(), said.end(), '\n'));
    EXPECT_GE(lines, LineWriter::kWaitingMax);
    EXPECT_LT(lines, 3 * LineWriter::kWaitingMax);
    EXPECT_NE(said.find("lines were dropped here"), std::string::npos);
}

}  // namespace
}  // namespace shaduf::server
