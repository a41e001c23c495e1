#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "observe/alerts/alerts.h"
#include "tests/world.h"

namespace shaduf::observe {

// One of the real channels, against answers that a test gives.
class ChannelFixture : public testing::Test {
protected:
    void make(std::string_view type, const std::string& yaml) {
        settings_.name = "ops";
        settings_.spec = builtin_channels().find(type);
        ASSERT_NE(settings_.spec, nullptr);
        const auto resolve = [](std::string_view text, const Place&) -> Result<std::string> {
            return std::string(text);
        };
        const auto errors = Options::create(settings_.spec->fields, Node::parse_yaml(yaml, "test.yml").release_value(),
                                            resolve, settings_.options);
        for (const Error& error : errors) ADD_FAILURE() << error.to_string();
        auto made = settings_.spec->make(settings_.options);
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        channel_ = made.release_value();
    }
    SendOutcome send(const AlertMessage& message) { return send_through(*channel_, settings_, world.run, message); }
    SendOutcome send() { return send(message()); }

    static AlertMessage message(MessageKind kind = MessageKind::fired) {
        AlertMessage made;
        made.kind = kind;
        made.incident = "inc1";
        made.number = kind == MessageKind::fired ? 1 : 2;
        made.project = "acme";
        made.environment = "prod";
        made.rule = "all";
        made.title = "Flow <orders> & co failed";
        made.link = "https://data.example/alerts?id=inc1";
        AlertLine line;
        line.title = made.title;
        line.text = "column a_b*c is \"missing\"\nat row 7";
        line.cause = "The data is not as expected.";
        line.advice = "Ask <ada>.";
        line.link = "https://data.example/runs/1?task=load";
        made.lines.push_back(line);
        return made;
    }
    // A message with everything too long.
    static AlertMessage huge() {
        AlertMessage made = message();
        made.title = std::string(5'000, 'x');
        made.count = 500;
        made.lines.clear();
        for (size_t i = 0; i < AlertMessage::kLinesMax; ++i) {
            AlertLine line;
            line.title = std::string(1'999, 't');
            for (int n = 0; n < 1'000; ++n) line.text += "\xC3\xA9";
            line.cause = line.advice = std::string(1'000, 'c');
            made.lines.push_back(line);
        }
        return made;
    }
    HttpRequest last() const { return world.http.requests().back(); }
    nlohmann::json last_json() const { return nlohmann::json::parse(last().body); }

    // What an answer makes of a message.
    struct Case {
        int status;
        const char* body;
        ErrorKind kind;
        bool may_retry;
    };
    void expect_failures(const std::string& path, std::span<const Case> cases) {
        for (const Case& one : cases) {
            SCOPED_TRACE(std::to_string(one.status) + " " + one.body);
            world.http.expect("POST " + path).reply(one.status, one.body);
            const SendOutcome outcome = send();
            ASSERT_TRUE(outcome.error);
            EXPECT_FALSE(outcome.is_delivered);
            EXPECT_EQ(to_string(outcome.error->kind()), to_string(one.kind)) << outcome.error->to_string();
            EXPECT_EQ(outcome.error->may_retry(), one.may_retry);
            expect_no_secrets(outcome);
        }
        const auto fails = [&](const Error& error) {
            world.http.expect("POST " + path).fail(error);
            const SendOutcome outcome = send();
            EXPECT_FALSE(outcome.is_delivered);
            EXPECT_TRUE(outcome.error->may_retry());
            expect_no_secrets(outcome);
            return outcome;
        };
        EXPECT_FALSE(fails(Error(ErrorKind::unavailable, "no connection: POST " + last().url)).may_be_delivered);
        EXPECT_TRUE(fails(Error(ErrorKind::unavailable, "request failed: POST " + last().url)).may_be_delivered);
    }
    void expect_no_secrets(const SendOutcome& outcome) const {
        for (const std::string& secret : secrets) {
            EXPECT_THAT(outcome.error->to_string(), testing::Not(testing::HasSubstr(secret)));
        }
    }

    World world;
    std::vector<std::string> secrets;

private:
    AlertChannel settings_;
    std::unique_ptr<Channel> channel_;
};

}  // namespace shaduf::observe
