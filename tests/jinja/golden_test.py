#!/usr/bin/env python3
"""Golden files of templates: <what>.txt has a JSON context, a line of ---, and the template; <what>.out beside it the
text that comes out, or for err_<what>.txt the error with line and column.

golden_test.py JINJA_RENDER [--rewrite]: compares, or writes the .out files anew. Those that are no errors are rendered
by jinja2 too, where this python3 has it; keys of the context that begin with "$" are settings, as "$trim_blocks".
"""

import difflib
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SETTINGS = ["trim_blocks", "lstrip_blocks", "keep_trailing_newline", "undefined"]


def read(path):
    context, template = path.read_text(encoding="utf-8").split("\n---\n", 1)
    context = json.loads(context)
    request = {"name": path.stem, "template": template}
    for setting in SETTINGS:
        request[setting] = context.pop("$" + setting, "plain" if setting == "undefined" else False)
    return {**request, "context": context}


def reference(request):
    import jinja2

    kinds = {"plain": jinja2.Undefined, "chainable": jinja2.ChainableUndefined, "strict": jinja2.StrictUndefined}
    environment = jinja2.Environment(
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        undefined=kinds[request["undefined"]],
        **{setting: request[setting] for setting in SETTINGS[:3]},
    )
    return environment.from_string(request["template"]).render(**request["context"])


def differs(expected, found, where):
    if expected == found:
        return False
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), where, "found"))
    print()
    return True


def main():
    paths = sorted(HERE.glob("golden/*.txt"))
    requests = [read(path) for path in paths]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    run = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    try:
        import jinja2

        print(f"jinja2 {jinja2.__version__}")
    except ImportError:
        jinja2 = None
        print("no jinja2 for this python3: not compared with it")
    failed = 0
    for path, request, answer in zip(paths, requests, answers):
        wanted = "error" if path.stem.startswith("err_") else "text"
        found = answer.get(wanted)
        if found is None:
            print(f"{path.name}: expected {wanted}, found {answer}")
            failed += 1
            continue
        out = path.with_suffix(".out")
        if "--rewrite" in sys.argv:
            out.write_text(found + "\n", encoding="utf-8")
        failed += differs(out.read_text(encoding="utf-8") if out.exists() else "", found + "\n", out.name)
        if jinja2 is not None and wanted == "text":
            failed += differs(reference(request) + "\n", found + "\n", f"jinja2: {path.name}")
    print(f"{len(paths)} templates, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
