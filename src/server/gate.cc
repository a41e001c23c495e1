#include "server/gate.h"

#include "base/text.h"
#include "io/url.h"
#include "server/answers.h"
#include "server/serve_context.h"
#include "server/users.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// Browsers take a cookie of this beginning only over TLS, for this host and all of its paths.
std::string_view cookie_name(bool is_tls) { return is_tls ? "__Host-shaduf_session" : "shaduf_session"; }

bool is_change(std::string_view method) { return method != "GET" && method != "HEAD"; }

std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

// What a foreign page made the browser send. Programs send neither header.
bool is_foreign(const HttpServerRequest& request) {
    const std::string_view site = request.header("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none") return true;
    const std::string_view origin = request.header("Origin");
    if (origin.empty()) return false;
    const size_t scheme = origin.find("://");
    return scheme == std::string_view::npos || !equals_ignoring_case(origin.substr(scheme + 3), request.header("Host"));
}

}  // namespace

bool is_loopback_name(std::string_view host) {
    const std::string name = to_lower(host_of(host));
    if (name == "localhost" || name == "[::1]") return true;
    if (!name.starts_with("127.")) return false;
    return name.find_first_not_of("0123456789.") == std::string::npos;
}

bool is_open(ServeContext& serve) {
    if (!serve.is_loopback) return false;
    const auto any = serve.users.has_any();
    return any.ok() && !any.value();
}

std::string session_of(const HttpServerRequest& request, bool is_tls) {
    const std::string begin = std::string(cookie_name(is_tls)) + "=";
    for (const auto& [name, value] : request.headers) {
        if (!equals_ignoring_case(name, "Cookie")) continue;
        for (const std::string_view cookie : split(std::string_view(value), ';')) {
            if (trim(cookie).starts_with(begin)) return std::string(trim(cookie).substr(begin.size()));
        }
    }
    return "";
}

std::string session_cookie(std::string_view secret, bool is_tls) {
    std::string cookie = std::string(cookie_name(is_tls)) + "=" + std::string(secret);
    cookie += "; Path=/; HttpOnly; SameSite=Strict";
    if (is_tls) cookie += "; Secure";
    if (secret.empty()) cookie += "; Max-Age=0";
    return cookie;
}

std::variant<Caller, HttpServerResponse> check_caller(const HttpServerRequest& request, ServeContext& serve) {
    const bool open = is_open(serve);
    if (open && !is_loopback_name(request.header("Host"))) {
        return refuse(421, "denied",
                      "without users this server answers to names of this machine alone, not to " +
                          std::string(request.header("Host")) + "; use localhost, or add a user");
    }
    if (is_foreign(request)) return refuse(403, "denied", "the page of another site sent this request");
    const std::string_view authorization = request.header("Authorization");
    if (authorization.starts_with(kBearer)) {
        auto caller = serve.users.token(trim(authorization.substr(kBearer.size())));
        if (!caller.ok()) return answer_of(caller.error());
        if (!caller.value()) return refuse(401, "denied", "no such token, or it has expired");
        caller.value()->address = request.address;
        return *caller.value();
    }
    const std::string secret = session_of(request, serve.is_tls);
    if (!secret.empty()) {
        auto caller = serve.users.session(secret);
        if (!caller.ok()) return answer_of(caller.error());
        if (caller.value()) {
            if (is_change(request.method) &&
                !equals_in_constant_time(request.header("X-CSRF-Token"), csrf_of(secret))) {
                return refuse(403, "denied", "the header X-CSRF-Token is missing, or not that of the session; reload");
            }
            caller.value()->address = request.address;
            return *caller.value();
        }
    }
    if (open) return Caller{"local", Role::admin, {}, request.address};
    return Caller{"", Role::nobody, {}, request.address};
}

}  // namespace shaduf::server
