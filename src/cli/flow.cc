#include <iomanip>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/flow_live.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "flow/flow_platform.h"
#include "flow/json_values.h"

namespace shaduf {
namespace {

constexpr std::string_view kActions[] = {"ls", "show", "run"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: all flows; show: one, with its tasks; run: one, here, to its end.",
     true,
     {},
     kActions},
    {"name", ArgumentKind::positional, "Which flow."},
    {"input", ArgumentKind::option_list, "NAME=VALUE, for templates of tasks; JSON where it is such."},
    {"due", ArgumentKind::option, "The time that the run is for; now unless given."},
    {"quiet", ArgumentKind::flag, "Do not show what tasks say."},
};
constexpr const char* kFolder = ".shaduf";

// The flows of the project; nothing: told as errors.
std::shared_ptr<const FlowSet> open_flows(Session& session, const Project& project,
                                          const Registry<TaskTypeSpec>& types) {
    auto flows = std::make_shared<FlowSet>();
    const auto errors = read_flows(project, types, *flows);
    if (errors.empty()) return flows;
    session.fail(errors);
    return nullptr;
}

std::optional<Timestamp> next_due(const FlowSpec& flow, Timestamp now) {
    if (flow.is_paused) return std::nullopt;
    const Timestamp behind = flow.starts ? std::max(now, *flow.starts - std::chrono::microseconds(1)) : now;
    std::optional<Timestamp> first;
    for (const Schedule& schedule : flow.schedules) {
        const auto next = schedule.next(behind);
        if (next && (!flow.ends || *next < *flow.ends) && (!first || *next < *first)) first = next;
    }
    return first;
}

// When it runs, in words.
std::string begins(const FlowInfo& flow) {
    std::vector<std::string> words = flow.schedules_as_written;
    if (!words.empty() && flow.zone != "UTC") words.back() += " (" + flow.zone + ")";
    for (const TableTrigger& trigger : flow.on_tables) {
        words.push_back("after " + join(trigger.tables, trigger.needs_all ? " and " : " or "));
    }
    for (const SensorTrigger& sensor : flow.sensors) words.push_back("sensor " + sensor.type);
    if (!flow.hook_secret.empty()) words.emplace_back("hook");
    if (flow.is_endless) words.emplace_back("always");
    if (flow.spec->is_paused) words.emplace_back("paused");
    return words.empty() ? "by hand" : join(words, "; ");
}

void write_flow(const FlowInfo& flow, Timestamp now, JsonWriter& json) {
    json.begin_object().field("name", flow.spec->name).field("title", flow.title).field("file", flow.file);
    json.field("pipeline", flow.pipeline).key("schedules").begin_array();
    for (const std::string& schedule : flow.schedules_as_written) json.text(schedule);
    json.end_array().field("zone", flow.zone).key("next_due");
    if (const auto next = next_due(*flow.spec, now)) {
        json.text(format_timestamp(*next));
    } else {
        json.null();
    }
    json.field("revision", flow.spec->revision).key("tasks").begin_array();
    for (TaskIndex i = 0; i < flow.spec->graph.size(); ++i) {
        const TaskNode& node = flow.spec->graph[i];
        json.begin_object().field("name", node.name).field("type", flow.spec->tasks[i].type).key("after").begin_array();
        for (const std::string& name : node.after) json.text(name);
        json.end_array().field("when", to_string(node.rule)).end_object();
    }
    json.end_array().end_object();
}

int list(Session& session, const FlowSet& flows) {
    const Timestamp now = session.world().clock.now();
    if (session.json()) {
        JsonWriter json;
        json.begin_array();
        for (const FlowInfo& flow : flows.flows) write_flow(flow, now, json);
        session.out() << json.end_array().str() << "\n";
        return kExitDone;
    }
    Table table({{"flow"}, {"begins"}, {"next due"}, {"tasks", Align::right}});
    for (const FlowInfo& flow : flows.flows) {
        const auto next = next_due(*flow.spec, now);
        table.add_row({flow.spec->name, begins(flow), next ? format_timestamp(*next) : "",
                       std::to_string(flow.spec->graph.size())});
    }
    if (table.rows() == 0) {
        session.out() << "no flows: write a pipeline into pipelines/NAME.yml, or a flow into flows/NAME.yml\n";
    } else {
        table.print(session.out());
    }
    return kExitDone;
}

int show(Session& session, const FlowInfo& flow) {
    const Timestamp now = session.world().clock.now();
    if (session.json()) {
        JsonWriter json;
        write_flow(flow, now, json);
        session.out() << json.str() << "\n";
        return kExitDone;
    }
    std::ostream& out = session.out();
    const auto line = [&](const char* name, const std::string& text) {
        if (!text.empty()) out << name << ": " << text << "\n";
    };
    line("flow", flow.spec->name);
    line("title", flow.title);
    line("description", flow.description);
    line("owner", flow.owner);
    line("file", flow.file);
    line("pipeline", flow.pipeline);
    line("begins", begins(flow));
    const auto next = next_due(*flow.spec, now);
    line("next due", next ? format_timestamp(*next) : "");
    line("reads", join(flow.reads, ", "));
    line("writes", join(flow.writes, ", "));
    out << "\n";
    Table table({{"task"}, {"type"}, {"behind"}, {"when"}, {"retries", Align::right}});
    for (const TaskIndex i : flow.spec->graph.in_order()) {
        const TaskNode& node = flow.spec->graph[i];
        table.add_row({node.name, flow.spec->tasks[i].type, join(node.after, ", "), std::string(to_string(node.rule)),
                       std::to_string(flow.spec->tasks[i].retry.tries_more)});
    }
    table.print(out);
    return kExitDone;
}

// Inputs of a run as JSON.
Result<std::string> inputs_of(const Arguments& arguments) {
    JsonWriter json;
    json.begin_object();
    for (const std::string& given : arguments.texts("input")) {
        const size_t equals = given.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Error(ErrorKind::invalid_config, "input is not NAME=VALUE: " + given);
        }
        const std::string value = given.substr(equals + 1);
        const auto parsed = value.empty() ? Result<jinja::Value>(jinja::Value("")) : parse_json_value(value);
        json.key(given.substr(0, equals));
        if (parsed.ok()) {
            json.raw(json_text_of(parsed.value()));
        } else {
            json.text(value);
        }
    }
    return json.end_object().str();
}

