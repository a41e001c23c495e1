#!/usr/bin/env python3
"""What must not work, tried on the real server: security_test.py SHADUF [CASE...], status 77 when a part is not there.

Each case has a server and a folder of its own (serve_test.py). Who may do what is read from the server's own
description of its API, so that a call that comes later is tried as well.
"""
import concurrent.futures
import csv
import http.client
import io
import json
import os
import pathlib
import re
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from postgres import Postgres  # noqa: E402
from serve_test import PASSWORD, PATIENCE, Server, is_over  # noqa: E402

SKIPPED = 77
ROLES = ["nobody", "viewer", "editor", "operator", "admin"]
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"


class Skipped(Exception):
    pass


def add_users(server):
    """A user of each role, named like it; the first must be an admin."""
    for role in reversed(ROLES[1:]):
        made = server.command("users", "add", role, "--role", role, stdin=PASSWORD + "\n")
        assert made.returncode == 0, made


def sign_in(server, name):
    status, headers, answer = server.ask("POST", "/api/v1/session", {"name": name, "password": PASSWORD})
    assert status == 200, answer
    return {"Cookie": headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer["csrf"]}


def example_of(schema, description, depth=0):
    """A value that the schema takes."""
    if "$ref" in schema:
        return example_of(description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], description, depth)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        wanted = schema.get("required", [])
        return {name: example_of(schema["properties"][name], description, depth + 1) for name in wanted}
    if kind == "array":
        return [example_of(schema["items"], description, depth + 1)] if depth < 4 else []
    if schema.get("format") == "date-time":
        return "2026-01-02T03:04:05Z"
    return {"string": "zzz-none", "integer": 1, "number": 1, "boolean": True}.get(kind)


def calls_of(server, headers=None):
    """(method, path with parameters filled in, body or None, role) of each call of the description."""
    description = server.get("/api/v1/openapi.json", headers)
    calls = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            body = None
            if "requestBody" in operation:
                body = example_of(operation["requestBody"]["content"]["application/json"]["schema"], description)
            filled = re.sub(r"\{[a-z]+\}", "zzz-none", path)
            calls.append((method.upper(), filled, body, operation["x-role"]))
    assert len(calls) > 45, len(calls)
    return calls


def status_of(server, method, path, body=None, headers=None, content_type="application/json"):
    """The status alone: streams of events have no end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = dict(headers or {})
    data = None
    if body is not None:
        headers["Content-Type"] = content_type
        data = json.dumps(body)
    connection.request(method, path, body=data, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def head(method, path, *lines):
    return b" ".join([method, path, b"HTTP/1.1\r\n"]) + HOST + b"".join(line + b"\r\n" for line in lines)


def answers_in(data):
    """The statuses of the answers that these bytes are."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def case_each_role_may_what_it_may(server):
    add_users(server)
    server.start()
    admin = sign_in(server, "admin")
    tokens = {"nobody": {}}
    for role in ROLES[1:]:
        made = server.post("/api/v1/tokens", {"name": role, "role": role}, admin)
        tokens[role] = {"Authorization": "Bearer " + made["token"]}
    wrong = []
    for method, path, body, needed in calls_of(server):
        for role in ROLES:
            status = status_of(server, method, path, body, tokens[role])
            is_let_in = ROLES.index(role) >= ROLES.index(needed)
            refused = 401 if role == "nobody" else 403
            # A sign-in with a wrong password is refused as well, by another rule.
            is_sign_in = path == "/api/v1/session" and method == "POST"
            good = status not in (401, 403, 421) and status < 500 if is_let_in else status == refused
            if status == 503 and path.startswith("/api/v1/connections"):
                good = is_let_in
            if not good and not (is_sign_in and status in (401, 429)):
                wrong.append((method, path, role, needed, status))
    assert not wrong, "\n".join(map(str, wrong))


def case_sessions_that_are_none(server):
    add_users(server)
    server.start()
    vera = sign_in(server, "viewer")
    name, secret = vera["Cookie"].split("=", 1)
    assert server.ask("GET", "/api/v1/runs", headers=vera)[0] == 200
    changed = ("A" if secret[0] != "A" else "B") + secret[1:]
    for cookie in ("", "x", changed, secret[:-1], secret + "A", secret.upper(), "' OR 1=1 --", "%00", "A" * 4000,
                   "../../../etc/passwd", "null", "undefined"):
        assert server.ask("GET", "/api/v1/runs", headers={"Cookie": f"{name}={cookie}"})[0] == 401, cookie
    for bearer in ("", "x", "shaduf_", "shaduf_" + "A" * 43, secret, "' OR 1=1 --", "A" * 4000):
        status = server.ask("GET", "/api/v1/runs", headers={"Authorization": "Bearer " + bearer})[0]
        assert status == 401, (bearer, status)
    for scheme in ("Basic YWRtaW46YWRtaW4=", "Digest x", "bearer", "Negotiate x"):
        assert server.ask("GET", "/api/v1/runs", headers={"Authorization": scheme})[0] == 401, scheme
    # The session of another server, which has users of the same names and passwords.
    with tempfile.TemporaryDirectory(prefix="shaduf-serve-") as folder:
        other = Server(server.shaduf, folder)
        add_users(other)
        other.start()
        try:
            foreign = sign_in(other, "admin")
            assert server.ask("GET", "/api/v1/runs", headers=foreign)[0] == 401
        finally:
            other.stop()
    # One that has not been used for too long, and one that is too old although it is used.
    for column, age in (("last_used", 13 * 3600), ("created", 8 * 24 * 3600)):
        old = sign_in(server, "viewer")
        database = sqlite3.connect(server.folder / ".shaduf/users.db", timeout=PATIENCE)
        with database:
            database.execute(f"UPDATE session SET {column} = {column} - ? WHERE account = 'viewer'", (age,))
        database.close()
        assert server.ask("GET", "/api/v1/runs", headers=old)[0] == 401, column
    # What an admin takes away is gone with the next request.
    editor = sign_in(server, "editor")
    admin = sign_in(server, "admin")
    assert server.ask("PATCH", "/api/v1/users/editor", {"role": "viewer"}, admin)[0] == 200
    body = {"base_sha": None, "text": "a: 1\n"}
    assert server.ask("PUT", "/api/v1/files/flows/new.yml", body, editor)[0] in (401, 403)
    assert server.ask("DELETE", "/api/v1/users/editor", None, admin)[0] == 204
    assert server.ask("GET", "/api/v1/runs", headers=editor)[0] == 401


