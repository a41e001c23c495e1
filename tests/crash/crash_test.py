#!/usr/bin/env python3
"""Kills shaduf at random moments, starts it again until it is done, and compares contents with the source's.

crash_test.py SHADUF SCENARIO [--kills N] [--seed S]
crash_test.py --list

A round is a fresh project whose runs are killed by SIGKILL after a random time until one ends by itself; rounds follow
until there were N kills that hit a running process. Status 77: a part that the scenario needs is not there.
"""
import argparse
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from postgres import Postgres  # noqa: E402
from s3 import S3Server  # noqa: E402

import kafka_streams  # noqa: E402
import kafka_via  # noqa: E402
from live_postgres import LivePostgresToDuckDb, LivePostgresToPostgres  # noqa: E402

SKIPPED = 77

RUNS_PER_ROUND_MAX = 400
LONGER = 1.05
OFTEN = "20ms"  # the interval of commits that the pipelines below have


def events(count, generator):
    rows = []
    for number in range(count):
        rows.append({"id": number, "day": f"2023-10-{20 + number % 7:02d}", "name": f"n{generator.randrange(1000)}",
                     "amount": generator.randrange(10**6)})
    return rows


class RowServer:
    """Pages of rows in the order of `updated`, as an API with a page number has them."""

    def __init__(self, rows):
        owner = self
        self.rows = rows

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                page, size = int(query.get("page", 1)), int(query.get("limit", 100))
                since = int(query.get("since", -1))
                wanted = [row for row in owner.rows if row["updated"] > since]
                body = json.dumps(wanted[(page - 1) * size:page * size]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a killed client is what this is about

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Project:
    def __init__(self, binary, pipeline):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-crash-"))
        (self.folder / "pipelines").mkdir()
        (self.folder / "shaduf.yml").write_text("name: crash\n", encoding="utf-8")
        (self.folder / "pipelines/p.yml").write_text(pipeline, encoding="utf-8")

    def start(self):
        log = open(self.folder / "log", "ab")
        return subprocess.Popen([self.binary, "run", "p", "--quiet"], cwd=self.folder, stdout=log, stderr=log)

    def query(self, sql, connection):
        done = subprocess.run([self.binary, "query", sql, "--json", "--connection", connection], cwd=self.folder,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"query failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class FilesToDuckDb:
    """NDJSON files, some lines of them broken, appended to a table."""
    pipeline = """source: {type: files, path: data}
sink: {type: duckdb, path: w.duckdb}
streams:
  events: {files: "*.ndjson", mode: incremental, commit_every: 20ms}
"""
    broken = 7
    sink_options = ""

    def __init__(self, generator):
        self.rows = events(60_000, generator)

    def prepare(self, project):
        data = project.folder / "data"
        data.mkdir()
        for part in range(4):
            lines = [json.dumps(row) for row in self.rows[part::4]]
            if part == 1:
                lines[10:10] = ["{broken"] * self.broken
            (data / f"e{part}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def found(self, project):
        return project.query("SELECT id, day::varchar AS day, name, amount FROM events", "p.sink")

    def rejected(self, project):
        return project.query("SELECT count(*) AS n FROM _shaduf_quarantine", "p.sink")[0]["n"]

    def check(self, project):
        key = lambda row: row["id"]  # noqa: E731
        found = sorted(self.found(project), key=key)
        if found != self.rows:
            ids = [row["id"] for row in found]
            raise AssertionError(f"contents differ: {len(found)} rows, {len(set(ids))} different, "
                                 f"{len(self.rows)} expected")
        if self.rejected(project) != self.broken:
            raise AssertionError(f"quarantine has {self.rejected(project)} rows, {self.broken} expected")

    def close(self):
        pass


class FilesToS3(FilesToDuckDb):
    """The same into Parquet files on S3, partitioned by day: what the manifests name."""

    def __init__(self, generator):
        super().__init__(generator)
        self.server = S3Server()

    @property
    def pipeline(self):
        return f"""source: {{type: files, path: data}}
sink: {{type: files, path: "s3://lake/t", endpoint: "{self.server.url}", access_key: key, secret_key: secret}}
streams:
  events:
    files: "*.ndjson"
    mode: incremental
    commit_every: 100ms
    table: {{name: events, partition_by: [day]}}
    format: ndjson
"""

    def prepare(self, project):
        super().prepare(project)
        self.server.reset()

    def manifests(self):
        state = {"files": set(), "quarantine": set()}
        version = 1
        while True:
            text = self.server.get(f"t/events/_shaduf/manifest/{version:020d}.json")
            if text is None:
                return state
            manifest = json.loads(text)
            for kind, keys in state.items():
                keys |= {file["key"] for file in manifest[kind]["add"]}
                keys -= set(manifest[kind]["remove"])
            version += 1

    def found(self, project):
        local = project.folder / "lake"
        for key in self.manifests()["files"]:
            path = local / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.server.get("t/" + key))
        sql = ("SELECT id, day::varchar AS day, name, amount FROM "
               "read_parquet('lake/**/*.parquet', hive_partitioning = true)")
        (project.folder / "pipelines/q.yml").write_text(FilesToDuckDb.pipeline, encoding="utf-8")
        return project.query(sql, "q.sink")

    def rejected(self, project):
        return sum(len(self.server.get("t/" + key).splitlines()) for key in self.manifests()["quarantine"])

    def close(self):
        self.server.stop()


class RestToDuckDb(FilesToDuckDb):
    """Pages of an API, merged by key; the older versions of rows must not win."""
    broken = 0

    def __init__(self, generator):
        super().__init__(generator)
        self.rows = self.rows[:8000]
        older = [dict(row, amount=-1, updated=number) for number, row in enumerate(self.rows)]
        newer = [dict(row, updated=len(older) + number) for number, row in enumerate(self.rows)]
        self.server = RowServer(older + newer)

    @property
    def pipeline(self):
        return f"""source: {{type: rest, base_url: "{self.server.url}"}}
sink: {{type: duckdb, path: w.duckdb}}
streams:
  events:
    path: /rows
    mode: incremental
    write: merge
    key: [id]
    order_by: updated
    commit_every: 20ms
    resume: cursor
    paginate: {{type: page, param: page, size_param: limit, size: 100}}
    incremental: {{cursor: updated, param: since}}
"""

    def prepare(self, project):
        pass

    def rejected(self, project):
        return 0

    def close(self):
        self.server.stop()


class PostgresToDuckDb(FilesToDuckDb):
    """A table in the order of its key, one value in it that has no place; the server is killed on the way, too."""
    broken = 1
    stream = "{mode: full_refresh, write: replace, commit_every: 20ms}"
    pad = 200

    def __init__(self, generator):
        super().__init__(generator)
        if not Postgres.is_installed():
            print("skipped: PostgreSQL is not installed; run scripts/setup --extras")
            sys.exit(SKIPPED)
        self.generator = generator
        self.server = Postgres()
        self.killer = None
        lines = [f"{row['id']}\t{row['day']}\t{row['name']}\t{row['amount']}\t{row['id'] // 700}\t{'x' * self.pad}"
                 for row in self.rows]
        lines.insert(7, "-1\tinfinity\tn\t0\t0\tx")
        lines.append("\\.\n")
        errors = self.server.sql("CREATE TABLE events (id bigint, day date, name text, amount int, version int, pad "
                                 "text, PRIMARY KEY (name, id) INCLUDE (day));\n"
                                 "COPY events FROM stdin;\n" + "\n".join(lines))
        if errors:
            self.server.stop()
            raise RuntimeError(errors)

    @property
    def pipeline(self):
        return f"""source: {{type: postgres, dsn: "{self.server.dsn}"}}
sink: {{type: duckdb, path: w.duckdb}}
streams:
  events: {self.stream}
"""

    def prepare(self, project):
        self.join()
        self.killer = threading.Timer(self.generator.uniform(0.05, 0.6), self.kill_server)
        self.killer.start()

    def kill_server(self):
        self.server.halt(signal.SIGQUIT)
        self.server.start()

    def rejected(self, project):
        # A run killed behind its last commit has loaded all; the next begins anew and turns the row away again.
        return project.query("SELECT count(DISTINCT raw) AS n FROM _shaduf_quarantine", "p.sink")[0]["n"]

    def join(self):
        if self.killer:
            self.killer.join()

    def close(self):
        self.join()
        self.server.stop()


class PostgresParallel(PostgresToDuckDb):
    """The same from a table that is large enough for ranges and sessions."""
    stream = "{mode: full_refresh, write: replace, parallel: 3, commit_every: 20ms}"
    pad = 400


class PostgresIncremental(PostgresToDuckDb):
    """The same by a cursor that many rows share."""
    stream = "{mode: incremental, cursor_field: version, commit_every: 20ms}"


class AirbyteToDuckDb:
    """A command that speaks the Airbyte protocol, its rows appended."""
    adapter = "airbyte_source.py"
    source = "type: airbyte"
    stream = "users: {mode: incremental, write: append, table: rows, commit_every: 20ms}"
    extra = ""
    count = 5000

    def __init__(self, _):
        pass

    @property
    def pipeline(self):
        adapter = pathlib.Path(__file__).resolve().parents[1] / "adapters" / self.adapter
        return f"""source:
  {self.source}
  command: [python3, "{adapter}"]
  config: {{count: {self.count}, every: 250, slow: 0.06{self.extra}}}
sink: {{type: duckdb, path: w.duckdb}}
streams:
  {self.stream}
"""

    def prepare(self, project):
        pass

    columns = "id, name, score::double AS score"

    def row(self, number):
        return {"id": number, "name": None if number % 5 == 0 else f"n{number}", "score": number / 4}

    def check(self, project):
        found = project.query(f"SELECT {self.columns} FROM rows ORDER BY id", "p.sink")
        if found != [self.row(number) for number in range(1, self.count + 1)]:
            raise AssertionError(f"contents differ: {len(found)} rows, {self.count} expected")

    def close(self):
        pass


class SingerToDuckDb(AirbyteToDuckDb):
    """A tap that begins at its bookmark, its rows merged."""
    adapter = "singer_tap.py"
    source = "type: singer"
    stream = "shop-orders: {mode: incremental, write: merge, key: id, table: rows, commit_every: 20ms}"
    extra = ", inclusive: true"
    columns = "id, total::double AS total"

    def row(self, number):
        return {"id": number, "total": number / 4}


SCENARIOS = {"rest_to_duckdb": RestToDuckDb, "files_to_duckdb": FilesToDuckDb, "files_to_s3": FilesToS3,
             "postgres_to_duckdb": PostgresToDuckDb, "postgres_parallel": PostgresParallel,
             "postgres_incremental": PostgresIncremental,
             "postgres_live_to_duckdb": LivePostgresToDuckDb, "postgres_live_to_postgres": LivePostgresToPostgres,
             "airbyte_to_duckdb": AirbyteToDuckDb, "singer_to_duckdb": SingerToDuckDb, **kafka_streams.SCENARIOS,
             **kafka_via.SCENARIOS}


def kill_until_done(project, scenario, generator, longest):
    """Number of kills that hit, until a run ends by itself, and well. One that fails since what it works with was down
    meanwhile is run again."""
    kills = 0
    for _ in range(RUNS_PER_ROUND_MAX):
        getattr(scenario, "begin_run", lambda: None)()
        process = project.start()
        try:
            status = process.wait(generator.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            status = process.wait(30)
            if status == -signal.SIGKILL:
                kills += 1
                longest *= LONGER  # a slow machine or binary must come to its end too
                continue
        if status != 0 and getattr(scenario, "may_have_failed", lambda: False)():
            continue
        if status != 0:
            raise AssertionError(f"a run ended with status {status}:\n" + (project.folder / "log").read_text()[-2000:])
        return kills
    raise AssertionError(f"not done after {RUNS_PER_ROUND_MAX} runs")


def missing_part(scenario, binary):
    """What the scenario needs and is not there; "" when all is."""
    missing = getattr(scenario, "missing", lambda: "")()
    wanted = getattr(scenario, "needs_sink", None)
    if missing or not wanted:
        return missing
    listed = json.loads(subprocess.run([binary, "connectors", "--json"], capture_output=True, check=True).stdout)
    is_sink = any(connector["name"] == wanted and connector["sink"] for connector in listed)
    return "" if is_sink else f"the connector {wanted} is no sink here"


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(SCENARIOS))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    print(f"seed {seed}")
    generator = random.Random(seed)
    binary = os.path.abspath(arguments.binary)
    reason = missing_part(SCENARIOS[arguments.scenario], binary)
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    scenario = SCENARIOS[arguments.scenario](generator)
    kills = rounds = 0
    try:
        if hasattr(scenario, "drill"):  # several runs at a time: it kills them itself
            kills, rounds = scenario.drill(binary, arguments.kills)
        while kills < arguments.kills:
            # Many small commits, or one whose rows go to the sink as they come.
            project = Project(binary, scenario.pipeline.replace(OFTEN, generator.choice([OFTEN, "1s"])))
            try:
                scenario.prepare(project)
                # Mostly early, where there is the most to go wrong, and up to where a whole run ends.
                longest = generator.choice(getattr(scenario, "lengths", (0.1, 0.3, 0.8)))
                hit = kill_until_done(project, scenario, generator, longest)
                getattr(scenario, "settle", lambda _: None)(project)
                scenario.check(project)
                kills += hit
                rounds += 1
            except AssertionError:
                print(f"kept: {project.folder}")
                raise
            project.close()
    finally:
        scenario.close()
    servers = getattr(scenario, "server_kills", 0)
    of_servers = f", {servers} of the server" if servers else ""
    print(f"{arguments.scenario}: {kills} kills in {rounds} rounds{of_servers}, contents equal each time")


if __name__ == "__main__":
    main()
