#!/usr/bin/env python3
"""Whoever waits at a terminal sees how far it is, and nothing of it is left; whoever asked for silence sees nothing.
Reading is made slow by tests/lib/preload.c, so that every command takes over half a second."""
import os
import random
import re
import subprocess

from common import CAIRN, Repo, main, open_terminal, read_all

SHIM = os.path.join(os.path.dirname(CAIRN), "tests", "preload.so")
LINE = re.compile(rb"\r[a-z]+ [0-9.]+ [kMGT]?i?B[^\r]*/s\033\[K")


class Progress(Repo):
    def setUp(self):
        if not os.path.exists(SHIM):
            self.skipTest("no " + SHIM)
        super().setUp()
        data = random.Random(3).randbytes(400_000)
        self.cid = self.add("--chunker=size-2000", "--raw-leaves=false", "--pin=false", input=data)
        self.data = data

    def at_a_terminal(self, *words):
        """What it wrote to its terminal; its standard output goes elsewhere."""
        ours, theirs = open_terminal()
        p = self.start(*words, env={"LD_PRELOAD": SHIM, "CAIRN_SLOW_READ_MS": "10"}, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        out = p.communicate()[0]
        said = read_all(ours)
        self.assertEqual(p.returncode, 0, said)
        self.assertNotIn(b"\033", out)
        return said

    def shows(self, name, *words):
        said = self.at_a_terminal(*words)
        self.assertRegex(said, LINE)
        self.assertIn(b"\r" + name + b" ", said)
        self.assertTrue(said.rstrip(b"\r\n").endswith(b"\r\033[K") or b"\r\033[K" in said[said.rindex(b"/s"):], said)

    def test_get(self):
        self.shows(b"saving", "get", "-o", "out", self.cid)
        with open(self.path("out"), "rb") as f:
            self.assertEqual(f.read(), self.data)
        self.assertNotRegex(self.at_a_terminal("get", "--progress=false", "-o", "out2", self.cid), LINE)

    def test_pin_add(self):
        self.shows(b"checking", "pin", "add", "--progress", self.cid)

    def test_pin_add_says_nothing_when_told(self):
        self.assertNotRegex(self.at_a_terminal("pin", "add", "--progress=false", self.cid), LINE)

    def test_repo_gc(self):
        self.ok("pin", "add", self.cid)
        self.add("--chunker=size-2000", "--pin=false", input=random.Random(4).randbytes(100_000))
        self.shows(b"checking", "repo", "gc", "-q")


if __name__ == "__main__":
    main()