def case_forged_requests(server):
    add_users(server)
    server.start()
    admin, other = sign_in(server, "admin"), sign_in(server, "operator")
    cookie = {"Cookie": admin["Cookie"]}
    own = f"http://127.0.0.1:{server.port}"
    forged = [
        cookie,
        {**cookie, "X-CSRF-Token": ""},
        {**cookie, "X-CSRF-Token": other["X-CSRF-Token"]},
        {**cookie, "X-CSRF-Token": admin["X-CSRF-Token"][:-1]},
        {**cookie, "X-CSRF-Token": admin["X-CSRF-Token"] + "A"},
        {**cookie, "X-CSRF-Token": admin["Cookie"].split("=", 1)[1]},
        {**admin, "Origin": "http://evil.example"},
        {**admin, "Origin": "null"},
        {**admin, "Origin": own + ".evil.example"},
        {**admin, "Origin": "http://127.0.0.1:1"},
        {**admin, "Sec-Fetch-Site": "cross-site"},
        {**admin, "Sec-Fetch-Site": "same-site"},
    ]
    wrong = []
    changes = [call for call in calls_of(server) if call[0] != "GET" and call[3] != "nobody"]
    for method, path, body, _ in changes:
        for headers in forged:
            status = status_of(server, method, path, body, headers)
            if status != 403:
                wrong.append((method, path, headers, status))
        # A form may be sent without asking the server first: its types are no JSON, and so never a change.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            if body is not None and body != {}:
                status = status_of(server, method, path, body, admin, kind)
                if status < 400:
                    wrong.append((method, path, kind, status))
    assert not wrong, "\n".join(map(str, wrong))
    # A hook has no session, but a foreign page cannot call it either.
    hook = "/api/v1/hooks/daily/zzz"
    assert server.ask("POST", hook, {}, {"Origin": "http://evil.example"})[0] == 403
    answer = server.ask("OPTIONS", "/api/v1/runs", None, {"Origin": "http://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer[1], answer[1]
    assert server.ask("POST", "/api/v1/flows/daily/pause", {"paused": True}, {**admin, "Origin": own})[0] == 204


def case_hooks(server):
    server.write("flows/hooked.yml", 'on: {hook: "${secret:hook}"}\ntasks: {one: {shell: "echo {{ inputs.x }}"}}\n')
    server.write(".secrets/hook", "k9fj2-hook-secret")
    os.chmod(server.folder / ".secrets/hook", 0o600)
    os.chmod(server.folder / ".secrets", 0o700)
    add_users(server)
    server.start()
    right = "/api/v1/hooks/hooked/k9fj2-hook-secret"
    refused = [server.ask("POST", path, {"x": 1}) for path in (
        "/api/v1/hooks/hooked/wrong", "/api/v1/hooks/hooked/k9fj2-hook-secre", "/api/v1/hooks/daily/wrong",
        "/api/v1/hooks/none/wrong", "/api/v1/hooks/hooked/%00", "/api/v1/hooks/hooked/k9fj2-hook-secret%00")]
    for status, _, answer in refused[:4]:
        assert status == 404, (status, answer)
    texts = {answer["error"]["message"].replace(name, "?")
             for (_, _, answer), name in zip(refused, ("hooked", "hooked", "daily", "none"))}
    assert len(texts) == 1, texts
    assert all(status in (400, 404) for status, _, _ in refused), refused
    status, _, first = server.ask("POST", right, {"x": 1}, {"X-Delivery-Id": "d-1"})
    assert status == 202, (status, first)
    assert server.ask("POST", right, {"x": 1}, {"X-Delivery-Id": "d-1"})[2] == first, "the same delivery"
    assert server.ask("POST", right, {"x": 1}, {"X-Delivery-Id": "d-2"})[2] != first
    # What cannot be inputs is refused instead of being left out.
    for body, wanted in ((b"[1]", 400), (b"{", 400), (b'"x"', 400), (b"x" * (300 << 10), 413)):
        data = head(b"POST", right.encode(), CLOSE[:-2], b"Content-Type: application/json",
                    b"Content-Length: %d" % len(body)) + b"\r\n" + body
        assert answers_in(server.raw(data)) == [wanted], (body[:10], server.raw(data)[:300])
    admin = sign_in(server, "admin")
    run = server.wait_for("the end", "/api/v1/runs/" + first["run"], is_over, admin)
    assert run["type"] == "event" and run["inputs"] == {"x": 1}, run
    said = server.command("audit", "ls").stdout
    assert "flow.hook" in said and "k9fj2" not in said, said
    assert "k9fj2" not in server.stop(), "the secret is in the log"


def case_no_path_leaves(server):
    outside = server.folder.parent / (server.folder.name + "-outside.yml")
    outside.write_text("s3cret-outside: 1\n", encoding="utf-8")
    server.write("secret.txt", "s3cret-inside")
    server.write(".env", "PASS=s3cret-env\n")
    server.write(".secrets/key", "s3cret-key")
    os.chmod(server.folder / ".secrets/key", 0o600)
    (server.folder / "models").mkdir()
    os.symlink(outside, server.folder / "models/link.yml")
    os.symlink("/etc", server.folder / "models/etc")
    os.symlink(server.folder / ".secrets", server.folder / "flows/keys")
    server.start()
    up, many = "../", "../" * 12
    ways = [many + "etc/passwd", up + outside.name, "/etc/passwd", "//etc/passwd", ".env", ".secrets/key",
            ".shaduf/users.db", ".shaduf/audit.log", "./.env", "flows/../.env", "flows/./../.secrets/key",
            "models/link.yml", "models/etc/passwd", "flows/keys/key", "flows\\..\\.env", "..\\" + outside.name,
            "flows/..;/.env", ".git/config", "flows/\x00.yml", "C:\\windows\\win.ini", "file:///etc/passwd",
            ".secrets", "models/etc", "acme.duckdb", "..", ".", "", "~root/.ssh/id_rsa", "\u2025/.env", "．．/.env"]
    try:
        for way in ways:
            plain = way.encode()
            once = "".join(f"%{byte:02x}" for byte in plain).encode()
            twice = once.replace(b"%", b"%25")
            dots = plain.replace(b".", b"%2e")
            slashes = plain.replace(b"/", b"%2f")
            wide = plain.replace(b".", b"%c0%ae").replace(b"/", b"%c0%af")
            for base in (b"/", b"/assets/", b"/api/v1/files/", b"/api/v1/secrets/", b"/api/v1/runs/",
                         b"/api/v1/flows/", b"/api/v1/pipelines/", b"/api/v1/connections/"):
                for target in {plain, once, twice, dots, slashes, wide}:
                    if b"\r" in target or b" " in target:
                        continue
                    answer = server.raw(head(b"GET", base + target, CLOSE[:-2]) + b"\r\n")
                    assert b"s3cret" not in answer and b"root:" not in answer, (base, target, answer[-300:])
                    assert not any(500 <= status for status in answers_in(answer)), (base, target, answer[:200])
        before = {path: path.read_bytes() for path in server.folder.rglob("*") if path.is_file()
                  and ".shaduf" not in path.parts}
        before[outside] = outside.read_bytes()
        for way in ways:
            target = "/api/v1/files/" + "".join(f"%{byte:02x}" for byte in way.encode())
            for method, body in (("PUT", {"base_sha": None, "text": "overwritten: 1\n"}),
                                 ("PATCH", {"base_sha": None, "edits": [{"path": ["a"], "op": "set", "value": 1}]})):
                status, _, answer = server.ask(method, target, body)
                assert 400 <= status < 500, (method, way, status, answer)
            status, _, answer = server.ask("PUT", "/api/v1/secrets/" + target.rsplit("/", 1)[1], {"value": "x"})
            assert 400 <= status < 500, (way, status, answer)
        for path, content in before.items():
            assert path.read_bytes() == content, path
    finally:
        outside.unlink()


def case_requests_that_are_too_much(server):
    server.start()
    post = b"/api/v1/flows/daily/runs"
    kind = b"Content-Type: application/json"
    told_size = head(b"POST", post, kind, b"Content-Length: 99999999999") + b"\r\n{}"
    assert 200 not in answers_in(server.raw(told_size, end=True)), "a length of 100 GB"
    huge = b"x" * (9 << 20)
    for path in (post, b"/api/v1/files/flows/a.yml", b"/api/v1/query", b"/api/v1/session", b"/api/v1/hooks/a/b"):
        data = head(b"POST", path, kind, CLOSE[:-2], b"Content-Length: %d" % len(huge)) + b"\r\n" + huge
        assert 413 in answers_in(server.raw(data)) or not server.raw(data), path
    chunks = head(b"POST", post, kind, CLOSE[:-2], b"Transfer-Encoding: chunked") + b"\r\n"
    chunks += (b"100000\r\n" + b"x" * 0x100000 + b"\r\n") * 10 + b"0\r\n\r\n"
    assert not [status for status in answers_in(server.raw(chunks)) if status < 400]
    for lines in ([b"X: " + b"y" * 9000], [b"X-%d: y" % i for i in range(5000)], [b"Cookie: " + b"a=b; " * 20000],
                  [b"y" * 9000 + b": x"]):
        found = answers_in(server.raw(head(b"GET", b"/api/v1/me", *lines) + b"\r\n", end=True))
        assert 200 not in found, (lines[0][:20], found)
    for path in (b"/" + b"a" * 70000, b"/api/v1/runs?q=" + b"a" * 70000, b"/" + b"a/" * 5000):
        assert not [status for status in answers_in(server.raw(head(b"GET", path) + b"\r\n", end=True))
                    if status < 400 and path.startswith(b"/api")], path[:30]
    deep = [b"[" * 200000, b'{"a":' * 200000, b'{"inputs":' + b"[" * 100 + b"]" * 100 + b"}",
            b'{"inputs":{"a":1e99999}}',
            b'{"inputs": {}, "inputs": {}}x', b"\xff\xfe{\x00", b"nul", b"", b'{"inputs":{"a":"\xed\xa0\x80"}}',
            b'{"due":"9999-99-99T00:00:00Z"}', b'{"due":"-292277022399-01-01T00:00:00Z"}', b'{"due": 1e400}']
    for body in deep:
        data = head(b"POST", post, kind, CLOSE[:-2], b"Content-Length: %d" % len(body)) + b"\r\n" + body
        found = answers_in(server.raw(data))
        assert len(found) == 1 and (found[0] < 300 if body == b"" else 400 <= found[0] < 500), (body[:30], found)
    many = {"pipeline": "zzz", "stream": "zzz", "ids": ["x"] * 200000}
    assert 400 <= server.ask("POST", "/api/v1/quarantine/replay", many)[0] < 500
    for query in ("limit=-1", "limit=99999999999999999999", "limit=1e9", "limit=", "after=%00", "since=x", "state=%ff",
                  "limit=1&limit=2", "q=" + "%ff" * 100, "a[]=1", "&&&", "="):
        assert server.ask("GET", "/api/v1/runs?" + query)[0] in (200, 400), query
    assert server.get("/healthz") == "ok\n"


def case_requests_within_requests(server):
    """What two readers of the same bytes may read differently is refused, and ends the connection."""
    server.start()
    post, kind = b"/api/v1/flows/daily/runs", b"Content-Type: application/json"
    poison = head(b"POST", b"/api/v1/flows/endless/runs", kind, b"Content-Length: 2") + b"\r\n{}"
    size = b"Content-Length: %d" % len(poison)
    chunked = b"Transfer-Encoding: chunked"
    ways = {
        "two lengths": [b"Content-Length: 0", size],
        "two lengths, the other way": [size, b"Content-Length: 0"],
        "two lengths in one": [b"Content-Length: 0, %d" % len(poison)],
        "length and chunks": [size, chunked],
        "chunks and length": [chunked, b"Content-Length: 0"],
        "chunks in other words": [b"Transfer-Encoding: xchunked", b"Content-Length: 0"],
        "chunks twice": [chunked, chunked, b"Content-Length: 0"],
        "chunks and identity": [b"Transfer-Encoding: chunked, identity", b"Content-Length: 0"],
        "chunks not last": [b"Transfer-Encoding: chunked, gzip", b"Content-Length: 0"],
        "chunks before a colon": [b"Transfer-Encoding : chunked", b"Content-Length: 0"],
        "chunks on a folded line": [b"X: y", b" Transfer-Encoding: chunked", b"Content-Length: 0"],
        "a length with a sign": [b"Content-Length: +0"],
        "a negative length": [b"Content-Length: -1"],
        "a length in hexadecimal": [b"Content-Length: 0x0"],
        "a length with a space": [b"Content-Length: 0 0"],
        "a length that is none": [b"Content-Length: "],
        "a length past all numbers": [b"Content-Length: 18446744073709551616"],
    }
    wrong = []
    for method, path in ((b"POST", post), (b"GET", b"/api/v1/me"), (b"DELETE", b"/api/v1/session")):
        for name, lines in ways.items():
            body = b"0\r\n\r\n" + poison if b"hunked" in b"".join(lines) else poison
            found = answers_in(server.raw(head(method, path, kind, *lines) + b"\r\n" + body, end=True))
            if len(found) > 1 or (found and found[0] < 400):
                wrong.append((method, name, found))
    for name, data in {
        "a line feed alone": b"GET /healthz HTTP/1.1\nHost: localhost\n\n" + poison,
        "two hosts": b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "no host": b"GET /api/v1/me HTTP/1.1\r\n\r\n",
        "another protocol": b"GET /api/v1/me HTTP/3.7\r\nHost: localhost\r\n\r\n",
        "no protocol": b"GET /api/v1/me\r\nHost: localhost\r\n\r\n",
        "a chunk of a negative size": head(b"POST", post, kind, chunked) + b"\r\n-1\r\n{}\r\n0\r\n\r\n" + poison,
        "a chunk of a huge size": head(b"POST", post, kind, chunked) + b"\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "another method": head(b"TRACE", b"/api/v1/me") + b"\r\n",
        "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a nul in a header": head(b"GET", b"/api/v1/me", b"X: a\x00b") + b"\r\n",
        "PRI": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    }.items():
        found = answers_in(server.raw(data, end=True))
        if len(found) > 1 or (found and found[0] < 400):
            wrong.append((name, found))
    begun = [run["flow"] for run in server.get("/api/v1/runs")["items"]]
    assert not wrong and "endless" not in begun, (wrong, begun)


def case_slow_clients(server):
    """Drips of bytes are cut off in the end, and hold nobody up meanwhile."""
    server.start()
    ended = []

    def drip(first, more):
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection:
            connection.sendall(first)
            while time.monotonic() - begin < 55:
                try:
                    connection.sendall(more)
                    if not connection.recv(4096):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        ended.append(time.monotonic() - begin)

    body = head(b"POST", b"/api/v1/flows/daily/runs", b"Content-Type: application/json", b"Content-Length: 100000")
    drips = [threading.Thread(target=drip, args=arguments)
             for arguments in [(b"GET /api/v1/me HT", b"T"), (head(b"GET", b"/api/v1/me"), b"X: y\r\n"),
                               (body + b"\r\n{", b" "), (b"", b"\r\n")] * 10]
    for thread in drips:
        thread.start()
    # Some ask for much and never read.
    deaf = []
    server.post("/api/v1/query", {"sql": "SELECT 1"}, expect=(200, 400))
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            connection.sendall((head(b"GET", b"/api/v1/openapi.json") + b"\r\n") * 200)
        except TimeoutError:
            pass
        deaf.append(connection)
    took = []
    while any(thread.is_alive() for thread in drips):
        begin = time.monotonic()
        assert server.get("/api/v1/runs")["items"] == []
        took.append(time.monotonic() - begin)
        drips[0].join(0.2)
        for thread in drips:
            if not thread.is_alive():
                continue
            thread.join(0.01)
    assert len(ended) == len(drips) and max(ended) < 50, sorted(ended)[-3:]
    assert statistics.median(took) < 1, sorted(took)[-3:]
    memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert memory < 600_000, memory  # kB; those who never read had asked for 400 MB
    for connection in deaf:
        connection.close()


def case_foreign_names(server):
    server.start()
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "0.0.0.0",
                 "[::2]", "127.0.0.1@evil.example", "localhost, evil.example", "2130706433", "0x7f000001", "",
                 "localhost\u2024x"):
        status = server.ask("GET", "/api/v1/flows", headers={"Host": host.encode().decode("latin-1")})[0]
        assert status in (400, 421), (host, status)
    for target in (b"http://evil.example/api/v1/flows", b"//evil.example/api/v1/flows"):
        found = answers_in(server.raw(head(b"GET", target, CLOSE[:-2]) + b"\r\n"))
        assert found and found[0] >= 400 or target.startswith(b"//"), (target, found)
    assert server.ask("GET", "/api/v1/flows", headers={"Host": "localhost"})[0] == 200


BEYOND_READING = """
INSERT INTO t VALUES (1) | DELETE FROM t | UPDATE t SET a = 2 | DROP TABLE t | TRUNCATE t | ALTER TABLE t ADD b INT
CREATE TABLE u AS SELECT 1 AS a | CREATE VIEW u AS SELECT 1 AS a | CREATE SCHEMA u | CREATE SEQUENCE u
GRANT ALL ON t TO PUBLIC
SELECT 1; DROP TABLE t | SELECT 1;; DELETE FROM t | /* x */ DELETE FROM t | -- x@DELETE FROM t
SELECT 1; COMMIT; DROP TABLE t
SELECT 1) TO STDOUT; DROP TABLE t; -- | SELECT 1) AS asked(c0)) TO STDOUT; DROP TABLE t; --
WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x
WITH x AS (INSERT INTO t VALUES (9) RETURNING a) SELECT * FROM x
WITH x AS (UPDATE t SET a = 5 RETURNING *) SELECT * FROM x | EXPLAIN ANALYZE DELETE FROM t
EXPLAIN (ANALYZE) INSERT INTO t VALUES (1)
COPY t TO '{out}' | COPY (SELECT 1) TO '{out}' | COPY t FROM '/etc/passwd' | COPY t FROM PROGRAM 'id'
COPY (SELECT 1) TO PROGRAM 'touch {out}'
BEGIN | COMMIT | ROLLBACK | SAVEPOINT a | SET x = 1 | RESET ALL | PREPARE p AS DELETE FROM t | EXECUTE p
DEALLOCATE ALL
CALL f() | DO 'x' | VACUUM | ANALYZE t | CHECKPOINT | LOAD 'x' | LISTEN x | NOTIFY x | LOCK TABLE t
SELECT * INTO u FROM t
SELECT nextval('s') | SELECT "nextval"('s') | SELECT setval('s', 5) | SELECT setval('s', 6)
MERGE INTO t USING t x ON false WHEN NOT MATCHED THEN INSERT VALUES (1)
"""
BEYOND_DUCKDB = """
ATTACH '{out}' | ATTACH ':memory:' AS m | DETACH warehouse | USE memory | INSTALL httpfs | LOAD httpfs
FORCE INSTALL httpfs | UPDATE EXTENSIONS
PRAGMA database_list | PRAGMA enable_profiling | SET memory_limit = '90%' | SET GLOBAL threads = 1
SET enable_external_access = true
SET lock_configuration = false | EXPORT DATABASE '{out}' | IMPORT DATABASE '{out}' | CREATE SECRET s (TYPE s3)
CREATE MACRO f() AS 1
SELECT * FROM '/etc/passwd' | SELECT * FROM read_csv('/etc/passwd') | SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/*')
SELECT * FROM read_parquet('s3://a/b') | SELECT * FROM read_csv('http://127.0.0.1:1/x')
SELECT * FROM 'http://127.0.0.1:1/x.parquet' | SELECT * FROM glob('/**')
SELECT * FROM read_json('/etc/passwd') | SELECT * FROM read_ndjson_objects('/etc/passwd')
SELECT * FROM sniff_csv('/etc/passwd') | SELECT getenv('HOME')
SELECT * FROM duckdb_secrets() | SELECT * FROM which_secret('a', 's3') | SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('t')
SELECT * FROM duckdb_settings() | SELECT * FROM parquet_schema('{out}') | SELECT * FROM read_duckdb('{out}')
SELECT current_setting('secret_directory')
FROM '/etc/passwd' | FROM (FROM '/etc/passwd') | SELECT (SELECT x FROM '/etc/passwd' AS y(x))
SELECT * FROM t UNION ALL SELECT content FROM read_text('/etc/passwd')
SELECT * FROM t WHERE a IN (SELECT content FROM read_text('/etc/passwd')) | SUMMARIZE '/etc/passwd'
DESCRIBE '/etc/passwd' | PIVOT '/etc/passwd' ON a
SELECT list_transform([1], x -> (SELECT content FROM read_text('/etc/passwd')))
SELECT * FROM t, LATERAL (FROM read_text('/etc/passwd')) | SHOW ALL TABLES; DROP TABLE t
"""
BEYOND_POSTGRES = """
SELECT pg_read_file('/etc/passwd') | SELECT pg_read_binary_file('/etc/passwd') | SELECT pg_ls_dir('/')
SELECT * FROM pg_stat_file('/etc/passwd')
SELECT lo_import('/etc/passwd') | SELECT lo_export(1, '{out}') | SELECT lo_create(0) | SELECT lo_from_bytea(0, 'x')
SELECT lo_unlink(1)
SELECT set_config('role', 'postgres', false) | SELECT current_setting('data_directory') | SET ROLE shaduf_admin
RESET ROLE | SET SESSION AUTHORIZATION DEFAULT
SELECT dblink('host=127.0.0.1', 'DROP TABLE t') | SELECT * FROM dblink_connect('x') | SELECT pg_sleep(600)
SELECT pg_sleep_for('1 hour') | SELECT pg_notify('a', 'b')
SELECT pg_terminate_backend(1) | SELECT pg_cancel_backend(1) | SELECT pg_reload_conf() | SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_physical_replication_slot('x') | SELECT pg_logical_emit_message(false, 'a', 'b')
SELECT pg_advisory_lock(1) | SELECT pg_try_advisory_lock(1)
SELECT * FROM pg_authid | SELECT * FROM pg_shadow | SELECT * FROM pg_hba_file_rules | SELECT * FROM pg_settings
SELECT * FROM pg_user_mapping
SELECT query_to_xml('DELETE FROM t', true, true, '') | SELECT U&"nextv\\0061l"('s') | SELECT pg_catalog.nextval('s')
SELECT/**/nextval('s')
SELECT database_to_xml(true, true, '') | SELECT pg_current_xact_id()
SELECT * FROM ts_stat('DELETE FROM t RETURNING to_tsvector(a::text)')
SELECT * FROM t FOR UPDATE | SELECT pg_export_snapshot() | SELECT txid_current()
SELECT pg_import_system_collations('x') | DECLARE c CURSOR FOR SELECT 1
"""


def statements_in(text, out):
    words = [statement.strip() for line in text.strip().splitlines() for statement in line.split(" | ")]
    return [word.replace("{out}", str(out)).replace("@", "\n") for word in words if word]


def try_to_change(server, statements, out, sums):
    """Each is refused, and leaves everything as it was."""
    before = sums()
    wrong = []
    for sql in statements:
        for way, more in (("/api/v1/query", {}), ("/api/v1/query/download", {"format": "csv"})):
            status, _, answer = server.ask("POST", way, {"sql": sql, **more})
            text = json.dumps(answer)
            if not 400 <= status < 500 or "root:" in text:
                wrong.append((sql, way, status, text[:200]))
    assert not wrong, "\n".join(map(str, wrong))
    assert sums() == before
    assert not out.exists(), "a file was written"


def end_what_is_endless(server, statements):
    """A query without an end is ended in time, and its place is free again."""
    for sql in statements:
        begin = time.monotonic()
        status, _, answer = server.ask("POST", "/api/v1/query", {"sql": sql, "timeout_ms": 700})
        assert 400 <= status < 600 and status not in (500, 502), (sql, status, answer)
        assert time.monotonic() - begin < 20, (sql, time.monotonic() - begin)
    status, _, answer = server.ask("POST", "/api/v1/query", {"sql": "SELECT 1 AS a"})
    assert status == 200 and answer["rows"] == [[1]], answer
    memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert memory < 1_500_000, memory  # kB


def make_warehouse(server, statements):
    """Tables by way of a flow, as a project has them."""
    sql = "{connection: local, sql: " + json.dumps(statements) + "}"
    server.write("flows/make.yml", "tasks:\n  make: {sql: " + sql + "}\n")
    made = server.command("flow", "run", "make")
    assert made.returncode == 0, (made.stdout, made.stderr)


def case_sql_reads_only_duckdb(server):
    make_warehouse(server, "CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE s")
    server.start()
    out = server.folder / "out"

    def sums():
        return server.ask("POST", "/api/v1/query", {
            "sql": "SELECT (SELECT sum(a) FROM t), (SELECT count(*) FROM duckdb_tables), "
                   "(SELECT count(*) FROM duckdb_views)"})[2]["rows"]

    try_to_change(server, statements_in(BEYOND_READING + BEYOND_DUCKDB, out), out, sums)
    million = "range(1000000)"
    cross = f"SELECT count(*) FROM {million} a, {million} b, {million} c WHERE a.range + b.range = c.range"
    end_what_is_endless(server, [
        cross, "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT a.range FROM range(100000) a, range(100000) b ORDER BY sin(a.range * b.range) DESC"])
    large = {"sql": "SELECT repeat('x', 1000) FROM range(400000)", "limit": 10000}
    huge = server.ask("POST", "/api/v1/query", large)
    assert huge[0] in (200, 503) or "memory" in json.dumps(huge[2]), huge
    assert len(json.dumps(huge[2])) < 40 << 20 and huge[2].get("cut", True) is True, huge[0]
    memory = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert memory < 1_500_000, memory  # kB


def case_sql_reads_only_postgres(server):
    if not Postgres.is_installed():
        raise Skipped("no PostgreSQL server on this machine")
    postgres = Postgres()
    try:
        postgres.sql("CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE s; CREATE ROLE owner LOGIN PASSWORD 'own-pw'; "
                     "ALTER TABLE t OWNER TO owner; ALTER SEQUENCE s OWNER TO owner; "
                     "GRANT ALL ON SCHEMA public TO owner")
        out = postgres.folder / "out"

        def sums():
            return postgres.sql("SELECT sum(a) FROM t; SELECT count(*) FROM pg_class; "
                                "SELECT last_value, is_called FROM s; SELECT count(*) FROM pg_largeobject_metadata")

        # As a superuser, who may do everything, and as one who owns the tables.
        for dsn in (postgres.dsn, postgres.dsn.replace("shaduf_admin:adm1n-p4ss", "owner:own-pw")):
            server.write("shaduf.yml", "name: acme\nenvironments: {dev: {warehouse: local, default: true}}\n"
                                       "connections: {local: {type: postgres, schema: public, dsn: \"" + dsn + "\"}}\n")
            server.start()
            try_to_change(server, statements_in(BEYOND_READING + BEYOND_POSTGRES, out), out, sums)
            end_what_is_endless(server, [
                "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"])
            seen = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
            until = time.monotonic() + PATIENCE
            while postgres.sql(seen) != ["0"]:
                assert time.monotonic() < until, "a query goes on in the database"
            server.stop()
    finally:
        postgres.stop()


def case_guessing(server):
    add_users(server)
    server.start()

    def attempt(name, password):
        begin = time.monotonic()
        status, headers, answer = server.ask("POST", "/api/v1/session", {"name": name, "password": password})
        return status, headers, answer, time.monotonic() - begin

    def wait_longer():
        database = sqlite3.connect(server.folder / ".shaduf/users.db", timeout=PATIENCE)
        with database:  # the wait that more failures would make
            database.execute("UPDATE failure SET until = until + 600 WHERE until > 0")
        database.close()

    # That a name is unknown tells neither the text nor the time: both are hashed for.
    known, unknown = [], []
    for i in range(4):
        known.append(attempt("viewer", f"wrong password {i}"))
        unknown.append(attempt(f"nobody{i}", f"wrong password {i}"))
    assert {entry[0] for entry in known + unknown} == {401}
    assert len({json.dumps(entry[2]) for entry in known + unknown}) == 1
    slower = statistics.median(entry[3] for entry in known) / statistics.median(entry[3] for entry in unknown)
    assert 0.4 < slower < 2.5, slower
    # From the fifth on a name waits, whether it is there or not, and the right password does not help.
    for name in ("editor", "zora"):
        statuses = [attempt(name, "wrong password")[0] for _ in range(7)]
        assert statuses[:5] == [401] * 5 and 429 in statuses[5:], (name, statuses)
    wait_longer()
    status, headers, _, _ = attempt("editor", PASSWORD)
    assert status == 429 and int(headers["Retry-After"]) > 500, status
    assert attempt("operator", PASSWORD)[0] == 200, "another name does not wait"
    # Many names from one address wait as well, all at once or not.
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda i: attempt(f"guess{i}", "wrong password")[0], range(60)))
    assert statuses.count(429) >= 10 and set(statuses) <= {401, 429, 503}, statuses
    wait_longer()
    assert attempt("admin", PASSWORD)[0] == 429, "the address waits"
    for name in ("", " ", "a" * 10000, "admin\u0000", "admin' --", "ADMIN", "admin "):
        assert attempt(name, "wrong password")[0] in (400, 401, 413, 429), name[:20]


