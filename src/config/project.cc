#include "config/project.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/text.h"
#include "config/connections.h"
#include "config/observe_config.h"
#include "config/pipeline_reader.h"
#include "config/references.h"
#include "io/postgres.h"

namespace shaduf {
namespace {

constexpr std::string_view kProjectFile = "shaduf.yml";
constexpr std::string_view kPolicyKeySecret = "policy_key";
constexpr int64_t kPoolPlacesMax = 100'000;

constexpr FieldSpec kEnvironmentFields[] = {
    {"warehouse", FieldType::text, "The connection that `sink: warehouse` means."},
    {.name = "state",
     .type = FieldType::text,
     .help = "The DSN of a PostgreSQL database, where serve and worker processes share runs; else they are recorded in "
             ".shaduf, by one process.",
     .secret = true,
     .example = "${env:STATE_DSN}"},
    {"memory", FieldType::bytes, "The memory of one run."},
    {"default", FieldType::boolean, "Whether it is taken when none is asked for."},
};

constexpr FieldSpec kProjectFields[] = {
    {"name", FieldType::text, "The project's name."},
    {.name = "environments",
     .type = FieldType::any,
     .help = "By name, what differs between them: warehouse, state, memory; default: true marks one."},
    {"connections", FieldType::any, "By name, the systems to read from and to write to: a type, and its options."},
    {"warehouse", FieldType::text, "The connection that `sink: warehouse` means, where the environment names none."},
    {.name = "state", .type = FieldType::text, .help = "The same, where the environment does not say.", .secret = true},
    {"memory", FieldType::bytes, "The memory of one run: rows on their way, and what sinks gather.", false, "256MB"},
    {"defaults", FieldType::any, "Options for every stream of every pipeline."},
    {.name = "policy_key",
     .type = FieldType::text,
     .help = "The key of the policies hash and tokenize; the secret policy_key unless given.",
     .secret = true},
    {.name = "pools",
     .type = FieldType::any,
     .help = "By name, how many places tasks of flows share: one for each database or account that must be spared.",
     .example = "{warehouse: 2}"},
    {.name = "tasks_parallel",
     .type = FieldType::integer,
     .help = "How many tasks of flows run at the same time; as many as cores unless given."},
    {.name = "alerts",
     .type = FieldType::any,
     .help = "Who is told when something goes wrong, and by which channel; see docs/alerts.md.",
     .example = "{channels: {ops: {type: slack, url: \"${secret:slack_url}\"}}}"},
    {.name = "observe",
     .type = FieldType::object,
     .help = "Whom `shaduf serve` tells of its runs: OpenLineage, OpenTelemetry.",
     .children = kObserveFields},
};

class ProjectReader {
public:
    ProjectReader(const ProjectRequest& request, const ProjectWorld& world, Project& out)
        : request_(request),
          world_(world),
          out_(out),
          references_(std::make_shared<References>(request.folder, world.variable)),
          connections_(world, *references_, errors_),
          resolve_([references = references_](std::string_view text, const Place& place) {
              return references->resolve(text, place);
          }) {}

    std::vector<Error> read() {
        out_.folder = request_.folder;
        out_.resolve = resolve_;
        out_.variable = world_.variable;
        const auto node = Node::load_yaml(request_.folder + "/" + std::string(kProjectFile), std::string(kProjectFile));
        if (!node.ok()) {
            errors_.push_back(is_missing() ? Error(ErrorKind::invalid_config,
                                                   "not a project folder: it has no shaduf.yml; run shaduf init")
                                                 .at(Place::in_file(request_.folder, 0))
                                           : node.error());
            return errors_;
        }
        read_project_file(node.value());
        list_pipelines();
        if (!request_.without_pipelines) read_pipelines();
        read_connections();
        out_.connections = connections_.take();
        tidy_errors();
        return errors_;
    }

private:
    bool is_missing() const {
        std::error_code ignored;
        return !std::filesystem::exists(request_.folder + "/" + std::string(kProjectFile), ignored);
    }
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }
    void add_errors(std::vector<Error> errors) {
        for (Error& error : errors) errors_.push_back(std::move(error));
    }

