#include <future>

#include "tests/observe/alerts_fixture.h"

namespace shaduf::observe {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPlain = R"(
channels: {ops: {type: fake, to: ops}}
rules: [{when: run_failed, wait: 10s, group_by: flow}]
)";

class AlertsTest : public AlertsFixture {};

TEST_F(AlertsTest, TellsOnceWhatGoesWrongAndOnceThatItIsOver) {
    begin(kPlain);
    fail("orders", "run 1");
    pass(9s);
    EXPECT_THAT(told(), IsEmpty()) << "it waits for others of its group";
    pass(1s);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
    fail("orders", "run 1");  // told again
    fail("orders", "run 2");  // the next one fails, too
    pass(10min);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
    ASSERT_EQ(list().size(), 1U);
    EXPECT_EQ(list()[0].incident.matters[0].times, 2);
    end("orders");
    end("orders");
    pass(10min);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed", "ops resolved: orders failed"));
    EXPECT_EQ(FakeChannel::told[1].message.reference, "ref-" + FakeChannel::told[0].message.incident);
    EXPECT_EQ(list()[0].incident.state, IncidentState::resolved);
}

TEST_F(AlertsTest, OverWhileItIsGatheredIsToldAllTheSame) {
    begin(kPlain);
    fail("orders");
    pass(3s);
    end("orders");
    pass(20s);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed", "ops resolved: orders failed"));
}

TEST_F(AlertsTest, AStormIsOneMessageWithACount) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 10s}]\n");
    for (int i = 0; i < 500; ++i) fail("flow" + std::to_string(i));
    pass(10s);
    ASSERT_EQ(told().size(), 1U);
    EXPECT_EQ(told()[0], "ops fired: 500 x run failed: flow0 failed and others");
    EXPECT_EQ(FakeChannel::told[0].message.count, 500);
    EXPECT_EQ(FakeChannel::told[0].message.lines.size(), AlertMessage::kLinesMax);
    for (int i = 0; i < 499; ++i) end("flow" + std::to_string(i));
    pass(1min);
    EXPECT_EQ(told().size(), 1U) << "one of them is not over";
    end("flow499");
    pass(1min);
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(AlertsTest, AStormThatGoesOnIsToldLessAndLessOften) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 10s}]\n");
    for (int i = 0; i < 600; ++i) {  // one each second, for 10 minutes
        fail("flow" + std::to_string(i));
        pass(1s);
    }
    pass(20min);
    int64_t matters = 0;
    for (const Told& one : FakeChannel::told) matters += one.message.count;
    EXPECT_EQ(matters, 600);
    EXPECT_LE(told().size(), 8U);
}

TEST_F(AlertsTest, WhatComesAndGoesIsDamped) {
    begin(kPlain);
    for (int i = 0; i < 120; ++i) {  // two hours of a minute wrong, a minute right
        fail("orders", "run " + std::to_string(i));
        pass(30s);
        end("orders");
        pass(30s);
    }
    pass(1h);
    ASSERT_GE(told().size(), 2U);
    EXPECT_LE(told().size(), 6U);
    EXPECT_THAT(told().back(), HasSubstr("resolved")) << "in the end it is told that it is over";
    EXPECT_EQ(told().size() % 2, 0U) << "each firing has its resolution";
}

TEST_F(AlertsTest, CountsOnlyWhatHappensOftenAndLastsLong) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{after: 3, for: 1m, wait: 0s}]\n");
    fail("orders", "1");
    pass(1h);
    fail("orders", "1");
    fail("orders", "2");
    pass(1h);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(list(), IsEmpty()) << "what does not count yet is not shown";
    restart();
    fail("orders", "3");
    pass(1s);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed")) << "what was counted before the restart counts";
    end("orders");
    pass(1s);
    FakeChannel::told.clear();
    fail("items", "1");
    fail("items", "2");
    pass(10s);
    end("items");
    fail("items", "3");
    pass(2h);
    EXPECT_THAT(told(), IsEmpty()) << "an end in between begins the count anew";
}

TEST_F(AlertsTest, ForWaitsAndForgetsWhatDidNotLast) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{for: 5m, wait: 0s}]\n");
    fail("orders");
    pass(4min);
    end("orders");
    pass(10min);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(store.kept, IsEmpty());
    fail("orders", "2");
    pass(4min);
    restart();
    pass(61s);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
}

