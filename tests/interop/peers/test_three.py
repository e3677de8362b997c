#!/usr/bin/env python3
"""A Kubo, a Helia and a cairn, each in a network namespace of its own: each fetches from each other.

Between the namespaces stands a fourth that carries packets, so that nobody shares an address, let alone loopback.
Needs root and iproute2; without the right to make namespaces it is skipped, which is a failure with CI=true."""
import os, shutil, subprocess, tempfile, unittest

import content
from nodes import Cairn, digest, Helia, Kubo, skip
from common import main

NET = "10.77.%d.%d"  # the place's number; 1 for the middle, 2 for the node
SECONDS = 60
FILE_BYTES, TREE_FILES = 8 << 20, 50


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=SECONDS)


class Places:
    """Namespaces that are gone after close(), whatever became of their making."""

    def __init__(self, count):
        self.name = "cairn-three-%d" % os.getpid()
        self.made = []
        try:
            self.make(self.name)
            subprocess.run(["ip", "netns", "exec", self.name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"], check=True,
                           capture_output=True, timeout=SECONDS)
            self.nodes = [self.place(i + 1) for i in range(count)]
        except BaseException:
            self.close()
            raise

    def make(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def place(self, no):
        """A namespace joined to the middle; returns its name and its address."""
        name, ends = "%s-%d" % (self.name, no), ("m%d" % no, "eth0")
        self.make(name)
        ip("-n", self.name, "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", name)
        for space, end, host in ((self.name, ends[0], 1), (name, ends[1], 2)):
            ip("-n", space, "addr", "add", NET % (no, host) + "/24", "dev", end)
            ip("-n", space, "link", "set", end, "up")
        ip("-n", name, "route", "add", "default", "via", NET % (no, 1))
        return name, NET % (no, 2)

    def close(self):
        for name in reversed(self.made):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Three(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for kind in (Cairn, Kubo, Helia):
            kind.need()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        if os.geteuid() != 0 or not shutil.which("ip"):
            skip("network namespaces need root and iproute2")
        try:
            cls.places = Places(3)
        except subprocess.CalledProcessError as bad:
            skip("no network namespace can be made here: " + bad.stderr.decode().strip())
        cls.addClassCleanup(cls.places.close)
        cls.nodes = []
        for kind, (space, address) in zip((Cairn, Kubo, Helia), cls.places.nodes):
            node = kind(listen="/ip4/%s/tcp/0" % address, namespace=space)
            cls.addClassCleanup(node.stop)
            cls.nodes.append(node)
        cairn, kubo, helia = cls.nodes
        kubo.connect(cairn.address)
        cairn.connect(helia.address)
        helia.connect(kubo.address)

    def fetch(self, giver, taker, what, path):
        """What only the giver has, so that it can have come from nobody else."""
        with self.subTest(giver=giver.name, taker=taker.name, what=what):
            self.assertEqual(taker.fetch(giver.add(path), SECONDS)["sha256"], digest(path))

    def test_each_fetches_from_each_other(self):
        pairs = [(giver, taker) for giver in self.nodes for taker in self.nodes if giver is not taker]
        for no, (giver, taker) in enumerate(pairs):
            path = os.path.join(self.folder.name, str(no))
            self.fetch(giver, taker, "file", content.file(path + ".bin", 100 + no, FILE_BYTES))
            self.fetch(giver, taker, "tree", content.tree(path, 200 + no, TREE_FILES))

    def test_they_know_each_other_by_the_right_addresses(self):
        for one in self.nodes:
            for other in self.nodes:
                if one is not other:
                    with self.subTest(asks=one.name, about=other.name):
                        told = one.identify(other.id)["addresses"]
                        self.assertIn(other.address.split("/p2p/")[0], [a.split("/p2p/")[0] for a in told])
                        self.assertFalse([a for a in told if "/127." in a], "loopback is told outside")


if __name__ == "__main__":
    main()
