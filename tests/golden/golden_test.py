#!/usr/bin/env python3
"""Every built-in type of PostgreSQL with its extremes, through shaduf, read back by others than shaduf.

golden_test.py SHADUF [--postgres18] [--rewrite]: loads a table a type (cases.py) into DuckDB, and into a second
database of the server where shaduf can write one. What psql says of each value at the source, and what the duckdb
package of PyPI (for PostgreSQL: psql again, and pg8000) says of it behind the load, must be what the golden file has:
postgres_types.txt, or postgres_to_postgres.txt. Besides, without any golden file, a value kept as text must be that of
psql to the letter. --rewrite writes the golden files anew: then their diff is to be read. Status 77: a part is not
there.
"""
import difflib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from postgres import Postgres  # noqa: E402

from cases import CASES, SETUP  # noqa: E402

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
READERS = HERE.parents[1] / ".deps/readers/bin/python"
SHOWN_MAX = 160

PROJECT = """name: golden
environments:
  dev: {default: true}
connections:
  source: {type: postgres, dsn: "%s"}
  duckdb: {type: duckdb, path: w.duckdb}
  postgres: {type: postgres, dsn: "%s"}
"""


def tables():
    """Names, by the types."""
    names = {}
    for kind in CASES:
        plain = "".join(letter if letter.isalnum() else "_" for letter in kind.replace("[]", " array")).strip("_")
        names[kind] = f"t_{plain}"
    assert len(set(names.values())) == len(names)
    return names


def make_source(server):
    lines = [SETUP]
    for kind, name in tables().items():
        lines.append(f"CREATE TABLE {name} (id int PRIMARY KEY, v {kind});")
        values = ", ".join(f"({number}, {value})" for number, value in enumerate([*CASES[kind], "NULL"], 1))
        lines.append(f"INSERT INTO {name} SELECT id, v::{kind} FROM (VALUES {values}) AS cases(id, v);")
    lines.append("CREATE DATABASE target;")
    found = server.sql("\n".join(lines))
    if found:
        raise AssertionError("the cases are wrong: " + "\n".join(found))


def texts_of(server, dsn=None, expression="format('%s', v)"):
    """By table and id, what the server writes of each value; None where there is no such table."""
    texts = {}
    for name in tables().values():
        found = server.sql(f"SET TimeZone = 'UTC';\nSELECT id, encode(convert_to({expression}, 'UTF8'), 'hex') "
                           f"FROM {name} ORDER BY id;", dsn=dsn)
        if found and "does not exist" in found[-1]:
            texts[name] = None
            continue
        rows = [line.partition("  ") for line in found]
        nulls = server.sql(f"SELECT id FROM {name} WHERE num_nulls(v) = 1", dsn=dsn)
        texts[name] = {number: None if number in nulls else bytes.fromhex(text).decode() for number, _, text in rows}
    return texts


def shown(text):
    """On one line that a person can read."""
    if text is None:
        return "NULL"
    if len(text) > SHOWN_MAX:
        return f"<{len(text)} characters, md5 {hashlib.md5(text.encode()).hexdigest()}>"
    plain = text.isprintable() and text == text.strip() and text not in ("", "NULL")
    return text if plain else json.dumps(text, ensure_ascii=True)


class DuckDbLeg:
    sink = "duckdb"
    golden = "postgres_types.txt"

    @staticmethod
    def read(folder, _server):
        return json.loads(subprocess.run([READERS, HERE / "read_duckdb.py", folder / "w.duckdb"], capture_output=True,
                                         text=True, check=True, timeout=120).stdout)

    @staticmethod
    def check(kind, name, source, casts, found):
        """What needs no golden file: texts (as written, or as cast) and integers to the letter, nulls."""
        for number, text in source.items():
            if number not in found["rows"]:
                continue
            there = found["rows"][number]
            if (there is None) != (text is None):
                raise AssertionError(f"{kind} {number}: {shown(text)} became {shown(there)}")
            if found["type"] in ("VARCHAR", "BIGINT", "JSON", "BLOB") and text != there:
                if there != casts[number] and not kind.startswith("interval"):
                    raise AssertionError(f"{name} {number}: {shown(text)} became {shown(there)}")


