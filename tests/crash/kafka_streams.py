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
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from kafka import Kafka  # noqa: E402
from s3 import S3Server  # noqa: E402

PARTITIONS = 4
EVENTS = 20_000
CHUNK = 1000
POISON_EVERY = 1000
DRAIN_SECONDS_MAX = 120
STALL_SECONDS = 3


class FaultyS3:
    """Hands requests on to an S3 server; `rate` of them go wrong, in one of the ways that they do in life."""

    def __init__(self, url, generator, rate):
        self.target = urllib.parse.urlsplit(url).netloc
        self.generator = generator
        self.rate = rate
        self.faults = collections.Counter()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = owner.choose()
                if fault == "refused":
                    return self.fail()
                if fault == "stalled":
                    time.sleep(STALL_SECONDS)
                status, headers, content = owner.hand_on(self.command, self.path, self.headers, body)
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
                self.expected.append(event)
                partition = self.generator.randrange(self.partitions())
                by_partition[partition].append(json.dumps(event))
                if self.poison and number % POISON_EVERY == POISON_EVERY // 2:
                    by_partition[partition].append("{poisoned " + str(number))
                    self.poisoned += 1
            for partition, lines in by_partition.items():
                self.kafka.produce(self.topic, lines, partition)
            self.between(begin)
            if stop.wait(0.05):
                raise RuntimeError("stopped")

    def partitions(self):
        return PARTITIONS

    def between(self, begin):
        """Behind each chunk."""

    # ---- who reads it

    def pipeline(self, mode):
        return f"""source: {{type: kafka, brokers: "{self.kafka.brokers}", properties: {{session.timeout.ms: "6000",
  heartbeat.interval.ms: "500", topic.metadata.refresh.interval.ms: "1000"}}}}
sink: {{type: files, path: "s3://lake/t", endpoint: "{self.proxy.url}", access_key: key, secret_key: secret}}
streams:
  events:
    topics: [{self.topic}]
    mode: {mode}
    format: json
    metadata: [partition, offset]
    commit_every: 300ms
    retries: 50
    table: {{name: events, partition_by: [day]}}
"""

    def round(self, binary, kills):
        """The number of kills that hit."""
        self.rounds += 1
        self.topic = f"events{self.rounds}"
        self.expected, self.poisoned = [], 0
        self.s3.reset()
        self.kafka.create_topic(self.topic, PARTITIONS)
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
                hits += running.pop(self.generator.randrange(len(running))).kill()
                if failures:
                    raise failures[0]
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
        version = 1
        while (text := self.s3.get(f"t/events/_shaduf/manifest/{version:020d}.json")) is not None:
            manifest = json.loads(text)
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
            path.write_bytes(self.s3.get("t/" + key))
        project = folder / "query"
        (project / "pipelines").mkdir(parents=True)
        (project / "shaduf.yml").write_text("name: q\n", encoding="utf-8")
        (project / "pipelines/q.yml").write_text(
            "source: {type: files, path: .}\nsink: {type: duckdb, path: w.duckdb}\nstreams: {x: {files: none}}\n",
            encoding="utf-8")
        sql = ("SELECT id, day::varchar AS day, name, amount FROM "
               f"read_parquet('{lake}/**/*.parquet', hive_partitioning = true) ORDER BY id")
        done = subprocess.run([self.binary, "query", sql, "--json", "--connection", "q.sink"], cwd=project,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"query failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

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
        wrong = [row["position"] for row in rows if not row["position"].startswith(self.topic + "/")]
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


SCENARIOS = {"kafka_to_s3": KafkaToS3, "kafka_poisoned": KafkaPoisoned, "kafka_grows": KafkaGrows,
             "kafka_broker_lost": KafkaBrokerLost}
