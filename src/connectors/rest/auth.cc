#include "connectors/rest/auth.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "data/json_page.h"
#include "io/crypto.h"

namespace shaduf::rest {
namespace {

constexpr auto kExpiryMargin = std::chrono::seconds(60);
constexpr double kLifetimeMax = 10 * 365 * 86'400.0;  // seconds

void set_header(HttpRequest& request, std::string_view name, std::string value) {
    std::erase_if(request.headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
    request.headers.emplace_back(name, std::move(value));
}

std::string basic_value(const std::string& username, const std::string& password) {
    return "Basic " + to_base64(username + ":" + password);
}

}  // namespace

Authenticator::Authenticator(AuthSettings settings)
    : settings_(std::move(settings)), refresh_token_(settings_.refresh_token) {}

Result<void> Authenticator::apply(RunContext& run, HttpRequest& request) {
    const auto bearer = [&](const std::string& token) {
        return settings_.prefix.empty() ? token : settings_.prefix + " " + token;
    };
    switch (settings_.kind) {
        case AuthKind::none: break;
        case AuthKind::basic:
            set_header(request, "Authorization", basic_value(settings_.username, settings_.password));
            break;
        case AuthKind::bearer: set_header(request, "Authorization", bearer(settings_.token)); break;
        case AuthKind::oauth2: set_header(request, "Authorization", bearer(TRY(token(run)))); break;
        case AuthKind::api_key:
            if (settings_.place == KeyPlace::header) {
                set_header(request, settings_.name, settings_.token);
            } else {
                request.url = with_query_param(request.url, settings_.name, settings_.token);
                request.secret_params.push_back(settings_.name);
            }
            break;
    }
    return {};
}

bool Authenticator::renew(const HttpRequest& request) {
    if (settings_.kind != AuthKind::oauth2) return false;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, value] : request.headers) {
        // Another thread may have renewed it in the meantime.
        if (!access_token_.empty() && name == "Authorization" && value.ends_with(access_token_)) access_token_.clear();
    }
    return true;
}

Result<std::string> Authenticator::token(RunContext& run) {
    const std::lock_guard lock(mutex_);
    const bool expired = expires_at_ && run.clock.now() >= *expires_at_;
    if (access_token_.empty() || expired) TRY(fetch_token(run));
    return access_token_;
}

HttpRequest Authenticator::token_request() const {
    QueryParams form;
    if (refresh_token_.empty()) {
        form.emplace_back("grant_type", "client_credentials");
    } else {
        form.emplace_back("grant_type", "refresh_token");
        form.emplace_back("refresh_token", refresh_token_);
    }
    if (!settings_.scope.empty()) form.emplace_back("scope", settings_.scope);
    HttpRequest request;
    request.method = "POST";
    request.url = settings_.token_url;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    if (settings_.client_auth == ClientAuth::basic) {
        // RFC 6749, 2.3.1: both are form-encoded first.
        const auto header = basic_value(percent_encode(settings_.client_id), percent_encode(settings_.client_secret));
        request.headers.emplace_back("Authorization", header);
    } else {
        form.emplace_back("client_id", settings_.client_id);
        if (!settings_.client_secret.empty()) form.emplace_back("client_secret", settings_.client_secret);
    }
    form.insert(form.end(), settings_.token_params.begin(), settings_.token_params.end());
    request.body = format_query(form);
    return request;
}

Result<void> Authenticator::fetch_token(RunContext& run) {
    const HttpRequest request = token_request();
    const auto response = TRY(run.http.send(run, request));
    const std::string what = "POST " + printable_url(request.url);
    if (response.status >= 400) {
        const Error error = http_error(run, request, response);
        if (error.may_retry()) return error;
        // The body of a refusal (RFC 6749, 5.2) is made for people, and holds no secret.
        return Error(ErrorKind::auth, "token refused: " + error.message() + "; renew the client's credentials");
    }
    const auto page = TRY(JsonPage::parse(response.body, what));
    const auto access_token = page.scalar({"access_token"});
    if (!access_token || access_token->text.empty())
        return Error(ErrorKind::auth, "no access_token in the answer of " + what + "; check token_url");
    access_token_ = access_token->text;
    // Some servers give a new refresh token each time, and end the old one.
    if (const auto next = page.scalar({"refresh_token"}); next && !refresh_token_.empty()) refresh_token_ = next->text;
    expires_at_.reset();
    if (const auto lifetime = page.scalar({"expires_in"})) {
        const double seconds = std::clamp(std::strtod(lifetime->text.c_str(), nullptr), 0.0, kLifetimeMax);
        const auto whole = std::chrono::seconds(static_cast<int64_t>(seconds));
        expires_at_ = run.clock.now() + whole - std::min<std::chrono::seconds>(kExpiryMargin, whole / 10);
    }
    return {};
}

}  // namespace shaduf::rest
