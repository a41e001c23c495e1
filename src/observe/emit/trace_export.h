#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "flow/run_store.h"

namespace shaduf::observe {

class EventSender;

// Tells of runs that have ended as traces of OpenTelemetry (OTLP over HTTP, JSON): a trace a run, a span of it a try of
// a task, a span of that a step of the last try. Ids follow from the run's, so that the same one sent twice is the
// same. Thread-safe.
class TraceExport {
public:
    struct Parts {
        EventSender& sender;
        RunStore& store;
        std::string project;
        std::string environment;
        std::string version;
        std::function<FlowPtr(const std::string& flow, const std::string& revision)> spec;
    };
    static constexpr size_t kSpansMax = 500;  // of one request
    explicit TraceExport(Parts parts) : parts_(std::move(parts)) {}
    void hear(const FlowChanges& changes);

    // Requests with all spans of a run.
    std::vector<std::string> bodies_of(const RunRow& run) const;

private:
    const Parts parts_;
};

}  // namespace shaduf::observe
