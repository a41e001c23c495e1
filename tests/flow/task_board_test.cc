#include "flow/task_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf {
namespace {

const TryId kTry{"r1", "load", 1};

TaskStep step(const std::string& name, TaskState state, int64_t rows = 0) {
    TaskStep made;
    made.name = name;
    made.kind = "stream";
    made.state = state;
    made.rows_written = rows;
    return made;
}

TEST(TryReport, IsTheSameAfterJson) {
    TryReport report;
    report.values = R"({"a":[1,2.5,"x"],"b":null})";
    report.tables = {"raw.orders"};
    report.steps = {step("shop.orders", TaskState::succeeded, 7)};
    report.steps[0].began = Timestamp(std::chrono::microseconds(1'767'323'045'000'123));
    report.steps[0].message = "a \"quoted\"\nline";
    const auto again = TryReport::from_json(report.to_json());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->values, report.values);
    EXPECT_EQ(again->tables, report.tables);
    EXPECT_EQ(again->steps, report.steps);
    EXPECT_FALSE(TryReport::from_json(""));
    EXPECT_FALSE(TryReport::from_json("[1]"));
    EXPECT_FALSE(TryReport::from_json("{"));
}

TEST(TaskBoard, TellsStepsThatBeginAndEndAtOnce) {
    TaskBoard board;
    std::vector<std::string> told;
    board.watch([&](const TaskBoard::Change& change) {
        told.push_back(change.step == nullptr ? std::to_string(change.log_lines)
                                              : std::string(to_string(change.step->state)));
    });
    board.begin(kTry);
    board.set_step(kTry, step("a", TaskState::running));
    for (int i = 0; i < 1000; ++i) board.set_step(kTry, step("a", TaskState::running, i));
    board.set_step(kTry, step("a", TaskState::succeeded, 1000));
    board.set_log_lines(kTry, 5);
    ASSERT_GE(told.size(), 3u);
    EXPECT_LT(told.size(), 500u);
    EXPECT_EQ(told.front(), "running");
    EXPECT_EQ(told[told.size() - 2], "succeeded");
    EXPECT_EQ(told.back(), "5");
    EXPECT_EQ(board.report(kTry)->steps.front().rows_written, 1000);
    EXPECT_TRUE(board.own_report(kTry));
    EXPECT_EQ(board.take(kTry).steps.size(), 1u);
    EXPECT_FALSE(board.report(kTry));
}

TEST(TaskBoard, KeepsThoseThatFailedWhenThereAreTooMany) {
    TaskBoard board;
    for (int i = 0; i < 3000; ++i) {
        const std::string name = "m" + std::to_string(i);
        board.set_step(kTry, step(name, TaskState::running));
        board.set_step(kTry, step(name, i % 1000 == 999 ? TaskState::failed : TaskState::succeeded));
    }
    const TryReport report = board.take(kTry);
    EXPECT_LE(report.steps.size(), TryReport::kStepsMax + 3);
    EXPECT_EQ(std::count_if(report.steps.begin(), report.steps.end(),
                            [](const TaskStep& one) { return one.state == TaskState::failed; }),
              3);
}

}  // namespace
}  // namespace shaduf
