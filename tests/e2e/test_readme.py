#!/usr/bin/env python3
"""The tours in README.md, run as they stand there, print what stands there.

The node of the first terminal has profile test here, so that it calls nobody outside of this machine."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CAIRN = os.environ.get("CAIRN_BINARY", str(ROOT / "build/cairn"))
# What differs from run to run.
NORMAL = [(re.compile(r"12D3KooW\w+"), "PEER"), (re.compile(r"node at \S+"), "node at REPO")]


def normal(text):
    for pattern, word in NORMAL:
        text = pattern.sub(word, text)
    return text


def tours():
    """Of each console block of the README: [[command, expected output], ...]"""
    found = []
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S):
        found.append([])
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                found[-1].append([line[2:].strip(), ""])
            else:
                found[-1][-1][1] += line
    return found


class Terminal:
    def __init__(self, folder, env):
        self.folder, self.env = folder, env
        self.passed = self.failed = 0

    def sh(self, command):
        return subprocess.run(command, shell=True, cwd=self.folder, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def daemon(self, command):
        """In the background; ready when its address stands in the repo, as a person would wait."""
        repo = pathlib.Path(self.env.get("CAIRN_PATH", f"{self.folder}/.cairn"))
        subprocess.Popen(command, shell=True, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            if (repo / "gateway").exists() and self.sh("cairn id").returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{command}: not ready after 30 s")

    def step(self, command, expected):
        if command.startswith("export "):
            name, _, value = command[len("export "):].partition("=")
            self.env[name] = value.replace("~", self.folder)
            return
        if command.endswith("&"):
            self.daemon(command.rstrip("& "))
            return
        done = self.sh(command)
        got = done.stdout + done.stderr
        if done.returncode == 0 and normal(got) == normal(expected):
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {command}\nexpected:\n{expected}got ({done.returncode}):\n{got}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath(CAIRN), f"{folder}/cairn")
        env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": folder}
        env.pop("CAIRN_PATH", None)
        env.pop("IPFS_PATH", None)
        first, second = Terminal(folder, env), Terminal(folder, dict(env))
        one, two = tours()
        for command, expected in one:
            first.step(command, expected)
        first.sh("cairn add -r notes && cairn config profile apply test")
        first.daemon("cairn daemon")
        try:
            for command, expected in two:
                second.step(command, expected)
        finally:
            first.sh("cairn shutdown")
            second.sh("cairn shutdown")
    passed, failed = first.passed + second.passed, first.failed + second.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
