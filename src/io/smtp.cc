#include "io/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "base/cancellation.h"
#include "base/text.h"

namespace shaduf {
namespace {

using Curl = std::unique_ptr<CURL, void (*)(CURL*)>;

struct Recipients {
    ~Recipients() { curl_slist_free_all(first); }
    void add(const std::string& address) { first = curl_slist_append(first, ("<" + address + ">").c_str()); }
    curl_slist* first = nullptr;
};

// What libcurl's callbacks see of an exchange.
struct Exchange {
    const RunContext& run;
    const SmtpServer& server;
    const SmtpMail& mail;
    size_t sent = 0;  // bytes of the text
    bool is_all_read = false;
    std::string refusal = {};               // the server's last line that is one
    std::vector<std::string> refused = {};  // of recipients
    std::chrono::steady_clock::time_point active_at = std::chrono::steady_clock::now();
    bool is_silent = false;
};

size_t on_read(char* out, size_t size, size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    const size_t most = std::min(size * count, exchange.mail.text.size() - exchange.sent);
    exchange.mail.text.copy(out, most, exchange.sent);
    exchange.sent += most;
    if (most == 0) exchange.is_all_read = true;
    exchange.active_at = std::chrono::steady_clock::now();
    return most;
}

// Each line that the server says.
size_t on_line(char* data, size_t size, size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    exchange.active_at = std::chrono::steady_clock::now();
    const std::string_view line = trim(std::string_view(data, size * count));
    if (!line.empty() && (line[0] == '4' || line[0] == '5')) exchange.refusal = line;
    return size * count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& exchange = *static_cast<Exchange*>(user);
    if (exchange.run.cancellation.canceled()) return 1;
    exchange.is_silent = std::chrono::steady_clock::now() - exchange.active_at >= exchange.server.idle_timeout;
    return exchange.is_silent ? 1 : 0;
}

// The protocol as it goes on, for what no option of libcurl tells: which recipients were refused.
int on_trace(CURL*, curl_infotype type, char* data, size_t size, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    thread_local bool is_about_recipient = false;
    if (type == CURLINFO_HEADER_OUT) is_about_recipient = std::string_view(data, size).starts_with("RCPT TO");
    if (type != CURLINFO_HEADER_IN || !is_about_recipient) return 0;
    const std::string_view line(data, size);
    if (line.size() > 3 && (line[0] == '4' || line[0] == '5')) exchange.refused.emplace_back(trim(line));
    return 0;
}

void set_server(CURL* curl, const SmtpServer& server) {
    using Security = SmtpServer::Security;
    const std::string host = server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
    const std::string url = std::string(server.security == Security::tls ? "smtps://" : "smtp://") + host + ":" +
                            std::to_string(server.port);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    const bool is_clear = server.security == Security::none;
    curl_easy_setopt(curl, CURLOPT_USE_SSL, is_clear ? CURLUSESSL_NONE : CURLUSESSL_ALL);
    if (!server.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, server.ca_file.c_str());
    if (!server.user.empty()) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, server.user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, server.password.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

void set_callbacks(CURL* curl, Exchange& exchange) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_trace);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
}

Error failure_of(const Exchange& exchange, CURLcode code, long status) {
    const SmtpServer& server = exchange.server;
    const std::string who = "mail server " + server.host + ":" + std::to_string(server.port);
    if (code == CURLE_USE_SSL_FAILED) {
        return Error(ErrorKind::unavailable, who + " does not go on in TLS, and nothing is sent in the clear" +
                                                 (exchange.refusal.empty() ? "" : ": " + exchange.refusal) +
                                                 "; write `security: tls` where it speaks TLS from the first byte");
    }
    if (exchange.is_silent) return Error(ErrorKind::unavailable, who + " says nothing any more");
    if (status >= 500) {
        const bool is_refused = code == CURLE_LOGIN_DENIED || status == 530 || status == 534 || status == 535;
        return Error(is_refused ? ErrorKind::auth : ErrorKind::invalid_config, who + " refuses: " + exchange.refusal);
    }
    if (status >= 400) return Error(ErrorKind::unavailable, who + " refuses for now: " + exchange.refusal);
    if (code == CURLE_LOGIN_DENIED) {
        return Error(ErrorKind::auth, who + " has no way to sign in that is known here; see its user and password");
    }
    return Error(ErrorKind::unavailable, who + ": " + curl_easy_strerror(code));
}

void init_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });  // counted, and by the transport of HTTP, too
}

}  // namespace

SmtpOutcome send_mail(const RunContext& run, const SmtpServer& server, const SmtpMail& mail) {
    init_curl_once();
    SmtpOutcome outcome;
    const Curl curl(curl_easy_init(), curl_easy_cleanup);
    if (curl == nullptr) {
        outcome.error = Error(ErrorKind::exhausted, "no memory for a mail");
        return outcome;
    }
    Exchange exchange{run, server, mail};
    Recipients recipients;
    for (const std::string& address : mail.to) recipients.add(address);
    set_server(curl.get(), server);
    set_callbacks(curl.get(), exchange);
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.first);
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    const CURLcode code = curl_easy_perform(curl.get());
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    outcome.refused = std::move(exchange.refused);
    if (code == CURLE_OK) {
        outcome.is_accepted = true;
        return outcome;
    }
    if (run.cancellation.canceled()) {
        outcome.error = Error(ErrorKind::canceled, "sending a mail was stopped");
    } else {
        outcome.error = failure_of(exchange, code, status);
    }
    outcome.may_be_accepted = exchange.is_all_read && status < 400;
    return outcome;
}

}  // namespace shaduf
