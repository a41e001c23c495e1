#!/usr/bin/env python3
"""Loads the artifacts that `shaduf dbt` writes with dbt-core's own classes, and compares catalogs with dbt's own.

    compare_artifacts.py SHADUF PROJECT...

Run by a Python that has dbt-core. Each project is copied before anything runs in it. Status 77 without dbt-core.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    from dbt.artifacts.schemas.catalog import CatalogArtifact
    from dbt.artifacts.schemas.freshness import FreshnessExecutionResultArtifact
    from dbt.artifacts.schemas.manifest import WritableManifest
    from dbt.artifacts.schemas.run import RunResultsArtifact
except ImportError:
    print("skipped: there is no dbt-core in this Python")
    sys.exit(77)

# A command, what it writes, and the class that reads it.
STEPS = [
    (["build"], "run_results.json", RunResultsArtifact),
    (["build"], "manifest.json", WritableManifest),
    (["source", "freshness"], "sources.json", FreshnessExecutionResultArtifact),
    (["docs", "generate"], "catalog.json", CatalogArtifact),
]


def run(binary, words):
    line = [binary, "dbt", *words, "--profiles-dir", "."]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


def check(binary, words, name, reader):
    done = run(binary, words)
    path = pathlib.Path("target") / name
    if not path.exists():
        return [f"{' '.join(words)} wrote no {name}: {(done.stdout + done.stderr).strip()[-300:]}"]
    try:
        reader.read_and_check_versions(str(path))
    except Exception as error:  # any: dbt's readers raise what they like
        return [f"{name} is not what dbt reads: {str(error)[:400]}"]
    return []


def compare_catalogs():
    ours = json.loads(pathlib.Path("target/catalog.json").read_text())
    line = [str(pathlib.Path(sys.executable).parent / "dbt"), "--quiet", "docs", "generate", "--profiles-dir", "."]
    subprocess.run(line, capture_output=True, timeout=300, check=True)
    theirs = json.loads(pathlib.Path("target/catalog.json").read_text())
    return [f"catalog.json: other {part}" for part in ("nodes", "sources") if ours[part] != theirs[part]]


def compare(binary, project):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / project.name
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("target", "logs", ".git", "*.duckdb"))
        os.chdir(copy)
        for words, name, reader in STEPS:
            wrong += check(binary, words, name, reader)
        wrong += compare_catalogs() if not wrong else []
        os.chdir("/")
    for line in wrong:
        print(f"{project.name}: {line}")
    print(f"{project.name}: {'artifacts are as dbt reads and writes them' if not wrong else 'differs'}")
    return len(wrong)


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    projects = [pathlib.Path(path).resolve() for path in sys.argv[2:]]
    return 1 if sum(compare(binary, project) for project in projects) else 0


if __name__ == "__main__":
    sys.exit(main())
