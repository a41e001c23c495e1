#include "cli/frame/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/json_writer.h"
#include "base/rate_ledger.h"
#include "base/text.h"
#include "cli/frame/progress.h"
#include "cli/frame/project_reading.h"
#include "cli/frame/signals.h"
#include "flow/flow_files.h"
#include "io/duckdb.h"
#include "io/http.h"
#include "observe/alerts/alert_settings.h"

namespace shaduf {

struct Session::World {
    World(std::ostream& errors, RunEvents* given)
        : quiet(errors, ProgressStyle::quiet),
          http(make_curl_transport()),
          rates(make_memory_ledger()),
          context{clock, cancellation, *http, databases, given == nullptr ? quiet : *given, shared, *rates} {}

    Cancellation cancellation;
    SignalWatch signals{cancellation};
    SystemClock clock;
    LoadProgress quiet;
    std::unique_ptr<HttpTransport> http;
    DuckDbInstances databases;
    SharedValues shared;
    std::unique_ptr<RateLedger> rates;
    RunContext context;
};

namespace {

ProjectWorld project_world(const Registry<ConnectorSpec>& connectors) {
    ProjectWorld world;
    world.variable = Session::variable;
    world.connector_types = connectors.names();
    world.connector = [&connectors](std::string_view type) -> std::optional<ConnectorFields> {
        const ConnectorSpec* spec = connectors.find(type);
        if (spec == nullptr) return std::nullopt;
        return ConnectorFields{spec->fields,          spec->stream_fields,          spec->table_fields,
                               spec->stream_defaults, spec->make_source != nullptr, spec->make_sink != nullptr};
    };
    return world;
}

void write_error(JsonWriter& json, const Error& error) {
    json.begin_object().field("kind", to_string(error.kind())).field("message", error.message());
    const Place& place = error.place();
    if (!place.file.empty()) json.field("file", place.file);
    if (place.line > 0) json.field("line", static_cast<int64_t>(place.line));
    if (!place.connection.empty()) json.field("connection", place.connection);
    if (!place.stream.empty()) json.field("stream", place.stream);
    if (!place.position.empty()) json.field("position", place.position);
    if (const auto cause = error.cause()) json.field("cause", cause->to_string());
    json.end_object();
}

}  // namespace

Session::Session(Parts parts) : parts_(parts) {}
Session::~Session() = default;

std::optional<std::string> Session::variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool Session::enter_folder(const std::string& folder) {
    if (entered_ || ::chdir(folder.c_str()) == 0) return entered_ = true;
    misuse("cannot enter the project's folder: " + folder + ": " + std::strerror(errno));
    return false;
}

const Project* Session::open_project(ProjectRequest request) {
    if (request.folder == "." && !enter_folder()) return nullptr;
    request.environment = arguments().text("env");
    project_ = std::make_unique<Project>();
    const auto found = load_project(request, project_world(connectors()), *project_);
    if (found.empty()) return project_.get();
    fail(found);
    return nullptr;
}

Result<Project> Session::read_project(const ProjectRequest& request) const {
    Project project;
    const auto found = load_project(request, project_world(connectors()), project);
    if (found.empty()) return project;
    if (found.size() == 1) return found.front();
    std::string all;
    for (const Error& error : found) all += (all.empty() ? "" : "\nerror: ") + error.to_string();
    return Error(ErrorKind::invalid_config, std::move(all));
}

const Project* Session::open_project_for(const std::string& name) {
    if (!enter_folder()) return nullptr;
    ProjectRequest request;
    const bool is_pipeline = ::access(("pipelines/" + name + ".yml").c_str(), F_OK) == 0 ||
                             ::access(("pipelines/" + name + ".yaml").c_str(), F_OK) == 0;
    (is_pipeline ? request.pipelines : request.connections) = {name};
    return open_project(std::move(request));
}

RunContext& Session::world(RunEvents* events) {
    if (world_ == nullptr) world_ = std::make_unique<World>(errors(), events);
    return world_->context;
}

int Session::fail(const std::vector<Error>& found) {
    int status = kExitFailed;
    for (const Error& error : found) {
        if (error.kind() == ErrorKind::invalid_config) status = kExitMisused;
    }
    if (json()) {
        JsonWriter writer;
        writer.begin_object().key("errors").begin_array();
        for (const Error& error : found) write_error(writer, error);
        out() << writer.end_array().end_object().str() << "\n";
        return status;
    }
    for (const Error& error : found) errors() << "error: " << error.to_string() << "\n";
    if (found.size() > 1) errors() << found.size() << " errors\n";
    return status;
}

const ConnectorSpec& Session::connector_of(const ConnectionConfig& connection) const {
    const ConnectorSpec* spec = connectors().find(connection.type);
    SHADUF_ASSERT(spec != nullptr);
    return *spec;
}

std::vector<Error> read_whole_project(const Session& session, const ProjectRequest& request, Project& out) {
    return load_project(request, project_world(session.connectors()), out);
}

std::vector<Error> read_project_and_flows(Session& session, const Registry<TaskTypeSpec>& types,
                                          const std::string& folder, Project& project, FlowSet& flows) {
    ProjectRequest request;
    request.folder = folder;
    request.environment = session.arguments().text("env");
    auto errors = read_whole_project(session, request, project);
    if (errors.empty()) errors = read_flows(project, types, flows);
    if (errors.empty()) {
        observe::AlertSettings settings;
        errors = observe::read_alerts(project, builtin_channels(), settings);
    }
    return errors;
}

Selection Selection::parse(std::string_view text) {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return {std::string(text), ""};
    return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

}  // namespace shaduf
