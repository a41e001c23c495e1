#include "server/serve_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
        ServeLog log(out, style, clock);
        log.hear(changes, [](const TaskRow&) { return TaskTitle{"daily", "load"}; });
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

}  // namespace
}  // namespace shaduf::server