class PostgresLeg:
    sink = "postgres"
    golden = "postgres_to_postgres.txt"

    @staticmethod
    def target(server):
        return server.dsn.rsplit("/", 1)[0] + "/target"

    def read(self, _folder, server):
        texts = texts_of(server, self.target(server))
        pairs = [self.values(server, database) for database in ("postgres", "target")]
        found = {}
        for name, rows in texts.items():
            kind = server.sql("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'v' AND "
                              f"attrelid = to_regclass('{name}')", dsn=self.target(server))
            found[name] = {"type": kind[0] if kind else "", "rows": rows or {},
                           "same": pairs[0][name] == pairs[1][name]}
        found["_rejected"] = self.rejected(server)
        return found

    @staticmethod
    def values(server, database):
        command = [READERS, HERE / "read_postgres.py", "127.0.0.1", str(server.port), server.USER, server.PASSWORD,
                   database, *tables().values()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return json.loads(done.stdout)

    def rejected(self, server):
        found = server.sql("SELECT json_agg(json_build_array(stream, raw, reason)) FROM _shaduf_quarantine",
                           dsn=self.target(server))
        rows = json.loads("\n".join(found)) if found and found[0].startswith("[") else []
        return rows

    @staticmethod
    def check(kind, name, source, casts, found):
        for number, text in source.items():
            there = found["rows"].get(number, text)
            if found["type"] in ("text", kind) and there not in (text, casts[number]) and "interval" not in kind:
                raise AssertionError(f"{name} {number}: {shown(text)} became {shown(there)}")
        if found["type"] == kind and len(found["rows"]) == len(source) and not found["same"]:
            raise AssertionError(f"{name}: pg8000 finds other values of one type")


def rejected_id(raw):
    row = json.loads(raw)
    return str(row["id"])


def lines_of(leg, source, casts, found):
    """The golden file: values as the server writes them, and behind => what is there, where it is written otherwise."""
    reasons = {}
    for stream, raw, reason in found["_rejected"]:
        reasons[stream, rejected_id(raw)] = reason
    lines = []
    for kind, name in tables().items():
        there = found.get(name, {"type": "(nothing)", "rows": {}})
        leg.check(kind, name, source[name], casts[name], there)
        lines.append(f"== {kind}: {there['type']}")
        for number, text in source[name].items():
            if number in there["rows"]:
                after = shown(there["rows"][number])
                lines.append(f"{shown(text)}" + ("" if after == shown(text) else f"  =>  {after}"))
            else:
                if (name, number) not in reasons:
                    raise AssertionError(f"{name} {number}: {shown(text)} is lost")
                lines.append(f"{shown(text)}  =>  quarantine: {shown(reasons[name, number])}")
        lines.append("")
    return lines


def load(binary, leg, folder, server):
    (folder / "pipelines").mkdir(exist_ok=True)
    (folder / "shaduf.yml").write_text(PROJECT % (server.dsn, server.dsn.rsplit("/", 1)[0] + "/target"))
    streams = "\n".join(f"  {name}: {{mode: full_refresh, write: replace}}" for name in tables().values())
    (folder / "pipelines" / f"{leg.sink}.yml").write_text(f"source: source\nsink: {leg.sink}\nstreams:\n{streams}\n")
    done = subprocess.run([binary, "run", leg.sink, "--json"], cwd=folder, capture_output=True, text=True, timeout=200,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"the load failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def is_sink(binary, connector):
    listed = subprocess.run([binary, "connectors", "--json"], capture_output=True, text=True, check=True)
    return any(one["name"] == connector and one["sink"] for one in json.loads(listed.stdout))


def compare(leg, lines, rewrite):
    path = HERE / leg.golden
    if rewrite:
        path.write_text("\n".join(lines), encoding="utf-8")
        return True
    expected = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    difference = list(difflib.unified_diff(expected, lines, leg.golden, "found", lineterm=""))
    print("\n".join(difference))
    return not difference


def main(binary, *options):
    version = "18" if "--postgres18" in options else "system"
    if not Postgres.is_installed(version) or not READERS.exists():
        print(f"skipped: PostgreSQL ({version}) or the readers are not installed; run scripts/setup --extras")
        return SKIPPED
    binary = os.path.abspath(binary)
    server = Postgres(version)
    good = True
    try:
        make_source(server)
        source, casts = texts_of(server), texts_of(server, expression="v::text")
        for leg in (DuckDbLeg(), PostgresLeg()):
            if not is_sink(binary, leg.sink):
                print(f"left out: PostgreSQL to {leg.sink}: the connector {leg.sink} is no sink here")
                continue
            with tempfile.TemporaryDirectory(prefix="shaduf-golden-") as folder:
                load(binary, leg, pathlib.Path(folder), server)
                found = leg.read(pathlib.Path(folder), server)
            good = compare(leg, lines_of(leg, source, casts, found), "--rewrite" in options) and good
    finally:
        server.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
