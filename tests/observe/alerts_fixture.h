#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/references.h"
#include "observe/alerts/alerts.h"
#include "tests/observe/value_store.h"
#include "tests/world.h"

namespace shaduf::observe {

// A channel that writes down what it is to tell. What a test has put into `script` it answers first.
struct Told {
    std::string channel;  // the option `to`
    AlertMessage message;
    std::string text() const { return channel + " " + std::string(to_string(message.kind)) + ": " + message.title; }
};
class FakeChannel final : public Channel {
public:
    static inline std::vector<Told> told;
    static inline std::deque<SendOutcome> script;
    static inline int tries = 0;
    static inline std::function<void(const std::string& to)> before_sending;
    static void begin_anew() {
        told.clear();
        script.clear();
        tries = 0;
        before_sending = nullptr;
    }

    explicit FakeChannel(std::string to) : to_(std::move(to)) {}
    SendOutcome send(RunContext&, const AlertMessage& message) override {
        if (before_sending) before_sending(to_);
        const std::lock_guard lock(mutex_);
        ++tries;
        SendOutcome outcome = SendOutcome::delivered("ref-" + message.incident);
        if (!script.empty()) {
            outcome = script.front();
            script.pop_front();
        }
        if (outcome.is_delivered || outcome.may_be_delivered) told.push_back({to_, message});
        return outcome;
    }

private:
    static inline std::mutex mutex_;
    const std::string to_;
};

inline constexpr FieldSpec kFakeFields[] = {{.name = "to", .help = "Whom.", .required = true},
                                            {.name = "token", .help = "A secret.", .secret = true}};
inline const ChannelSpec kFakeChannel{.name = "fake",
                                      .summary = "Writes down.",
                                      .fields = kFakeFields,
                                      .per_minute = 600,
                                      .make = [](const Options& options) -> Result<std::unique_ptr<Channel>> {
                                          return std::make_unique<FakeChannel>(options.text("to"));
                                      },
                                      .address = [](const Options& options) { return options.text("to"); }};

// `alerts` of a project as YAML, read; errors are put there.
inline std::shared_ptr<AlertSettings> read_settings(const std::string& yaml, const Registry<ChannelSpec>& channels,
                                                    std::vector<Error>& errors) {
    Project project;
    project.name = "acme";
    project.environment = "dev";
    const auto references = std::make_shared<References>(
        "/nowhere", [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
    project.resolve = [references](std::string_view text, const Place& place) {
        return references->resolve(text, place);
    };
    project.alerts = Node::parse_yaml(yaml, "shaduf.yml").release_value();
    auto settings = std::make_shared<AlertSettings>();
    errors = read_alerts(project, channels, *settings);
    return settings;
}

// Alerts on a clock that a test moves, by steps, without threads.
class AlertsFixture : public testing::Test {
protected:
    AlertsFixture() { FakeChannel::begin_anew(); }

    void begin(const std::string& yaml) {
        std::vector<Error> errors;
        settings = read_settings(yaml, Registry<ChannelSpec>({&kFakeChannel}), errors);
        for (const Error& error : errors) ADD_FAILURE() << error.to_string();
        restart();
    }
    // As if the process had ended, and another one had begun.
    void restart() {
        alerts.reset();
        store.revive();
        alerts =
            std::make_unique<Alerts>(Alerts::Parts{store, world.run, [this] { return leads; },
                                                   [this](Severity, const std::string& text) { said.push_back(text); },
                                                   [] {}, [] { return 0.5; }},
                                     settings);
    }

    Signal signal(const std::string& key, const std::string& occurrence = "1") const {
        Signal made;
        made.key = "run_failed/" + key + "/";
        made.kind = "run_failed";
        made.flow = key;
        made.at = world.clock.now();
        made.title = key + " failed";
        made.text = "it broke";
        made.occurrence = occurrence;
        return made;
    }
    void fail(const std::string& key, const std::string& occurrence = "1") { alerts->tell(signal(key, occurrence)); }
    void end(const std::string& key) {
        Signal over = signal(key);
        over.is_over = true;
        alerts->tell(over);
    }
    // Some time passes, in which all that is due is done, second by second.
    void pass(std::chrono::seconds time) {
        work();
        for (auto left = time; left.count() > 0; left -= std::min<std::chrono::seconds>(left, step)) {
            world.clock.advance(std::min<std::chrono::seconds>(left, step));
            work();
        }
    }
    void work() {
        (void)alerts->turn();
        for (const AlertChannel& channel : settings->channels) {
            while (!store.is_dead && alerts->send_next(channel.name)) continue;
        }
        (void)alerts->turn();
    }
    std::vector<std::string> told() const {
        std::vector<std::string> texts;
        for (const Told& one : FakeChannel::told) texts.push_back(one.text());
        return texts;
    }
    std::vector<Alerts::Shown> list() { return alerts->list().release_value(); }

    World world;
    ValueStore store;
    bool leads = true;
    std::chrono::seconds step{1};
    std::vector<std::string> said;
    std::shared_ptr<const AlertSettings> settings;
    std::unique_ptr<Alerts> alerts;
};

inline SendOutcome passing(const std::string& text = "busy") {
    return SendOutcome::failed(Error(ErrorKind::unavailable, text), false);
}
inline SendOutcome unknown() { return SendOutcome::failed(Error(ErrorKind::unavailable, "connection reset"), true); }
inline SendOutcome refused() { return SendOutcome::failed(Error(ErrorKind::auth, "token revoked"), false); }

}  // namespace shaduf::observe
