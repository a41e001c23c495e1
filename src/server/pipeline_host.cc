#include "server/pipeline_host.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/run_events.h"
#include "base/text.h"
#include "connectors/parts/checkpoint_parts.h"
#include "pipeline/run.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

bool is_file_name(std::string_view name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    constexpr size_t kLongest = 200;
    return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_plain);
}

std::optional<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// A reader sees the old text or the new one.
Result<void> write_text(const std::string& path, const std::string& text) {
    std::error_code failed;
    fs::create_directories(fs::path(path).parent_path(), failed);
    const std::string beside = path + ".part";
    {
        std::ofstream file(beside, std::ios::binary | std::ios::trunc);
        file << text;
        file.flush();
        if (!file) return Error(ErrorKind::exhausted, "file cannot be written: " + beside);
    }
    fs::rename(beside, path, failed);
    if (failed) return Error(ErrorKind::exhausted, "file cannot be written: " + path + ": " + failed.message());
    return {};
}

ConnectorState state_named(std::string_view name) {
    for (const auto state : {ConnectorState::paused, ConnectorState::stopped}) {
        if (name == to_string(state)) return state;
    }
    return ConnectorState::running;
}

bool runs_for_ever(const PipelineConfig& pipeline) {
    return std::any_of(pipeline.streams.begin(), pipeline.streams.end(),
                       [](const StreamConfig& stream) { return stream.mode == ReadMode::stream; });
}

std::vector<std::string> topics_of(const StreamConfig& stream) {
    return stream.source_options.has("topics") ? stream.source_options.text_list("topics")
                                               : std::vector<std::string>{stream.name};
}

// "orders/3" of a checkpoint's parts
std::optional<ConnectorOffset> offset_of(const std::string& part, const std::string& at) {
    const auto slash = part.rfind('/');
    if (slash == part.npos) return std::nullopt;
    ConnectorOffset offset{part.substr(0, slash), 0, 0};
    int64_t number = 0;
    const auto read = [](std::string_view text, auto& out) {
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
        return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    };
    if (!read(std::string_view(part).substr(slash + 1), offset.partition) || !read(at, number)) return std::nullopt;
    offset.offset = number;
    return offset;
}

std::string part_of(const ConnectorOffset& offset) { return offset.topic + "/" + std::to_string(offset.partition); }

}  // namespace

