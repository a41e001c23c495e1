#include "server/site.h"

#include <algorithm>
#include <array>

#include "server/answers.h"
#include "server/gate.h"
#include "server/serve_context.h"
#include "server/server_metrics.h"
#include "server/users.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'";

HttpServerResponse plain(int status, std::string text) {
    HttpServerResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
    response.body = std::move(text);
    return response;
}

void add_security_headers(HttpHeaders& headers, bool is_tls) {
    headers.emplace_back("Content-Security-Policy", kContentPolicy);
    headers.emplace_back("X-Content-Type-Options", "nosniff");
    headers.emplace_back("X-Frame-Options", "DENY");
    headers.emplace_back("Referrer-Policy", "no-referrer");
    headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if (is_tls) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace

HttpServerResponse Site::ready() const {
    if (serve_.is_draining && serve_.is_draining()) return plain(503, "draining\n");
    RunFilter newest;
    newest.limit = 1;
    const auto runs = serve_.runs.runs(newest);
    if (!runs.ok()) return plain(503, "the store of runs does not answer\n");
    if (const auto any = serve_.users.has_any(); !any.ok()) return plain(503, "the users cannot be read\n");
    return plain(200, "ready\n");
}

HttpServerResponse Site::answer(const HttpServerRequest& request) const {
    if (request.path == "/healthz") return plain(200, "ok\n");
    if (request.path == "/readyz") return ready();
    if (request.path == "/metrics") return answer_metrics(request, serve_);
    if (request.path != "/api" && !request.path.starts_with("/api/")) {
        if (request.method != "GET" && request.method != "HEAD") return plain(405, "only GET is known here\n");
        return ui_.answer(request);
    }
    auto caller = check_caller(request, serve_);
    if (auto* refused = std::get_if<HttpServerResponse>(&caller)) return std::move(*refused);
    return router_.handle(request, std::get<Caller>(caller));
}

// By the endpoint, not by the path: paths have no end.
void Site::count(const HttpServerRequest& request, int status, std::chrono::steady_clock::time_point began) const {
    if (serve_.metrics == nullptr) return;
    constexpr auto kMethods = std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"});
    const auto* const known = std::find(kMethods.begin(), kMethods.end(), request.method);
    std::string_view route = "ui";
    if (request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics") {
        route = std::string_view(request.path).substr(1);
    } else if (request.path == "/api" || request.path.starts_with("/api/")) {
        const EndpointSpec* spec = router_.find(request.method, request.target);
        route = spec == nullptr ? "unknown" : spec->id;
    }
    const std::chrono::duration<double> took = serve_.world.clock.steady_now() - began;
    serve_.metrics->add(observe::metric::http_requests,
                        {route, known == kMethods.end() ? "other" : *known, std::to_string(status)});
    serve_.metrics->observe(observe::metric::http_duration, {route}, took.count());
}

HttpServerResponse Site::handle(const HttpServerRequest& request) const {
    const auto began = serve_.world.clock.steady_now();
    HttpServerResponse response = answer(request);
    count(request, response.status, began);
    add_security_headers(response.headers, serve_.is_tls);
    return response;
}

}  // namespace shaduf::server