SECRETS = {"env": "s3cr3t-of-the-environment", "file": "s3cr3t-of-a-file", "literal": "s3cr3t-in-the-yaml",
           "hook": "s3cr3t-of-a-hook", "policy": "s3cr3t-0123456789abcdef0123456789abcdef"}


def case_no_answer_has_a_secret(server):
    server.write(".env", f"CRM_KEY={SECRETS['env']}\n")
    for name in ("file", "hook", "policy"):
        server.write(".secrets/" + name, SECRETS[name])
        os.chmod(server.folder / ".secrets" / name, 0o600)
    os.chmod(server.folder / ".secrets", 0o700)
    (server.folder / "in").mkdir()
    server.write("in/a.ndjson", '{"id": 1}\n{"id": null}\n')
    server.write("shaduf.yml", "name: acme\npolicy_key: \"${secret:policy}\"\n"
                               "environments: {dev: {warehouse: local, default: true}}\nconnections:\n"
                               "  local: {type: duckdb, path: acme.duckdb}\n  files: {type: files, path: in}\n"
                               "  one: {type: postgres, dsn: \"postgresql://etl:${secret:file}@127.0.0.1:1/x\"}\n"
                               "  two:\n    type: rest\n    base_url: http://127.0.0.1:1/\n"
                               "    headers: {X-Key: \"${env:CRM_KEY}\"}\n")
    server.write("flows/tell.yml", "on: {hook: \"${secret:hook}\"}\ntasks:\n"
                                   "  say: {shell: \"echo the key is ${secret:file} and ${env:CRM_KEY}; exit 1\"}\n")
    server.write("pipelines/load.yml", "source: files\nsink: warehouse\nschema: raw\nstreams:\n"
                                       "  a: {files: \"a.ndjson\", expect: [{not_null: [id]}]}\n")
    server.write("pipelines/broken.yml", "source: one\nsink: warehouse\nstreams: {orders: {mode: full_refresh}}\n")
    server.write("flows/broken.yml", "tasks: {load: {pipeline: broken, retries: 0}}\n")  # its end is waited for
    add_users(server)
    server.start()
    admin = sign_in(server, "admin")
    bodies = []

    def crawl(path):
        status, headers, answer = server.ask("GET", path, headers=admin)
        bodies.append((path, status, json.dumps(answer) + str(headers)))
        return answer if status == 200 else {}

    runs = []
    for flow in [flow["name"] for flow in crawl("/api/v1/flows")["items"]]:
        if flow not in ("daily", "endless"):
            runs.append(server.post(f"/api/v1/flows/{flow}/runs", {}, admin)["run"])
    for run in runs:
        server.wait_for("the end", "/api/v1/runs/" + run, is_over, admin)
    for connection in ("one", "two", "files", "local"):
        for what in ("test", "discover"):
            bodies.append((connection, *server.ask("POST", f"/api/v1/connections/{connection}/{what}", {}, admin)[0:1],
                           json.dumps(server.ask("POST", f"/api/v1/connections/{connection}/{what}", {}, admin)[2])))
    for method, path, _, _ in calls_of(server, admin):
        if method == "GET" and "zzz-none" not in path and "/events" not in path:
            answer = crawl(path)
            for item in answer.get("items", []) if isinstance(answer, dict) else []:
                name = item.get("name") or item.get("id") or item.get("path")
                if name and path.rsplit("/", 1)[1] in ("flows", "pipelines", "connections", "runs", "files"):
                    crawl(f"{path}/{name}")
    for run in runs:
        for what in ("history", "definition"):
            crawl(f"/api/v1/runs/{run}/{what}")
        for task in crawl("/api/v1/runs/" + run).get("tasks", []):
            crawl(f"/api/v1/runs/{run}/tasks/{task['name']}/log")
            crawl(f"/api/v1/runs/{run}/tasks/{task['name']}/log.txt")
    crawl("/")
    logs = [body for path, _, body in bodies if path.endswith("/log")]
    assert any("the key is" in body for body in logs), "the log was not met"
    database = sqlite3.connect(server.folder / ".shaduf/users.db", timeout=PATIENCE)
    hashes = [row[0] for row in database.execute("SELECT password FROM account")]
    database.close()
    known = list(SECRETS.values()) + hashes + [PASSWORD, "argon2id"]
    for path, _, body in bodies:
        for secret in known:
            assert secret not in body, (path, secret, body[:500])
    said = server.stop()
    kept = said + (server.folder / ".shaduf/audit.log").read_text(encoding="utf-8")
    for path in (server.folder / ".shaduf").rglob("*.log"):
        kept += path.read_text(encoding="utf-8", errors="replace")
    for path in (server.folder / ".shaduf").glob("*.db"):
        kept += path.read_bytes().decode("latin-1")
    for name in ("env", "file", "hook", "policy"):
        assert SECRETS[name] not in kept, name


