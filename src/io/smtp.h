#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"

namespace shaduf {

// How a mail gets to its server.
struct SmtpServer {
    enum class Security : uint8_t {
        starttls,  // in the clear at first; ends when the server does not offer to go on in TLS
        tls,       // from the first byte
        none,      // in the clear, passwords too
    };
    std::string host;
    int port = 587;
    Security security = Security::starttls;
    std::string user;  // "": without signing in
    std::string password;
    std::string ca_file;  // "": the system's
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds idle_timeout{30'000};  // without anything arriving
};

struct SmtpMail {
    std::string from;             // bare addresses: "ada@acme.example"
    std::vector<std::string> to;  // one at least
    std::string text;             // headers and body, lines parted by CRLF; dots are doubled on the way
};

// How it has ended.
struct SmtpOutcome {
    bool is_accepted = false;          // the server has it, for at least one of the recipients
    bool may_be_accepted = false;      // the connection broke behind the whole mail
    std::vector<std::string> refused;  // what was said of recipients that it does not take
    std::optional<Error> error = {};   // unless accepted. By the server's code: 4xx is unavailable and may pass, 5xx is
                                       // invalid_config, or auth where it refused to let us sign in
};

// Sends one mail, in one try. Nothing is sent in the clear that the server was to encrypt. Ends within a second of
// cancellation. No error names the password. Thread-safe.
SmtpOutcome send_mail(const RunContext& run, const SmtpServer& server, const SmtpMail& mail);

}  // namespace shaduf
