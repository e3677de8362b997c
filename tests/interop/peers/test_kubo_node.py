#!/usr/bin/env python3
"""A cairn daemon and a live Kubo on loopback: each dials the other, they say the same of what they see, and content moves
both ways.

Kubo is $KUBO, or build/peers/ipfs; without it the tests are skipped, which is a failure with CI=true."""

import json, os, pathlib, re, subprocess, sys, tempfile, time, unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from common import CAIRN, main  # noqa: E402

KUBO = os.environ.get("KUBO", str(ROOT / "build/peers/ipfs"))
MIB = 1 << 20
CONFIG = (("Addresses.API", "/ip4/127.0.0.1/tcp/0"), ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"),
          ("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/0"]), ("Discovery.MDNS.Enabled", False))


class Node:
    def __init__(self, program, variable, folder, config=()):
        self.program = program
        self.repo = os.path.join(folder, os.path.basename(program))
        self.env = dict(os.environ, HOME=folder, IPFS_TELEMETRY="off", **{variable: self.repo})
        self.run("init", "--profile=test,unixfs-v1-2025")
        for key, value in (*CONFIG, *config):
            self.run("config", "--json", key, json.dumps(value))
        self.process = subprocess.Popen([program, "daemon"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if line.startswith("Daemon is ready"):
                break
        self.id = self.run("id", "-f", "<id>")
        self.address = self.run("id", "-f", "<addrs>").split("\n")[0]

    def ask(self, *words):
        return subprocess.run([self.program, *words], env=self.env, capture_output=True, timeout=120)

    def run(self, *words):
        done = self.ask(*words)
        if done.returncode != 0:
            raise AssertionError((words, done.stderr))
        return done.stdout.decode()

    def json(self, *words):
        return json.loads(self.run(*words, "--enc=json"))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def shape(value):
    """What a value is made of: names and types."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


class Kubo(unittest.TestCase):
    config = ()

    @classmethod
    def setUpClass(cls):
        if not os.access(KUBO, os.X_OK):
            if os.environ.get("CI") == "true":
                raise AssertionError("no Kubo at %s" % KUBO)
            raise unittest.SkipTest("no Kubo at %s: tools/peers builds it" % KUBO)
        cls.dir = tempfile.TemporaryDirectory()
        cls.ours = Node(CAIRN, "CAIRN_PATH", cls.dir.name, cls.config)
        cls.theirs = Node(KUBO, "IPFS_PATH", cls.dir.name, [("Routing.Type", "none")])

    @classmethod
    def tearDownClass(cls):
        cls.ours.stop()
        cls.theirs.stop()
        cls.dir.cleanup()

    def part(self):
        for a, b in ((self.ours, self.theirs), (self.theirs, self.ours)):
            a.ask("swarm", "disconnect", "/p2p/" + b.id)
        end = time.monotonic() + 20
        while self.ours.json("swarm", "peers")["Peers"] or self.theirs.json("swarm", "peers")["Peers"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


class Seen(Kubo):
    def check_view(self, a, b):
        """What each says of the other has one form."""
        for flags in ([], ["-v"], ["--streams"], ["--direction"], ["--latency"], ["--identify"]):
            with self.subTest(flags=flags):
                texts, values = [], []
                for node, other in ((a, b), (b, a)):
                    text = node.run("swarm", "peers", *flags)
                    text = text.replace(other.id, "PEER")
                    text = re.sub(r"(?m)^  .*\n", "", text)  # which streams stand just now
                    text = re.sub(r" (n/a|[0-9.]+(µs|ms|s))", " RTT", text)
                    texts.append(re.sub(r"tcp/\d+", "tcp/N", text).replace("inbound", "WAY").replace("outbound", "WAY"))
                    value = node.json("swarm", "peers", *flags)
                    value["Peers"][0].pop("Streams", None)
                    values.append(shape(value))
                self.assertEqual(texts[0], texts[1])
                self.assertEqual(values[0], values[1])

    def meet(self, dialler, listener):
        self.part()
        self.assertEqual(dialler.run("swarm", "connect", listener.address), "connect %s success\n" % listener.id)
        end = time.monotonic() + 20
        while not listener.json("swarm", "peers")["Peers"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_we_dial(self):
        self.meet(self.ours, self.theirs)
        self.check_both()

    def test_they_dial(self):
        self.meet(self.theirs, self.ours)
        self.check_both()

    def check_both(self):
        self.check_view(self.ours, self.theirs)
        for a, b in ((self.ours, self.theirs), (self.theirs, self.ours)):
            self.assertEqual(a.json("id", b.id), b.json("id"))
            self.assertEqual(a.run("id", b.id), b.run("id"))
            lines = a.run("ping", "-n", "2", b.id).split("\n")
            self.assertEqual(lines[0], "PING %s." % b.id)
            self.assertEqual(len([l for l in lines if l.startswith("Pong received: time=")]), 2)
        values = [[json.loads(l) for l in n.run("ping", "-n", "1", "--enc=json", o.id).split("\n") if l]
                  for n, o in ((self.ours, self.theirs), (self.theirs, self.ours))]
        self.assertEqual(shape(values[0]), shape(values[1]))

    def test_answers_have_one_form(self):
        self.meet(self.ours, self.theirs)
        for words in (["swarm", "addrs"], ["swarm", "addrs", "local"], ["swarm", "filters"], ["swarm", "peering", "ls"],
                      ["bitswap", "stat"], ["bitswap", "wantlist"], ["swarm", "addrs", "autonat"]):
            with self.subTest(words=words):
                ours, theirs = shape(self.ours.json(*words)), shape(self.theirs.json(*words))
                if words[-1] == "addrs":
                    ours, theirs = [set(map(str, v["Addrs"].values())) for v in (ours, theirs)]
                self.assertEqual(ours, theirs)
        self.assertEqual(shape(self.ours.json("bitswap", "ledger", self.theirs.id)),
                         shape(self.theirs.json("bitswap", "ledger", self.ours.id)))
        form = lambda text: re.sub(r"[0-9.]+ [kMG]?B", "SIZE", text)
        self.assertEqual(form(self.ours.run("stats", "bw")), form(self.theirs.run("stats", "bw")))
        for words in (["swarm", "connect", "foo"], ["swarm", "connect", "/ip4/127.0.0.1/tcp/1"], ["ping", "foo"],
                      ["ping", "-n", "0", "12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"],
                      ["swarm", "disconnect", "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"],
                      ["swarm", "disconnect", "/p2p/12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"],
                      ["swarm", "peering", "add", "foo"], ["swarm", "peering", "rm", "foo"], ["swarm", "filters", "add", "foo"],
                      ["swarm", "peering", "add", "/ip4/127.0.0.1/tcp/1"], ["bitswap", "ledger", "foo"],
                      ["bitswap", "wantlist", "-p", "foo"], ["stats", "bw", "--peer", "foo"],
                      ["stats", "bw", "--peer", self.theirs.id, "--proto", "x"],
                      ["swarm", "connect", "/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"],
                      ["ping", "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"],
                      ["id", "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"]):
            with self.subTest(words=words):
                ours, theirs = self.ours.ask(*words), self.theirs.ask(*words)
                self.assertEqual((ours.returncode, ours.stdout, ours.stderr.decode()),
                                 (theirs.returncode, theirs.stdout, theirs.stderr.decode()))


class Moved(Kubo):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours.run("swarm", "connect", cls.theirs.address)
        cls.big = os.path.join(cls.dir.name, "big")
        cls.tree = os.path.join(cls.dir.name, "tree")
        for folder in range(20):
            os.makedirs("%s/%d" % (cls.tree, folder))
            for i in range(100):
                with open("%s/%d/%d" % (cls.tree, folder, i), "wb") as f:
                    f.write(os.urandom(1000 + i))

    def move(self, giver, taker):
        with open(self.big, "wb") as f:
            f.write(os.urandom(64 * MIB))
        file = giver.run("add", "-Q", self.big).strip()
        taker.run("pin", "add", file)
        out = self.big + ".got"
        taker.run("get", "-o", out, "--offline", file)
        subprocess.run(["cmp", self.big, out], check=True)
        os.unlink(out)
        with open(self.tree + "/0/0", "wb") as f:
            f.write(os.urandom(1000))
        tree = giver.run("add", "-rQ", self.tree).strip()
        if taker is self.theirs:
            taker.run("pin", "add", tree)  # its `get` asks for one block after the other
        taker.run("get", "-o", out, tree)
        subprocess.run(["diff", "-r", self.tree, out], check=True)
        subprocess.run(["rm", "-r", out], check=True)
        block = giver.run("add", "-Q", "--raw-leaves", "--cid-version=1", self.tree + "/0/0").strip()
        self.assertEqual(taker.run("block", "stat", block), "Key: %s\nSize: 1000\n" % block)

    def test_from_kubo(self):
        self.move(self.theirs, self.ours)

    def test_to_kubo(self):
        self.move(self.ours, self.theirs)

    def test_kubo_waits_for_us(self):
        data = os.path.join(self.dir.name, "late")
        with open(data, "wb") as f:
            f.write(os.urandom(100))
        cid = self.ours.run("add", "-Q", "-n", data).strip()
        waits = subprocess.Popen([KUBO, "cat", cid], env=self.theirs.env, stdout=subprocess.PIPE)
        end = time.monotonic() + 20
        while cid not in self.ours.run("bitswap", "wantlist", "-p", self.theirs.id):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.ours.run("add", "-Q", data)
        with open(data, "rb") as f:
            self.assertEqual(waits.communicate(timeout=30)[0], f.read())


class ByNoise(Kubo):
    config = (("Swarm.Transports.Security.TLS", False),)

    def test_a_file_each_way(self):
        path = os.path.join(self.dir.name, "file")
        self.ours.run("swarm", "connect", self.theirs.address)
        for giver, taker in ((self.ours, self.theirs), (self.theirs, self.ours)):
            with open(path, "wb") as f:
                f.write(os.urandom(5 * MIB))
            taker.run("get", "-o", path + ".got", giver.run("add", "-Q", path).strip())
            subprocess.run(["cmp", path, path + ".got"], check=True)


if __name__ == "__main__":
    main()
