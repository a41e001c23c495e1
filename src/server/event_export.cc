#include "server/event_export.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "flow/pipeline_tables.h"
#include "io/url.h"
#include "server/data/limited_run.h"
#include "server/project/model_graph.h"
#include "server/run_views.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

using observe::Dataset;
using Json = nlohmann::json;

// Tracing parses the project each time: of a task with more models only so many have their columns told.
constexpr size_t kTracedMax = 50;
constexpr std::chrono::milliseconds kTraceLimit{30'000};

// "http://marquez:5000" has no path.
bool has_path(const std::string& url) {
    const size_t host = url.find("://");
    const size_t path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
    return path != std::string::npos && path + 1 < url.size();
}

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

std::string space_of(const Project& project, const std::string& connection) {
    const ConnectionConfig* config = project.connection(connection);
    return (config == nullptr ? "unknown" : config->type) + "://" + connection;
}

}  // namespace

EventExport::EventExport(Parts parts, const ObserveConfig& config) : parts_(std::move(parts)) {
    ServeContext& serve = parts_.serve;
    const auto spec = [&serve](const std::string& flow, const std::string& revision) {
        return serve.views.spec(flow, revision);
    };
    const auto project = serve.room.view().project;
    if (!config.openlineage.url.empty()) {
        observe::EventSender::Settings settings{.target = "openlineage", .url = config.openlineage.url, .headers = {}};
        if (!has_path(settings.url)) settings.url = without_slash(settings.url) + "/api/v1/lineage";
        if (!config.openlineage.token.empty()) {
            settings.headers.emplace_back("Authorization", "Bearer " + config.openlineage.token);
        }
        auto sender = std::make_unique<observe::EventSender>(serve.world, *serve.metrics, settings, parts_.warn);
        openlineage_ = std::make_unique<observe::OpenLineage>(observe::OpenLineage::Parts{
            .sender = *sender,
            .name_space = config.openlineage.name_space,
            .producer = "urn:shaduf:" + serve.version,
            .spec = spec,
            .run = [&serve](const RunId& run) { return serve.views.run(run); },
            .datasets = [this](const std::vector<TaskStep>& steps) { return datasets_of(steps); }});
        senders_.push_back(std::move(sender));
    }
    if (!config.otlp.endpoint.empty()) {
        observe::EventSender::Settings settings{
            .target = "otlp", .url = without_slash(config.otlp.endpoint) + "/v1/traces", .headers = {}};
        for (const auto& [name, value] : config.otlp.headers) settings.headers.emplace_back(name, value);
        auto sender = std::make_unique<observe::EventSender>(serve.world, *serve.metrics, settings, parts_.warn);
        traces_ = std::make_unique<observe::TraceExport>(
            observe::TraceExport::Parts{.sender = *sender,
                                        .store = serve.runs,
                                        .project = project == nullptr ? "" : project->name,
                                        .environment = project == nullptr ? "" : project->environment,
                                        .version = serve.version,
                                        .spec = spec});
        senders_.push_back(std::move(sender));
    }
}

EventExport::~EventExport() { stop(std::chrono::milliseconds(0)); }

void EventExport::hear(const FlowChanges& changes) {
    if (senders_.empty() || !parts_.leads()) return;
    if (openlineage_ != nullptr) openlineage_->hear(changes);
    if (traces_ != nullptr) traces_->hear(changes);
}

void EventExport::collect(observe::MetricPage& page) const {
    for (const auto& sender : senders_) {
        page.set(observe::metric::events_queued, {sender->target()}, static_cast<double>(sender->queued()));
    }
}

void EventExport::stop(std::chrono::milliseconds within) {
    for (const auto& sender : senders_) sender->stop(within);
}

std::string EventExport::warehouse_space(const Project& project) const { return space_of(project, project.warehouse); }

