#!/usr/bin/env python3
"""64 MiB and a tree of 2,000 small files each way with each implementation of bitswap, and what happens when a peer
dies, comes back, stalls or lies in the middle.

    test_bulk.py [--write]    --write keeps the times in docs/interop.md
"""
import os, sys, tempfile, threading, time, unittest

import content, page
from nodes import Cairn, digest, Helia, Kubo, Liar, part, Refused, Rust
from common import main

SECONDS = int(os.environ.get("FETCH_SECONDS", "120"))  # what one fetch may take on a busy machine
BLOCKS = 100  # of the 257 of such a file, before the peer's fate is met
times = {}  # (who gives, who takes) -> {what: seconds}


def setUpModule():
    Cairn.need()


def tearDownModule():
    lines = ["| gives | takes | 64 MiB | 2,000 files |", "|---|---|---|---|"]
    lines += ["| %s | %s | %s | %s |" % (*pair, *("%.2f s" % t[w] if w in t else "" for w in ("file", "tree")))
              for pair, t in times.items()]
    page.keep("bulk", lines)


class Fetching(threading.Thread):
    """A fetch that goes on while the test does something to its peers."""

    def __init__(self, node, cid, seconds=SECONDS):
        super().__init__(daemon=True)
        self.node, self.cid, self.seconds = node, cid, seconds
        self.result = self.bad = None
        self.start()

    def run(self):
        try:
            self.result = self.node.fetch(self.cid, self.seconds)
        except Exception as bad:  # told to the test in end()
            self.bad = bad

    def end(self):
        self.join(self.seconds + 30)
        if self.bad is not None:
            raise self.bad
        return self.result


class WithFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def node(self, kind, *words, **more):
        node = kind(*words, **more)
        self.addCleanup(node.stop)
        return node


class Bulk(WithFolder):
    """Once per direction; each gives what nobody else has."""

    def give(self, giver, taker, what, path):
        cid = giver.add(path)
        told = taker.fetch(cid, SECONDS)
        self.assertEqual(told["sha256"], digest(path))
        times.setdefault((giver.name, taker.name), {})[what] = told["seconds"]

    def exchange(self, kind, seed):
        kind.need()
        ours, theirs = self.node(Cairn), self.node(kind)
        for giver, taker, no in ((theirs, ours, seed), (ours, theirs, seed + 1)):
            giver.connect(taker.address)
            self.give(giver, taker, "file", content.file(self.path("file%d" % no), no))
            self.give(giver, taker, "tree", content.tree(self.path("tree%d" % no), no))
            part(giver, taker)

    def test_kubo(self):
        self.exchange(Kubo, 10)

    def test_many_small_files_from_kubo_again_and_again(self):
        """Fresh nodes, for what goes wrong only now and then."""
        Kubo.need()
        kubo = self.node(Kubo)
        for no in range(10):
            ours = self.node(Cairn)
            cid = kubo.add(content.tree(self.path("again%d" % no), 900 + no))
            ours.connect(kubo.address)
            self.assertEqual(ours.fetch(cid, 30)["sha256"], digest(self.path("again%d" % no)))
            ours.stop()

    def test_helia(self):
        self.exchange(Helia, 20)

    def test_rust(self):
        self.exchange(Rust, 30)


class Harm(WithFolder):
    """The giver holds its answers back after some blocks, which is the middle for sure, and then meets its fate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = content.file(os.path.join(cls.folder.name, "file"), 1)
        cls.digest = digest(cls.file)

    def setUp(self):
        Rust.need()
        self.ours = self.node(Cairn)

    def giver(self, *words, **more):
        node = self.node(Rust, *words, **more)
        self.cid = node.add(self.file)
        return node

    def fetch_from(self, giver):
        self.ours.connect(giver.address)
        return Fetching(self.ours, self.cid)

    def check(self, fetching):
        self.assertEqual(fetching.end()["sha256"], self.digest)

    def test_one_dies_and_another_goes_on(self):
        first, second = self.giver(most_blocks=BLOCKS), self.giver()
        fetching = self.fetch_from(first)
        first.wait_holding()
        self.assertTrue(fetching.is_alive())
        first.kill()
        self.ours.connect(second.address)
        self.check(fetching)

    def test_one_stalls_and_another_goes_on(self):
        first, second = self.giver(most_blocks=BLOCKS), self.giver()
        fetching = self.fetch_from(first)
        first.wait_holding()
        first.pause()
        self.ours.connect(second.address)
        self.check(fetching)

    def test_one_answers_no_more_and_another_goes_on(self):
        first, second = self.giver(most_blocks=BLOCKS), self.giver()
        fetching = self.fetch_from(first)
        first.wait_holding()
        self.ours.connect(second.address)
        self.check(fetching)
        self.assertIn(first.id, self.ours.peers())  # it went on answering pings

    def test_one_stalls_and_goes_on(self):
        only = self.giver(most_blocks=BLOCKS)
        fetching = self.fetch_from(only)
        only.wait_holding()
        only.pause()
        time.sleep(4)  # long enough to be noticed, too short to be given up
        self.assertTrue(fetching.is_alive())
        only.resume()
        only.go_on()
        self.check(fetching)

    def test_one_dies_and_comes_back(self):
        only = self.giver("rsa", most_blocks=BLOCKS)
        with open(only.key, "rb") as f:
            key = f.read()
        fetching = self.fetch_from(only)
        only.wait_holding()
        only.kill()
        with open(self.path("key"), "wb") as f:
            f.write(key)
        again = self.giver(self.path("key"), listen=only.address.split("/p2p/")[0])
        self.assertEqual(again.id, only.id)
        again.connect(self.ours.address)
        self.check(fetching)

    def test_a_taker_that_dies_harms_nobody(self):
        cid = self.ours.add(content.file(self.path("ours"), 2))
        first, second = self.node(Rust), self.node(Rust)
        first.connect(self.ours.address)
        second.connect(self.ours.address)
        Fetching(first, cid)
        time.sleep(0.1)
        first.kill()
        self.assertEqual(second.fetch(cid, SECONDS)["sha256"], digest(self.path("ours")))

    def lie(self, how):
        Liar.need()
        liar, honest = self.node(Liar, how), self.giver()
        self.ours.connect(liar.address)
        fetching = Fetching(self.ours, self.cid)
        end = time.monotonic() + SECONDS
        while liar.lies() == 0:
            self.assertLess(time.monotonic(), end, "the liar was never asked")
            time.sleep(0.05)
        self.ours.connect(honest.address)
        self.check(fetching)
        self.ours.run("repo", "verify")

    def test_wrong_blocks(self):
        self.lie("wrong")

    def test_claims_without_blocks(self):
        self.lie("silent")

    def test_no_messages_at_all(self):
        self.lie("junk")

    def test_what_nobody_has_ends_in_time(self):
        other = self.giver()
        self.ours.connect(other.address)
        with self.assertRaises(Refused):
            self.ours.fetch("bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi", 3)


if __name__ == "__main__":
    main()
