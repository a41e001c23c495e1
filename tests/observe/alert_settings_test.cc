#include "base/time.h"
#include "tests/observe/alerts_fixture.h"

namespace shaduf::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& yaml) {
    std::vector<Error> errors;
    (void)read_settings(yaml, builtin_channels(), errors);
    std::vector<std::string> texts;
    for (const Error& error : errors) texts.push_back(error.to_string());
    return texts;
}

TEST(AlertSettingsTest, ErrorsSayWhereAndWhatWasMeant) {
    constexpr struct {
        const char* yaml;
        const char* error;
    } kCases[] = {
        {"chanels: {}", "shaduf.yml:1: unknown key: chanels; did you mean channels?"},
        {"channels: {ops: {type: slak}}", "shaduf.yml:1: unknown type of channel: slak; did you mean slack?"},
        {"channels:\n  ops: {type: webhook}", "shaduf.yml:2: missing key: url"},
        {"channels: {ops: {type: webhook, url: 'ftp://x'}}",
         "shaduf.yml:1: url: not an address that begins with https:// or http://"},
        {"channels: {ops: {type: webhook, url: 'http://x', per_minute: 0}}",
         "shaduf.yml:1: per_minute: expected a number above 0, at most 6000"},
        {"channels: {slack: {url: 'http://x', token: y}}",
         "shaduf.yml:1: slack: give `url` of a webhook, or `token` and `to` of a bot"},
        {"channels: {slack: {token: y}}", "shaduf.yml:1: token: with a token, `to` names the channel"},
        {"channels: {pagerduty: {routing_key: short}}",
         "shaduf.yml:1: routing_key: expected the 32 characters of an integration of the Events API v2"},
        {"channels: {sns: {topic: here, access_key: a, secret_key: b}}",
         "shaduf.yml:1: topic: not the ARN of a topic of SNS, arn:aws:sns:REGION:ACCOUNT:NAME: here"},
        {"channels: {email: {host: h, from: nobody, to: [a@b]}}",
         "shaduf.yml:1: from: not an address such as alerts@acme.example"},
        {"channels: {email: {host: h, from: a@b, to: ['x <a@b>', 'a@b, c@d']}}",
         "shaduf.yml:1: to: one of them is not an address of mail"},
        {"channels: {email: {host: h, from: a@b, to: [a@b], user: u}}",
         "shaduf.yml:1: user: it and the password go together; give both or neither"},
        {"rules:\n  - when: [run_failt]",
         "shaduf.yml:2: when: unknown kind of signal: run_failt; did you mean run_failed?"},
        {"rules: [{to: ops}]", "shaduf.yml:1: to: channel not found: ops"},
        {"rules: [{group_by: [flows]}]", "shaduf.yml:1: group_by: nothing to group by: flows; did you mean flow?"},
        {"rules: [{after: 0}]", "shaduf.yml:1: after: expected a number from 1 to 1000"},
        {"rules: [{name: a}, {name: a}]", "shaduf.yml:1: name: two rules have the name a; give each its own"},
        {"rules: [{mute: {until: soon}}]", "shaduf.yml:1: until: not a time such as 2026-12-24T08:00:00Z: soon"},
        {"rules: [{mute: {between: '22'}}]", "shaduf.yml:1: between: not hours such as 22:00-07:00: 22"},
        {"rules: [{mute: {days: [sat, mo]}}]", "shaduf.yml:1: days: not a day: mo; did you mean mon?"},
    };
    for (const auto& [yaml, error] : kCases) {
        SCOPED_TRACE(yaml);
        EXPECT_THAT(errors_of(yaml), ElementsAre(testing::StartsWith(error)));
    }
}

TEST(AlertSettingsTest, WithoutRulesAllChannelsAreToldOfWarnings) {
    std::vector<Error> errors;
    const auto settings =
        read_settings("channels: {ops: {type: webhook, url: 'http://x'}}", builtin_channels(), errors);
    EXPECT_THAT(errors, IsEmpty());
    ASSERT_EQ(settings->rules.size(), 1U);
    EXPECT_THAT(settings->rules[0].to, ElementsAre("ops"));
    Signal signal;
    signal.kind = "quarantined";
    signal.severity = Severity::warning;
    EXPECT_TRUE(settings->rules[0].takes(signal));
    signal.severity = Severity::info;
    EXPECT_FALSE(settings->rules[0].takes(signal));
}

TEST(AlertSettingsTest, WhatOtherEnvironmentsHaveNeedsNoSecretsHere) {
    std::vector<Error> errors;
    const auto settings = read_settings("environments: [prod]\nchannels: {ops: {type: webhook, url: '${env:NOT_SET}'}}",
                                        builtin_channels(), errors);
    EXPECT_THAT(errors, IsEmpty());
    EXPECT_THAT(settings->channels, IsEmpty());
    EXPECT_EQ(settings->rules.size(), 1U) << "what is wrong is still kept for people to look at";
}

