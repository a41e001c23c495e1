#include "cli/frame/sinks.h"

#include <set>

namespace shaduf {

Result<std::vector<OpenSink>> open_sinks(Session& session, const std::string& pipeline) {
    ProjectRequest request;
    if (!pipeline.empty()) request.pipelines = {pipeline};
    const Project* project = session.open_project(std::move(request));
    if (project == nullptr) return Error(ErrorKind::invalid_config, "the project cannot be read");
    std::vector<OpenSink> sinks;
    std::set<const ConnectionConfig*> seen;
    for (const PipelineConfig& candidate : project->pipelines) {
        const ConnectionConfig* connection = project->connection(candidate.sink);
        const ConnectorSpec& spec = session.connector_of(*connection);
        if (spec.make_store == nullptr || !seen.insert(connection).second) continue;
        auto store = spec.make_store(connection->options, connection->name);
        if (!store.ok()) {
            session.fail(store.error());
            return store.error();
        }
        sinks.push_back({connection, store.release_value()});
    }
    return sinks;
}

}  // namespace shaduf
