#include "tests/observe/alerts_fixture.h"
#include "tests/server/serve_fixture.h"

namespace shaduf::server {
namespace {

using namespace std::chrono_literals;
using observe::Alerts;
using observe::FakeChannel;

// The calls about alerts, over alerts that a test makes; every answer is held against its spec.
class AlertsApiTest : public ServeFixture {
protected:
    AlertsApiTest() {
        FakeChannel::begin_anew();
        std::vector<Error> errors;
        const auto settings = observe::read_settings(
            "channels: {ops: {type: fake, to: everyone, token: opensesame}}\nrules: [{wait: 0s, group_by: flow}]\n",
            Registry<observe::ChannelSpec>({&observe::kFakeChannel}), errors);
        alerts = std::make_unique<Alerts>(Alerts::Parts{*runs, world.run, [] { return true; },
                                                        [](Severity, const std::string&) {}, [] {}, [] { return 0.5; }},
                                          settings);
        serve->alerts = alerts.get();
        EXPECT_TRUE(errors.empty());
    }
    void tell(const std::string& flow, bool is_over = false) {
        world.clock.advance(1s);
        observe::Signal signal;
        signal.key = "run_failed/" + flow + "/";
        signal.kind = "run_failed";
        signal.flow = flow;
        signal.title = "Flow " + flow + " failed";
        signal.text = "broke";
        signal.path = "/runs/1";
        signal.occurrence = flow;
        signal.is_over = is_over;
        signal.at = world.clock.now();
        alerts->tell(signal);
        ASSERT_TRUE(alerts->turn().ok());
        while (alerts->send_next("ops")) continue;
    }

    std::unique_ptr<Alerts> alerts;
};

TEST_F(AlertsApiTest, ListsByStateAndPage) {
    EXPECT_EQ(get("/api/v1/alerts").json["items"].size(), 0U);
    for (const char* flow : {"a", "b", "c"}) tell(flow);
    tell("b", true);
    const auto all = get("/api/v1/alerts").json["items"];
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0]["title"], "Flow c failed") << "the newest first";
    EXPECT_EQ(all[0]["state"], "firing");
    EXPECT_EQ(all[0]["link"], "/runs/1");
    EXPECT_EQ(all[0]["deliveries"][0]["ok"], true);
    EXPECT_EQ(all[1]["state"], "resolved");
    EXPECT_EQ(all[1]["deliveries"].size(), 2U);
    EXPECT_EQ(get("/api/v1/alerts?state=firing").json["items"].size(), 2U);
    EXPECT_EQ(get("/api/v1/alerts?state=resolved,muted").json["items"].size(), 1U);
    const auto first = get("/api/v1/alerts?limit=2").json;
    ASSERT_EQ(first["items"].size(), 2U);
    const auto rest = get("/api/v1/alerts?limit=2&after=" + first["next"].get<std::string>()).json;
    ASSERT_EQ(rest["items"].size(), 1U);
    EXPECT_EQ(rest["items"][0]["title"], "Flow a failed");
    EXPECT_TRUE(rest["next"].is_null());
}

TEST_F(AlertsApiTest, Mutes) {
    tell("a");
    const std::string id = get("/api/v1/alerts").json["items"][0]["id"];
    const std::string path = "/api/v1/alerts/" + id + "/mute";
    EXPECT_EQ(call("POST", path, R"({"until":"2026-01-03T00:00:00Z"})").status, 204);
    const auto muted = get("/api/v1/alerts").json["items"][0];
    EXPECT_EQ(muted["state"], "muted");
    EXPECT_EQ(muted["muted_until"], "2026-01-03T00:00:00Z");
    EXPECT_EQ(call("POST", path, R"({"until":null})").status, 204);
    EXPECT_EQ(get("/api/v1/alerts").json["items"][0]["state"], "firing");
    EXPECT_EQ(call("POST", path, R"({"until":"soon"})").status, 400);
    EXPECT_EQ(call("POST", "/api/v1/alerts/none/mute", R"({"until":null})").status, 404);
    EXPECT_EQ(call("POST", path, R"({"until":null})", Role::editor).status, 403);
    tell("a", true);
    EXPECT_EQ(call("POST", path, R"({"until":"2026-01-03T00:00:00Z"})").status, 409) << "it is over";
}

TEST_F(AlertsApiTest, ChannelsAndTheirTest) {
    const auto channels = get("/api/v1/alert-channels");
    EXPECT_EQ(channels.json["items"][0]["to"], "everyone");
    EXPECT_EQ(channels.json.dump().find("opensesame"), std::string::npos);
    EXPECT_EQ(call("POST", "/api/v1/alert-channels/ops/test").json["ok"], true);
    FakeChannel::script.push_back(observe::passing("busy, opensesame"));
    const auto failed = call("POST", "/api/v1/alert-channels/ops/test").json;
    EXPECT_EQ(failed["ok"], false);
    EXPECT_EQ(failed["error"], "busy, ********");
    EXPECT_EQ(call("POST", "/api/v1/alert-channels/none/test").status, 404);
    EXPECT_EQ(call("POST", "/api/v1/alert-channels/ops/test", "", Role::viewer).status, 403);
}

TEST_F(AlertsApiTest, WithoutAlertsTheCallsSaySo) {
    serve->alerts = nullptr;
    EXPECT_EQ(get("/api/v1/alerts").status, 503);
}

}  // namespace
}  // namespace shaduf::server
