#include "base/json_writer.h"
#include "base/text.h"
#include "connectors/store.h"
#include "flow/sql_once.h"
#include "flow/sql_statements.h"
#include "flow/task_type.h"
#include "jinja/template.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "sql", .help = "One statement, or several with semicolons between them.", .required = true},
    {.name = "connection", .help = "Where they run.", .default_value = "warehouse"},
    {.name = "once",
     .type = FieldType::boolean,
     .help = "Runs them in one transaction, which also notes that they have run: a later try does not run them again.",
     .default_value = "false"},
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
    std::vector<Error> errors;
    const std::string name = options.text("connection");
    if (!jinja::has_tags(name) && project.connection(name) == nullptr) {
        std::vector<std::string> known;
        for (const auto& [other, config] : project.connections) known.push_back(other);
        errors.push_back(options.error("connection", "connection not found: " + name + did_you_mean(name, known)));
    }
    if (!options.boolean("once")) return errors;
    for (const std::string& statement : split_statements(options.text("sql"))) {
        const std::string word = transaction_word(statement);
        if (word.empty()) continue;
        errors.push_back(options.error("sql",
                                       "with `once` the statements run in one transaction, which they cannot "
                                       "begin or end themselves; leave out " +
                                           word));
    }
    return errors;
}

std::string values_of(const StatementRunner::Given& given) {
    if (given.rows && given.rows->rows() > 0) return given.rows->row_as_json(0);
    if (given.rows) return "{}";
    return JsonWriter().begin_object().field("rows_changed", given.changed).end_object().str();
}

// One statement after the other; what the last one that gave rows gave, or else the last one.
Result<std::string> run_statements(const std::vector<std::string>& statements, StatementRunner& runner, TaskTry& task,
                                   std::vector<TaskStep>& done) {
    std::string values = "{}";
    for (size_t i = 0; i < statements.size(); ++i) {
        const std::string name = "statement " + std::to_string(i + 1);
        TaskStep step;
        step.name = name;
        step.kind = "statement";
        step.state = TaskState::running;
        step.began = task.run.clock.now();
        task.board.set_step(task.id, step);
        task.log.write(Severity::info, name, statements[i].substr(0, kShownBytes));
        const auto given = runner.run_statement(task.run, statements[i]);
        step.ended = task.run.clock.now();
        step.state = given.ok() ? TaskState::succeeded : TaskState::failed;
        if (!given.ok()) {
            const bool is_stop = given.error().kind() == ErrorKind::canceled;
            step.state = is_stop ? TaskState::killed : TaskState::failed;
            step.message = given.error().message();
            task.board.set_step(task.id, step);
            return given.error();
        }
        step.rows_written = given.value().changed;
        task.board.set_step(task.id, step);
        done.push_back(step);
        const bool is_last = i + 1 == statements.size();
        if (given.value().rows || is_last) values = values_of(given.value());
        task.log.write(Severity::info, name,
                       given.value().rows ? "gave rows" : format_count(given.value().changed) + " rows changed");
    }
    return values;
}

TaskOutcome run(const Options& options, TaskTry& task) {
    const auto store = open_store(options, task.project, task.connectors);
    if (!store.ok()) return failed(store.error());
    StatementRunner& runner = *store.value()->statements();
    const auto statements = split_statements(options.text("sql"));
    if (statements.empty()) return failed(options.error("sql", "sql: there is no statement in it"));
    std::vector<TaskStep> done;
    const auto work = [&] { return run_statements(statements, runner, task, done); };
    bool was_done = false;
    const auto values = options.boolean("once")
                            ? run_once(runner, task.run, {task.id.run, task.part, options.text("sql")}, work, was_done)
                            : work();
    if (!values.ok() && options.boolean("once")) {
        for (TaskStep& step : done) {
            step.rows_written = 0;
            step.message = "undone, since all of them count or none";
            task.board.set_step(task.id, step);
        }
    }
    if (!values.ok()) return failed(values.error());
    if (was_done) task.log.write(Severity::info, "once", "an earlier try has done it, and could not say so");
    TaskOutcome outcome;
    outcome.values = values.value();
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
