#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <mutex>

#include "flow/run_store.h"
#include "io/sqlite.h"

namespace shaduf {
namespace {

constexpr int kSchemaVersion = 1;

// Times are microseconds since 1970. Tasks that just wait have no row. `run_once` makes a moment of a schedule, and of
// a backfill, one run, whoever asks.
constexpr const char* kSchema = R"(
    CREATE TABLE run (
        id TEXT PRIMARY KEY, flow TEXT NOT NULL, revision TEXT NOT NULL, type INTEGER NOT NULL, due INTEGER NOT NULL,
        about_begin INTEGER NOT NULL, about_end INTEGER NOT NULL, state INTEGER NOT NULL, inputs TEXT NOT NULL,
        why TEXT NOT NULL, actor TEXT NOT NULL, created INTEGER NOT NULL, began INTEGER, ended INTEGER) WITHOUT ROWID;
    CREATE UNIQUE INDEX run_once ON run (flow, type, due) WHERE type IN (0, 2);
    CREATE INDEX run_open ON run (id) WHERE ended IS NULL;
    CREATE INDEX run_by_time ON run (created, id);
    CREATE INDEX run_by_flow ON run (flow, created, id);
    CREATE INDEX run_by_end ON run (ended) WHERE ended IS NOT NULL;
    CREATE TABLE task (
        run TEXT NOT NULL, task INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
        tries INTEGER NOT NULL, lost INTEGER NOT NULL,
        since INTEGER, first_begun INTEGER, began INTEGER, ended INTEGER, comes_again INTEGER, worker TEXT NOT NULL,
        why TEXT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (run, task)) WITHOUT ROWID;
    CREATE TABLE history (
        run TEXT NOT NULL, number INTEGER NOT NULL, task INTEGER, attempt INTEGER NOT NULL, state TEXT NOT NULL,
        why TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID;
    CREATE TABLE seen (flow TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE definition (
        flow TEXT NOT NULL, revision TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (flow, revision)) WITHOUT ROWID;
    CREATE TABLE value (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)";

constexpr const char* kPutRun =
    "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) "
    "ON CONFLICT (id) DO UPDATE SET state = ?8, why = ?10, began = ?13, ended = ?14";
constexpr const char* kPutTask = "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kForgetTask = "DELETE FROM task WHERE run = ? AND task = ?";
constexpr const char* kAddHistory =
    "INSERT INTO history SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3, ?4, ?5, ?6, ?7 FROM history WHERE run = ?1";
constexpr const char* kPutSeen = "INSERT OR REPLACE INTO seen VALUES (?, ?)";

int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t count) { return Timestamp(std::chrono::microseconds(count)); }

void bind(SqliteStatement& statement, const std::optional<Timestamp>& time) {
    if (time) {
        statement.bind(micros(*time));
    } else {
        statement.bind_null();
    }
}
std::optional<Timestamp> time_at(const SqliteStatement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(time_of(row.integer(column)));
}

RunRow read_run(const SqliteStatement& row) {
    RunRow run;
    run.id = row.text(0);
    run.flow = row.text(1);
    run.revision = row.text(2);
    run.type = static_cast<RunType>(row.integer(3));
    run.due = time_of(row.integer(4));
    run.about = {time_of(row.integer(5)), time_of(row.integer(6))};
    run.state = static_cast<RunState>(row.integer(7));
    run.inputs = row.text(8);
    run.why = row.text(9);
    run.actor = row.text(10);
    run.created = time_of(row.integer(11));
    run.began = time_at(row, 12);
    run.ended = time_at(row, 13);
    return run;
}

TaskRow read_task(const SqliteStatement& row) {
    TaskRow task;
    task.run = row.text(0);
    task.task = static_cast<TaskIndex>(row.integer(1));
    task.state = static_cast<TaskState>(row.integer(2));
    task.attempt = static_cast<int>(row.integer(3));
    task.tries = static_cast<int>(row.integer(4));
    task.lost = static_cast<int>(row.integer(5));
    task.since = time_at(row, 6);
    task.first_begun = time_at(row, 7);
    task.began = time_at(row, 8);
    task.ended = time_at(row, 9);
    task.comes_again = time_at(row, 10);
    task.worker = row.text(11);
    task.why = row.text(12);
    task.outputs = row.text(13);
    return task;
}

class SqliteRunStore final : public RunStore {
public:
    explicit SqliteRunStore(sqlite3* database) : database_(database) {}
    ~SqliteRunStore() override {
        for (auto* statement : {&put_run_, &put_task_, &forget_task_, &add_history_, &put_seen_}) statement->reset();
        sqlite3_close(database_);
    }

    Result<void> set_up(const std::string& path) {
        TRY(execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                    "open " + path));
        // Takes the lock for as long as the file is open.
        TRY(execute("BEGIN EXCLUSIVE", "open " + path));
        const int64_t version = TRY(integer("PRAGMA user_version"));
        if (version > kSchemaVersion) {
            return Error(ErrorKind::invalid_config, "runs were written by a newer shaduf: " + path + " has version " +
                                                        std::to_string(version) + ", this program knows " +
                                                        std::to_string(kSchemaVersion) + "; upgrade shaduf");
        }
        if (version == 0) {
            TRY(execute(kSchema, "set up " + path));
            TRY(execute("PRAGMA user_version=" + std::to_string(kSchemaVersion), "set up " + path));
        }
        TRY(execute("COMMIT", "set up " + path));
        put_run_ = std::make_unique<SqliteStatement>(database_, kPutRun);
        put_task_ = std::make_unique<SqliteStatement>(database_, kPutTask);
        forget_task_ = std::make_unique<SqliteStatement>(database_, kForgetTask);
        add_history_ = std::make_unique<SqliteStatement>(database_, kAddHistory);
        put_seen_ = std::make_unique<SqliteStatement>(database_, kPutSeen);
        return {};
    }

    Result<void> keep(const FlowChanges& changes) override {
        const std::lock_guard lock(mutex_);
        return in_transaction([&]() -> Result<void> {
            for (const RunRow& run : changes.runs) TRY(put(run));
            for (const TaskRow& task : changes.tasks) TRY(put(task));
            for (const Transition& line : changes.history) TRY(add(line));
            for (const auto& [flow, at] : changes.seen) {
                put_seen_->reset();
                put_seen_->bind(flow);
                put_seen_->bind(micros(at));
                TRY(done(*put_seen_, "keep a schedule"));
            }
            for (const auto& [key, value] : changes.values) TRY(put(key, value));
            return {};
        });
    }

    Result<FlowRemains> remains() override {
        const std::lock_guard lock(mutex_);
        FlowRemains remains;
        SqliteStatement runs(database_, "SELECT * FROM run WHERE ended IS NULL ORDER BY id");
        TRY(each(runs, [&] { remains.runs.push_back(read_run(runs)); }));
        SqliteStatement tasks(database_,
                              "SELECT task.* FROM run JOIN task ON task.run = run.id WHERE run.ended IS NULL");
        TRY(each(tasks, [&] { remains.tasks.push_back(read_task(tasks)); }));
        SqliteStatement seen(database_, "SELECT flow, at FROM seen");
        TRY(each(seen, [&] { remains.seen[seen.text(0)] = time_of(seen.integer(1)); }));
        return remains;
    }

    Result<void> keep_definitions(const std::vector<FlowDefinition>& definitions) override {
        const std::lock_guard lock(mutex_);
        return in_transaction([&]() -> Result<void> {
            SqliteStatement put(database_, "INSERT OR IGNORE INTO definition VALUES (?, ?, ?)");
            for (const FlowDefinition& of : definitions) {
                for (const auto* value : {&of.flow, &of.revision, &of.text}) put.bind(*value);
                TRY(done(put, "keep a flow"));
                put.reset();
            }
            return {};
        });
    }
    Result<std::set<std::pair<std::string, std::string>>> definitions_kept() override {
        const std::lock_guard lock(mutex_);
        std::set<std::pair<std::string, std::string>> kept;
        SqliteStatement select(database_, "SELECT flow, revision FROM definition ORDER BY flow, revision");
        TRY(each(select, [&] { kept.emplace_hint(kept.end(), select.text(0), select.text(1)); }));
        return kept;
    }
    Result<std::optional<std::string>> definition(const std::string& flow, const std::string& revision) override {
        const std::lock_guard lock(mutex_);
        SqliteStatement select(database_, "SELECT text FROM definition WHERE flow = ? AND revision = ?");
        select.bind(flow);
        select.bind(revision);
        std::optional<std::string> text;
        TRY(each(select, [&] { text = select.text(0); }));
        return text;
    }

    Result<std::vector<RunRow>> runs(const RunFilter& filter) override;
    Result<std::optional<RunRow>> run(const RunId& id) override {
        const std::lock_guard lock(mutex_);
        SqliteStatement select(database_, "SELECT * FROM run WHERE id = ?");
        select.bind(id);
        std::optional<RunRow> found;
        TRY(each(select, [&] { found = read_run(select); }));
        return found;
    }
    Result<std::vector<TaskRow>> tasks(const RunId& run) override {
        const std::lock_guard lock(mutex_);
        SqliteStatement select(database_, "SELECT * FROM task WHERE run = ? ORDER BY task");
        select.bind(run);
        std::vector<TaskRow> found;
        TRY(each(select, [&] { found.push_back(read_task(select)); }));
        return found;
    }
    Result<std::vector<Transition>> history(const RunId& run) override;
    Result<void> keep_value(const std::string& key, const std::optional<std::string>& value) override {
        const std::lock_guard lock(mutex_);
        return put(key, value);
    }
    Result<std::map<std::string, std::string>> values(const std::string& prefix) override {
        const std::lock_guard lock(mutex_);
        // A range, which the key's index has; no character stands behind the last one.
        SqliteStatement select(database_, "SELECT key, value FROM value WHERE key >= ?1 AND key < ?1 || char(1114111)");
        select.bind(prefix);
        std::map<std::string, std::string> found;
        TRY(each(select, [&] { found[select.text(0)] = select.text(1); }));
        return found;
    }
    Result<int64_t> forget_before(Timestamp time, int64_t count_max) override;

private:
    Error error(const std::string& what) {
        return sqlite_error(database_, what, "check the disk that holds it, and who else uses it");
    }
    Result<void> execute(const std::string& sql, const std::string& what) {
        return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? Result<void>()
                                                                                            : error(what);
    }
    Result<int64_t> integer(const std::string& sql) {
        SqliteStatement select(database_, sql);
        return select.step() == SQLITE_ROW ? Result<int64_t>(select.integer(0)) : error("read runs");
    }
    Result<void> done(SqliteStatement& statement, const char* what) {
        return statement.step() == SQLITE_DONE ? Result<void>() : error(what);
    }
    template <typename F>
    Result<void> each(SqliteStatement& select, F&& row) {
        int step = select.step();
        for (; step == SQLITE_ROW; step = select.step()) row();
        return step == SQLITE_DONE ? Result<void>() : error("read runs");
    }
    template <typename F>
    Result<void> in_transaction(F&& write) {
        TRY(execute("BEGIN", "keep runs"));
        auto written = write();
        if (written.ok()) written = execute("COMMIT", "keep runs");
        if (!written.ok()) static_cast<void>(execute("ROLLBACK", "undo").ok());
        return written;
    }

    Result<void> put(const std::string& key, const std::optional<std::string>& value) {
        SqliteStatement put(database_,
                            value ? "INSERT OR REPLACE INTO value VALUES (?, ?)" : "DELETE FROM value WHERE key = ?");
        put.bind(key);
        if (value) put.bind(*value);
        return done(put, "keep a value");
    }
    Result<void> put(const RunRow& run);
    Result<void> put(const TaskRow& task);
    Result<void> add(const Transition& line);

    std::mutex mutex_;
    sqlite3* const database_;
    std::unique_ptr<SqliteStatement> put_run_, put_task_, forget_task_, add_history_, put_seen_;
};

Result<void> SqliteRunStore::put(const RunRow& run) {
    put_run_->reset();
    for (const auto* text : {&run.id, &run.flow, &run.revision}) put_run_->bind(*text);
    put_run_->bind(static_cast<int64_t>(run.type));
    for (const Timestamp time : {run.due, run.about.begin, run.about.end}) put_run_->bind(micros(time));
    put_run_->bind(static_cast<int64_t>(run.state));
    for (const auto* text : {&run.inputs, &run.why, &run.actor}) put_run_->bind(*text);
    put_run_->bind(micros(run.created));
    bind(*put_run_, run.began);
    bind(*put_run_, run.ended);
    const int step = put_run_->step();
    if (step == SQLITE_DONE) return {};
    if (step != SQLITE_CONSTRAINT) return error("keep a run");
    put_run_->reset();
    return Error(ErrorKind::conflict, "there is a run of that moment already: flow " + run.flow + ", " +
                                          std::string(to_string(run.type)) + "; look at that one");
}

Result<void> SqliteRunStore::put(const TaskRow& task) {
    SqliteStatement& statement = task.state == TaskState::waiting && task.attempt == 0 ? *forget_task_ : *put_task_;
    statement.reset();
    statement.bind(task.run);
    statement.bind(static_cast<int64_t>(task.task));
    if (&statement == forget_task_.get()) return done(statement, "keep a task");
    for (const int64_t number :
         {static_cast<int64_t>(task.state), int64_t{task.attempt}, int64_t{task.tries}, int64_t{task.lost}}) {
        statement.bind(number);
    }
    for (const auto& time : {task.since, task.first_begun, task.began, task.ended, task.comes_again}) {
        bind(statement, time);
    }
    for (const auto* text : {&task.worker, &task.why, &task.outputs}) statement.bind(*text);
    return done(statement, "keep a task");
}

Result<void> SqliteRunStore::add(const Transition& line) {
    add_history_->reset();
    add_history_->bind(line.run);
    if (line.task) {
        add_history_->bind(static_cast<int64_t>(*line.task));
    } else {
        add_history_->bind_null();
    }
    add_history_->bind(int64_t{line.attempt});
    for (const auto* text : {&line.to, &line.why, &line.actor}) add_history_->bind(*text);
    add_history_->bind(micros(line.at));
    return done(*add_history_, "keep the history");
}

Result<std::vector<RunRow>> SqliteRunStore::runs(const RunFilter& filter) {
    const std::lock_guard lock(mutex_);
    std::string sql = "SELECT * FROM run WHERE true";
    if (!filter.flow.empty()) sql += " AND flow = ?";
    if (filter.type) sql += " AND type = " + std::to_string(static_cast<int>(*filter.type));
    if (!filter.states.empty()) {
        sql += " AND state IN (";
        for (const RunState state : filter.states) sql += std::to_string(static_cast<int>(state)) + ",";
        sql.back() = ')';
    }
    if (filter.created_from) sql += " AND created >= " + std::to_string(micros(*filter.created_from));
    if (filter.created_before) sql += " AND created < " + std::to_string(micros(*filter.created_before));
    if (!filter.behind.empty()) sql += " AND (created, id) < (SELECT created, id FROM run WHERE id = ?)";
    sql += " ORDER BY created DESC, id DESC LIMIT " + std::to_string(filter.limit);
    SqliteStatement select(database_, sql);
    if (!filter.flow.empty()) select.bind(filter.flow);
    if (!filter.behind.empty()) select.bind(filter.behind);
    std::vector<RunRow> found;
    TRY(each(select, [&] { found.push_back(read_run(select)); }));
    return found;
}

Result<std::vector<Transition>> SqliteRunStore::history(const RunId& run) {
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_,
                           "SELECT task, attempt, state, why, actor, at FROM history WHERE run = ? ORDER BY number");
    select.bind(run);
    std::vector<Transition> found;
    TRY(each(select, [&] {
        Transition line;
        line.run = run;
        if (!select.is_null(0)) line.task = static_cast<TaskIndex>(select.integer(0));
        line.attempt = static_cast<int>(select.integer(1));
        line.to = select.text(2);
        line.why = select.text(3);
        line.actor = select.text(4);
        line.at = time_of(select.integer(5));
        found.push_back(std::move(line));
    }));
    return found;
}

Result<int64_t> SqliteRunStore::forget_before(Timestamp time, int64_t count_max) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    {
        SqliteStatement select(database_, "SELECT id FROM run WHERE ended < ? ORDER BY ended LIMIT ?");
        select.bind(micros(time));
        select.bind(count_max);
        TRY(each(select, [&] { ids.push_back(select.text(0)); }));
    }
    TRY(in_transaction([&]() -> Result<void> {
        for (const char* table : {"history WHERE run", "task WHERE run", "run WHERE id"}) {
            SqliteStatement remove(database_, std::string("DELETE FROM ") + table + " = ?");
            for (const std::string& id : ids) {
                remove.reset();
                remove.bind(id);
                TRY(done(remove, "forget a run"));
            }
        }
        return {};
    }));
    return static_cast<int64_t>(ids.size());
}

}  // namespace

Result<std::unique_ptr<RunStore>> open_sqlite_run_store(const std::string& path) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    sqlite3* database = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &database,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    auto store = std::make_unique<SqliteRunStore>(database);
    if (opened != SQLITE_OK) return sqlite_error(database, "open " + path, "check that the folder can be written");
    auto set_up = store->set_up(path);
    if (!set_up.ok() && set_up.error().kind() == ErrorKind::conflict) {
        return Error(ErrorKind::conflict,
                     "another shaduf serves this project: it holds " + path + "; stop that one first");
    }
    if (!set_up.ok()) return set_up.release_error();
    return std::unique_ptr<RunStore>(std::move(store));
}

}  // namespace shaduf
