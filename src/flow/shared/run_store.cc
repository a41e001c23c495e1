#include "flow/shared/run_store.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/shared/schema.h"

namespace shaduf::shared {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::optional<std::string>>;

constexpr const char* kUniqueViolation = "23505";

int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t count) { return Timestamp(std::chrono::microseconds(count)); }
Json json_of(const std::optional<Timestamp>& time) { return time ? Json(micros(*time)) : Json(); }

// Text of PostgreSQL has no zero byte, and is UTF-8.
std::string dump(const Json& json) {
    std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    for (size_t at = 0; (at = text.find('\\', at)) != std::string::npos; at += 2) {
        if (text.compare(at, 6, "\\u0000") == 0) text.replace(at, 6, "\\ufffd");
    }
    return text;
}

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}
std::string text_of(const std::optional<std::string>& text) { return text.value_or(""); }
std::optional<Timestamp> time_at(const std::optional<std::string>& text) {
    return text ? std::optional(time_of(number_of(text))) : std::nullopt;
}

constexpr const char* kRunColumns =
    "id, flow, revision, type, due, about_begin, about_end, state, inputs, why, actor, created, began, ended";
RunRow read_run(const Row& row) {
    RunRow run;
    run.id = text_of(row[0]);
    run.flow = text_of(row[1]);
    run.revision = text_of(row[2]);
    run.type = static_cast<RunType>(number_of(row[3]));
    run.due = time_of(number_of(row[4]));
    run.about = {time_of(number_of(row[5])), time_of(number_of(row[6]))};
    run.state = static_cast<RunState>(number_of(row[7]));
    run.inputs = text_of(row[8]);
    run.why = text_of(row[9]);
    run.actor = text_of(row[10]);
    run.created = time_of(number_of(row[11]));
    run.began = time_at(row[12]);
    run.ended = time_at(row[13]);
    return run;
}

constexpr const char* kTaskColumns =
    "task.run, task.task, task.state, task.attempt, task.tries, task.lost, task.since, task.first_begun, task.began, "
    "task.ended, task.comes_again, task.worker, task.why, task.outputs";
TaskRow read_task(const Row& row) {
    TaskRow task;
    task.run = text_of(row[0]);
    task.task = static_cast<TaskIndex>(number_of(row[1]));
    task.state = static_cast<TaskState>(number_of(row[2]));
    task.attempt = static_cast<int>(number_of(row[3]));
    task.tries = static_cast<int>(number_of(row[4]));
    task.lost = static_cast<int>(number_of(row[5]));
    task.since = time_at(row[6]);
    task.first_begun = time_at(row[7]);
    task.began = time_at(row[8]);
    task.ended = time_at(row[9]);
    task.comes_again = time_at(row[10]);
    task.worker = text_of(row[11]);
    task.why = text_of(row[12]);
    task.outputs = text_of(row[13]);
    return task;
}

Json json_of(const RunRow& run) {
    return {{"id", run.id},
            {"flow", run.flow},
            {"revision", run.revision},
            {"type", static_cast<int>(run.type)},
            {"due", micros(run.due)},
            {"about_begin", micros(run.about.begin)},
            {"about_end", micros(run.about.end)},
            {"state", static_cast<int>(run.state)},
            {"inputs", run.inputs},
            {"why", run.why},
            {"actor", run.actor},
            {"created", micros(run.created)},
            {"began", json_of(run.began)},
            {"ended", json_of(run.ended)}};
}

Json json_of(const TaskRow& task) {
    return {{"run", task.run},
            {"task", task.task},
            {"state", static_cast<int>(task.state)},
            {"attempt", task.attempt},
            {"tries", task.tries},
            {"lost", task.lost},
            {"since", json_of(task.since)},
            {"first_begun", json_of(task.first_begun)},
            {"began", json_of(task.began)},
            {"ended", json_of(task.ended)},
            {"comes_again", json_of(task.comes_again)},
            {"worker", task.worker},
            {"why", task.why},
            {"outputs", task.outputs}};
}

// What of a step is to be written, each row once: of several changes of one the last counts.
struct Written {
    Json runs = Json::array();
    Json tasks = Json::array();
    Json forgotten = Json::array();
    Json tries = Json::array();
    Json history = Json::array();
    Json seen = Json::object();
    Json values = Json::object();
    Json answers = Json::object();
};

