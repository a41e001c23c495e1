#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/registry.h"
#include "base/result.h"
#include "base/run_context.h"
#include "base/run_events.h"
#include "config/options.h"

namespace shaduf::observe {

enum class MessageKind : uint8_t {
    fired,     // something is wrong
    reminder,  // it still is
    resolved,  // it is over
    test,      // somebody tries the channel out
};
std::string_view to_string(MessageKind kind);

// One of the matters that a message is about.
struct AlertLine {
    std::string title;
    std::string text;
    std::string cause;
    std::string advice;
    std::string link;  // whole, or ""
    bool is_over = false;
};

// What a channel is to tell people. Texts are UTF-8, without secrets.
struct AlertMessage {
    static constexpr size_t kLinesMax = 10;

    MessageKind kind = MessageKind::fired;
    std::string incident;  // the same for all that is told of it, ASCII, at most 64 bytes
    int number = 1;        // of this message among those; the same at each try
    std::string project;
    std::string environment;
    std::string rule;
    Severity severity = Severity::error;
    std::string title;             // one line
    std::vector<AlertLine> lines;  // at most kLinesMax of `count`
    int64_t count = 1;             // of matters
    std::string link;              // whole, or ""
    Timestamp began{};
    Timestamp at{};
    // What the channel has given when the incident was told first; "": it was not, or gives none.
    std::string reference;

    // The same at each try of the same message, and of no other: what a receiver may drop a repetition by.
    std::string id() const { return incident + "-" + std::to_string(number); }
};

// How sending has ended.
struct SendOutcome {
    bool is_delivered = false;
    bool may_be_delivered = false;    // nobody knows: the connection broke behind the message
    std::string reference;            // of what was delivered, for the messages behind it
    std::optional<Error> error = {};  // why it is not delivered; whether trying again may help is Error::may_retry()
    std::string note = {};            // delivered, but: one line

    static SendOutcome delivered(std::string reference = {}) { return {true, true, std::move(reference)}; }
    // `may_be_delivered` unless it is certain that nothing was told.
    static SendOutcome failed(Error error, bool may_be_delivered) {
        return {false, may_be_delivered, {}, std::move(error)};
    }
};

// A way to tell people. One thread at a time.
class Channel {
public:
    virtual ~Channel() = default;
    // Tells one message, in one try: whoever calls repeats, waits and counts. Ends within a second of cancellation.
    // What an error says may hold secrets of the channel's options: the caller strikes them out.
    virtual SendOutcome send(RunContext& run, const AlertMessage& message) = 0;
};

// A type of channel, standing at the end of src/observe/channels/<name>.cc as `extern const observe::ChannelSpec
// channel_<name>`.
struct ChannelSpec {
    std::string_view name;     // slack
    std::string_view summary;  // one sentence
    std::span<const FieldSpec> fields;
    double per_minute = 60;  // messages that the other side takes in the long run
    // Options that are wrong: invalid_config.
    Result<std::unique_ptr<Channel>> (*make)(const Options& options) = nullptr;
    // Where it leads, for people, without anything that is secret: "hooks.slack.com", "2 addresses at acme.example".
    std::string (*address)(const Options& options) = nullptr;
};

}  // namespace shaduf::observe

namespace shaduf {

// One spec a file of src/observe/channels, listed by the build.
Registry<observe::ChannelSpec> builtin_channels();

}  // namespace shaduf
