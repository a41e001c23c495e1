// Telegram's Bot API: sendMessage. Texts are HTML, of which three characters are escaped.
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kTextMax = 4'000;  // Telegram takes 4,096 characters
constexpr size_t kLineMax = 400;
constexpr size_t kShortMax = 200;
constexpr size_t kMoreMax = 40;  // what "and 490 more" takes

constexpr FieldSpec kFields[] = {
    {.name = "token", .help = "Of the bot.", .required = true, .secret = true},
    {.name = "chat", .help = "The id of the chat, or @name of a public one.", .required = true, .secret = true},
    {.name = "silent", .type = FieldType::boolean, .help = "Whether messages make no sound.", .default_value = "false"},
    {.name = "base_url", .help = "Where the Bot API is.", .default_value = "https://api.telegram.org"},
};

std::string text_of(const AlertMessage& message) {
    std::string text = "<b>" + escape_html(shorten(headline_of(message), kLineMax)) + "</b>\n";
    size_t shown = 0;
    for (const AlertLine& line : message.lines) {
        std::string part = "\n";
        if (message.count > 1)
            part += (line.is_over ? "(over) <b>" : "<b>") + escape_html(shorten(one_line(line.title), kShortMax)) +
                    "</b>\n";
        if (!line.text.empty()) part += escape_html(shorten(line.text, kLineMax)) + "\n";
        const bool is_over = message.kind == MessageKind::resolved;
        if (!is_over && !line.cause.empty())
            part += "<i>Probable cause:</i> " + escape_html(shorten(line.cause, kShortMax)) + "\n";
        if (!is_over && !line.advice.empty())
            part += "<i>What to do:</i> " + escape_html(shorten(line.advice, kShortMax)) + "\n";
        if (!line.link.empty()) part += "<a href=\"" + escape_html(line.link) + "\">Open</a>\n";
        if (text.size() + part.size() + kMoreMax > kTextMax) break;
        text += part;
        ++shown;
    }
    const std::string more = more_of(message, shown);
    if (!more.empty()) text += "\n" + more + "\n";
    return text;
}

// What is no id of a message came from a channel of another type that had the name before.
bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

class Telegram final : public Channel {
public:
    explicit Telegram(const Options& options)
        : url_(options.text("base_url") + "/bot" + options.text("token") + "/sendMessage"),
          token_(options.text("token")),
          chat_(options.text("chat")),
          is_silent_(options.boolean("silent")) {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        std::string moved;
        SendOutcome outcome = send_to(run, message, chat_, moved);
        if (moved.empty()) return outcome;
        // A group that became a supergroup has another id; the message was not sent to the old one.
        std::string again;
        outcome = send_to(run, message, moved, again);
        if (!outcome.is_delivered) return outcome;
        chat_ = moved;
        outcome.note = "the chat has another id now, which Telegram tells with each message: write it into shaduf.yml";
        return outcome;
    }

private:
    SendOutcome send_to(RunContext& run, const AlertMessage& message, const std::string& chat,
                        std::string& moved) const {
        JsonWriter json;
        json.begin_object().field("chat_id", chat).field("text", text_of(message)).field("parse_mode", "HTML");
        json.key("disable_notification").boolean(is_silent_);
        json.key("link_preview_options").begin_object().key("is_disabled").boolean(true).end_object();
        if (is_number(message.reference)) {
            json.key("reply_parameters").begin_object().key("message_id").raw(message.reference);
            json.key("allow_sending_without_reply").boolean(true).end_object();
        }
        auto reply = post(run, url_, {{"Content-Type", "application/json"}}, json.end_object().str());
        if (!reply.response) return without_token(reply.failure);
        return judge(run, *reply.response, moved);
    }

    // The address has the token in its path.
    SendOutcome without_token(const SendOutcome& failure) const {
        SendOutcome outcome = failure;
        const Error said = failure.error.value_or(Error(ErrorKind::internal, "the message was not sent"));
        std::string text = said.to_string();
        for (size_t at = text.find(token_); at != std::string::npos; at = text.find(token_)) {
            text.replace(at, token_.size(), "***");
        }
        outcome.error = Error(said.kind(), text);
        return outcome;
    }

    static SendOutcome judge(const RunContext& run, const HttpResponse& response, std::string& moved) {
        const auto answer = nlohmann::json::parse(response.text(), nullptr, false);
        if (!answer.is_object() || !answer.contains("ok")) {
            if (response.status >= 300) return refusal(run, "Telegram", response);
            return SendOutcome::failed(Error(ErrorKind::unavailable, "Telegram's answer is none of its API"), true);
        }
        if (answer["ok"] == true) {
            const auto& result = answer.value("result", nlohmann::json::object());
            const bool has_id = result.is_object() && result.contains("message_id") && result["message_id"].is_number();
            return SendOutcome::delivered(has_id ? result["message_id"].dump() : "");
        }
        const auto parameters = answer.value("parameters", nlohmann::json::object());
        const auto said = answer.contains("description") && answer["description"].is_string()
                              ? answer["description"].get<std::string>()
                              : std::string();
        SendOutcome outcome = refusal(run, "Telegram", response, said);
        if (parameters.contains("migrate_to_chat_id")) moved = parameters["migrate_to_chat_id"].dump();
        if (parameters.contains("retry_after") && parameters["retry_after"].is_number()) {
            const auto wait = std::chrono::seconds(parameters["retry_after"].get<int64_t>());
            outcome.error = Error(ErrorKind::rate_limited, outcome.error->message()).retry_after(wait);
        }
        return outcome;
    }

    const std::string url_;
    const std::string token_;
    std::string chat_;
    const bool is_silent_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    TRY(check_url(options, "base_url"));
    return std::make_unique<Telegram>(options);
}

std::string address(const Options& options) { return "a chat at " + host_of(options.text("base_url")); }

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_telegram;
const observe::ChannelSpec channel_telegram{.name = "telegram",
                                            .summary = "A chat of Telegram, by a bot.",
                                            .fields = observe::kFields,
                                            .per_minute = 20,
                                            .make = observe::make,
                                            .address = observe::address};

}  // namespace shaduf
