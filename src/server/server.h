#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/registry.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "flow/flow_platform.h"
#include "observe/anomalies/anomaly_watch.h"
#include "server/alert_watch.h"
#include "server/audit_log.h"
#include "server/event_export.h"
#include "server/flow_feed.h"
#include "server/live_events.h"
#include "server/project_watch.h"
#include "server/run_views.h"
#include "server/serve_context.h"
#include "server/serve_log.h"
#include "server/server_metrics.h"
#include "server/site.h"
#include "server/users.h"

namespace shaduf::server {

// A server of one project: scheduler, API, live events and UI in this process; where the project's `state` is a
// database, one of several that share it. Lifecycle: `start`, any time later `stop`. The parts outlive it.
class Server {
public:
    struct Options {
        std::string host = "127.0.0.1";
        int port = 8200;  // 0: a free one
        std::string ui_folder;
        std::string tls_certificate_file;
        std::string tls_key_file;
        size_t places = 16;  // tasks at the same time, where several processes share the work; 0: it leaves them all
        bool are_metrics_open = false;  // /metrics, to everybody who reaches the server
    };
    struct Parts {
        RunContext& world;
        const Registry<ConnectorSpec>& connectors;
        ServeLog& log;
        std::string folder;  // of the project
        ProjectRoom::Read read;
        std::string version;
        // Reads another folder in the same way (ServeContext); empty: files cannot be tried out before they are saved.
        decltype(ServeContext::read_folder) read_folder = {};
    };
    // invalid_config: another address than a loopback one without any user; conflict: the port is taken, or another
    // process serves the project. What is wrong with the project's files is told as `errors`, all of it.
    static Result<std::unique_ptr<Server>> start(Parts parts, const Options& options, std::vector<Error>& errors);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::string url() const { return http_->url(); }
    size_t flows() const { return platform_->flows()->flows.size(); }
    bool is_open_to_machine() { return is_open(*serve_); }
    // Nothing new begins, and /readyz says so; what runs may end within this time, then it is stopped.
    void stop(std::chrono::milliseconds within);
    // Why nothing is decided any more, if so.
    std::optional<Error> failure() const { return platform_->failure(); }

private:
    explicit Server(Parts parts);
    Result<void> begin(const Options& options, std::vector<Error>& errors);
    Result<void> begin_platform(const Options& options);
    Result<void> listen(const Options& options);
    static bool is_open(ServeContext& serve);
    void watch_tables();
    void reload();

    const Parts parts_;
    Registry<TaskTypeSpec> task_types_;
    Registry<ApiSpec> apis_;
    ProjectRoom room_;
    LiveEvents live_;
    AuditLog audit_;
    FlowFeed feed_{live_};
    ServerMetrics metrics_;
    observe::SignalSink signals_;                                  // what people may want to be told of
    std::atomic<observe::AnomalyWatch*> told_anomalies_{nullptr};  // once it is there
    std::atomic<RunViews*> told_views_{nullptr};  // by whom tasks are named in the log, once there are views
    std::unique_ptr<Users> users_;
    std::unique_ptr<FlowPlatform> platform_;
    std::unique_ptr<RunViews> views_;
    std::unique_ptr<AlertWatch> alert_watch_;
    std::atomic<AlertWatch*> told_watch_{nullptr};  // once there is one
    std::unique_ptr<observe::AnomalyWatch> anomalies_;
    std::unique_ptr<ServeContext> serve_;
    std::unique_ptr<EventExport> events_;
    std::atomic<EventExport*> told_events_{nullptr};
    std::unique_ptr<Router> router_;
    std::unique_ptr<Site> site_;
    std::unique_ptr<HttpServer> http_;
    std::atomic<bool> is_draining_{false};
    bool is_stopped_ = false;
    std::unique_ptr<ProjectWatch> watch_;
};

}  // namespace shaduf::server
