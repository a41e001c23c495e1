#!/usr/bin/env python3
"""Writes user events as NDJSON, about one line in a hundred bad on purpose.

make_events.py [LINES] [SEED] prints the same lines for the same arguments, on any machine.
"""
import json
import random
import sys
from datetime import datetime, timedelta, timezone

PRODUCTS = [("Wireless Mouse", "SKU-1001"), ("Keyboard", "SKU-1002"), ("Monitor", "SKU-1003"),
            ("Webcam", "SKU-1004"), ("Desk Lamp", "SKU-1005"), ("Headphones", "SKU-1006"), ("USB Hub", "SKU-1007"),
            ("Laptop Stand", "SKU-1008")]
NAMES = ["view"] * 7 + ["add_to_cart"] * 2 + ["purchase"]
START = datetime(2023, 10, 23, tzinfo=timezone.utc)


def event(random_source, number, count):
    """One good event; the data set spans four days whatever its size."""
    name, sku = random_source.choice(PRODUCTS)
    moment = START + timedelta(seconds=number * 4 * 86400 / count)
    fields = {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "event_name": random_source.choice(NAMES)}
    fields["user_identifiers"] = {"platform": random_source.choice(["web", "ios", "android"]),
                                  "id": f"user_{random_source.randrange(1, 500):05d}"}
    if random_source.random() < 0.9:
        fields["product_information"] = {"name": name, "SKU": sku}
    return fields


def spoiled(fields, kind):
    """The line of an event, made bad in one of several ways."""
    if kind == 0:
        return json.dumps(fields)[:-20]  # cut short
    if kind == 1:
        return json.dumps({**fields, "timestamp": "yesterday at noon"})
    if kind == 2:
        return json.dumps({**fields, "user_identifiers": {"platform": "web", "id": None}})
    if kind == 3:
        return json.dumps({**fields, "event_name": "veiw"})
    if kind == 4:
        return json.dumps({**fields, "product_information": {"name": "Mystery", "SKU": "none"}})
    return "not JSON at all"


def main(count, seed):
    random_source = random.Random(seed)
    bad = 0
    for number in range(count):
        fields = event(random_source, number, count)
        if number % 100 == 57:
            print(spoiled(fields, bad % 6))
            bad += 1
        else:
            print(json.dumps(fields, separators=(",", ":")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
