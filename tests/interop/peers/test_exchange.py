#!/usr/bin/env python3
"""Blocks exchanged with a live Kubo on loopback, both ways: a large file and a tree of small ones.

Kubo is $KUBO, or build/peers/ipfs; without it the tests are skipped, which is a failure with CI=true."""

import filecmp, os, pathlib, random, re, subprocess, sys, tempfile, unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))
sys.path.insert(0, str(ROOT / "tests/interop/peers"))
from common import CAIRN, main  # noqa: E402
from test_ping import KUBO, Kubo  # noqa: E402

NODE = os.environ.get("EXCHANGE_NODE", os.path.join(os.path.dirname(CAIRN), "tests/nodes/exchange_node"))
LARGE = 64 << 20
SMALL = 2000


def make_large(path):
    with open(path, "wb") as f:
        f.write(random.Random(1).randbytes(LARGE))


def make_tree(path):
    r = random.Random(2)
    for i in range(SMALL):
        folder = os.path.join(path, "d%d" % (i % 20))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "f%d" % i), "wb") as f:
            f.write(r.randbytes(r.randrange(1, 8192)))


class Exchange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.access(KUBO, os.X_OK):
            if os.environ.get("CI") == "true":
                raise AssertionError("no Kubo at %s" % KUBO)
            raise unittest.SkipTest("no Kubo at %s: tools/peers builds it" % KUBO)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.kubo = Kubo("ed25519")
        self.addCleanup(self.kubo.stop)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder.name, "CAIRN_PATH": self.path("repo")}
        self.cairn("init", "--profile=test")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def cairn(self, *words):
        done = subprocess.run([CAIRN, *words], env=self.env, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def blocks(self):
        return self.path("repo/store")

    def same(self, a, b):
        if os.path.isfile(a):
            return filecmp.cmp(a, b, shallow=False)
        names = sorted(os.listdir(a))
        return names == sorted(os.listdir(b)) and all(self.same(os.path.join(a, n), os.path.join(b, n)) for n in names)

    def we_fetch(self, name):
        cid = self.kubo.run("add", "-rQ", self.path(name)).split()[-1]
        done = subprocess.run([NODE, self.blocks(), "60", self.kubo.address, cid], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"fetched \d+ \d+ \d+")
        self.cairn("get", "-o", self.path("got"), cid)
        self.assertTrue(self.same(self.path(name), self.path("got")))
        self.assertNotIn("as many streams", done.stdout)
        self.assertRegex(done.stdout, r"resent \d+ duplicates \d+ wrong 0\n")
        print(name, "from Kubo:", re.findall(r"(?:fetched|resent) .*", done.stdout), flush=True)

    def they_fetch(self, name):
        cid = self.cairn("add", "-rQ", self.path(name)).split()[-1]
        node = subprocess.Popen([NODE, self.blocks(), "100"], stdout=subprocess.PIPE, text=True)
        try:
            address = node.stdout.readline().split()[1]
            self.assertIn("success", self.kubo.run("swarm", "connect", address))
            self.kubo.run("get", "-o", self.path("got"), cid)
            self.assertTrue(self.same(self.path(name), self.path("got")))
            self.assertIn("received", self.kubo.run("bitswap", "stat"))
        finally:
            node.terminate()
            node.wait()
            node.stdout.close()

    def test_we_fetch_a_large_file(self):
        make_large(self.path("large"))
        self.we_fetch("large")

    def test_they_fetch_a_large_file(self):
        make_large(self.path("large"))
        self.they_fetch("large")

    def test_we_fetch_a_tree(self):
        make_tree(self.path("tree"))
        self.we_fetch("tree")

    def test_they_fetch_a_tree(self):
        make_tree(self.path("tree"))
        self.they_fetch("tree")


if __name__ == "__main__":
    main()