    void read_project_file(const Node& node) {
        choose_environment(node["environments"]);
        add_errors(references_->load_env_files(out_.environment));
        Options options;
        add_errors(Options::create(kProjectFields, node, resolve_, options));
        Options environment;
        const Node& chosen = node["environments"][out_.environment];
        if (!chosen.is_null()) add_errors(Options::create(kEnvironmentFields, chosen, resolve_, environment));
        const auto either = [&](std::string_view name) {
            return !chosen.is_null() && environment.has(name) ? environment.text(name) : options.text(name);
        };
        out_.name =
            options.has("name") ? options.text("name") : std::filesystem::absolute(request_.folder).filename().string();
        out_.warehouse = either("warehouse");
        out_.state = either("state");
        const bool is_of_environment = !chosen.is_null() && environment.has("state");
        if (!out_.state.empty() && !parse_postgres_dsn(out_.state).ok()) {
            errors_.push_back((is_of_environment ? environment : options)
                                  .error("state",
                                         "state: not the DSN of a PostgreSQL database; write one as "
                                         "postgresql://user@host:5432/database, or leave it out"));
        }
        out_.memory_bytes =
            !chosen.is_null() && environment.has("memory") ? environment.bytes("memory") : options.bytes("memory");
        connections_.declare(node["connections"]);
        warehouse_place_ = chosen.has("warehouse") ? chosen["warehouse"].place() : node["warehouse"].place();
        settings_.defaults = node["defaults"];
        out_.alerts = node["alerts"];
        read_policy_key(options);
        read_pools(node, options);
    }

