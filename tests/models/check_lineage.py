#!/usr/bin/env python3
"""Builds dbt projects and holds their column lineage against the database.

    check_lineage.py --shaduf build/release/shaduf PROJECT... [--target NAME] [--profiles-dir DIR]

Of every model, snapshot and seed whose lineage says that all columns are known, these are the columns of its table;
every source of a column is a column that its table has, as far as that is known. What is not known is counted,
with the reasons. Status 1: something is wrong.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT_SECONDS = 600


def read(project, name):
    return json.loads((project / "target" / name).read_text())


def check_node(key, node, table, catalog):
    """What is wrong with one node, as lines."""
    # Contracts and partitions put them into another order.
    names = sorted(name.lower() for name in node["columns"])
    actual = sorted(name.lower() for name in table["columns"])
    wrong = []
    if node["unknown"] is None and names != actual:
        wrong.append(f"{key}: columns {names}, but the table has {actual}")
    for name, column in node["columns"].items():
        for source in column["sources"]:
            known = catalog.get(source["relation"])
            if known and source["column"].lower() not in {other.lower() for other in known["columns"]}:
                wrong.append(f"{key}.{name} comes from {source['relation']}.{source['column']}, which is not there")
    for absent in node["absent"]:
        wrong.append(f"{key} was built, but {absent['relation']}.{absent['column']} is taken for absent")
    return wrong


def check(project, arguments):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
        environment = {**os.environ, "DBT_TARGET_PATH": "target"}
        flags = [f"--target={arguments.target}"] if arguments.target else []
        for verb in (["build"], ["docs", "generate", "--no-compile"]):
            done = subprocess.run([arguments.shaduf, "dbt", *verb, *flags], cwd=copy, env=environment,
                                  capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        if not (copy / "target" / "column_lineage.json").exists():
            return [f"no lineage: {done.stdout[-500:]}{done.stderr[-500:]}"], collections.Counter(), 0
        lineage, catalog = read(copy, "column_lineage.json")["nodes"], read(copy, "catalog.json")
        tables = {**catalog["nodes"], **catalog["sources"]}
        wrong, unknown, whole = [], collections.Counter(), 0
        for key, node in lineage.items():
            if key.startswith("source."):
                continue
            reasons = [node["unknown"]] + [column["unknown"] for column in node["columns"].values()]
            for reason in filter(None, reasons):
                unknown[reason] += 1
            whole += not any(reasons)
            if key in tables:
                wrong += check_node(key, node, tables[key], tables)
        return wrong, unknown, whole


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shaduf", required=True, type=os.path.abspath)
    parser.add_argument("--target", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("projects", nargs="+", type=Path)
    arguments = parser.parse_args()
    failed = False
    for project in arguments.projects:
        wrong, unknown, whole = check(project, arguments)
        print(f"{project.name}: {whole} nodes whole, {sum(unknown.values())} unknown, {len(wrong)} wrong")
        for line in wrong[:20]:
            print("  " + line)
        if arguments.verbose:
            for reason, count in unknown.most_common(15):
                print(f"    {count} x {reason[:160]}")
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
