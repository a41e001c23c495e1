"""Sinks on Kafka Connect that the benchmark of streams races: one worker, its JVM idle when the time begins.

Apache Iceberg's comes from Maven Central with Connect itself, held against bench/parts/kafka_connect/SHA256SUMS.
Aiven's S3 sink is in no registry: AIVEN_S3_SINK names the folder that has the folder of its release in it, as Connect's
plugin.path would. What is missing is left out, said aloud.
"""
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from race import ENVIRONMENTS, ROOT, Measured, fail, python_with, say

from postgres import free_port

PARTS = ROOT / "bench" / "parts" / "kafka_connect"
FOLDER = ENVIRONMENTS / "kafka_connect"
JAVA = ["java", "-Xmx2g", "-XX:+UseParallelGC"]
INSTALL_SECONDS_MAX, START_SECONDS_MAX, RUN_SECONDS_MAX = 600, 120, 900
LOOK_SECONDS = 0.05
TASKS = 4
FLUSH_MS, COMMIT_MS = 1000, 10_000  # Aiven's, Iceberg's; the best of 1, 3 and 10 s
LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n%throwable{20}
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
"""
# The larger fetches are, the less a message costs these sinks; more than this changed nothing.
CONSUMER = {"max.poll.records": 20_000, "fetch.min.bytes": 1 << 20, "fetch.max.wait.ms": 100,
            "max.partition.fetch.bytes": 4 << 20, "receive.buffer.bytes": 1 << 20, "auto.offset.reset": "earliest"}
JSON = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"}

BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"


def jars():
    """The folder of Connect's jars, fetched when it is not there; None, said aloud, when they cannot be had."""
    sums = PARTS / "SHA256SUMS"
    stamp = FOLDER / "stamp"
    if stamp.exists() and stamp.read_bytes() == sums.read_bytes():
        return FOLDER / "libs"
    say("fetching Kafka Connect and Apache Iceberg's sink")
    if shutil.which("mvn") is None:
        say("left out: sinks on Kafka Connect (no mvn)")
        return None
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as work:
        libs = Path(work) / "libs"
        command = ["mvn", "-B", "-q", "-f", PARTS / "pom.xml",
                   "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies", "-DincludeScope=runtime",
                   f"-DoutputDirectory={libs}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=INSTALL_SECONDS_MAX,
                              check=False)
        if done.returncode != 0:
            say("left out: sinks on Kafka Connect (Maven Central does not answer)")
            return None
        found = "".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n"
                        for jar in sorted(libs.glob("*.jar")))
        if found != sums.read_text():
            fail("the jars of Kafka Connect are not what was pinned")
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        shutil.move(libs, FOLDER / "libs")
        shutil.copy(sums, stamp)
    return FOLDER / "libs"


