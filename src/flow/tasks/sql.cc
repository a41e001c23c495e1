#include "base/json_writer.h"
#include "base/text.h"
#include "connectors/store.h"
#include "flow/sql_statements.h"
#include "flow/task_type.h"
#include "jinja/template.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "sql", .help = "One statement, or several with semicolons between them.", .required = true},
    {.name = "connection", .help = "Where they run.", .default_value = "warehouse"},
    {.name = "writes", .type = FieldType::text_list, .help = "The tables (schema.table) that they write to."},
};
constexpr size_t kShownBytes = 200;

TaskOutcome failed(const Error& error) {
    TaskOutcome outcome;
    outcome.how = error.kind() == ErrorKind::canceled ? How::stopped : How::failed;
    outcome.error = error;
    return outcome;
}

Result<std::unique_ptr<Store>> open_store(const Options& options, const Project& project,
                                          const Registry<ConnectorSpec>& connectors) {
    const std::string name = options.text("connection");
    const ConnectionConfig* connection = project.connection(name);
    if (connection == nullptr) {
        std::vector<std::string> known;
        for (const auto& [other, config] : project.connections) known.push_back(other);
        return options.error("connection", "connection not found: " + name + did_you_mean(name, known));
    }
    const ConnectorSpec* spec = connectors.find(connection->type);
    auto store = spec == nullptr || spec->make_store == nullptr
                     ? Result<std::unique_ptr<Store>>(std::unique_ptr<Store>())
                     : spec->make_store(connection->options, connection->name);
    if (store.ok() && (store.value() == nullptr || store.value()->statements() == nullptr)) {
        return options.error("connection", "statements cannot run on a connection of type " + connection->type + ": " +
                                               name + "; take one of type duckdb or postgres");
    }
    return store;
}

std::vector<Error> check(const Options& options, const Project& project) {
    const std::string name = options.text("connection");
    if (jinja::has_tags(name) || project.connection(name) != nullptr) return {};
    std::vector<std::string> known;
    for (const auto& [other, config] : project.connections) known.push_back(other);
    return {options.error("connection", "connection not found: " + name + did_you_mean(name, known))};
}

std::string values_of(const StatementRunner::Given& given) {
    if (given.rows && given.rows->rows() > 0) return given.rows->row_as_json(0);
    if (given.rows) return "{}";
    return JsonWriter().begin_object().field("rows_changed", given.changed).end_object().str();
}

TaskOutcome run(const Options& options, TaskTry& task) {
    const auto store = open_store(options, task.project, task.connectors);
    if (!store.ok()) return failed(store.error());
    TaskOutcome outcome;
    const auto statements = split_statements(options.text("sql"));
    if (statements.empty()) return failed(options.error("sql", "sql: there is no statement in it"));
    for (size_t i = 0; i < statements.size(); ++i) {
        const std::string name = "statement " + std::to_string(i + 1);
        TaskStep step;
        step.name = name;
        step.kind = "statement";
        step.state = TaskState::running;
        step.began = task.run.clock.now();
        task.board.set_step(task.id, step);
        task.log.write(Severity::info, name, statements[i].substr(0, kShownBytes));
        const auto given = store.value()->statements()->run_statement(task.run, statements[i]);
        step.ended = task.run.clock.now();
        step.state = given.ok() ? TaskState::succeeded : TaskState::failed;
        if (!given.ok()) {
            const bool is_stop = given.error().kind() == ErrorKind::canceled;
            step.state = is_stop ? TaskState::killed : TaskState::failed;
            step.message = given.error().message();
            task.board.set_step(task.id, step);
            return failed(given.error());
        }
        step.rows_written = given.value().changed;
        task.board.set_step(task.id, step);
        const bool is_last = i + 1 == statements.size();
        if (given.value().rows || is_last) outcome.values = values_of(given.value());
        task.log.write(Severity::info, name,
                       given.value().rows ? "gave rows" : format_count(given.value().changed) + " rows changed");
    }
    for (const std::string& table : options.text_list("writes")) outcome.tables.push_back(to_lower(table));
    return outcome;
}

}  // namespace

extern const TaskTypeSpec task_sql;
const TaskTypeSpec task_sql{.name = "sql",
                            .summary = "Runs SQL; the first row of the last query are its values.",
                            .fields = kFields,
                            .check = check,
                            .run = run};

}  // namespace shaduf
