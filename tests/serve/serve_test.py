#!/usr/bin/env python3
"""The real server as its users and its enemies meet it.

serve_test.py SHADUF [CASE...] starts `shaduf serve` on a free port in a folder of its own for each case, and ends it by
its process id. Nothing waits by the clock: what takes time is waited for, with an end.
"""
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

PATIENCE = 60
PASSWORD = "correct horse"
FLOW = """
tasks:
  first: {shell: "echo hello from first"}
  second:
    depends_on: [first]
    shell: "echo second says so; echo to stderr >&2"
"""
ENDLESS = 'tasks:\n  wait: {shell: "echo begun; exec sleep 600"}\n'


class Server:
    """A project of its own, and the server on it."""

    def __init__(self, shaduf, folder, *arguments):
        self.shaduf, self.folder, self.process = shaduf, pathlib.Path(folder), None
        self.arguments = arguments
        self.write("shaduf.yml", "name: acme\nenvironments: {dev: {warehouse: local, default: true}}\n"
                                 "connections: {local: {type: duckdb, path: acme.duckdb}}\n")
        self.write("flows/daily.yml", FLOW)
        self.write("flows/endless.yml", ENDLESS)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(self, *words, stdin=""):
        return subprocess.run([self.shaduf, *words], cwd=self.folder, input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def start(self):
        self.process = subprocess.Popen([self.shaduf, "serve", "--port", "0", "--json", *self.arguments],
                                        cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        found = {}
        while "url" not in found:  # what is taken up from before may say something first
            line = self.process.stdout.readline()
            assert line, "it did not start: " + self.process.stderr.read()
            found = json.loads(line)
        self.url = found["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def stop(self, by=signal.SIGTERM):
        if self.process is None:
            return ""
        self.process.send_signal(by)
        said, _ = self.process.communicate(timeout=PATIENCE)
        self.process = None
        return said

    def ask(self, method, path, body=None, headers=None, connection=None):
        """Status, headers and the JSON of an answer (or its text)."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        own.request(method, path, body=body, headers=headers)
        answer = own.getresponse()
        text = answer.read()
        if connection is None:
            own.close()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text.decode("utf-8", "replace")

    def get(self, path, headers=None):
        status, _, body = self.ask("GET", path, headers=headers)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body=None, headers=None, expect=(200, 201, 202, 204)):
        status, _, answer = self.ask("POST", path, body if body is not None else {}, headers)
        assert status in expect, (path, status, answer)
        return answer

    def raw(self, data, end=False):
        """What comes back for these bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            found = b""
            while True:
                try:
                    more = connection.recv(65536)
                except ConnectionResetError:
                    return found
                if not more:
                    return found
                found += more

    def wait_for(self, what, path, good, headers=None):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            body = self.get(path, headers)
            if good(body):
                return body
            select_nothing(0.02)
        raise AssertionError(f"{what} did not come about: {body}")


def select_nothing(seconds):
    """Lets others run for a moment between two looks."""
    socketpair = socket.socketpair()
    try:
        socketpair[0].settimeout(seconds)
        socketpair[0].recv(1)
    except TimeoutError:
        pass
    finally:
        for end in socketpair:
            end.close()


class Events:
    """A stream of events."""

    def __init__(self, server, path, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        self.connection.request("GET", path, headers=headers or {})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        """The next event, as (type, id, data); comments are passed over."""
        event = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line == "" and "data" in event:
                return event["event"], event.get("id"), json.loads(event["data"])
            if ": " in line and not line.startswith(":"):
                name, value = line.split(": ", 1)
                event[name] = value

    def until(self, good):
        while True:
            found = self.next()
            if good(*found):
                return found

    def close(self):
        self.connection.close()


def is_over(run):
    return run["state"] not in ("queued", "running")


def case_a_day_of_a_flow(server):
    server.start()
    me = server.get("/api/v1/me")
    assert (me["name"], me["role"], me["needs_sign_in"]) == ("local", "admin", False), me
    events = Events(server, "/api/v1/events?topics=runs,flows")
    asked = server.post("/api/v1/flows/daily/runs", {"inputs": {}}, {"Idempotency-Key": "one"})
    again = server.post("/api/v1/flows/daily/runs", {"inputs": {}}, {"Idempotency-Key": "one"})
    assert asked["is_new"] and not again["is_new"] and asked["run"] == again["run"], (asked, again)
    _, last, event = events.until(lambda kind, _, data: kind == "run" and is_over(data["run"]))
    assert event["run"]["id"] == asked["run"] and event["run"]["state"] == "succeeded", event
    assert event["run"]["tasks"]["succeeded"] == 2, event
    events.close()
    run = server.get("/api/v1/runs/" + asked["run"])
    assert [task["state"] for task in run["tasks"]] == ["succeeded"] * 2, run
    log = server.get(f"/api/v1/runs/{asked['run']}/tasks/second/log")
    assert any("second says so" in line["text"] for line in log["lines"]) and log["complete"], log
    text = server.get(f"/api/v1/runs/{asked['run']}/tasks/first/log.txt")
    assert "hello from first" in text, text
    # Another client goes on behind what it has seen.
    events = Events(server, "/api/v1/events?topics=runs", {"Last-Event-ID": last})
    second = server.post("/api/v1/flows/daily/runs")["run"]
    kind, _, data = events.next()
    assert kind == "run" and data["run"]["id"] == second, (kind, data)
    events.close()
    assert server.get("/api/v1/flows/daily")["last_runs"][0]["id"] == second


def case_cancel_and_run_again(server):
    server.start()
    run = server.post("/api/v1/flows/endless/runs")["run"]
    path = "/api/v1/runs/" + run
    server.wait_for("the line", path + "/tasks/wait/log",
                    lambda log: any("begun" in line["text"] for line in log["lines"]))
    server.post(path + "/cancel")
    server.wait_for("the end", path, lambda found: found["state"] == "killed")
    status, _, answer = server.ask("POST", path + "/cancel", {})
    assert status == 409, answer
    actions = [entry["action"] for entry in server.get("/api/v1/audit")["items"]]
    assert actions == ["run.cancel.failed", "run.cancel", "run.cancel", "flow.run"], actions
    assert server.get("/api/v1/audit/verify")["ok"]
    verified = server.command("audit", "verify")
    assert verified.returncode == 0 and verified.stdout.startswith("ok: 4 lines"), verified


def case_sign_in(server):
    made = server.command("users", "add", "ada", "--role", "viewer", stdin=PASSWORD + "\n")
    assert made.returncode == 2 and "first user must be an admin" in made.stderr, made
    made = server.command("users", "add", "ada", "--role", "admin", stdin="short\n")
    assert made.returncode == 2 and "too short" in made.stderr, made
    for name, role in (("ada", "admin"), ("vic", "viewer")):
        made = server.command("users", "add", name, "--role", role, stdin=PASSWORD + "\n")
        assert made.returncode == 0, made
    server.start()
    assert server.ask("GET", "/api/v1/runs")[0] == 401
    assert server.get("/api/v1/me")["role"] == "nobody"
    assert "project" not in server.get("/api/v1/me")
    sessions = {}
    for name in ("ada", "vic"):
        status, headers, answer = server.ask("POST", "/api/v1/session", {"name": name, "password": PASSWORD})
        assert status == 200, answer
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
        sessions[name] = {"Cookie": cookie.split(";")[0], "X-CSRF-Token": answer["csrf"]}
    ada, vic = sessions["ada"], sessions["vic"]
    assert server.ask("POST", "/api/v1/session", {"name": "ada", "password": "wrong horse"})[0] == 401
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, vic)[0] == 403  # the role
    without = {"Cookie": ada["Cookie"]}
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, without)[0] == 403  # the token
    mixed = {"Cookie": ada["Cookie"], "X-CSRF-Token": vic["X-CSRF-Token"]}
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, mixed)[0] == 403
    foreign = {**ada, "Origin": "http://evil.example"}
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, foreign)[0] == 403
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, {**ada, "Sec-Fetch-Site": "cross-site"})[0] == 403
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, ada)[0] == 201
    token = server.post("/api/v1/tokens", {"name": "ci", "role": "operator"}, ada)["token"]
    bearer = {"Authorization": "Bearer " + token}
    assert server.ask("POST", "/api/v1/flows/daily/runs", {}, bearer)[0] == 201
    assert server.ask("GET", "/api/v1/users", None, bearer)[0] == 403
    # A password that is changed elsewhere ends the session here.
    assert server.command("users", "passwd", "vic", stdin="another horse\n").returncode == 0
    assert server.ask("GET", "/api/v1/runs", None, vic)[0] == 401
    assert server.ask("DELETE", "/api/v1/session", None, ada)[0] == 204
    assert server.ask("GET", "/api/v1/runs", None, ada)[0] == 401
    said = server.command("audit", "ls").stdout
    assert "session.refused" in said and "token.add" in said and PASSWORD not in said, said


