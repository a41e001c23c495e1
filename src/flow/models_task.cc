#include "flow/models_task.h"

#include <filesystem>
#include <mutex>
#include <ostream>
#include <streambuf>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/pipeline_tables.h"
#include "models/command/dbt_command.h"
#include "models/command/loaded_tables.h"
#include "models/command/warehouse_target.h"
#include "pipeline/lease.h"
#include "pipeline/meta_store.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "select", .type = FieldType::text_list, .help = "Which, by dbt's selectors; all unless given."},
    {.name = "exclude", .type = FieldType::text_list, .help = "Which not."},
    {.name = "selector", .help = "A selector of selectors.yml."},
    {.name = "full_refresh", .type = FieldType::boolean, .help = "Whether incremental models are built anew."},
    {.name = "vars", .type = FieldType::json, .help = "Variables of dbt, a map."},
    {.name = "target", .help = "The target of profiles.yml, where the project has one."},
    {.name = "after", .help = "Only what reads the tables of this pipeline."},
};
constexpr int kFoldersMax = 64;

// Lines that are written to it go to a log. One thread at a time: the console locks.
class LogBuffer final : public std::streambuf {
public:
    LogBuffer(LogStore::Writer& log, Severity severity, std::string place)
        : log_(log), severity_(severity), place_(std::move(place)) {}
    ~LogBuffer() override { end_line(); }
    LogBuffer(const LogBuffer&) = delete;
    LogBuffer& operator=(const LogBuffer&) = delete;

protected:
    int_type overflow(int_type c) override {
        if (c == traits_type::eof()) return c;
        if (c == '\n') {
            end_line();
        } else {
            line_ += static_cast<char>(c);
        }
        return c;
    }

private:
    void end_line() {
        if (!trim(line_).empty()) log_.write(severity_, place_, line_);
        line_.clear();
    }
    LogStore::Writer& log_;
    const Severity severity_;
    const std::string place_;
    std::string line_;
};

TaskState state_of(models::NodeStatus status) {
    switch (status) {
        case models::NodeStatus::warn: return TaskState::warned;
        case models::NodeStatus::skipped:
        case models::NodeStatus::no_op: return TaskState::skipped;
        default: return models::is_failure(status) ? TaskState::failed : TaskState::succeeded;
    }
}

// What nodes tell, as steps.
class NodeSteps {
public:
    explicit NodeSteps(TaskTry& task) : task_(task) {}

    void hear(const models::Node& node, const models::NodeResult* result, const std::string& message) {
        const bool is_test = node.type == models::ResourceType::test || node.type == models::ResourceType::unit_test;
        TaskStep step;
        step.name = node.unique_id;
        step.kind = std::string(to_string(node.type));
        step.state = TaskState::running;
        const std::string table = is_test ? "" : to_lower(node.schema + "." + node.alias);
        step.table = table;
        const std::lock_guard lock(mutex_);
        step.began = began_.try_emplace(node.unique_id, task_.run.clock.now()).first->second;
        if (result != nullptr) {
            step.state = state_of(result->status);
            step.ended = task_.run.clock.now();
            const bool is_news = step.state == TaskState::failed || step.state == TaskState::warned;
            if (is_news) step.message = message;
            if (result->adapter_response.kind() == jinja::Kind::dict) {
                const auto* rows = result->adapter_response.dict().find("rows_affected");
                if (rows != nullptr && rows->kind() == jinja::Kind::integer && rows->integer() > 0) {
                    step.rows_written = rows->integer();
                }
            }
            if (step.state == TaskState::warned && first_warning.empty()) first_warning = message;
            if (step.state == TaskState::failed && first_failure.empty()) first_failure = node.name + ": " + message;
            ++counts[step.state];
            if (is_test) note_check(node, *result, message);
            if (is_success(step.state) && !table.empty()) tables.push_back(table);
        }
        task_.board.set_step(task_.id, std::move(step));
    }

