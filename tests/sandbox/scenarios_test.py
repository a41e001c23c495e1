#!/usr/bin/env python3
"""scenarios_test.py SHADUF [--scenarios N] [--seed N] [--keep]: loads the sources from the sandbox in random scenarios
(faults, limits, restatements, kills), and compares every table with what the sandbox says is true: contents, not
counts.

Each scenario is made from its number alone, so that `--seed S --scenarios 1` plays one again."""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

CONNECTIONS = pathlib.Path(__file__).parents[2] / "templates/marketing/shaduf.yml"

# The zone furthest behind, Baker Island's.
ZONES_BEHIND_SECONDS = 12 * 3600
# Of each pipeline: its connection, and of each stream its options and which table of the truth it should equal.
DAYS = {"facebook_ads": 40, "google_ads": 40, "x_ads": 40, "clevertap": 20}
PIPELINES = {
    "facebook_ads": ("facebook", {
        "accounts": ("{}", "accounts"),
        "campaigns": ("{}", "campaigns"),
        "ads": ("{}", "ads"),
        "campaign_insights": ("{since: 40d}", "campaign_insights"),
        "ad_insights": ("{since: 40d}", "ad_insights"),
    }),
    "google_ads": ("google", {
        "campaigns": ("{}", "campaigns"),
        "ad_report": ("{since: 40d}", "ad_report"),
        "campaign_report": ("{since: 40d}", "campaign_report"),
    }),
    "x_ads": ("x", {
        "campaigns": ("{}", "campaigns"),
        "line_items": ("{}", "line_items"),
        "promoted_tweet_stats": ("{since: 40d, lookback: 28d}", "promoted_tweet_stats"),
    }),
    "clevertap": ("clevertap", {
        "charged": ("{event: Charged, since: 20d, lookback: 20d}", "Charged"),
    }),
}
# What the truth has as a column, and Facebook as an element of a list.
EXPRESSIONS = {
    "purchases": """coalesce(list_sum(list_transform(list_filter(from_json(actions, '["json"]'),
        lambda a: a ->> 'action_type' = 'purchase'), lambda a: CAST(a ->> 'value' AS BIGINT))), 0)""",
}
DAY_COLUMNS = ("date_start", "segments_date", "date", "event_date")

ANY_HTTP = [
    {"fault": "status", "status": 500, "body": "no"}, {"fault": "status", "status": 502, "body": "busy"},
    {"fault": "status", "status": 503, "body": "busy"},
    {"fault": "status", "status": 503, "body": "busy", "retry_after": "1s"}, {"fault": "html", "status": 502},
    {"fault": "reset", "at": "before_headers"}, {"fault": "reset", "at": "after_headers"},
    {"fault": "reset", "at": "in_body", "bytes": 300}, {"fault": "lost_answer"}, {"fault": "cut_chunks", "bytes": 500},
    {"fault": "delay", "for": "200ms"}, {"fault": "slow_body", "for": "5ms"}, {"fault": "gzip"},
    {"fault": "content_type", "value": "text/plain"},
]
OF_PLATFORM = {
    "facebook_ads": [
        {"fault": "graph_error", "code": 1}, {"fault": "graph_error", "code": 2}, {"fault": "reduce_data"},
        {"fault": "permission_flip"}, {"fault": "report_slow"}, {"fault": "report_failed"}, {"fault": "report_skipped"},
        {"fault": "report_late"}, {"fault": "summary_flake"}, {"fault": "null_batch_element"},
        {"fault": "id_as_number"},
    ],
    "google_ads": [{"fault": "stream_cut"}, {"fault": "error_behind_rows"}],
    "x_ads": [
        {"fault": "x_job_fails"}, {"fault": "x_url_expired"}, {"fault": "x_too_complex", "days": 3},
        {"fault": "x_jobs_full"}, {"fault": "x_clock_skew"},
    ],
    "clevertap": [
        {"fault": "clevertap_in_progress"}, {"fault": "clevertap_empty_page"}, {"fault": "clevertap_lost_cursor"},
        {"fault": "clevertap_slow", "for": "300ms"},
    ],
}


