#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/http_server.h"
#include "observe/metrics/flow_metrics.h"
#include "observe/metrics/metrics.h"
#include "pipeline/meta_store.h"

namespace shaduf {
class FlowPlatform;  // flow/flow_platform.h
}

namespace shaduf::observe {
class AnomalyWatch;  // observe/anomalies/anomaly_watch.h
}

namespace shaduf::server {

struct ServeContext;

// What /metrics tells of this server: what was counted while it happened, and how things stand when it is asked.
// Thread-safe.
class ServerMetrics {
public:
    explicit ServerMetrics(const Clock& clock) : clock_(clock) {}

    // Nothing of runs is counted before. The parts outlive it, or `end` is called first.
    Result<void> begin(ServeContext& serve, FlowPlatform& platform);
    void end();

    void hear(const FlowChanges& changes);
    void hear(const TaskBoard::Change& change);
    // How many alerts are firing, by severity; to be told before `begin`.
    using AlertCounts = std::function<std::map<std::string, int64_t>()>;
    void count_alerts_by(AlertCounts counts) { alerts_ = std::move(counts); }

    observe::Metrics& metrics() { return metrics_; }

private:
    void collect(observe::MetricPage& page);
    void begin_counting(const FlowInfo& flow);
    void collect_flows(observe::MetricPage& page);
    void collect_tables(observe::MetricPage& page);
    void collect_rates(observe::MetricPage& page);

    const Clock& clock_;
    observe::Metrics metrics_;
    AlertCounts alerts_;
    ServeContext* serve_ = nullptr;
    FlowPlatform* platform_ = nullptr;
    std::unique_ptr<observe::FlowMetrics> flow_metrics_;
    std::atomic<observe::FlowMetrics*> told_{nullptr};
    // Of whoever collects, one at a time.
    std::unique_ptr<MetaStore> meta_;
    observe::MetricPage flows_page_;
    std::chrono::steady_clock::time_point flows_at_{};
};

// The answer to GET /metrics, to whoever may see it: a viewer, by a token or a session, or everybody who reaches the
// server where it was started so; without users, whoever is on this machine.
HttpServerResponse answer_metrics(const HttpServerRequest& request, ServeContext& serve);

}  // namespace shaduf::server
