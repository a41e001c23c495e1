"""What the benchmarks share: programs that take turns, each a process of its own, measured from start to end."""
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "bench"
SHADUF = ROOT / "build" / "release" / "shaduf"
DUCKDB_PEER = ROOT / "build" / "release" / "bench" / "duckdb_peer"
ENVIRONMENTS = ROOT / ".deps" / "bench"


@dataclass
class Measured:
    wall: float
    cpu: float
    memory: float  # MB, the peak of what was resident


def fail(text):
    sys.exit(f"{Path(sys.argv[0]).name}: error: {text}")


def say(text):
    print(text, file=sys.stderr)


def measure(command, folder, environment=None, may_fail=False):
    """None when it failed and may."""
    with open(folder / "log", "wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], cwd=folder, stdout=log, stderr=log,
                                   env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        text = (folder / "log").read_text(errors="replace")
        (say if may_fail else fail)(f"ended with {process.returncode}: {command[0]}\n{text[-4000:]}")
        return None
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def python_with(name, packages, shown_as):
    """The interpreter of an environment of its own that has the packages, or None, said aloud."""
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / "packages"
    wanted = "\n".join(packages)
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    say(f"installing {shown_as}")
    shutil.rmtree(folder, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, check=False)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    if made.returncode == 0 and subprocess.run(pip, capture_output=True, check=False).returncode == 0:
        stamp.write_text(wanted)
        return python
    shutil.rmtree(folder, ignore_errors=True)
    say(f"left out: {shown_as} (no python3-venv here, or PyPI does not give {', '.join(packages)})")
    return None


def ask_duckdb(database, query):
    """The rows of a query as text; `database` is a file or None."""
    done = subprocess.run([DUCKDB_PEER, database or ":memory:", query], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"cannot read {database or query}: {done.stderr}")
    return done.stdout.strip()


def build_peer():
    subprocess.run([ROOT / "scripts" / "build", "release", "duckdb_peer"], check=True, stdout=sys.stderr)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB"
