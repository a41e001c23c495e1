#!/usr/bin/env python3
"""Runs one .test file against the real binary: run_test.py SHADUF FILE.test [--postgres18]

With --postgres18 what `require postgres` starts is PostgreSQL 18, else the system's.

Status 0: all as expected; 1: not, with a diff; 77: a part that the test needs is not there, with the reason.
The directives are described in tests/harness/README.md.
"""
import difflib
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from blocks import TestFileError, parse_blocks  # noqa: E402
from kafka import Kafka  # noqa: E402
from schema_registry import SchemaRegistry  # noqa: E402
from postgres import Postgres  # noqa: E402
from s3 import S3Proxy  # noqa: E402
from web import Answer, ScriptedServer  # noqa: E402

SKIPPED = 77
RUN_SECONDS_MAX = 120
ROOT = pathlib.Path(__file__).resolve().parents[2]


def knows_scram():
    """Whether shaduf is built with a librdkafka whose SCRAM brokers of Kafka 4 accept."""
    if (ROOT / ".deps/librdkafka/lib/librdkafka.a").exists():
        return True
    return subprocess.run(["pkg-config", "--atleast-version=2.6.1", "rdkafka"], check=False).returncode == 0


class Skipped(Exception):
    """A part that the test needs is not there."""


class TestRun:
    def __init__(self, binary, source, postgres_version):
        self.binary = os.path.abspath(binary)
        self.source = source
        self.postgres_version = postgres_version
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-test-")).resolve()
        self.project = self.folder / "project"
        (self.project / "pipelines").mkdir(parents=True)
        self.web = None
        self.s3 = None
        self.postgres = None
        self.kafka = None
        self.registry = None
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("SHADUF_")}
        path = os.path.dirname(self.binary) + os.pathsep + self.environment.get("PATH", "")
        self.environment.update(HOME=str(self.folder), TZ="UTC", LC_ALL="C.UTF-8", PATH=path)
        self.failpoints = ""
        self.failures = 0
        self.values = {}  # by name, of `set`
        self.held = []    # files locked by `hold`

    def close(self):
        for file in self.held:
            file.close()
        if self.web:
            self.web.stop()
        if self.s3:
            self.s3.stop()
        if self.postgres:
            self.postgres.stop()
        if self.kafka:
            self.kafka.stop()
        if self.registry:
            self.registry.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- text

    def fill_in(self, text):
        if "{HTTP}" in text:
            text = text.replace("{HTTP}", self.server().url)
        for name, value in self.values.items():
            text = text.replace("{" + name + "}", value)
        return text.replace("{TMP}", str(self.folder)).replace("{ROOT}", str(ROOT))

    def hide(self, text):
        """What differs from run to run, as the test wrote it."""
        if self.web:
            text = text.replace(self.web.url, "{HTTP}")
        for name, value in self.values.items():
            text = text.replace(value, "{" + name + "}")
        text = re.sub(r'(?<= in )\d+\.\d\ds(?=[].])|(?<="seconds":)[-+.e\d]+', "{TIME}", text)
        text = re.sub(r'\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{10}', "{RUN}", text)
        text = re.sub(r'(?<= of )\d{4}-\d\d-\d\d \d\d:\d\d(?= UTC)|(?<="state_generated_at": ")[^"]+', "{TIME}", text)
        return text.replace(str(self.folder), "{TMP}").replace(str(ROOT), "{ROOT}")

    def compare(self, block, found):
        if block.expected is None:
            return
        found = [self.hide(line).rstrip() for line in found]
        expected = [line.rstrip() for line in block.expected]
        if found == expected:
            return
        self.failures += 1
        print(f"{self.source}:{block.line}: {block.verb} {block.arguments}")
        for line in difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=100):
            print(f"    {line}")

    # ---- the world

    def server(self):
        if self.web is None:
            self.web = ScriptedServer()
        return self.web

    def path(self, name):
        path = self.project / self.fill_in(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def execute(self, arguments):
        environment = dict(self.environment)
        if self.failpoints:
            environment["SHADUF_FAILPOINT"] = self.failpoints
            self.failpoints = ""
        return subprocess.run([self.binary, *arguments], cwd=self.project, env=environment, capture_output=True,
                              text=True, errors="backslashreplace", timeout=RUN_SECONDS_MAX, check=False)

    # ---- directives

    def do_require(self, block):
        deps = ROOT / ".deps"
        needs = {"s3": (deps / "moto/bin/moto_server").exists, "s3proxy": S3Proxy.is_installed,
                 "kafka": Kafka.is_installed, "kafka secure": Kafka.is_installed,
                 "scram": knows_scram, "readers": (deps / "readers/bin/duckdb").exists,
                 "postgres": lambda: Postgres.is_installed(self.postgres_version),
                 "postgres18": lambda: Postgres.is_installed("18"),
                 "json-server": (deps / "parts/node_modules/json-server").exists,
                 "airbyte-source-faker": (deps / "adapters/faker/bin/source-faker").exists,
                 "airbyte-source-declarative-manifest":
                     (deps / "adapters/manifest/bin/source-declarative-manifest").exists,
                 "tap-jsonl": (deps / "adapters/jsonl/bin/tap-jsonl").exists}
        if block.arguments not in needs:
            raise TestFileError(f"line {block.line}: unknown part: {block.arguments}")
        if not needs[block.arguments]():
            if block.arguments == "scram":
                raise Skipped("librdkafka is older than 2.6.1; run scripts/setup")
            is_18 = block.arguments == "postgres" and self.postgres_version == "18"
            part = "postgres18" if is_18 else block.arguments
            raise Skipped(f"{part} is not installed; run scripts/setup --extras")
        if block.arguments in ("postgres", "postgres18"):
            self.postgres = Postgres(self.postgres_version if block.arguments == "postgres" else "18")
            self.values.update(DSN=self.postgres.dsn, PG_PORT=str(self.postgres.port),
                               PG_CERTIFICATE=str(self.postgres.folder / "server.crt"))
        if block.arguments == "s3proxy":
            (self.folder / "s3").mkdir()
            self.s3 = S3Proxy(self.folder / "s3")
            self.values.update(S3=self.s3.url, S3_KEY=self.s3.KEY, S3_SECRET=self.s3.SECRET)

        if block.arguments.startswith("kafka"):
            self.kafka = Kafka(secure=block.arguments == "kafka secure")
            self.values.update(KAFKA=self.kafka.brokers)
            self.values.update(self.kafka.security.values() if self.kafka.security else {})

    def do_topic(self, block):
        """Creates it; or with `add` gives it more partitions, with `delete` ends it, with `trim` deletes what stands
        before an offset, with `wait` waits until it has so many messages."""
        name, *options = shlex.split(block.arguments)
        words = [option for option in options if "=" not in option]
        settings = dict(option.split("=", 1) for option in options if "=" in option)
        partitions = int(settings.pop("partitions", 1))
        if words == ["delete"]:
            self.kafka.delete_topic(name)
        elif words == ["trim"]:
            self.kafka.ask_client("trim", name, settings.get("partition", 0), settings["before"])
        elif words == ["wait"]:
            self.kafka.wait_for_messages(name, int(settings["messages"]))
        elif words == ["add"]:
            self.kafka.add_partitions(name, partitions)
        else:
            self.kafka.create_topic(name, partitions, config=settings)

    def do_schema(self, block):
        """Registers a schema under a subject; the first one starts the registry."""
        subject, *options = shlex.split(block.arguments)
        if self.registry is None:
            self.registry = SchemaRegistry()
            self.values["REGISTRY"] = self.registry.url
        kind = dict(option.split("=", 1) for option in options).get("type", "AVRO").upper()
        self.registry.register(subject, {"schema": "\n".join(block.body), "schemaType": kind})

    def do_subjects(self, block):
        """The subjects of the schema registry."""
        self.compare(block, sorted(self.registry.subjects))

    def do_produce(self, block):
        """A message a line; with `keys` as KEY|VALUE, and KEY| is a tombstone."""
        topic, *options = shlex.split(block.arguments)
        lines = [self.fill_in(line).encode() for line in block.body]
        if "bytes" in options:
            lines = [line.decode().encode("latin-1").decode("unicode_escape").encode("latin-1") for line in lines]
        if "keys" in options:
            lines = [(key, value or None) for key, _, value in (line.partition(b"|") for line in lines)]
        settings = dict(option.split("=", 1) for option in options if re.match(r"(?!header)\w+=", option))
        headers = [option.split("=", 1)[1] for option in options if option.startswith("header=")]
        partition = int(settings["partition"]) if "partition" in settings else None
        if "codec" in settings:
            self.kafka.ask_client("write", settings["codec"], topic, partition or 0, *map(bytes.decode, lines))
            return
        self.kafka.produce(topic, lines, partition, headers)

    def do_transaction(self, block):
        """transaction NAME TOPIC [partition=1]: writes in it; transaction NAME commit|abort."""
        name, what, *options = shlex.split(block.arguments)
        if what in ("commit", "abort"):
            self.kafka.ask_client(what, name)
            return
        settings = dict(option.split("=", 1) for option in options)
        self.kafka.ask_client("transact", name, what, settings.get("partition", 0), *map(self.fill_in, block.body))

    def do_consume(self, block):
        """What committed messages a topic has, by partition and offset."""
        topic, *options = shlex.split(block.arguments)
        lines = []
        for message in self.kafka.consume(self.fill_in(topic)):
            line = "NULL" if message.value is None else message.value.decode(errors="backslashreplace")
            if "keys" in options:
                key = "NULL" if message.key is None else message.key.decode(errors="backslashreplace")
                line = f"{key}|{line}"
            if "partitions" in options:
                line = f"{message.partition}|{line}"
            if "headers" in options:
                line = f"{line}|{message.headers}"
            line = re.sub(r"[\x00-\x09\x0b-\x1f]", lambda found: f"\\x{ord(found[0]):02x}", line)
            lines += line.split("\n")
        self.compare(block, lines)

    def do_postgres(self, block):
        """SQL, by psql; or stop, start, restart, tls."""
        actions = {"stop": [self.postgres.halt], "start": [self.postgres.start],
                   "restart": [self.postgres.halt, self.postgres.start], "tls": [self.postgres.turn_on_tls]}
        if block.arguments:
            for action in actions[block.arguments]:
                action()
            return
        lines = self.postgres.sql(self.fill_in("\n".join(block.body)))
        self.compare(block, lines)
        if block.expected is None and lines:
            self.failures += 1
            print(f"{self.source}:{block.line}: postgres:\n" + "\n".join(lines))

    def do_env(self, block):
        name, _, value = block.arguments.partition("=")
        self.environment[name] = self.fill_in(value)

    def do_file(self, block):
        self.path(block.arguments).write_text(self.fill_in(block.text()), encoding="utf-8")

    def do_append(self, block):
        with open(self.path(block.arguments), "a", encoding="utf-8") as out:
            out.write(self.fill_in(block.text()))

    def do_bytes(self, block):
        data = block.text().encode("latin-1").decode("unicode_escape").encode("latin-1")
        self.path(block.arguments).write_bytes(data)

    def do_remove(self, block):
        path = self.path(block.arguments)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def do_mode(self, block):
        mode, _, name = block.arguments.partition(" ")
        self.path(name).chmod(int(mode, 8))

    def do_serve(self, block):
        method, path, *options = shlex.split(block.arguments)
        body = self.fill_in("\n".join(block.body)).encode()
        answer = Answer(body=body)
        for option in options:
            key, _, value = option.partition("=")
            if key == "status":
                answer.status = int(value)
            elif key == "cut":
                answer.cut = int(value)
            elif key == "header":
                answer.headers.append(tuple(part.strip() for part in value.split(":", 1)))
            elif key == "bytes":
                answer.body = body.decode("latin-1").encode().decode("unicode_escape").encode("latin-1")
            else:
                raise TestFileError(f"line {block.line}: unknown option: {option}")
        self.server().add(method, path, answer)

    def do_requests(self, block):
        self.compare(block, self.server().take_requests())

    def do_kill(self, block):
        self.add_failpoint(block, "kill")

    def do_fail(self, block):
        self.add_failpoint(block, "error")

    def do_full(self, block):
        self.add_failpoint(block, "full")

    def add_failpoint(self, block, action):
        key, _, point = block.arguments.partition("=")
        if key != "at" or not point:
            raise TestFileError(f"line {block.line}: expected at=FAILPOINT")
        name, _, count = point.partition("@")
        entry = f"{name}={action}@{count or 1}"
        self.failpoints = f"{self.failpoints},{entry}" if self.failpoints else entry

    def do_run(self, block):
        """A pipeline, given once and kept for `run again`; what is expected is its outcome in words."""
        if not (self.project / "shaduf.yml").exists():
            (self.project / "shaduf.yml").write_text("name: test\n", encoding="utf-8")
        if block.body:
            self.path("pipelines/test.yml").write_text(self.fill_in(block.text()), encoding="utf-8")
        done = self.execute(["run", "--json"])
        self.compare(block, self.describe(done, "reasons" in block.arguments.split()))

    @staticmethod
    def describe(done, with_reasons):
        if done.returncode == -9:
            return ["killed"]
        try:
            outcome = json.loads(done.stdout)
        except json.JSONDecodeError:
            return [f"exit {done.returncode}", *done.stdout.splitlines(), *done.stderr.splitlines()]
        lines = []
        if "streams" not in outcome:
            lines.append("refused")
            for error in outcome["errors"]:
                place = ":".join(str(error[key]) for key in ("file", "line") if key in error)
                lines.append(f"error: {place}: {error['message']}" if place else f"error: {error['message']}")
            return lines
        many = len(outcome["streams"]) > 1
        for stream in outcome["streams"]:
            word = "ok" if stream["state"] == "done" else stream["state"]
            counts = f"read={stream['read']} written={stream['written']} quarantined={stream['quarantined']}"
            lines.append(f"{stream['stream']}: {word} {counts}" if many else f"{word} {counts}")
            if with_reasons:
                lines += [f"reason {rows}: {reason}" for reason, rows in sorted(stream["reasons"].items())]
            lines += [f"warning: {warning}" for warning in stream.get("warned", [])]
            if "error" in stream:
                lines.append(f"error: {stream['error']}")
        lines += [f"error: {error}" for error in outcome["errors"]]
        return lines

    def do_shaduf(self, block):
        done = self.execute(shlex.split(self.fill_in(block.arguments)))
        lines = done.stdout.splitlines() + done.stderr.splitlines()
        if done.returncode != 0:
            lines.append("killed" if done.returncode == -9 else f"exit {done.returncode}")
        self.compare(block, lines)
        if block.expected is None and done.returncode != 0:
            self.failures += 1
            print(f"{self.source}:{block.line}: shaduf {block.arguments}: exit {done.returncode}\n" + "\n".join(lines))

    def do_query(self, block):
        """SQL, against the sink of the pipeline of `run`, or the connection named: query CONNECTION."""
        sql = self.fill_in(" ".join(line.strip() for line in block.body))
        done = self.execute(["query", sql, "--json", "--connection", block.arguments or "test.sink"])
        try:
            rows = json.loads(done.stdout, parse_float=str)
        except json.JSONDecodeError:
            rows = None
        if not isinstance(rows, list):
            self.compare(block, [f"exit {done.returncode}", *done.stdout.splitlines(), *done.stderr.splitlines()])
            return
        self.compare(block, ["  ".join(self.cell(value) for value in row.values()) for row in rows])

    def do_set(self, block):
        """Keeps the one value that a query gives; it stands for {NAME} from here on."""
        sql = self.fill_in(" ".join(line.strip() for line in block.body))
        done = self.execute(["query", sql, "--json", "--connection", "test.sink"])
        rows = json.loads(done.stdout)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise TestFileError(f"line {block.line}: set wants one value, found {rows}")
        self.values[block.arguments] = self.cell(next(iter(rows[0].values())))

    def do_hold(self, block):
        """Locks a file as another process that lives would, to the end of the test; the body is what it wrote. With
        as=database, as an engine locks its file; who holds it is {HOLDER} then."""
        if block.arguments.endswith(" as=database"):
            file = open(self.path(block.arguments.rpartition(" ")[0]), "rb+")  # pylint: disable=consider-using-with
            fcntl.lockf(file, fcntl.LOCK_EX)
            self.held.append(file)
            self.values["HOLDER"] = f"process {os.getpid()} ({os.path.realpath('/proc/self/exe')})"
            return
        file = open(self.path(block.arguments), "w", encoding="utf-8")  # pylint: disable=consider-using-with
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(block.text())
        file.flush()
        self.held.append(file)

    @staticmethod
    def cell(value):
        if value is None:
            return "NULL"
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def do_tree(self, block):
        """The files below a folder, by name."""
        folder = self.path(block.arguments or ".")
        self.compare(block, sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))

    def do_table(self, block):
        """The rows of a table of NDJSON files, sorted: those of the files that its manifests name."""
        store, _, table = self.fill_in(block.arguments).rpartition("/")
        keys = set()
        for path in sorted(self.path(f"{store}/{table}/_shaduf/manifest").glob("*.json")):
            change = json.loads(path.read_text(encoding="utf-8"))["files"]
            keys = keys - set(change["remove"]) | {file["key"] for file in change["add"]}
        lines = []
        for key in keys:
            for line in (self.path(store) / key).read_text(encoding="utf-8").splitlines():
                row = {name: value for name, value in json.loads(line).items() if not name.startswith("_shaduf_")}
                lines.append(json.dumps(row, ensure_ascii=False))
        self.compare(block, sorted(lines))

    def do_parquet(self, block):
        """What others read in the Parquet files below a folder, those named _... left out."""
        files = sorted(str(path) for path in self.path(block.arguments).rglob("*.parquet")
                       if not any(part.startswith("_") for part in path.relative_to(self.project).parts))
        readers = ROOT / ".deps/readers/bin"
        done = subprocess.run([readers / "python", ROOT / "tests/harness/read_parquet.py", readers / "duckdb", *files],
                              capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
        self.compare(block, done.stdout.splitlines() + done.stderr.splitlines())

    def do_print(self, block):
        self.compare(block, self.path(block.arguments).read_text(encoding="utf-8").splitlines())

    def run(self, blocks):
        expects = sum(block.expected is not None or block.verb == "shaduf" for block in blocks)
        if not expects:
            raise TestFileError("nothing is expected: a test must be able to fail")
        for block in blocks:
            directive = getattr(self, f"do_{block.verb}", None)
            if directive is None:
                raise TestFileError(f"line {block.line}: unknown directive: {block.verb}")
            directive(block)
        return 1 if self.failures else 0


def main(binary, source, *options):
    test = TestRun(binary, source, "18" if "--postgres18" in options else "system")
    try:
        return test.run(parse_blocks(pathlib.Path(source).read_text(encoding="utf-8")))
    except Skipped as skipped:
        print(f"skipped: {skipped}")
        return SKIPPED
    except TestFileError as error:
        print(f"{source}: {error}")
    except subprocess.TimeoutExpired as error:
        print(f"{source}: took longer than {error.timeout} s: {' '.join(error.cmd)}")
    finally:
        test.close()
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
