#!/usr/bin/env python3
"""Garbage in the middle of index.mdb, its first two pages being good: no command crashes or gives wrong bytes, each
ends with status 0, or with 1 and a sentence; the index is made anew and nothing is lost."""
import os
import random
import re
import shutil

from common import Repo, main

PAGE = 4096
SENTENCE = re.compile(rb"(cannot remove [^\n]+\n)*Error: [^\n]+\n")


class Damage(Repo):
    def setUp(self):
        super().setUp()
        rnd = random.Random(5)
        os.makedirs(self.path("tree"))
        self.files = {"%04d" % n: rnd.randbytes(40) for n in range(1500)}
        for name, data in self.files.items():
            self.write("tree/" + name, data)
        lines = self.ok("add", "-r", "-q", "--raw-leaves", "tree").split()
        self.cids = [cid.decode() for cid in lines]
        self.ok("add", "-r", "-q", "--raw-leaves", "--pin=false", self.write("loose", b"loose"))
        self.held = set(self.ok("refs", "local").split())
        os.unlink(os.path.join(self.repo, "store", "reserve"))
        self.template = self.path("template")
        shutil.copytree(self.repo, self.template)
        with open(os.path.join(self.template, "store", "index.mdb"), "rb") as f:
            self.pages = f.read()
        self.ok("repo", "gc")
        self.kept = set(self.ok("refs", "local").split())

    def bare(self, done):
        self.assertIn(done.returncode, (0, 1), done.stderr)
        if done.returncode == 1:
            self.assertRegex(done.stderr, SENTENCE)
        return done

    def read_some(self, rnd):
        for name in rnd.sample(sorted(self.files), 3):
            done = self.bare(self.cairn("cat", self.cids[-1] + "/" + name))
            if done.returncode == 0:
                self.assertEqual(done.stdout, self.files[name])

    def each_page(self, garbage, commands):
        rnd = random.Random(9)
        for page in range(2, len(self.pages) // PAGE):
            shutil.rmtree(self.repo)
            shutil.copytree(self.template, self.repo)
            with open(os.path.join(self.repo, "store", "index.mdb"), "r+b") as f:
                f.seek(page * PAGE)
                f.write(garbage(rnd, page))
            with self.subTest(page=page):
                commands(rnd, page)
                if commands != self.collecting:
                    self.is_whole_again(rnd)

    def is_whole_again(self, rnd, held=None):
        """`repo verify` finds it out and the next command mends it."""
        for _ in range(3):
            if self.bare(self.cairn("repo", "verify")).returncode == 0:
                break
        self.ok("repo", "verify")
        self.assertLessEqual(held or self.held, set(self.ok("refs", "local").split()))
        for name in rnd.sample(sorted(self.files), 3):
            self.assertEqual(self.ok("cat", self.cids[-1] + "/" + name), self.files[name])

    def reading(self, rnd, page):
        self.read_some(rnd)

    def writing(self, rnd, page):
        data = rnd.randbytes(600000)
        done = self.bare(self.cairn("add", "-Q", "--chunker=size-2048", input=data))
        self.bare(self.cairn("pin", "rm", self.cids[0]))
        if done.returncode == 0:
            self.is_whole_again(rnd)
            self.assertEqual(self.ok("cat", done.stdout.decode().strip()), data)

    def collecting(self, rnd, page):
        self.bare(self.cairn("repo", "gc", "-q"))
        self.is_whole_again(rnd, self.kept)

    @staticmethod
    def noise(rnd, page):
        return rnd.randbytes(PAGE)

    @staticmethod
    def zeros(rnd, page):
        return bytes(PAGE)

    def another(self, rnd, page):
        """Another page's contents; its number may be right."""
        other = rnd.randrange(2, len(self.pages) // PAGE) * PAGE
        return page.to_bytes(8, "little") + self.pages[other + 8:other + PAGE]

    def body(self, rnd, page):
        """Number and kind are right, the rest is noise."""
        return self.pages[page * PAGE:page * PAGE + 16] + rnd.randbytes(PAGE - 16)

    def spots(self, rnd, page):
        """A few bytes are wrong."""
        bytes_ = bytearray(self.pages[page * PAGE:page * PAGE + PAGE])
        for _ in range(8):
            bytes_[rnd.randrange(PAGE)] ^= 1 << rnd.randrange(8)
        return bytes(bytes_)

    def test_reading(self):
        for garbage in (self.noise, self.zeros, self.another, self.body, self.spots):
            self.each_page(garbage, self.reading)

    def test_writing(self):
        for garbage in (self.noise, self.zeros, self.body, self.spots):
            self.each_page(garbage, self.writing)

    def test_collecting(self):
        for garbage in (self.noise, self.body, self.spots):
            self.each_page(garbage, self.collecting)


if __name__ == "__main__":
    main()
