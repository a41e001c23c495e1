#include "connectors/google_ads/rules.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/retry.h"
#include "base/run_events.h"
#include "base/time.h"
#include "connectors/google_ads/failure.h"
#include "data/json_page.h"
#include "io/crypto.h"
#include "io/url.h"

namespace shaduf::google_ads {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/adwords";
constexpr std::string_view kJwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::chrono::seconds kAssertionLife{3600};
constexpr std::chrono::seconds kExpiryMargin{120};
constexpr std::chrono::days kAnnounceWithin{7};
constexpr int64_t kLifetimeMax = 10 * 365 * 86'400;  // seconds

std::optional<std::chrono::seconds> seconds_at(const JsonPage& page, const char* key) {
    const auto found = page.scalar({key});
    if (!found) return std::nullopt;
    const double value = std::strtod(found->text.c_str(), nullptr);
    return std::chrono::seconds(static_cast<int64_t>(std::clamp(value, 0.0, static_cast<double>(kLifetimeMax))));
}

// What the token endpoint refuses, and what helps: https://developers.google.com/identity/protocols/oauth2
std::string advice_for(const std::string& status, bool is_service) {
    if (status == "invalid_client" || status == "unauthorized_client")
        return is_service ? "check that the key belongs to the service account and, with subject, that domain-wide "
                            "delegation covers the scope https://www.googleapis.com/auth/adwords"
                          : "correct client_id and client_secret (Google Cloud console, Credentials)";
    if (is_service) return "make a new key of the service account, and see that the machine's clock is right";
    if (status == "invalid_grant")
        return "the refresh token has expired or was revoked: sign in again with the scope "
               "https://www.googleapis.com/auth/adwords and set refresh_token; an OAuth client in testing gives "
               "tokens of 7 days only, publish it";
    return "correct client_id, client_secret and refresh_token";
}

// "123" of ".../customers/123/googleAds:searchStream".
std::string customer_of(const std::string& url) {
    constexpr std::string_view kBefore = "/customers/";
    const auto begin = url.find(kBefore);
    if (begin == std::string::npos) return "";
    const auto end = url.find('/', begin + kBefore.size());
    return end == std::string::npos ? "" : url.substr(begin + kBefore.size(), end - begin - kBefore.size());
}

}  // namespace

Result<std::string> TokenSource::token(RunContext& run) {
    const std::lock_guard lock(mutex_);
    if (token_.empty() || run.clock.now() >= expires_at_)
        TRY(with_retries(run, RetryPolicy{}, [&] { return fetch(run); }));
    return token_;
}

void TokenSource::discard(std::string_view token) {
    const std::lock_guard lock(mutex_);
    if (token_ == token) token_.clear();
}

std::string TokenSource::current() {
    const std::lock_guard lock(mutex_);
    return token_;
}

// RFC 7523: claims signed with the service account's key.
Result<std::string> TokenSource::assertion(RunContext& run) const {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(run.clock.now().time_since_epoch());
    nlohmann::json claims = {{"iss", credentials_.service_email},
                             {"scope", kScope},
                             {"aud", credentials_.token_url},
                             {"iat", now.count()},
                             {"exp", (now + kAssertionLife).count()}};
    if (!credentials_.subject.empty()) claims["sub"] = credentials_.subject;
    const std::string head = to_base64url(R"({"alg":"RS256","typ":"JWT"})");
    const std::string text = head + "." + to_base64url(claims.dump());
    return text + "." + to_base64url(TRY(sign_rs256(credentials_.private_key, text)));
}

Result<HttpRequest> TokenSource::token_request(RunContext& run) const {
    QueryParams form;
    if (credentials_.service_email.empty()) {
        form = {{"grant_type", "refresh_token"},
                {"client_id", credentials_.client_id},
                {"client_secret", credentials_.client_secret},
                {"refresh_token", credentials_.refresh_token}};
    } else {
        form = {{"grant_type", std::string(kJwtGrant)}, {"assertion", TRY(assertion(run))}};
    }
    HttpRequest request;
    request.method = "POST";
    request.url = credentials_.token_url;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    request.body = format_query(form);
    return request;
}

