#!/usr/bin/env python3
"""Sums up a run of ctest from its JUnit report.

test_report.py REPORT.xml CTEST.log STATUS prints what failed (with its output) and what was skipped (with the reason),
then "N passed, N failed, N skipped" as the last line. The exit status is 1 when anything failed, or when there is no
report to read.
"""
import sys
import xml.etree.ElementTree as ET


def reason_of(case):
    """Why a test was skipped: the last line that it printed."""
    lines = [line for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    marked = [line for line in lines if "skipped:" in line.lower()]
    return (marked or lines or ["no reason given"])[-1].strip()


def summarize(cases):
    """Splits test cases into names that passed, failed and were skipped, the last two with their output or reason."""
    passed, failed, skipped = [], [], []
    for case in cases:
        name, status = case.get("name"), case.get("status")
        if case.find("failure") is not None or status == "fail":
            failed.append((name, case.findtext("system-out") or ""))
        elif case.find("skipped") is not None or status in ("notrun", "disabled"):
            skipped.append((name, reason_of(case)))
        else:
            passed.append(name)
    return passed, failed, skipped


def main(report, log, status):
    try:
        cases = ET.parse(report).getroot().iter("testcase")
        passed, failed, skipped = summarize(cases)
    except (OSError, ET.ParseError) as error:
        with open(log, encoding="utf-8", errors="replace") as lines:
            sys.stdout.write(lines.read())
        print(f"no test report: {error}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    for name, output in failed:
        print(f"FAILED {name}\n{output}")
    for name, reason in skipped:
        print(f"skipped {name}: {reason}")
    failures = len(failed)
    if status != 0 and failures == 0:
        print(f"ctest ended with status {status}; see {log}")
        failures = 1
    print(f"{len(passed)} passed, {failures} failed, {len(skipped)} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
