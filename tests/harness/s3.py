#!/usr/bin/env python3
"""S3 servers written by others, on a free port of the loopback: both honour conditional puts.

moto knows much of S3 and checks no signatures; S3Proxy checks them.

s3.py moto|s3proxy PROGRAM ARGUMENT...: runs a program with SHADUF_TEST_S3 set to the server's address; status 77 when
there is no such server.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(answers, process, name):
    deadline = time.monotonic() + 60
    while not answers():
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"{name} did not start")
        threading.Event().wait(0.1)


class S3Server:
    def __init__(self, bucket="lake"):
        self.bucket = bucket
        program = ROOT / ".deps/moto/bin/moto_server"
        if not program.exists():
            print("skipped: moto is not installed; run scripts/setup --extras")
            sys.exit(SKIPPED)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(self.answers, self.process, "moto")
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{self.bucket}", method="PUT"), timeout=30).read()

    def answers(self):
        try:
            urllib.request.urlopen(self.url + "/moto-api/", timeout=5).read()
        except OSError:
            return False
        return True

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


class S3Proxy:
    """Objects are files below `folder`, one folder a bucket."""

    KEY = "a-key"
    SECRET = "a secret/with+signs"
    VERSION = "2.9.0"
    JAR = ROOT / f".deps/s3proxy/s3proxy-{VERSION}.jar"

    @classmethod
    def is_installed(cls):
        return cls.JAR.exists() and shutil.which("java") is not None

    def __init__(self, folder, bucket="lake"):
        (folder / "objects" / bucket).mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {"s3proxy.endpoint": self.url, "s3proxy.authorization": "aws-v4", "s3proxy.identity": self.KEY,
                    "s3proxy.credential": self.SECRET, "jclouds.provider": "filesystem-nio2",
                    "jclouds.filesystem.basedir": folder / "objects"}
        properties = folder / "s3proxy.conf"
        properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", self.JAR, "--properties", properties]
        with open(folder / "s3proxy.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # pylint: disable=R1732
        try:
            wait_until(self.answers, self.process, "S3Proxy")
        except RuntimeError:
            self.stop()
            raise

    def answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=5).read()
        except urllib.error.HTTPError:
            return True  # who asks is not known to it
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def run_with(command, environment):
    return subprocess.run(command, env=dict(os.environ, **environment), timeout=280, check=False).returncode


def main(kind, command):
    if kind == "moto":
        server = S3Server(bucket="shaduf-test")
        try:
            return run_with(command, {"SHADUF_TEST_S3": server.url})
        finally:
            server.stop()
    if not S3Proxy.is_installed():
        print("skipped: s3proxy is not installed; run scripts/setup --extras")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="shaduf-test-") as folder:
        server = S3Proxy(pathlib.Path(folder), bucket="shaduf-test")
        try:
            # This server sends a page's token URL-encoded, and does not find the page when that changed it.
            return run_with(command, {"SHADUF_TEST_S3": server.url, "SHADUF_TEST_S3_KEY": server.KEY,
                                      "SHADUF_TEST_S3_SECRET": server.SECRET, "SHADUF_TEST_S3_PREFIX": "run-"})
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
