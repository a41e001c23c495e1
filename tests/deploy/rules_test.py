#!/usr/bin/env python3
"""What deploy/ says of metrics is true: rules_test.py SHADUF.

Names and labels that rules and the dashboard use are those of the table in docs/observability.md, which a test of its
own compares with the program; promtool runs the rules' own tests. Without promtool only the names are compared, and the
test counts as skipped.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\b((?:shaduf|process)_[a-z_]+)\b(?:\{([^}]*)\})?")
SUFFIXES = ("_bucket", "_sum", "_count")


def known_metrics():
    """Labels by name, as the docs have them."""
    found = {}
    for line in (ROOT / "docs/observability.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `((?:shaduf|process)_\w+)` \| (\w+) \| ([^|]*) \|", line)
        if row:
            labels = set(re.findall(r"`(\w+)`", row.group(3)))
            found[row.group(1)] = labels
            if row.group(2) == "histogram":
                found.update({row.group(1) + suffix: labels | {"le"} for suffix in SUFFIXES})
    assert len(found) > 40, found
    return found


def expressions():
    """(where, expression) of all rules and panels."""
    for match in re.finditer(r"expr: (>-\n(?:          .*\n)+|.*)", (DEPLOY / "prometheus/rules.yml").read_text()):
        yield "rules.yml", match.group(1)
    board = json.loads((DEPLOY / "grafana/shaduf.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def check_names():
    known = known_metrics()
    used = 0
    for where, expression in expressions():
        for name, labels in NAME.findall(expression):
            assert name in known, f"{where}: there is no metric {name}"
            for label in re.findall(r"(\w+)\s*(?:=~|!=|=)", labels):
                assert label in known[name] | {"job", "instance"}, f"{where}: {name} has no label {label}"
            used += 1
    assert used > 50, used
    for series in re.findall(r"series: '([^']*)'", (DEPLOY / "prometheus/rules_test.yml").read_text()):
        if series.startswith("up{"):
            continue
        name, labels = NAME.match(series).groups()
        assert name in known, f"rules_test.yml: there is no metric {name}"
        for label in re.findall(r"(\w+)=", labels):
            assert label in known[name] | {"job", "instance"}, f"rules_test.yml: {name} has no label {label}"


def check_dashboard():
    board = json.loads((DEPLOY / "grafana/shaduf.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    cells = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, f"{panel['title']} lies on another panel"
                cells.add((x, y))
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}", panel["title"]


def check_tested():
    rules = set(re.findall(r"- alert: (\w+)", (DEPLOY / "prometheus/rules.yml").read_text()))
    tests = (DEPLOY / "prometheus/rules_test.yml").read_text()
    fires = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", tests))
    assert rules == fires, f"rules that no test makes fire: {rules - fires}"


def main():
    check_names()
    check_dashboard()
    check_tested()
    if shutil.which("promtool") is None:
        print("skipped: no promtool; scripts/setup --extras installs Debian's prometheus")
        return 77
    folder = DEPLOY / "prometheus"
    for words in (["check", "rules", "rules.yml"], ["check", "config", "prometheus.yml"],
                  ["test", "rules", "rules_test.yml"]):
        done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return 0


if __name__ == "__main__":
    sys.exit(main())
