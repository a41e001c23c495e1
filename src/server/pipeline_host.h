#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/registry.h"
#include "base/run_context.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "server/connector_host.h"

namespace shaduf::server {

// The pipelines of a project that run for ever (mode: stream), as connectors: each of their streams is a task with a
// run of its own, so one that fails leaves the others alone. What was paused or stopped stays so behind a restart of
// the process (.shaduf/connect/<pipeline>.json, with the configuration that the pipeline was made of, if it was).
// Thread-safe; what it is made of outlives it.
class PipelineHost final : public ConnectorHost {
public:
    // A configuration of Kafka Connect as the text of pipelines/<name>.yml.
    struct Translated {
        std::string pipeline;
        std::vector<ConnectorProblem> problems;  // properties that there is nothing for; the pipeline is whole without
    };
    struct Parts {
        RunContext& world;
        const Registry<ConnectorSpec>& connectors;
        std::string folder;  // of the project
        std::function<Result<Project>(const ProjectRequest&)> read_project;
        std::function<Result<Translated>(const std::string& name, const ConnectorConfig&)> translate;
        std::vector<std::string> classes;  // that `translate` understands
    };

    // Starts what is not paused or stopped. invalid_config: the project cannot be read.
    static Result<std::unique_ptr<PipelineHost>> start(Parts parts);
    ~PipelineHost() override;  // stops all runs, and waits for them

    std::vector<std::string> names() const override;
    std::optional<ConnectorInfo> info(const std::string& name) const override;
    // conflict: a pipeline of that name was not made by `put`, so its file is the user's. What the project itself has
    // against the pipeline is an error, and the file goes back to what it was.
    Result<void> put(const std::string& name, const ConnectorConfig& config) override;
    // The file goes; the table and its checkpoint stay.
    Result<void> remove(const std::string& name) override;
    std::vector<ConnectorProblem> validate(const ConnectorConfig& config) const override;
    std::vector<std::string> classes() const override { return parts_.classes; }
    Result<void> pause(const std::string& name) override;
    Result<void> resume(const std::string& name) override;
    Result<void> stop(const std::string& name) override;
    Result<void> restart(const std::string& name, const RestartOptions& options) override;
    Result<void> restart_task(const std::string& name, size_t task) override;
    Result<std::vector<ConnectorOffset>> offsets(const std::string& name) const override;
    Result<void> set_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) override;

private:
    class Task;
    struct Entry;

    explicit PipelineHost(Parts parts);
    Result<std::shared_ptr<const Project>> read(const std::string& name) const;
    std::string state_file(const std::string& name) const;
    std::string pipeline_file(const std::string& name) const;
    void load_state(Entry& entry) const;
    Result<void> save_state(const Entry& entry) const;
    void begin(Entry& entry);
    Result<void> aim(const std::string& name, ConnectorState target);
    Result<Entry*> find(const std::string& name) const;
    Result<std::unique_ptr<Store>> open_store(const Entry& entry) const;

    const Parts parts_;
    mutable std::mutex changing_;  // one change at a time
    mutable std::mutex mutex_;     // guards entries_
    std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace shaduf::server
