#!/usr/bin/env python3
"""A real Prometheus scrapes a real server: prometheus_test.py SHADUF.

Both listen on free ports of this machine, in a folder of their own, and end by their process ids. With the rules of
deploy/ loaded, the target comes up, what the server has done can be queried, and promtool finds nothing to object to in
either format. The server has a user, so that Prometheus needs the token that it is given.
"""
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/serve"))
from serve_test import PASSWORD, PATIENCE, Server, select_nothing  # noqa: E402

CSV = "id,total\n1,10\n2,20\n3,30\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_project(server):
    server.write("shaduf.yml", "name: acme\nenvironments: {dev: {warehouse: local, default: true}}\n"
                               "connections:\n  local: {type: duckdb, path: acme.duckdb}\n"
                               "  folder: {type: files, path: data}\n")
    server.write("data/orders.csv", CSV)
    server.write("pipelines/shop.yml", "source: folder\nsink: warehouse\nschema: raw\nstreams:\n"
                                       "  orders: {files: orders.csv, mode: full_refresh}\n")


class Prometheus:
    def __init__(self, folder, target, token):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        (self.folder / "token").write_text(token)
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{ROOT}/deploy/prometheus/rules.yml]\n"
            "scrape_configs:\n  - job_name: shaduf\n    authorization: {credentials_file: token}\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "w", encoding="utf-8"))

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert answer["status"] == "success", answer
        return answer["data"]

    def wait_for(self, what, path, good):
        until = time.monotonic() + PATIENCE
        found = None
        while time.monotonic() < until:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                found = self.ask(path)
                if good(found):
                    return found
            except (OSError, ValueError, AssertionError):
                pass  # it is starting
            select_nothing(0.1)
        raise AssertionError(f"{what} did not come about: {found}; {(self.folder / 'log').read_text()[-2000:]}")

    def value(self, query, good):
        data = self.wait_for(query, "/api/v1/query?" + urllib.parse.urlencode({"query": query}),
                             lambda found: found["result"] and good(float(found["result"][0]["value"][1])))
        return float(data["result"][0]["value"][1])

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)


def check_scrape(server, prometheus):
    target = prometheus.wait_for("the target", "/api/v1/targets", lambda found: any(
        one["health"] == "up" for one in found["activeTargets"]))["activeTargets"][0]
    assert target["lastError"] == "", target
    prometheus.value('sum(shaduf_runs_total{flow="shop",state="succeeded"})', lambda value: value == 1)
    prometheus.value('shaduf_rows_written_total{pipeline="shop",stream="orders"}', lambda value: value == 3)
    prometheus.value('shaduf_table_age_seconds{table="raw.orders"}', lambda value: 0 <= value < 3600)
    prometheus.value("process_resident_memory_bytes", lambda value: value > 1e6)
    prometheus.value("shaduf_leader", lambda value: value == 1)
    prometheus.value('sum(shaduf_http_requests_total{route="metrics",code="200"})', lambda value: value >= 1)
    rules = prometheus.ask("/api/v1/rules")["groups"][0]["rules"]
    assert all(rule["health"] in ("ok", "unknown") for rule in rules), rules
    prometheus.wait_for("all rules", "/api/v1/rules", lambda found: all(
        rule["health"] == "ok" for rule in found["groups"][0]["rules"]))


def check_formats(server, token):
    """Both formats, by those who wrote them."""
    headers = {"Authorization": "Bearer " + token}
    plain = server.ask("GET", "/metrics", headers=headers)[2]
    done = subprocess.run(["promtool", "check", "metrics"], input=plain, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stdout + done.stderr
    status, found, text = server.ask("GET", "/metrics", headers={**headers, "Accept": "application/openmetrics-text"})
    assert status == 200 and found["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"), found
    assert text.endswith("# EOF\n")


def check_access(server, token):
    assert server.ask("GET", "/metrics")[0] == 401
    assert server.ask("GET", "/metrics", headers={"Authorization": "Bearer no"})[0] == 401
    status, headers, _ = server.ask("GET", "/metrics", headers={"Authorization": "Bearer " + token})
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert server.ask("POST", "/metrics", headers={"Authorization": "Bearer " + token})[0] == 405
    assert server.ask("GET", "/healthz")[0] == 200
    server.stop()
    server.arguments = ("--metrics-open",)
    server.start()
    assert server.ask("GET", "/metrics")[0] == 200
    assert server.ask("GET", "/api/v1/runs")[0] == 401


def main():
    missing = [program for program in ("prometheus", "promtool") if shutil.which(program) is None]
    if missing:
        print(f"skipped: no {' and no '.join(missing)}; scripts/setup --extras installs Debian's prometheus")
        return 77
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as own:
        server = Server(sys.argv[1], folder)
        make_project(server)
        added = server.command("users", "add", "ada", "--role", "admin", stdin=PASSWORD + "\n")
        assert added.returncode == 0, added.stderr
        prometheus = None
        try:
            server.start()
            status, headers, me = server.ask("POST", "/api/v1/session", {"name": "ada", "password": PASSWORD})
            assert status == 200, me
            signed_in = {"Cookie": headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": me["csrf"]}
            token = server.post("/api/v1/tokens", {"name": "prometheus", "role": "viewer"}, signed_in)["token"]
            server.post("/api/v1/flows/shop/runs", {}, signed_in)
            prometheus = Prometheus(own, server.port, token)
            check_scrape(server, prometheus)
            check_formats(server, token)
            check_access(server, token)
        finally:
            if prometheus is not None:
                prometheus.stop()
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