    // What waits for the first load of something else.
    void hold_back(const models::AfterLoads& after) {
        if (after.held_back.empty()) return;
        const std::string why = "not run, since it reads what was not loaded yet: " + join(after.not_loaded, ", ");
        for (const models::Node* node : after.held_back) {
            TaskStep step;
            step.name = node->unique_id;
            step.kind = std::string(to_string(node->type));
            step.state = TaskState::skipped;
            step.message = why;
            task_.log.write(Severity::warning, node->unique_id, why);
            const std::lock_guard lock(mutex_);
            ++counts[step.state];
            task_.board.set_step(task_.id, std::move(step));
        }
    }

    // The history is a convenience: the task goes on without it, and says so.
    void keep_checks() {
        if (checks_.empty()) return;
        const auto history = MetaStore::open(task_.project.folder + "/.shaduf/meta.db");
        const auto saved = history.ok() ? history.value()->save_checks(checks_) : Result<void>(history.error());
        if (!saved.ok()) task_.log.write(Severity::warning, "tests", saved.error().to_string());
    }

    std::map<TaskState, int64_t> counts;
    std::vector<std::string> tables;
    std::string first_warning;
    std::string first_failure;

private:
    void note_check(const models::Node& node, const models::NodeResult& result, const std::string& message) {
        CheckRecord record{.id = node.unique_id,
                           .run_id = task_.id.run,
                           .at = format_timestamp(task_.run.clock.now()),
                           .state = "passed",
                           .rows = result.failures.value_or(0),
                           .message = ""};
        if (result.status == models::NodeStatus::skipped || result.status == models::NodeStatus::no_op) return;
        if (result.status == models::NodeStatus::warn) record.state = "warned";
        if (models::is_failure(result.status)) {
            record.state = result.status == models::NodeStatus::error ? "error" : "failed";
        }
        if (record.state != "passed") record.message = message;
        checks_.push_back(std::move(record));
    }

    TaskTry& task_;
    std::vector<CheckRecord> checks_;
    std::mutex mutex_;
    std::map<std::string, Timestamp> began_;
};

// A folder for compiled code and artifacts that no other task uses at this time.
struct OwnFolder {
    Lease lease;
    std::string path;
};
Result<OwnFolder> own_folder(const TaskTry& task) {
    const std::string base = std::filesystem::absolute(task.project.folder).lexically_normal().string() + "/.shaduf";
    const std::string name = task.flow + "." + task.id.task;
    for (int i = 1;; ++i) {
        const std::string own = i == 1 ? name : name + "." + std::to_string(i);
        auto lease = Lease::take(base + "/locks", "models-" + own);
        if (lease.ok()) return OwnFolder{lease.release_value(), base + "/targets/" + own};
        if (lease.error().kind() != ErrorKind::conflict || i == kFoldersMax) return lease.release_error();
    }
}

std::vector<std::string> words_of(const std::string& verb, const Options& options, const std::string& folder) {
    std::vector<std::string> words = {verb, "--target-path", folder, "--log-path", folder + "/logs"};
    const auto add = [&](const char* flag, const std::vector<std::string>& values) {
        if (values.empty()) return;
        words.emplace_back(flag);
        words.insert(words.end(), values.begin(), values.end());
    };
    add("--select", options.text_list("select"));
    add("--exclude", options.text_list("exclude"));
    if (options.has("selector")) add("--selector", {options.text("selector")});
    if (options.has("target")) add("--target", {options.text("target")});
    const Node& vars = options.node("vars");
    if (!vars.is_null()) add("--vars", {vars.is_scalar() ? vars.text() : vars.to_json()});
    if (options.boolean("full_refresh")) words.emplace_back("--full-refresh");
    return words;
}

std::vector<models::LoadedTable> loaded_by(const Project& project, const std::string& title) {
    std::vector<models::LoadedTable> tables;
    for (const std::string& table : tables_of(project, title)) {
        const size_t dot = table.find('.');
        tables.push_back({table.substr(0, dot), table.substr(dot + 1), true});
    }
    return tables;
}