int64_t rows_of(const std::optional<TryReport>& report) {
    int64_t rows = 0;
    if (report) {
        for (const TaskStep& step : report->steps) rows += step.rows_written;
    }
    return rows;
}

void print_json(const RunRow& run, const FlowSpec& flow, const std::vector<TaskRow>& rows, std::ostream& out) {
    JsonWriter json;
    json.begin_object().field("run", run.id).field("flow", run.flow).field("state", to_string(run.state));
    json.field("why", run.why).key("tasks").begin_array();
    for (const TaskRow& row : rows) {
        const auto report = TryReport::from_json(row.outputs);
        json.begin_object().field("name", flow.graph[row.task].name).field("state", to_string(row.state));
        json.field("attempt", int64_t{row.attempt}).field("why", row.why).field("rows", rows_of(report));
        json.key("values").raw(report ? report->values : "{}").end_object();
    }
    out << json.end_array().end_object().str() << "\n";
}

void print_summary(const RunRow& run, const FlowSpec& flow, const std::vector<TaskRow>& rows, std::ostream& out) {
    Table table({{"task"}, {"state"}, {"tries", Align::right}, {"rows", Align::right}, {"why"}});
    for (const TaskRow& row : rows) {
        table.add_row({flow.graph[row.task].name, std::string(to_string(row.state)), std::to_string(row.attempt),
                       format_count(rows_of(TryReport::from_json(row.outputs))), row.why});
    }
    out << "\n";
    table.print(out, 80);
    const auto took = run.ended.value_or(run.created) - run.began.value_or(run.created);
    const double seconds = std::chrono::duration<double>(took).count();
    out << "\nrun " << run.id << " of " << run.flow << " " << to_string(run.state) << " in " << std::fixed
        << std::setprecision(2) << seconds << "s.\n"
        << std::flush;
}

int tell_result(Session& session, FlowPlatform& platform, const RunId& id, const FlowSpec& flow) {
    const auto run = platform.store().run(id);
    const auto rows = platform.store().tasks(id);
    if (!run.ok()) return session.fail(run.error());
    if (!rows.ok()) return session.fail(rows.error());
    const RunState state = run.value()->state;
    if (session.json()) {
        print_json(*run.value(), flow, rows.value(), session.out());
    } else {
        print_summary(*run.value(), flow, rows.value(), session.out());
    }
    const bool is_well = state == RunState::succeeded || state == RunState::warned || state == RunState::skipped;
    return is_well ? kExitDone : kExitFailed;
}