// One stream of a pipeline, run in a thread of its own from the beginning of its life to the end.
class PipelineHost::Task {
public:
    Task(const Parts& parts, std::shared_ptr<const Project> project, const PipelineConfig& pipeline,
         const StreamConfig& stream)
        : parts_(parts), project_(std::move(project)), pipeline_(pipeline), stream_(stream) {
        thread_ = std::thread([this] { run(); });
    }
    ~Task() {
        stop_.cancel();
        thread_.join();
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    ConnectorState state() const {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    ConnectorTask told() const {
        const std::lock_guard lock(mutex_);
        return {state_, trace_, {{"pipeline", pipeline_.name}, {"stream", stream_.name}, {"table", stream_.table}}};
    }

private:
    void run() {
        const RunContext& world = parts_.world;
        const Cancellation::Waker with_world(world.cancellation, [this] { stop_.cancel(); });
        RunContext own{world.clock, stop_, world.http, world.databases, world.events, world.shared, world.rates};
        RunOptions options;
        options.streams = {stream_.name};
        const auto summary = run_pipeline(own, *project_, pipeline_, parts_.connectors, options);
        if (stop_.canceled()) return;
        std::string trace;
        if (!summary.ok()) trace = summary.error().to_string();
        for (const auto& stream : summary.ok() ? summary.value().streams : std::vector<StreamResult>()) {
            if (stream.error) trace = stream.error->to_string();
        }
        const std::lock_guard lock(mutex_);
        state_ = trace.empty() ? ConnectorState::unassigned : ConnectorState::failed;
        trace_ = trace;
    }

    const Parts& parts_;
    const std::shared_ptr<const Project> project_;  // that `pipeline_` and `stream_` stand in
    const PipelineConfig& pipeline_;
    const StreamConfig& stream_;
    Cancellation stop_;
    mutable std::mutex mutex_;
    ConnectorState state_ = ConnectorState::running;
    std::string trace_;
    std::thread thread_;
};

struct PipelineHost::Entry {
    std::string name;
    std::optional<ConnectorConfig> config;  // that the pipeline was made of
    ConnectorState target = ConnectorState::running;
    std::string trace;  // why the pipeline cannot be read
    std::shared_ptr<const Project> project;
    const PipelineConfig* pipeline = nullptr;  // of the project
    std::vector<std::unique_ptr<Task>> tasks;  // by stream; none unless it is to run
};

Result<std::unique_ptr<PipelineHost>> PipelineHost::start(Parts parts) {
    std::unique_ptr<PipelineHost> host(new PipelineHost(std::move(parts)));
    const Project project = TRY(host->parts_.read_project({.folder = host->parts_.folder}));
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (!runs_for_ever(pipeline)) continue;
        auto entry = std::make_unique<Entry>();
        entry->name = pipeline.name;
        host->load_state(*entry);
        host->begin(*entry);
        host->entries_[pipeline.name] = std::move(entry);
    }
    return host;
}

PipelineHost::PipelineHost(Parts parts) : parts_(std::move(parts)) {}
PipelineHost::~PipelineHost() = default;

std::string PipelineHost::state_file(const std::string& name) const {
    return parts_.folder + "/.shaduf/connect/" + name + ".json";
}

std::string PipelineHost::pipeline_file(const std::string& name) const {
    return parts_.folder + "/pipelines/" + name + ".yml";
}

void PipelineHost::load_state(Entry& entry) const {
    const auto text = read_text(state_file(entry.name));
    if (!text) return;
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object()) return;
    if (json.contains("target") && json["target"].is_string())
        entry.target = state_named(json["target"].get<std::string>());
    if (!json.contains("config") || !json["config"].is_object()) return;
    entry.config.emplace();
    for (const auto& [name, value] : json["config"].items()) {
        if (value.is_string()) (*entry.config)[name] = value;
    }
}

Result<void> PipelineHost::save_state(const Entry& entry) const {
    Json json = {{"target", to_string(entry.target)}};
    if (entry.config) json["config"] = *entry.config;
    return write_text(state_file(entry.name), json.dump(2) + "\n");
}

Result<std::shared_ptr<const Project>> PipelineHost::read(const std::string& name) const {
    auto project = TRY(parts_.read_project({.folder = parts_.folder, .pipelines = {name}}));
    if (project.pipeline(name) == nullptr)
        return Error(ErrorKind::invalid_config, "pipeline is gone: " + pipeline_file(name));
    return std::make_shared<const Project>(std::move(project));
}

// Reads the pipeline as it is by now, and runs it where it is to run. REQUIRES: it has no tasks
void PipelineHost::begin(Entry& entry) {
    auto project = read(entry.name);
    const std::lock_guard lock(mutex_);
    entry.trace = project.ok() ? "" : project.error().to_string();
    if (!project.ok()) return;
    entry.project = project.release_value();
    entry.pipeline = entry.project->pipeline(entry.name);
    if (entry.target != ConnectorState::running) return;
    for (const StreamConfig& stream : entry.pipeline->streams)
        entry.tasks.push_back(std::make_unique<Task>(parts_, entry.project, *entry.pipeline, stream));
}

Result<PipelineHost::Entry*> PipelineHost::find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end()) return Error(ErrorKind::invalid_config, "pipeline not found: " + name);
    return found->second.get();
}

std::vector<std::string> PipelineHost::names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
}

std::optional<ConnectorInfo> PipelineHost::info(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = *found->second;
    ConnectorInfo info{.name = name, .state = entry.target, .trace = entry.trace};
    if (!entry.trace.empty()) info.state = ConnectorState::failed;
    info.config = entry.config.value_or(ConnectorConfig{{"connector.class", "shaduf"}});
    info.config["name"] = name;
    for (const auto& task : entry.tasks) info.tasks.push_back(task->told());
    if (entry.pipeline == nullptr) return info;
    for (const StreamConfig& stream : entry.pipeline->streams) {
        for (const std::string& topic : topics_of(stream)) info.topics.push_back(topic);
        if (entry.target == ConnectorState::paused)
            info.tasks.push_back({ConnectorState::paused, "", {{"pipeline", name}, {"stream", stream.name}}});
    }
    return info;
}