TaskOutcome outcome_of(int status, const NodeSteps& steps, const std::string& said, const TaskTry& task) {
    TaskOutcome outcome;
    outcome.tables = steps.tables;
    JsonWriter values;
    values.begin_object();
    for (const TaskState state : {TaskState::succeeded, TaskState::warned, TaskState::failed, TaskState::skipped}) {
        const auto found = steps.counts.find(state);
        values.field(to_string(state), found == steps.counts.end() ? int64_t{0} : found->second);
    }
    outcome.values = values.end_object().str();
    if (task.run.cancellation.canceled()) {
        outcome.how = How::stopped;
    } else if (status == 2) {
        outcome.how = How::failed;
        outcome.error = Error(ErrorKind::invalid_config, "the models cannot be run: " + said);
    } else if (status != 0) {
        const std::string why = steps.first_failure.empty() ? said : steps.first_failure;
        outcome.how = How::failed;
        outcome.error = Error(ErrorKind::bad_data, "models or tests failed: " + why);
    } else if (steps.counts.contains(TaskState::warned)) {
        outcome.how = How::warned;
        outcome.why = steps.first_warning;
    }
    return outcome;
}

// The first line of what is said as an error, for people who do not open the log.
class FirstError final : public LogStore::Writer {
public:
    explicit FirstError(LogStore::Writer& log) : log_(log) {}
    void write(Severity severity, std::string_view place, std::string_view text) override {
        if (first.empty()) first = trim(text);
        log_.write(severity, place, text);
    }
    int64_t lines() const override { return log_.lines(); }
    std::string first;

private:
    LogStore::Writer& log_;
};

}  // namespace

std::span<const FieldSpec> models_task_fields() { return kFields; }

std::vector<Error> check_models_task(const Options& options, const Project& project) {
    std::error_code ignored;
    if (!std::filesystem::exists(project.folder + "/dbt_project.yml", ignored)) {
        return {Error(ErrorKind::invalid_config, "the project has no models: dbt_project.yml is not there")
                    .at(options.place())};
    }
    return {};
}

TaskOutcome run_models_task(const std::string& verb, const Options& options, TaskTry& task) {
    TaskOutcome outcome;
    auto folder = own_folder(task);
    if (!folder.ok()) {
        outcome.how = How::failed;
        outcome.error = folder.release_error();
        return outcome;
    }
    FirstError error_log(task.log);
    NodeSteps steps(task);
    int status = 0;
    {
        LogBuffer out_buffer(task.log, Severity::info, verb);
        LogBuffer error_buffer(error_log, Severity::error, verb);
        std::ostream out(&out_buffer);
        std::ostream errors(&error_buffer);
        models::Console console(out, errors);
        console.watch([&](const models::Node& node, const models::NodeResult* result, const std::string& message) {
            steps.hear(node, result, message);
        });
        const auto adapters = builtin_adapters();
        const auto variable = [&](const std::string& name) {
            return task.project.variable ? task.project.variable(name) : std::nullopt;
        };
        const models::InvocationWorld world = {
            .run = task.run,
            .adapters = adapters,
            .messages = console,
            .environment = variable,
            .working_folder = std::filesystem::absolute(task.project.folder).lexically_normal().string(),
            .home_folder = variable("HOME").value_or(""),
            .other_target = [&](const auto&) -> Result<std::optional<models::ProfileTarget>> {
                return std::optional(TRY(warehouse_target(task.project)));
            }};
        models::NodeFilter filter;
        if (options.has("after")) {
            const auto tables = loaded_by(task.project, options.text("after"));
            filter = [&, tables](models::Invocation& invocation, const std::vector<const models::Node*>& selected) {
                const models::AfterLoads after = models::after_loads(
                    invocation, selected, tables, tables_of_warehouse(task.project), models::Readers::of_the_loads);
                steps.hold_back(after);
                return after.nodes;
            };
        }
        status = models::run_dbt_command(world, words_of(verb, options, folder.value().path), console, filter);
    }
    steps.keep_checks();
    return outcome_of(status, steps, error_log.first, task);
}

}  // namespace shaduf
