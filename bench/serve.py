#!/usr/bin/env python3
"""How quick `shaduf serve` is: serve.py [--build FOLDER] [--only PART,...] [--quick]; `make bench-serve` runs it.

Flows by flow_bench, over SQLite and over a PostgreSQL server of its own (left out, and named, where there is none); the
start with 100,000 flows, the idle memory of 500 pipelines and the API under load by the program itself. The figures of
the web app are those of its own bench. Prints a table and, as its last line, one JSON object.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import race
import serve_load

sys.path.insert(0, str(race.ROOT / "tests/harness"))
from postgres import Postgres  # noqa: E402

PATIENCE = 900
# What is to be reached: name -> (text, least or most).
AT_LEAST = {"runs_a_second_sqlite": 1000, "runs_a_second_postgres": 300}
AT_MOST = {"dag_end_to_begin_ms_median": 5, "dispatch_delay_ms_p99_sqlite": 20, "dispatch_delay_ms_p99_postgres": 20,
           "same_minute_s_sqlite": 10, "same_minute_s_postgres": 10, "start_100k_flows_s": 1, "api_p99_ms": 50,
           "idle_rss_mb": 100}
PARTS = ["dag", "rate", "minute", "start", "load"]


def flow_bench(options, *words):
    # All folders are there until the end: a file system may be slow to give out again what was just removed.
    folder = tempfile.mkdtemp(dir=options.work)
    words = [*words, "--folder", folder]
    done = subprocess.run([options.build / "bench/flow_bench", *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    if done.returncode != 0:
        race.fail(f"flow_bench {' '.join(map(str, words))}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def measure_flows(options, figures, store, dsn):
    """Every figure of flows on one store."""
    state = ["--state", dsn] if dsn else []
    seconds = 3 if options.quick else 10
    if "dag" in options.only:
        found = flow_bench(options, "dag", "--tasks", 1000 if options.quick else 10_000, *state)
        suffix = "" if store == "sqlite" else "_postgres"
        for name in ("dag_seconds", "dag_end_to_begin_ms_median", "dag_end_to_begin_ms_p99"):
            figures[name + suffix] = found[name]
    if "rate" in options.only:
        most = flow_bench(options, "most", "--seconds", seconds, *state)["runs_a_second_most"]
        figures["runs_a_second_" + store] = most
        # At the rate that is asked for, or at what there is.
        rate = int(min(most * 0.9, AT_LEAST["runs_a_second_" + store]))
        found = flow_bench(options, "pace", "--rate", rate, "--seconds", seconds, *state)
        figures["paced_runs_a_second_" + store] = found["runs_a_second_paced"]
        figures["dispatch_delay_ms_median_" + store] = found["dispatch_delay_ms_median"]
        figures["dispatch_delay_ms_p99_" + store] = found["dispatch_delay_ms_p99"]
    if "minute" in options.only:
        found = flow_bench(options, "minute", "--flows", 500 if options.quick else 5000, *state)
        figures["same_minute_s_" + store] = found["same_minute_begun_s_max"]


def measure_start(options, figures):
    """The first start keeps the definitions; the later ones find them."""
    count = 2000 if options.quick else 100_000
    with tempfile.TemporaryDirectory(prefix="shaduf-start-") as name:
        folder = pathlib.Path(name)
        serve_load.make_project(folder, 0)
        for n in range(count):
            (folder / "flows" / f"f{n:06}.yml").write_text(
                f"schedule: \"{n % 60} {n % 24} * * *\"\ntasks: {{one: {{shell: \"true\"}}}}\n")
        took = []
        for _ in range(3):
            begin = time.monotonic()
            with serve_load.started(options.build / "shaduf", folder):
                took.append(time.monotonic() - begin)
        figures["first_start_100k_flows_s"] = round(took[0], 2)
        figures["start_100k_flows_s"] = round(min(took[1:]), 2)


def measure_load(options, figures):
    load = argparse.Namespace(shaduf=options.build / "shaduf", pipelines=500, clients=200, streams=50, every=0.5,
                              seconds=5 if options.quick else 20)
    figures.update(serve_load.measure(load))


def shorts(figures):
    short = [name for name, least in AT_LEAST.items() if name in figures and figures[name] < least]
    return short + [name for name, most in AT_MOST.items() if name in figures and figures[name] > most]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=race.ROOT / "build/release")
    parser.add_argument("--only", default=",".join(PARTS), type=lambda text: text.split(","))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    figures = {}
    options.work = race.fresh(race.WORK / "serve")
    measure_flows(options, figures, "sqlite", None)
    if Postgres.is_installed():
        # As it comes: a commit is on the disk.
        postgres = Postgres(settings={"fsync": "on", "max_connections": "100"})
        try:
            measure_flows(options, figures, "postgres", postgres.dsn)
        finally:
            postgres.stop()
    else:
        race.say("left out: PostgreSQL (no server on this machine)")
    if "start" in options.only:
        measure_start(options, figures)
    if "load" in options.only:
        measure_load(options, figures)
    shutil.rmtree(options.work)
    print("| figure | here | wanted |\n| --- | --- | --- |")
    for name, value in figures.items():
        wanted = f"at least {AT_LEAST[name]}" if name in AT_LEAST else ""
        wanted = f"at most {AT_MOST[name]}" if name in AT_MOST else wanted
        print(f"| {name} | {value} | {wanted} |")
    print(json.dumps({"bench": "serve", "machine": race.machine(), "figures": figures, "short": shorts(figures)}))


if __name__ == "__main__":
    main()
