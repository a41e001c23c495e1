#!/usr/bin/env python3
"""Several processes share the flows of a project, and are killed: shared_flows.py SHADUF [--minutes M] [--seed S]

Two `serve` and three `worker` processes, each in a folder of its own as on machines of their own, have one state store
in PostgreSQL. Runs are asked for at both servers, others come by a schedule, a pipeline copies a table that grows.
Meanwhile the processes are killed with -9 at random, or stopped for longer than their leases and then let go on. In the
end, what the tasks have left in the database is compared with what they were to do: each once, none forgotten. Status
77 when there is no PostgreSQL to start.
"""
import argparse
import collections
import http.client
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from postgres import SKIPPED, Postgres  # noqa: E402

SERVERS, WORKERS = 2, 3
TICK_SECONDS = 2
PARTS = ["a", "b", "c"]
PATIENCE = 120
SETTINGS = {"max_connections": "300", "shared_buffers": "64MB"}
TABLES = """
CREATE TABLE done (run text, task text, worker int DEFAULT pg_backend_pid());
CREATE TABLE ticks (run text, due text);
CREATE TABLE orders (id bigserial PRIMARY KEY, note text, updated_at timestamptz DEFAULT clock_timestamp());
"""
PROJECT = """name: shared
state: "{dsn}"
warehouse: pg
tasks_parallel: 40
connections:
  pg: {{type: postgres, dsn: "{dsn}"}}
"""
PIPELINE = """source: pg
sink: warehouse
schema: copied
streams:
  public.orders: {mode: incremental, cursor_field: updated_at, key: [id], table: orders}
"""
COPY = """schedule: {every: 3s}
max_runs: 1
missed: last
tasks:
  load: {pipeline: copy, retries: 100, retry_delay: 500ms}
"""


def once(values, **more):
    sql = f"INSERT INTO {values}"
    return json.dumps({"sql": {"sql": sql, "once": True}, **more})


def load_flow():
    tasks = {"start": once("done VALUES ('{{ run.id }}', 'start')")}
    tasks |= {part: once(f"done VALUES ('{{{{ run.id }}}}', '{part}')", depends_on="start") for part in PARTS}
    tasks["end"] = once("done VALUES ('{{ run.id }}', 'end')", depends_on=PARTS)
    return "max_runs: 1000\ntasks:\n" + "".join(f"  {name}: {task}\n" for name, task in tasks.items())


TICK = f"""schedule: {{every: {TICK_SECONDS}s}}
missed: all
missed_max: 10000
max_runs: 20
tasks:
  note: {once("ticks VALUES ('{{ run.id }}', '{{ due }}')")}
"""


class Process:
    """One of the five: started again each time that it was killed."""

    def __init__(self, shaduf, folder, kind, dsn):
        self.shaduf, self.folder, self.kind = shaduf, folder, kind
        self.process, self.url, self.log = None, None, folder / "said.log"
        for name, text in {"shaduf.yml": PROJECT.format(dsn=dsn), "flows/load.yml": load_flow(),
                           "flows/tick.yml": TICK, "flows/copy.yml": COPY, "pipelines/copy.yml": PIPELINE}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def start(self):
        command = [self.shaduf, self.kind, "--json", "--places", "8"]
        command += ["--port", "0"] if self.kind == "serve" else []
        self.url = None
        with open(self.log, "a", encoding="utf-8") as log:
            begin = log.tell()
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        if self.kind == "serve":
            threading.Thread(target=self.find_url, args=(self.process, begin), daemon=True).start()

    def find_url(self, process, begin):
        while process.poll() is None:
            for line in self.log.read_text(encoding="utf-8")[begin:].splitlines():
                if line.startswith('{"url"'):
                    self.url = json.loads(line)["url"]
                    return
            threading.Event().wait(0.05)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.url = None
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)