Written written_of(const FlowChanges& changes) {
    Written out;
    std::set<RunId> runs;
    for (auto run = changes.runs.rbegin(); run != changes.runs.rend(); ++run) {
        if (runs.insert(run->id).second) out.runs.push_back(json_of(*run));
    }
    std::set<std::pair<RunId, TaskIndex>> tasks;
    for (auto task = changes.tasks.rbegin(); task != changes.tasks.rend(); ++task) {
        if (!tasks.emplace(task->run, task->task).second) continue;
        const bool just_waits = task->state == TaskState::waiting && task->attempt == 0;
        if (just_waits) {
            out.forgotten.push_back({{"run", task->run}, {"task", task->task}});
        } else {
            out.tasks.push_back(json_of(*task));
        }
        out.tries.push_back({{"run", task->run},
                             {"task", task->task},
                             {"attempt", task->attempt},
                             {"round", round_of(*task)},
                             {"runs", task->state == TaskState::running},
                             {"begins", task->state == TaskState::running && task->worker.empty()}});
    }
    for (const Transition& line : changes.history) {
        out.history.push_back({{"run", line.run},
                               {"task", line.task ? Json(*line.task) : Json()},
                               {"attempt", line.attempt},
                               {"state", line.to},
                               {"why", line.why},
                               {"actor", line.actor},
                               {"at", micros(line.at)}});
    }
    for (const auto& [flow, at] : changes.seen) out.seen[flow] = micros(at);
    for (const auto& [key, value] : changes.values) out.values[key] = value ? Json(*value) : Json();
    for (const auto& [number, text] : changes.answers) out.answers[std::to_string(number)] = text;
    return out;
}

// As shaduf.keep_1 takes it: what is empty is left out.
std::string to_text(Written&& rows) {
    Json json = Json::object();
    const auto put = [&](const char* name, Json& of) {
        if (!of.empty()) json[name] = std::move(of);
    };
    put("runs", rows.runs);
    put("tasks", rows.tasks);
    put("forgotten", rows.forgotten);
    put("tries", rows.tries);
    put("history", rows.history);
    put("seen", rows.seen);
    put("values", rows.values);
    put("answers", rows.answers);
    return dump(json);
}

Error twice(const FlowChanges& changes) {
    std::set<std::string> of;
    for (const RunRow& run : changes.runs) {
        const bool has_a_moment = run.type == RunType::scheduled || run.type == RunType::backfill;
        if (has_a_moment) of.insert("flow " + run.flow + ", " + std::string(to_string(run.type)));
    }
    const std::string which = join(std::vector<std::string>(of.begin(), of.end()), "; ");
    return {ErrorKind::conflict, "there is a run of that moment already: " + which + "; look at that one"};
}

Error not_the_leader() {
    return Error(ErrorKind::conflict, "another process schedules this project; this one goes on without");
}

}  // namespace

Result<void> SharedRunStore::keep(const FlowChanges& changes) {
    const auto token = token_();
    if (!token) return not_the_leader();
    const std::lock_guard lock(keeping_);
    if (step_token_ != *token) {
        step_token_ = *token;
        step_ = 0;
    }
    Written rows = written_of(changes);
    const bool offers = !rows.tries.empty();
    Sessions::Loan session = TRY(sessions_.lend());
    // A step that was kept although its commit seemed to fail is not kept twice.
    auto kept = session->query("SELECT shaduf.keep_1($1::bigint, $2::bigint, $3::jsonb)",
                               {std::to_string(*token), std::to_string(step_ + 1), to_text(std::move(rows))});
    if (!kept.ok()) return session->sqlstate() == kUniqueViolation ? twice(changes) : kept.release_error();
    if (text_of(kept.value().rows.at(0).at(0)) != "t") return not_the_leader();
    ++step_;
    // Told behind the commit, as all that tell wait for each other, and would for the disk; who is not told looks
    // within a second.
    std::string told = std::string("NOTIFY ") + kChangesChannel;
    if (offers) told += std::string("; NOTIFY ") + kTriesChannel;
    static_cast<void>(session->execute(told).ok());
    return {};
}

