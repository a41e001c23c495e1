#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/cancellation.h"
#include "sandbox/frame/sandbox.h"
#include "tests/world.h"

namespace shaduf {
extern const sandbox::PlatformSpec platform_clevertap;
namespace {

using nlohmann::json;
using testing::SizeIs;

// Sleeps until `wanted` calls sleep at the same time, or nobody comes any more.
class MeetingClock final : public Clock {
public:
    Timestamp now() const override { return Timestamp(std::chrono::days(20'455)); }
    std::chrono::steady_clock::time_point steady_now() const override { return {}; }
    bool sleep(std::chrono::nanoseconds, const Cancellation&) override {
        ++asleep;
        while (asleep < wanted) std::this_thread::yield();
        while (!may_go) std::this_thread::yield();
        return true;
    }
    std::atomic<int> asleep{0};
    std::atomic<int> wanted{0};
    std::atomic<bool> may_go{false};
};

class SandboxCleverTapTest : public testing::Test {
protected:
    void start(const std::string& scenario) {
        sandbox::SandboxOptions options;
        options.accounts = 2;
        options.ads = 40;
        options.days = 60;
        options.today = 20'455;
        auto faults = sandbox::Scenario::empty();
        if (!scenario.empty()) {
            const auto node = Node::parse_yaml(scenario, "test.yml");
            ASSERT_TRUE(node.ok());
            ASSERT_TRUE(sandbox::Scenario::parse(node.value(), platforms_, 1, faults).empty());
        }
        auto started = sandbox::Sandbox::start(options, platforms_, std::move(faults), clock_);
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        sandbox_ = started.release_value();
        for (const auto& [name, value] : sandbox_->environment()) {
            if (name == "CLEVERTAP_ACCOUNT_ID") project_ = value;
            if (name == "CLEVERTAP_PASSCODE") passcode_ = value;
        }
    }
    HttpServerResponse call(const std::string& method, const std::string& target, const std::string& body = "") const {
        const auto question = target.find('?');
        HttpServerRequest request{.method = method, .target = target, .path = target.substr(0, question)};
        if (question != std::string::npos) request.query = parse_query(target.substr(question + 1));
        request.headers = {{"X-CleverTap-Account-Id", project_}, {"X-CleverTap-Passcode", passcode_}};
        request.body = body;
        return sandbox_->answer(request);
    }
    json ask(const std::string& method, const std::string& target, const std::string& body = "") const {
        return json::parse(call(method, target, body).body);
    }

    MeetingClock clock_;
    Registry<sandbox::PlatformSpec> platforms_{{&platform_clevertap}};
    std::unique_ptr<sandbox::Sandbox> sandbox_;
    std::string project_;
    std::string passcode_;
};

constexpr const char* kDays = R"({"event_name":"App Launched","from":20251220,"to":20251221})";

TEST_F(SandboxCleverTapTest, ExportsAllBehindCursorsThatComeEncoded) {
    start("");
    const json begun = ask("POST", "/1/events.json?batch_size=50", kDays);
    std::string cursor = begun["cursor"];
    EXPECT_NE(cursor.find('%'), std::string::npos);
    size_t records = 0;
    for (int pages = 0; !cursor.empty() && pages < 1000; ++pages) {
        const json page = ask("GET", "/1/events.json?cursor=" + cursor);
        records += page["records"].size();
        cursor = page.value("next_cursor", "");
    }
    EXPECT_EQ(records, ask("POST", "/1/counts/events.json", kDays)["count"].get<size_t>());
    EXPECT_GT(records, 50U);
}

TEST_F(SandboxCleverTapTest, RefusesWhatTheApiRefuses) {
    start("");
    const std::tuple<const char*, const char*, int> cases[] = {
        {"/1/events.json?batch_size=5001", kDays, 400},
        {"/1/events.json", R"({"from":20251220,"to":20251221})", 400},
        {"/1/events.json", R"({"event_name":"Nothing","from":20251220,"to":20251221})", 400},
        {"/1/events.json", R"({"event_name":"Charged","from":20251220,"to":20251219})", 400},
        {"/1/events.json", R"({"event_name":"Notification Sent","from":20251220,"to":20251221})", 400},
        {"/1/targets/list.json", R"({"from":20251101,"to":20251220})", 400},
        {"/1/targets/result.json", R"({"id":1})", 400},
        {"/1/nothing.json", "{}", 404},
    };
    for (const auto& [target, body, status] : cases) {
        SCOPED_TRACE(target);
        EXPECT_EQ(call("POST", target, body).status, status);
    }
    passcode_ = "wrong";
    EXPECT_EQ(call("POST", "/1/events.json", kDays).status, 401);
}

TEST_F(SandboxCleverTapTest, AnswersThreeCallsAtOnce) {
    start("faults: [{fault: clevertap_slow}]");
    clock_.wanted = 3;
    std::vector<std::thread> calls;
    std::atomic<int> answered{0};
    for (int i = 0; i < 3; ++i)
        calls.emplace_back([&] { answered += call("POST", "/1/events.json", kDays).status == 200 ? 1 : 0; });
    while (clock_.asleep < 3) std::this_thread::yield();
    EXPECT_EQ(call("POST", "/1/events.json", kDays).status, 429);  // the fourth of this API
    clock_.may_go = true;
    EXPECT_EQ(call("POST", "/1/counts/events.json", kDays).status, 200);  // another one
    for (auto& one : calls) one.join();
    EXPECT_EQ(answered, 3);
    EXPECT_EQ(call("POST", "/1/events.json", kDays).status, 200);
}

TEST_F(SandboxCleverTapTest, TellsOfUploadsRecordByRecord) {
    start("");
    const json answer = ask("POST", "/1/upload", R"({"d":[{"type":"event","identity":"a"},{"type":"event"},7]})");
    EXPECT_EQ(answer["status"], "partial");
    EXPECT_EQ(answer["processed"], 1);
    EXPECT_THAT(answer["unprocessed"], SizeIs(2));
}

}  // namespace
}  // namespace shaduf
