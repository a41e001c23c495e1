#include "flow/flow_reader.h"

#include <algorithm>

#include "base/text.h"
#include "flow/flow_schedules.h"
#include "flow/task_reader.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr std::string_view kMissed[] = {"last", "all", "none"};
constexpr std::string_view kOverlaps[] = {"queue", "skip", "cancel_running", "fail"};
constexpr std::string_view kWhen[] = {"all", "any"};
constexpr int64_t kRunsMax = 10'000;

constexpr FieldSpec kSensorFields[] = {
    {.name = "file", .help = "A path with * and ?, in the project's folder: files that are new or have changed."},
    {.name = "table", .help = "A query: it begins a run when it gives rows, other ones than the last time."},
    {.name = "connection", .help = "Where the query runs.", .default_value = "warehouse"},
    {.name = "http", .help = "An address: it begins a run when what it answers has changed."},
    {.name = "value", .help = "A JSON pointer into the answer: only what is there counts.", .example = "/version"},
    {.name = "headers", .type = FieldType::text_map, .help = "Headers of the request."},
    {.name = "every", .type = FieldType::duration, .help = "How often to look.", .default_value = "1m"},
};
constexpr FieldSpec kOnFields[] = {
    {.name = "tables", .type = FieldType::text_list, .help = "Tables (schema.table) that a task has written to."},
    {.name = "when", .help = "Whether all of the tables, or any of them.", .default_value = "all", .choices = kWhen},
    {.name = "within", .type = FieldType::duration, .help = "How far apart the updates of all tables may lie."},
    {.name = "sensors",
     .type = FieldType::any,
     .help = "What to look at every now and then: maps with one of file, table and http."},
    {.name = "hook", .help = "The secret of the address /hooks/NAME/SECRET, which begins a run.", .secret = true},
};
constexpr FieldSpec kFlowFields[] = {
    {.name = "title", .help = "What people call it; its name unless given."},
    {.name = "description", .help = "What it is for."},
    {.name = "owner", .help = "Who looks after it."},
    {.name = "labels", .type = FieldType::text_map, .help = "Words to find it by."},
    {.name = "schedule",
     .type = FieldType::any,
     .help = "When to run: cron, a preset, `every 15m`, a map with cron, every or at, or a list of these.",
     .example = "0 6 * * *"},
    {.name = "zone", .help = "The time zone by whose clocks schedules go.", .default_value = "UTC"},
    {.name = "starts", .type = FieldType::any, .help = "Nothing is due before it."},
    {.name = "ends", .type = FieldType::any, .help = "Nothing is due from then on."},
    {.name = "catch_up",
     .type = FieldType::boolean,
     .help = "Whether a new flow runs for all that was due from `starts` on."},
    {.name = "missed",
     .help = "Which runs are made good that were due while nobody looked.",
     .default_value = "last",
     .choices = kMissed},
    {.name = "missed_max", .type = FieldType::integer, .help = "How many at most, the latest.", .default_value = "100"},
    {.name = "lateness",
     .type = FieldType::duration,
     .help = "What is due is not missed as long as it is not older.",
     .default_value = "1m"},
    {.name = "jitter",
     .type = FieldType::duration,
     .help = "Runs begin so much later at most, always by the same time, which follows from the flow's name."},
    {.name = "max_runs", .type = FieldType::integer, .help = "Runs at the same time.", .default_value = "1"},
    {.name = "max_backfills",
     .type = FieldType::integer,
     .help = "Runs of backfills at the same time, counted apart.",
     .default_value = "1"},
    {.name = "overlap",
     .help = "What becomes of a run when as many run as may.",
     .default_value = "queue",
     .choices = kOverlaps},
    {.name = "priority", .type = FieldType::integer, .help = "Tasks of a higher one go first.", .default_value = "0"},
    {.name = "deadline",
     .type = FieldType::duration,
     .help = "A run that has not ended so long after it was due is stopped."},
    {.name = "stale_after", .type = FieldType::duration, .help = "It is late when it has not succeeded for so long."},
    {.name = "paused", .type = FieldType::boolean, .help = "Whether its schedules and triggers rest."},
    {.name = "on", .type = FieldType::object, .help = "What begins a run besides schedules.", .children = kOnFields},
    {.name = "defaults", .type = FieldType::any, .help = "Keys that every task has unless it says otherwise."},
    {.name = "tasks", .type = FieldType::any, .help = "By name, what is to be done.", .required = true},
};

