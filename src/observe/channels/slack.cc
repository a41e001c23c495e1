// Slack, in two ways: an incoming webhook, which is one address; or chat.postMessage with a bot's token, which answers
// 200 to everything, and puts what is told of an incident behind its first message, as a thread.
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kBlockTextMax = 2'900;  // Slack takes 3,000 characters
constexpr size_t kTextMax = 3'900;       // 4,000 are advised
constexpr size_t kLineMax = 400;
constexpr size_t kShortMax = 200;

constexpr FieldSpec kFields[] = {
    {.name = "url",
     .help = "Of an incoming webhook.",
     .secret = true,
     .example = "https://hooks.slack.com/services/T/B/X"},
    {.name = "token",
     .help = "Of a bot, instead of a webhook: then what belongs together is a thread.",
     .secret = true},
    {.name = "to", .help = "With a token: the channel's id or name.", .example = "\"#data-alerts\""},
    {.name = "base_url", .help = "Where the Web API is.", .default_value = "https://slack.com/api"},
};

// What passes by, of the errors that the Web API names.
bool comes_again(std::string_view error) {
    constexpr std::string_view kPassing[] = {"ratelimited",       "rate_limited",          "internal_error",
                                             "fatal_error",       "service_unavailable",   "request_timeout",
                                             "team_added_to_org", "message_limit_exceeded"};
    return std::find(std::begin(kPassing), std::end(kPassing), error) != std::end(kPassing);
}

bool is_of_credential(std::string_view error) {
    constexpr std::string_view kThose[] = {"invalid_auth",  "not_authed",    "account_inactive",
                                           "token_revoked", "token_expired", "missing_scope"};
    return std::find(std::begin(kThose), std::end(kThose), error) != std::end(kThose);
}

// The three characters that mean something in a text of Slack.
std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') out += "&amp;";
        if (c == '<') out += "&lt;";
        if (c == '>') out += "&gt;";
        if (c != '&' && c != '<' && c != '>') out += c;
    }
    return out;
}

std::string body_of(const AlertMessage& message) {
    std::string text;
    size_t shown = 0;
    for (const AlertLine& line : message.lines) {
        std::string part;
        if (message.count > 1)
            part += (line.is_over ? "(over) *" : "*") + escape(shorten(one_line(line.title), kShortMax)) + "*\n";
        if (!line.text.empty()) part += escape(shorten(line.text, kLineMax)) + "\n";
        const bool is_over = message.kind == MessageKind::resolved;
        if (!is_over && !line.cause.empty())
            part += "_Probable cause:_ " + escape(shorten(line.cause, kShortMax)) + "\n";
        if (!is_over && !line.advice.empty()) part += "_What to do:_ " + escape(shorten(line.advice, kShortMax)) + "\n";
        if (!line.link.empty()) part += "<" + line.link + "|Open>\n";
        if (text.size() + part.size() > kBlockTextMax) break;
        text += part;
        ++shown;
    }
    const std::string more = more_of(message, shown);
    if (!more.empty() && text.size() + more.size() < kBlockTextMax) text += more + "\n";
    const char* sign = message.kind == MessageKind::resolved ? ":white_check_mark: "
                       : message.kind == MessageKind::test   ? ""
                       : message.severity == Severity::error ? ":red_circle: "
                                                             : ":warning: ";
    const std::string head = sign + std::string("*") + escape(shorten(headline_of(message), kLineMax)) + "*";
    JsonWriter json;
    json.begin_object().field("text", escape(shorten(headline_of(message), kTextMax))).key("blocks").begin_array();
    for (const std::string& part : {head, text}) {
        if (part.empty()) continue;
        json.begin_object().field("type", "section").key("text").begin_object().field("type", "mrkdwn");
        json.field("text", part).end_object().end_object();
    }
    json.end_array();
    return json.str();  // open: the caller adds to it, and closes it
}

