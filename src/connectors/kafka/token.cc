#include "connectors/kafka/token.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "data/json_page.h"
#include "io/crypto.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf::kafka {
namespace {

constexpr double kLifetimeDefault = 300;   // seconds, when the server tells none
constexpr double kLifetimeMax = 86'400.0;  // seconds

Result<KafkaToken> fetch(RunContext& run, const TokenSettings& settings) {
    QueryParams form{{"grant_type", "client_credentials"}};
    if (!settings.scope.empty()) form.emplace_back("scope", settings.scope);
    HttpRequest request;
    request.method = "POST";
    request.url = settings.url;
    // RFC 6749, 2.3.1: both are form-encoded first.
    const std::string login = percent_encode(settings.client_id) + ":" + percent_encode(settings.client_secret);
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"Accept", "application/json"},
                       {"Authorization", "Basic " + to_base64(login)}};
    request.body = format_query(form);
    const auto response = TRY(run.http.send(run, request));
    const std::string what = "POST " + printable_url(request.url);
    if (response.status >= 400) {
        const Error error = http_error(run, request, response);
        if (error.may_retry()) return error;
        return Error(ErrorKind::auth, "token refused: " + error.message() +
                                          "; check oauth_client_id and oauth_client_secret of the connection");
    }
    const auto page = TRY(JsonPage::parse(response.body, what));
    const auto token = page.scalar({"access_token"});
    if (!token || token->text.empty()) {
        return Error(ErrorKind::auth, "no access_token in the answer of " + what + "; check oauth_token_url");
    }
    double seconds = kLifetimeDefault;
    if (const auto lifetime = page.scalar({"expires_in"})) {
        seconds = std::clamp(std::strtod(lifetime->text.c_str(), nullptr), 1.0, kLifetimeMax);
    }
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.now().time_since_epoch());
    return KafkaToken{token->text, settings.client_id, now.count() + static_cast<int64_t>(seconds * 1000)};
}

}  // namespace

KafkaTokenSource make_token_source(RunContext& run, TokenSettings settings) {
    return [&run, settings = std::move(settings)] { return fetch(run, settings); };
}

}  // namespace shaduf::kafka
