#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/registry.h"
#include "base/run_context.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "flow/desk.h"
#include "flow/flow_files.h"
#include "flow/run_store.h"
#include "flow/task_board.h"
#include "flow/task_log.h"

namespace shaduf::observe {
class Alerts;        // observe/alerts/alerts.h
class AnomalyWatch;  // observe/anomalies/anomaly_watch.h
class Metrics;       // observe/metrics/metrics.h
}  // namespace shaduf::observe

// What the calls of the API reach. All parts are thread-safe and outlive the server.
namespace shaduf::server {

class AuditLog;    // server/audit_log.h
class LiveEvents;  // server/live_events.h
class RunViews;    // server/run_views.h
class Users;       // server/users.h

// The project as it was read last without an error; nothing is read before the first `reload`. Thread-safe.
class ProjectRoom {
public:
    struct View {
        std::shared_ptr<const Project> project;
        std::shared_ptr<const FlowSet> flows;
        std::vector<Error> errors;  // of the files as they are now; empty: `project` is what they say
        uint64_t version = 0;       // another one when anything has changed
    };
    using Read = std::function<std::vector<Error>(Project& project, FlowSet& flows)>;
    explicit ProjectRoom(Read read) : read_(std::move(read)) {}

    // Reads the files again; the errors, if any, are in the view as well.
    std::vector<Error> reload();
    View view() const;

private:
    const Read read_;
    std::mutex reload_mutex_;   // one at a time
    mutable std::mutex mutex_;  // guards view_
    View view_;
};

struct ServeContext {
    ProjectRoom& room;
    const Registry<ConnectorSpec>& connectors;
    const Registry<TaskTypeSpec>& task_types;
    // Of the process; calls that reach systems make a copy with a cancellation of their own.
    RunContext& world;
    FlowDesk& desk;
    RunStore& runs;
    TaskBoard& board;
    LogStore& logs;
    RunViews& views;
    LiveEvents& live;
    Users& users;
    AuditLog& audit;
    std::string version;  // of the program
    Timestamp started;
    // What follows from how the server was started, and where it stands.
    bool is_loopback = true;  // only this machine reaches it: as long as there is no user, whoever is on it may do all
    bool is_tls = false;
    std::function<bool()> is_draining = {};  // it ends: nothing new may begin
    std::string folder = ".";                // of the project
    observe::Alerts* alerts = nullptr;       // nullptr: nobody is told of anything here
    // Reads a folder as the project's own is read, with its variables and environment; to try out what files would be.
    std::function<std::vector<Error>(const std::string& folder, Project& project, FlowSet& flows)> read_folder = {};
    observe::Metrics* metrics = nullptr;         // nullptr: nothing is counted
    bool are_metrics_open = false;               // to everybody who reaches the server
    observe::AnomalyWatch* anomalies = nullptr;  // nullptr: tables are not watched
};

}  // namespace shaduf::server
