"""polars_peer.py EVENTS FOLDER: Polars' own way from NDJSON to Parquet, zstd, a folder a day, streaming."""
import sys

import polars as pl

SCHEMA = {
    "timestamp": pl.String,
    "event_name": pl.String,
    "user_identifiers": pl.Struct({"platform": pl.String, "id": pl.String}),
    "product_information": pl.Struct({"name": pl.String, "SKU": pl.String}),
}


def main(events, folder):
    moment = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    user, product = pl.col("user_identifiers").struct, pl.col("product_information").struct
    frame = pl.scan_ndjson(events, schema=SCHEMA).select(
        moment.alias("event_datetime"), moment.dt.date().alias("event_date"), "event_name",
        user.field("id").alias("user_id"), user.field("platform"), product.field("name").alias("product_name"),
        product.field("SKU"))
    frame.sink_parquet(pl.PartitionBy(folder, key="event_date"), compression="zstd", mkdir=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
