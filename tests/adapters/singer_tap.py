#!/usr/bin/env python3
"""A tap that speaks the Singer protocol, written from its specification, and misbehaves on demand.

Rows of the stream "orders" are numbered from 1 to `count`; a state stands behind every `every` of them. Keys of the
configuration beside these: `final_state`, `inclusive` (begins at the bookmark, as most taps do), and what goes wrong:
`die_at` (once, when `marker` names a file that remembers), `hang_at`, `exit`, `flood`, `broken_at`, `huge_at`,
`wrong_schema`, `batch`, `no_catalog`.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import time

SCHEMA = {"type": "object", "properties": {
    "id": {"type": ["null", "integer"]},
    "total": {"type": ["null", "number"]},
    "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "buyer": {"type": ["null", "object"], "properties": {"mail": {"type": ["null", "string"]}}},
    "never": {"type": ["null", "string"]},
}}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")


def discover(config):
    if config.get("no_catalog"):
        print("CRITICAL no such host", file=sys.stderr)
        return 1
    orders = {"tap_stream_id": "shop-orders", "stream": "orders", "schema": SCHEMA, "metadata": [
        {"breadcrumb": [], "metadata": {"inclusion": "available", "table-key-properties": ["id"],
                                        "valid-replication-keys": ["id"]}},
        {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}}]}
    plain = {"tap_stream_id": "plain", "stream": "plain", "schema": {"type": "object"}, "key_properties": []}
    json.dump({"streams": [orders, plain]}, sys.stdout, indent=2)
    return 0


def misbehave(config, number):
    """What goes wrong in place of row `number`; rows before are on their way."""
    if number == config.get("die_at") and not pathlib.Path(config["marker"]).exists():
        pathlib.Path(config["marker"]).touch()
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if number == config.get("hang_at"):
        sys.stdout.flush()
        time.sleep(1000)
    if number == config.get("broken_at"):
        say({"type": "STATE", "value": None})
        sys.stdout.write('{"type": "RECORD", "stream": "orders", "record": {"id": 1\n')
        say({"type": "RECORD", "stream": "orders"})
        sys.stdout.write("not JSON at all\n")
    if number == config.get("huge_at"):
        say({"type": "RECORD", "stream": "orders", "record": {"id": 0, "x": "x" * (17 << 20)}})


def read(config, catalog, state):
    method = "FULL_TABLE"
    if catalog is not None:
        streams = json.loads(pathlib.Path(catalog).read_text(encoding="utf-8"))["streams"]
        roots = {stream["tap_stream_id"]: entry["metadata"] for stream in streams for entry in stream["metadata"]
                 if not entry["breadcrumb"]}
        assert [name for name, root in roots.items() if root["selected"]] == ["shop-orders"], roots
        method = roots["shop-orders"]["replication-method"]
    begin = 0
    if state is not None:
        assert method == "INCREMENTAL"
        begin = json.loads(pathlib.Path(state).read_text(encoding="utf-8"))["bookmarks"]["shop-orders"]["id"]
        begin -= 1 if config.get("inclusive") else 0
    print(f"INFO starting, key is {config.get('api_key')}", file=sys.stderr)
    for _ in range(config.get("flood", 0)):
        sys.stderr.write(f"WARNING flood with {config.get('api_key')}\n")
    say({"type": "SCHEMA", "stream": "orders", "schema": SCHEMA, "key_properties": ["id"]})
    say({"type": "ACTIVATE_VERSION", "stream": "orders", "version": 1})
    if config.get("batch"):
        say({"type": "BATCH", "stream": "orders", "manifest": ["file:///rows.jsonl.gz"]})
    since = 0
    for number in range(begin + 1, config["count"] + 1):
        misbehave(config, number)
        wrong = config.get("wrong_schema") and number % 2
        say({"type": "RECORD", "stream": "orders", "record": {
            "id": f"x{number}" if wrong else number, "total": number / 4, "at": "2026-01-01T00:00:00.5Z",
            "buyer": {"mail": f"{number}@x.org"}}})
        if catalog is None:
            say({"type": "RECORD", "stream": "plain", "record": {"id": number}})
        since += 1
        if since == config.get("every", 100) or (number == config["count"] and config.get("final_state", True)):
            say({"type": "STATE", "value": {"bookmarks": {"shop-orders": {"id": number, "lsn": 12345678901234567890}}}})
            since = 0
            if config.get("slow"):
                sys.stdout.flush()
                time.sleep(config["slow"])
    sys.stdout.flush()
    if config.get("exit"):
        print("CRITICAL cannot go on", file=sys.stderr)
    return config.get("exit", 0)


def main():
    parser = argparse.ArgumentParser()
    for name in ("config", "catalog", "properties", "state"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--discover", action="store_true")
    arguments = parser.parse_args()
    assert os.stat(arguments.config).st_mode & 0o777 == 0o600
    config = json.loads(pathlib.Path(arguments.config).read_text(encoding="utf-8"))
    if arguments.discover:
        return discover(config)
    return read(config, arguments.catalog or arguments.properties, arguments.state)


if __name__ == "__main__":
    sys.exit(main())
