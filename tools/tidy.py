#!/usr/bin/env python3
"""Checks the style of the house; `make tidy` runs it, and so does a test.

tidy.py [--no-headers] prints one line a finding, "file:line: check: what", and ends with status 1 when there is any.
The checks are functions from a file's path and text to findings, so that tests can call them one by one. What is too
long and may stay is in tidy_exceptions.txt; an entry that is not needed any more is a finding too, so it only shrinks.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COLUMNS_MAX = 120
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = {".cc": 600, ".h": 300}

# Which folders a folder of src/ may include; its own comes by itself. The contracts are a layer of their own.
CONTRACT = "contract"
CONTRACTS = [f"connectors/{name}.h" for name in ("connector", "read_batch", "store", "parts/checkpoint_parts")]
BELOW = ["base", "data", "io", "config", CONTRACT]
LAYERS = {
    "base": [],
    "data": ["base"],
    "io": ["base", "data"],
    "config": ["base", "data", "io"],
    CONTRACT: ["base", "data", "io", "config"],
    "connectors": BELOW,
    "pipeline": BELOW,
    "jinja": ["base"],
    "models": [*BELOW, "jinja"],
    "flow": [*BELOW, "pipeline", "jinja", "models"],
    "observe": [*BELOW, "pipeline", "models", "flow"],
    "insight": [*BELOW, "pipeline", "jinja", "models", "flow", "observe"],
    "deploy": [*BELOW, "pipeline", "jinja", "models", "flow", "observe"],
    "server": [*BELOW, "pipeline", "jinja", "models", "flow", "observe", "insight", "deploy"],
    "sandbox": ["base", "data", "io", "config"],
    "cli": [*BELOW, "sandbox", "pipeline", "jinja", "models", "flow", "observe", "insight", "deploy", "server"],
}

BANNED = [
    (r"\bsleep_for\b|\busleep\s*\(|\bnanosleep\b", "sleep through Clock", ("src/base/",)),
    (r"\bstd::(cout|cerr)\b", "print in cli only", ("src/main.cc", "bench/")),
    (r"(?<![\w:])f?printf\s*\(", "print through a stream", ("bench/",)),
    (r"(?<!\w)(?<!\.)sprintf\s*\(|\bstrcpy\s*\(|\bstrcat\s*\(|\bgets\s*\(", "unbounded", ()),
    (r"(?<![\w:.])s?rand\s*\(", "use <random>", ()),
    (r"\bsystem\s*\(\s*\"", "no shell", ()),
    (r"(?<![\w>.:(])(?<!return )new\s+\w+\s*[({\[]", "use make_unique", ("src/io/", "src/data/")),
    (r"\bgetenv\s*\(", "the environment comes in through the session",
     ("src/cli/frame/session.cc", "src/base/failpoint.cc", "src/io/http.cc")),
]
DEBRIS = re.compile(r"\b(TODO|XXX|HACK|WIP|nocommit)\b")
# What connectors share: src/connectors/<name>/, without a spec of its own.
SHARED = ["ads", "command", "cursor", "keyed", "parts"]
FORBIDDEN_NAMES = re.compile(r"(_|^)(utils?|helpers?|common|misc)(_|\.|$)")


def code_of(text):
    """The text with comments, strings and character literals blanked, line by line the same."""
    raw, comment, block = r'R"(\w*)\(.*?\)\1"', r"//[^\n]*", r"/\*.*?\*/"
    string, character = r'"(?:\\.|[^"\\\n])*"', r"(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"
    pattern = re.compile("|".join([raw, comment, block, string, character]), re.S)
    return pattern.sub(lambda match: '""' + "\n" * match.group().count("\n") if match.group()[0] in '"R'
                       else "\n" * match.group().count("\n"), text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def layer_of(path):
    if path in CONTRACTS:
        return CONTRACT
    return path.split("/")[0]


def connector_of(path):
    """ "rest" of connectors/rest.cc and of connectors/rest/paging.h; None elsewhere."""
    parts = path.split("/")
    if parts[0] != "connectors" or path in CONTRACTS:
        return None
    return parts[1].split(".")[0]


def check_layers(path, text):
    if not path.startswith("src/") or path == "src/main.cc":
        return
    own = layer_of(path[4:])
    for match in re.finditer(r'^\s*#include "([^"]+)"', text, re.M):
        other = match.group(1)
        if "/" not in other:
            continue
        layer = layer_of(other)
        other_connector = connector_of(other)
        same_connector = other_connector is not None and other_connector in [connector_of(path[4:]), *SHARED]
        allowed = layer == own and (own != "connectors" or same_connector)
        if not allowed and layer not in LAYERS.get(own, []):
            yield line_of(text, match.start()), "layer", f"{own}/ may not include {other}"


def check_banned(path, text):
    if not path.startswith(("src/", "bench/")):
        return
    code = code_of(text)
    for pattern, why, allowed in BANNED:
        if path.startswith(tuple(allowed)) and allowed:
            continue
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), "banned", f"{match.group().strip()}: {why}"


def check_lines(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > COLUMNS_MAX:
            yield number, "columns", f"{len(line)} of {COLUMNS_MAX}"
        if line != line.rstrip() and not path.endswith(".md"):
            yield number, "columns", "space at the end of the line"
        if "\t" in line and not path.endswith("Makefile"):
            yield number, "columns", "a tab"
        if DEBRIS.search(line) and path != "tools/tidy.py" and not path.startswith("tests/tools/"):
            yield number, "debris", DEBRIS.search(line).group()


def check_name(path, _):
    name = path.rsplit("/", 1)[-1]
    if FORBIDDEN_NAMES.search(name):
        yield 1, "name", "say what idea it holds: no utils, helpers, common"
    if path.startswith(("src/", "tests/", "bench/")) and path.endswith((".cc", ".h")) and not re.fullmatch(
            r"[a-z0-9_]+\.(cc|h)", name):
        yield 1, "name", "snake_case"


def check_file_length(path, text):
    limit = FILE_LINES_MAX.get(pathlib.PurePath(path).suffix)
    lines = text.count("\n")
    if limit and lines > limit and path.startswith("src/"):
        yield lines, "file-length", f"{lines} lines of {limit}"


def is_function_head(head):
    """Whether what stands before a brace outside functions makes it a function's body."""
    head = head.strip()
    if not head or "(" not in head or head.endswith(("=", ",", "(", "return")):
        return False
    qualifiers = r"\)\s*(const|noexcept|override|final|mutable|&|\s)*"
    is_type = re.match(r"(template\s*<.*>\s*)?(class|struct|enum|namespace|union|extern)\b", head, re.S)
    if is_type and not re.search(qualifiers + "$", head):
        return False
    return re.search(qualifiers + r"(->\s*[\w:<>,\s*&]+|:\s*.*)?$", head, re.S) is not None


