#include "server/project/connections.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "io/private_folder.h"
#include "io/reach.h"
#include "io/url.h"
#include "server/endpoint.h"
#include "server/project/project_files.h"

namespace shaduf::server {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kConnectLimit{10'000};

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
           });
}

// The project with nothing but this connection.
std::string project_of_one(const Node& project, const std::string& name, const Node& connection) {
    std::vector<Node::Entry> environments;
    for (const Node::Entry& entry : project["environments"].entries()) {
        std::vector<Node::Entry> kept;
        if (entry.value.has("default")) kept.push_back({"default", {}, entry.value["default"]});
        environments.push_back({entry.key, {}, Node::map(std::move(kept), {})});
    }
    std::vector<Node::Entry> whole = {{"name", {}, Node::scalar(project["name"].text(), true, {})}};
    if (!environments.empty()) whole.push_back({"environments", {}, Node::map(std::move(environments), {})});
    whole.push_back({"connections", {}, Node::map({{name, {}, connection}}, {})});
    return Node::map(std::move(whole), {}).to_json();
}

Node merged(const Node& before, const std::string& type, const Node& options) {
    const bool is_same_type = type.empty() || before["type"].text() == type;
    std::vector<Node::Entry> entries;
    entries.push_back({"type", {}, Node::scalar(type.empty() ? before["type"].text() : type, true, {})});
    for (const Node::Entry& entry : options.entries()) {
        if (entry.key != "type" && !entry.value.is_null()) entries.push_back(entry);
    }
    for (const Node::Entry& entry : before.entries()) {
        if (is_same_type && entry.key != "type" && !options.has(entry.key)) entries.push_back(entry);
    }
    return Node::map(std::move(entries), {});
}

struct Endpoint {
    std::string host;
    int port = 0;
};

bool has_text(const ConnectorSpec& spec, std::string_view name, FieldType type) {
    return std::any_of(spec.fields.begin(), spec.fields.end(),
                       [&](const FieldSpec& field) { return field.name == name && field.type == type; });
}

// Where the options say that the system is.
std::optional<Endpoint> endpoint_of(const ConnectorSpec& spec, const Options& options) {
    for (const std::string_view name : {"url", "base_url", "dsn", "endpoint", "uri"}) {
        if (!has_text(spec, name, FieldType::text)) continue;
        const auto url = Url::parse(options.text(name));
        if (!url.ok() || url.value().host.empty()) continue;
        int port = url.value().effective_port();
        if (port == 0 && url.value().scheme.starts_with("postgres")) port = 5432;
        if (port != 0) return Endpoint{url.value().host, port};
    }
    if (has_text(spec, "brokers", FieldType::text_list) && !options.text_list("brokers").empty()) {
        const std::string first = options.text_list("brokers").front();
        const size_t colon = first.rfind(':');
        Endpoint endpoint{first.substr(0, colon), 9092};
        if (colon != std::string::npos) {
            std::from_chars(first.data() + colon + 1, first.data() + first.size(), endpoint.port);
        }
        return endpoint;
    }
    if (has_text(spec, "host", FieldType::text) && has_text(spec, "port", FieldType::integer) &&
        !options.text("host").empty() && !options.text("host").starts_with('/') && options.integer("port") > 0) {
        return Endpoint{options.text("host"), static_cast<int>(options.integer("port"))};
    }
    return std::nullopt;
}

std::string advice_of(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::auth: return "Renew the credentials, or ask for the permission that is missing.";
        case ErrorKind::unavailable: return "Check that the system runs, and that this machine may reach it.";
        case ErrorKind::rate_limited: return "Try again later: the system asks to wait.";
        case ErrorKind::invalid_config: return "Change the options that the message names.";
        case ErrorKind::canceled: return "It took too long: check firewall and address.";
        default: return "See the message.";
    }
}

class TrialRun {
public:
    // False ends the trial.
    bool step(const std::string& name, const std::function<Result<std::string>()>& work) {
        const auto began = std::chrono::steady_clock::now();
        const auto result = work();
        TrialStep step;
        step.name = name;
        step.ok = result.ok();
        step.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
        step.found = result.ok() ? result.value() : result.error().to_string();
        if (!result.ok()) step.advice = advice_of(result.error());
        trial.took += step.took;
        trial.ok = step.ok;
        trial.steps.push_back(std::move(step));
        return trial.ok;
    }
    Trial trial;
};

}  // namespace

