#include "flow/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using enum TaskState;
using enum TriggerRule;

TaskNode task(std::string name, std::vector<std::string> after = {}, TriggerRule rule = all_success) {
    return {.name = std::move(name), .after = std::move(after), .rule = rule};
}
TaskGraph graph_of(std::vector<TaskNode> tasks) { return TaskGraph::create(std::move(tasks)).release_value(); }

std::string shown(const std::vector<Progress::Change>& changes) {
    std::string text;
    for (const auto& [index, to] : changes) {
        text += (text.empty() ? "" : " ") + std::to_string(index) + ":" + std::string(to_string(to));
    }
    return text;
}

TEST(TaskGraphTest, KnowsWhoComesBeforeAndBehind) {
    const TaskGraph graph = graph_of({task("c", {"a", "b", "a"}), task("a"), task("b", {"a"})});
    EXPECT_THAT(graph.before(0), ElementsAre(1, 2));
    EXPECT_THAT(graph.before(1), IsEmpty());
    EXPECT_THAT(graph.behind(1), ElementsAre(0, 2));
    EXPECT_THAT(graph.in_order(), ElementsAre(1, 2, 0));
    EXPECT_THAT(graph.with_all_behind(std::vector<TaskIndex>{2}), ElementsAre(2, 0));
    EXPECT_EQ(graph.find("b"), 2U);
    EXPECT_EQ(graph.find("d"), std::nullopt);
}

TEST(TaskGraphTest, RefusesWhatIsNoGraph) {
    const auto refused = [](std::vector<TaskNode> tasks) {
        const auto graph = TaskGraph::create(std::move(tasks));
        return graph.ok() ? "" : graph.error().to_string();
    };
    EXPECT_EQ(refused({task("a"), task("b"), task("a")}), "two tasks have one name: a; rename one");
    EXPECT_EQ(refused({task("load"), task("b", {"lod"})}),
              "task b comes after one that is not there: lod; did you mean load?");
    EXPECT_EQ(refused({task("a", {"a"})}), "tasks wait for each other: a -> a; take one of the depends_on out");
    EXPECT_THAT(refused({task("x"), task("d", {"c"}), task("a", {"x", "c"}), task("b", {"a"}), task("c", {"b"})}),
                HasSubstr("tasks wait for each other: "));
    EXPECT_EQ(refused({task("a", {"c"}), task("b", {"a"}), task("c", {"b"})}),
              "tasks wait for each other: a -> b -> c -> a; take one of the depends_on out");
}

TEST(ProgressTest, EachTaskBeginsBehindThoseBeforeIt) {
    const TaskGraph graph = graph_of({task("a"), task("b"), task("c", {"a", "b"}), task("d", {"c"})});
    Progress progress(graph);
    EXPECT_EQ(shown(progress.settle()), "0:queued 1:queued");
    EXPECT_EQ(shown(progress.move(0, running)), "");
    EXPECT_EQ(shown(progress.move(0, succeeded)), "");
    EXPECT_EQ(shown(progress.move(1, warned)), "2:queued");
    EXPECT_EQ(progress.outcome(), RunState::running);
    EXPECT_EQ(shown(progress.move(2, succeeded)), "3:queued");
    EXPECT_EQ(shown(progress.move(3, succeeded)), "");
    EXPECT_TRUE(progress.has_ended());
    EXPECT_EQ(progress.outcome(), RunState::warned);
}

TEST(ProgressTest, AFailureStopsWhatIsBehindItAtOnce) {
    const TaskGraph graph = graph_of({task("a"), task("slow"), task("b", {"a", "slow"}), task("c", {"b"}),
                                      task("mail", {"a", "b"}, one_failed), task("clean", {"c"}, all_done)});
    Progress progress(graph);
    progress.settle();
    EXPECT_EQ(shown(progress.move(0, failed)), "2:upstream_failed 4:queued 3:upstream_failed 5:queued");
    progress.move(4, succeeded);
    progress.move(5, succeeded);
    EXPECT_FALSE(progress.has_ended());
    progress.move(1, succeeded);
    EXPECT_EQ(progress.outcome(), RunState::failed);
}

