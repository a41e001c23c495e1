#!/usr/bin/env python3
"""How quick and how large the server is: serve_load.py SHADUF

A project of 500 pipelines, idle: its resident memory. Then 200 clients, each with a kept connection that asks for
/api/v1/runs every half second, and 50 streams of events, while runs are begun all the time: how long answers take.
Prints a table and, as its last line, one JSON object.
"""
import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

PIPELINE = """source: {{type: duckdb, path: source.duckdb}}
sink: warehouse
schedule: "17 3 * * *"
streams:
  orders_{n}: {{mode: full_refresh}}
"""
FLOW = 'tasks:\n  one: {shell: "true"}\n  two: {depends_on: [one], shell: "true"}\n'
LIMITS = {"api_p99_ms": 50, "idle_rss_mb": 100}


def make_project(folder, pipelines):
    (folder / "shaduf.yml").write_text("name: load\nenvironments: {dev: {warehouse: local, default: true}}\n"
                                       "connections: {local: {type: duckdb, path: w.duckdb}}\n")
    (folder / "pipelines").mkdir()
    (folder / "flows").mkdir()
    for n in range(pipelines):
        (folder / "pipelines" / f"p{n:04}.yml").write_text(PIPELINE.format(n=n))
    (folder / "flows" / "busy.yml").write_text(FLOW)


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return 0


async def ask(reader, writer, method, path, body=b""):
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    status = int((await reader.readline()).split()[1])
    length = 0
    while (line := await reader.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, await reader.readexactly(length)


async def poll(port, until, every, late, took, wrong):
    await asyncio.sleep(late)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    while time.monotonic() < until:
        begin = time.monotonic()
        status, _ = await ask(reader, writer, "GET", "/api/v1/runs")
        took.append(time.monotonic() - begin)
        if status != 200:
            wrong.append(status)
        await asyncio.sleep(max(0, every - (time.monotonic() - begin)))
    writer.close()


async def follow(port, until, events):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(b"GET /api/v1/events?topics=runs HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while (left := until - time.monotonic()) > 0:
        try:
            line = await asyncio.wait_for(reader.readline(), left)
        except asyncio.TimeoutError:
            break
        if line.startswith(b"event: run"):
            events.append(1)
    writer.close()


async def begin_runs(port, until, every, begun):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        status, _ = await ask(reader, writer, "POST", "/api/v1/flows/busy/runs", b"{}")
        begun.append(status)
        await asyncio.sleep(every)
    writer.close()


async def load(port, options):
    took, wrong, events, begun = [], [], [], []
    until = time.monotonic() + options.seconds
    # Clients do not know of each other: their calls are spread over the time between two of one.
    tasks = [poll(port, until, options.every, options.every * n / options.clients, took, wrong)
             for n in range(options.clients)]
    tasks += [follow(port, until, events) for _ in range(options.streams)]
    tasks.append(begin_runs(port, until, 0.1, begun))
    await asyncio.gather(*tasks)
    return sorted(took), wrong, events, begun


@contextlib.contextmanager
def started(shaduf, folder):
    """A server of the folder, as its process and port; ended behind it."""
    with subprocess.Popen([os.path.abspath(shaduf), "serve", "--port", "0", "--json", "--quiet"], cwd=folder,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            while line and '"url"' not in line:
                line = process.stdout.readline()
            if not line:
                sys.exit("it did not start")
            yield process, int(json.loads(line)["url"].rsplit(":", 1)[1])
        finally:
            process.terminate()
            process.communicate(timeout=120)


def measure(options):
    """Figures by name."""
    with tempfile.TemporaryDirectory(prefix="shaduf-load-") as name:
        folder = pathlib.Path(name)
        make_project(folder, options.pipelines)
        begin = time.monotonic()
        with started(options.shaduf, folder) as (process, port):
            start = time.monotonic() - begin
            time.sleep(2)
            idle = resident_mb(process.pid)
            took, wrong, events, begun = asyncio.run(load(port, options))
            busy = resident_mb(process.pid)
    return {"start_s": round(start, 2), "idle_rss_mb": round(idle, 1), "busy_rss_mb": round(busy, 1),
            "api_calls_a_second": round(len(took) / options.seconds),
            "api_p50_ms": round(took[len(took) // 2] * 1000, 1),
            "api_p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1), "api_max_ms": round(took[-1] * 1000, 1),
            "api_errors": len(wrong), "runs_begun": len(begun), "events_told": len(events)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shaduf")
    parser.add_argument("--pipelines", type=int, default=500)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--every", type=float, default=0.5)
    parser.add_argument("--seconds", type=float, default=20)
    figures = measure(parser.parse_args())
    for name, value in figures.items():
        print(f"{name:20} {value}")
    short = [name for name, most in LIMITS.items() if figures[name] > most]
    print(json.dumps({"bench": "serve_load", "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                      "figures": figures, "short": short}))


if __name__ == "__main__":
    main()
