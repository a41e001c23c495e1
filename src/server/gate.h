#pragma once

#include <string>
#include <variant>

#include "io/http_server.h"
#include "server/endpoint.h"

namespace shaduf::server {

struct ServeContext;

// Who sends a request, and whether a page of somebody else's made the browser send it:
// - a token in `Authorization: Bearer`, which no browser sends by itself;
// - a session in a cookie, whose changes must bear the header X-CSRF-Token, bound to the session;
// - nobody, who on a loopback address without any user is "local", an admin.
// A request that a foreign page sent (Sec-Fetch-Site, Origin) is refused, and without sign-in one whose Host is no name
// of this machine, so that a foreign name which was pointed here (DNS rebinding) reaches nothing.
// The caller, or the answer that refuses. Thread-safe.
std::variant<Caller, HttpServerResponse> check_caller(const HttpServerRequest& request, ServeContext& serve);

// Whether anybody on this machine may do all: it listens on loopback alone, and there is no user.
bool is_open(ServeContext& serve);

// The secret of the session in the request's cookie; "" when there is none.
std::string session_of(const HttpServerRequest& request, bool is_tls);
// The Set-Cookie that keeps it; "" ends it.
std::string session_cookie(std::string_view secret, bool is_tls);

// Whether the name of a Host header, with or without a port, can only be this machine.
bool is_loopback_name(std::string_view host);

}  // namespace shaduf::server
