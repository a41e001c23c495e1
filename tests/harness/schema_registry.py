#!/usr/bin/env python3
"""A schema registry with Confluent's REST interface, small enough to read: subjects, versions, ids, GUIDs, references,
compatibility of Avro and Protobuf (BACKWARD, as far as tests need it), errors by their codes, basic authentication.

schema_registry.py [--user NAME:PASSWORD] PROGRAM [ARGUMENTS] starts it on a free port of the loopback, sets
SHADUF_TEST_REGISTRY to its URL and runs the program.
"""
import base64
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
import uuid

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
PROMOTIONS = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"],
              "string": ["bytes"], "bytes": ["string"]}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def plain(schema):
    return schema["type"] if isinstance(schema, dict) and isinstance(schema.get("type"), str) else schema


def avro_reads(reader, writer):
    """Whether what `writer` wrote can be read by `reader`; names of types are taken as they are."""
    if isinstance(writer, list):
        return all(avro_reads(reader, branch) for branch in writer)
    if isinstance(reader, list):
        return any(avro_reads(branch, writer) for branch in reader)
    old, new = plain(writer), plain(reader)
    if old == new == "record":
        written = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            names = [name for name in [field["name"], *field.get("aliases", [])] if name in written]
            if not names and "default" not in field:
                return False
            if names and not avro_reads(field["type"], written[names[0]]):
                return False
        return True
    if old == new == "enum":
        return set(writer["symbols"]) <= set(reader["symbols"]) or "default" in reader
    if old == new == "array":
        return avro_reads(reader["items"], writer["items"])
    if old == new == "map":
        return avro_reads(reader["values"], writer["values"])
    if old == new == "fixed":
        return reader["size"] == writer["size"]
    return old == new or (isinstance(old, str) and new in PROMOTIONS.get(old, []))


def protobuf_fields(text):
    """Type and repeatedness of each number, of a file's messages taken together by their names."""
    fields = {}
    message = ""
    for token in re.finditer(r"message\s+(\w+)|(repeated\s+)?([\w.]+|map<[^>]*>)\s+\w+\s*=\s*(\d+)\s*[;\[]", text):
        if token.group(1):
            message = token.group(1)
        elif token.group(3) not in ("option",):
            fields[message, int(token.group(4))] = (bool(token.group(2)), token.group(3))
    return fields


def is_compatible(new, old):
    if new["schemaType"] != old["schemaType"]:
        return False
    if new["schemaType"] == "AVRO":
        return avro_reads(json.loads(new["schema"]), json.loads(old["schema"]))
    if new["schemaType"] == "PROTOBUF":
        before, after = protobuf_fields(old["schema"]), protobuf_fields(new["schema"])
        return all(after[key] == before[key] for key in before.keys() & after.keys())
    return True


