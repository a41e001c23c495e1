#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

// What tools that manage Kafka Connect call a connector is a pipeline here, and each of its streams is a task of it.
namespace shaduf::server {

using ConnectorConfig = std::map<std::string, std::string>;

// The words are Kafka Connect's own.
enum class ConnectorState : uint8_t {
    running,
    paused,
    stopped,
    failed,
    unassigned,  // between two tries
};
std::string_view to_string(ConnectorState state);

struct ConnectorTask {
    ConnectorState state = ConnectorState::unassigned;
    std::string trace;  // of one that failed
    ConnectorConfig config;
};

struct ConnectorInfo {
    std::string name;
    ConnectorState state = ConnectorState::unassigned;
    std::string trace;
    ConnectorConfig config;
    std::vector<ConnectorTask> tasks;  // by their number
    std::vector<std::string> topics;
};

struct ConnectorOffset {
    std::string topic;
    int32_t partition = 0;
    std::optional<int64_t> offset;  // nullopt: to be forgotten
};

// What one property of a configuration has against it.
struct ConnectorProblem {
    std::string property;
    std::string text;
};

struct RestartOptions {
    bool include_tasks = false;
    bool only_failed = false;
};

// Thread-safe. Errors: invalid_config is the caller's (400), conflict means that it cannot be now (409); names that are
// unknown are asked for by `info` first.
class ConnectorHost {
public:
    virtual ~ConnectorHost() = default;
    virtual std::vector<std::string> names() const = 0;
    virtual std::optional<ConnectorInfo> info(const std::string& name) const = 0;

    // Makes one or gives it another configuration, and starts it.
    virtual Result<void> put(const std::string& name, const ConnectorConfig& config) = 0;
    virtual Result<void> remove(const std::string& name) = 0;
    virtual std::vector<ConnectorProblem> validate(const ConnectorConfig& config) const = 0;
    // Class names of configurations that `put` understands.
    virtual std::vector<std::string> classes() const = 0;

    virtual Result<void> pause(const std::string& name) = 0;
    virtual Result<void> resume(const std::string& name) = 0;
    virtual Result<void> stop(const std::string& name) = 0;
    virtual Result<void> restart(const std::string& name, const RestartOptions& options) = 0;
    virtual Result<void> restart_task(const std::string& name, size_t task) = 0;

    virtual Result<std::vector<ConnectorOffset>> offsets(const std::string& name) const = 0;
    // Of one that is stopped; an empty list forgets all.
    virtual Result<void> set_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) = 0;
};

}  // namespace shaduf::server