// The run that was left open when a process before this one was killed, or else a new one.
Result<RunRow> take_run(Session& session, FlowPlatform& platform, const RunRequest& request) {
    const bool is_asked_for = session.arguments().has("input") || request.due;
    for (const RunRow& left : platform.left_open()) {
        if (left.flow != request.flow || is_asked_for) continue;
        if (!session.json()) session.out() << "goes on with run " << left.id << "\n";
        return left;
    }
    const auto requested = TRY(platform.desk().request(request, ""));
    const auto run = TRY(platform.store().run(requested.run));
    return *run;
}

int run_to_end(Session& session, FlowPlatform& platform, const RunRequest& request, FlowLive& live) {
    const auto run = take_run(session, platform, request);
    if (!run.ok()) return session.fail(run.error());
    const RunId id = run.value().id;
    const auto flow = platform.desk().definition(run.value().flow, run.value().revision);
    if (!flow.ok()) return session.fail(flow.error());
    const Cancellation& signal = session.world().cancellation;
    if (const auto now = platform.store().run(id); now.ok() && is_end(now.value()->state)) live.end(id);
    if (!live.show(id, *flow.value(), platform.logs(), signal)) {
        // It is over for good: one that is killed instead goes on the next time.
        const auto canceled = platform.desk().cancel(id, "a signal");
        const Cancellation none;
        if (canceled.ok()) live.show(id, *flow.value(), platform.logs(), none);
    }
    return tell_result(session, platform, id, *flow.value());
}

int run_here(Session& session, const std::shared_ptr<const Project>& project,
             const std::shared_ptr<const FlowSet>& flows, const Registry<TaskTypeSpec>& types) {
    const auto inputs = inputs_of(session.arguments());
    if (!inputs.ok()) return session.fail(inputs.error());
    RunRequest request{session.arguments().text("name"), RunType::manual, {}, {}, inputs.value(), "the command line"};
    if (session.arguments().has("due")) {
        const auto due = parse_timestamp(session.arguments().text("due"));
        const auto date = parse_date(session.arguments().text("due"));
        if (!due && !date) return session.misuse("due is no time: " + session.arguments().text("due"));
        request.due =
            due ? Timestamp(std::chrono::microseconds(due->microseconds)) : Timestamp(std::chrono::days(*date));
    }
    std::ostream nowhere(nullptr);
    FlowLive live(session.json() ? nowhere : session.out(), session.arguments().flag("quiet"));
    auto platform =
        FlowPlatform::start({.world = session.world(),
                             .connectors = session.connectors(),
                             .types = types,
                             .folder = kFolder,
                             .worker = "shaduf flow run",
                             .project = [project]() -> Result<std::shared_ptr<const Project>> { return project; },
                             .watcher = [&](const FlowChanges& changes) { live.hear(changes); },
                             .board_watcher =
                                 [&](const TaskBoard::Change& change) {
                                     if (change.step == nullptr) live.hear_log(change.id);
                                 },
                             .begins_runs = false},
                            flows);
    if (!platform.ok()) return session.fail(platform.error());
    return run_to_end(session, *platform.value(), request, live);
}

int run_flow_command(Session& session) {
    const Project* opened = session.open_project();
    if (opened == nullptr) return kExitMisused;
    const auto types = builtin_tasks();
    const auto project = std::make_shared<const Project>(*opened);
    const auto flows = open_flows(session, *project, types);
    if (flows == nullptr) return kExitMisused;
    const std::string action = session.arguments().text("action");
    if (action == "ls") return list(session, *flows);
    const std::string name = session.arguments().text("name");
    if (name.empty()) return session.misuse("flow " + action + " needs the NAME of a flow");
    const FlowInfo* flow = flows->find(name);
    if (flow == nullptr) {
        std::vector<std::string> known;
        for (const FlowInfo& other : flows->flows) known.push_back(other.spec->name);
        return session.misuse("flow not found: " + name + did_you_mean(name, known));
    }
    return action == "show" ? show(session, *flow) : run_here(session, project, flows, types);
}

}  // namespace

extern const CommandSpec command_flow;
const CommandSpec command_flow{.name = "flow",
                               .summary = "List flows, show one, or run one to its end.",
                               .arguments = kArguments,
                               .run = run_flow_command,
                               .example = "shaduf flow run shop --input country=CH"};

}  // namespace shaduf