class Drill:
    def __init__(self, shaduf, folder, seed):
        self.random = random.Random(seed)
        self.postgres = Postgres(settings=SETTINGS)
        self.postgres.sql(TABLES)
        self.is_over = threading.Event()
        self.kills, self.freezes = collections.Counter(), 0
        self.asked = {}  # key: run
        self.rows_made = 0
        kinds = ["serve"] * SERVERS + ["worker"] * WORKERS
        self.processes = [Process(shaduf, folder / f"{kind}{n}", kind, self.postgres.dsn)
                          for n, kind in enumerate(kinds)]

    def ask(self, method, path, body=None, headers=None):
        """At any server that answers; an answer that did not come is asked for again by the caller."""
        urls = [process.url for process in self.processes if process.url]
        if not urls:
            raise OSError("no server")
        connection = http.client.HTTPConnection(self.random.choice(urls)[len("http://"):], timeout=20)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None,
                               headers={"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def is_taken(self, path, body, headers=None):
        status, answer = self.ask("POST", path, body, headers)
        assert status < 400 or status >= 500 or status == 429, (path, status, answer)
        return status < 400

    def client(self, number, until):
        """Asks for runs, each until somebody has said which it is."""
        count = 0
        while time.monotonic() < until:
            key = f"{number}-{count}"
            count += 1
            while True:
                try:
                    status, answer = self.ask("POST", "/api/v1/flows/load/runs", {}, {"Idempotency-Key": key})
                    assert status < 300 or status >= 500, (key, status, answer)
                    if status < 300:
                        self.asked[key] = answer["run"]
                        break
                except (OSError, http.client.HTTPException, ValueError):
                    pass
                if self.is_over.wait(0.1):
                    return
            self.is_over.wait(self.random.uniform(0, 0.4))

    def feed(self, until):
        while time.monotonic() < until:
            count = self.random.randint(1, 40)
            said = self.postgres.sql("INSERT INTO orders (note) SELECT md5(random()::text) "
                                     f"FROM generate_series(1, {count});"
                                     "UPDATE orders SET note = note || '!', updated_at = clock_timestamp() "
                                     "WHERE id % 17 = 0 AND id > (SELECT max(id) - 100 FROM orders)")
            assert not said, said
            self.rows_made += count
            self.is_over.wait(self.random.uniform(0, 1))

    def hurt(self, until):
        """Kills, and what looks like death for longer than a lease."""
        frozen = []
        while time.monotonic() < until:
            self.is_over.wait(self.random.uniform(0.5, 4))
            for process in self.random.sample(self.processes, self.random.choice([1, 1, 1, 2, 3])):
                if not process.is_running() or process in [one for one, _ in frozen]:
                    continue
                if self.random.random() < 0.1:
                    process.process.send_signal(signal.SIGSTOP)
                    frozen.append((process, time.monotonic() + self.random.uniform(5, 20)))
                    self.freezes += 1
                    continue
                process.kill()
                self.kills[process.kind] += 1
            for process, ends in list(frozen):
                if time.monotonic() > ends:
                    process.process.send_signal(signal.SIGCONT)
                    frozen.remove((process, ends))
            for process in self.processes:
                if not process.is_running() and self.random.random() < 0.6:
                    process.start()
        for process, _ in frozen:
            process.process.send_signal(signal.SIGCONT)
        for process in self.processes:
            if not process.is_running():
                process.start()

    def run(self, seconds):
        for process in self.processes:
            process.start()
        self.patiently(lambda: all(process.url for process in self.processes[:SERVERS]), "the servers do not start")
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self.client, args=(n, until)) for n in range(3)]
        threads += [threading.Thread(target=work, args=(until,)) for work in (self.feed, self.hurt)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.settle()

    def settle(self):
        """No more ticks, and all that is open comes to its end."""
        for flow in ("tick", "copy"):
            self.patiently(lambda path=f"/api/v1/flows/{flow}/pause": self.is_taken(path, {"paused": True}),
                           flow + " is not paused")
        self.patiently(lambda: not self.postgres.sql("SELECT id, flow FROM shaduf.run WHERE ended IS NULL LIMIT 1"),
                       "runs do not end")
        # The last copy sees all rows.
        self.patiently(lambda: self.is_taken("/api/v1/flows/copy/runs", {}, {"Idempotency-Key": "last"}),
                       "the last copy is not begun")
        self.patiently(lambda: not self.postgres.sql("SELECT id, flow FROM shaduf.run WHERE ended IS NULL LIMIT 1"),
                       "the last copy does not end")

    def patiently(self, is_so, otherwise):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if is_so():
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            self.is_over.wait(0.2)
        raise AssertionError(otherwise + ": " + "\n".join(self.postgres.sql(
            "SELECT r.id, r.flow, r.state, t.task, t.state, t.attempt, t.worker, t.why FROM shaduf.run r "
            "LEFT JOIN shaduf.task t ON t.run = r.id WHERE r.ended IS NULL LIMIT 20")))

    def all_runs(self):
        runs, after = [], ""
        while after is not None:
            status, page = self.ask("GET", f"/api/v1/runs?limit=1000{'&after=' + after if after else ''}")
            assert status == 200, page
            runs += page["items"]
            after = page["next"]
        return runs

    def differences(self):
        found = []
        runs = self.all_runs()
        for run in runs:
            if run["state"] != "succeeded":
                found.append(f"run {run['id']} of {run['flow']}: {run['state']}: {run['why']}")
        loads = {run["id"] for run in runs if run["flow"] == "load"}
        if loads != set(self.asked.values()) or len(loads) != len(self.asked):
            found.append(f"{len(self.asked)} runs were asked for, {len(loads)} are there")
        done = collections.Counter(tuple(line.split("  ")) for line in self.postgres.sql("SELECT run, task FROM done"))
        wanted = collections.Counter((run, task) for run in loads for task in ["start", *PARTS, "end"])
        found += [f"{key}: done {done[key]} times" for key in wanted | done if done[key] != wanted[key]]
        found += self.differing_ticks([run for run in runs if run["flow"] == "tick"])
        copied = self.postgres.sql("SELECT count(*) FROM (SELECT id, note FROM public.orders EXCEPT ALL "
                                   "SELECT id, note FROM copied.orders) d; SELECT count(*) FROM (SELECT id, note FROM "
                                   "copied.orders EXCEPT ALL SELECT id, note FROM public.orders) d")
        if copied != ["0", "0"]:
            found.append(f"the copy differs: rows that are missing, and rows too many: {copied}")
        return found

    def differing_ticks(self, runs):
        found = []
        rows = collections.Counter(line.split("  ")[0] for line in self.postgres.sql("SELECT run, due FROM ticks"))
        found += [f"tick {run['id']} of {run['due']}: noted {rows[run['id']]} times" for run in runs
                  if rows[run["id"]] != 1]
        dues = sorted(map(int, self.postgres.sql("SELECT due / 1000000 FROM shaduf.run WHERE flow = 'tick'")))
        gaps = [(a, b) for a, b in zip(dues, dues[1:]) if b - a != TICK_SECONDS]
        return found + [f"ticks are not {TICK_SECONDS} s apart: {gap}" for gap in gaps]

    def tell(self):
        sums = self.postgres.sql("SELECT sum(lost), count(*), sum(attempt) FROM shaduf.task")
        lost, tasks, tries = sums[0].split("  ")
        leaders = self.postgres.sql("SELECT token FROM shaduf.leader")[0]
        print(f"kills: {self.kills['serve']} of serve, {self.kills['worker']} of workers, {self.freezes} stopped for a "
              f"while; leaders: {leaders}; runs asked for: {len(self.asked)}; tasks: {tasks}, tries: {tries}, lost: "
              f"{lost}; rows copied: {self.rows_made}")

    def close(self):
        self.is_over.set()
        for process in self.processes:
            if process.is_running():
                process.kill()
        self.postgres.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shaduf")
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not Postgres.is_installed():
        print("skipped: PostgreSQL is not installed; run scripts/setup --extras")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="shaduf-shared-") as folder:
        drill = Drill(str(pathlib.Path(arguments.shaduf).resolve()), pathlib.Path(folder), arguments.seed)
        try:
            drill.run(arguments.minutes * 60)
            found = drill.differences()
            drill.tell()
        except BaseException:
            for process in drill.processes:
                print(process.folder.name, process.log.read_text(encoding="utf-8")[-1500:])
            raise
        finally:
            drill.close()
    print("\n".join(found[:50]) if found else "each task was done once, and none was forgotten")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
