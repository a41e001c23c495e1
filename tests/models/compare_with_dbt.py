#!/usr/bin/env python3
"""Runs dbt projects by shaduf and by dbt itself, and compares what both leave.

    compare_with_dbt.py --shaduf build/release/shaduf --dbt /path/to/dbt PROJECT... [--target NAME] [--runs N]

Each project is copied twice, into folders of equal length, and runs N times (`build`, then `build` again: snapshots and
incremental models change with the second). Compared: every file of target/compiled, byte for byte but for the folder's
name; the status of each node; every table and view, by its columns and rows, on PostgreSQL also by its comments, grants
and indexes. Status 1: they differ; 77: dbt is not installed. With --target postgres, the database of DBT_POSTGRES_DB is
made anew before each of the two.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile
from pathlib import Path

TIMEOUT_SECONDS = 600
# What is another one at each call: clocks, ids.
VOLATILE = re.compile(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?"
                      rb"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{14,20}"
                      rb"|datetime\.datetime\(20(2[5-9]|3\d), [^<)]*(<[^>]*>)?\)")


def run(program, words, project, environment):
    done = subprocess.run(program + words, cwd=project, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS)
    return done.returncode, done.stdout.decode(errors="replace")


def tree(folder, root):
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_bytes().replace(str(root).encode(), b"<project>")
            files[str(path.relative_to(folder))] = VOLATILE.sub(b"<volatile>", text)
    return files


def without_shared_fixtures(files, project):
    """Inputs of unit tests of one name overwrite each other, by dbt in an order that changes with each run."""
    path = project / "target" / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {"nodes": {}, "sources": {}}
    read = {node["name"] for kind in ("nodes", "sources") for node in manifest[kind].values()
            if node["resource_type"] in ("model", "seed", "snapshot", "source")}
    is_fixture = lambda name: re.search(r"\.ya?ml/[^/]+\.sql$", name) and Path(name).stem in read
    return {name: text for name, text in files.items() if not is_fixture(name)}


def statuses(project):
    path = project / "target" / "run_results.json"
    if not path.exists():
        return {}
    return {r["unique_id"]: (r["status"], r.get("failures")) for r in json.loads(path.read_text())["results"]}


def tables(database):
    import duckdb
    found = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        listed = "select table_schema, table_name from information_schema.tables order by all"
        names = connection.execute(listed).fetchall()
        for schema, name in names:
            quoted = f'"{schema}"."{name}"'
            try:
                columns = connection.execute(f"describe {quoted}").fetchall()
                rows = connection.execute(f"select * from {quoted} order by all").fetchall()
            except duckdb.Error as error:
                columns, rows = [], [str(error)]
            texts = [VOLATILE.sub(b"<v>", repr(row).encode()) for row in rows]
            found[quoted] = ([column[:2] for column in columns], texts)
    return found


def postgres_connection(database):
    import psycopg2
    setting = lambda name, fallback: os.environ.get("DBT_POSTGRES_" + name, fallback)
    connection = psycopg2.connect(host=setting("HOST", "127.0.0.1"), port=setting("PORT", "5432"), dbname=database,
                                  user=setting("USER", "postgres"), password=setting("PASSWORD", "postgres"))
    connection.autocommit = True
    return connection


def make_postgres_database():
    name = os.environ.get("DBT_POSTGRES_DB", "warehouse")
    cursor = postgres_connection("postgres").cursor()
    cursor.execute(f'drop database if exists "{name}" with (force)')
    cursor.execute(f'create database "{name}"')


def postgres_indexes(cursor, schema, name):
    """But for their names, which dbt makes from the time."""
    cursor.execute("select replace(indexdef, quote_ident(indexname), '') from pg_indexes"
                   " where schemaname = %s and tablename = %s order by 1", (schema, name))
    return cursor.fetchall()


def postgres_tables():
    found = {}
    cursor = postgres_connection(os.environ.get("DBT_POSTGRES_DB", "warehouse")).cursor()
    cursor.execute("select n.nspname, c.relname, c.relkind, c.relacl::text,"
                   " array(select d.description from pg_description d where d.objoid = c.oid order by d.objsubid)"
                   " from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'v', 'm')"
                   " and n.nspname !~ '^(pg_|information_schema)' order by 1, 2")
    for schema, name, kind, *about in cursor.fetchall():
        cursor.execute(f'select * from "{schema}"."{name}"')
        columns = [(column.name, column.type_code) for column in cursor.description]
        rows = sorted(VOLATILE.sub(b"<v>", repr(row).encode()) for row in cursor.fetchall())
        found[f"{schema}.{name} ({kind})"] = (columns, rows, about, postgres_indexes(cursor, schema, name))
    return found


def differences(name, ours, theirs, most=6):
    lines = []
    for key in sorted(set(ours) | set(theirs)):
        if ours.get(key) != theirs.get(key):
            mine, its = (str(side.get(key, "none"))[:300] for side in (ours, theirs))
            lines.append(f"  {name} {key}: ours {mine!r}, dbt's {its!r}")
    return lines[:most] + ([f"  ... and {len(lines) - most} more"] if len(lines) > most else [])


def compare(project, arguments):
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        folders = {}
        programs = {"ours": [os.path.abspath(arguments.shaduf), "dbt"], "dbts": [os.path.abspath(arguments.dbt)]}
        for who, program in programs.items():
            # The same name of the folder: it may stand in names of tables.
            folder = Path(temporary) / who / project.name
            shutil.copytree(project, folder, symlinks=arguments.links == "kept",
                            ignore=shutil.ignore_patterns("target", "logs"))
            folders[who] = folder
            environment = dict(os.environ, DBT_DUCKDB_PATH=str(folder / "warehouse.duckdb"),
                               DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_USE_COLORS="false", TMPDIR=temporary)
            target = ["--target", arguments.target] if arguments.target else []
            if arguments.target == "postgres":
                make_postgres_database()
            outputs = []
            if (folder / "packages.yml").exists() and not (folder / "dbt_packages").exists():
                outputs.append(run(program, ["deps"], folder, environment))
            for words in arguments.command or ["build"] * arguments.runs:
                outputs.append(run(program, words.split() + target + ["--threads", "1"], folder, environment))
            folders[who + "_codes"] = [code for code, _ in outputs]
            folders[who + "_said"] = outputs[-1][1]
            folders[who + "_tables"] = postgres_tables() if arguments.target == "postgres" else {}
        ours, theirs = folders["ours"], folders["dbts"]
        if folders["ours_codes"] != folders["dbts_codes"]:
            found.append(f"  exit codes: ours {folders['ours_codes']}, dbt's {folders['dbts_codes']}")
            found += ["    | " + line for line in folders["ours_said"].splitlines()[-12:]]
        found += differences("compiled", *(without_shared_fixtures(tree(folder / "target/compiled", folder), theirs)
                                          for folder in (ours, theirs)))
        mine, its = statuses(ours), statuses(theirs)
        found += differences("status", mine, its)
        found += differences("table", folders["ours_tables"], folders["dbts_tables"])
        if (ours / "warehouse.duckdb").exists() and (theirs / "warehouse.duckdb").exists():
            found += differences("table", tables(ours / "warehouse.duckdb"), tables(theirs / "warehouse.duckdb"))
        if arguments.keep:
            shutil.copytree(temporary, Path(arguments.keep) / project.name, symlinks=True, dirs_exist_ok=True)
        count = len(its)
    print(f"{'same' if not found else 'DIFFERS'}: {project.name} ({count} nodes)", *found, sep="\n", flush=True)
    return not found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shaduf", required=True)
    parser.add_argument("--dbt", default=str(Path(__file__).resolve().parents[2] / ".deps/dbt/bin/dbt"))
    parser.add_argument("--target", default="")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--command", action="append", help="instead of build: any number of them, in turn")
    parser.add_argument("--links", choices=["kept", "followed"], default="kept",
                        help="of the project: packages may be links")
    parser.add_argument("--keep", help="a folder for what both left")
    parser.add_argument("projects", nargs="+")
    arguments = parser.parse_args()
    if not os.access(arguments.dbt, os.X_OK):
        print("skipped: dbt-core is not installed; run scripts/setup --extras")
        sys.exit(77)
    # The Python of dbt's environment, which has the reader of DuckDB files.
    beside = str(Path(arguments.dbt).absolute().with_name("python3"))
    if sys.executable != beside and os.access(beside, os.X_OK):
        os.execv(beside, [beside, *sys.argv])
    same = [compare(Path(project).resolve(), arguments) for project in arguments.projects]
    print(f"{sum(same)} of {len(same)} projects are the same")
    sys.exit(0 if all(same) else 1)


main()
