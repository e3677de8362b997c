#!/usr/bin/env python3
"""A daemon under attack: it stays within its budget, says whom it cut off and why, goes on serving the honest, and gives
everything back.

The attacker (tests/attack/attacker.c) runs on loopback and in a network namespace of the test's own, which needs root and
iproute2; without them that part is skipped, which is a failure with CI=true."""

import os, re, signal, subprocess, sys, tempfile, threading, time, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from common import CAIRN, main, namespaces
from test_network import MIB, Network, Node, until

ATTACKER = os.path.join(os.path.dirname(CAIRN), "tests/nodes/attacker")
BUDGET_MIB = 64
RESIDENT_MAX_MIB = BUDGET_MIB + 64
DESCRIPTORS_MAX = 1024 + 64 + 100  # connections, callers being turned away, files and the rest
BLOCK_KIB = 512

# Attack, how many connections, seconds at most, and what the daemon says of it (None: each does nothing wrong).
ATTACKS = (
    ("slow", 200, 2, "too slow: as many connections are being set up as are allowed"),
    ("half", 200, 2, "too slow: as many connections are being set up as are allowed"),
    ("wrong", 16, 20, "noise: the peer's signature does not match its identity"),
    ("wrong", 16, 20, "the peer asked for too many protocols"),
    ("streams", 8, 1, "yamux: the peer asks for more than 512 answers at once"),
    ("rapid", 8, 1, None),
    ("mux-pings", 8, 1, None),
    ("deaf-pings", 8, 1, None),
    ("tiny", 8, 1, None),
    ("windows", 8, 1, None),
    ("giant", 20, 20, "yamux: the peer sent more data than the window has room for"),
    ("go-away", 20, 20, None),
    ("ping", 8, 1, None),
    ("identify", 8, 2, "/ipfs/id/push/1.0.0: larger than the limit"),
    ("push", 8, 1, None),
    ("names", 8, 2, "the peer asked for too many protocols"),
    ("wants", 30, 1, None),
    ("same-want", 8, 1, None),
    ("deaf-wants", 60, 1, None),
    ("no-window", 60, 1, None),
    ("blocks", 20, 20, "bitswap: it sent blocks that nobody asked for"),
    ("messages", 60, 1, None),
    ("presences", 8, 1, None),
    ("peers", 200, 1, None),
    ("flood", 4000, 20, "refused: too many new connections from all addresses"),
)