def case_what_browsers_run(server):
    """Names, rows and messages that would be code somewhere stay text."""
    evil = "<script>alert(1)</script>"
    make_warehouse(server, "CREATE TABLE t AS SELECT '=HYPERLINK(\"http://evil\")' AS a, '+1+cmd|x' AS b, "
                           "'@SUM(1)' AS c, '-2+3' AS d, '<img src=x onerror=alert(1)>' AS e, -5 AS f, '\t=1' AS g")
    server.start()
    for path in ("/api/v1/runs/" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/api/v1/flows/%3Cscript%3E",
                 "/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/api/v1/tables/main/%3Cscript%3E",
                 "/api/v1/none/%3Cscript%3E", "/api/v1/files/%3Cscript%3E.yml", "/api/v1/runs?limit=%3Cscript%3E"):
        status, headers, body = server.ask("GET", path)
        kind = headers["Content-Type"].split(";")[0]
        is_harmless = kind in ("text/html", "text/plain") and evil not in str(body)
        assert kind == "application/json" or is_harmless, (path, kind)
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "'unsafe-inline'" not in headers["Content-Security-Policy"].split("style-src")[0], path
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert status != 500, path
    for wanted, kind in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("POST", "/api/v1/query/download", json.dumps({"sql": "SELECT * FROM t", "format": wanted}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind), answer.headers
        assert answer.headers["Content-Disposition"].startswith("attachment;"), answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and "no-store" in answer.headers["Cache-Control"]
        assert len(answer.headers.get_all("X-Content-Type-Options")) == 1, answer.headers
        if wanted == "csv":
            cells = list(csv.reader(io.StringIO(data.decode())))[1]
            # A spreadsheet takes a cell that begins so for a formula; numbers stay numbers.
            assert all(cell[0] not in "=+@\t\r" and (cell[0] != "-" or cell == "-5") for cell in cells), cells
            assert cells[5] == "-5", cells
    server.write("flows/evil.yml", f"description: \"{evil}\"\ntasks: {{one: {{shell: \"echo '{evil}'; exit 3\"}}}}\n")
    server.wait_for("the flow", "/api/v1/flows", lambda page: "evil" in [flow["name"] for flow in page["items"]])
    run = server.post("/api/v1/flows/evil/runs")["run"]
    server.wait_for("the end", "/api/v1/runs/" + run, is_over)
    status, headers, _ = server.ask("GET", f"/api/v1/runs/{run}/tasks/one/log.txt")
    assert status == 200 and headers["Content-Type"].startswith("text/plain"), headers
    assert "attachment" in headers["Content-Disposition"], headers


def case_lines_of_logs(server):
    """Nobody writes lines of their own into the log of the server or the audit log."""
    add_users(server)
    server.start()
    admin = sign_in(server, "admin")
    lines = ['x\n{"level":"error","text":"forged"}', "x\r\nforged", "x\u2028forged", "x\x1b[31mforged\x07",
             "forged\x00"]
    for line in lines:
        server.ask("POST", "/api/v1/session", {"name": line, "password": "wrong password"})
        server.ask("POST", "/api/v1/tokens", {"name": line, "role": "viewer"}, admin)
        server.ask("PUT", "/api/v1/files/flows/none.yml", {"base_sha": "x", "text": "", "message": line}, admin)
        server.ask("POST", "/api/v1/flows/" + "".join(f"%{byte:02x}" for byte in line.encode()) + "/pause",
                   {"paused": True}, admin)
        server.ask("POST", "/api/v1/flows/daily/runs", {"inputs": {"a": line}}, admin)
    assert server.get("/api/v1/audit/verify", admin)["ok"]
    said = server.command("audit", "ls").stdout
    assert "forged" in said, said
    assert not [line for line in re.split("[\r\n]", said) if line.startswith(("forged", "{"))], said
    assert "\x1b" not in said and "\x07" not in said and "\x00" not in said, said
    audit = (server.folder / ".shaduf/audit.log").read_text(encoding="utf-8")
    assert all(json.loads(line) for line in audit.split("\n") if line), "each line is an entry"
    for line in server.stop().split("\n"):
        assert not line or isinstance(json.loads(line), dict), line
    # The chain shows what is changed afterwards.
    path = server.folder / ".shaduf/audit.log"
    path.write_text(audit.replace("admin", "nimda", 1), encoding="utf-8")
    assert server.command("audit", "verify").returncode == 1


CASES = {name[5:]: value for name, value in globals().items() if name.startswith("case_")}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return 0
    shaduf = os.path.abspath(sys.argv[1])
    skipped = 0
    for name in sys.argv[2:] or CASES:
        with tempfile.TemporaryDirectory(prefix="shaduf-serve-") as folder:
            server = Server(shaduf, folder)
            try:
                CASES[name](server)
                print("ok", name, flush=True)
            except Skipped as why:
                skipped += 1
                print("skipped", name + ":", why)
            finally:
                if server.process is not None:
                    server.process.kill()
                    said = server.process.communicate(timeout=PATIENCE)
                    if sys.exc_info()[0] is not None:
                        print("\n".join(said), file=sys.stderr)
    return SKIPPED if skipped == len(sys.argv[2:]) and skipped else 0


if __name__ == "__main__":
    sys.exit(main())
