#!/usr/bin/env python3
"""Brokers of Apache Kafka, on free ports of the loopback, in a folder that goes with them.

kafka.py [--nodes N] PROGRAM ARGUMENT...: runs a program with SHADUF_TEST_KAFKA set to the brokers' addresses; status 77
when there are none to start. Each node is broker and controller (KRaft), and one more process of java.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from kafka_admin import KafkaAdmin  # noqa: E402
from kafka_security import Security  # noqa: E402
from postgres import free_port  # noqa: E402

SKIPPED = 77
START_SECONDS_MAX = 90
ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / ".deps/kafka/libs"
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
KEY_END, MESSAGE_END = b"\x01\xfe\xfd", b"\x02\xfe\xfd"  # of what kcat is given; no text has them
LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class Message(NamedTuple):
    partition: int
    offset: int
    timestamp: int   # milliseconds since 1970
    key: bytes       # None: null
    value: bytes     # None: null
    headers: str     # name=value, parted by commas


class Node:
    def __init__(self, folder, number):
        self.number = number
        self.folder = folder / f"node{number}"
        self.folder.mkdir()
        self.port, self.controller_port = free_port(), free_port()
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def log(self):
        path = self.folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


class Kafka:
    """Runs from its making to `stop`. Topics exist when they are created, never by being named."""

    @staticmethod
    def is_installed():
        return JARS.exists() and shutil.which("java") is not None and shutil.which("kcat") is not None

    def __init__(self, nodes=1, settings=None, secure=False):
        """With `secure`, which is for one node, there are listeners besides that want to know who comes."""
        self.settings = settings or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-kafka-"))
        self.security = Security(self.folder / "security", free_port) if secure else None
        self.client = None
        self.nodes = [Node(self.folder, number) for number in range(1, nodes + 1)]
        (self.folder / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
        try:
            self.format()
            for node in self.nodes:
                self.start(node)
            self.wait_until_ready()
        except (RuntimeError, OSError, subprocess.SubprocessError):
            self.stop()
            raise

    @property
    def brokers(self):
        return ",".join(node.address for node in self.nodes)

    def admin(self):
        return KafkaAdmin([("127.0.0.1", node.port) for node in self.nodes if node.process])

    def config_of(self, node):
        copies = min(len(self.nodes), 3)
        voters = ",".join(f"{each.number}@127.0.0.1:{each.controller_port}" for each in self.nodes)
        more = self.security.listeners() if self.security else ""
        protocols = self.security.protocols() if self.security else ""
        secured = self.security.settings() if self.security else {}
        return {"process.roles": "broker,controller", "node.id": node.number, "controller.quorum.voters": voters,
                "listeners": f"PLAINTEXT://{node.address},CONTROLLER://127.0.0.1:{node.controller_port}{more}",
                "advertised.listeners": f"PLAINTEXT://{node.address}{more}",
                "controller.listener.names": "CONTROLLER",
                "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}",
                "log.dirs": node.folder / "data", "auto.create.topics.enable": "false",
                "default.replication.factor": copies, "offsets.topic.replication.factor": copies,
                "transaction.state.log.replication.factor": copies, "transaction.state.log.min.isr": min(copies, 2),
                "min.insync.replicas": min(copies, 2), "offsets.topic.num.partitions": 2,
                "transaction.state.log.num.partitions": 2,
                "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
                "group.initial.rebalance.delay.ms": 0, "group.min.session.timeout.ms": 1000,
                "num.network.threads": 2, "num.io.threads": 2,
                "log.cleaner.dedupe.buffer.size": 4 << 20, "log.cleaner.backoff.ms": 200,
                "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500,
                "controlled.shutdown.enable": "true", **secured, **self.settings}

    def format(self):
        """Gives the folders of all nodes the identity of one cluster."""
        running = []
        for node in self.nodes:
            text = "".join(f"{key}={value}\n" for key, value in self.config_of(node).items())
            (node.folder / "server.properties").write_text(text, encoding="utf-8")
            command = self.java("kafka.tools.StorageTool", "format", "-t", "c2hhZHVmLWthZmthLXRlcw", "-c",
                                node.folder / "server.properties",
                                *(self.security.format_options() if self.security else []), heap="64m")
            with open(node.folder / "log", "a", encoding="utf-8") as log:
                running.append(subprocess.Popen(command, stdout=log, stderr=log))  # pylint: disable=R1732
        for node, process in zip(self.nodes, running):
            if process.wait(START_SECONDS_MAX) != 0:
                raise RuntimeError("Kafka's folder cannot be formatted:\n" + node.log())

    def java(self, main, *arguments, heap):
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        secured = self.security.java_options() if self.security else []
        return [*JAVA, f"-Xmx{heap}", logging, *secured, "-cp", f"{JARS}/*", main, *arguments]

    def start(self, node):
        command = self.java("kafka.Kafka", node.folder / "server.properties", heap="384m")
        with open(node.folder / "log", "a", encoding="utf-8") as log:
            node.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=node.folder)

    def wait_until_ready(self):
        """Until all nodes that run know each other."""
        deadline = time.monotonic() + START_SECONDS_MAX
        running = [node for node in self.nodes if node.process]
        while not self.is_ready(len(running)):
            for node in running:
                if node.process.poll() is not None:
                    raise RuntimeError("Kafka did not start:\n" + node.log()[-4000:])
            if time.monotonic() > deadline:
                raise RuntimeError("Kafka does not answer:\n" + running[0].log()[-4000:])
            time.sleep(0.1)

    def is_ready(self, count):
        try:
            return len(self.admin().metadata()["brokers"]) == count
        except OSError:
            return False

    def create_topic(self, name, partitions=1, replication=-1, config=None):
        self.admin().create_topic(name, partitions, replication, config or {})
        self.wait_for_leaders(name, partitions)

    def add_partitions(self, name, partitions):
        """`partitions` is how many there are then."""
        self.admin().add_partitions(name, partitions)
        self.wait_for_leaders(name, partitions)

    def wait_for_leaders(self, name, partitions):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            leaders = self.admin().metadata()["topics"].get(name, {})
            if len(leaders) == partitions and all(leader >= 0 for leader in leaders.values()):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"topic {name} has no leaders: {leaders}")
            time.sleep(0.02)

    def produce(self, topic, messages, partition=None, headers=()):
        """`messages` are texts or bytes, or pairs of key and value (None is a null)."""
        keyed = any(isinstance(message, tuple) for message in messages)
        lines = []
        for message in messages:
            parts = message if isinstance(message, tuple) else (message,)
            lines.append(KEY_END.join(self.as_bytes(part) for part in parts))
        options = ["-K", "\\x01\\xfe\\xfd"] if keyed else []
        options += ["-p", str(partition)] if partition is not None else []
        options += [part for header in headers for part in ("-H", header)]
        if any(message is None or (isinstance(message, tuple) and None in message) for message in messages):
            options.append("-Z")
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(b"".join(line + MESSAGE_END for line in lines))
            file.flush()
            with open(file.name, "rb") as given:
                done = subprocess.run(["kcat", "-P", "-q", "-b", self.brokers, "-t", topic, "-D",
                                       "\\x02\\xfe\\xfd", *options],
                                      stdin=given, capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"kcat: {done.stderr.decode(errors='replace')}")

    @staticmethod
    def as_bytes(part):
        if part is None:
            return b""
        return part if isinstance(part, bytes) else part.encode()

    def consume(self, topic, isolation="read_committed"):
        """All messages that stand there, by partition and offset."""
        form = "%p %o %T %K %S\n%k%s%h\x02"
        done = subprocess.run(["kcat", "-C", "-q", "-e", "-f", form, "-o", "beginning", "-b", self.brokers, "-t", topic,
                               "-X", f"isolation.level={isolation}"],
                              capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"kcat: {done.stderr.decode(errors='replace')}")
        found, at = [], 0
        while at < len(done.stdout):
            end = done.stdout.index(b"\n", at)
            partition, offset, timestamp, key_size, size = map(int, done.stdout[at:end].split())
            start, at = end + 1, end + 1 + max(key_size, 0)
            key = done.stdout[start:at] if key_size >= 0 else None
            start, at = at, at + max(size, 0)
            value = done.stdout[start:at] if size >= 0 else None
            end = done.stdout.index(b"\x02", at)
            headers = done.stdout[at:end].decode(errors="backslashreplace")
            found.append(Message(partition, offset, timestamp, key, value, headers))
            at = end + 1
        return sorted(found, key=lambda message: (message.partition, message.offset))

    def ask_client(self, *words):
        """Has KafkaClient.java do it: transactions, compression by Kafka's own codecs, deleting."""
        if self.client is None:
            program = pathlib.Path(__file__).parent / "KafkaClient.java"
            with open(self.folder / "client.log", "w", encoding="utf-8") as log:
                self.client = subprocess.Popen(  # pylint: disable=R1732
                    self.java(str(program), self.brokers, heap="128m"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=log, text=True)
        self.client.stdin.write("\t".join(map(str, words)) + "\n")
        self.client.stdin.flush()
        answer = self.client.stdout.readline().strip()
        if answer != "ok":
            log = (self.folder / "client.log").read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"KafkaClient {words[0]}: {answer}\n{log}")

    def wait_for_messages(self, topic, count):
        """Until `topic` has that many: behind what its broker does in its own time."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while (found := len(self.consume(topic))) != count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"topic {topic} has {found} messages, not {count}")
            time.sleep(0.2)

    def delete_topic(self, name):
        self.ask_client("delete", name)
        while name in self.admin().metadata()["topics"]:
            time.sleep(0.05)

    def kill(self, node):
        """SIGKILL, as a machine that loses its power; `start` follows."""
        node.process.kill()
        node.process.wait(30)
        node.process = None

    def stop(self):
        if self.client:
            self.client.kill()
            self.client.communicate(timeout=30)
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.process.send_signal(signal.SIGKILL)  # nothing of it is wanted any more
        for node in self.nodes:
            if node.process:
                node.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def main(command):
    nodes = 1
    if command[:1] == ["--nodes"]:
        nodes, command = int(command[1]), command[2:]
    if not Kafka.is_installed():
        print("skipped: kafka is not installed; run scripts/setup --extras")
        return SKIPPED
    cluster = Kafka(nodes)
    try:
        return subprocess.run(command, env=dict(os.environ, SHADUF_TEST_KAFKA=cluster.brokers), timeout=280,
                              check=False).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