def functions_of(text):
    """Name, first and last line of every function of a file, by matching braces."""
    code = re.sub(r"^\s*#.*?(?<!\\)$", "", code_of(text), flags=re.M | re.S)
    stack, head_at = [], 0
    for at, char in enumerate(code):
        inside = any(kind == "function" for kind, _, _ in stack)
        if char == "{":
            head = code[head_at:at]
            name = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
            # A brace behind "C() : x_" begins the value of a member, not a body.
            if not inside and re.search(r"\)\s*:\s*(.*,\s*)?\w+\s*$", head, re.S):
                kind = "value"
            else:
                kind = "function" if not inside and is_function_head(head) else "block"
            stack.append((kind, line_of(code, at), name.group(1) if name else "lambda"))
        elif char == "}" and stack:
            kind, first, name = stack.pop()
            if kind == "function":
                yield name, first, line_of(code, at)
            if kind == "value":
                continue
        if char in "{};" and not any(kind == "value" for kind, _, _ in stack):
            head_at = at + 1


def check_function_length(path, text):
    if not path.endswith((".cc", ".h")) or not path.startswith(("src/", "bench/")):
        return
    for name, first, last in functions_of(text):
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, "function-length", f"{name}: {last - first + 1} lines of {FUNCTION_LINES_MAX}"


def check_tests_assert(path, text):
    """Every TEST has an expectation of its own, or calls one of the file's functions that has."""
    if not path.endswith("_test.cc"):
        return
    code = code_of(text)
    asserting = re.compile(r"\b(EXPECT|ASSERT)_\w+|\bFAIL\(|\bADD_FAILURE|\bverify_|\bexpect_")
    bodies = list(re.finditer(r"^(TEST(?:_F|_P)?)\(([^)]*)\)\s*\{", code, re.M))
    for index, match in enumerate(bodies):
        end = code.find("\n}", match.end())
        body = code[match.end():end]
        called = [name for name in re.findall(r"\b([a-z]\w+)\(", body)]
        before = code[:match.start()]
        indirect = any(re.search(rf"\b{name}\([^;]*\)\s*(const\s*)?\{{[^\0]*?(EXPECT|ASSERT)_", before)
                       for name in set(called))
        if not asserting.search(body) and not indirect:
            yield line_of(code, match.start()), "test", f"{match.group(2)}: expects nothing"


CHECKS = [check_layers, check_banned, check_lines, check_name, check_file_length, check_function_length,
          check_tests_assert]


