// Microsoft Teams: an Adaptive Card to the address that a workflow "when a webhook request is received" gives.
#include "base/json_writer.h"
#include "base/text.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kTextMax = 1'500;
constexpr size_t kBodyMax = 24'000;  // Teams takes 28 KB

constexpr FieldSpec kFields[] = {
    {.name = "url", .help = "The address of the workflow or the webhook.", .required = true, .secret = true},
};

void write_text(JsonWriter& json, std::string_view text, const char* weight, const char* color) {
    if (text.empty()) return;
    json.begin_object().field("type", "TextBlock").field("text", shorten(text, kTextMax)).key("wrap").boolean(true);
    if (weight != nullptr) json.field("weight", weight);
    if (color != nullptr) json.field("color", color);
    json.end_object();
}

// Text blocks know a little Markdown; names with stars and underscores are to look as they are.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '*' || c == '_' || c == '[' || c == ']' || c == '\\' || c == '`') out += '\\';
        out += c;
        if (c == '\n') out += '\n';
    }
    return out;
}

std::string card_of(const AlertMessage& message, size_t lines_max) {
    const bool is_over = message.kind == MessageKind::resolved;
    const char* color = is_over                                 ? "Good"
                        : message.severity == Severity::error   ? "Attention"
                        : message.severity == Severity::warning ? "Warning"
                                                                : "Default";
    JsonWriter json;
    json.begin_object().field("type", "message").key("attachments").begin_array().begin_object();
    json.field("contentType", "application/vnd.microsoft.card.adaptive").key("contentUrl").null();
    json.key("content").begin_object().field("$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json.field("type", "AdaptiveCard").field("version", "1.4").key("body").begin_array();
    write_text(json, plain(headline_of(message)), "Bolder", color);
    for (size_t i = 0; i < std::min(lines_max, message.lines.size()); ++i) {
        const AlertLine& line = message.lines[i];
        if (message.count > 1) write_text(json, plain((line.is_over ? "(over) " : "") + line.title), "Bolder", nullptr);
        write_text(json, plain(line.text), nullptr, nullptr);
        if (is_over) continue;
        if (!line.cause.empty()) write_text(json, "Probable cause: " + plain(line.cause), nullptr, nullptr);
        if (!line.advice.empty()) write_text(json, "What to do: " + plain(line.advice), nullptr, nullptr);
    }
    write_text(json, more_of(message, std::min(lines_max, message.lines.size())), nullptr, nullptr);
    json.end_array();
    if (!message.link.empty()) {
        json.key("actions").begin_array().begin_object().field("type", "Action.OpenUrl").field("title", "Open");
        json.field("url", message.link).end_object().end_array();
    }
    return json.end_object().end_object().end_array().end_object().str();
}

class Teams final : public Channel {
public:
    explicit Teams(const Options& options) : url_(options.text("url")) {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        std::string body = card_of(message, message.lines.size());
        for (size_t lines = message.lines.size(); body.size() > kBodyMax && lines > 0; body = card_of(message, lines)) {
            --lines;
        }
        const auto reply = post(run, url_, {{"Content-Type", "application/json"}}, std::move(body));
        if (!reply.response) return reply.failure;
        const HttpResponse& response = *reply.response;
        if (response.status >= 300) return refusal(run, "Teams", response);
        // The connectors of before answer 200 and say in the text that they have refused.
        const std::string_view said = response.text();
        if (said.find("HTTP error 429") != std::string_view::npos) {
            return SendOutcome::failed(Error(ErrorKind::rate_limited, "Teams refuses more messages for now"), false);
        }
        if (said.find("Webhook message delivery failed") != std::string_view::npos) {
            return SendOutcome::failed(
                Error(ErrorKind::unavailable, "Teams did not deliver: " + shorten(one_line(said), 200)), false);
        }
        return SendOutcome::delivered();
    }

private:
    const std::string url_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    TRY(check_url(options, "url"));
    return std::make_unique<Teams>(options);
}

std::string address(const Options& options) { return host_of(options.text("url")); }

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_teams;
const observe::ChannelSpec channel_teams{.name = "teams",
                                         .summary = "A card in a channel of Microsoft Teams, by a workflow's webhook.",
                                         .fields = observe::kFields,
                                         .per_minute = 30,
                                         .make = observe::make,
                                         .address = observe::address};

}  // namespace shaduf
