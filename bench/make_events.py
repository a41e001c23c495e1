#!/usr/bin/env python3
"""make_events.py LINES FILE: writes user-action events as NDJSON, the same ones for the same count on any machine.

They are as a web shop would log them: thirty days in the order of arrival, each event up to two hours late; a million
users, a thousand products, one event in eight without a product. No two lines are alike.
"""
import os
import sys
from datetime import datetime, timedelta, timezone

DAYS = 30
DELAY_MAX_SECONDS = 7200
USERS = 1_000_000
START = datetime(2023, 10, 1, tzinfo=timezone.utc)
NAMES = ("view",) * 10 + ("add_to_cart",) * 4 + ("purchase",) * 2
PLATFORMS = ("web", "ios", "android", "web")
ADJECTIVES = ("Wireless", "Quiet", "Compact", "Folding", "Solar", "Smart", "Classic", "Heavy", "Tiny", "Blue")
THINGS = ("Mouse", "Keyboard", "Monitor", "Webcam", "Desk Lamp", "Headphones", "USB Hub", "Laptop Stand", "Speaker",
          "Charger")
LINES_AT_ONCE = 100_000


def products():
    texts = []
    for i in range(1000):
        name = f"{ADJECTIVES[i % 10]} {THINGS[i // 10 % 10]} {i // 100 + 1}"
        texts.append(f',"product_information":{{"name":"{name}","SKU":"SKU-{i:04d}"}}}}\n')
    return texts


def mixed(number):
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): neighbours give unlike bits."""
    bits = (number + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return bits ^ bits >> 31


def days():
    return [(START + timedelta(days=day)).strftime("%Y-%m-%d") for day in range(-1, DAYS + 1)]


def lines(count):
    texts, dates = products(), days()
    clock = [f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for s in range(86400)]
    for number in range(count):
        bits = mixed(number)
        second = number * DAYS * 86400 // count - bits % DELAY_MAX_SECONDS + 86400
        # A user comes back after a million lines only, and their steps of time are never the same.
        user = number * 7919 % USERS
        product = "}\n" if bits >> 20 & 7 == 0 else texts[(bits >> 23) % 1000]
        yield (f'{{"timestamp":"{dates[second // 86400]}{clock[second % 86400]}",'
               f'"event_name":"{NAMES[bits >> 40 & 15]}",'
               f'"user_identifiers":{{"platform":"{PLATFORMS[bits >> 44 & 3]}","id":"user_{user:06d}"}}{product}')


def main(count, path):
    beside = path + ".part"
    with open(beside, "w", encoding="ascii") as out:
        batch = []
        for line in lines(count):
            batch.append(line)
            if len(batch) == LINES_AT_ONCE:
                out.write("".join(batch))
                batch.clear()
        out.write("".join(batch))
    os.replace(beside, path)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