std::vector<Dataset> EventExport::datasets_of(const std::vector<TaskStep>& steps) {
    std::vector<Dataset> found;
    const auto project = parts_.serve.room.view().project;
    if (project == nullptr) return found;
    bool has_models = false;
    for (const TaskStep& step : steps) {
        if (!is_success(step.state) || step.table.empty()) continue;
        if (step.kind == "stream") add_stream(*project, step, found);
        has_models |= step.kind == "model" || step.kind == "snapshot" || step.kind == "seed";
    }
    if (has_models) add_models(*project, steps, found);
    return found;
}

// From a stream of a connection to a table of another one.
void EventExport::add_stream(const Project& project, const TaskStep& step, std::vector<Dataset>& found) const {
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (!step.name.starts_with(pipeline.name + ".")) continue;
        const std::string stream = step.name.substr(pipeline.name.size() + 1);
        found.push_back({.name_space = space_of(project, pipeline.source),
                         .name = stream,
                         .columns = {},
                         .lineage = {},
                         .rows = step.rows_read,
                         .bytes = step.bytes,
                         .is_written = false});
        const bool is_whole = step.table.find('.') != std::string::npos;
        found.push_back({.name_space = space_of(project, pipeline.sink),
                         .name = is_whole ? step.table : schema_of(project, pipeline) + "." + step.table,
                         .columns = {},
                         .lineage = {},
                         .rows = step.rows_written,
                         .bytes = -1,
                         .is_written = true});
        return;
    }
}

void EventExport::add_models(const Project& project, const std::vector<TaskStep>& steps, std::vector<Dataset>& found) {
    ServeContext& serve = parts_.serve;
    LimitedRun limited(serve.world, kTraceLimit);
    const auto graph = read_model_graph(serve, project, limited.run());
    if (!graph.ok()) return;
    if (traced_version_ != serve.room.view().version) traced_.clear();
    traced_version_ = serve.room.view().version;
    std::map<std::string, const ModelNode*> nodes;
    for (const ModelNode& node : graph.value().nodes) nodes[node.id] = &node;
    const auto dataset_of = [&](const ModelNode& node) {
        Dataset dataset{.name_space = warehouse_space(project),
                        .name = to_lower(node.schema + "." + node.table),
                        .columns = {},
                        .lineage = {}};
        for (const auto& [column, description] : node.columns) dataset.columns.emplace_back(column, "");
        return dataset;
    };
    std::map<std::string, Dataset> read;
    for (const TaskStep& step : steps) {
        const auto node = nodes.find(step.name);
        if (node == nodes.end() || step.table.empty() || !is_success(step.state)) continue;
        Dataset written = dataset_of(*node->second);
        written.is_written = true;
        if (step.rows_written > 0) written.rows = step.rows_written;
        for (const std::string& id : node->second->reads) {
            if (const auto of = nodes.find(id); of != nodes.end() && !of->second->table.empty()) {
                read.try_emplace(id, dataset_of(*of->second));
            }
        }
        if (traced_.size() < kTracedMax && !traced_.contains(step.name)) {
            auto said =
                run_model_command(project, limited.run(), {"lineage", node->second->name, "--json", "--no-introspect"});
            traced_[step.name] = said.ok() ? said.value() : "";
        }
        const Json report = Json::parse(traced_[step.name], nullptr, false);
        if (report.is_object() && report.contains("lineage")) {
            const Json traced = report["lineage"].value("columns", Json::object());
            if (!traced.empty()) written.columns.clear();
            for (const auto& [column, of] : traced.items()) {
                std::vector<Dataset::Source> sources;
                for (const Json& source : of.value("sources", Json::array())) {
                    const auto from = nodes.find(source.value("relation", ""));
                    if (from == nodes.end()) continue;
                    sources.push_back({warehouse_space(project),
                                       to_lower(from->second->schema + "." + from->second->table),
                                       source.value("column", ""), source.value("kind", "")});
                }
                written.columns.emplace_back(column, "");
                if (!sources.empty()) written.lineage.emplace_back(column, std::move(sources));
            }
        }
        found.push_back(std::move(written));
    }
    for (auto& [id, dataset] : read) found.push_back(std::move(dataset));
}

}  // namespace shaduf::server
