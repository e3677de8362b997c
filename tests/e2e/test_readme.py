#!/usr/bin/env python3
"""The tour in README.md, run as it stands there, prints what stands there."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CAIRN = os.environ.get("CAIRN_BINARY", str(ROOT / "build/cairn"))
# What differs from run to run.
NORMAL = [(re.compile(r"12D3KooW\w+"), "PEER"), (re.compile(r"node at \S+"), "node at REPO")]


def normal(text):
    for pattern, word in NORMAL:
        text = pattern.sub(word, text)
    return text


def tour():
    """[(command, expected output)] of the README's console block."""
    block = re.search(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    steps = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append([line[2:].strip(), ""])
        else:
            steps[-1][1] += line
    return steps


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath(CAIRN), f"{folder}/cairn")
        env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
               "CAIRN_PATH": f"{folder}/repo"}
        for command, expected in tour():
            done = subprocess.run(command, shell=True, cwd=folder, env=env, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            got = done.stdout + done.stderr
            if done.returncode == 0 and normal(got) == normal(expected):
                passed += 1
            else:
                failed += 1
                print(f"FAILED: {command}\nexpected:\n{expected}got ({done.returncode}):\n{got}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