class FlowReader {
public:
    FlowReader(const std::string& name, const FlowReaderParts& parts, std::vector<Error>& errors)
        : name_(name), parts_(parts), errors_(errors) {}

    FlowInfo read(const Node& node) {
        FlowInfo info;
        info.file = node.place().file;
        info.line = std::max(node.place().line, 1);
        Options options;
        auto wrong = Options::create(kFlowFields, node, parts_.project.resolve, options);
        const bool is_readable = wrong.empty();
        std::move(wrong.begin(), wrong.end(), std::back_inserter(errors_));
        if (!is_readable) return info;
        read_words(options, info);
        TasksReader tasks(name_, parts_, errors_);
        const size_t wrong_before = errors_.size();
        tasks.read(node["tasks"], node["defaults"]);
        if (errors_.size() > wrong_before) {
            // A task that could not be read is missed by others: that is no error of theirs.
            for (TaskNode& task : tasks.nodes) task.after.clear();
        }
        auto graph = TaskGraph::create(std::move(tasks.nodes));
        if (!graph.ok()) {
            errors_.push_back(graph.error().at(node.place_of_key("tasks")));
            return info;
        }
        FlowSpec spec{name_, "", graph.release_value(), std::move(tasks.specs), {}, {}, {}};
        info.writes = std::move(tasks.writes);
        info.is_endless = tasks.is_endless;
        read_times(node, options, info, spec);
        read_limits(options, spec);
        read_triggers(node, options, info);
        spec.revision = to_hex(sha256(flow_to_text(spec))).substr(0, 12);
        info.spec = std::make_shared<const FlowSpec>(std::move(spec));
        return info;
    }

private:
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }

    void read_words(const Options& options, FlowInfo& info) {
        info.title = options.text("title");
        info.description = options.text("description");
        info.owner = options.text("owner");
        for (const auto& [name, value] : options.text_map("labels")) info.labels[name] = value;
        info.zone = options.text("zone");
        info.stale_after = options.duration("stale_after");
    }

    void read_times(const Node& node, const Options& options, FlowInfo& info, FlowSpec& spec) {
        auto zone = Zone::find(info.zone);
        if (!zone.ok()) return fail(options.place_of("zone"), zone.error().message());
        const auto moment = [&](const char* key) -> std::optional<Timestamp> {
            if (!options.has(key)) return std::nullopt;
            const auto read = read_moment(node[key], zone.value());
            if (!read.ok()) errors_.push_back(read.error());
            return read.ok() ? std::optional(read.value()) : std::nullopt;
        };
        spec.starts = moment("starts");
        spec.ends = moment("ends");
        if (spec.starts && spec.ends && *spec.ends <= *spec.starts) {
            fail(options.place_of("ends"), "ends: not behind starts");
        }
        spec.catches_up = options.boolean("catch_up");
        if (spec.catches_up && !spec.starts) fail(options.place_of("catch_up"), "catch_up: needs starts");
        if (!options.has("schedule")) return;
        auto written = read_schedules(node["schedule"], zone.value(), errors_);
        info.schedules_as_written = std::move(written.as_written);
        const auto jitter = options.duration("jitter");
        for (const Schedule& schedule : written.schedules) {
            spec.schedules.push_back(jitter.count() > 0 ? schedule.delayed_by(offset_of(jitter)) : schedule);
        }
    }

    std::chrono::microseconds offset_of(std::chrono::milliseconds jitter) const {
        const Sha256Digest digest = sha256(name_);
        uint64_t number = 0;
        for (size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest[i];
        return std::chrono::milliseconds(static_cast<int64_t>(number % static_cast<uint64_t>(jitter.count())));
    }

    size_t count_of(const Options& options, const char* key) {
        const int64_t count = options.integer(key);
        if (count < 1 || count > kRunsMax) {
            fail(options.place_of(key), std::string(key) + ": expected 1 to 10000, found " + std::to_string(count));
        }
        return static_cast<size_t>(std::clamp<int64_t>(count, 1, kRunsMax));
    }

    void read_limits(const Options& options, FlowSpec& spec) {
        const std::string missed = options.text("missed");
        spec.missed = missed == "all" ? MissedRuns::all : missed == "none" ? MissedRuns::none : MissedRuns::last;
        spec.missed_max = count_of(options, "missed_max");
        spec.lateness = options.duration("lateness");
        spec.runs_max = count_of(options, "max_runs");
        spec.backfills_max = count_of(options, "max_backfills");
        const auto* overlap = std::find(std::begin(kOverlaps), std::end(kOverlaps), options.text("overlap"));
        spec.overlap = static_cast<Overlap>(overlap - std::begin(kOverlaps));
        spec.priority = static_cast<int>(std::clamp<int64_t>(options.integer("priority"), -1000, 1000));
        spec.deadline = options.duration("deadline");
        spec.is_paused = options.boolean("paused");
    }

    void read_triggers(const Node& node, const Options& options, FlowInfo& info) {
        const Options& on = options.object("on");
        info.hook_secret = on.has("hook") ? on.text("hook") : "";
        if (on.has("hook") && info.hook_secret.size() < 8) {
            fail(on.place_of("hook"), "hook: a secret of at least 8 characters is needed");
        }
        if (on.has("tables")) {
            TableTrigger trigger;
            for (const std::string& table : on.text_list("tables")) {
                const std::string name = to_lower(table);
                if (name.find('.') == std::string::npos) {
                    fail(on.place_of("tables"), "tables: expected schema.table, found " + table);
                }
                trigger.tables.push_back(name);
                info.reads.push_back(name);
            }
            trigger.needs_all = on.text("when") != "any";
            trigger.within = on.duration("within");
            info.on_tables.push_back(std::move(trigger));
        }
        const Node& sensors = node["on"]["sensors"];
        if (sensors.is_null()) return;
        for (const Node& item : sensors.is_list() ? sensors.items() : std::vector<Node>{sensors}) {
            read_sensor(item, info);
        }
    }

    void read_sensor(const Node& node, FlowInfo& info) {
        Options options;
        auto wrong = Options::create(kSensorFields, node, parts_.project.resolve, options);
        if (!wrong.empty()) {
            std::move(wrong.begin(), wrong.end(), std::back_inserter(errors_));
            return;
        }
        SensorTrigger sensor;
        for (const char* type : {"file", "table", "http"}) {
            if (!options.has(type)) continue;
            if (!sensor.type.empty()) return fail(node.place(), "sensor: give one of file, table and http");
            sensor.type = type;
        }
        if (sensor.type.empty()) return fail(node.place(), "sensor: give one of file, table and http");
        sensor.every = options.duration("every");
        if (sensor.every < std::chrono::seconds(1)) {
            return fail(options.place_of("every"), "every: expected at least 1s");
        }
        const bool is_known = parts_.project.connection(options.text("connection")) != nullptr;
        if (sensor.type == "table" && !is_known) {
            std::vector<std::string> known;
            for (const auto& [name, connection] : parts_.project.connections) known.push_back(name);
            return fail(node.place(), "connection not found: " + options.text("connection") +
                                          did_you_mean(options.text("connection"), known));
        }
        sensor.config = node.to_json();  // references as written: what they stand for is not kept
        info.sensors.push_back(std::move(sensor));
    }

    const std::string& name_;
    const FlowReaderParts& parts_;
    std::vector<Error>& errors_;
};

}  // namespace

FlowInfo read_flow(const std::string& name, const Node& node, const FlowReaderParts& parts,
                   std::vector<Error>& errors) {
    if (!node.is_map()) {
        errors.push_back(
            Error(ErrorKind::invalid_config, "a flow is a map with tasks").at(Place::in_file(node.place().file, 1)));
        return {};
    }
    return FlowReader(name, parts, errors).read(node);
}

std::span<const FieldSpec> flow_fields() { return kFlowFields; }
std::span<const FieldSpec> sensor_fields() { return kSensorFields; }

}  // namespace shaduf