TEST(ProgressTest, AFailureThatIsAllowedIsAWarning) {
    TaskNode first = task("a");
    first.allows_failure = true;
    const TaskGraph graph = graph_of({first, task("b", {"a"})});
    Progress progress(graph);
    progress.settle();
    EXPECT_EQ(shown(progress.move(0, timed_out)), "1:queued");
    EXPECT_EQ(progress[0], warned);
    progress.move(1, succeeded);
    EXPECT_EQ(progress.outcome(), RunState::warned);
    // But not that somebody has stopped it.
    Progress stopped(graph);
    stopped.settle();
    EXPECT_EQ(shown(stopped.move(0, killed)), "1:upstream_failed");
    EXPECT_EQ(stopped.outcome(), RunState::killed);
}

TEST(ProgressTest, AnApprovalIsWaitedFor) {
    TaskNode gate = task("gate", {"a"});
    gate.needs_approval = true;
    const TaskGraph graph = graph_of({task("a"), gate});
    Progress progress(graph);
    progress.settle();
    EXPECT_EQ(shown(progress.move(0, succeeded)), "1:paused");
    EXPECT_FALSE(progress.has_ended());
    EXPECT_EQ(shown(progress.move(1, queued)), "");
}

TEST(ProgressTest, EachRuleByHowThoseBeforeHaveEnded) {
    struct Case {
        TriggerRule rule;
        std::vector<TaskState> before;
        TaskState expected;
    };
    const Case cases[] = {
        {all_success, {succeeded, warned}, queued},
        {all_success, {succeeded, waiting}, waiting},
        {all_success, {waiting, failed}, upstream_failed},
        {all_success, {skipped, waiting}, waiting},  // a failure may come yet
        {all_success, {skipped, succeeded}, skipped},
        {all_success, {skipped, upstream_failed}, upstream_failed},
        {all_success, {succeeded, killed}, upstream_failed},
        {all_done, {failed, skipped}, queued},
        {all_done, {failed, waiting}, waiting},
        {all_failed, {failed, upstream_failed}, queued},
        {all_failed, {failed, waiting}, waiting},
        {all_failed, {succeeded, waiting}, skipped},
        {all_failed, {failed, skipped}, skipped},
        {one_success, {succeeded, waiting}, queued},
        {one_success, {failed, waiting}, waiting},
        {one_success, {failed, skipped}, upstream_failed},
        {one_success, {skipped, skipped}, skipped},
        {one_failed, {timed_out, waiting}, queued},
        {one_failed, {succeeded, waiting}, waiting},
        {one_failed, {succeeded, skipped}, skipped},
        {one_done, {failed, waiting}, queued},
        {one_done, {skipped, waiting}, waiting},
        {one_done, {skipped, skipped}, skipped},
        {none_failed, {skipped, succeeded}, queued},
        {none_failed, {skipped, skipped}, queued},
        {none_failed, {failed, waiting}, upstream_failed},
        {none_failed, {skipped, waiting}, waiting},
        {none_failed_min_one_success, {skipped, skipped}, skipped},
        {none_failed_min_one_success, {skipped, succeeded}, queued},
        {none_failed_min_one_success, {succeeded, failed}, upstream_failed},
        {none_failed_min_one_success, {succeeded, waiting}, waiting},
        {none_skipped, {failed, succeeded}, queued},
        {none_skipped, {skipped, waiting}, skipped},
        {none_skipped, {failed, waiting}, waiting},
        {always, {waiting, waiting}, queued},
    };
    for (const Case& c : cases) {
        const TaskGraph graph = graph_of({task("a"), task("b"), task("c", {"a", "b"}, c.rule)});
        // Those before are under way, where the case says that they wait.
        std::vector<TaskState> states = c.before;
        std::replace(states.begin(), states.end(), waiting, running);
        states.push_back(waiting);
        Progress progress(graph, states);
        progress.settle();
        EXPECT_EQ(progress[2], c.expected)
            << to_string(c.rule) << " of " << to_string(c.before[0]) << ", " << to_string(c.before[1]);
    }
    for (const TriggerRule rule : {all_success, all_done, one_success, one_done, none_failed, none_skipped, always,
                                   none_failed_min_one_success}) {
        const TaskGraph graph = graph_of({task("a", {}, rule)});
        EXPECT_EQ(shown(Progress(graph).settle()), "0:queued") << to_string(rule);
    }
}

