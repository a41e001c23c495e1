#!/usr/bin/env python3
"""Compares two manifest.json files: what dbt wrote of a project, and what shaduf wrote of the same one.

    compare_manifest.py DBT_MANIFEST OUR_MANIFEST [--fields name,alias,...] [--limit N]

Prints each difference as `unique_id field: dbt's | ours`, then how many there are; the exit status is 0 when there are
none. Left out is what no two runs share (times, ids) and what only running fills in.
"""
import argparse
import json
import sys

# What differs between any two runs, or depends on the machine.
IGNORED = {"created_at", "root_path", "build_path", "compiled_path", "compiled", "compiled_code", "extra_ctes",
           "extra_ctes_injected", "config_call_dict", "unrendered_config_call_dict"}
# Lists whose order dbt makes of sets.
UNORDERED = {"tags", "macros", "nodes", "doc_blocks", "primary_key", "supported_languages"}
SECTIONS = ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "groups", "unit_tests",
            "functions", "docs", "macros"]


def differences(a, b, path, found):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(a) + [key for key in b if key not in a]:
            if key in IGNORED:
                continue
            where = f"{path}.{key}" if path else key
            if key not in a or key not in b:
                if a.get(key) is None and b.get(key) is None:
                    continue
                found.append((where, a.get(key, "<missing>"), b.get(key, "<missing>")))
            else:
                differences(a[key], b[key], where, found)
        return
    if isinstance(a, list) and isinstance(b, list):
        if path.rsplit(".", 1)[-1] in UNORDERED:
            a, b = sorted(map(str, a)), sorted(map(str, b))
        if len(a) == len(b):
            for index, (x, y) in enumerate(zip(a, b)):
                differences(x, y, f"{path}[{index}]", found)
            return
    if a != b or isinstance(a, bool) != isinstance(b, bool):
        found.append((path, a, b))


def shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else text[:300] + "..."


def compare(dbt, ours, fields, skipped):
    lines = []
    # A test of what is not there stays among dbt's nodes, switched off.
    off = {key for key, node in dbt["nodes"].items() if not node["config"].get("enabled", True)}
    packages = {node["package_name"] for node in dbt["nodes"].values()}
    for section in SECTIONS:
        if section in skipped:
            continue
        a, b = dbt.get(section, {}), ours.get(section, {})
        if section in ("macros", "docs"):  # the built-in ones are our own
            a = {key: value for key, value in a.items() if not value["package_name"].startswith("dbt")
                 or value["package_name"] in packages}
            b = {key: value for key, value in b.items() if key in a or value["package_name"] in packages}
        lines += [f"{section}: only dbt has {key}" for key in sorted(set(a) - set(b) - off)]
        lines += [f"{section}: only we have {key}" for key in sorted(set(b) - set(a))]
        for key in sorted(set(a) & set(b)):
            found = []
            differences(a[key], b[key], "", found)
            for where, x, y in found:
                if fields and where.split(".")[0].split("[")[0] not in fields:
                    continue
                lines.append(f"{key} {where}: {shown(x)} | {shown(y)}")
    # Of the disabled ones, that they are there.
    a, b = set(dbt.get("disabled", {})) | off, set(ours.get("disabled", {}))
    lines += [f"disabled: only dbt has {key}" for key in sorted(a - b)]
    lines += [f"disabled: only we have {key}" for key in sorted(b - a)]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dbt")
    parser.add_argument("ours")
    parser.add_argument("--fields", help="only these top fields, with commas")
    parser.add_argument("--skip", default="", help="sections left out, with commas")
    parser.add_argument("--limit", type=int, default=50)
    options = parser.parse_args()
    with open(options.dbt, encoding="utf-8") as file:
        dbt = json.load(file)
    with open(options.ours, encoding="utf-8") as file:
        ours = json.load(file)
    fields = set(options.fields.split(",")) if options.fields else None
    lines = compare(dbt, ours, fields, set(options.skip.split(",")))
    for line in lines[: options.limit]:
        print(line)
    print(f"{len(lines)} differences in {len(dbt['nodes'])} nodes, {len(dbt['sources'])} sources")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
