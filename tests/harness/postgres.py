#!/usr/bin/env python3
"""A PostgreSQL server of its own, on a free port of the loopback, in a folder that goes with it.

postgres.py [--postgres18] PROGRAM ARGUMENT...: runs a program with SHADUF_TEST_POSTGRES set to the server's DSN; status
77 when there is no server to start. It is the system's, or the PostgreSQL 18 that scripts/setup --extras fetches, which
comes without client programs: those are the system's. The server refuses to run as root: then it runs as the user
`postgres`, or `nobody`.
"""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

SKIPPED = 77
START_SECONDS_MAX = 60
STARTS_MAX = 20
ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """Runs from its making to `stop`. `version` is "system" or "18"."""
    USER = "shaduf_admin"
    PASSWORD = "adm1n-p4ss"
    CLIENTS = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    SERVER_18 = ROOT / ".deps/postgres18"
    SETTINGS = {"fsync": "off", "listen_addresses": "127.0.0.1", "max_connections": "30", "shared_buffers": "32MB",
                "log_min_messages": "fatal", "autovacuum": "off"}

    def __init__(self, version="system", settings=None):
        self.clients = self.CLIENTS[0]
        self.settings = {**self.SETTINGS, **(settings or {})}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shaduf-postgres-"))
        self.owner = self.find_owner()
        if self.owner:
            shutil.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        self.port = free_port()
        self.process = None
        try:
            self.binaries = self.clients if version == "system" else self.reachable_18()
            self.make_data()
            self.start()
        except (RuntimeError, OSError):
            self.stop()
            raise

    def make_data(self):
        password = self.folder / "password"
        password.write_text(self.PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        self.command(["initdb", "-D", self.folder / "data", "-U", self.USER, "-A", "scram-sha-256",
                      "--pwfile", password, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"])

    def reachable_18(self):
        """Its programs; a copy of them where the owner of the server may not look into the folders above."""
        folders = [self.SERVER_18, *self.SERVER_18.parents]
        if not self.owner or all(folder.stat().st_mode & 0o001 for folder in folders):
            return self.SERVER_18 / "bin"
        shutil.copytree(self.SERVER_18, self.folder / "server", symlinks=True)
        self.folder.chmod(0o755)
        return self.folder / "server/bin"

    @classmethod
    def is_installed(cls, version="system"):
        if not cls.CLIENTS or not (cls.CLIENTS[0] / "psql").exists():
            return False
        return ((cls.CLIENTS[0] if version == "system" else cls.SERVER_18 / "bin") / "postgres").exists()

    @staticmethod
    def find_owner():
        if os.getuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        return None

    @property
    def dsn(self):
        return f"postgresql://{self.USER}:{self.PASSWORD}@127.0.0.1:{self.port}/postgres"

    def as_owner(self):
        if not self.owner:
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}

    def command(self, arguments):
        program, *rest = arguments
        done = subprocess.run([self.binaries / program, *rest], capture_output=True, text=True,
                              timeout=START_SECONDS_MAX, check=False, **self.as_owner())
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def start(self):
        settings = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with open(self.folder / "log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.binaries / "postgres", "-D", self.folder / "data", *options],
                                            stdout=log, stderr=log, **self.as_owner())
        self.wait_until_ready()

    def wait_until_ready(self):
        for _ in range(START_SECONDS_MAX * 20):
            ready = subprocess.run([self.clients / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                   check=False).returncode == 0
            if ready:
                return
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError("PostgreSQL did not start:\n" + (self.folder / "log").read_text(encoding="utf-8"))
        raise RuntimeError("PostgreSQL did not answer")

    def sql(self, text, seconds=60, dsn=None):
        """What psql prints: the rows, and errors."""
        done = subprocess.run([self.clients / "psql", "-X", "-q", "-A", "-t", "-F", "  ", "-v", "ON_ERROR_STOP=1",
                               "-d", dsn or self.dsn], input=text, capture_output=True, text=True, timeout=seconds,
                              check=False)
        return done.stdout.splitlines() + done.stderr.splitlines()

    def halt(self, how=signal.SIGINT):
        """SIGINT ends all sessions, SIGQUIT does not even say goodbye."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def kill(self):
        """SIGKILL to the server and all of its processes, as a machine that loses its power; start_again follows."""
        for process in [self.process.pid, *self.children()]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(30)

    def children(self):
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                # pid (name) state parent ...: the name may hold anything but ends at the last parenthesis.
                parent = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            except (OSError, IndexError):
                continue
            if int(parent) == self.process.pid:
                found.append(int(status.parent.name))
        return found

    def start_again(self):
        """After `kill`: what the last of its processes held may be free a moment later only."""
        for _ in range(STARTS_MAX - 1):
            try:
                return self.start()
            except RuntimeError:
                continue
        return self.start()

    def turn_on_tls(self):
        """From here on, with a certificate for 127.0.0.1 that signs itself, `server.crt`."""
        key, certificate = self.folder / "server.key", self.folder / "server.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate],
                       capture_output=True, check=True, timeout=60, **self.as_owner())
        key.chmod(0o600)
        self.folder.chmod(0o755)
        self.settings = {**self.settings, "ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        self.halt()
        self.start()

    def stop(self):
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(command):
    version = "18" if command[:1] == ["--postgres18"] else "system"
    if not Postgres.is_installed(version):
        print(f"skipped: PostgreSQL ({version}) is not installed; run scripts/setup --extras")
        return SKIPPED
    server = Postgres(version)
    try:
        return subprocess.run(command[version == "18":], env=dict(os.environ, SHADUF_TEST_POSTGRES=server.dsn),
                              timeout=280, check=False).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
