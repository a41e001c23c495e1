#!/usr/bin/env python3
"""A source that speaks the Airbyte protocol, written from its specification, and misbehaves on demand.

Rows of the stream "users" are numbered from 1 to `count`; a state stands behind every `every` of them. Keys of the
configuration beside these: `state` (stream, global, legacy, none), `final_state`, and what goes wrong: `die_at`,
`hang_at`, `transient_at` (at that row, once: `marker` names the file that remembers), `exit`, `flood`, `broken_at`,
`huge_at`, `noise`, `wrong_schema`, `no_catalog`, `crash` (check and discover end in a trace), `fail_check`,
`other_stream`, `config_error`, `control`. The stream "plain" has two rows and no more to it. `calls` names a file that
gets a line for each call.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import time

SCHEMA = {"type": "object", "properties": {
    "id": {"type": "integer"},
    "name": {"type": ["null", "string"]},
    "score": {"oneOf": [{"type": "null"}, {"type": "number"}]},
    "updated_at": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"},
    "seen": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "born": {"type": ["string", "null"], "format": "date"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": ["null", "string"]}}},
    "never": {"type": ["null", "boolean"]},
}}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")


def row(number, wrong):
    return {"id": f"x{number}" if wrong else number, "name": None if number % 5 == 0 else f"n{number}",
            "score": number / 4, "updated_at": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z",
            "seen": "2026-01-01T12:00:00", "born": "2000-02-29", "tags": ["a", str(number)],
            "address": {"city": "Alexandria"}}


def trace_error(message, kind, internal=None):
    say({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": message, "internal_message": internal or message, "failure_type": kind}}})


def state_of(config, cursor, count):
    kind = config.get("state", "stream")
    stream = {"stream_descriptor": {"name": "users"}, "stream_state": {"cursor": cursor, "exact": 0.10}}
    if kind == "stream":
        return {"type": "STREAM", "stream": stream, "sourceStats": {"recordCount": count}}
    if kind == "global":
        return {"type": "GLOBAL", "global": {"shared_state": {"lsn": 12345678901234567890}, "stream_states": [stream]}}
    return {"data": {"users": {"cursor": cursor}}}


def cursor_of(config, path):
    if path is None:
        return 0
    state = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    kind = config.get("state", "stream")
    if kind == "legacy":
        return state["users"]["cursor"]
    if kind == "global":
        assert state[0]["type"] == "GLOBAL" and state[0]["global"]["shared_state"]["lsn"] == 12345678901234567890
        return state[0]["global"]["stream_states"][0]["stream_state"]["cursor"]
    assert state[0]["type"] == "STREAM", state
    return state[0]["stream"]["stream_state"]["cursor"]


def only_once(config):
    marker = pathlib.Path(config["marker"])
    if marker.exists():
        return False
    marker.touch()
    return True


def misbehave(config, number):
    """What goes wrong in place of row `number`; rows before are on their way."""
    if number == config.get("die_at") and ("marker" not in config or only_once(config)):
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if number == config.get("hang_at"):
        sys.stdout.flush()
        time.sleep(1000)
    if number == config.get("transient_at") and only_once(config):
        trace_error("server is busy", "transient_error")
        sys.exit(1)
    if number == config.get("config_error"):
        trace_error(f"key is not valid: {config.get('api_key')}", "config_error")
        sys.exit(1)
    if number == config.get("broken_at"):
        say({"type": "STATE"})
        say({"type": "STATE", "state": {"type": "GLOBAL"}})
        sys.stdout.write('{"type": "RECORD", "record": {"stream": "users", "data": {"id": 1\n')
        say({"type": "RECORD", "record": {"stream": "users", "emitted_at": 1}})
        sys.stdout.write("Traceback is not JSON at all\n")
    if number == config.get("huge_at"):
        say({"type": "RECORD", "record": {"stream": "users", "data": {"id": 0, "name": "x" * (17 << 20)}}})


def read(config, catalog, state_path):
    catalog = json.loads(pathlib.Path(catalog).read_text(encoding="utf-8"))
    names = [entry["stream"]["name"] for entry in catalog["streams"]]
    if names == ["plain"]:
        for number in (1, 2):
            say({"type": "RECORD", "record": {"stream": "plain", "data": {"n": number}, "emitted_at": 1}})
        return 0
    assert names == ["users"], catalog
    incremental = catalog["streams"][0]["sync_mode"] == "incremental"
    begin = cursor_of(config, state_path) if incremental else 0
    every, count, since = config.get("every", 100), config["count"], 0
    say({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": "users"}, "status": "STARTED"}}})
    for _ in range(config.get("flood", 0)):
        sys.stderr.write(f"ERROR: flood with {config.get('api_key')}\n")
    if config.get("noise"):
        print("INFO a line that is no message")
        say({"type": "LOG", "log": {"level": "WARN", "message": "rate limit is near"}})
        say({"type": "LOG", "log": {"level": "INFO", "message": "nobody reads this"}})
        say({"type": "TRACE", "trace": {"type": "ESTIMATE", "emitted_at": 1, "estimate": {"name": "users"}}})
    if config.get("control"):
        say({"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "emitted_at": 1, "connectorConfig": {
            "config": {"refresh_token": "new"}}}})
    if config.get("other_stream"):
        say({"type": "RECORD", "record": {"stream": "others", "data": {"id": 1}, "emitted_at": 1}})
    for number in range(begin + 1, count + 1):
        misbehave(config, number)
        wrong = config.get("wrong_schema") and number > count // 2
        say({"type": "RECORD", "record": {"stream": "users", "data": row(number, wrong), "emitted_at": 1}})
        since += 1
        is_last = number == count and config.get("final_state", True)
        if config.get("state") != "none" and (since == every or is_last):
            say({"type": "STATE", "state": state_of(config, number, since)})
            since = 0
            if config.get("slow"):
                sys.stdout.flush()
                time.sleep(config["slow"])
    say({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": "users"}, "status": config.get("status", "COMPLETE")}}})
    sys.stdout.flush()
    if config.get("exit"):
        print("cannot go on", file=sys.stderr)
    return config.get("exit", 0)


def discover(config):
    if config.get("no_catalog"):
        print("no such host", file=sys.stderr)
        return 1
    users = {"name": "users", "json_schema": SCHEMA, "supported_sync_modes": ["full_refresh", "incremental"],
             "source_defined_cursor": True, "default_cursor_field": ["id"], "source_defined_primary_key": [["id"]],
             "is_resumable": bool(config.get("resumable"))}
    plain = {"name": "plain", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    say({"type": "LOG", "log": {"level": "INFO", "message": "looking"}})
    say({"type": "CATALOG", "catalog": {"streams": [users, plain]}})
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["spec", "check", "discover", "read"])
    for name in ("config", "catalog", "state"):
        parser.add_argument(f"--{name}")
    arguments = parser.parse_args()
    assert os.stat(arguments.config).st_mode & 0o777 == 0o600
    config = json.loads(pathlib.Path(arguments.config).read_text(encoding="utf-8"))
    if "calls" in config:
        with open(config["calls"], "a", encoding="utf-8") as calls:
            calls.write(arguments.verb + "\n")
    if config.get("crash") and arguments.verb != "read":
        trace_error("Something went wrong.", "system_error", f"no spec for {config.get('api_key')}")
        return 1
    if arguments.verb == "check":
        failed = config.get("fail_check")
        say({"type": "CONNECTION_STATUS", "connectionStatus": {
            "status": "FAILED" if failed else "SUCCEEDED", "message": f"wrong key: {config.get('api_key')}"}})
        return 0
    if arguments.verb == "discover":
        return discover(config)
    return read(config, arguments.catalog, arguments.state)


if __name__ == "__main__":
    sys.exit(main())
