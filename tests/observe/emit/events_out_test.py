#!/usr/bin/env python3
"""Who is told of runs is told: events_out_test.py SHADUF.

A real server loads a table and builds a model over it; a stand-in takes what it posts to OpenLineage and OpenTelemetry,
refuses the first message, and is looked at: the runs are there, with tables, columns and errors, no secret is, and the
clients of those who wrote the formats (.deps/judges) have nothing to object to.
"""
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/serve"))
from serve_test import PATIENCE, Server, select_nothing  # noqa: E402

SECRET = "s3cret-token-of-lineage"
JUDGE = ROOT / ".deps/judges/bin/python"


class StandIn:
    """Takes what is posted, by path; refuses the first once."""

    def __init__(self):
        self.bodies, self.headers, refused = {}, {}, []
        own = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if not refused:
                    refused.append(self.path)
                    self.send_response(503)
                else:
                    own.bodies.setdefault(self.path, []).append(body)
                    own.headers[self.path] = dict(self.headers)
                    self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, path, good):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = [json.loads(body) for body in self.bodies.get(path, [])]
            if good(found):
                return found
            select_nothing(0.05)
        raise AssertionError(f"{path}: {self.bodies}")


def make_project(server, url):
    server.write("shaduf.yml", "name: acme\nenvironments: {dev: {warehouse: local, default: true}}\n"
                               "connections:\n  local: {type: duckdb, path: acme.duckdb}\n"
                               "  folder: {type: files, path: data}\n"
                               f"observe:\n  openlineage: {{url: \"{url}\", token: \"${{env:LINEAGE_TOKEN}}\"}}\n"
                               f"  otlp: {{endpoint: \"{url}\", headers: {{x-api-key: \"${{env:LINEAGE_TOKEN}}\"}}}}\n")
    server.write(".env", f"LINEAGE_TOKEN={SECRET}\n")
    server.write("data/orders.csv", "id,total\n1,10\n2,20\n3,30\n")
    server.write("pipelines/shop.yml", "source: folder\nsink: warehouse\nschema: raw\nstreams:\n"
                                       "  orders: {files: orders.csv, mode: full_refresh}\n")
    server.write("dbt_project.yml", "name: acme\nversion: '1.0'\nmodel-paths: [models]\n")
    server.write("models/sources.yml", "sources:\n  - name: raw\n    schema: raw\n    tables:\n"
                                       "      - {name: orders, columns: [{name: id}, {name: total}]}\n")
    server.write("models/sums.sql", "select id, sum(total) as total from {{ source('raw', 'orders') }} group by 1\n")
    server.write("flows/bad.yml", "tasks:\n  fail: {shell: \"echo no >&2; exit 3\"}\n")


def judge(kind, bodies):
    if not JUDGE.exists():
        print(f"{kind}: no client of theirs, so our own rules judge it alone; scripts/setup --extras installs it")
        return
    done = subprocess.run([str(JUDGE), str(ROOT / "tests/observe/emit/judges.py"), kind], input="\n".join(bodies),
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_lineage(events):
    by_name = {(event["eventType"], event["job"]["name"]): event for event in events}
    assert by_name["COMPLETE", "shop"]["run"]["runId"] == by_name["START", "shop"]["run"]["runId"]
    load = by_name["COMPLETE", "shop.load"]
    assert load["inputs"][0]["namespace"] == "files://folder" and load["inputs"][0]["name"] == "orders", load
    assert load["outputs"][0]["name"] == "raw.orders", load
    assert load["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3, load
    models = by_name["COMPLETE", "shop.models"]
    written = models["outputs"][0]
    assert written["name"].endswith(".sums"), models
    assert models["inputs"][0]["name"] == "raw.orders", models
    fields = written["facets"]["columnLineage"]["fields"]
    assert fields["total"]["inputFields"][0]["field"] == "total", fields
    assert fields["total"]["inputFields"][0]["transformations"][0]["subtype"] == "AGGREGATION", fields
    assert by_name["FAIL", "bad.fail"]["run"]["facets"]["errorMessage"]["message"], by_name
    assert ("FAIL", "bad") in by_name


def check_traces(requests):
    spans = [span for request in requests for span in request["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    names = {span["name"] for span in spans}
    assert {"shop", "load", "models", "shop.orders", "model.acme.sums", "bad", "fail"} <= names, names
    of_shop = next(span for span in spans if span["name"] == "shop")
    load = next(span for span in spans if span["name"] == "load")
    assert load["parentSpanId"] == of_shop["spanId"] and load["traceId"] == of_shop["traceId"]
    assert next(span for span in spans if span["name"] == "fail")["status"]["code"] == 2


def main():
    stand_in = StandIn()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(sys.argv[1], folder)
        make_project(server, stand_in.url)
        try:
            server.start()
            server.post("/api/v1/flows/shop/runs")
            server.post("/api/v1/flows/bad/runs")
            events = stand_in.wait_for("/api/v1/lineage", lambda found: {"shop", "bad"} <= {
                event["job"]["name"] for event in found if event["eventType"] in ("COMPLETE", "FAIL")})
            traces = stand_in.wait_for("/v1/traces", lambda found: len(found) >= 2)
            metrics = server.get("/metrics")
            judge("openmetrics", [server.ask("GET", "/metrics",
                                             headers={"Accept": "application/openmetrics-text"})[2]])
        finally:
            said = server.stop()
    check_lineage(events)
    check_traces(traces)
    judge("openlineage", stand_in.bodies["/api/v1/lineage"])
    judge("otlp", stand_in.bodies["/v1/traces"])
    assert stand_in.headers["/api/v1/lineage"]["Authorization"] == "Bearer " + SECRET
    assert stand_in.headers["/v1/traces"]["x-api-key"] == SECRET
    assert 'shaduf_events_dropped_total{target="openlineage"} 0' in metrics, metrics
    assert SECRET not in said and SECRET not in json.dumps(stand_in.bodies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
