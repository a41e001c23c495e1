#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "io/http_server.h"
#include "server/endpoint.h"

namespace shaduf::server {

struct ServeContext;

// From a request and who sends it to the endpoint's handler, and from what that gives to an answer: checks the role,
// the query, the body's size and shape, and writes what changes something into the audit log before it is done.
// Immutable; thread-safe.
class Router {
public:
    Router(const Registry<ApiSpec>& apis, ServeContext& serve);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // The endpoint of a call; nullptr: there is none.
    const EndpointSpec* find(std::string_view method, std::string_view target) const;
    HttpServerResponse handle(const HttpServerRequest& request, const Caller& caller) const;
    uint64_t body_bytes_max() const;  // of all endpoints

private:
    struct Route;
    struct Match;
    Match match(std::string_view method, std::string_view target) const;
    Result<ApiAnswer> call(const Route& route, ApiCall& call) const;

    std::vector<Route> routes_;
    ServeContext& serve_;
};

}  // namespace shaduf::server