def make_faults(dice, platforms):
    """Some faults, each of which ends: a load that tries again gets through."""
    faults = []
    for _ in range(dice.randint(2, 7)):
        platform = dice.choice(list(OF_PLATFORM))
        is_common = dice.random() < 0.5 or not OF_PLATFORM[platform]
        fault = dict(dice.choice(ANY_HTTP if is_common else OF_PLATFORM[platform]), platform=platform)
        fault.update(dice.choice([{"from": dice.randint(1, 30)}, {"probability": 0.3}, {"every": dice.randint(2, 9)}]))
        fault["times"] = dice.randint(1, 4)
        if platform in platforms:
            faults.append(fault)
    if dice.random() < 0.4:
        faults.append({"fault": "restate", "nth": dice.randint(5, 60)})
    return faults


def sql_type(name):
    return {"string": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN",
            "timestamp_tz": "TIMESTAMPTZ"}.get(name, name.upper())


def quote(name):
    return f'"{name}"'


class Drill:
    def __init__(self, shaduf, number, platforms, folder):
        self.shaduf, self.number, self.platforms = shaduf, number, platforms
        self.dice = random.Random(number)
        self.folder = pathlib.Path(folder)
        self.begun = time.time()
        self.restated = 0  # by us

    def start(self):
        (self.folder / "shaduf.yml").write_text(CONNECTIONS.read_text())
        (self.folder / "pipelines").mkdir()
        for pipeline in self.platforms:
            source, streams = PIPELINES[pipeline]
            lines = [f"  {name}: {options}" for name, (options, _) in streams.items()]
            text = f"source: {source}\nsink: warehouse\nschema: {pipeline}\nstreams:\n" + "\n".join(lines) + "\n"
            (self.folder / "pipelines" / f"{pipeline}.yml").write_text(text)
        (self.folder / "faults.yml").write_text(json.dumps({"faults": make_faults(self.dice, self.platforms)}))
        command = [self.shaduf, "sandbox", "--json", "--seed", str(self.number), "--scenario", "faults.yml",
                   "--accounts", str(self.dice.randint(1, 4)), "--ads", str(self.dice.choice([5, 40, 150])),
                   "--days", "120"]
        if self.dice.random() < 0.3:
            command += ["--delay", "5ms"]
        if self.dice.random() < 0.3:
            command += ["--rate", "60/5s"]
        self.server = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.server.stdout.readline())
        self.url = told["url"]
        # The template's other connections want their variables as well.
        unused = re.findall(r"env:([A-Z_]+)}", CONNECTIONS.read_text())
        self.environment = {**dict.fromkeys(unused, "unused"), **os.environ, **told["environment"]}

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def ask(self, path, method="GET"):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method=method), timeout=60) as answer:
            return answer.read().decode()

    def run(self, kill_after=None):
        """"" when the load got through, what it said when not; None when it was killed."""
        process = subprocess.Popen([self.shaduf, "run", "--quiet"], cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            out, _ = process.communicate(timeout=400 if kill_after is None else kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            return out + "\nit does not end" if kill_after is None else None
        return "" if process.returncode == 0 else out

    def load(self):
        """Killed and restated at random, then until one load has ended in peace; how often it was killed.

        A run that was cut off leaves a load that the next run goes on with: what it has already is not asked for again.
        So only a load that began behind the last restatement has to be what is true now."""
        kills, begun_at = 0, None
        for _ in range(self.dice.randint(0, 3)):
            begun_at = self.restatements() if begun_at is None else begun_at
            out = self.run(self.dice.uniform(0.05, 1.5))
            kills += out is None
            begun_at = None if out == "" else begun_at
            if self.dice.random() < 0.3:
                self.ask("/_sandbox/restate", "POST")
                self.restated += 1
        for _ in range(8):
            begun_at = self.restatements() if begun_at is None else begun_at
            out = self.run()
            if out == "" and self.restatements() == begun_at:
                return kills
            begun_at = None if out == "" else begun_at
        raise AssertionError("no load got through:\n" + out[-3000:])

    def restatements(self):
        return self.restated + json.loads(self.ask("/_sandbox/calls"))["faults"].get("restate", 0)

    def query(self, sql):
        done = subprocess.run([self.shaduf, "query", "--format", "csv", sql], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip().split("\n")[1]

    def compare(self):
        """What differs, and how many rows were looked at."""
        told = {each["platform"]: {stream["name"]: stream for stream in each["streams"]}
                for each in json.loads(self.ask("/_sandbox/truth"))}
        differences, rows = [], 0
        for pipeline in self.platforms:
            for table, (_, stream) in PIPELINES[pipeline][1].items():
                truth = told[pipeline].get(stream)
                if truth is None:
                    differences.append(f"{pipeline}.{table}: the sandbox has no such truth: {list(told[pipeline])}")
                    continue
                missing, more, all_rows = self.compare_table(pipeline, table, stream, truth)
                rows += all_rows
                if missing or more:
                    differences.append(f"{pipeline}.{table}: {missing} true rows are missing, {more} are not true")
        return differences, rows

    def compare_table(self, pipeline, table, stream, truth):
        names = [column["name"] for column in truth["columns"]]
        name = f'{pipeline}."{table}"'
        day = next((day for day in DAY_COLUMNS if day in names), None)
        asked = f"/_sandbox/truth/{pipeline}/{stream}.csv"
        condition = ""
        if day:
            # The days that the table has, up to the last one that had begun for accounts of every zone.
            days = self.query(f"SELECT coalesce(min({day}), current_date) || ' ' || coalesce(max({day}), current_date) "
                              f"FROM {name}").split()
            since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - (DAYS[pipeline] - 2) * 86400))
            days[0] = max(days[0], since)
            days[1] = min(days[1], time.strftime("%Y-%m-%d", time.gmtime(self.begun - ZONES_BEHIND_SECONDS)))
            asked += f"?since={days[0]}&until={days[1]}"
            condition = f" WHERE {day} BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'"
        path = self.folder / f"{pipeline}.{stream}.csv"
        path.write_text(self.ask(asked))
        def columns(expressions):
            typed = []
            for column in truth["columns"]:
                value = expressions.get(column["name"], quote(column["name"]))
                typed.append(f'CAST({value} AS {sql_type(column["type"])}) AS {quote(column["name"])}')
            return ", ".join(typed)

        mine = f"SELECT {columns(EXPRESSIONS)} FROM {name}{condition}"
        true = f"SELECT {columns({})} FROM read_csv('{path}', header = true, all_varchar = true)"
        return [int(self.query(f"SELECT count(*) FROM ({sql})"))
                for sql in (f"{true} EXCEPT ALL {mine}", f"{mine} EXCEPT ALL {true}", mine)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shaduf")
    parser.add_argument("--scenarios", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folders of scenarios that failed")
    parser.add_argument("--platforms", default=",".join(PIPELINES))
    given = parser.parse_args()
    shaduf = str(pathlib.Path(given.shaduf).resolve())
    failed, kills, rows = [], 0, 0
    for number in range(given.seed, given.seed + given.scenarios):
        folder = tempfile.mkdtemp(prefix="shaduf-drill-")
        drill = Drill(shaduf, number, given.platforms.split(","), folder)
        drill.start()
        try:
            kills += drill.load()
            differences, compared = drill.compare()
            rows += compared
        except AssertionError as error:
            differences = [str(error)]
        finally:
            drill.stop()
        if differences:
            failed.append(number)
            print(f"scenario {number}: " + "\n  ".join(differences), flush=True)
        if differences and given.keep:
            print(f"  kept in {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{given.scenarios} scenarios, {kills} kills, {rows} rows compared, {len(failed)} differ: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
