"""Topics of Apache Kafka that are written to while they are read into Parquet on S3 by processes that share them.

A round: a producer writes events into a topic of four partitions; one or two runs of one group read it, are killed at
random moments and joined by others; the object store fails a part of the requests (500, before or behind what it did,
cut connections, answers that do not come). At the end a last run drains the topic, and what the manifests name is
compared with what was produced, record for record.
"""
import collections
import http.client
import http.server
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from kafka import Kafka  # noqa: E402
from s3 import S3Server  # noqa: E402
from schema_registry import SchemaRegistry  # noqa: E402

PARTITIONS = 4
EVENTS = 20_000
CHUNK = 1000
POISON_EVERY = 1000
DRAIN_SECONDS_MAX = 120
STALL_SECONDS = 3
REQUESTS_KEPT = 100_000
SESSION_SECONDS = 6
SETTLE_SECONDS_MAX = 60


class FaultyS3:
    """Hands requests on to an S3 server; `rate` of them go wrong, in one of the ways that they do in life."""

    def __init__(self, url, generator, rate):
        self.target = urllib.parse.urlsplit(url).netloc
        self.generator = generator
        self.rate = rate
        self.faults = collections.Counter()
        self.requests = collections.deque(maxlen=REQUESTS_KEPT)  # (when it came, when it was done, what, how)
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                came, fault = time.monotonic(), owner.choose()
                if fault == "refused":
                    return self.fail()
                if fault == "stalled":
                    time.sleep(STALL_SECONDS)
                status, headers, content = owner.hand_on(self.command, self.path, self.headers, body)
                what = f"{self.command} {urllib.parse.unquote(self.path)} {len(body)} bytes"
                owner.requests.append((came, time.monotonic(), what, f"{status} {fault}"))
                if fault == "done_but_500":
                    return self.fail()
                if fault == "cut":
                    self.close_connection = True
                    return None
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                if self.command == "HEAD":
                    self.send_header("Content-Length", dict(headers).get("Content-Length", "0"))
                else:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                return self.wfile.write(b"" if self.command == "HEAD" else content)

            def fail(self):
                content = b"<Error><Code>InternalError</Code></Error>"
                self.send_response(500)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a killed client is what this is about

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def choose(self):
        if self.generator.random() >= self.rate:
            return ""
        fault = self.generator.choice(["refused", "refused", "done_but_500", "cut", "stalled"])
        self.faults[fault] += 1
        return fault

    def hand_on(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.target, timeout=60)
        try:
            connection.request(method, path, body, dict(headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Consumer:
    """A process of the group, in a project of its own, as on another machine."""

    def __init__(self, binary, folder, pipeline, *arguments):
        self.folder = folder
        (folder / "pipelines").mkdir(parents=True)
        (folder / "shaduf.yml").write_text("name: crash\n", encoding="utf-8")
        (folder / "pipelines/p.yml").write_text(pipeline, encoding="utf-8")
        self.log = open(folder / "log", "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([binary, "run", "p", "--quiet", *arguments],  # pylint: disable=R1732
                                        cwd=folder, stdout=self.log, stderr=self.log)

    def kill(self):
        """Whether it hit one that ran."""
        hit = self.process.poll() is None
        self.process.kill()
        self.process.wait(30)
        return hit

    def said(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]


class KafkaToS3:
    """The scenario; subclasses change what happens meanwhile."""
    nodes = 1
    poison = False
    faults = 0.04
    consumers_max = 2
    strategy = "cooperative-sticky"
    columns = "name, amount"

    @staticmethod
    def missing():
        return "" if Kafka.is_installed() else "kafka is not installed; run scripts/setup --extras"

    def __init__(self, generator):
        self.generator = generator
        self.kafka = Kafka(self.nodes)
        self.s3 = None
        self.proxy = None
        try:
            self.s3 = S3Server()
            self.proxy = FaultyS3(self.s3.url, random.Random(generator.random()), self.faults)
        except BaseException:
            self.close()
            raise
        self.rounds = 0
        self.expected = []
        self.poisoned = 0
        self.rows_named = 0  # by all manifests, when they were read last
        self.topic = ""

    # ---- what is written

    def event(self, number):
        return {"id": number, "day": f"2026-01-0{1 + number % 2}", "name": f"n{self.generator.randrange(1000)}",
                "amount": self.generator.randrange(10**6)}

    def produce(self, stop):
        """Events in chunks; with `poison` every so many a message that is none."""
        for begin in range(0, EVENTS, CHUNK):
            by_partition = collections.defaultdict(list)
            for number in range(begin, begin + CHUNK):
                event = self.event(number)
                target = self.generator.choice(self.topics()), self.generator.randrange(self.partitions())
                by_partition[target].append(self.encode(event))
                self.expected.append(event)
                if self.poison and number % POISON_EVERY == POISON_EVERY // 2:
                    by_partition[target].append("{poisoned " + str(number))
                    self.poisoned += 1
            for (topic, partition), lines in by_partition.items():
                self.kafka.produce(topic, lines, partition)
            self.between(begin)
            if stop.wait(0.05):
                raise RuntimeError("stopped")

    def encode(self, event):
        return json.dumps(event)

    def topics(self):
        return [self.topic]

    def partitions(self):
        return PARTITIONS

    def between(self, begin):
        """Behind each chunk."""

    # ---- who reads it

    def pipeline(self, mode):
        return f"""source: {{type: kafka, brokers: "{self.kafka.brokers}"{self.connection()}, properties: {{
  session.timeout.ms: "{SESSION_SECONDS}000", heartbeat.interval.ms: "500", topic.metadata.refresh.interval.ms: "1000",
  partition.assignment.strategy: {self.strategy}}}}}
sink: {{type: files, path: "s3://lake/t", endpoint: "{self.proxy.url}", access_key: key, secret_key: secret}}
streams:
  events:
    topics: [{self.wanted()}]
    mode: {mode}
    {self.format()}
    metadata: [partition, offset]
    commit_every: 300ms
    retries: 50
    table: {{name: events, partition_by: [day]}}
"""

    def connection(self):
        """Further options of it, a comma before each."""
        return ""

    def wanted(self):
        return self.topic

    def format(self):
        return "format: json"

    def begin_round(self):
        self.kafka.create_topic(self.topic, PARTITIONS)

    def disturb(self, consumer):
        """Whether that was a kill that hit."""
        return consumer.kill()

    def settle(self, running):
        """Before those that still run are killed, when all is produced."""

    def round(self, binary, kills):
        """The number of kills that hit."""
        self.rounds += 1
        self.topic = f"events{self.rounds}"
        self.expected, self.poisoned = [], 0
        self.s3.reset()
        self.begin_round()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-crash-"))
        stop, failures = threading.Event(), []
        producer = threading.Thread(target=self.guard, args=(self.produce, stop, failures), daemon=True)
        producer.start()
        running, hits, started = [], 0, 0
        try:
            while producer.is_alive() or hits < kills:
                while len(running) < self.generator.randint(1, self.consumers_max):
                    started += 1
                    running.append(Consumer(binary, folder / f"c{started}", self.pipeline("stream")))
                time.sleep(self.generator.uniform(0.1, 2.5))
                consumer = self.generator.choice(running)
                hits += self.disturb(consumer)
                running = [each for each in running if each.process.poll() is None]
                if failures:
                    raise failures[0]
            self.settle(running)
        finally:
            stop.set()
            for consumer in running:
                hits += consumer.kill()
            producer.join(60)
        self.drain(binary, folder)
        self.check(folder)
        return hits

    @staticmethod
    def guard(call, stop, failures):
        try:
            call(stop)
        except Exception as error:  # pylint: disable=broad-exception-caught
            failures.append(error)

    def drain(self, binary, folder):
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        for attempt in range(100):
            consumer = Consumer(binary, folder / f"drain{attempt}", self.pipeline("incremental"))
            status = consumer.process.wait(DRAIN_SECONDS_MAX)
            if status == 0:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the topic is not drained:\n{consumer.said()}")
        raise AssertionError("the topic is not drained")

    # ---- what was read

    def named(self):
        """Keys of the files and of the quarantine that the manifests name."""
        state = {"files": set(), "quarantine": set()}
        self.rows_named = 0
        version = 1
        while (text := self.s3.get(f"t/events/_shaduf/manifest/{version:020d}.json")) is not None:
            manifest = json.loads(text)
            self.rows_named += sum(file["rows"] for file in manifest["files"]["add"])
            for kind, keys in state.items():
                keys |= {file["key"] for file in manifest[kind]["add"]}
                keys -= set(manifest[kind]["remove"])
            version += 1
        return state

    def found(self, folder, keys):
        lake = folder / "lake"
        for key in keys:
            path = lake / key
            path.parent.mkdir(parents=True, exist_ok=True)
            content = self.s3.get("t/" + key)
            if content is None:
                told = self.told_of(key)
                raise AssertionError(f"a manifest names {key}, which is not there; kept: {folder}\n{told}")
            path.write_bytes(content)
        project = folder / "query"
        (project / "pipelines").mkdir(parents=True)
        (project / "shaduf.yml").write_text("name: q\n", encoding="utf-8")
        (project / "pipelines/q.yml").write_text(
            "source: {type: files, path: .}\nsink: {type: duckdb, path: w.duckdb}\nstreams: {x: {files: none}}\n",
            encoding="utf-8")
        sql = (f"SELECT id, day::varchar AS day, {self.columns} FROM "
               f"read_parquet('{lake}/**/*.parquet', hive_partitioning = true, union_by_name = true) ORDER BY id")
        done = subprocess.run([self.binary, "query", sql, "--json", "--connection", "q.sink"], cwd=project,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"query failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def told_of(self, key):
        """What was asked of the object store about a file, and about what may name it."""
        return "\n".join(f"{came:.3f} to {done:.3f} {what}: {how}" for came, done, what, how in self.proxy.requests
                         if key in what or "/manifest/" in what)

    def check(self, folder):
        named = self.named()
        found = self.found(folder, named["files"])
        if found != self.expected:
            counts = collections.Counter(row["id"] for row in found)
            twice = [number for number, count in counts.items() if count > 1]
            lost = [row["id"] for row in self.expected if row["id"] not in counts]
            raise AssertionError(f"contents differ: {len(found)} rows, {len(self.expected)} expected, "
                                 f"{len(twice)} twice {twice[:5]}, {len(lost)} lost {lost[:5]}; kept: {folder}")
        rows = [json.loads(line) for key in named["quarantine"] for line in self.s3.get("t/" + key).splitlines()]
        positions = {row["position"] for row in rows}
        wrong = [row["position"] for row in rows if row["position"].split("/")[0] not in self.topics()]
        if len(rows) != self.poisoned or len(positions) != self.poisoned or wrong:
            raise AssertionError(f"quarantine has {len(rows)} rows, {len(positions)} positions, {self.poisoned} "
                                 f"expected; {wrong[:5]}; kept: {folder}")
        subprocess.run(["rm", "-r", str(folder)], check=False)

    def drill(self, binary, kills):
        """Number of kills and of rounds."""
        self.binary = os.path.abspath(binary)  # pylint: disable=attribute-defined-outside-init
        hits = 0
        while hits < kills:
            hits += self.round(self.binary, min(kills - hits, 40))
        print(f"faults of the object store: {dict(self.proxy.faults)}")
        return hits, self.rounds

    def close(self):
        if self.proxy:
            self.proxy.stop()
        if self.s3:
            self.s3.stop()
        self.kafka.stop()


class KafkaPoisoned(KafkaToS3):
    """Every so many a message that nobody can read."""
    poison = True


class KafkaGrows(KafkaToS3):
    """The topic gains partitions on the way, and the producer uses them."""

    def __init__(self, generator):
        super().__init__(generator)
        self.count = PARTITIONS

    def round(self, binary, kills):
        self.count = PARTITIONS
        return super().round(binary, kills)

    def partitions(self):
        return self.count

    def between(self, begin):
        if begin == EVENTS // 2 // CHUNK * CHUNK:
            self.kafka.add_partitions(self.topic, PARTITIONS + 3)
            self.count = PARTITIONS + 3


class KafkaBrokerLost(KafkaToS3):
    """One of three brokers is killed and comes back, more than once."""
    nodes = 3
    faults = 0.01

    def between(self, begin):
        step = begin // CHUNK
        node = self.kafka.nodes[step // 6 % 3]
        if step % 6 == 2:
            self.kafka.kill(node)
        elif step % 6 == 5:
            self.kafka.start(node)
            self.kafka.wait_until_ready()


class KafkaEager(KafkaToS3):
    """Members that give all their partitions up before they get others."""
    strategy = "range"


class KafkaPattern(KafkaToS3):
    """Topics by pattern, one of which is made when the others are being read."""

    def topics(self):
        return self.made

    def wanted(self):
        return f'"^{self.topic}_"'

    def begin_round(self):
        self.made = []  # pylint: disable=attribute-defined-outside-init
        self.make_topic("first")

    def make_topic(self, name):
        self.kafka.create_topic(f"{self.topic}_{name}", PARTITIONS)
        self.made.append(f"{self.topic}_{name}")

    def between(self, begin):
        if begin == EVENTS // 2 // CHUNK * CHUNK:
            self.make_topic("second")


class KafkaStalls(KafkaToS3):
    """Processes that stand still for longer than their session, whose partitions others get meanwhile, and go on."""

    def disturb(self, consumer):
        if self.generator.random() < 0.4:
            return consumer.kill()
        consumer.process.send_signal(signal.SIGSTOP)
        time.sleep(SESSION_SECONDS + self.generator.uniform(0.5, 3))
        consumer.process.send_signal(signal.SIGCONT)
        return False

    def settle(self, running):
        """Those that were stopped read what is left: none of them begins anew for ever."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while running and self.named() and self.rows_named < len(self.expected):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.rows_named} rows of {len(self.expected)} after {SETTLE_SECONDS_MAX} s:\n" +
                                     "\n".join(consumer.said() for consumer in running))
            time.sleep(0.5)


def varint(number):
    bits = number << 1 ^ number >> 63
    out = b""
    while bits > 0x7F:
        out, bits = out + bytes([bits & 0x7F | 0x80]), bits >> 7
    return out + bytes([bits])


def avro_text(text):
    return varint(len(text.encode())) + text.encode()


class KafkaEvolves(KafkaToS3):
    """Avro of a schema that gains fields and wider ones on the way, as writers change one behind the other. In half of
    the rounds the columns are those of the writers, and rows of older ones have nulls; in the others they are those of
    the newest schema, whose defaults those rows get."""
    columns = "name, amount, channel, note"

    def __init__(self, generator):
        super().__init__(generator)
        self.registry = SchemaRegistry()
        self.ids = []
        self.version = 0
        self.reads_by_newest = False

    @staticmethod
    def schema(version):
        number = "int" if version == 1 else "long"
        fields = [{"name": "id", "type": "int"}, {"name": "day", "type": "string"}, {"name": "name", "type": "string"},
                  {"name": "amount", "type": number}]
        if version > 1:
            fields.append({"name": "channel", "type": "string", "default": "web"})
        if version > 2:
            fields.append({"name": "note", "type": ["null", "string"], "default": None})
        return json.dumps({"type": "record", "name": "Event", "fields": fields})

    def begin_round(self):
        super().begin_round()
        self.reads_by_newest = self.generator.random() < 0.5
        self.ids, self.version = [], 0
        self.next_version()

    def next_version(self):
        self.version += 1
        self.ids.append(self.registry.register(f"{self.topic}-value", {"schema": self.schema(self.version)}))

    def between(self, begin):
        if begin // CHUNK in (EVENTS // 3 // CHUNK, EVENTS * 2 // 3 // CHUNK):
            self.next_version()

    def event(self, number):
        version = self.version if self.generator.random() < 0.8 else self.generator.randint(1, self.version)
        event = {**super().event(number), "channel": "web" if self.reads_by_newest else None, "note": None}
        if version > 1:
            event.update(channel=self.generator.choice(["app", "shop"]), amount=event["amount"] << 20)
        if version > 2:
            event["note"] = self.generator.choice([None, f"note {number}"])
        return {**event, "version": version}

    def encode(self, event):
        version = event.pop("version")
        body = varint(event["id"]) + avro_text(event["day"]) + avro_text(event["name"]) + varint(event["amount"])
        if version > 1:
            body += avro_text(event["channel"])
        if version > 2:
            body += varint(0) if event["note"] is None else varint(1) + avro_text(event["note"])
        return b"\0" + struct.pack(">i", self.ids[version - 1]) + body

    def connection(self):
        return f', registry_url: "{self.registry.url}"'

    def format(self):
        if not self.reads_by_newest:
            return "format: avro"
        path = self.kafka.folder / "newest.avsc"
        path.write_text(self.schema(3), encoding="utf-8")
        return f'format: avro\n    reader_schema: "{path}"'

    def close(self):
        self.registry.stop()
        super().close()


SCENARIOS = {"kafka_to_s3": KafkaToS3, "kafka_poisoned": KafkaPoisoned, "kafka_grows": KafkaGrows,
             "kafka_broker_lost": KafkaBrokerLost, "kafka_eager": KafkaEager, "kafka_pattern": KafkaPattern,
             "kafka_stalls": KafkaStalls, "kafka_evolves": KafkaEvolves}
