#include "flow/flow_files.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "base/text.h"
#include "flow/flow_reader.h"
#include "flow/flow_schedules.h"
#include "flow/pipeline_tables.h"
#include "flow/task_config.h"
#include "flow/task_reader.h"
#include "io/crypto.h"
#include "jinja/value.h"

namespace shaduf {
namespace {

constexpr int kImplicitRetries = 2;
// An endless load comes again for ever, as a run is opened anew behind the last of these.
constexpr int kEndlessRetries = 100;
constexpr std::chrono::minutes kEndlessDelayMax{5};
constexpr size_t kFilesAThread = 32;  // fewer are not worth one

bool is_flow_name(std::string_view name) {
    return !name.empty() && name.size() <= 200 && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-' || c == '.';
           });
}

class FlowSetReader {
public:
    FlowSetReader(const Project& project, const Registry<TaskTypeSpec>& types, FlowSet& out)
        : project_(project), out_(out), parts_{project, types, out.pools} {}

    std::vector<Error> read() {
        read_pools();
        read_files();
        for (const std::string& title : project_.pipeline_names) {
            if (!names_.contains(title) && !project_.pipelines_of(title).empty()) add_pipeline(title);
        }
        std::sort(out_.flows.begin(), out_.flows.end(), [](const FlowInfo& a, const FlowInfo& b) {
            return a.spec != nullptr && b.spec != nullptr && a.spec->name < b.spec->name;
        });
        return errors_;
    }

private:
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }

    void read_pools() {
        for (const auto& [name, places] : project_.pools) out_.pools[name] = static_cast<uint32_t>(places);
        const int64_t parallel = project_.tasks_parallel > 0
                                     ? project_.tasks_parallel
                                     : std::max<int64_t>(std::thread::hardware_concurrency(), 1);
        out_.pools.try_emplace(std::string(kTasksPool), static_cast<uint32_t>(parallel));
    }

    void read_files() {
        std::set<std::string> files;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(project_.folder + "/flows", error)) {
            const auto extension = entry.path().extension();
            if (extension == ".yml" || extension == ".yaml") files.insert(entry.path().filename().string());
        }
        std::vector<Reading> readings;
        for (const std::string& file : files) {
            const std::string name = std::filesystem::path(file).stem();
            const std::string path = "flows/" + file;
            if (!is_flow_name(name)) {
                fail(Place::in_file(path, 0), "flow name: expected letters, digits, _, - and ., found " + name);
                continue;
            }
            if (!names_.insert(name).second) {
                fail(Place::in_file(path, 0), "flow given twice, as .yml and as .yaml: " + name);
                continue;
            }
            readings.push_back({name, path, {}, {}});
        }
        read_all(readings);
        for (Reading& reading : readings) {
            errors_.insert(errors_.end(), reading.errors.begin(), reading.errors.end());
            if (reading.info.spec != nullptr) out_.flows.push_back(std::move(reading.info));
        }
    }

    struct Reading {
        std::string name;
        std::string path;
        FlowInfo info;
        std::vector<Error> errors;
    };
    // Files do not look at each other, so that many are read side by side.
    void read_all(std::vector<Reading>& readings) const {
        std::atomic<size_t> next{0};
        const auto read_some = [&] {
            for (size_t at = next++; at < readings.size(); at = next++) {
                Reading& reading = readings[at];
                const auto node = Node::load_yaml(project_.folder + "/" + reading.path, reading.path);
                if (node.ok()) {
                    reading.info = read_flow(reading.name, node.value(), parts_, reading.errors);
                } else {
                    reading.errors.push_back(node.error());
                }
            }
        };
        const size_t wanted = std::min<size_t>(readings.size() / kFilesAThread, std::thread::hardware_concurrency());
        std::vector<std::thread> others;
        while (others.size() + 1 < wanted) others.emplace_back(read_some);
        read_some();
        for (std::thread& other : others) other.join();
    }

    static TaskSpec task(std::string type, std::initializer_list<std::pair<const char*, std::string>> options) {
        TaskSpec spec;
        spec.type = std::move(type);
        auto dict = jinja::make<jinja::Dict>();
        for (const auto& [key, value] : options) dict->set(jinja::Value(key), jinja::Value(value));
        TaskConfig config;
        config.options = jinja::Value(dict);
        spec.config = config.to_json();
        spec.uses = {{std::string(kTasksPool), 1}};
        spec.retry.tries_more = kImplicitRetries;
        return spec;
    }

    void add_pipeline(const std::string& title) {
        const PipelineConfig& pipeline = *project_.pipelines_of(title).back();
        FlowInfo info;
        info.pipeline = title;
        info.zone = "UTC";
        info.line = pipeline.place.line;
        info.writes = tables_of(project_, title);
        info.is_endless = is_endless(project_, title);
        std::vector<TaskNode> nodes{{.name = "load", .after = {}}};
        std::vector<TaskSpec> specs{task("pipeline", {{"pipeline", title}})};
        if (info.is_endless) {
            specs.front().uses.clear();
            specs.front().retry.tries_more = kEndlessRetries;
            specs.front().retry.longest = kEndlessDelayMax;
        } else if (std::filesystem::exists(project_.folder + "/dbt_project.yml")) {
            nodes.push_back({.name = "models", .after = {"load"}});
            specs.push_back(task("models", {{"after", title}}));
            specs.back().retry.tries_more = 0;
        }
        auto graph = TaskGraph::create(std::move(nodes));
        FlowSpec spec{title, "", graph.release_value(), std::move(specs), {}, {}, {}};
        if (!pipeline.schedule.empty()) {
            const Node node =
                Node::scalar(pipeline.schedule, false, Place::in_file(pipeline.file, pipeline.place.line));
            auto written = read_schedules(node, Zone::utc(), errors_);
            info.schedules_as_written = std::move(written.as_written);
            spec.schedules = std::move(written.schedules);
        }
        spec.revision = to_hex(sha256(flow_to_text(spec))).substr(0, 12);
        info.spec = std::make_shared<const FlowSpec>(std::move(spec));
        out_.flows.push_back(std::move(info));
    }

    const Project& project_;
    FlowSet& out_;
    const FlowReaderParts parts_;
    std::set<std::string> names_;
    std::vector<Error> errors_;
};

}  // namespace

const FlowInfo* FlowSet::find(std::string_view name) const {
    const auto found =
        std::lower_bound(flows.begin(), flows.end(), name,
                         [](const FlowInfo& flow, std::string_view other) { return flow.spec->name < other; });
    return found == flows.end() || found->spec->name != name ? nullptr : &*found;
}

std::vector<Error> read_flows(const Project& project, const Registry<TaskTypeSpec>& types, FlowSet& out) {
    out = FlowSet();
    return FlowSetReader(project, types, out).read();
}

}  // namespace shaduf
