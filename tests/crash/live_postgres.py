"""A table of PostgreSQL that somebody keeps writing to while it is read in every mode, and whose server is killed, too.

`live` gets new rows and changes of old ones, each with a version that only goes up; `audit` gets every version in the
same transaction, so it holds exactly those that anybody could ever see, and is itself a stream of events. When the
writer has stopped and a last run is through, all tables are compared row by row with what these two have.
"""
import collections
import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from postgres import Postgres  # noqa: E402

ROWS = 8000
NEW_ROWS = 4       # of each transaction of the writer
CHANGED_ROWS = 40
SERVER_KILLS = 3   # a round

TABLES = f"""CREATE SEQUENCE changes;
CREATE TABLE live (id int PRIMARY KEY, version bigint NOT NULL, amount int, pad text);
CREATE TABLE audit (seq bigserial PRIMARY KEY, id int, version bigint, amount int);
CREATE DATABASE target;
WITH added AS (INSERT INTO live SELECT i, nextval('changes'), i * 7 % 1000, repeat('x', 100)
    FROM generate_series(1, {ROWS}) i RETURNING id, version, amount)
INSERT INTO audit (id, version, amount) SELECT * FROM added;
"""
STREAMS = """source: {{type: postgres, dsn: "{source}"}}
sink: {sink}
commit_every: 20ms
streams_parallel: 3
streams:
  full_append: {{source_table: live, mode: full_refresh, write: append}}
  full_replace: {{source_table: live, mode: full_refresh, write: replace}}
  full_merge: {{source_table: live, mode: full_refresh, write: merge, key: id}}
  full_history: {{source_table: live, mode: full_refresh, write: history, key: id}}
  cursor_append: {{source_table: live, mode: incremental, cursor_field: version, write: append}}
  cursor_merge: {{source_table: live, mode: incremental, cursor_field: version, write: merge, key: id}}
  cursor_history: {{source_table: live, mode: incremental, cursor_field: version, write: history, key: id,
    order_by: version}}
  events: {{source_table: audit, mode: incremental, cursor_field: seq, write: append}}
"""


class Writer(threading.Thread):
    """Changes rows until it is stopped; what the server loses on the way was never committed."""

    def __init__(self, server, generator):
        super().__init__(daemon=True)
        self.server = server
        self.generator = generator
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.server.sql(f"""BEGIN;
WITH changed AS (UPDATE live SET version = nextval('changes'), amount = {self.generator.randrange(10**6)}
    WHERE id IN (SELECT 1 + (random() * {ROWS - 1})::int FROM generate_series(1, {CHANGED_ROWS}))
    RETURNING id, version, amount)
INSERT INTO audit (id, version, amount) SELECT * FROM changed;
WITH added AS (INSERT INTO live SELECT (SELECT max(id) FROM live) + i, nextval('changes'), i, 'new'
    FROM generate_series(1, {NEW_ROWS}) i RETURNING id, version, amount)
INSERT INTO audit (id, version, amount) SELECT * FROM added;
COMMIT;""")
            self.ended.wait(0.02)

    def stop(self):
        self.ended.set()
        self.join()


class Killer(threading.Thread):
    """Kills the server some times at random moments and starts it again each time."""

    def __init__(self, server, generator, kills):
        super().__init__(daemon=True)
        self.server = server
        self.pauses = [generator.uniform(0.05, 1.5) for _ in range(kills)]
        self.ended = threading.Event()
        self.outages = 0  # begun
        self.is_down = False
        self.failure = None

    def run(self):
        for pause in self.pauses:
            if self.ended.wait(pause):
                return
            self.outages += 1
            self.is_down = True
            try:
                self.server.kill()
                self.server.start_again()
            except (RuntimeError, OSError) as error:
                self.failure = error
                return
            self.is_down = False

    def stop(self):
        self.ended.set()
        self.join()
        if self.failure:
            raise AssertionError(f"the server did not come back: {self.failure}")