def check_docs(root):
    """Each connector, each command and each alert channel has its row."""
    for folder, page in (("src/connectors", "docs/connectors.md"), ("src/cli", "docs/cli.md"),
                         ("src/observe/channels", "docs/alerts.md")):
        rows = (root / page).read_text(encoding="utf-8") if (root / page).exists() else ""
        for file in sorted((root / folder).glob("*.cc")):
            if not re.search(rf"^\| (\[|`)?(shaduf )?{file.stem}\b", rows, re.M):
                yield page, 1, "docs", f"no row for {file.stem}"


def section_of(page, title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return found.group(1) if found else ""


def check_builtins(root):
    """docs/jinja.md has a row for each filter, test and global of the language, no other, and all methods."""
    path = "docs/jinja.md"
    page = (root / path).read_text(encoding="utf-8") if (root / path).exists() else ""
    tables = {"Filters": "filters_*.cc", "Tests": "tests.cc", "Globals": "globals.cc"}
    for title, pattern in tables.items():
        texts = [file.read_text(encoding="utf-8") for file in (root / "src/jinja").glob(pattern)]
        known = {name for text in texts for name in re.findall(r'Builtin\{"([^"]+)"', text)}
        told = set(re.findall(r"^\| `([^`]+)`", section_of(page, title), re.M))
        for name in sorted(known ^ told):
            yield path, 1, "docs", f"{title}: {name}: {'no row' if name in known else 'there is none'}"
    methods = set(re.findall(r"`(\w+)`", section_of(page, "Methods")))
    for file in sorted((root / "src/jinja").glob("methods*.cc")):
        for name in re.findall(r'Method\{"(\w+)"', file.read_text(encoding="utf-8")):
            if name not in methods:
                yield path, 1, "docs", f"Methods: {name}: no row"


def header_error(header):
    """What the compiler says of a header on its own, included twice; "" when it is fine."""
    include = f'#include "{header[4:]}"\n'
    command = ["c++", "-std=c++20", "-fsyntax-only", "-Isrc", "-isystem", ".deps/duckdb", "-x", "c++", "-"]
    done = subprocess.run(command, input=include * 2, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (re.findall(r"error: .*", done.stderr) or ["does not compile alone"])[0]


def check_headers(headers):
    """Compiles each header alone; one that compiled before, with all that it includes unchanged, is not tried again."""
    cache = ROOT / "build" / "tidy-headers"
    cache.mkdir(parents=True, exist_ok=True)
    texts = {header: (ROOT / header).read_bytes() for header in headers}

    def closure(header, seen):
        if header not in texts or header in seen:
            return
        seen.add(header)
        for name in re.findall(rb'^#include "([^"]+)"', texts[header], re.M):
            closure("src/" + name.decode(), seen)

    def stamp_of(header):
        seen = set()
        closure(header, seen)
        return cache / hashlib.sha256(b"".join(texts[name] for name in sorted(seen))).hexdigest()

    stale = [header for header in headers if not stamp_of(header).exists()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, error in zip(stale, pool.map(header_error, stale)):
            if error:
                yield header, 1, "header", error
            else:
                stamp_of(header).touch()


def apply_exceptions(findings, exceptions):
    """Leaves out what is excepted, and adds exceptions that nothing needs. An entry is "file: check: what"."""
    used, left = set(), []
    for path, line, check, what in findings:
        entry = f"{path}: {check}: {what.split(':')[0]}" if check == "function-length" else f"{path}: {check}"
        if check in ("function-length", "file-length") and entry in exceptions:
            used.add(entry)
        else:
            left.append((path, line, check, what))
    for entry in sorted(exceptions - used):
        left.append(("tools/tidy_exceptions.txt", 1, "exception", f"not needed any more: {entry}"))
    return left


def source_files(root):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True,
                            check=True).stdout.splitlines()
    kinds = (".cc", ".h", ".py", ".cmake", "CMakeLists.txt", "Makefile")
    return sorted(path for path in listed if path.endswith(kinds) and (root / path).is_file())


def main(arguments):
    findings = []
    files = source_files(ROOT)
    for path in files:
        text = (ROOT / path).read_text(encoding="utf-8")
        for check in CHECKS:
            findings += [(path, *finding) for finding in check(path, text)]
    findings += check_docs(ROOT)
    findings += check_builtins(ROOT)
    if "--no-headers" not in arguments:
        findings += check_headers([path for path in files if path.startswith("src/") and path.endswith(".h")])
    exceptions_file = ROOT / "tools" / "tidy_exceptions.txt"
    exceptions = {line.strip() for line in exceptions_file.read_text(encoding="utf-8").splitlines()
                  if line.strip() and not line.startswith("#")}
    findings = apply_exceptions(findings, exceptions)
    for path, line, check, what in sorted(findings):
        print(f"{path}:{line}: {check}: {what}")
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
