#!/usr/bin/env python3
"""Compares what `shaduf dbt ls` selects with what dbt-core itself does, over selectors made from each project.

    compare_selection.py SHADUF PROJECT...

Run by a Python that has dbt-core. Each project is copied before anything runs in it. Status 77 without dbt-core.
"""

import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    from dbt.cli.main import dbtRunner
except ImportError:
    print("skipped: there is no dbt-core in this Python")
    sys.exit(77)

FIXED = """
*|+*|@*|tag:*|config.materialized:table|config.materialized:view|config.materialized:test
config.severity:error|config.severity:ERROR
config.enabled:true|config.enabled:false|config.docs.show:true|config.meta.owner:me|config.lookback:1|config:x
test_type:generic|test_type:singular|test_type:unit|test_type:data|test_type:schema|test_type:nothing
test_name:not_null|test_name:*n*|resource_type:model|resource_type:source|resource_type:test
resource_type:unit_test|resource_type:nope
access:protected|access:public|access:private|group:*|package:this|package:*|package:nope|source:*|exposure:*|metric:*
source:*.*|source:*.*.*|source:a.b.c.d|exposure:a.b.c|version:latest|version:none|version:old|version:nope
path:models|path:models/|path:models/*|path:models/**|path:models/**/*.sql|path:nothing|models/*|*.sql|path:./models
file:*.sql|file:*.yml|file:*|file:schema|nope|nope:x|tag:nope|1+*|*+0|0+*|a,b|*,tag:*|[a-m]*|?*|[!a]*
*_*|*.*|unit_test:*
unit_test:*.*|saved_query:*|semantic_model:*|state:modified|result:error
""".replace("\n", "|").split("|")


def selectors_of(manifest):
    """Selectors that name what the project holds, with each operator."""
    found = []
    parts = ("nodes", "sources", "exposures", "metrics", "unit_tests")
    everything = [node for part in parts for node in manifest[part].values()]
    models = [n for n in everything if n["resource_type"] in ("model", "seed", "snapshot")]
    for node in models[:12]:
        name, fqn = node["name"], ".".join(node["fqn"])
        found += [name, fqn, ".".join(node["fqn"][1:]), ".".join(node["fqn"][:-1]), "+" + name, name + "+", "1+" + name,
                  name + "+1", "2+" + name + "+1", "@" + name, name[:3] + "*", "*" + name[-3:], node["fqn"][0] + ".*",
                  node["original_file_path"], "path:" + os.path.dirname(node["original_file_path"]),
                  "file:" + os.path.basename(node["original_file_path"]), name + ".sql", "fqn:" + name + "+,+*",
                  name + ",test_name:unique", "@" + name + "+",
                  "config.materialized:" + str(node["config"]["materialized"]) + "+"]
    for node in everything:
        for tag in node.get("tags", []):
            found += ["tag:" + tag, "+tag:" + tag, "tag:" + tag[:2] + "*"]
        if node.get("patch_path"):
            found.append("path:" + node["patch_path"].split("://")[1])
        if node["resource_type"] == "source":
            found += ["source:" + node["source_name"], "source:" + node["source_name"] + "." + node["name"],
                      "source:" + node["package_name"] + "." + node["source_name"] + "." + node["name"] + "+"]
        if node["resource_type"] in ("exposure", "metric", "unit_test"):
            found += [node["resource_type"] + ":" + node["name"], "+" + node["resource_type"] + ":" + node["name"]]
        if node["resource_type"] == "test":
            found += [node["name"], "1+" + node["name"]]
        if node.get("test_metadata"):
            found.append("test_name:" + node["test_metadata"]["name"])
    return list(dict.fromkeys(found))[:260]


def commands_of(manifest):
    commands = [["--select", word] for word in FIXED if word] + [[]]
    own = selectors_of(manifest)
    commands += [["--select", word] for word in own]
    for word in own[:40:3]:
        commands += [["--exclude", word], ["--select", word, "--resource-type", "model"],
                     ["--select", "+" + word.lstrip("+@12"), "--exclude", word],
                     ["--select", word, "--exclude-resource-type", "test"]]
        commands += [["--select", word, "--indirect-selection", how] for how in ("cautious", "buildable", "empty")]
        commands += [["--select", word, "--output", how] for how in ("name", "path", "json")]
    for word in own[:30:5]:
        for other in own[1:30:7]:
            commands += [["--select", word, other], ["--select", word + "," + other],
                         ["--select", word, "--exclude", other],
                         ["--select", word, other, "--indirect-selection", "cautious"],
                         ["--select", word, "--exclude", other, "--indirect-selection", "buildable"]]
    commands += [["--selector", name] for name in list(manifest["selectors"]) + ["nope"]]
    commands += [["--resource-type", kind] for kind in ("all", "default", "model", "test", "source", "analysis")]
    commands += [["--output", "json"], ["--output", "json", "--output-keys", "name", "config.materialized", "nope"]]
    return commands


def ask_dbt(manifest, arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        line = ["--quiet", "--no-write-json", "ls", "--profiles-dir", "."]
        result = dbtRunner(manifest=manifest).invoke(line + arguments)
    return (0, list(result.result)) if result.success else (2, [])


def ask_shaduf(binary, arguments):
    done = subprocess.run([binary, "dbt", "--no-write-json", "ls", "--profiles-dir", "."] + arguments,
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.split("\n")[:-1], done.stderr


def same_lines(ours, theirs):
    if ours == theirs:
        return True
    try:
        return [json.loads(line) for line in ours] == [json.loads(line) for line in theirs]
    except ValueError:
        return False


def compare(binary, project):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / project.name
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("target", "logs", ".git"))
        os.chdir(copy)
        with contextlib.redirect_stdout(io.StringIO()):
            parsed = dbtRunner().invoke(["--quiet", "parse", "--profiles-dir", "."])
        manifest = json.loads((copy / "target" / "manifest.json").read_text())
        commands = commands_of(manifest)
        wrong = 0
        for arguments in commands:
            status, theirs = ask_dbt(parsed.result, arguments)
            own_status, ours, said = ask_shaduf(binary, arguments)
            if status == own_status and same_lines(ours, theirs):
                continue
            wrong += 1
            if wrong <= 12:
                print(f"{project.name}: ls {' '.join(arguments)}: status {own_status}, dbt {status}")
                print("   only ours:", [line for line in ours if line not in theirs][:4])
                print("   only dbt's:", [line for line in theirs if line not in ours][:4], said.strip()[-200:])
        os.chdir("/")
    print(f"{project.name}: {len(commands) - wrong} of {len(commands)} selections are equal")
    return wrong


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    projects = [pathlib.Path(path).resolve() for path in sys.argv[2:]]
    return 1 if sum(compare(binary, project) for project in projects) else 0


if __name__ == "__main__":
    sys.exit(main())
