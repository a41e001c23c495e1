"""kafka_polars_peer.py loads|batched BROKERS TOPIC COUNT ENDPOINT KEY SECRET BUCKET FOLDER

What a team would write in Python: reads COUNT messages with confluent-kafka and writes them as zstd Parquet by date to
S3 with Polars, 500,000 at a time. loads: json.loads for each message. batched: the messages of a batch are joined and
parsed by Polars at once. Offsets are committed behind each batch, so it is at least once.
"""
import io
import json
import sys

import polars as pl
from confluent_kafka import Consumer, TopicPartition

BATCH = 500_000
SCHEMA = {
    "timestamp": pl.String,
    "event_name": pl.String,
    "user_identifiers": pl.Struct({"platform": pl.String, "id": pl.String}),
    "product_information": pl.Struct({"name": pl.String, "SKU": pl.String}),
}


def frame_of(how, values):
    if how == "loads":
        return pl.DataFrame([json.loads(value) for value in values], schema=SCHEMA)
    return pl.read_ndjson(io.BytesIO(b"\n".join(values)), schema=SCHEMA)


def shaped(frame):
    moment = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    user, product = pl.col("user_identifiers").struct, pl.col("product_information").struct
    return frame.select(
        moment.alias("event_datetime"), moment.dt.date().alias("event_date"), "event_name",
        user.field("id").alias("user_id"), user.field("platform"), product.field("name").alias("product_name"),
        product.field("SKU")).drop_nulls(["event_datetime", "event_name", "user_id"])


def main(how, brokers, topic, count, endpoint, key, secret, bucket, folder):
    storage = {"aws_endpoint_url": endpoint, "aws_access_key_id": key, "aws_secret_access_key": secret,
               "aws_region": "us-east-1", "aws_allow_http": "true"}
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "polars-" + how, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest",
                         # By default a queue that was full while a batch was written is filled again a second later.
                         "fetch.queue.backoff.ms": 5})
    partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    left, batches, values = int(count), 0, []
    while left > 0:
        for message in consumer.consume(10_000, timeout=1):
            if message.error() is None:
                values.append(message.value())
                left -= 1
        if len(values) >= BATCH or left == 0:
            for date, rows in shaped(frame_of(how, values)).group_by("event_date"):
                target = f"s3://{bucket}/{folder}/event_date={date[0]}/{batches}.parquet"
                rows.drop("event_date").write_parquet(target, compression="zstd", compression_level=1,
                                                      storage_options=storage)
            consumer.commit(asynchronous=False)
            batches, values = batches + 1, []
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