Result<FlowRemains> SharedRunStore::remains() {
    Sessions::Loan session = TRY(sessions_.lend());
    // All of one moment, as workers go on while it is read.
    TRY(session->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    FlowRemains remains;
    const auto runs =
        TRY(session->query(std::string("SELECT ") + kRunColumns + " FROM shaduf.run WHERE ended IS NULL ORDER BY id"));
    for (const Row& row : runs.rows) remains.runs.push_back(read_run(row));
    const auto tasks = TRY(session->query(
        std::string("SELECT ") + kTaskColumns +
        ", try.worker, try.ending IS NOT NULL FROM shaduf.run JOIN shaduf.task ON task.run = run.id LEFT JOIN "
        "shaduf.try ON try.run = task.run AND try.task = task.task AND try.attempt = task.attempt "
        "WHERE run.ended IS NULL"));
    for (const Row& row : tasks.rows) {
        TaskRow task = read_task(row);
        // Who has taken it, though the leader of then may not have heard; an end that nobody has heard yet will be.
        const bool has_ended = text_of(row[15]) == "t";
        if (row[14]) task.worker = has_ended ? "" : *row[14];
        if (!row[14] && task.worker.empty()) task.worker = "?";
        remains.tasks.push_back(std::move(task));
    }
    for (const Row& row : TRY(session->query("SELECT flow, at FROM shaduf.seen")).rows) {
        remains.seen[text_of(row[0])] = time_of(number_of(row[1]));
    }
    const auto workers = TRY(session->query("SELECT id FROM shaduf.worker WHERE until > clock_timestamp()"));
    for (const Row& row : workers.rows) remains.workers.insert(text_of(row[0]));
    remains.workers.insert("");
    return remains;
}

// As one text: as many parameters as there are definitions would be more than a statement may have.
Result<void> SharedRunStore::keep_definitions(const std::vector<FlowDefinition>& definitions) {
    Sessions::Loan session = TRY(sessions_.lend());
    JsonWriter json;
    json.begin_array();
    for (const FlowDefinition& of : definitions) {
        json.begin_array().text(of.flow).text(of.revision).text(of.text).end_array();
    }
    json.end_array();
    TRY(session->query(
        "INSERT INTO shaduf.definition SELECT e->>0, e->>1, e->>2 FROM json_array_elements($1::json) AS e "
        "ON CONFLICT DO NOTHING",
        {json.str()}));
    return {};
}

Result<std::set<std::pair<std::string, std::string>>> SharedRunStore::definitions_kept() {
    Sessions::Loan session = TRY(sessions_.lend());
    std::set<std::pair<std::string, std::string>> kept;
    for (const Row& row : TRY(session->query("SELECT flow, revision FROM shaduf.definition")).rows) {
        kept.emplace(text_of(row[0]), text_of(row[1]));
    }
    return kept;
}

Result<std::optional<std::string>> SharedRunStore::definition(const std::string& flow, const std::string& revision) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found =
        TRY(session->query("SELECT text FROM shaduf.definition WHERE flow = $1 AND revision = $2", {flow, revision}));
    return found.rows.empty() ? std::nullopt : found.rows[0][0];
}

Result<std::vector<RunRow>> SharedRunStore::runs(const RunFilter& filter) {
    std::vector<std::string> values;
    const auto value = [&](std::string text) {
        values.push_back(std::move(text));
        return "$" + std::to_string(values.size());
    };
    std::string sql = std::string("SELECT ") + kRunColumns + " FROM shaduf.run WHERE true";
    if (!filter.flow.empty()) sql += " AND flow = " + value(filter.flow);
    if (filter.type) sql += " AND type = " + std::to_string(static_cast<int>(*filter.type));
    if (!filter.states.empty()) {
        sql += " AND state IN (";
        for (const RunState state : filter.states) sql += std::to_string(static_cast<int>(state)) + ",";
        sql.back() = ')';
    }
    if (filter.created_from) sql += " AND created >= " + std::to_string(micros(*filter.created_from));
    if (filter.created_before) sql += " AND created < " + std::to_string(micros(*filter.created_before));
    if (!filter.behind.empty()) {
        sql += " AND (created, id) < (SELECT created, id FROM shaduf.run WHERE id = " + value(filter.behind) + ")";
    }
    sql += " ORDER BY created DESC, id DESC LIMIT " + std::to_string(filter.limit);
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(sql, values));
    std::vector<RunRow> runs;
    for (const Row& row : found.rows) runs.push_back(read_run(row));
    return runs;
}

Result<std::optional<RunRow>> SharedRunStore::run(const RunId& id) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found =
        TRY(session->query(std::string("SELECT ") + kRunColumns + " FROM shaduf.run WHERE id = $1", {id}));
    return found.rows.empty() ? std::nullopt : std::optional(read_run(found.rows[0]));
}

