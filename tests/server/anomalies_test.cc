// The calls about tables that are not as usual, over a real store.
#include "observe/anomalies/anomaly_watch.h"

#include "flow/task_board.h"
#include "tests/server/serve_fixture.h"

namespace shaduf::server {
namespace {

using observe::AnomalyWatch;

class AnomaliesTest : public ServeFixture {
protected:
    AnomaliesTest() {
        reload();
        watch = std::make_unique<AnomalyWatch>(
            AnomalyWatch::Parts{.store = *runs,
                                .clock = world.clock,
                                .leads = [] { return true; },
                                .rests = [](const std::string&) { return false; },
                                .flow_of = [](const RunId&) { return std::string("shop"); },
                                .sink = [](const observe::Signal&) {},
                                .warn = {}});
        serve->anomalies = watch.get();
        watch->work();
    }
    void load(int64_t rows) {
        world.clock.advance(std::chrono::hours(24));
        const std::string id = "run-" + std::to_string(1'000 + ++number);
        TryReport report;
        report.steps = {{.name = "shop.orders",
                         .kind = "stream",
                         .state = TaskState::succeeded,
                         .table = "raw.orders",
                         .rows_written = rows}};
        TaskRow task{.run = id, .task = 0, .state = TaskState::succeeded, .attempt = 1};
        task.began = task.ended = world.clock.now();
        task.outputs = report.to_json();
        watch->hear(FlowChanges{.runs = {}, .tasks = {task}, .history = {}, .seen = {}});
        watch->work();
    }
    std::unique_ptr<AnomalyWatch> watch;
    int number = 0;
};

TEST_F(AnomaliesTest, SaysWhatIsBeingLearned) {
    EXPECT_TRUE(get("/api/v1/anomalies/tables").json["items"].empty());
    for (int i = 0; i < 3; ++i) load(100);
    const auto table = get("/api/v1/anomalies/tables").json["items"][0];
    EXPECT_EQ(table["table"], "raw.orders");
    EXPECT_EQ(table["flow"], "shop");
    EXPECT_EQ(table["learning"], "learning, 3 of 8 loads");
    EXPECT_TRUE(table["late_at"].is_null());
    EXPECT_TRUE(get("/api/v1/anomalies").json["items"].empty());
}

TEST_F(AnomaliesTest, ListsMutesAndLearns) {
    for (int i = 0; i < 20; ++i) load(1'000 + i % 3);
    load(100);
    const auto item = get("/api/v1/anomalies").json["items"][0];
    EXPECT_EQ(item["table"], "raw.orders");
    EXPECT_EQ(item["kind"], "volume");
    EXPECT_EQ(item["found"], 100);
    EXPECT_TRUE(item["muted_until"].is_null());
    EXPECT_EQ(get("/api/v1/overview").json["drifting"].size(), 1U);
    const std::string path = "/api/v1/anomalies/volume/raw.orders";
    const auto mute = [&](Role role) {
        return call("POST", path + "/mute", R"({"until": "2027-01-01T00:00:00Z"})", role).status;
    };
    EXPECT_EQ(mute(Role::viewer), 403);
    EXPECT_EQ(mute(Role::operator_), 204);
    watch->work();
    EXPECT_EQ(get("/api/v1/anomalies").json["items"][0]["muted_until"], "2027-01-01T00:00:00Z");
    EXPECT_EQ(get("/api/v1/overview").json["drifting"].size(), 0U);
    EXPECT_EQ(call("POST", path + "/usual").status, 204);
    watch->work();
    EXPECT_TRUE(get("/api/v1/anomalies").json["items"].empty());
    EXPECT_EQ(call("POST", "/api/v1/anomalies/weather/raw.orders/usual").status, 400);
    EXPECT_EQ(call("POST", "/api/v1/anomalies/volume/raw.nothing/usual").status, 404);
    EXPECT_EQ(call("POST", path + "/mute", R"({"until": "soon"})").status, 400);
}

}  // namespace
}  // namespace shaduf::server