TEST_F(AlertsTest, RemindsAsLongAsItLasts) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 0s, repeat: 1h}]\n");
    step = 60s;
    fail("orders");
    pass(150min);
    EXPECT_THAT(told(),
                ElementsAre("ops fired: orders failed", "ops reminder: orders failed", "ops reminder: orders failed"));
    end("orders");
    pass(5h);
    EXPECT_EQ(told().back(), "ops resolved: orders failed");
    EXPECT_EQ(told().size(), 4U);
    std::set<std::string> ids;
    for (const Told& one : FakeChannel::told) ids.insert(one.message.id());
    EXPECT_EQ(ids.size(), 4U) << "each message has an id of its own";
}

TEST_F(AlertsTest, TriesAgainUntilItIsDelivered) {
    begin(kPlain);
    for (int i = 0; i < 5; ++i) FakeChannel::script.push_back(passing());
    fail("orders");
    pass(10s);
    EXPECT_EQ(FakeChannel::tries, 1);
    pass(1s);
    EXPECT_EQ(FakeChannel::tries, 1) << "not at once";
    pass(10min);
    EXPECT_EQ(FakeChannel::tries, 6);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
    EXPECT_EQ(list()[0].incident.routes[0].attempts.size(), 6U);
}

TEST_F(AlertsTest, WaitsAsLongAsItIsAskedTo) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 0s, group_by: flow}]\n");
    FakeChannel::script.push_back(
        SendOutcome::failed(Error(ErrorKind::rate_limited, "slow down").retry_after(90s), false));
    fail("orders");
    pass(1s);
    fail("items");  // the channel as a whole rests
    pass(87s);
    EXPECT_EQ(FakeChannel::tries, 1);
    pass(5s);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed", "ops fired: items failed"));
}

TEST_F(AlertsTest, KeepsToTheRateOfAChannel) {
    begin("channels: {ops: {type: fake, to: ops, per_minute: 6}}\nrules: [{wait: 0s, group_by: flow}]\n");
    for (int i = 0; i < 20; ++i) fail("flow" + std::to_string(i));
    pass(0s);
    EXPECT_EQ(told().size(), 5U) << "a burst";
    pass(60s);
    EXPECT_EQ(told().size(), 11U);
    pass(10min);
    EXPECT_EQ(told().size(), 20U) << "none is lost";
}

TEST_F(AlertsTest, RefusedForGoodIsShownAndNotResolved) {
    begin(kPlain);
    FakeChannel::script.push_back(refused());
    fail("orders");
    pass(1h);
    end("orders");
    pass(1h);
    EXPECT_EQ(FakeChannel::tries, 1);
    EXPECT_THAT(told(), IsEmpty());
    const auto attempts = list()[0].incident.routes[0].attempts;
    ASSERT_EQ(attempts.size(), 1U);
    EXPECT_EQ(attempts[0].error, "refused for good: token revoked");
}

TEST_F(AlertsTest, GivesUpAfterDays) {
    begin(kPlain);
    step = 600s;
    for (int i = 0; i < 2'000; ++i) FakeChannel::script.push_back(passing());
    fail("orders");
    pass(24h * 4);
    const int tries = FakeChannel::tries;
    EXPECT_GT(tries, 100);
    pass(24h);
    EXPECT_EQ(FakeChannel::tries, tries);
    EXPECT_THAT(list()[0].incident.routes[0].attempts.back().error, HasSubstr("given up: busy"));
}

TEST_F(AlertsTest, ResolvesOnlyWhereTheFiringMayHaveBeenTold) {
    begin(kPlain);
    for (int i = 0; i < 50; ++i) FakeChannel::script.push_back(passing());
    fail("orders");
    pass(30s);
    end("orders");
    pass(1h);
    EXPECT_THAT(told(), IsEmpty()) << "over before it could be told";
    FakeChannel::begin_anew();
    // An answer that got lost: the firing may have arrived, so its end is told, under another id.
    FakeChannel::script.push_back(unknown());
    fail("items");
    pass(11s);
    end("items");
    pass(1h);
    EXPECT_THAT(told(), ElementsAre("ops fired: items failed", "ops resolved: items failed"));
    EXPECT_NE(FakeChannel::told[0].message.id(), FakeChannel::told[1].message.id());
}

TEST_F(AlertsTest, ALostAnswerRepeatsTheSameMessage) {
    begin(kPlain);
    FakeChannel::script.push_back(unknown());
    fail("orders");
    pass(1min);
    ASSERT_EQ(told().size(), 2U);
    EXPECT_EQ(FakeChannel::told[0].message.id(), FakeChannel::told[1].message.id());
}

TEST_F(AlertsTest, MutedNobodyIsToldButOfTheEndOfWhatWasTold) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 0s, repeat: 10m}]\n");
    fail("orders");
    pass(1s);
    ASSERT_EQ(told().size(), 1U);
    const std::string id = list()[0].incident.id;
    ASSERT_TRUE(alerts->mute(id, world.clock.now() + 1h).ok());
    EXPECT_TRUE(list()[0].is_mute);
    pass(50min);
    EXPECT_EQ(told().size(), 1U) << "no reminder";
    end("orders");
    pass(1s);
    EXPECT_EQ(told().back(), "ops resolved: orders failed");
    EXPECT_FALSE(alerts->mute(id, world.clock.now() + 1h).ok()) << "it is over";
    EXPECT_FALSE(alerts->mute("nothing", std::nullopt).ok());
}

