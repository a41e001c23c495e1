#include "flow/shared/schema.h"

#include <array>
#include <charconv>

namespace shaduf::shared {
namespace {

// One step from a version to the next. It only adds, and may be run by any process, while others use the tables.
struct Step {
    int oldest_reader;
    const char* sql;
};

// Times are microseconds since 1970, but those of leases, which are the server's own. A try is what a worker is to do:
// it is there from when a task begins to when the engine has heard its end. Who locks several of them locks them by
// their number, or passes over those that are locked, so that nobody waits in a circle.
constexpr auto kSteps = std::to_array<Step>({{1, R"(
    CREATE TABLE shaduf.run (
        id TEXT PRIMARY KEY, flow TEXT NOT NULL, revision TEXT NOT NULL, type SMALLINT NOT NULL, due BIGINT NOT NULL,
        about_begin BIGINT NOT NULL, about_end BIGINT NOT NULL, state SMALLINT NOT NULL, inputs TEXT NOT NULL,
        why TEXT NOT NULL, actor TEXT NOT NULL, created BIGINT NOT NULL, began BIGINT, ended BIGINT,
        changed BIGINT NOT NULL DEFAULT 0);
    CREATE UNIQUE INDEX run_once ON shaduf.run (flow, type, due) WHERE type IN (0, 2);
    CREATE INDEX run_open ON shaduf.run (id) WHERE ended IS NULL;
    CREATE INDEX run_by_time ON shaduf.run (created, id);
    CREATE INDEX run_by_flow ON shaduf.run (flow, created, id);
    CREATE INDEX run_by_end ON shaduf.run (ended) WHERE ended IS NOT NULL;
    CREATE INDEX run_by_change ON shaduf.run (changed);
    CREATE TABLE shaduf.task (
        run TEXT NOT NULL, task INTEGER NOT NULL, state SMALLINT NOT NULL, attempt INTEGER NOT NULL,
        tries INTEGER NOT NULL, lost INTEGER NOT NULL, since BIGINT, first_begun BIGINT, began BIGINT, ended BIGINT,
        comes_again BIGINT, worker TEXT NOT NULL, why TEXT NOT NULL, outputs TEXT NOT NULL,
        changed BIGINT NOT NULL, PRIMARY KEY (run, task));
    CREATE INDEX task_by_change ON shaduf.task (changed);
    CREATE TABLE shaduf.history (
        number BIGSERIAL PRIMARY KEY, run TEXT NOT NULL, task INTEGER, attempt INTEGER NOT NULL, state TEXT NOT NULL,
        why TEXT NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL);
    CREATE INDEX history_by_run ON shaduf.history (run, number);
    CREATE TABLE shaduf.seen (flow TEXT PRIMARY KEY, at BIGINT NOT NULL);
    CREATE TABLE shaduf.definition (
        flow TEXT NOT NULL, revision TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (flow, revision));
    CREATE TABLE shaduf.value (key TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL);
    CREATE SEQUENCE shaduf.change;
    CREATE TABLE shaduf.leader (
        one BOOLEAN PRIMARY KEY CHECK (one), holder TEXT NOT NULL, token BIGINT NOT NULL, until TIMESTAMPTZ NOT NULL,
        step BIGINT NOT NULL);
    INSERT INTO shaduf.leader VALUES (true, '', 0, '-infinity', 0);
    CREATE TABLE shaduf.worker (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, places INTEGER NOT NULL, since TIMESTAMPTZ NOT NULL,
        until TIMESTAMPTZ NOT NULL, version TEXT NOT NULL);
    CREATE TABLE shaduf.try (
        run TEXT NOT NULL, task INTEGER NOT NULL, attempt INTEGER NOT NULL, round INTEGER NOT NULL,
        number BIGSERIAL NOT NULL,
        flow TEXT NOT NULL, revision TEXT NOT NULL, worker TEXT NOT NULL DEFAULT '',
        told BOOLEAN NOT NULL DEFAULT false, stop TEXT, ending TEXT, PRIMARY KEY (run, task, attempt));
    CREATE INDEX try_open ON shaduf.try (number) WHERE worker = '';
    CREATE INDEX try_untold ON shaduf.try (number) WHERE worker <> '' AND NOT told;
    CREATE INDEX try_ended ON shaduf.try (number) WHERE ending IS NOT NULL;
    CREATE INDEX try_by_worker ON shaduf.try (worker);
    CREATE TABLE shaduf.command (
        number BIGSERIAL PRIMARY KEY, text TEXT NOT NULL, answer TEXT,
        asked TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp());
    CREATE INDEX command_open ON shaduf.command (number) WHERE answer IS NULL;
    CREATE TABLE shaduf.log (
        run TEXT NOT NULL, task TEXT NOT NULL, attempt INTEGER NOT NULL, "offset" BIGINT NOT NULL,
        is_last BOOLEAN NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, task, attempt, "offset"));
    CREATE UNLOGGED TABLE shaduf.progress (
        run TEXT NOT NULL, task TEXT NOT NULL, attempt INTEGER NOT NULL, process TEXT NOT NULL, report TEXT NOT NULL,
        log_lines BIGINT NOT NULL, version BIGINT NOT NULL, written TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (run, task, attempt));
    CREATE INDEX progress_by_time ON shaduf.progress (written);
    CREATE TABLE shaduf.account (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, folders TEXT NOT NULL, password TEXT NOT NULL,
        locked INTEGER NOT NULL, last_seen BIGINT);
    CREATE TABLE shaduf.session (
        secret TEXT PRIMARY KEY, account TEXT NOT NULL, address TEXT NOT NULL, created BIGINT NOT NULL,
        last_used BIGINT NOT NULL);
    CREATE INDEX session_by_account ON shaduf.session (account);
    CREATE TABLE shaduf.token (
        secret TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
        folders TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT, last_used BIGINT);
    CREATE TABLE shaduf.failure (
        key TEXT PRIMARY KEY, count INTEGER NOT NULL, last BIGINT NOT NULL, until BIGINT NOT NULL);

    -- Keeps a step of the leadership `token`, its `next`: all of it, or nothing where another one leads (then false),
    -- or where it was kept before. The leader's row is locked until the end, so that nobody takes over in between.
    -- Tries that are over are taken away, whoever has them; those that begin are put on offer. The plans of its
    -- statements last as long as a session, while the tables grow: they are to go by the indexes from the first day.
    CREATE FUNCTION shaduf.keep_1(token BIGINT, next BIGINT, rows JSONB) RETURNS BOOLEAN LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $keep$
    #variable_conflict use_column
    DECLARE
        kept BIGINT;
    BEGIN
        SELECT step INTO kept FROM shaduf.leader WHERE leader.token = keep_1.token FOR UPDATE;
        IF NOT FOUND THEN RETURN false; END IF;
        IF kept >= keep_1.next THEN RETURN true; END IF;
        UPDATE shaduf.leader SET step = keep_1.next;
        IF rows ? 'runs' THEN
            INSERT INTO shaduf.run AS run SELECT x.*, nextval('shaduf.change')
            FROM jsonb_to_recordset(rows->'runs') AS x(
                id TEXT, flow TEXT, revision TEXT, type SMALLINT, due BIGINT, about_begin BIGINT, about_end BIGINT,
                state SMALLINT, inputs TEXT, why TEXT, actor TEXT, created BIGINT, began BIGINT, ended BIGINT)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, why = excluded.why, began = excluded.began,
                ended = excluded.ended, changed = excluded.changed;
        END IF;
        IF rows ? 'tasks' THEN
            INSERT INTO shaduf.task AS task SELECT x.*, nextval('shaduf.change')
            FROM jsonb_to_recordset(rows->'tasks') AS x(
                run TEXT, task INTEGER, state SMALLINT, attempt INTEGER, tries INTEGER, lost INTEGER, since BIGINT,
                first_begun BIGINT, began BIGINT, ended BIGINT, comes_again BIGINT, worker TEXT, why TEXT,
                outputs TEXT)
            ON CONFLICT (run, task) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
                tries = excluded.tries, lost = excluded.lost, since = excluded.since,
                first_begun = excluded.first_begun, began = excluded.began, ended = excluded.ended,
                comes_again = excluded.comes_again, worker = excluded.worker, why = excluded.why,
                outputs = excluded.outputs, changed = excluded.changed;
        END IF;
        IF rows ? 'forgotten' THEN
            DELETE FROM shaduf.task USING jsonb_to_recordset(rows->'forgotten') AS x(run TEXT, task INTEGER)
            WHERE task.run = x.run AND task.task = x.task;
        END IF;
        IF rows ? 'tries' THEN
            DELETE FROM shaduf.try USING (
                SELECT try.run, try.task, try.attempt FROM jsonb_to_recordset(rows->'tries') AS x(
                    run TEXT, task INTEGER, attempt INTEGER, runs BOOLEAN)
                JOIN shaduf.try ON try.run = x.run AND try.task = x.task
                WHERE NOT x.runs OR try.attempt <> x.attempt ORDER BY try.number FOR UPDATE OF try) AS over
            WHERE try.run = over.run AND try.task = over.task AND try.attempt = over.attempt;
            INSERT INTO shaduf.try (run, task, attempt, round, flow, revision)
            SELECT x.run, x.task, x.attempt, x.round, run.flow, run.revision
            FROM jsonb_to_recordset(rows->'tries') AS x(
                run TEXT, task INTEGER, attempt INTEGER, round INTEGER, begins BOOLEAN)
            JOIN shaduf.run ON run.id = x.run WHERE x.begins ORDER BY run.created, x.run, x.task
            ON CONFLICT DO NOTHING;
        END IF;
        IF rows ? 'history' THEN
            INSERT INTO shaduf.history (run, task, attempt, state, why, actor, at)
            SELECT x.run, x.task, x.attempt, x.state, x.why, x.actor, x.at
            FROM jsonb_array_elements(rows->'history') WITH ORDINALITY AS e(line, number),
                jsonb_to_record(e.line) AS x(
                    run TEXT, task INTEGER, attempt INTEGER, state TEXT, why TEXT, actor TEXT, at BIGINT)
            ORDER BY e.number;
        END IF;
        IF rows ? 'seen' THEN
            INSERT INTO shaduf.seen AS seen SELECT key, value::BIGINT FROM jsonb_each_text(rows->'seen')
            ON CONFLICT (flow) DO UPDATE SET at = excluded.at;
        END IF;
        IF rows ? 'values' THEN
            DELETE FROM shaduf.value USING jsonb_each_text(rows->'values') AS x
            WHERE value.key = x.key AND x.value IS NULL;
            INSERT INTO shaduf.value AS value SELECT x.key, x.value FROM jsonb_each_text(rows->'values') AS x
            WHERE x.value IS NOT NULL ON CONFLICT (key) DO UPDATE SET value = excluded.value;
        END IF;
        IF rows ? 'answers' THEN
            UPDATE shaduf.command SET answer = x.value FROM jsonb_each_text(rows->'answers') AS x
            WHERE command.number = x.key::BIGINT;
        END IF;
        RETURN true;
    END $keep$;
)"}});

// Of pg_advisory_xact_lock: one process at a time brings the tables up.
constexpr const char* kUpgradeLock = "7298118432751";

int number_of(const std::optional<std::string>& text) {
    int number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

Result<void> bring_up(PostgresConnection& connection) {
    TRY(connection.execute("BEGIN"));
    TRY(connection.execute(std::string("SELECT pg_advisory_xact_lock(") + kUpgradeLock + ")"));
    TRY(connection.execute("CREATE SCHEMA IF NOT EXISTS shaduf"));
    TRY(
        connection.execute("CREATE TABLE IF NOT EXISTS shaduf.schema_version (version INTEGER NOT NULL, oldest_reader "
                           "INTEGER NOT NULL)"));
    const SchemaVersion found = TRY(schema_version(connection));
    for (int version = found.version; version < static_cast<int>(kSteps.size()); ++version) {
        TRY(connection.execute(kSteps[static_cast<size_t>(version)].sql));
    }
    if (found.version < static_cast<int>(kSteps.size())) {
        TRY(connection.execute("DELETE FROM shaduf.schema_version; INSERT INTO shaduf.schema_version VALUES (" +
                               std::to_string(kSteps.size()) + ", " + std::to_string(kSteps.back().oldest_reader) +
                               ")"));
    }
    TRY(connection.execute("COMMIT"));
    return {};
}

}  // namespace

Result<SchemaVersion> schema_version(PostgresConnection& connection) {
    const auto exists = TRY(connection.query("SELECT to_regclass('shaduf.schema_version')"));
    if (!exists.rows.at(0).at(0)) return SchemaVersion{};
    const auto found = TRY(connection.query("SELECT version, oldest_reader FROM shaduf.schema_version"));
    if (found.rows.empty()) return SchemaVersion{};
    return SchemaVersion{number_of(found.rows[0][0]), number_of(found.rows[0][1])};
}

Result<std::unique_ptr<PostgresConnection>> connect(const std::string& dsn, const Cancellation& cancellation) {
    PostgresOptions options;
    options.parameters = TRY(parse_postgres_dsn(dsn));
    // A leader that hangs in a transaction must not keep others from taking over for longer than its lease.
    options.session = {"SET idle_in_transaction_session_timeout = '10s'",
                       "SET statement_timeout = '60s'",
                       "SET client_min_messages = warning",
                       "SET search_path = shaduf",
                       "SET jit = off",
                       "SET enable_seqscan = off"};
    auto connection = TRY(PostgresConnection::connect(options, cancellation));
    const SchemaVersion found = TRY(schema_version(*connection));
    constexpr int kOwn = static_cast<int>(kSteps.size());
    if (found.oldest_reader > kOwn) {
        return Error(ErrorKind::invalid_config,
                     "the state store was written by a newer shaduf: its tables have version " +
                         std::to_string(found.version) + " and need a program of version " +
                         std::to_string(found.oldest_reader) + " at least, this one has " + std::to_string(kOwn) +
                         "; upgrade shaduf");
    }
    if (found.version < kOwn) TRY(bring_up(*connection));
    return connection;
}

}  // namespace shaduf::shared
