"""scanner_peer.py DSN TABLE THREADS: a PostgreSQL table into w.duckdb, by DuckDB's own extension."""
import sys
from importlib.resources import files

import duckdb

dsn, table, threads = sys.argv[1:]
extension = next(path for path in (files("duckdb_extension_postgres_scanner") / "extensions").iterdir()
                 if path.name == f"v{duckdb.__version__}") / "postgres_scanner.duckdb_extension"
database = duckdb.connect(":memory:", config={"threads": threads})
database.execute(f"LOAD '{extension}'")
database.execute("ATTACH 'w.duckdb' AS w (STORAGE_VERSION 'v1.3.0')")  # the one that shaduf makes
database.execute(f"ATTACH '{dsn}' AS source (TYPE postgres, READ_ONLY)")
database.execute(f"CREATE TABLE w.{table} AS SELECT * FROM source.public.{table}")
database.close()