TEST_F(AlertsTest, AnUnmutedOneIsToldIfItStillIs) {
    begin(R"(
channels: {ops: {type: fake, to: ops}}
rules: [{wait: 0s, mute: {until: "2026-01-02T04:04:05Z"}}]
)");
    step = 30s;
    fail("orders");
    pass(59min);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_TRUE(list()[0].is_mute);
    pass(2min);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
}

TEST_F(AlertsTest, TwoRulesTellTwice) {
    begin(R"(
channels: {ops: {type: fake, to: ops}, boss: {type: fake, to: boss}}
rules:
  - {name: all, wait: 0s, to: ops}
  - {name: money, flows: "pay*", wait: 0s, to: boss}
)");
    fail("orders");
    fail("payments");
    pass(1min);
    EXPECT_THAT(told(), testing::UnorderedElementsAre("ops fired: orders failed", "ops fired: payments failed",
                                                      "boss fired: payments failed"));
}

TEST_F(AlertsTest, WhatIsOlderThanItsEndIsNotToldAgain) {
    begin(kPlain);
    const Signal old = signal("orders", "1");
    alerts->tell(old);
    pass(1min);
    end("orders");
    pass(1min);
    ASSERT_EQ(told().size(), 2U);
    restart();
    alerts->tell(old);
    pass(1h);
    EXPECT_EQ(told().size(), 2U);
    Signal over = old;
    over.is_over = true;
    fail("orders", "2");
    alerts->tell(over);  // of a run before
    pass(1h);
    EXPECT_EQ(told().size(), 3U);
    EXPECT_EQ(list()[0].incident.state, IncidentState::firing);
}

TEST_F(AlertsTest, AFullDiskHoldsMessagesBackAndLosesNone) {
    begin(kPlain);
    store.is_full = true;
    fail("orders");
    EXPECT_FALSE(alerts->settle().ok());
    pass(1min);
    EXPECT_EQ(FakeChannel::tries, 0) << "nothing is sent that is not kept";
    EXPECT_EQ(said.size(), 1U) << "and it is told once";
    store.is_full = false;
    pass(1min);
    EXPECT_THAT(told(), ElementsAre("ops fired: orders failed"));
}

TEST_F(AlertsTest, OnlyWhoLeadsSends) {
    begin(kPlain);
    leads = false;
    fail("orders");
    pass(1min);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(store.kept, IsEmpty());
    leads = true;
    fail("orders");
    pass(5s);
    leads = false;  // another process goes on with what is kept
    pass(1min);
    EXPECT_THAT(told(), IsEmpty());
    ASSERT_EQ(list().size(), 1U) << "who does not lead shows what is kept";
    ASSERT_TRUE(alerts->mute(list()[0].incident.id, world.clock.now() + 24h).ok());
    leads = true;
    pass(1min);
    EXPECT_TRUE(list()[0].is_mute) << "and asks who leads to mute";
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(AlertsTest, HistoryIsBounded) {
    begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 0s, group_by: flow}]\n");
    step = 5s;
    for (int i = 0; i < 600; ++i) {
        fail("flow" + std::to_string(i));
        pass(5s);
        end("flow" + std::to_string(i));
        pass(5s);
    }
    EXPECT_EQ(store.kept.size(), AlertBook::kResolvedMax);
    step = 3600s;
    pass(24h * 31);
    EXPECT_THAT(store.kept, IsEmpty());
}