class SchemaRegistry:
    def __init__(self, user=None):
        self.lock = threading.Lock()
        self.schemas = []  # by id, from 1
        self.subjects = {}  # name: ids of the versions
        self.levels = {"": "BACKWARD"}
        self.faults = []  # statuses that the next requests get
        self.requests = []
        self.authorization = user and "Basic " + base64.b64encode(user.encode()).decode()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                status, answer = owner.answer(self.command, self.path, self.rfile.read(length), self.headers)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", MEDIA_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, target, body, headers):
        path = urllib.parse.urlparse(target).path
        parts = [urllib.parse.unquote(part) for part in path.split("/") if part]
        with self.lock:
            self.requests.append(f"{method} {path}")
            try:
                if self.faults:
                    status = self.faults.pop(0)
                    raise Refused(status, status * 100 + 1, "told to fail")
                if self.authorization and headers.get("Authorization") != self.authorization:
                    raise Refused(401, 401, "Unauthorized")
                try:
                    sent = json.loads(body) if body else {}
                except ValueError:
                    raise Refused(422, 422, "the body is no JSON") from None
                return 200, self.route(method, parts, sent)
            except Refused as refused:
                return refused.status, {"error_code": refused.code, "message": str(refused)}

    def route(self, method, parts, sent):
        match method, parts:
            case "GET", []:
                return {}
            case "GET", ["subjects"]:
                return sorted(self.subjects)
            case "GET", ["schemas", "types"]:
                return ["JSON", "PROTOBUF", "AVRO"]
            case "GET", ["schemas", "ids", number]:
                return self.shown(self.schema_of(int(number)))
            case "GET", ["schemas", "guids", guid]:
                found = [schema for schema in self.schemas if schema["guid"] == guid]
                if not found:
                    raise Refused(404, 40403, "Schema not found")
                return self.shown(found[0])
            case "GET", ["subjects", subject, "versions"]:
                return list(range(1, len(self.versions(subject)) + 1))
            case "GET", ["subjects", subject, "versions", version]:
                return self.version(subject, version)
            case "POST", ["subjects", subject, "versions"]:
                return {"id": self.register(subject, sent)}
            case "POST", ["subjects", subject]:
                return self.look_up(subject, sent)
            case "POST", ["compatibility", "subjects", subject, "versions", version]:
                old = self.schema_of(self.version(subject, version)["id"])
                return {"is_compatible": is_compatible(self.checked(sent), old)}
            case ("GET" | "PUT"), ["config", *rest]:
                subject = rest[0] if rest else ""
                if method == "PUT":
                    self.levels[subject] = sent["compatibility"]
                    return sent
                return {"compatibilityLevel": self.levels.get(subject, self.levels[""])}
        raise Refused(404, 404, "HTTP 404 Not Found")

    def schema_of(self, number):
        if not 1 <= number <= len(self.schemas):
            raise Refused(404, 40403, f"Schema {number} not found")
        return self.schemas[number - 1]

    @staticmethod
    def shown(schema):
        shown = {"schema": schema["schema"], "guid": schema["guid"]}
        if schema["schemaType"] != "AVRO":
            shown["schemaType"] = schema["schemaType"]
        if schema["references"]:
            shown["references"] = schema["references"]
        return shown

    def versions(self, subject):
        if subject not in self.subjects:
            raise Refused(404, 40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    def version(self, subject, version):
        ids = self.versions(subject)
        number = len(ids) if version in ("latest", "-1") else int(version)
        if not 1 <= number <= len(ids):
            raise Refused(404, 40402, f"Version {version} not found.")
        schema = self.schema_of(ids[number - 1])
        return {"subject": subject, "version": number, "id": ids[number - 1], **self.shown(schema)}

    def checked(self, sent):
        schema = {"schema": sent.get("schema"), "schemaType": sent.get("schemaType", "AVRO"),
                  "references": sent.get("references", [])}
        if not isinstance(schema["schema"], str):
            raise Refused(422, 42201, "Empty schema")
        for reference in schema["references"]:
            self.version(reference["subject"], str(reference["version"]))
        if schema["schemaType"] != "PROTOBUF":
            try:
                json.loads(schema["schema"])
            except ValueError as error:
                raise Refused(422, 42201, f"Invalid schema: {error}") from None
        return schema

    def register(self, subject, sent):
        schema = self.checked(sent)
        ids = self.subjects.get(subject, [])
        same = [number for number in range(1, len(self.schemas) + 1)
                if all(self.schemas[number - 1][key] == schema[key] for key in schema)]
        if same and same[0] in ids:
            return same[0]
        level = self.levels.get(subject, self.levels[""])
        if level != "NONE" and ids and not is_compatible(schema, self.schemas[ids[-1] - 1]):
            raise Refused(409, 409, f"Schema being registered is incompatible with an earlier schema for {subject}")
        if not same:
            self.schemas.append({**schema, "guid": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(schema)))})
            same = [len(self.schemas)]
        self.subjects.setdefault(subject, []).append(same[0])
        return same[0]

    def look_up(self, subject, sent):
        schema = self.checked(sent)
        for version, number in enumerate(self.versions(subject), 1):
            if all(self.schemas[number - 1][key] == schema[key] for key in schema):
                return self.version(subject, str(version))
        raise Refused(404, 40403, "Schema not found")


def main():
    arguments = sys.argv[1:]
    user = None
    if arguments[:1] == ["--user"]:
        user = arguments[1]
        arguments = arguments[2:]
    if not arguments:
        sys.exit(__doc__)
    registry = SchemaRegistry(user)
    status = subprocess.run(arguments, env={**os.environ, "SHADUF_TEST_REGISTRY": registry.url}, check=False).returncode
    registry.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
