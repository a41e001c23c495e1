#include "connectors/rest/client.h"

#include <algorithm>

#include "base/clock.h"
#include "base/retry.h"
#include "io/crypto.h"
#include "io/url.h"

namespace shaduf::rest {
namespace {

bool contains(std::span<const int> statuses, int status) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

// Names the shared state; of the credentials only a hash.
std::string shared_key(const ConnectionSettings& settings) {
    const AuthSettings& auth = settings.auth;
    std::string secrets;
    for (const std::string* part : {&auth.username, &auth.password, &auth.token, &auth.token_url, &auth.client_id,
                                    &auth.client_secret, &auth.refresh_token, &auth.scope})
        secrets += std::to_string(part->size()) + ":" + *part;
    return "rest:" + settings.name + ":" + settings.base_url + ":" + std::to_string(settings.requests_per_second) +
           ":" + std::to_string(settings.burst) + ":" + std::to_string(settings.concurrency) + ":" +
           to_hex(sha256(secrets));
}

}  // namespace

SharedConnection::SharedConnection(const ConnectionSettings& settings)
    : limiter({settings.requests_per_second, settings.burst, settings.concurrency}), auth(settings.auth) {}

Client::Client(ConnectionSettings settings, std::string stream, std::shared_ptr<SharedConnection> shared,
               std::unique_ptr<Archive> archive)
    : settings_(std::move(settings)),
      stream_(std::move(stream)),
      shared_(std::move(shared)),
      archive_(std::move(archive)) {}

Result<std::unique_ptr<Client>> Client::create(RunContext& run, const ConnectionSettings& settings,
                                               std::string stream) {
    auto archive = TRY(Archive::create(settings.archive));
    auto shared = run.http.shared_state(
        shared_key(settings), [&]() -> std::shared_ptr<void> { return std::make_shared<SharedConnection>(settings); });
    return std::unique_ptr<Client>(new Client(settings, std::move(stream),
                                              std::static_pointer_cast<SharedConnection>(std::move(shared)),
                                              std::move(archive)));
}

Result<std::string> Client::check_site(const Url& from, const Url& to) const {
    const auto trusted = [&](const std::string& host) { return host == to.host || host == to.authority(); };
    if (!is_same_site(from, to) &&
        std::none_of(settings_.trusted_hosts.begin(), settings_.trusted_hosts.end(), trusted))
        return Error(ErrorKind::invalid_config,
                     "another host would get the credentials: " + printable_url(to.to_string()) + ", linked from " +
                         from.origin() + "; add " + to.authority() + " to trusted_hosts if it is the same API");
    Url whole = to;
    whole.fragment.clear();
    return whole.to_string();
}

Result<std::string> Client::resolve(std::string_view path) const {
    const Url base = TRY(Url::parse(settings_.base_url));
    if (path.find("://") != std::string_view::npos) return check_site(base, TRY(Url::parse(path)));
    std::string url = settings_.base_url;
    if (path.empty()) return url;
    while (url.ends_with('/')) url.pop_back();
    if (!path.starts_with('/') && !path.starts_with('?')) url += '/';
    return url + std::string(path);
}

Result<std::string> Client::resolve_next(const std::string& current, std::string_view reference) const {
    const Url from = TRY(Url::parse(current));
    const auto to = resolve_reference(from, reference);
    if (!to.ok())
        return Error(ErrorKind::bad_data, "next URL is none: \"" + std::string(reference.substr(0, 200)) +
                                              "\" in the answer of " + printable_url(current));
    const std::string next = TRY(check_site(TRY(Url::parse(settings_.base_url)), to.value()));
    // Some APIs repeat the key in it; it is added anew to each request, and must not get into a checkpoint.
    const AuthSettings& auth = settings_.auth;
    const bool has_key = auth.kind == AuthKind::api_key && auth.place == KeyPlace::query;
    return has_key ? without_query_param(next, auth.name) : next;
}

Result<HttpResponse> Client::exchange(RunContext& run, const HttpRequest& request) {
    const auto permit = TRY(shared_->limiter.acquire(run));
    return run.http.send(run, request);
}

Error Client::status_error(const RunContext& run, const HttpRequest& request, const HttpResponse& response) {
    Error error = http_error(run, request, response);
    if (contains(settings_.give_up_on, response.status)) return error.permanent();
    if (!error.may_retry() && contains(settings_.retry_on, response.status)) {
        error = Error(ErrorKind::unavailable, error.message());
        if (const auto delay = retry_delay(run, response)) error = error.retry_after(*delay);
    }
    // One stream's refusal holds for all: the others wait as well. Unless it is for longer than anyone waits: then each
    // fails with an answer of its own.
    const auto delay = error.retry_delay();
    if (error.kind() == ErrorKind::rate_limited && delay && *delay <= RetryPolicy().server_delay_max)
        shared_->limiter.pause(run, *delay);
    return error;
}

Result<HttpResponse> Client::send(RunContext& run, HttpRequest request, std::span<const int> accepted) {
    for (const auto& header : settings_.headers) request.headers.push_back(header);
    request.connect_timeout = settings_.connect_timeout;
    request.idle_timeout = settings_.idle_timeout;
    request.response_bytes_max = settings_.response_bytes_max;
    for (bool renewed = false;; renewed = true) {
        HttpRequest authorized = request;
        TRY(shared_->auth.apply(run, authorized));
        auto response = TRY(exchange(run, authorized));
        const bool success = response.status >= 200 && response.status < 300;
        if (success && archive_ != nullptr) TRY(archive_->keep(run, stream_, authorized, response));
        if (success || contains(accepted, response.status)) return response;
        if (response.status == 401 && !renewed && shared_->auth.renew(authorized)) continue;
        if (response.status < 400)
            return Error(ErrorKind::bad_data, "HTTP status " + std::to_string(response.status) + " for " +
                                                  authorized.method + " " +
                                                  printable_url(authorized.url, authorized.secret_params));
        return status_error(run, authorized, response);
    }
}

Result<void> Client::remove_old_answers(RunContext& run) {
    return archive_ == nullptr ? Result<void>() : archive_->remove_old(run, stream_);
}

}  // namespace shaduf::rest