class Victim(Node):
    """A daemon whose lines are read as they come, with a budget, in a namespace if one is named."""

    def __init__(self, folder, name, space=None, config=()):
        self.space = space
        super().__init__(folder, name, config=(("Swarm.ResourceMgr.MaxMemory", "%dMiB" % BUDGET_MIB), *config))

    def run(self, *words, **more):
        inside = ["ip", "netns", "exec", self.space] if self.space else []
        return subprocess.run([*inside, CAIRN, *words], env=self.env, capture_output=True, timeout=60, **more)

    def start(self, *words):
        if self.space:
            inside = ["ip", "netns", "exec", self.space]
            self.process = subprocess.Popen([*inside, CAIRN, "daemon", *words], env=self.env, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, text=True)
            self.lines = []
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                if line.startswith("Daemon is ready"):
                    break
        else:
            super().start(*words)
        self.reader = threading.Thread(target=lambda: self.lines.extend(l.rstrip("\n") for l in self.process.stdout), daemon=True)
        self.reader.start()
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.reader.join(20)
            self.process.stdout.close()
            self.process = None
        return 0

    def said(self, sentence, since=0):
        return any(sentence in line for line in self.lines[since:])

    def resident_mib(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def held(self):
        return self.json("swarm", "resources")["System"]


def attack(name, ip, port, seconds, count, cid="", space=None):
    inside = ["ip", "netns", "exec", space] if space else []
    return subprocess.Popen([*inside, ATTACKER, name, ip, str(port), str(seconds), str(count), *([cid] if cid else [])],
                            stdout=subprocess.PIPE, text=True)


def figures(line):
    return {word: int(number) for number, word in re.findall(r"(\d+) (opened|greeted|refused|cut|bytes)", line)}


class Loopback(Network):
    def victim(self):
        victim = Victim(self.folder.name, "victim")
        self.addCleanup(lambda: victim.stop(signal.SIGKILL))
        return victim.start()

    def fetch(self, victim, honest, number):
        """Something new goes both ways, whole."""
        for source, target in ((victim, honest), (honest, victim)):
            path = self.file(BLOCK_KIB << 10, "f%d" % number)
            cid = source.ok("add", "-Q", path).decode().strip()
            with open(path, "rb") as f:
                self.assertEqual(target.ok("cat", "--timeout=30s", cid), f.read())

    def usage(self, held):
        return held["ConnsUsage"], held["StreamsUsage"]

    def watch(self, victim, attacker):
        """Until the attacker has ended; what it printed."""
        while attacker.poll() is None:
            self.assertLess(victim.resident_mib(), RESIDENT_MAX_MIB)
            self.assertLess(victim.descriptors(), DESCRIPTORS_MAX)
            time.sleep(0.05)
        line = attacker.stdout.read()
        attacker.stdout.close()
        self.assertEqual(attacker.returncode, 0, line)
        return line

    def test_attacks(self):
        victim, honest = self.victim(), self.node()
        self.meet(honest, victim)
        self.fetch(victim, honest, 0)
        port = re.search(r"/tcp/(\d+)/", victim.address)[1]
        cid = victim.ok("add", "-Q", self.file(MIB, "wanted")).decode().strip()
        before = victim.held()
        resident = victim.resident_mib()
        for number, (name, count, seconds, sentence) in enumerate(ATTACKS):
            with self.subTest(attack=name):
                since = len(victim.lines)
                attacker = attack(name, "127.0.0.1", port, seconds, count, cid)
                self.fetch(victim, honest, number + 1)
                seen = figures(self.watch(victim, attacker))
                self.assertGreater(seen["opened"] + seen["refused"], 0)
                self.assertIsNone(victim.process.poll())
                if sentence:
                    self.assertTrue(until(lambda: victim.said(sentence, 0)), (sentence, victim.lines[since:]))
        self.assertTrue(until(lambda: self.usage(victim.held()) == self.usage(before), 60), (before, victim.held()))
        after = victim.held()
        self.assertLess(after["MemoryUsage"], before["MemoryUsage"] + 4 * MIB)
        self.assertLess(victim.resident_mib(), resident + 48)
        self.assertEqual(victim.peers(), [honest.id])
        self.fetch(victim, honest, len(ATTACKS) + 1)
        victim.stop()
        self.assertTrue(victim.said("in 10 s also: "), victim.lines[-20:])

    def test_who_answers_no_pings_is_cut_off(self):
        victim, honest = self.victim(), self.node()
        self.meet(honest, victim)
        port = re.search(r"/tcp/(\d+)/", victim.address)[1]
        attacker = attack("peers", "127.0.0.1", port, 60, 2)
        self.assertTrue(until(lambda: victim.said("the peer does not answer pings"), 50), victim.lines)
        seen = figures(self.watch(victim, attacker))
        self.assertEqual((seen["greeted"], seen["cut"]), (2, 2))
        self.assertEqual(victim.peers(), [honest.id])

    def test_another_peer_is_refused_by_name(self):
        victim, honest = self.node(), self.node()
        other = self.node().id
        done = honest.run("swarm", "connect", victim.address.replace(victim.id, other))
        self.assertEqual(done.returncode, 1)
        self.assertIn(victim.id, done.stderr.decode())
        self.assertIn(other, done.stderr.decode())


@unittest.skipUnless(namespaces() or os.environ.get("CI") == "true", "needs root and iproute2")
class Namespaces(unittest.TestCase):
    """Limits of one address, which loopback is exempt from: two namespaces and a link between them."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.spaces = ["at%dv" % os.getpid(), "at%da" % os.getpid()]
        for space in self.spaces:
            self.ip("netns", "add", space)
            self.addCleanup(subprocess.run, ["ip", "netns", "delete", space])
        here, there = self.spaces
        self.ip("-n", here, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", there)
        for i, space in enumerate(self.spaces):
            self.ip("-n", space, "link", "set", "lo", "up")
            self.ip("-n", space, "link", "set", "v0", "up")
            self.ip("-n", space, "address", "add", "10.78.0.%d/24" % (i + 1), "dev", "v0")
        self.ip("-n", there, "address", "add", "10.78.0.3/24", "dev", "v0")

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True)

    def test_one_address_is_not_many(self):
        victim = Victim(self.folder.name, "victim", self.spaces[0], [("Addresses.Swarm", ["/ip4/10.78.0.1/tcp/0"])])
        self.addCleanup(lambda: victim.stop(signal.SIGKILL))
        victim.start()
        port = re.search(r"Swarm listening on 10.78.0.1:(\d+)", "\n".join(victim.lines))[1]
        attacker = attack("peers", "10.78.0.1", port, 4, 100, space=self.spaces[1])
        self.assertTrue(until(lambda: victim.held()["ConnsUsage"] == 8), victim.held())
        self.assertTrue(until(lambda: victim.said("refused: 8 connections with this address, the most allowed")))
        seen = figures(attacker.communicate(timeout=30)[0])
        self.assertEqual(seen["greeted"], 8)
        self.assertTrue(until(lambda: victim.held()["ConnsUsage"] == 0))
        attacker = attack("flood", "10.78.0.1", port, 4, 100, space=self.spaces[1])
        attacker.communicate(timeout=30)
        self.assertTrue(until(lambda: victim.said("refused: too many new connections from this address")))


if __name__ == "__main__":
    main()