def case_locks_out(server):
    server.command("users", "add", "ada", "--role", "admin", stdin=PASSWORD + "\n")
    server.start()
    wrong = {"name": "ada", "password": "wrong horse"}
    statuses = [server.ask("POST", "/api/v1/session", wrong)[0] for _ in range(5)]
    assert statuses == [401] * 5, statuses
    status, headers, _ = server.ask("POST", "/api/v1/session", {"name": "ada", "password": PASSWORD})
    assert status == 429 and int(headers["Retry-After"]) >= 1, (status, headers)


def case_who_is_not_let_in(server):
    refused = server.command("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2 and "shaduf users add" in refused.stderr, refused
    refused = server.command("serve", "--tls-cert", "x.pem")
    assert refused.returncode == 2 and "--tls-key" in refused.stderr, refused
    server.start()
    for host in ("evil.example", "evil.example:%d" % server.port, "127.0.0.1.evil.example"):
        assert server.ask("GET", "/api/v1/me", headers={"Host": host})[0] == 421, host
    assert server.ask("GET", "/api/v1/me", headers={"Host": "localhost:%d" % server.port})[0] == 200
    second = server.command("serve", "--port", "0")
    assert second.returncode != 0, "two servers of one project"


def case_hostile_requests(server):
    (server.folder / "secret.txt").write_text("s3cret", encoding="utf-8")
    server.start()
    host = b"Host: localhost\r\nConnection: close\r\n\r\n"
    for path in (b"/../secret.txt", b"/assets/../../secret.txt", b"/%2e%2e/secret.txt", b"/..%2fsecret.txt",
                 b"//secret.txt", b"/assets/%2e%2e/%2e%2e/secret.txt", b"/api/v1/runs/../../../secret.txt"):
        answer = server.raw(b"GET " + path + b" HTTP/1.1\r\n" + host)
        assert answer and b"s3cret" not in answer, (path, answer)
    assert b" 400 " in server.raw(b"GET /api/v1/runs/%2e%2e HTTP/1.1\r\n" + host).split(b"\r\n")[0]
    big = b"x" * (3 << 20)
    head = b"POST /api/v1/flows/daily/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = server.raw(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(big) + big)
    assert b" 413 " in answer.split(b"\r\n")[0], answer[:200]
    for body, status in ((b"{", 400), (b"[" * 100000, 400), (b'{"inputs": 5}', 400), (b"\xff", 400),
                         (b'{"inputs": {}, "more": 1}', 400)):
        answer = server.raw(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert b" %d " % status in answer.split(b"\r\n")[0], (body[:20], answer[:200])
    form = head.replace(b"application/json", b"text/plain")
    answer = server.raw(form + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    assert b" 415 " in answer.split(b"\r\n")[0], answer[:200]
    # Heads without an end, and lines without one.
    endless = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(20000))
    assert b" 200 " not in server.raw(endless + b"\r\n", end=True)[:20]
    assert b" 200 " not in server.raw(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + host, end=True)[:20]
    assert b" 200 " not in server.raw(b"\x00\x01\x02\r\n\r\n", end=True)[:20]
    status, headers, _ = server.ask("GET", "/")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"], headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert server.get("/healthz") == "ok\n"


def case_slow_clients_take_no_place(server):
    server.start()
    idle = []
    for i in range(150):  # each has begun a request that does not end
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        connection.sendall(b"GET /api/v1/runs HTTP/1.1\r\nHost: loc" if i % 2 else b"P")
        idle.append(connection)
    events = [Events(server, "/api/v1/events?topics=runs") for _ in range(50)]
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    for _ in range(50):
        status, _, _ = server.ask("GET", "/api/v1/runs", connection=kept)
        assert status == 200
    run = server.post("/api/v1/flows/daily/runs")["run"]
    for stream in events:
        stream.until(lambda kind, _, data: kind == "run" and data["run"]["id"] == run and is_over(data["run"]))
        stream.close()
    for connection in idle:
        connection.close()


def case_takes_up_changes(server):
    server.start()
    events = Events(server, "/api/v1/events?topics=project")
    server.write("flows/extra.yml", FLOW)
    kind, _, first = events.next()
    assert kind == "project", kind
    server.wait_for("the flow", "/api/v1/flows", lambda page: "extra" in [flow["name"] for flow in page["items"]])
    server.write("flows/extra.yml", "tasks: {first: {shel: x}}\n")
    _, _, second = events.until(lambda kind, _, data: data["version"] > first["version"])
    me = server.wait_for("the error", "/api/v1/me", lambda found: found["config_errors"])
    assert me["config_errors"][0]["file"].endswith("flows/extra.yml"), me
    assert "extra" in [flow["name"] for flow in server.get("/api/v1/flows")["items"]], "the last good one goes on"
    server.write("flows/extra.yml", FLOW)
    server.wait_for("no error", "/api/v1/me", lambda found: not found["config_errors"])
    events.close()


def case_ends_gracefully(server):
    server.arguments = ("--drain", "1s")
    server.start()
    events = Events(server, "/api/v1/events?topics=runs")
    run = server.post("/api/v1/flows/endless/runs")["run"]
    events.until(lambda kind, _, data: kind == "run" and data["run"]["state"] == "running")
    said = server.stop()
    lines = [json.loads(line) for line in said.splitlines()]
    assert any(line.get("run") == run and line.get("task") == "wait" for line in lines), lines
    assert any("ending" in line["text"] for line in lines), lines
    # What was left is taken up again by the next one.
    server.start()
    found = server.get("/api/v1/runs/" + run)
    assert found["state"] in ("running", "failed", "killed", "queued"), found


def case_tls(server):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out",
                           "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                           "subjectAltName=DNS:localhost,IP:127.0.0.1"], cwd=server.folder, capture_output=True,
                          check=False)
    assert made.returncode == 0, made
    server.arguments = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    server.command("users", "add", "ada", "--role", "admin", stdin=PASSWORD + "\n")
    server.start()
    assert server.url.startswith("https://"), server.url
    trusted = ssl.create_default_context(cafile=str(server.folder / "cert.pem"))
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=PATIENCE, context=trusted)
    status, headers, _ = server.ask("POST", "/api/v1/session", {"name": "ada", "password": PASSWORD},
                                    connection=connection)
    assert status == 200 and headers["Set-Cookie"].startswith("__Host-"), headers
    assert "Secure" in headers["Set-Cookie"] and headers["Strict-Transport-Security"], headers
    cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
    status, _, page = server.ask("GET", "/api/v1/openapi.json", headers=cookie, connection=connection)
    assert status == 200 and len(json.dumps(page)) > 20000
    plain = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"200" not in plain, plain
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        http.client.HTTPSConnection("localhost", server.port, timeout=PATIENCE, context=old).request("GET", "/healthz")
        raise AssertionError("TLS 1.1 was spoken")
    except (ssl.SSLError, OSError):
        pass


CASES = {name[5:]: value for name, value in globals().items() if name.startswith("case_")}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return
    shaduf = os.path.abspath(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        with tempfile.TemporaryDirectory(prefix="shaduf-serve-") as folder:
            server = Server(shaduf, folder)
            try:
                CASES[name](server)
                print("ok", name, flush=True)
            finally:
                if server.process is not None:
                    server.process.kill()
                    said = server.process.communicate(timeout=PATIENCE)
                    if sys.exc_info()[0] is not None:
                        print("\n".join(said), file=sys.stderr)


if __name__ == "__main__":
    main()
