#!/usr/bin/env python3
"""Rubbish in every file of the repo, one at a time: whatever a command then does, it ends with status 0, or with 1 and
a sentence. Bytes that come out are right, and once the file is put back nothing is lost."""
import os
import random
import re
import shutil
import signal
import subprocess

from common import PATIENCE_S, Repo, main

SENTENCE = re.compile(rb"([^\n]*\n)*(Error: |ipfs: )?[^\n]+\n")
SIGNS_OF_A_CRASH = re.compile(rb"(?i)assert|segmentation|sanitizer|core dumped|abort")


class Rubbish(Repo):
    def setUp(self):
        super().setUp()
        rnd = random.Random(11)
        self.data = rnd.randbytes(700_000)
        self.cid = self.add(input=self.data)
        os.makedirs(self.path("tree"))
        for n in range(40):
            self.write("tree/%02d" % n, rnd.randbytes(500))
        self.tree = self.add("-r", "tree")
        waste = self.add("--pin=false", input=rnd.randbytes(300_000))
        self.ok("block", "rm", waste, self.ok("refs", waste).split()[0].decode())  # there are tombstones
        self.ok("repo", "gc")
        os.unlink(os.path.join(self.repo, "store/reserve"))
        self.template = self.path("template")
        shutil.copytree(self.repo, self.template)

    def spoiled(self, rnd, data):
        """The same file, spoiled in several ways."""
        yield b""
        yield rnd.randbytes(max(len(data), 100))
        yield data[:len(data) // 2]
        yield data + rnd.randbytes(5000)
        yield b"\0" * len(data)
        for _ in range(4):
            some = bytearray(data)
            for _ in range(rnd.choice((1, 3, 30))):
                if some:
                    some[rnd.randrange(min(len(some), rnd.choice((64, 4096, len(some)))))] ^= 1 << rnd.randrange(8)
            yield bytes(some)

    def restore(self, name=None, data=None):
        shutil.rmtree(self.repo)
        shutil.copytree(self.template, self.repo)
        if name is not None:
            with open(os.path.join(self.repo, name), "wb") as f:
                f.write(data)

    def bare(self, done, what):
        self.assertIn(done.returncode, (0, 1), (what, done.stderr))
        self.assertNotRegex(done.stderr, SIGNS_OF_A_CRASH, what)
        if done.returncode == 1:
            self.assertRegex(done.stderr, SENTENCE, what)
            self.assertLess(done.stderr.count(b"\n"), 6, (what, done.stderr))
        return done

    def starts_or_says_why(self, what):
        p = self.start("daemon", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in p.stdout:
            if line.startswith(b"Daemon is ready"):
                p.send_signal(signal.SIGTERM)
        said = p.stderr.read()
        p.stdout.close()
        p.stderr.close()
        self.assertIn(p.wait(PATIENCE_S), (0, 1), (what, said))
        self.assertNotRegex(said, SIGNS_OF_A_CRASH, what)
        if p.returncode == 1:
            self.assertRegex(said, SENTENCE, what)

    def commands(self, rnd, what):
        done = self.bare(self.cairn("cat", self.cid), what)
        self.assertTrue(self.data.startswith(done.stdout) and (done.returncode or done.stdout == self.data), what)
        for words in (["pin", "ls"], ["repo", "stat"], ["id"], ["repo", "verify"], ["refs", "local"], ["pin", "verify"],
                      ["config", "show"], ["ls", self.tree], ["add", "-q", "tree/03"], ["pin", "rm", self.tree],
                      ["repo", "gc", "-q"]):
            if rnd.random() < 0.5:
                self.bare(self.cairn(*words), (what, words))
        if rnd.random() < 0.3:
            self.starts_or_says_why(what)

    def files(self):
        for folder, _, names in os.walk(self.template):
            for name in sorted(names):
                yield os.path.relpath(os.path.join(folder, name), self.template)

    def test_each_file(self):
        rnd = random.Random(5)
        seen = set()
        for name in self.files():
            seen.add(re.sub(r"\d{10}", "N", name))
            with open(os.path.join(self.template, name), "rb") as f:
                data = f.read()
            for n, bad in enumerate(self.spoiled(rnd, data)):
                with self.subTest(file=name, way=n):
                    self.restore(name, bad)
                    self.commands(rnd, (name, n))
        self.assertLessEqual({"config", "version", "identity.key", "store/N.car", "store/N.del", "store/index.mdb",
                              "store/pins.mdb", "store/lock"}, seen)
        self.restore()
        self.assertEqual(self.ok("cat", self.cid), self.data)

    def test_something_else_in_its_place(self):
        """A folder, a link that leads nowhere, or nothing."""
        rnd = random.Random(6)
        makers = (lambda path: None, os.mkdir, lambda path: os.symlink("nowhere/at/all", path))
        for name in self.files():
            for n, make in enumerate(makers):
                with self.subTest(file=name, way=n):
                    self.restore()
                    os.unlink(os.path.join(self.repo, name))
                    make(os.path.join(self.repo, name))
                    self.commands(rnd, (name, n))


if __name__ == "__main__":
    main()
