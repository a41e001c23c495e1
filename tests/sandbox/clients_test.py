#!/usr/bin/env python3
"""clients_test.py SHADUF CLIENT: a vendor's own client reads the sandbox and finds the truth in it; --list names them.

Status 77 when the client is not installed (scripts/setup --extras), which counts as skipped.
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / ".deps" / "ads"
HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77

# What runs each client, the file that shows that it is installed, and the program.
PROGRAMS = {
    "facebook_business_python": ([str(CLIENTS / "python/bin/python")], "python/stamp", "facebook_business_sdk.py"),
    "facebook_business_node": (["node"], "node_modules/facebook-nodejs-business-sdk", "facebook_business_sdk.js"),
    "google_ads_node": (["node"], "node_modules/google-ads-api", "google_ads_api.js"),
    "twitter_ads_node": (["node"], "node_modules/twitter-ads", "twitter_ads.js"),
    "clevertap_node": (["node"], "node_modules/clevertap", "clevertap.js"),
}


def main(shaduf, client):
    runner, installed, program = PROGRAMS[client]
    if not (CLIENTS / installed).exists():
        print(f"skipped: {client} is not installed; scripts/setup --extras would")
        return SKIPPED
    world = ["--today", "2026-11-21", "--accounts", "3", "--ads", "40"]
    command = [shaduf, "sandbox", *world, "--", *runner, str(HERE / program)]
    environment = {**os.environ, "NODE_PATH": str(CLIENTS / "node_modules"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, timeout=240, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join(PROGRAMS))
    else:
        sys.exit(main(*sys.argv[1:]))
