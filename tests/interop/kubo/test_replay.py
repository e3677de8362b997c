#!/usr/bin/env python3
"""Compares build/cairn with Kubo: live where one is installed, else with the recorded answers.

CAIRN names the program under test (default build/cairn), CAIRN_KUBO a Kubo 0.43.0 (default
build/peers/ipfs). Both ways of asking are gone through: on the repo itself and through a daemon.
The last line is "N passed, N failed".
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../../.."))
MOST_S = 300
COUNT = re.compile(r"\d+ passed, \d+ failed")


def lost(why):
    print("test_replay.py: %s" % why)
    print("0 passed, 1 failed")
    return 1


def main():
    cairn = os.environ.get("CAIRN", os.path.join(ROOT, "build/cairn"))
    kubo = os.environ.get("CAIRN_KUBO", os.path.join(ROOT, "build/peers/ipfs"))
    live = os.path.exists(kubo)
    if "CAIRN_KUBO" in os.environ and not live:
        return lost("CAIRN_KUBO=%s is not there" % kubo)
    if not os.path.exists(cairn):
        return lost("%s is not built" % cairn)
    oracle = ["--kubo", kubo] if live else ["--replay", os.path.join(HERE, "answers.json")]
    print("comparing with " + (kubo if live else "what Kubo 0.43.0 answered"), flush=True)
    command = [sys.executable, os.path.join(HERE, "compare.py"), "--cairn", cairn] + oracle
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MOST_S)
    except subprocess.TimeoutExpired:
        return lost("not done within %d s" % MOST_S)
    out = done.stdout.decode("utf-8", "replace")
    sys.stdout.write(out)
    lines = out.splitlines()
    if done.returncode not in (0, 1) or not lines or not COUNT.fullmatch(lines[-1]):
        return lost("the comparison could not be made")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