class SlackWebhook final : public Channel {
public:
    explicit SlackWebhook(std::string url) : url_(std::move(url)) {}
    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        const auto reply = post(run, url_, {{"Content-Type", "application/json"}}, body_of(message) + "}");
        if (!reply.response) return reply.failure;
        if (reply.response->status >= 300) return refusal(run, "Slack", *reply.response);
        return SendOutcome::delivered();
    }

private:
    const std::string url_;
};

class SlackBot final : public Channel {
public:
    explicit SlackBot(const Options& options)
        : url_(options.text("base_url") + "/chat.postMessage"),
          token_(options.text("token")),
          to_(options.text("to")) {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        // The reference is "channel ts": a thread is known by the channel's id.
        const size_t space = message.reference.find(' ');
        std::string channel = to_, thread;
        if (space != std::string::npos) {
            channel = message.reference.substr(0, space);
            thread = message.reference.substr(space + 1);
        }
        JsonWriter rest;
        rest.begin_object().field("channel", channel);
        if (!thread.empty()) rest.field("thread_ts", thread);
        // What is over is to be seen in the channel, not in the thread alone.
        if (!thread.empty()) rest.key("reply_broadcast").boolean(message.kind == MessageKind::resolved);
        const std::string more = rest.end_object().str();
        auto reply = post(run, url_,
                          {{"Content-Type", "application/json; charset=utf-8"}, {"Authorization", "Bearer " + token_}},
                          body_of(message) + "," + more.substr(1));
        if (!reply.response) return reply.failure;
        if (reply.response->status >= 300) return refusal(run, "Slack", *reply.response);
        return judge(run, *reply.response);
    }

private:
    static SendOutcome judge(const RunContext& run, const HttpResponse& response) {
        const auto answer = nlohmann::json::parse(response.text(), nullptr, false);
        if (!answer.is_object() || !answer.contains("ok") || !answer["ok"].is_boolean()) {
            return SendOutcome::failed(Error(ErrorKind::unavailable, "Slack's answer is not one of its Web API: " +
                                                                         shorten(one_line(response.text()), 100)),
                                       true);
        }
        const auto text_of = [&](const char* name) {
            return answer.contains(name) && answer[name].is_string() ? answer[name].get<std::string>() : "";
        };
        if (answer["ok"].get<bool>()) {
            const std::string ts = text_of("ts"), channel = text_of("channel");
            return SendOutcome::delivered(ts.empty() || channel.empty() ? "" : channel + " " + ts);
        }
        const std::string said = text_of("error");
        const std::string text = "Slack refuses: " + (said.empty() ? "it does not say why" : said);
        if (!comes_again(said)) {
            return SendOutcome::failed(
                Error(is_of_credential(said) ? ErrorKind::auth : ErrorKind::invalid_config, text), false);
        }
        Error error(said == "ratelimited" || said == "rate_limited" ? ErrorKind::rate_limited : ErrorKind::unavailable,
                    text);
        if (const auto delay = retry_delay(run, response)) error = error.retry_after(*delay);
        return SendOutcome::failed(error, false);
    }

    const std::string url_;
    const std::string token_;
    const std::string to_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    if (options.has("url") == options.has("token")) {
        return Error(ErrorKind::invalid_config, "slack: give `url` of a webhook, or `token` and `to` of a bot")
            .at(options.place());
    }
    if (options.has("url")) {
        TRY(check_url(options, "url"));
        return std::make_unique<SlackWebhook>(options.text("url"));
    }
    if (options.text("to").empty()) return options.error("token", "with a token, `to` names the channel");
    TRY(check_url(options, "base_url"));
    return std::make_unique<SlackBot>(options);
}

std::string address(const Options& options) {
    return options.has("url") ? host_of(options.text("url")) : options.text("to");
}

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_slack;
const observe::ChannelSpec channel_slack{.name = "slack",
                                         .summary = "A channel of Slack, by a webhook, or by a bot in threads.",
                                         .fields = observe::kFields,
                                         .per_minute = 50,
                                         .make = observe::make,
                                         .address = observe::address};

}  // namespace shaduf