    void read_pools(const Node& node, const Options& options) {
        out_.tasks_parallel = options.integer("tasks_parallel");
        if (out_.tasks_parallel < 0) errors_.push_back(options.error("tasks_parallel", "must not be below 0"));
        for (const auto& entry : node["pools"].entries()) {
            int64_t places = 0;
            const std::string& text = entry.value.text();
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), places);
            const bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
            if (!is_number || places < 1 || places > kPoolPlacesMax) {
                fail(entry.key_place, "pools." + entry.key + ": expected a number of places from 1 to " +
                                          std::to_string(kPoolPlacesMax) + ", found " + text);
            }
            out_.pools[entry.key] = places;
        }
        if (!node["pools"].is_null() && !node["pools"].is_map()) {
            fail(node.place_of_key("pools"), "pools: expected a map of names to numbers of places");
        }
    }

    void read_policy_key(const Options& options) {
        out_.policy_key = options.text("policy_key");
        if (!options.has("policy_key")) {
            auto secret = references_->find_secret(std::string(kPolicyKeySecret));
            if (!secret.ok()) {
                errors_.push_back(secret.error());
            } else if (secret.value()) {
                out_.policy_key = *secret.value();
            }
        }
    }

    void choose_environment(const Node& environments) {
        out_.environment = request_.environment;
        if (out_.environment.empty()) out_.environment = world_.variable("SHADUF_ENV").value_or("");
        const bool is_asked_for = !out_.environment.empty();
        std::vector<std::string> known;
        for (const auto& entry : environments.entries()) {
            known.push_back(entry.key);
            const bool is_default = entry.value["default"].text() == "true";
            if (!is_asked_for && (out_.environment.empty() || is_default)) out_.environment = entry.key;
        }
        if (known.empty() && !is_asked_for) out_.environment = "dev";
        if (is_asked_for && std::find(known.begin(), known.end(), out_.environment) == known.end()) {
            fail(environments.is_null() ? Place::in_file(std::string(kProjectFile), 0) : environments.place(),
                 "environment not found: " + out_.environment + did_you_mean(out_.environment, known));
        }
    }

    void list_pipelines() {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(request_.folder + "/pipelines", error)) {
            const auto extension = entry.path().extension();
            if (extension == ".yml" || extension == ".yaml") files_.insert(entry.path().filename().string());
        }
        for (const std::string& file : files_) {
            const std::string name = std::filesystem::path(file).stem();
            if (!out_.pipeline_names.empty() && out_.pipeline_names.back() == name) {
                fail(Place::in_file("pipelines/" + file, 0), "pipeline given twice, as .yml and as .yaml: " + name);
            }
            out_.pipeline_names.push_back(name);
        }
        for (const std::string& name : request_.pipelines) {
            const auto& known = out_.pipeline_names;
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            fail(Place::in_file("pipelines", 0), "pipeline not found: " + name + did_you_mean(name, known));
        }
    }

    bool is_wanted(const std::string& name) const {
        const auto& wanted = request_.pipelines;
        if (wanted.empty()) return request_.connections.empty();
        return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    }

    void read_pipelines() {
        settings_.warehouse = out_.warehouse;
        settings_.memory_bytes = out_.memory_bytes;
        settings_.has_policy_key = !out_.policy_key.empty();
        for (const std::string& file : files_) {
            const std::string name = std::filesystem::path(file).stem();
            if (!is_wanted(name)) continue;
            const std::string path = "pipelines/" + file;
            const auto node = Node::load_yaml(request_.folder + "/" + path, path);
            if (!node.ok()) {
                errors_.push_back(node.error());
                continue;
            }
            auto read = read_pipeline(name, node.value(), settings_, world_, *references_, connections_, errors_);
            std::move(read.begin(), read.end(), std::back_inserter(out_.pipelines));
        }
    }

    void read_connections() {
        const bool all = request_.pipelines.empty() && request_.connections.empty() && !request_.without_pipelines;
        const Place place = Place::in_file(std::string(kProjectFile), 0);
        for (const std::string& name : all ? connections_.names() : request_.connections) {
            (void)connections_.get(name == "warehouse" && !out_.warehouse.empty() ? out_.warehouse : name, place);
        }
        if (all && !out_.warehouse.empty()) (void)connections_.get(out_.warehouse, warehouse_place_);
    }

    // By file and line, each once: an error of a shared key would come once for each stream.
    void tidy_errors() {
        std::stable_sort(errors_.begin(), errors_.end(), [](const Error& a, const Error& b) {
            if (a.place().file != b.place().file) {
                if (a.place().file == kProjectFile || b.place().file == kProjectFile)
                    return a.place().file == kProjectFile;
                return a.place().file < b.place().file;
            }
            return a.place().line < b.place().line;
        });
        std::set<std::string> seen;
        std::erase_if(errors_, [&](const Error& error) { return !seen.insert(error.to_string()).second; });
    }

    const ProjectRequest& request_;
    const ProjectWorld& world_;
    Project& out_;
    std::vector<Error> errors_;
    const std::shared_ptr<References> references_;
    Connections connections_;
    const ValueResolver resolve_;
    PipelineSettings settings_;
    Place warehouse_place_;
    std::set<std::string> files_;
};

}  // namespace

const PipelineConfig* Project::pipeline(std::string_view pipeline_name) const {
    for (const PipelineConfig& candidate : pipelines) {
        if (candidate.name == pipeline_name) return &candidate;
    }
    return nullptr;
}

std::vector<const PipelineConfig*> Project::pipelines_of(std::string_view title) const {
    std::vector<const PipelineConfig*> found;
    for (const PipelineConfig& candidate : pipelines) {
        if (candidate.title == title) found.push_back(&candidate);
    }
    return found;
}

const ConnectionConfig* Project::connection(std::string_view connection_name) const {
    const auto found =
        connections.find(connection_name == "warehouse" && !warehouse.empty() ? warehouse : connection_name);
    return found == connections.end() ? nullptr : &found->second;
}

std::vector<Error> load_project(const ProjectRequest& request, const ProjectWorld& world, Project& out) {
    out = Project();
    return ProjectReader(request, world, out).read();
}

std::span<const FieldSpec> project_fields() { return kProjectFields; }
std::span<const FieldSpec> environment_fields() { return kEnvironmentFields; }

}  // namespace shaduf
