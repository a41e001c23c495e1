#!/usr/bin/env python3
"""An S3 server that honours conditional puts, written by others, on a free port of the loopback.

s3.py PROGRAM ARGUMENT...: runs a program with SHADUF_TEST_S3 set to its address; status 77 when there is no server.
"""
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]


class S3Server:
    def __init__(self, bucket="lake"):
        self.bucket = bucket
        program = ROOT / ".deps/moto/bin/moto_server"
        if not program.exists():
            print("skipped: moto is not installed; run scripts/setup --extras")
            sys.exit(SKIPPED)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + "/moto-api/", timeout=5).read()
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError("moto did not start") from None
                threading.Event().wait(0.1)
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{self.bucket}", method="PUT"), timeout=30).read()

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(self.url + "/moto-api/reset", method="POST"), timeout=30).read()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{self.bucket}", method="PUT"), timeout=30).read()

    def get(self, key):
        """None when there is none. This server wants to be told who asks, and believes it."""
        who = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        url = f"{self.url}/{self.bucket}/{urllib.parse.quote(key)}"
        request = urllib.request.Request(url, headers={"Authorization": who})
        try:
            return urllib.request.urlopen(request, timeout=30).read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def main(command):
    server = S3Server(bucket="shaduf-test")
    try:
        environment = dict(os.environ, SHADUF_TEST_S3=server.url)
        return subprocess.run(command, env=environment, timeout=280, check=False).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