Result<std::vector<TaskRow>> SharedRunStore::tasks(const RunId& run) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(
        std::string("SELECT ") + kTaskColumns + " FROM shaduf.task WHERE run = $1 ORDER BY task", {run}));
    std::vector<TaskRow> tasks;
    for (const Row& row : found.rows) tasks.push_back(read_task(row));
    return tasks;
}

Result<std::vector<Transition>> SharedRunStore::history(const RunId& run) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(
        "SELECT task, attempt, state, why, actor, at FROM shaduf.history WHERE run = $1 ORDER BY number", {run}));
    std::vector<Transition> lines;
    for (const Row& row : found.rows) {
        Transition line;
        line.run = run;
        if (row[0]) line.task = static_cast<TaskIndex>(number_of(row[0]));
        line.attempt = static_cast<int>(number_of(row[1]));
        line.to = text_of(row[2]);
        line.why = text_of(row[3]);
        line.actor = text_of(row[4]);
        line.at = time_of(number_of(row[5]));
        lines.push_back(std::move(line));
    }
    return lines;
}

Result<void> SharedRunStore::keep_value(const std::string& key, const std::optional<std::string>& value) {
    Sessions::Loan session = TRY(sessions_.lend());
    if (value) {
        TRY(session->query("INSERT INTO shaduf.value VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2",
                           {key, *value}));
    } else {
        TRY(session->query("DELETE FROM shaduf.value WHERE key = $1", {key}));
    }
    return {};
}

Result<std::map<std::string, std::string>> SharedRunStore::values(const std::string& prefix) {
    Sessions::Loan session = TRY(sessions_.lend());
    // A range, which the key's index has; no character stands behind the last one.
    const auto found = TRY(
        session->query("SELECT key, value FROM shaduf.value WHERE key >= $1 AND key < $1 || chr(1114111)", {prefix}));
    std::map<std::string, std::string> values;
    for (const Row& row : found.rows) values[text_of(row[0])] = text_of(row[1]);
    return values;
}

Result<int64_t> SharedRunStore::forget_before(Timestamp time, int64_t count_max) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto gone = TRY(session->query(
        "WITH gone AS (SELECT id FROM shaduf.run WHERE ended < $1::bigint ORDER BY ended LIMIT $2::bigint), "
        "h AS (DELETE FROM shaduf.history USING gone WHERE run = gone.id), "
        "t AS (DELETE FROM shaduf.task USING gone WHERE run = gone.id), "
        "l AS (DELETE FROM shaduf.log USING gone WHERE run = gone.id) "
        "DELETE FROM shaduf.run USING gone WHERE run.id = gone.id",
        {std::to_string(micros(time)), std::to_string(count_max)}));
    return gone.affected;
}

Result<FlowChanges> SharedRunStore::changed_since(int64_t& seen, int64_t limit) {
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(session->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const std::string behind = " WHERE changed > $1::bigint ORDER BY changed LIMIT $2::bigint";
    const std::vector<std::string> values = {std::to_string(seen), std::to_string(limit)};
    const auto runs =
        TRY(session->query(std::string("SELECT ") + kRunColumns + ", changed FROM shaduf.run" + behind, values));
    const auto tasks =
        TRY(session->query(std::string("SELECT ") + kTaskColumns + ", changed FROM shaduf.task" + behind, values));
    TRY(session->execute("COMMIT"));
    // Where one of them was cut off, the other is taken up to there only.
    int64_t until = std::numeric_limits<int64_t>::max();
    for (const PostgresRows* found : {&runs, &tasks}) {
        const bool is_cut = static_cast<int64_t>(found->rows.size()) >= limit;
        if (is_cut) until = std::min(until, number_of(found->rows.back().back()));
    }
    FlowChanges changes;
    int64_t last = seen;
    for (const Row& row : runs.rows) {
        if (number_of(row.back()) > until) continue;
        changes.runs.push_back(read_run(row));
        last = std::max(last, number_of(row.back()));
    }
    for (const Row& row : tasks.rows) {
        if (number_of(row.back()) > until) continue;
        changes.tasks.push_back(read_task(row));
        last = std::max(last, number_of(row.back()));
    }
    seen = last;
    return changes;
}

Result<int64_t> SharedRunStore::last_change() {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(
        "SELECT greatest((SELECT max(changed) FROM shaduf.run), (SELECT max(changed) FROM shaduf.task), 0)"));
    return number_of(found.rows.at(0).at(0));
}

}  // namespace shaduf::shared
