// Mail, by any server of SMTP. What is told of one incident is one thread: the first mail's Message-ID follows from it.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "io/smtp.h"
#include "observe/channel_text.h"
#include "observe/mail_text.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kSecurities[] = {"starttls", "tls", "none"};
constexpr int64_t kPortMax = 65'535;
constexpr size_t kSubjectMax = 200;

constexpr FieldSpec kFields[] = {
    {.name = "host", .help = "The mail server.", .required = true, .example = "smtp.acme.example"},
    {.name = "port",
     .type = FieldType::integer,
     .help = "Its port; 587 with starttls, 465 with tls, 25 with none, unless given."},
    {.name = "security",
     .help = "starttls: TLS, which the server must offer; tls: from the first byte; none: in the clear.",
     .default_value = "starttls",
     .choices = kSecurities},
    {.name = "user", .help = "To sign in with; without it nobody signs in.", .secret = true},
    {.name = "password", .help = "Of the user.", .secret = true},
    {.name = "ca_file", .help = "Certificates that are trusted, in PEM; the system's unless given."},
    {.name = "from", .help = "Who writes.", .required = true, .example = "shaduf <alerts@acme.example>"},
    {.name = "to", .type = FieldType::text_list, .help = "Who is told.", .required = true, .secret = true},
};

std::string html_of(const AlertMessage& message) {
    const bool is_over = message.kind == MessageKind::resolved;
    const char* color = is_over ? "#1a7f37" : message.severity == Severity::error ? "#cf222e" : "#9a6700";
    std::string html =
        "<!DOCTYPE html>\n<html><body style=\"font-family: sans-serif\">\n<h3 style=\"color: " + std::string(color) +
        "\">" + escape_html(headline_of(message)) + "</h3>\n";
    const auto paragraph = [&](const char* name, const std::string& text) {
        if (!text.empty()) html += "<p>" + std::string(name) + escape_html(text) + "</p>\n";
    };
    for (const AlertLine& line : message.lines) {
        if (message.count > 1) paragraph(line.is_over ? "(over) " : "", line.title);
        if (!line.text.empty()) html += "<pre style=\"white-space: pre-wrap\">" + escape_html(line.text) + "</pre>\n";
        if (!is_over) paragraph("<b>Probable cause:</b> ", line.cause);
        if (!is_over) paragraph("<b>What to do:</b> ", line.advice);
        if (!line.link.empty()) html += "<p><a href=\"" + escape_html(line.link) + "\">Open</a></p>\n";
    }
    paragraph("", more_of(message, message.lines.size()));
    if (message.kind != MessageKind::test) {
        html += "<p style=\"color: #57606a\">Since " + format_timestamp(message.began) + ", by the rule " +
                escape_html(message.rule) + "</p>\n";
    }
    if (!message.link.empty()) html += "<p><a href=\"" + escape_html(message.link) + "\">All of it</a></p>\n";
    return html + "</body></html>\n";
}

// What a server says of addresses, without them.
std::string without(const std::vector<std::string>& addresses, std::string text) {
    for (const std::string& one : addresses) {
        for (size_t at = text.find(one); at != std::string::npos; at = text.find(one))
            text.replace(at, one.size(), "***");
    }
    return text;
}

class Email final : public Channel {
public:
    Email(SmtpServer server, std::string from, std::vector<std::string> to)
        : server_(std::move(server)), from_(std::move(from)), to_(std::move(to)) {
        const std::string bare = bare_address(from_);
        domain_ = bare.substr(bare.rfind('@') + 1);
    }

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        MailText mail;
        mail.from = from_;
        mail.to = to_;
        mail.subject = shorten(headline_of(message), kSubjectMax);
        mail.message_id = message.id() + "@" + domain_;
        if (message.number > 1) mail.in_reply_to = message.incident + "-1@" + domain_;
        mail.at = run.clock.now();
        mail.text = plain_text_of(message);
        mail.html = html_of(message);
        SmtpMail envelope{bare_address(from_), {}, mail_to_text(mail)};
        for (const std::string& address : to_) envelope.to.push_back(bare_address(address));
        SmtpOutcome sent = send_mail(run, server_, envelope);
        if (!sent.is_accepted) {
            return SendOutcome::failed(Error(sent.error->kind(), without(envelope.to, sent.error->message())),
                                       sent.may_be_accepted);
        }
        SendOutcome outcome = SendOutcome::delivered(mail.message_id);
        if (!sent.refused.empty()) {
            outcome.note = std::to_string(sent.refused.size()) + " of " + std::to_string(to_.size()) +
                           " addresses are not taken: " + without(envelope.to, sent.refused.front());
        }
        return outcome;
    }

private:
    const SmtpServer server_;
    const std::string from_;
    const std::vector<std::string> to_;
    std::string domain_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    using Security = SmtpServer::Security;
    SmtpServer server;
    server.host = options.text("host");
    const std::string security = options.text("security");
    server.security = security == "tls" ? Security::tls : security == "none" ? Security::none : Security::starttls;
    server.port = server.security == Security::tls ? 465 : server.security == Security::none ? 25 : 587;
    if (options.has("port")) {
        const int64_t port = options.integer("port");
        if (port < 1 || port > kPortMax) return options.error("port", "expected a number from 1 to 65535");
        server.port = static_cast<int>(port);
    }
    server.user = options.text("user");
    server.password = options.text("password");
    server.ca_file = options.text("ca_file");
    if (server.host.find_first_of("/@ \r\n") != std::string::npos) {
        return options.error("host", "expected a name such as smtp.acme.example, found " + server.host);
    }
    if (server.user.empty() != server.password.empty()) {
        return options.error("user", "it and the password go together; give both or neither");
    }
    if (bare_address(options.text("from")).empty()) {
        return options.error("from", "not an address such as alerts@acme.example");
    }
    for (const std::string& address : options.text_list("to")) {
        if (bare_address(address).empty()) return options.error("to", "one of them is not an address of mail");
    }
    if (options.text_list("to").empty()) return options.error("to", "nobody would be told; give an address");
    return std::make_unique<Email>(std::move(server), options.text("from"), options.text_list("to"));
}

std::string address(const Options& options) {
    const auto to = options.text_list("to");
    std::set<std::string> domains;
    for (const std::string& one : to) {
        const std::string bare = bare_address(one);
        domains.insert(bare.substr(bare.rfind('@') + 1));
    }
    return std::to_string(to.size()) + (to.size() == 1 ? " address at " : " addresses at ") +
           join(std::vector<std::string>(domains.begin(), domains.end()), ", ");
}

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_email;
const observe::ChannelSpec channel_email{.name = "email",
                                         .summary = "Mail by a server of SMTP, each alert a thread.",
                                         .fields = observe::kFields,
                                         .per_minute = 30,
                                         .make = observe::make,
                                         .address = observe::address};

}  // namespace shaduf
