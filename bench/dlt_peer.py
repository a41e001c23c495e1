"""dlt_peer.py DSN TABLE BACKEND: a PostgreSQL table into w.duckdb, by dlt."""
import sys

import dlt
from dlt.sources.sql_database import sql_table

dsn, table, backend = sys.argv[1:]
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb("w.duckdb"), dataset_name="bench",
                        pipelines_dir="state")
pipeline.run(sql_table(credentials=dsn, table=table, schema="public", backend=backend), write_disposition="replace")