Result<void> PipelineHost::put(const std::string& name, const ConnectorConfig& config) {
    const std::lock_guard changing(changing_);
    if (!is_file_name(name)) {
        return Error(ErrorKind::invalid_config,
                     "connector cannot have this name: " + name + "; use letters, digits, - _ and .");
    }
    const std::string path = pipeline_file(name);
    const auto before = read_text(path);
    auto known = find(name);
    if (before && (!known.ok() || !known.value()->config)) {
        return Error(ErrorKind::conflict,
                     "pipeline was written by hand: " + path + "; change it there, or give the connector another name");
    }
    const Translated translated = TRY(parts_.translate(name, config));
    TRY(write_text(path, translated.pipeline));
    if (const auto project = read(name); !project.ok()) {
        std::error_code ignored;
        before ? (void)write_text(path, *before) : (void)fs::remove(path, ignored);
        return project.error();
    }
    for (const ConnectorProblem& problem : translated.problems) {
        parts_.world.events.message(Severity::warning, name, problem.property + ": " + problem.text);
    }
    auto entry = std::make_unique<Entry>();
    entry->name = name;
    entry->config = config;
    if (known.ok()) entry->target = known.value()->target;
    TRY(save_state(*entry));
    std::unique_ptr<Entry> old;  // its runs end before the new ones begin
    {
        const std::lock_guard lock(mutex_);
        old = std::exchange(entries_[name], std::move(entry));
    }
    old.reset();
    begin(*TRY(find(name)));
    return {};
}

Result<void> PipelineHost::remove(const std::string& name) {
    const std::lock_guard changing(changing_);
    const Entry* entry = TRY(find(name));
    if (!entry->config) {
        return Error(ErrorKind::conflict,
                     "pipeline was written by hand: " + pipeline_file(name) + "; remove the file instead");
    }
    std::error_code failed;
    fs::remove(pipeline_file(name), failed);
    if (failed) return Error(ErrorKind::exhausted, "file cannot be removed: " + pipeline_file(name));
    fs::remove(state_file(name), failed);
    std::unique_ptr<Entry> old;
    const std::lock_guard lock(mutex_);
    old = std::move(entries_[name]);
    entries_.erase(name);
    return {};
}

std::vector<ConnectorProblem> PipelineHost::validate(const ConnectorConfig& config) const {
    const auto name = config.find("name");
    if (name == config.end()) return {{"name", "missing"}};
    const auto translated = parts_.translate(name->second, config);
    if (!translated.ok()) return {{"connector.class", translated.error().to_string()}};
    return translated.value().problems;
}

// Ends the runs, and begins them again where that is what it is to do.
Result<void> PipelineHost::aim(const std::string& name, ConnectorState target) {
    const std::lock_guard changing(changing_);
    Entry* entry = TRY(find(name));
    if (entry->target == target && entry->trace.empty()) return {};
    std::vector<std::unique_ptr<Task>> ended;
    {
        const std::lock_guard lock(mutex_);
        entry->target = target;
        ended.swap(entry->tasks);
    }
    TRY(save_state(*entry));
    ended.clear();
    begin(*entry);
    return {};
}

Result<void> PipelineHost::pause(const std::string& name) { return aim(name, ConnectorState::paused); }
Result<void> PipelineHost::resume(const std::string& name) { return aim(name, ConnectorState::running); }
Result<void> PipelineHost::stop(const std::string& name) { return aim(name, ConnectorState::stopped); }

// Connect restarts the connector alone unless told otherwise; here that is to read the pipeline again where it could
// not be.
Result<void> PipelineHost::restart(const std::string& name, const RestartOptions& options) {
    const Entry* entry = TRY(find(name));
    std::vector<size_t> wanted;
    {
        const std::lock_guard lock(mutex_);
        for (size_t i = 0; i < entry->tasks.size() && options.include_tasks; ++i) {
            if (!options.only_failed || entry->tasks[i]->state() == ConnectorState::failed) wanted.push_back(i);
        }
    }
    for (const size_t task : wanted) TRY(restart_task(name, task));
    const std::lock_guard changing(changing_);
    Entry* unread = TRY(find(name));
    if (!unread->trace.empty()) begin(*unread);
    return {};
}