class LivePostgres:
    """Base of the two below, which differ in where the rows go."""
    lengths = (0.2, 0.6, 2)  # of a run before it is killed, at most
    columns = "id, version, amount"

    def __init__(self, generator):
        self.generator = generator
        self.server = Postgres()
        self.writer = self.killer = self.outages_before = None
        self.server_kills = 0
        found = self.server.sql(TABLES)
        if found:
            self.server.stop()
            raise RuntimeError(found)

    @staticmethod
    def missing():
        return "" if Postgres.is_installed() else "PostgreSQL is not installed; run scripts/setup --extras"

    @property
    def pipeline(self):
        return STREAMS.format(source=self.server.dsn, sink=self.sink)

    def prepare(self, _project):
        self.writer = Writer(self.server, self.generator)
        self.killer = Killer(self.server, self.generator, SERVER_KILLS)
        self.writer.start()
        self.killer.start()

    def begin_run(self):
        self.outages_before = None if self.killer.is_down else self.killer.outages

    def may_have_failed(self):
        """Whether the server was down at any moment since `begin_run`."""
        return self.outages_before != self.killer.outages

    def settle(self, project):
        """Nobody writes or kills any more; then one more run has all there is."""
        self.killer.stop()
        self.server_kills += self.killer.outages
        self.writer.stop()
        process = project.start()
        if process.wait(120) != 0:
            log = (project.folder / "log").read_text(encoding="utf-8")
            raise AssertionError("the last run failed:\n" + log[-2000:])

    def source(self, table, columns):
        lines = self.server.sql(f"SELECT coalesce(json_agg(t), '[]') FROM (SELECT {columns} FROM {table}) t")
        return [tuple(row.values()) for row in json.loads("\n".join(lines))]

    def check(self, project):
        if self.rejected(project) != 0:
            raise AssertionError("rows came to lie in quarantine")
        last = sorted(self.source("live", self.columns))
        ever = self.source("audit", self.columns)
        if len(last) <= ROWS or len(ever) <= len(last):
            raise AssertionError("the writer has not written")
        for table in ("full_replace", "full_merge", "cursor_merge"):
            equal(table, sorted(self.found(project, table, self.columns)), last)
        equal("events", sorted(self.found(project, "events", "seq, id, version, amount")),
              sorted(self.source("audit", "seq, id, version, amount")))
        self.check_loads(self.found(project, "full_append", self.columns), ever)
        self.check_versions("cursor_append", self.found(project, "cursor_append", self.columns), ever, last)
        for table in ("full_history", "cursor_history"):
            self.check_history(table, project, ever, last)

    @staticmethod
    def check_loads(rows, ever):
        """Each load has every row that was there from the beginning once, in a state that it once was in."""
        strange = set(rows) - set(ever)
        if strange:
            raise AssertionError(f"full_append has rows that never were: {sorted(strange)[:5]}")
        times = collections.Counter(row[0] for row in rows)
        loads = {times[number] for number in range(1, ROWS + 1)}
        if len(loads) != 1 or loads.pop() < 2 or max(times.values()) != times[1]:
            raise AssertionError(f"full_append has rows of a load lost or twice: {collections.Counter(times.values())}")

    @staticmethod
    def check_versions(table, rows, ever, last):
        """A row is there in states that it was in, in none of them twice, and in the last."""
        if len(set(rows)) != len(rows):
            raise AssertionError(f"{table} has versions twice: {len(rows)} rows, {len(set(rows))} different")
        if not set(rows) <= set(ever) or not set(last) <= set(rows):
            raise AssertionError(f"{table} has {len(set(rows) - set(ever))} versions that never were, and lacks "
                                 f"{len(set(last) - set(rows))} of the last")

    def check_history(self, table, project, ever, last):
        found = self.found(project, table, f"{self.columns}, valid_from, valid_to, is_current")
        self.check_versions(table, [row[:3] for row in found], ever, last)
        equal(f"{table}, current rows", sorted(row[:3] for row in found if row[5]), last)
        by_key = collections.defaultdict(list)
        for row in sorted(found, key=lambda row: (row[0], row[1])):
            by_key[row[0]].append(row)
        for versions in by_key.values():
            for before, after in zip(versions, versions[1:]):
                if before[4] is None or before[4] != after[3] or before[5]:
                    raise AssertionError(f"{table}: a version does not end where the next begins: {before}, {after}")
            if versions[-1][4] is not None:
                raise AssertionError(f"{table}: the last version has an end: {versions[-1]}")

    def close(self):
        for thread in (self.killer, self.writer):
            if thread and thread.is_alive():
                thread.ended.set()
                thread.join()
        self.server.stop()


def equal(what, found, expected):
    if found == expected:
        return
    lost, strange = set(expected) - set(found), set(found) - set(expected)
    raise AssertionError(f"{what} differs: {len(found)} rows, {len(expected)} expected; lost {sorted(lost)[:3]}, "
                         f"strange {sorted(strange)[:3]}")


class LivePostgresToDuckDb(LivePostgres):
    """Into a DuckDB file."""
    sink = "{type: duckdb, path: w.duckdb}"

    @staticmethod
    def found(project, table, columns):
        return [tuple(row.values()) for row in project.query(f"SELECT {columns} FROM {table}", "p.sink")]

    def rejected(self, project):
        return self.found(project, "_shaduf_quarantine", "count(*)")[0][0]


class LivePostgresToPostgres(LivePostgres):
    """Into another database of the server, which goes down with it."""
    needs_sink = "postgres"

    @property
    def target(self):
        return self.server.dsn.rsplit("/", 1)[0] + "/target"

    @property
    def sink(self):
        return f'{{type: postgres, dsn: "{self.target}"}}'

    def prepare(self, project):
        wrong = self.server.sql("DROP DATABASE target (FORCE);\nCREATE DATABASE target;")
        if wrong:
            raise RuntimeError(wrong)
        super().prepare(project)

    def found(self, _project, table, columns):
        lines = self.server.sql(f"SELECT coalesce(json_agg(t), '[]') FROM (SELECT {columns} FROM {table}) t",
                                dsn=self.target)
        return [tuple(row.values()) for row in json.loads("\n".join(lines))]

    def rejected(self, project):
        return self.found(project, "_shaduf_quarantine", "count(*)")[0][0]