TEST_F(AlertsTest, AChannelThatIsGoneIsOwedNothing) {
    begin(kPlain);
    FakeChannel::script.push_back(passing());
    fail("orders");
    pass(11s);
    std::vector<Error> errors;
    settings = read_settings("rules: [{when: run_failed}]", Registry<ChannelSpec>({&kFakeChannel}), errors);
    alerts->set(settings);
    pass(1h);
    EXPECT_THAT(list()[0].incident.routes[0].attempts.back().error, HasSubstr("not in shaduf.yml"));
    EXPECT_EQ(FakeChannel::tries, 1);
}

// The process is killed at each write of a whole life of an incident, with a message that fails once on its way; then
// another one goes on, and is told again what the first had not settled.
TEST_F(AlertsTest, KilledAtAnyWriteNothingIsLost) {
    int dies_at = 1;
    bool has_died = true;
    for (; has_died && dies_at < 100; ++dies_at) {
        SCOPED_TRACE("killed at write " + std::to_string(dies_at));
        FakeChannel::begin_anew();
        FakeChannel::script.push_back(passing());
        store.kept.clear();
        store.writes = 0;
        begin("channels: {ops: {type: fake, to: ops}}\nrules: [{wait: 10s, group_by: flow, after: 2}]\n");
        store.dies_at = dies_at;
        has_died = false;
        const auto go_on = [&](const std::function<void()>& tell) {
            tell();
            if (!store.is_dead) (void)alerts->settle();
            for (int i = 0; i < 40 && !store.is_dead; ++i) pass(1s);
            if (!store.is_dead) return;
            has_died = true;
            restart();
            tell();
            ASSERT_TRUE(alerts->settle().ok());
            pass(60s);
        };
        const Signal first = signal("orders", "1");
        Signal second = signal("orders", "2");
        go_on([&] { alerts->tell(first), alerts->tell(second); });
        pass(60s);
        Signal over = signal("orders");
        over.is_over = true;
        go_on([&] { alerts->tell(over); });
        pass(10min);
        std::set<std::string> fired, resolved;
        for (const Told& one : FakeChannel::told) {
            (one.message.kind == MessageKind::resolved ? resolved : fired).insert(one.message.id());
        }
        EXPECT_EQ(fired.size(), 1U) << "one firing, though it may repeat";
        EXPECT_EQ(resolved.size(), 1U);
        EXPECT_EQ(told().back(), "ops resolved: orders failed");
        EXPECT_LE(told().size(), 3U) << "one kill repeats one message at most";
    }
    EXPECT_GT(dies_at, 8) << "the story has that many writes";
    EXPECT_FALSE(has_died);
}

// With its real threads: the slow channel does not come back before the quick one has told.
TEST_F(AlertsTest, ASlowChannelHoldsUpNoOther) {
    begin("channels: {slow: {type: fake, to: slow}, quick: {type: fake, to: quick}}\nrules: [{wait: 0s}]\n");
    std::promise<void> quick_has_begun;
    FakeChannel::before_sending = [&](const std::string& to) {
        if (to == "quick") return quick_has_begun.set_value();
        quick_has_begun.get_future().wait();
    };
    alerts->start();
    fail("orders");
    ASSERT_TRUE(alerts->settle().ok());
    const auto is_told = [&](const Route& route) { return route.is_told; };
    const auto are_told = [&] {
        const auto shown = list();
        return shown.size() == 1 && shown[0].incident.routes.size() == 2 &&
               std::all_of(shown[0].incident.routes.begin(), shown[0].incident.routes.end(), is_told);
    };
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!are_told() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_TRUE(are_told());
    alerts->stop();
    EXPECT_THAT(told(), testing::UnorderedElementsAre("slow fired: orders failed", "quick fired: orders failed"));
}

TEST_F(AlertsTest, ATestSaysWhatIsWrongWithoutSecrets) {
    begin("channels: {ops: {type: fake, to: ops, token: hunter22}}\n");
    EXPECT_TRUE(alerts->test("ops", world.run).value().is_delivered);
    EXPECT_EQ(FakeChannel::told[0].message.kind, MessageKind::test);
    FakeChannel::script.push_back(passing("cannot reach https://x/hunter22"));
    const auto failed = alerts->test("ops", world.run);
    EXPECT_EQ(failed.value().error->to_string(), "cannot reach https://x/********");
    EXPECT_FALSE(alerts->test("oops", world.run).ok());
}

}  // namespace
}  // namespace shaduf::observe