class Worker:
    """A worker from its making to `stop`, with its REST calls."""

    def __init__(self, folder, brokers, settings, plugins=None):
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        values = {"bootstrap.servers": brokers, "listeners": self.url, **JSON, **settings,
                  "offset.storage.file.filename": folder / "offsets", **({"plugin.path": plugins} if plugins else {})}
        (folder / "worker.properties").write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        (folder / "log4j2.properties").write_text(LOGGING)
        command = [*JAVA, f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-cp", f"{jars()}/*",
                   "org.apache.kafka.connect.cli.ConnectStandalone", folder / "worker.properties"]
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                fail("Kafka Connect did not start:\n" + self.log())
            time.sleep(0.1)

    def ask(self, path, body=None):
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def answers(self):
        with contextlib.suppress(OSError):
            return bool(self.ask("/connector-plugins"))
        return False

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def failure(self, connector):
        """What a task failed with, or ''."""
        tasks = self.ask(f"/connectors/{connector}/status")["tasks"]
        return next((task["trace"] for task in tasks if task["state"] == "FAILED"), "")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000

    def measure(self, connector, config, is_done):
        """From the connector's creation to `is_done`; None, said aloud, when it does not get there in time."""
        cpu, started = self.cpu_seconds(), time.perf_counter()
        looked = started
        try:
            self.ask("/connectors", {"name": connector, "config": {key: str(value) for key, value in config.items()}})
            while not is_done():
                now = time.perf_counter()
                if now - looked > 5:  # a look costs the worker something
                    looked, failure = now, self.failure(connector)
                    if failure:
                        fail(f"a sink on Kafka Connect failed:\n{failure}\n{self.log()}")
                    if now - started > RUN_SECONDS_MAX:
                        say(f"left out: a sink on Kafka Connect that did not end within {RUN_SECONDS_MAX} s")
                        return None
                time.sleep(LOOK_SECONDS)
        except urllib.error.HTTPError as error:
            fail("Kafka Connect refused: " + error.read().decode(errors="replace"))
        return Measured(time.perf_counter() - started, self.cpu_seconds() - cpu, self.peak_mb())

    def stop(self):
        self.process.kill()
        self.process.wait(30)


def name_of_run():
    """Of a connector, and so of a group of consumers that has not read yet."""
    return f"bench-{uuid.uuid4().hex}"


def run(world, folder, connector, config, is_done, worker, plugins=None):
    config = {"tasks.max": TASKS, "topics": "events", **config,
              **{f"consumer.override.{key}": value for key, value in CONSUMER.items()}}
    connect = Worker(folder, world.kafka.brokers, worker, plugins)
    try:
        return connect.measure(connector, config, is_done)
    finally:
        connect.stop()


def aiven(world, folder, name, form="jsonl"):
    """By date and zstd, into JSON lines: without a schema, which these messages do not have, it writes no Parquet.
    jsonl: a message is parsed, and written anew; csv: its bytes are a line as they are, whatever they are."""
    plugins = os.environ.get("AIVEN_S3_SINK")
    if not plugins or not jars():
        say("left out: Aiven's S3 sink; AIVEN_S3_SINK has to name the folder that its release was unpacked into")
        return None
    connector, admin = name_of_run(), world.kafka.admin()
    date = "-".join(f"{{{{timestamp:unit={unit}}}}}" for unit in ("yyyy", "MM", "dd"))
    config = {"connector.class": "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector",
              "aws.access.key.id": world.s3.KEY, "aws.secret.access.key": world.s3.SECRET, "aws.s3.bucket.name": "lake",
              "aws.s3.endpoint": world.s3.url, "aws.s3.region": "us-east-1", "format.output.type": form,
              "format.output.fields": "value", "file.compression.type": "zstd",
              **({"format.output.envelope": "false"} if form == "jsonl" else
                 {"format.output.fields.value.encoding": "none", "value.converter": BYTES}),
              "file.name.timestamp.source": "EVENT", "file.name.template":
              f"{name}/event_date={date}/{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}.jsonl.zst"}

    def is_done():
        return sum(admin.committed(f"connect-{connector}", "events", TASKS).values()) == world.count

    return run(world, folder, connector, config, is_done, {"offset.flush.interval.ms": FLUSH_MS}, plugins)


# Readers must not lock it: a commit that finds it locked fails, and is tried again with the next one only.
CATALOG = """PRAGMA journal_mode = WAL;
CREATE TABLE iceberg_tables (catalog_name TEXT, table_namespace TEXT, table_name TEXT,
    metadata_location TEXT, previous_metadata_location TEXT, iceberg_type TEXT,
    PRIMARY KEY (catalog_name, table_namespace, table_name));
CREATE TABLE iceberg_namespace_properties (catalog_name TEXT, namespace TEXT, property_key TEXT, property_value TEXT,
    PRIMARY KEY (catalog_name, namespace, property_key))"""


def field(number, name, kind):
    return {"id": number, "name": name, "required": False, "type": kind}


def empty_table(name):
    """Metadata of a table, by the specification of Iceberg's tables, version 2: zstd, one partition a day."""
    user = {"type": "struct", "fields": [field(5, "platform", "string"), field(6, "id", "string")]}
    product = {"type": "struct", "fields": [field(7, "name", "string"), field(8, "SKU", "string")]}
    fields = [field(1, "timestamp", "timestamptz"), field(2, "event_name", "string"),
              field(3, "user_identifiers", user), field(4, "product_information", product)]
    day = {"name": "event_date", "transform": "day", "source-id": 1, "field-id": 1000}
    return {"format-version": 2, "table-uuid": str(uuid.uuid4()), "location": f"s3://lake/{name}",
            "last-sequence-number": 0, "last-updated-ms": 1, "last-column-id": 8, "current-schema-id": 0,
            "schemas": [{"type": "struct", "schema-id": 0, "fields": fields}], "default-spec-id": 0,
            "partition-specs": [{"spec-id": 0, "fields": [day]}], "last-partition-id": 1000,
            "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}],
            "properties": {"write.parquet.compression-codec": "zstd", "write.parquet.compression-level": "1"},
            "current-snapshot-id": -1, "snapshots": []}


def newest_snapshot(table):
    """Of the table in a folder; None when it has none, or cannot be read now."""
    with contextlib.suppress(OSError, ValueError):
        newest = json.loads(max((table / "metadata").glob("*.metadata.json")).read_text())
        for snapshot in newest["snapshots"]:
            if snapshot["snapshot-id"] == newest["current-snapshot-id"]:
                return snapshot
    return None


def rows_of_table(table):
    snapshot = newest_snapshot(table)
    return int(snapshot["summary"]["total-records"]) if snapshot else 0


LIST_FILES = """import sys, fastavro
from pathlib import Path
table = Path(sys.argv[1])
def records(uri):
    with open(table.parent / uri.removeprefix("s3://lake/"), "rb") as file:
        yield from fastavro.reader(file)
for manifest in records(sys.argv[2]):
    for entry in records(manifest["manifest_path"]):
        if entry["status"] != 2:  # deleted
            print(table.parent / entry["data_file"]["file_path"].removeprefix("s3://lake/"))
"""


def files_of_table(table):
    """Those that belong to it: a task that was started anew leaves others beside them. None when it cannot be told."""
    python = python_with("iceberg", ["fastavro==1.12.1"], "fastavro")
    if not python:
        return None
    command = [python, "-c", LIST_FILES, table, newest_snapshot(table)["manifest-list"]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def iceberg(world, folder, name):
    """Into Parquet, zstd, by date, exactly once; its catalog is a file of SQLite."""
    if not jars():
        return None
    table = world.objects(name)
    (table / "metadata").mkdir(parents=True)
    (table / "metadata" / "00000-made.metadata.json").write_text(json.dumps(empty_table(name)))
    with contextlib.closing(sqlite3.connect(folder / "catalog.db")) as catalog, catalog:
        catalog.executescript(CATALOG)
        catalog.execute("INSERT INTO iceberg_tables VALUES ('bench', 'bench', 'events', ?, NULL, 'TABLE')",
                        [f"s3://lake/{name}/metadata/00000-made.metadata.json"])
    control = f"control-{uuid.uuid4().hex}"
    world.kafka.create_topic(control, 1)
    catalog = {"type": "jdbc", "uri": f"jdbc:sqlite:{folder / 'catalog.db'}", "jdbc.schema-version": "V1",
               "warehouse": "s3://lake/", "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
               "s3.endpoint": world.s3.url, "s3.path-style-access": "true", "s3.access-key-id": world.s3.KEY,
               "s3.secret-access-key": world.s3.SECRET, "client.region": "us-east-1"}
    config = {"connector.class": "org.apache.iceberg.connect.IcebergSinkConnector", "iceberg.tables": "bench.events",
              "iceberg.control.topic": control, "iceberg.control.commit.interval-ms": COMMIT_MS,
              # Else a task that begins late misses a commit's start, and all wait for it for half a minute.
              "iceberg.kafka.auto.offset.reset": "earliest", "iceberg.catalog": "bench",
              **{f"iceberg.catalog.{key}": value for key, value in catalog.items()}}
    return run(world, folder, name_of_run(), config, lambda: rows_of_table(table) == world.count,
               {"offset.flush.interval.ms": 1000})
