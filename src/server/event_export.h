#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/observe_config.h"
#include "observe/emit/event_sender.h"
#include "observe/emit/openlineage.h"
#include "observe/emit/trace_export.h"

namespace shaduf::server {

struct ServeContext;

// Whom `observe` of shaduf.yml names, told of what runs. The configuration is that of the start. Thread-safe.
class EventExport {
public:
    struct Parts {
        ServeContext& serve;
        std::function<bool()> leads;  // of several processes one tells
        std::function<void(const std::string& text)> warn;
    };
    EventExport(Parts parts, const ObserveConfig& config);
    ~EventExport();

    void hear(const FlowChanges& changes);
    void collect(observe::MetricPage& page) const;
    // What is queued may be sent until `within` has passed.
    void stop(std::chrono::milliseconds within);

private:
    std::vector<observe::Dataset> datasets_of(const std::vector<TaskStep>& steps);
    void add_stream(const Project& project, const TaskStep& step, std::vector<observe::Dataset>& found) const;
    void add_models(const Project& project, const std::vector<TaskStep>& steps, std::vector<observe::Dataset>& found);
    std::string warehouse_space(const Project& project) const;

    const Parts parts_;
    // What was traced of models, by unique id, as the project is now.
    uint64_t traced_version_ = 0;
    std::map<std::string, std::string> traced_;
    std::unique_ptr<observe::OpenLineage> openlineage_;
    std::unique_ptr<observe::TraceExport> traces_;
    std::vector<std::unique_ptr<observe::EventSender>> senders_;  // whose threads use what stands above
};

}  // namespace shaduf::server
