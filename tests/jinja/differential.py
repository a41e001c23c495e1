#!/usr/bin/env python3
"""Renders random templates by jinja_render and by jinja2 itself: the same text, or an error of both.

differential.py JINJA_RENDER [--count N] [--seed S] [--show N]: prints the seed and what differs. Status 1: something
does; 77: there is no jinja2. What may differ is said in docs/jinja.md, and left out here: numbers beyond 64 bits,
limits, and addresses in the text of functions and generators.
"""

import argparse
import json
import random
import re
import signal
import subprocess
import sys

try:
    import jinja2
except ImportError:
    print("skipped: no jinja2 for this python3")
    sys.exit(77)

from generator import Generator

# What stands for "we know that this is otherwise here".
KNOWN = re.compile(
    "beyond 64 bits|too (long|big|many|deep)|nested too deeply|"
    r"complex number|operand type.s. for -: .dict_|.range object. has no attribute|several dimensions"
)
ADDRESS = re.compile(
    r"<(generator|function|Macro|built-in|bound method|list_reverseiterator|reversed|tuple_?iterator|"
    r"dict_reverse\w+|range_iterator|Cycler|Joiner|jinja2|LoopContext|macro|dict_|Namespace)[^>]*>?|"
    r"<[\w.]+ object at [^>]*>",
    re.IGNORECASE,
)


def reference(request):
    environment = jinja2.Environment(
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        trim_blocks=request["trim_blocks"],
        lstrip_blocks=request["lstrip_blocks"],
        keep_trailing_newline=request["keep_trailing_newline"],
        undefined={
            "plain": jinja2.Undefined,
            "chainable": jinja2.ChainableUndefined,
            "strict": jinja2.StrictUndefined,
        }[request["undefined"]],
    )
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        return {
            "text": environment.from_string(request["template"]).render(**json.loads(json.dumps(request["context"])))
        }
    except RecursionError:
        return {"skip": "recursion"}
    except MemoryError:
        return {"skip": "memory"}
    except TimeoutError:
        return {"skip": "time"}
    except Exception as error:  # pylint: disable=broad-except; any failure is an error of the template
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def give_up(*_):
    raise TimeoutError


def is_same(own, other):
    if "skip" in other:
        return True
    if re.search("at 0x[0-9a-f]{6}", other.get("text", ""), re.IGNORECASE):
        return True
    if "<generator" in other.get("text", "").lower():  # one that was never read, here or there
        return True
    if "error" in own:
        return "error" in other or KNOWN.search(own["error"]) is not None
    if "error" in other:  # names of filters and tests are looked up when they are used, not before
        return re.search("No (filter|test) named", other["error"]) is not None
    if own["text"] == other["text"]:
        return True
    return ADDRESS.sub("<>", own["text"]) == ADDRESS.sub("<>", other["text"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("render")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.count} templates, jinja2 {jinja2.__version__}")
    signal.signal(signal.SIGALRM, give_up)
    generator = Generator(random.Random(options.seed))
    requests = [generator.request(number) for number in range(options.count)]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    run = subprocess.run(
        [options.render], input=lines, capture_output=True, text=True, check=False, timeout=options.count / 50 + 10
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode != 0 or len(answers) != len(requests):
        print(f"jinja_render ended with {run.returncode} at template {len(answers)}:")
        print(json.dumps(requests[min(len(answers), len(requests) - 1)], indent=1), run.stderr)
        return 1
    differing = errors = 0
    for request, own in zip(requests, answers):
        other = reference(request)
        errors += "error" in other
        if is_same(own, other):
            continue
        differing += 1
        if differing <= options.show:
            print(f"--- {request['name']}: {json.dumps({k: v for k, v in request.items() if k != 'template'})}")
            print(request["template"])
            print(f"here:   {json.dumps(own)}\njinja2: {json.dumps(other)}")
    print(f"{differing} of {options.count} differ; {errors} are errors")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
