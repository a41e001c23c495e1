#pragma once

#include <atomic>
#include <memory>

#include "base/run_context.h"
#include "flow/flow_platform.h"
#include "observe/alerts/alerts.h"
#include "observe/flow_signals.h"
#include "server/live_events.h"
#include "server/run_views.h"
#include "server/serve_context.h"
#include "server/serve_log.h"

namespace shaduf::server {

// What watches over a server's flows, and tells people: signals of runs, and alerts by the rules of the project.
// Thread-safe; the parts outlive it.
class AlertWatch {
public:
    struct Parts {
        RunContext& world;
        FlowPlatform& platform;
        ProjectRoom& room;
        RunViews& views;
        LiveEvents& live;
        ServeLog& log;
    };
    explicit AlertWatch(Parts parts);
    ~AlertWatch();
    AlertWatch(const AlertWatch&) = delete;
    AlertWatch& operator=(const AlertWatch&) = delete;

    void start();
    // Looks once more at what has ended, keeps it, and ends messages under way.
    void stop();
    // The project has changed.
    void reload();
    // What the scheduler has kept; quick.
    void hear(const FlowChanges& changes) { signals_->hear(changes); }

    // How many alerts are not over, by severity.
    std::map<std::string, int64_t> firing();
    observe::Alerts& alerts() { return *alerts_; }

private:
    std::shared_ptr<const observe::AlertSettings> read_settings() const;
    std::optional<Timestamp> late_since(const FlowInfo& flow, Timestamp known_since, Timestamp now) const;

    const Parts parts_;
    const Registry<observe::ChannelSpec> channels_;
    std::atomic<uint64_t> version_;  // of the project whose settings count
    std::unique_ptr<observe::Alerts> alerts_;
    std::unique_ptr<observe::FlowSignals> signals_;
    bool is_stopped_ = false;
};

}  // namespace shaduf::server
