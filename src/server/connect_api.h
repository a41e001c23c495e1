#pragma once

#include "io/http_server.h"
#include "server/connector_host.h"

namespace shaduf::server {

// The REST calls of Kafka Connect (KIP-26, 475, 507, 745, 875, 894, 980) over a ConnectorHost, with its paths, bodies
// and error codes, so that tools which manage connectors keep working. Thread-safe; the host outlives it.
class ConnectApi {
public:
    ConnectApi(ConnectorHost& host, std::string worker_id) : host_(host), worker_id_(std::move(worker_id)) {}

    HttpServerResponse handle(const HttpServerRequest& request) const;

private:
    struct Call;
    using Handler = HttpServerResponse (ConnectApi::*)(const Call&) const;
    struct Route {
        std::string_view method;
        std::string_view path;  // a part in braces takes any one word
        Handler handler;
    };
    static const std::vector<Route>& routes();

    HttpServerResponse about(const Call& call) const;
    HttpServerResponse list(const Call& call) const;
    HttpServerResponse create(const Call& call) const;
    HttpServerResponse show(const Call& call) const;
    HttpServerResponse remove(const Call& call) const;
    HttpServerResponse show_config(const Call& call) const;
    HttpServerResponse put_config(const Call& call) const;
    HttpServerResponse patch_config(const Call& call) const;
    HttpServerResponse show_status(const Call& call) const;
    HttpServerResponse pause(const Call& call) const;
    HttpServerResponse resume(const Call& call) const;
    HttpServerResponse stop(const Call& call) const;
    HttpServerResponse restart(const Call& call) const;
    HttpServerResponse show_tasks(const Call& call) const;
    HttpServerResponse show_task(const Call& call) const;
    HttpServerResponse restart_task(const Call& call) const;
    HttpServerResponse show_topics(const Call& call) const;
    HttpServerResponse reset_topics(const Call& call) const;
    HttpServerResponse show_offsets(const Call& call) const;
    HttpServerResponse patch_offsets(const Call& call) const;
    HttpServerResponse forget_offsets(const Call& call) const;
    HttpServerResponse plugins(const Call& call) const;
    HttpServerResponse validate(const Call& call) const;

    ConnectorHost& host_;
    const std::string worker_id_;
};

}  // namespace shaduf::server
