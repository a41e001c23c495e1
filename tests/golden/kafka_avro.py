#!/usr/bin/env python3
"""Writes kafka_avro.jsonl: random schemas and records of Avro as fastavro (PyPI) encodes and reads them, for
tests/connectors/kafka_avro_golden_test.cc. The rows are what our columns are to hold.

kafka_avro.py [SEED [CASES]] > kafka_avro.jsonl
"""
import datetime
import io
import json
import random
import struct
import sys

import fastavro

PLAIN = ["int", "long", "string", "boolean", "double", "float", "bytes", "date", "timestamp", "enum", "fixed"]
NESTED = ["nullable", "nullable", "array", "map", "record", "union"]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def type(self, depth):
        kind = self.random.choice(PLAIN if depth > 2 else PLAIN + NESTED)
        if kind == "date":
            return {"type": "int", "logicalType": "date"}
        if kind == "timestamp":
            return {"type": "long", "logicalType": "timestamp-micros"}
        if kind == "enum":
            return {"type": "enum", "name": self.name("E"), "symbols": ["RED", "GREEN", "BLUE"]}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name("F"), "size": 4}
        if kind == "array":
            return {"type": "array", "items": self.type(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.type(depth + 1)}
        if kind == "record":
            return self.record(depth + 1)
        if kind == "nullable":
            inner = self.type(3)
            return self.random.choice([["null", inner], [inner, "null"]])
        if kind == "union":
            return ["null", "long", "string", {"type": "array", "items": "boolean"}]
        return kind

    def record(self, depth=0):
        fields = [{"name": f"f{i}", "type": self.type(depth + 1)} for i in range(self.random.randint(1, 6))]
        return {"type": "record", "name": self.name("R"), "fields": fields}

    def value(self, schema):
        r = self.random
        if isinstance(schema, list):
            return self.value(r.choice(schema))
        kind = schema if isinstance(schema, str) else schema["type"]
        logical = None if isinstance(schema, str) else schema.get("logicalType")
        if logical == "date":
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-20000, 40000))
        if logical:
            return EPOCH + datetime.timedelta(microseconds=r.randint(-10**15, 4 * 10**15))
        if kind == "int":
            return r.choice([0, 1, -1, r.randint(-2**31, 2**31 - 1)])
        if kind == "long":
            return r.choice([0, -2**63, 2**63 - 1, r.randint(-2**40, 2**40)])
        if kind == "string":
            return "".join(r.choice("abc \"\\\né€😀\t") for _ in range(r.randint(0, 12)))
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "double":
            return r.choice([0.0, -1.5, r.gauss(0, 1e10), r.random()])
        if kind == "float":
            return struct.unpack("f", struct.pack("f", r.gauss(0, 1000)))[0]
        if kind == "bytes":
            return r.randbytes(r.randint(0, 8))
        if kind == "fixed":
            return r.randbytes(schema["size"])
        if kind == "enum":
            return r.choice(schema["symbols"])
        if kind == "array":
            return [self.value(schema["items"]) for _ in range(r.randint(0, 4))]
        if kind == "map":
            return {f"k{i}": self.value(schema["values"]) for i in range(r.randint(0, 4))}
        if kind == "null":
            return None
        return {field["name"]: self.value(field["type"]) for field in schema["fields"]}

    def reader_of(self, schema):
        """Another schema that can read the records: fields left out, added, wider."""
        fields = []
        for field in schema["fields"]:
            if self.random.random() < 0.3:
                continue
            wider = {"int": ["long", "double"], "long": ["double"], "float": ["double"]}.get(
                field["type"] if isinstance(field["type"], str) else "")
            fields.append({**field, "type": self.random.choice(wider)} if wider else field)
        self.random.shuffle(fields)
        fields.append({"name": "added", "type": ["null", "string"], "default": None})
        fields.append({"name": "number", "type": "long", "default": 42})
        return {**schema, "fields": fields}


def shown(value):
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{value.microsecond:06}Z" if value.microsecond else text + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return value


def columns(schema, value, path, row):
    """The columns of a record; of one that is null they are null."""
    for field in schema["fields"]:
        name = f"{path}__{field['name']}" if path else field["name"]
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        records = [kind for kind in kinds if isinstance(kind, dict) and kind["type"] == "record"]
        inner = None if value is None else value[field["name"]]
        if records and len([kind for kind in kinds if kind != "null"]) == 1:
            columns(records[0], inner, name, row)
        else:
            row[name] = shown(inner)


def main():
    seed, cases = (int(argument) for argument in (sys.argv[1:] + ["7", "150"][len(sys.argv) - 1:]))
    maker = Maker(seed)
    for number in range(cases):
        schema = maker.record()
        written = io.BytesIO()
        fastavro.schemaless_writer(written, fastavro.parse_schema(schema), maker.value(schema))
        case = {"schema": schema, "bytes": written.getvalue().hex()}
        reader = maker.reader_of(schema) if number % 3 == 0 else schema
        if reader is not schema:
            case["reader"] = reader
        value = fastavro.schemaless_reader(io.BytesIO(written.getvalue()), fastavro.parse_schema(schema),
                                           fastavro.parse_schema(reader))
        row = {}
        columns(reader, value, "", row)
        case["row"] = row
        print(json.dumps(case))


if __name__ == "__main__":
    main()
