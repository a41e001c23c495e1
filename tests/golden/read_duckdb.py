"""read_duckdb.py FILE: all tables but our own, as JSON: by table, the type of column v and its values as text."""
import json
import sys

import duckdb

database = duckdb.connect(sys.argv[1], read_only=True)
database.execute("SET TimeZone = 'UTC'")
# Bytes as PostgreSQL writes them; times with a zone without the engine's calendar, which rounds those far away.
TEXTS = {"BLOB": "'\\x' || lower(hex(v))",
         "TIMESTAMP WITH TIME ZONE": "CAST(make_timestamp(epoch_us(v)) AS VARCHAR) || '+00'"}
tables = {}
NAMES = "SELECT table_name FROM duckdb_tables() WHERE NOT starts_with(table_name, '_shaduf')"
for (name,) in database.execute(NAMES).fetchall():
    kind = database.execute("SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = 'v'",
                            [name]).fetchone()[0]
    text = TEXTS.get(kind, "CAST(v AS VARCHAR)")
    rows = database.execute(f'SELECT id, {text} FROM "{name}" ORDER BY id').fetchall()
    tables[name] = {"type": kind, "rows": dict(rows)}
tables["_rejected"] = database.execute("SELECT stream, raw, reason FROM _shaduf_quarantine").fetchall()
json.dump(tables, sys.stdout)