TEST(AlertSettingsTest, RulesChoose) {
    Signal signal;
    signal.kind = "run_failed";
    signal.flow = "orders_daily";
    signal.pipeline = "orders";
    signal.owner = "ada";
    signal.labels = {{"team", "finance"}, {"tier", "1"}};
    constexpr struct {
        const char* rule;
        bool takes;
    } kCases[] = {
        {"{}", true},
        {"{when: run_failed}", true},
        {"{when: [run_late, volume]}", false},
        {"{flows: orders_daily}", true},
        {"{flows: 'orders*'}", true},
        {"{flows: '*_daily'}", true},
        {"{flows: 'order?_d*y'}", true},
        {"{flows: orders}", false},
        {"{flows: [x, 'o*']}", true},
        {"{pipelines: ord}", false},
        {"{tables: '*'}", true},
        {"{tables: 'a*'}", false},
        {"{owner: [bob, ada]}", true},
        {"{owner: bob}", false},
        {"{labels: {team: finance, tier: 1}}", true},
        {"{labels: {team: finance, tier: 2}}", false},
        {"{labels: {other: x}}", false},
        {"{severity: error}", true},
    };
    for (const auto& [rule, takes] : kCases) {
        SCOPED_TRACE(rule);
        std::vector<Error> errors;
        const auto settings = read_settings("rules: [" + std::string(rule) + "]", builtin_channels(), errors);
        ASSERT_THAT(errors, IsEmpty());
        EXPECT_EQ(settings->rules[0].takes(signal), takes);
    }
}

TEST(AlertSettingsTest, MuteWindowsAreOfTheClockOnTheWall) {
    constexpr struct {
        const char* mute;
        const char* at;
        bool holds;
    } kCases[] = {
        {"{between: '22:00-07:00'}", "2026-01-02T21:59:59Z", false},
        {"{between: '22:00-07:00'}", "2026-01-02T22:00:00Z", true},
        {"{between: '22:00-07:00'}", "2026-01-03T06:59:59Z", true},
        {"{between: '22:00-07:00'}", "2026-01-03T07:00:00Z", false},
        {"{between: '09:00-17:00', zone: Europe/Zurich}", "2026-07-01T07:00:00Z", true},
        {"{between: '09:00-17:00', zone: Europe/Zurich}", "2026-01-01T07:00:00Z", false},
        {"{days: [sat, sun]}", "2026-01-03T12:00:00Z", true},
        {"{days: [sat, sun]}", "2026-01-05T00:00:00Z", false},
        {"{days: fri, between: '22:00-07:00'}", "2026-01-03T03:00:00Z", true},
        {"{days: fri, between: '22:00-07:00'}", "2026-01-03T23:00:00Z", false},
        {"{until: '2026-01-03T00:00:00Z'}", "2026-01-02T23:59:59Z", true},
        {"{until: '2026-01-03T00:00:00Z'}", "2026-01-03T00:00:00Z", false},
    };
    for (const auto& [mute, at, holds] : kCases) {
        SCOPED_TRACE(std::string(mute) + " at " + at);
        std::vector<Error> errors;
        const auto settings = read_settings("rules: [{mute: " + std::string(mute) + "}]", builtin_channels(), errors);
        ASSERT_THAT(errors, IsEmpty());
        const Timestamp time{std::chrono::microseconds(parse_timestamp(at)->microseconds)};
        EXPECT_EQ(settings->rules[0].is_mute(time), holds);
    }
}

TEST(AlertSettingsTest, AnIncidentIsTheSameAsATextAndBack) {
    Incident incident;
    incident.id = "a1";
    incident.rule = "all";
    incident.group = "kind run_failed";
    incident.state = IncidentState::firing;
    incident.fired = Timestamp(std::chrono::seconds(7));
    incident.flaps = 3;
    Matter matter;
    matter.signal.key = "run_failed/x/";
    matter.signal.title = "x \"failed\"\n\xC3\xA9";
    matter.signal.labels = {{"a", "b"}};
    matter.times = 4;
    incident.matters.push_back(matter);
    Route route;
    route.channel = "ops";
    route.owes = Route::Owes::reminder;
    route.may_be_told = true;
    route.tries = 2;
    route.reference = "C1 1.2";
    route.attempts.push_back({MessageKind::fired, Timestamp(std::chrono::seconds(9)), false, "busy"});
    incident.routes.push_back(route);
    const std::string text = incident_to_text(incident);
    const auto back = incident_from_text(text);
    ASSERT_TRUE(back.ok()) << back.error().to_string();
    EXPECT_EQ(incident_to_text(back.value()), text);
    EXPECT_EQ(back.value().routes[0].owes, Route::Owes::reminder);
    EXPECT_EQ(back.value().matters[0].signal.title, matter.signal.title);
    for (const std::string bad : {"", "[]", "{}", R"({"version":2})", "{\"version\":1,\"id\":7}", "nonsense"}) {
        EXPECT_FALSE(incident_from_text(bad).ok()) << bad;
    }
}

}  // namespace
}  // namespace shaduf::observe
