// PagerDuty's Events API v2: an incident here is one there, by its dedup_key.
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kSummaryMax = 1'024;
constexpr size_t kDetailMax = 4'000;
constexpr size_t kRoutingKey = 32;

constexpr FieldSpec kFields[] = {
    {.name = "routing_key", .help = "Of the integration: 32 characters.", .required = true, .secret = true},
    {.name = "base_url", .help = "Where the Events API is.", .default_value = "https://events.pagerduty.com"},
};

std::string body_of(const AlertMessage& message, const std::string& routing_key) {
    const bool is_over = message.kind == MessageKind::resolved;
    JsonWriter json;
    json.begin_object().field("routing_key", routing_key).field("event_action", is_over ? "resolve" : "trigger");
    json.field("dedup_key", "shaduf-" + message.incident).field("client", "shaduf");
    if (!message.link.empty()) json.field("client_url", message.link);
    if (is_over) return json.end_object().str();
    json.key("payload").begin_object().field("summary", shorten(headline_of(message), kSummaryMax));
    json.field("source", message.project.empty() ? "shaduf" : message.project);
    json.field("severity", word_of(message.severity)).field("timestamp", format_timestamp(message.began));
    json.field("class", message.rule).key("custom_details").begin_object();
    json.field("environment", message.environment).field("count", message.count).key("matters").begin_array();
    for (const AlertLine& line : message.lines) {
        json.begin_object().field("title", line.title).field("error", shorten(line.text, kDetailMax));
        json.field("cause", line.cause).field("advice", line.advice).field("link", line.link).end_object();
    }
    json.end_array().end_object().end_object();
    return json.end_object().str();
}

class PagerDuty final : public Channel {
public:
    explicit PagerDuty(const Options& options)
        : url_(options.text("base_url") + "/v2/enqueue"), routing_key_(options.text("routing_key")) {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        auto reply = post(run, url_, {{"Content-Type", "application/json"}}, body_of(message, routing_key_));
        if (!reply.response) return reply.failure;
        const HttpResponse& response = *reply.response;
        const auto answer = nlohmann::json::parse(response.text(), nullptr, false);
        if (response.status == 202 || (response.status == 200 && answer.is_object())) return end_trial(run, message);
        std::string said;
        if (answer.is_object() && answer.contains("message")) said = answer["message"].dump();
        if (answer.is_object() && answer.contains("errors")) said += " " + answer["errors"].dump();
        if (response.status < 300) {
            return SendOutcome::failed(Error(ErrorKind::unavailable, "PagerDuty's answer is none of its API"), true);
        }
        SendOutcome outcome = refusal(run, "PagerDuty", response, said);
        // Its limit moves; it asks to stay away for minutes.
        if (response.status == 429 && !outcome.error->retry_delay()) {
            outcome.error = outcome.error->retry_after(std::chrono::minutes(2));
        }
        return outcome;
    }

private:
    // Nobody is to be woken for a trial for long.
    SendOutcome end_trial(RunContext& run, const AlertMessage& message) const {
        if (message.kind != MessageKind::test) return SendOutcome::delivered();
        AlertMessage end = message;
        end.kind = MessageKind::resolved;
        auto reply = post(run, url_, {{"Content-Type", "application/json"}}, body_of(end, routing_key_));
        SendOutcome outcome = SendOutcome::delivered();
        if (!reply.response || reply.response->status >= 300)
            outcome.note = "the incident of trial is to be ended by hand";
        return outcome;
    }

    const std::string url_;
    const std::string routing_key_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    TRY(check_url(options, "base_url"));
    if (options.text("routing_key").size() != kRoutingKey) {
        return options.error("routing_key", "expected the 32 characters of an integration of the Events API v2");
    }
    return std::make_unique<PagerDuty>(options);
}

std::string address(const Options& options) { return "a service at " + host_of(options.text("base_url")); }

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_pagerduty;
const observe::ChannelSpec channel_pagerduty{.name = "pagerduty",
                                             .summary = "A service of PagerDuty, whose incidents end by themselves.",
                                             .fields = observe::kFields,
                                             .per_minute = 60,
                                             .make = observe::make,
                                             .address = observe::address};

}  // namespace shaduf