TEST(ProgressTest, RunsAgainFromWhatFailed) {
    const TaskGraph graph = graph_of(
        {task("a"), task("b", {"a"}), task("c", {"b"}), task("d", {"a"}), task("clean", {"c", "d"}, all_done)});
    Progress progress(graph);
    progress.settle();
    for (const auto& [index, state] :
         std::vector<std::pair<TaskIndex, TaskState>>{{0, succeeded}, {1, failed}, {3, succeeded}, {4, succeeded}}) {
        progress.move(index, state);
    }
    ASSERT_EQ(progress.outcome(), RunState::failed);
    EXPECT_EQ(shown(progress.run_again(std::vector<TaskIndex>{1})), "1:waiting 2:waiting 4:waiting 1:queued");
    EXPECT_EQ(progress[3], succeeded);
    progress.move(1, succeeded);
    progress.move(2, succeeded);
    EXPECT_EQ(shown(progress.move(4, succeeded)), "");
    EXPECT_EQ(progress.outcome(), RunState::succeeded);
}

// How each task ends, if it begins.
struct Fate {
    std::vector<TaskNode> nodes;
    std::vector<TaskState> ends;
};

Fate random_fate(std::mt19937& random) {
    const auto pick = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
    Fate fate;
    const size_t count = 1 + pick(30);
    for (size_t i = 0; i < count; ++i) {
        TaskNode node = task("t" + std::to_string(i));
        for (size_t j = 0; j < i; ++j) {
            if (pick(4) == 0) node.after.push_back("t" + std::to_string(j));
        }
        node.rule = pick(2) == 0 ? all_success : static_cast<TriggerRule>(pick(10));
        node.allows_failure = pick(10) == 0;
        fate.nodes.push_back(std::move(node));
        constexpr TaskState kEnds[] = {succeeded, succeeded, succeeded, warned, failed, timed_out, skipped};
        fate.ends.push_back(kEnds[pick(std::size(kEnds))]);
    }
    return fate;
}

// Lets queued tasks end in a random order; now and then all is forgotten but the states.
std::vector<TaskState> play(const TaskGraph& graph, const Fate& fate, std::mt19937& random) {
    auto progress = std::make_unique<Progress>(graph);
    progress->settle();
    for (;;) {
        std::vector<TaskIndex> open;
        for (TaskIndex i = 0; i < graph.size(); ++i) {
            if ((*progress)[i] == queued) open.push_back(i);
        }
        if (open.empty()) break;
        const TaskIndex next = open[std::uniform_int_distribution<size_t>(0, open.size() - 1)(random)];
        progress->move(next, fate.ends[next]);
        if (random() % 5 == 0) {
            const auto states = progress->states();
            progress = std::make_unique<Progress>(graph, std::vector<TaskState>(states.begin(), states.end()));
            EXPECT_THAT(progress->settle(), IsEmpty());
        }
    }
    EXPECT_TRUE(progress->has_ended());
    return {progress->states().begin(), progress->states().end()};
}

TEST(ProgressTest, TheOrderInWhichTasksEndDoesNotMatter) {
    std::mt19937 random(20261122);
    for (int round = 0; round < 300; ++round) {
        const Fate fate = random_fate(random);
        const TaskGraph graph = graph_of(fate.nodes);
        const auto first = play(graph, fate, random);
        for (int again = 0; again < 3; ++again) ASSERT_EQ(play(graph, fate, random), first) << "round " << round;
    }
}

TEST(ProgressTest, AChainOfFiftyThousandTasksIsWalkedThrough) {
    std::vector<TaskNode> nodes{task("t0")};
    for (int i = 1; i < 50'000; ++i) nodes.push_back(task("t" + std::to_string(i), {"t" + std::to_string(i - 1)}));
    const TaskGraph graph = graph_of(nodes);
    Progress progress(graph);
    progress.settle();
    for (TaskIndex i = 0; i + 1 < graph.size(); ++i)
        ASSERT_EQ(shown(progress.move(i, succeeded)), std::to_string(i + 1) + ":queued");
}

}  // namespace
}  // namespace shaduf