Result<Node> written_connections(const ServeContext& serve) {
    const auto text = TRY(ProjectFiles(serve.folder).read("shaduf.yml"));
    return TRY(Node::parse_yaml(text.text, "shaduf.yml"))["connections"];
}

Result<Node> written_connection(const ServeContext& serve, const std::string& name) {
    const Node connections = TRY(written_connections(serve));
    if (!connections.has(name)) return not_found("connection", name);
    return connections[name];
}

Result<ConnectionConfig> connection_with(ServeContext& serve, const std::string& name, const std::string& type,
                                         const Node& options) {
    if (serve.read_folder == nullptr) return Error(ErrorKind::unavailable, "connections cannot be tried here");
    const auto text = TRY(ProjectFiles(serve.folder).read("shaduf.yml"));
    const Node project = TRY(Node::parse_yaml(text.text, "shaduf.yml"));
    const Node connection = merged(project["connections"][name], type, options);
    if (connection["type"].text().empty()) {
        return Error(ErrorKind::invalid_config, "say of which type the connection is: " + name);
    }
    const auto scratch = TRY(PrivateFolder::create());
    TRY(scratch->write("shaduf.yml", project_of_one(project, name, connection)));
    std::error_code error;
    for (fs::directory_iterator entry(serve.folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string file = entry->path().filename().string();
        if (!file.starts_with(".env") && file != ".secrets") continue;
        fs::create_symlink(fs::absolute(entry->path()), fs::path(scratch->path()) / file, error);
    }
    Project read;
    FlowSet flows;
    for (const Error& found : serve.read_folder(scratch->path(), read, flows)) {
        return Error(found.kind(), found.message());
    }
    const ConnectionConfig* found = read.connection(name);
    if (found == nullptr) return not_found("connection", name);
    return *found;
}

Trial try_connection(RunContext& run, const ConnectorSpec& spec, const ConnectionConfig& connection) {
    TrialRun steps;
    steps.trial.ok = true;
    if (const auto endpoint = endpoint_of(spec, connection.options)) {
        const bool goes_on = steps.step("resolve", [&]() -> Result<std::string> {
            return join(TRY(resolve_host(endpoint->host)), ", ");
        }) && steps.step("connect", [&]() -> Result<std::string> {
            TRY(reach_port(endpoint->host, endpoint->port, kConnectLimit, run.cancellation));
            return endpoint->host + ":" + std::to_string(endpoint->port) + " answers";
        });
        if (!goes_on) return steps.trial;
    }
    if (spec.check != nullptr && !steps.step("sign_in", [&]() -> Result<std::string> {
            TRY(spec.check(run, connection.name, connection.options));
            return std::string("The system takes the credentials.");
        })) {
        return steps.trial;
    }
    if (spec.discover != nullptr && spec.make_source != nullptr) {
        steps.step("streams", [&]() -> Result<std::string> {
            const auto streams = spec.discover(run, connection.name, connection.options);
            // A database file that is not there yet is made by the first run.
            if (!streams.ok() && spec.make_sink != nullptr && streams.error().kind() == ErrorKind::invalid_config) {
                return "No streams can be read: " + streams.error().message();
            }
            const size_t count = TRY(streams).size();
            return std::to_string(count) + (count == 1 ? " stream" : " streams") + " can be read.";
        });
    }
    return steps.trial;
}

std::optional<std::string> remembered(const ServeContext& serve, std::string_view what, const std::string& name) {
    if (!is_plain_name(name)) return std::nullopt;
    std::ifstream file(serve.folder + "/.shaduf/" + std::string(what) + "/" + name + ".json", std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<void> remember(const ServeContext& serve, std::string_view what, const std::string& name,
                      std::string_view json) {
    if (!is_plain_name(name)) return Error(ErrorKind::invalid_config, "cannot be a connection's name: " + name);
    const std::string folder = serve.folder + "/.shaduf/" + std::string(what);
    std::error_code error;
    fs::create_directories(folder, error);
    const std::string beside = folder + "/." + name + ".tmp";
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << json;
    file.close();
    if (file.good()) fs::rename(beside, folder + "/" + name + ".json", error);
    if (file.good() && !error) return {};
    return Error(ErrorKind::exhausted, "cannot be remembered: " + folder + "/" + name + ".json; free the disk");
}

}  // namespace shaduf::server
