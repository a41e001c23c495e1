"""read_parquet.py DUCKDB FILE...: what pyarrow, Polars and DuckDB's command line find in Parquet files: how many rows,
which types, and the rows, sorted, once where all agree. shaduf's own columns differ each time and are left out."""
import datetime
import decimal
import json
import subprocess
import sys

import polars
import pyarrow
import pyarrow.parquet


OURS = "_shaduf_"


def plain(value):
    """As text that is the same whoever read it."""
    if isinstance(value, datetime.datetime):
        zoned = value.tzinfo is not None
        value = value.astimezone(datetime.timezone.utc) if zoned else value
        return value.strftime("%Y-%m-%d %H:%M:%S.%f") + ("Z" if zoned else "")
    if isinstance(value, (datetime.date, datetime.time, decimal.Decimal)):
        return str(value)
    if isinstance(value, bytes):  # as which Polars has JSON
        return value.decode(errors="backslashreplace")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def by_pyarrow(files):
    table = pyarrow.concat_tables(pyarrow.parquet.ParquetFile(file).read() for file in files)
    table = table.select([name for name in table.column_names if not name.startswith(OURS)])
    types = [f"{field.name} {field.type}" for field in table.schema]
    return types, [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def by_polars(files):
    frame = polars.concat([polars.read_parquet(file, hive_partitioning=False) for file in files])
    frame = frame.select([name for name in frame.columns if not name.startswith(OURS)])
    types = [f"{name} {kind}" for name, kind in frame.schema.items()]
    return types, [{name: plain(value) for name, value in row.items()} for row in frame.to_dicts()]


def by_duckdb(program, files):
    def ask(sql):
        done = subprocess.run([program, "-json", "-c", "SET TimeZone = 'UTC'; " + sql], capture_output=True, text=True,
                              check=True, timeout=60)
        return json.loads(done.stdout)
    table = f"read_parquet({files}, hive_partitioning = false)"
    types = [(row["column_name"], row["column_type"]) for row in ask(f"DESCRIBE FROM {table}")
             if not row["column_name"].startswith(OURS)]
    shown = {"TIMESTAMP": "strftime({0}, '%Y-%m-%d %H:%M:%S.%f') AS {0}",
             "TIMESTAMP WITH TIME ZONE": "strftime({0}, '%Y-%m-%d %H:%M:%S.%fZ') AS {0}", "JSON": "{0}::varchar AS {0}"}
    columns = [shown.get(kind, "{0}::varchar AS {0}" if kind.startswith("DECIMAL") else "{0}").format(f'"{name}"')
               for name, kind in types]
    return [" ".join(pair) for pair in types], ask(f"SELECT {', '.join(columns)} FROM {table}")


def lines_of(rows):
    return sorted(json.dumps(row, ensure_ascii=False) for row in rows)


def main(program, files):
    found = {"pyarrow": by_pyarrow(files), "polars": by_polars(files), "duckdb": by_duckdb(program, files)}
    for name, (types, rows) in found.items():
        print(f"{name}: {len(rows)} rows: {', '.join(types)}")
    texts = {name: lines_of(rows) for name, (_, rows) in found.items()}
    if len({tuple(lines) for lines in texts.values()}) == 1:
        print("\n".join(texts["pyarrow"]))
    else:
        for name, lines in texts.items():
            print("\n".join(f"{name}: {line}" for line in lines))


if __name__ == "__main__":
    main(sys.argv[1], sorted(sys.argv[2:]))