Result<void> TokenSource::fetch(RunContext& run) {
    const HttpRequest request = TRY(token_request(run));
    const auto response = TRY(run.http.send(run, request));
    const std::string what = "POST " + printable_url(request.url);
    if (response.status >= 400) {
        const Error error = http_error(run, request, response);
        if (error.may_retry()) return error;
        const Failure failure = failure_of(response);
        std::string said = failure.status.empty() ? "HTTP " + std::to_string(response.status) : failure.status;
        if (!failure.message.empty()) said += ": " + failure.message;
        return Error(ErrorKind::auth, "Google refused a token (" + what + "): " + said + "; " +
                                          advice_for(failure.status, !credentials_.service_email.empty()));
    }
    const auto page = TRY(JsonPage::parse(response.body, what));
    const auto token = page.scalar({"access_token"});
    if (!token || token->text.empty())
        return Error(ErrorKind::auth, "no access_token in the answer of " + what + "; check token_url");
    token_ = token->text;
    const auto life = seconds_at(page, "expires_in").value_or(std::chrono::hours(1));
    expires_at_ = run.clock.now() + life - std::min(kExpiryMargin, life / 10);
    if (const auto left = seconds_at(page, "refresh_token_expires_in")) announce_end(run, *left);
    return {};
}

void TokenSource::announce_end(RunContext& run, std::chrono::seconds left) {
    if (announced_ || left > kAnnounceWithin || left.count() == 0) return;
    announced_ = true;
    run.events.message(Severity::warning, "google_ads",
                       "the refresh token ends at " + format_timestamp(run.clock.now() + left) +
                           "; sign in again before and set refresh_token (an OAuth client in testing gives tokens of "
                           "7 days only: publish it)");
}

Result<void> Rules::authorize(RunContext& run, HttpRequest& request) {
    std::erase_if(request.headers, [](const auto& header) { return header.first == "Authorization"; });
    request.headers.emplace_back("Authorization", "Bearer " + TRY(tokens_->token(run)));
    if (!developer_token_.empty()) request.headers.emplace_back("developer-token", developer_token_);
    return {};
}

bool Rules::renew(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) {
        if (name == "Authorization")
            tokens_->discard(std::string_view(value).substr(std::string_view("Bearer ").size()));
    }
    return true;
}

// What limits one account keeps all who ask for it waiting, and nobody else.
ads::Judgement Rules::judge(const RunContext& run, const HttpRequest& request, const HttpResponse& response) const {
    if (response.status >= 200 && response.status < 300) return {};
    const Failure failure = failure_of(response);
    ads::Judgement judgement = google_ads::judge(run, failure);
    const std::string customer = customer_of(request.url);
    if (judgement.verdict == ads::Verdict::transient && judgement.wait && failure.limits_account() && !customer.empty())
        run.rates.pause(account_key(project_key_, customer), run.clock.now() + *judgement.wait);
    return judgement;
}

std::string account_key(const std::string& project_key, std::string_view customer) {
    return project_key + ":" + std::string(customer);
}

std::string fingerprint(const Credentials& credentials) {
    const std::string who = credentials.service_email.empty() ? credentials.client_id : credentials.service_email;
    std::string all = credentials.token_url + "\n" + who + "\n" + credentials.client_secret + "\n" +
                      credentials.refresh_token + "\n" + credentials.private_key + "\n" + credentials.subject;
    return to_hex(sha256(all)).substr(0, 16);
}

std::shared_ptr<TokenSource> shared_tokens(RunContext& run, const Credentials& credentials) {
    auto made = run.http.shared_state("google_ads token " + fingerprint(credentials), [&]() -> std::shared_ptr<void> {
        return std::make_shared<TokenSource>(credentials);
    });
    return std::static_pointer_cast<TokenSource>(made);
}

}  // namespace shaduf::google_ads
