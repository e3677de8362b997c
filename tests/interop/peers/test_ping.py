#!/usr/bin/env python3
"""Connections with a live Kubo on loopback: each dials the other, with every identity type and security, tells who it is, and pings.

Kubo is $KUBO, or build/peers/ipfs; without it the tests are skipped, which is a failure with CI=true."""

import itertools, json, os, pathlib, re, subprocess, sys, tempfile, unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from common import CAIRN, main  # noqa: E402

NODE = os.environ.get("HOST_NODE", os.path.join(os.path.dirname(CAIRN), "tests/nodes/host_node"))
KUBO = os.environ.get("KUBO", str(ROOT / "build/peers/ipfs"))
OURS = ("ed25519", "rsa", "secp256k1", "ecdsa")
THEIRS = ("ed25519", "rsa")  # what its init can make
SECURITIES = {"noise": "/noise", "tls": "/tls/1.0.0"}


class Kubo:
    def __init__(self, key_type, **securities):
        self.dir = tempfile.TemporaryDirectory()
        self.env = dict(os.environ, HOME=self.dir.name, IPFS_PATH=os.path.join(self.dir.name, "repo"), IPFS_TELEMETRY="off")
        self.run("init", "--profile=test", "--algorithm=" + key_type)
        for key, value in (("Addresses.API", '"/ip4/127.0.0.1/tcp/0"'), ("Addresses.Gateway", '"/ip4/127.0.0.1/tcp/0"'),
                           ("Addresses.Swarm", '["/ip4/127.0.0.1/tcp/0"]'), ("Discovery.MDNS.Enabled", "false")):
            self.run("config", "--json", key, value)
        for name, priority in securities.items():
            self.run("config", "--json", "Swarm.Transports.Security." + name, json.dumps(priority))
        self.start()
        self.id = json.loads(self.run("id"))["ID"]
        self.address = next(a for a in json.loads(self.run("id"))["Addresses"] if a.startswith("/ip4/127.0.0.1/tcp/"))

    def start(self):
        self.process = subprocess.Popen([KUBO, "daemon"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if line.startswith("Daemon is ready"):
                break

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()

    def run(self, *words):
        return subprocess.run([KUBO, *words], env=self.env, capture_output=True, check=True, timeout=60, text=True).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()
        self.dir.cleanup()


class Ping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.access(KUBO, os.X_OK):
            if os.environ.get("CI") == "true":
                raise AssertionError("no Kubo at %s" % KUBO)
            raise unittest.SkipTest("no Kubo at %s: tools/peers builds it" % KUBO)

    def check_up(self, text, peer, security):
        """The security meant, and yamux chosen within the handshake, with the peer that was meant."""
        self.assertRegex(text, r"up %s %s /yamux/1\.0\.0 early" % (re.escape(peer), re.escape(SECURITIES[security])))

    def check_identified(self, text, kubo):
        """What Kubo tells of itself has come: its agent, its protocols, where it listens."""
        self.assertRegex(text, r"identified %s kubo/" % re.escape(kubo.id))
        self.assertIn("speaks /ipfs/ping/1.0.0\n", text)
        self.assertIn("speaks /ipfs/bitswap/1.2.0\n", text)
        self.assertIn("at %s\n" % kubo.address.rsplit("/p2p/", 1)[0], text)

    def check_known(self, kubo, peer, address):
        """What we tell of ourselves has come there."""
        known = json.loads(kubo.run("id", peer))
        self.assertEqual(known["AgentVersion"], "cairn/host-node")
        self.assertEqual(known["ID"], peer)
        self.assertLessEqual({"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"}, set(known["Protocols"]))
        self.assertEqual(known["Addresses"], [address])

    def ping_it(self, kubo, ours, offered, chosen):
        done = subprocess.run([NODE, ours, "10", offered, kubo.address], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.check_up(done.stdout, kubo.id, chosen)
        self.assertEqual(len(re.findall(r"^ping \d+$", done.stdout, re.M)), 5)
        self.check_identified(done.stdout, kubo)

    def test_we_dial(self):
        for theirs in THEIRS:
            kubo = Kubo(theirs)
            try:
                for ours in OURS:
                    for security in SECURITIES:
                        with self.subTest(ours=ours, theirs=theirs, security=security):
                            self.ping_it(kubo, ours, security, security)
            finally:
                kubo.stop()

    def be_pinged(self, kubo, ours, accepted, chosen):
        node = subprocess.Popen([NODE, ours, "30", accepted], stdout=subprocess.PIPE, text=True)
        try:
            address = node.stdout.readline().split()[1]
            peer = address.rsplit("/", 1)[1]
            self.assertIn("success", kubo.run("swarm", "connect", address))
            pong = kubo.run("ping", "-n", "3", peer)
            self.assertEqual(len(re.findall("Pong received", pong)), 3, pong)
            self.assertIn(peer, kubo.run("swarm", "peers"))
            self.check_up(node.stdout.readline(), kubo.id, chosen)
            self.check_known(kubo, peer, address)
            kubo.run("swarm", "disconnect", address)
            lines = iter(node.stdout.readline, "")
            said = "".join(itertools.takewhile(lambda line: not line.startswith("down"), lines))
            self.check_identified(said, kubo)
        finally:
            node.terminate()
            node.wait()
            node.stdout.close()

    def test_they_dial(self):
        kubo = Kubo("ed25519")
        try:
            for ours in OURS:
                for security in SECURITIES:
                    with self.subTest(ours=ours, security=security):
                        self.be_pinged(kubo, ours, security, security)
        finally:
            kubo.stop()

    def test_a_refused_security_gives_way(self):
        """Each side with one security, the other prefers the other one: one dial all the same."""
        for refused, taken in (("TLS", "noise"), ("Noise", "tls")):
            kubo = Kubo("ed25519", **{refused: False})
            try:
                with self.subTest(refused=refused):
                    self.ping_it(kubo, "ed25519", "%s,%s" % (refused.lower(), taken), taken)
                    self.be_pinged(kubo, "ed25519", "%s,%s" % (refused.lower(), taken), taken)
            finally:
                kubo.stop()
        kubo = Kubo("ed25519")
        try:
            for only in SECURITIES:
                with self.subTest(only=only):
                    self.be_pinged(kubo, "ed25519", only, only)
        finally:
            kubo.stop()

    def next_line(self, node, begin):
        """The next line of `node` that begins so; its end fails the test."""
        for line in iter(node.stdout.readline, ""):
            if line.startswith(begin):
                return line
        raise AssertionError("the node ended without a line that begins with %r" % begin)

    def test_a_peer_that_dies_is_dialled_again(self):
        kubo = Kubo("ed25519")
        node = None
        try:
            kubo.run("config", "--json", "Addresses.Swarm", json.dumps([kubo.address.rsplit("/p2p/", 1)[0]]))
            node = subprocess.Popen([NODE, "ed25519", "90", "noise", "peer", kubo.address], stdout=subprocess.PIPE, text=True)
            self.check_up(self.next_line(node, "up"), kubo.id, "noise")
            kubo.kill()
            self.next_line(node, "down")
            kubo.start()
            self.check_up(self.next_line(node, "up"), kubo.id, "noise")
            self.assertIn(kubo.id, self.next_line(node, "identified"))
        finally:
            if node is not None:
                node.terminate()
                node.wait()
                node.stdout.close()
            kubo.stop()

    def test_a_name_is_resolved(self):
        kubo = Kubo("ed25519")
        try:
            named = kubo.address.replace("/ip4/127.0.0.1/", "/dns4/localhost/")
            done = subprocess.run([NODE, "ed25519", "20", "noise", named], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.check_up(done.stdout, kubo.id, "noise")
        finally:
            kubo.stop()

    def test_a_wrong_peer_id_is_refused(self):
        kubo = Kubo("ed25519")
        try:
            wrong = kubo.address.rsplit("/", 1)[0] + "/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV"
            for security in SECURITIES:
                with self.subTest(security=security):
                    done = subprocess.run([NODE, "ed25519", "3", security, wrong], capture_output=True, text=True, timeout=30)
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stdout, r"all dials failed\n  \* \[/ip4/127.0.0.1/tcp/\d+\] the peer there is %s, not 12D3KooWCryG7" % kubo.id)
                    self.assertNotIn("up ", done.stdout)
        finally:
            kubo.stop()


if __name__ == "__main__":
    main()
