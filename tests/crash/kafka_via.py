"""A pipeline by way of a topic, both of whose halves are killed at random.

A round: files appear in a folder; one process reads them into a topic, one or two of a group read it into Parquet, each
is killed and begun again at random moments. At the end a last run drains both halves, and what the manifests of the
table name is compared with the files, row for row.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from kafka import Kafka  # noqa: E402
from kafka_streams import Consumer  # noqa: E402

ROWS = 16_000
FILES = 8
BROKEN_A_FILE = 3
DRAIN_SECONDS_MAX = 120
KILLS_A_ROUND = 20


class KafkaVia:
    @staticmethod
    def missing():
        return "" if Kafka.is_installed() else "kafka is not installed; run scripts/setup --extras"

    def __init__(self, generator):
        self.generator = generator
        self.kafka = Kafka()
        self.binary = ""
        self.rounds = 0
        self.expected = []

    def pipeline(self, folder, mode):
        return f"""source: {{type: files, path: {folder}/data}}
via:
  connection: {{type: kafka, brokers: "{self.kafka.brokers}", properties: {{session.timeout.ms: "6000",
    heartbeat.interval.ms: "500"}}}}
  mode: {mode}
  partitions: 4
sink: {{type: files, path: {folder}/lake}}
streams:
  events{self.rounds}:
    files: "*.ndjson"
    mode: incremental
    commit_every: 50ms
    retries: 50
    table: {{name: events, partition_by: [day]}}
"""

    def add_files(self, folder, stop):
        (folder / "data").mkdir()
        count = ROWS // FILES
        for number in range(FILES):
            lines = []
            for row in range(number * count, (number + 1) * count):
                event = {"id": row, "day": f"2026-01-0{1 + row % 3}", "name": f"n{self.generator.randrange(1000)}",
                         "amount": self.generator.randrange(10**6)}
                self.expected.append(event)
                lines.append(json.dumps(event))
            lines[10:10] = ["{broken"] * BROKEN_A_FILE
            beside = folder / f"part{number}"
            beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
            beside.rename(folder / f"data/e{number}.ndjson")
            if stop.wait(self.generator.uniform(0.1, 1.0)):
                return

    def round(self, kills):
        """The number of kills that hit, and how many of them a producer."""
        self.rounds += 1
        self.expected = []
        folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-crash-"))
        stop = threading.Event()
        files = threading.Thread(target=self.add_files, args=(folder, stop), daemon=True)
        files.start()
        pipeline = self.pipeline(folder, "stream")
        producer, consumers, started, hits = None, [], 0, collections.Counter()
        try:
            while files.is_alive() or hits.total() < kills:
                while len(consumers) < self.generator.randint(1, 2):
                    started += 1
                    consumers.append(self.start(folder, started, pipeline, "consumer"))
                # A producer ends by itself when it has what there is.
                if producer is None or producer.process.poll() is not None:
                    started += 1
                    producer = self.start(folder, started, pipeline, "producer")
                if self.generator.random() < 0.6:
                    time.sleep(self.generator.uniform(0.05, 0.5))
                    hits["producer"] += producer.kill()
                else:
                    time.sleep(self.generator.uniform(0.1, 1.5))
                    hits["consumer"] += consumers.pop(self.generator.randrange(len(consumers))).kill()
        finally:
            for process in [producer, *consumers]:
                if process:
                    process.kill()
            if sys.exc_info()[0]:
                stop.set()
            files.join(60)
        self.drain(folder)
        self.check(folder)
        return hits

    def start(self, folder, number, pipeline, half):
        return Consumer(self.binary, folder / f"p{number}", pipeline, "--half", half)

    def drain(self, folder):
        """Both halves to their ends, by one call."""
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        for attempt in range(100):
            process = Consumer(self.binary, folder / f"drain{attempt}", self.pipeline(folder, "incremental"))
            if process.process.wait(DRAIN_SECONDS_MAX) == 0:
                return
            if time.monotonic() > deadline:
                break
        raise AssertionError(f"the pipeline is not drained:\n{process.said()}")

    def named(self, folder):
        keys, version = set(), 1
        while (path := folder / f"lake/events/_shaduf/manifest/{version:020d}.json").exists():
            manifest = json.loads(path.read_text(encoding="utf-8"))
            keys |= {file["key"] for file in manifest["files"]["add"]}
            keys -= set(manifest["files"]["remove"])
            version += 1
        return keys

    def found(self, folder):
        files = ", ".join(f"'{folder}/lake/{key}'" for key in sorted(self.named(folder)))
        sql = ("SELECT id, day::varchar AS day, name, amount FROM "
               f"read_parquet([{files}], hive_partitioning = true) ORDER BY id")
        project = folder / "query"
        (project / "pipelines").mkdir(parents=True)
        (project / "shaduf.yml").write_text("name: q\nconnections: {q: {type: duckdb, path: w.duckdb}}\n",
                                            encoding="utf-8")
        done = subprocess.run([self.binary, "query", sql, "--json", "--connection", "q"], cwd=project,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"query failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def check(self, folder):
        found = self.found(folder)
        if found != self.expected:
            counts = collections.Counter(row["id"] for row in found)
            twice = [number for number, count in counts.items() if count > 1]
            lost = [row["id"] for row in self.expected if row["id"] not in counts]
            raise AssertionError(f"contents differ: {len(found)} rows, {len(self.expected)} expected, {len(twice)} "
                                 f"twice {twice[:5]}, {len(lost)} lost {lost[:5]}; kept: {folder}")
        stream = f"events{self.rounds}"
        rejected = [json.loads(message.value) for message in self.kafka.consume("_shaduf_quarantine") if message.value]
        rejected = [row for row in rejected if row["stream"] == stream]
        if len(rejected) != FILES * BROKEN_A_FILE:
            raise AssertionError(f"quarantine has {len(rejected)} rows, {FILES * BROKEN_A_FILE} expected; "
                                 f"kept: {folder}")
        subprocess.run(["rm", "-r", str(folder)], check=False)

    def drill(self, binary, kills):
        """Number of kills and of rounds."""
        self.binary = os.path.abspath(binary)
        hits = collections.Counter()
        while hits.total() < kills:
            hits += self.round(min(kills - hits.total(), KILLS_A_ROUND))
        print(f"kills by half: {dict(hits)}")
        return hits.total(), self.rounds

    def close(self):
        self.kafka.stop()


SCENARIOS = {"kafka_via": KafkaVia}
