#pragma once

#include <chrono>
#include <string>

#include "io/http_server.h"
#include "server/router.h"
#include "server/ui_files.h"

namespace shaduf::server {

struct ServeContext;

// All that the server answers: the API behind the gate, /healthz and /readyz for whoever watches the process, /metrics
// for whoever may, the web UI under every other path; security headers on each. Each answer is counted. Thread-safe;
// what it is made of outlives it.
class Site {
public:
    Site(const Router& router, ServeContext& serve, std::string ui_folder)
        : router_(router), serve_(serve), ui_(std::move(ui_folder)) {}
    HttpServerResponse handle(const HttpServerRequest& request) const;

private:
    HttpServerResponse answer(const HttpServerRequest& request) const;
    HttpServerResponse ready() const;
    void count(const HttpServerRequest& request, int status, std::chrono::steady_clock::time_point began) const;

    const Router& router_;
    ServeContext& serve_;
    const UiFiles ui_;
};

}  // namespace shaduf::server
