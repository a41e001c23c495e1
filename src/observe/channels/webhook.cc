// Any service of one's own: the message as JSON, signed where there is a key.
#include "base/json_writer.h"
#include "base/time.h"
#include "io/crypto.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr FieldSpec kFields[] = {
    {.name = "url", .help = "Where messages are posted to, as JSON.", .required = true, .secret = true},
    {.name = "key",
     .help =
         "Signs messages: the header X-Shaduf-Signature is `t=SECONDS,v1=` and the HMAC-SHA-256, in hexadecimal, of "
         "SECONDS, a point and the body.",
     .secret = true},
    {.name = "headers", .type = FieldType::text_map, .help = "More headers, such as Authorization.", .secret = true},
};

std::string body_of(const AlertMessage& message) {
    JsonWriter json;
    json.begin_object().field("id", message.id()).field("alert", message.incident);
    json.field("kind", to_string(message.kind)).field("project", message.project);
    json.field("environment", message.environment).field("rule", message.rule);
    json.field("severity", word_of(message.severity)).field("title", message.title).field("count", message.count);
    json.field("began", format_timestamp(message.began)).field("at", format_timestamp(message.at));
    json.field("link", message.link).key("matters").begin_array();
    for (const AlertLine& line : message.lines) {
        json.begin_object().field("title", line.title).field("text", line.text).field("cause", line.cause);
        json.field("advice", line.advice).field("link", line.link).key("over").boolean(line.is_over).end_object();
    }
    return json.end_array().end_object().str();
}

class Webhook final : public Channel {
public:
    explicit Webhook(const Options& options)
        : url_(options.text("url")), key_(options.text("key")), headers_(options.text_map("headers")) {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        std::string body = body_of(message);
        HttpHeaders headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", message.id()}};
        headers.insert(headers.end(), headers_.begin(), headers_.end());
        if (!key_.empty()) {
            const auto now = std::chrono::floor<std::chrono::seconds>(run.clock.now());
            const std::string time = std::to_string(now.time_since_epoch().count());
            headers.emplace_back("X-Shaduf-Signature",
                                 "t=" + time + ",v1=" + to_hex(hmac_sha256(key_, time + "." + body)));
        }
        const auto reply = post(run, url_, std::move(headers), std::move(body));
        if (!reply.response) return reply.failure;
        if (reply.response->status < 300) return SendOutcome::delivered();
        return refusal(run, "the webhook", *reply.response);
    }

private:
    const std::string url_;
    const std::string key_;
    const std::vector<std::pair<std::string, std::string>> headers_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    TRY(check_url(options, "url"));
    return std::make_unique<Webhook>(options);
}

std::string address(const Options& options) { return host_of(options.text("url")); }

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_webhook;
const observe::ChannelSpec channel_webhook{.name = "webhook",
                                           .summary = "JSON to a service of one's own, signed where there is a key.",
                                           .fields = observe::kFields,
                                           .per_minute = 120,
                                           .make = observe::make,
                                           .address = observe::address};

}  // namespace shaduf