Result<void> PipelineHost::restart_task(const std::string& name, size_t task) {
    const std::lock_guard changing(changing_);
    Entry* entry = TRY(find(name));
    if (task >= entry->tasks.size()) return Error(ErrorKind::conflict, "connector does not run: " + name);
    const auto project = TRY(read(name));
    std::unique_ptr<Task> old;
    {
        const std::lock_guard lock(mutex_);
        old = std::move(entry->tasks[task]);
        entry->tasks.erase(entry->tasks.begin() + static_cast<std::ptrdiff_t>(task));
    }
    old.reset();
    const auto& streams = project->pipeline(name)->streams;
    if (task >= streams.size())
        return Error(ErrorKind::conflict, "pipeline has changed: " + name + "; stop and resume it");
    auto anew = std::make_unique<Task>(parts_, project, *project->pipeline(name), streams[task]);
    const std::lock_guard lock(mutex_);
    entry->tasks.insert(entry->tasks.begin() + static_cast<std::ptrdiff_t>(task), std::move(anew));
    return {};
}

Result<std::unique_ptr<Store>> PipelineHost::open_store(const Entry& entry) const {
    if (entry.pipeline == nullptr) return Error(ErrorKind::conflict, entry.trace);
    const ConnectionConfig* sink = entry.project->connection(entry.pipeline->sink);
    const ConnectorSpec* spec = sink == nullptr ? nullptr : parts_.connectors.find(sink->type);
    if (spec == nullptr || spec->make_store == nullptr)
        return Error(ErrorKind::invalid_config, "sink of the pipeline keeps no checkpoints: " + entry.name);
    auto store = TRY(spec->make_store(sink->options, sink->name));
    if (store->checkpoints() == nullptr)
        return Error(ErrorKind::invalid_config, "sink of the pipeline keeps no checkpoints: " + entry.name);
    return store;
}

Result<std::vector<ConnectorOffset>> PipelineHost::offsets(const std::string& name) const {
    std::vector<ConnectorOffset> offsets;
    const std::lock_guard changing(changing_);
    const Entry* entry = TRY(find(name));
    const auto store = TRY(open_store(*entry));
    for (const auto& stored : TRY(store->checkpoints()->list_checkpoints(parts_.world))) {
        if (stored.pipeline != name) continue;
        for (const auto& [part, position] : TRY(parse_parts(stored.checkpoint))) {
            if (auto offset = offset_of(part, position.at)) offsets.push_back(std::move(*offset));
        }
    }
    return offsets;
}

Result<void> PipelineHost::set_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) {
    const std::lock_guard changing(changing_);
    const Entry* entry = TRY(find(name));
    if (entry->target != ConnectorState::stopped) {
        return Error(ErrorKind::invalid_config,
                     "Connectors must be in the STOPPED state before their offsets can be altered: " + name);
    }
    const auto store = TRY(open_store(*entry));
    std::map<std::string, CheckpointParts> stands;
    for (const auto& stored : TRY(store->checkpoints()->list_checkpoints(parts_.world))) {
        if (stored.pipeline == name) stands[stored.stream] = TRY(parse_parts(stored.checkpoint));
    }
    for (const StreamConfig& stream : entry->pipeline->streams) {
        CheckpointParts& parts = stands[stream.name];
        const CheckpointParts before = parts;
        if (offsets.empty()) parts.clear();
        const auto topics = topics_of(stream);
        for (const ConnectorOffset& offset : offsets) {
            const bool is_read = std::find(topics.begin(), topics.end(), offset.topic) != topics.end();
            if (!is_read && !parts.contains(part_of(offset))) continue;
            if (offset.offset) {
                parts[part_of(offset)] = {std::to_string(*offset.offset)};
            } else {
                parts.erase(part_of(offset));
            }
        }
        if (parts == before) continue;
        const auto next = parts.empty() ? std::nullopt : std::optional(to_checkpoint(parts));
        TRY(store->checkpoints()->set_checkpoint(parts_.world, name, stream.name, next));
    }
    return {};
}

}  // namespace shaduf::server
