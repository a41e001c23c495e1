#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/rest/archive.h"
#include "connectors/rest/auth.h"
#include "connectors/rest/limiter.h"
#include "connectors/rest/settings.h"
#include "io/http.h"

namespace shaduf::rest {

// What all streams of a connection in this process share. Kept by the transport, under the connection's name and
// settings, as long as one of them holds it: so limits hold across pipelines without a global.
struct SharedConnection {
    explicit SharedConnection(const ConnectionSettings& settings);
    Limiter limiter;
    Authenticator auth;
};

// Sends the requests of one stream with the connection's headers, credentials and limits. Thread-safe.
class Client {
public:
    static Result<std::unique_ptr<Client>> create(RunContext& run, const ConnectionSettings& settings,
                                                  std::string stream);

    // The URL of a path of the API: appended to the base URL; a whole URL only of the same site or a trusted host.
    Result<std::string> resolve(std::string_view path) const;
    // The URL that a page names as the next one, found at `current`.
    Result<std::string> resolve_next(const std::string& current, std::string_view reference) const;
    // An answer of status 2xx, or one of `accepted`. Every other status is an error, retried or not by the connection's
    // rules; after a 401 it is tried once more with a new token. Kept in the archive.
    Result<HttpResponse> send(RunContext& run, HttpRequest request, std::span<const int> accepted = {});
    Result<void> remove_old_answers(RunContext& run);
    int64_t concurrency() const { return settings_.concurrency; }

private:
    Client(ConnectionSettings settings, std::string stream, std::shared_ptr<SharedConnection> shared,
           std::unique_ptr<Archive> archive);
    Result<HttpResponse> exchange(RunContext& run, const HttpRequest& request);
    Error status_error(const RunContext& run, const HttpRequest& request, const HttpResponse& response);
    Result<std::string> check_site(const Url& from, const Url& to) const;

    const ConnectionSettings settings_;
    const std::string stream_;
    const std::shared_ptr<SharedConnection> shared_;
    const std::unique_ptr<Archive> archive_;
};

}  // namespace shaduf::rest
