#!/usr/bin/env python3
"""Cairn daemons on loopback, two and three of them: they meet, and what one lacks comes from another."""

import json, os, re, signal, socket, subprocess, tempfile, time, unittest, urllib.error, urllib.request

from common import CAIRN, main

MISSING = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
OFFLINE = "must be run in online mode"
MIB = 1 << 20


class Node:
    """A repo of the profile `test`; its daemon listens on free ports of loopback."""

    def __init__(self, folder, name, config=(), env={}):
        self.repo = os.path.join(folder, name)
        self.env = {"PATH": os.environ["PATH"], "HOME": folder, "CAIRN_PATH": self.repo, "LC_ALL": "C", **env}
        self.process = None
        self.ok("init", "--profile=test,unixfs-v1-2025")
        for key, value in (("Addresses.API", "/ip4/127.0.0.1/tcp/0"), ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"),
                           ("Discovery.MDNS.Enabled", False), *config):
            self.ok("config", "--json", key, json.dumps(value))

    def run(self, *words, **more):
        return subprocess.run([CAIRN, *words], env=self.env, capture_output=True, timeout=60, **more)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        if done.returncode != 0:
            raise AssertionError((words, done.stdout[-500:], done.stderr[-500:]))
        return done.stdout

    def start(self, *words):
        self.process = subprocess.Popen([CAIRN, "daemon", *words], env=self.env, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Daemon is ready"):
                break
        else:
            raise AssertionError(self.lines)
        self.id = self.ok("id", "-f", "<id>").decode()
        self.address = self.ok("id", "-f", "<addrs>").decode().split("\n")[0]
        with open(self.repo + "/gateway") as f:
            self.gateway = f.read().strip()
        return self

    def stop(self, how=signal.SIGTERM):
        """Ends it and says how long that took."""
        if self.process is None:
            return 0
        begin = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(20)
        took = time.monotonic() - begin
        self.process.stdout.close()
        self.process = None
        return took

    def json(self, *words):
        return json.loads(self.ok(*words, "--enc=json"))

    def peers(self):
        return [p["Peer"] for p in self.json("swarm", "peers")["Peers"] or []]

    def get(self, path, headers={}, seconds=30):
        """Status and body."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.gateway + path, headers=headers), timeout=seconds) as r:
                return r.status, r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()


def until(check, seconds=20):
    """Ask until it holds; its last answer."""
    end = time.monotonic() + seconds
    while not (held := check()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


class Network(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.nodes = 0

    def node(self, *words, start=True, **more):
        self.nodes += 1
        node = Node(self.folder.name, "n%d" % self.nodes, **more)
        self.addCleanup(lambda: node.stop(signal.SIGKILL))
        return node.start(*words) if start else node

    def meet(self, a, b):
        self.assertEqual(a.ok("swarm", "connect", b.address), b"connect %s success\n" % b.id.encode())

    def pair(self, **more):
        a, b = self.node(**more), self.node(**more)
        self.meet(a, b)
        return a, b

    def file(self, size, name="file"):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as f:
            f.write(os.urandom(size))
        return path


class Meeting(Network):
    def test_lines(self):
        a = self.node()
        port = re.search(r"/tcp/(\d+)/", a.address)[1]
        self.assertIn("Swarm listening on 127.0.0.1:%s (TCP)" % port, a.lines)
        self.assertIn("Run 'cairn id' to inspect announced and discovered multiaddrs of this node.", a.lines)
        self.assertLess(a.lines.index("PeerID: " + a.id), a.lines.index("Daemon is ready"))

    def test_connect(self):
        a, b = self.pair()
        self.assertEqual(a.peers(), [b.id])
        self.assertTrue(until(lambda: b.peers() == [a.id]))
        port = re.search(r"/tcp/(\d+)/", b.address)[1]
        self.assertEqual(a.ok("swarm", "peers").decode(), "/ip4/127.0.0.1/tcp/%s/p2p/%s\n" % (port, b.id))
        one, = a.json("swarm", "peers")["Peers"]
        self.assertEqual(one, {"Addr": "/ip4/127.0.0.1/tcp/" + port, "Peer": b.id, "Identify": {
            "ID": "", "PublicKey": "", "Addresses": None, "AgentVersion": "", "Protocols": None}})
        self.assertIn(" outbound", a.ok("swarm", "peers", "--direction").decode())
        self.assertIn(" inbound", b.ok("swarm", "peers", "--direction").decode())
        self.meet(a, b)
        self.assertEqual(len(a.peers()), 1)
        self.assertEqual(a.ok("swarm", "disconnect", b.address), b"disconnect %s success\n" % b.id.encode())
        self.assertEqual(a.peers(), [])
        self.assertTrue(until(lambda: b.peers() == []))
        self.assertEqual(a.ok("swarm", "disconnect", b.address),
                         b"disconnect %s failure: conn not found\n" % b.id.encode())
        self.assertEqual(a.json("swarm", "peers"), {"Peers": None})

    def test_identify(self):
        a, b = self.pair()
        told = a.json("id", b.id)
        own = b.json("id")
        self.assertEqual(told, own)
        self.assertEqual(told["Addresses"], [b.address])
        self.assertIn("/ipfs/bitswap/1.2.0", told["Protocols"])
        one, = a.json("swarm", "peers", "-v")["Peers"]
        self.assertEqual(one["Identify"], own)
        self.assertEqual(one["Direction"], 2)

    def test_id_connects(self):
        a, b = self.node(), self.node()
        a.ok("swarm", "peering", "add", b.address)
        self.assertEqual(a.json("id", b.id)["ID"], b.id)
        nobody = "12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"
        self.assertIn(b"Error: routing: not found", a.run("id", nobody).stderr)

    def test_ping(self):
        a, b = self.pair()
        lines = a.ok("ping", "-n", "2", b.id).decode().split("\n")
        self.assertEqual(lines[0], "PING %s." % b.id)
        self.assertRegex(lines[1], r"^Pong received: time=\d+\.\d\d ms$")
        self.assertRegex(lines[3], r"^Average latency: \d+\.\d\dms$")
        values = [json.loads(l) for l in a.ok("ping", "-n", "1", b.address, "--enc=json").split(b"\n") if l]
        self.assertEqual([sorted(v) for v in values], 3 * [["Success", "Text", "Time"]])
        self.assertGreater(values[1]["Time"], 0)
        for words, sentence in ((["-n", "0", b.id], "ping count must be greater than 0, was 0"),
                                ([a.id], "error: can't ping self"), (["foo"], "failed to parse peer address 'foo': ")):
            self.assertIn("Error: " + sentence, a.run("ping", *words).stderr.decode())

    def test_failures_are_told(self):
        a, b = self.pair()
        b.stop()
        done = a.run("swarm", "connect", b.address)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"Error: connect %s failure: failed to dial: failed to dial " % b.id)
        self.assertIn("refused", done.stderr.decode())
        self.assertIn("found no ipfs peers at /ip4/127.0.0.1/tcp/1", a.run("swarm", "connect", "/ip4/127.0.0.1/tcp/1").stderr.decode())
        self.assertIn("ping failed", a.run("ping", "-n", "1", b.address).stderr.decode())

    def test_peering_comes_back(self):
        a, b = self.node(), self.node(config=[("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/%d" % free_port()])])
        self.assertEqual(a.ok("swarm", "peering", "add", b.address), b"add %s success\n" % b.id.encode())
        self.assertTrue(until(lambda: a.peers() == [b.id]))
        self.assertEqual(a.json("swarm", "peering", "ls"),
                         {"Peers": [{"ID": b.id, "Addrs": [b.address.rsplit("/p2p/", 1)[0]]}]})
        b.stop(signal.SIGKILL)
        self.assertTrue(until(lambda: a.peers() == []))
        b.start()
        self.assertTrue(until(lambda: a.peers() == [b.id], 40))
        self.assertEqual(a.ok("swarm", "peering", "rm", b.id), b"remove %s success\n" % b.id.encode())
        self.assertEqual(a.json("swarm", "peering", "ls"), {"Peers": []})

    def test_configured_peers(self):
        b = self.node()
        for key, value in (("Bootstrap", [b.address]),
                           ("Peering.Peers", [{"ID": b.id, "Addrs": [b.address.rsplit("/p2p/", 1)[0]]}])):
            a = self.node(config=[(key, value)])
            self.assertTrue(until(lambda: a.peers() == [b.id]), key)
            a.stop()

    def test_filters(self):
        a, b = self.node(), self.node()
        self.assertEqual(a.ok("swarm", "filters", "add", "/ip4/127.0.0.0/ipcidr/8"), b"/ip4/127.0.0.0/ipcidr/8\n")
        self.assertEqual(a.json("swarm", "filters"), {"Strings": ["/ip4/127.0.0.0/ipcidr/8"]})
        self.assertEqual(a.run("swarm", "connect", b.address).returncode, 1)
        self.assertEqual(b.run("swarm", "connect", a.address).returncode, 1)
        self.assertEqual(json.loads(a.ok("config", "Swarm.AddrFilters")), ["/ip4/127.0.0.0/ipcidr/8"])
        self.assertEqual(a.ok("swarm", "filters", "rm", "all"), b"/ip4/127.0.0.0/ipcidr/8\n")
        self.assertEqual(a.json("swarm", "filters"), {"Strings": None})
        self.meet(a, b)
        self.assertIn("invalid multiaddr-filter format", a.run("swarm", "filters", "add", "foo").stderr.decode())

    def test_addresses(self):
        a, b = self.pair()
        known = a.json("swarm", "addrs")["Addrs"]
        self.assertEqual(known[b.id], [b.address.rsplit("/p2p/", 1)[0]])
        self.assertEqual(a.ok("swarm", "addrs", "local", "--id").decode(), a.address + "\n")
        self.assertEqual(a.json("swarm", "addrs", "listen"), a.json("swarm", "addrs", "local"))
        self.assertIn(b"  Reachability: Unknown\n", a.ok("swarm", "addrs", "autonat"))
        self.assertEqual(a.json("swarm", "addrs", "autonat"), {"reachability": "Unknown"})

    def test_figures(self):
        a, b = self.pair()
        path = self.file(3 * MIB)
        cid = b.ok("add", "-Q", path).decode().strip()
        a.ok("block", "stat", cid)
        a.ok("cat", cid)
        self.assertRegex(a.ok("stats", "bw").decode(), r"^Bandwidth\nTotalIn: 3\.\d MB\nTotalOut: .*\nRateIn: .*/s\nRateOut: .*/s\n$")
        stat = a.json("bitswap", "stat")
        self.assertEqual(sorted(stat), sorted(["Wantlist", "Peers", "BlocksReceived", "DataReceived", "DupBlksReceived",
                                               "DupDataReceived", "MessagesReceived", "BlocksSent", "DataSent"]))
        self.assertEqual((stat["Peers"], stat["BlocksReceived"], stat["Wantlist"]), ([], 4, []))
        self.assertEqual(b.json("bitswap", "stat")["BlocksSent"], 4)
        self.assertGreater(a.json("bitswap", "ledger", b.id)["Recv"], 3 * MIB)
        self.assertGreater(b.json("bitswap", "ledger", a.id)["Sent"], 3 * MIB)
        system = a.json("swarm", "resources")["System"]
        self.assertEqual((system["ConnsUsage"], system["ConnsOutboundUsage"]), (1, 1))
        self.assertIn("system", a.ok("swarm", "resources").decode())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Content(Network):
    def test_each_command(self):
        a, b = self.pair()
        path = self.file(5 * MIB)
        with open(path, "rb") as f:
            data = f.read()
        tree = os.path.join(self.folder.name, "tree")
        os.makedirs(tree + "/sub")
        for i in range(50):
            with open("%s/%s%d" % (tree, "sub/" if i % 2 else "", i), "w") as f:
                f.write("file %d" % i)
        added = lambda size: b.ok("add", "-Q", self.file(size, "other")).decode().strip()
        self.assertEqual(a.ok("cat", b.ok("add", "-Q", path).decode().strip()), data)
        root = b.ok("add", "-rQ", tree).decode().strip()
        self.assertEqual(len(a.ok("ls", root).split(b"\n")), 27)
        self.assertEqual(a.ok("resolve", "/ipfs/%s/sub/1" % root), b.ok("resolve", "/ipfs/%s/sub/1" % root))
        a.ok("get", "-o", tree + ".got", root)
        subprocess.run(["diff", "-r", tree, tree + ".got"], check=True)
        self.assertEqual(a.ok("refs", "-r", root), b.ok("refs", "-r", root))
        cid = added(2 * MIB)
        self.assertIn(b"pinned", a.ok("pin", "add", cid))
        self.assertIn(b"pinned", a.ok("pin", "add", "--recursive=false", added(100)))
        cid = b.ok("block", "put", input=b"one block").decode().strip()
        self.assertEqual(a.ok("block", "get", cid), b"one block")
        cid = b.ok("block", "put", input=b"another").decode().strip()
        self.assertEqual(a.json("block", "stat", cid), {"Key": cid, "Size": 7})
        old, new = a.ok("add", "-Q", self.file(10, "old")).decode().strip(), added(3 * MIB)
        a.ok("pin", "update", old, new)
        b.stop()
        self.assertEqual(a.ok("refs", "-r", new, "--offline").count(b"\n"), 3)

    def test_refs_of_a_tree_that_came_half(self):
        a, b = self.pair()
        cid = b.ok("add", "-Q", self.file(40 * MIB)).decode().strip()
        walk = subprocess.Popen([CAIRN, "pin", "add", cid], env=a.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(until(lambda: a.json("bitswap", "stat")["BlocksReceived"] > 0))
        b.stop(signal.SIGKILL)
        b.start()
        self.meet(a, b)
        out, err = walk.communicate(timeout=60)
        self.assertEqual(walk.returncode, 0, err)
        self.assertEqual(a.json("pin", "ls", "-t", "recursive")["Keys"].get(cid, {}).get("Type"), "recursive")

    def test_a_pin_that_waits_lets_a_collection_by(self):
        """What the collection took is fetched again, and nothing of the pin is missing at the end."""
        a, b = self.pair()
        tree = self.folder.name + "/tree"
        os.mkdir(tree)
        for name in ("one", "two", "three"):
            with open(tree + "/" + name, "w") as f:
                f.write(name)
        root = b.ok("add", "-rQ", tree).decode().strip()
        lost = b.ok("add", "-Q", "--only-hash", tree + "/two").decode().strip()
        b.ok("pin", "rm", root)
        b.ok("block", "rm", lost)
        waste = a.ok("add", "-Q", "--pin=false", input=b"waste").decode().strip()
        pin = subprocess.Popen([CAIRN, "pin", "add", root], env=a.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(until(lambda: a.ok("bitswap", "wantlist").decode().split() == [lost]))
        removed = a.ok("repo", "gc").decode()
        self.assertIn(waste, removed)
        self.assertIsNone(pin.poll())
        b.ok("block", "put", input=b"two")
        out, err = pin.communicate(timeout=60)
        self.assertEqual((pin.returncode, out), (0, b"pinned %s recursively\n" % root.encode()), err)
        self.assertEqual(a.ok("repo", "gc"), b"")
        self.assertEqual(a.ok("refs", "-r", "--offline", root).count(b"\n"), 3)
        self.assertEqual(a.ok("cat", "--offline", root + "/three"), b"three")

    def test_little_memory(self):
        """A node with a small budget fetches much more than that, and its budget is kept."""
        a, b = self.pair(config=[("Swarm.ResourceMgr.MaxMemory", "16MiB")])
        path = self.file(100 * MIB)
        cid = b.ok("add", "-Q", path).decode().strip()
        a.ok("pin", "add", cid)
        with open(path, "rb") as f:
            self.assertTrue(a.ok("cat", "--offline", cid) == f.read())
        system = a.json("swarm", "resources")["System"]
        self.assertEqual(system["Memory"], "%d" % (16 * MIB))
        self.assertEqual(a.json("bitswap", "stat")["BlocksReceived"], 101)

    def test_the_gateway(self):
        a, b = self.pair(config=[("Gateway.RetrievalTimeout", "2s")])
        for size in (5, 100_000, 7 * MIB):
            path = self.file(size)
            cid = b.ok("add", "-Q", path).decode().strip()
            with open(path, "rb") as f:
                self.assertEqual(a.get("/ipfs/" + cid), (200, f.read()))
        os.mkdir(self.folder.name + "/page")
        with open(self.folder.name + "/page/index.html", "w") as f:
            f.write("<p>here")
        cid = b.ok("add", "-rQ", self.folder.name + "/page").decode().strip()
        self.assertEqual(a.get("/ipfs/%s/" % cid), (200, b"<p>here"))
        self.assertEqual(a.get("/ipfs/%s/no" % cid)[0], 404)
        status, body = a.get("/ipfs/" + MISSING)
        self.assertEqual(status, 504)
        self.assertIn(b"Unable to retrieve content within timeout period", body)
        self.assertIn(("%s: does not have it" % b.id).encode(), body)
        status, body = a.get("/ipfs/" + MISSING, {"Accept": "text/html"})
        self.assertEqual((status, body[:15]), (504, b"<!DOCTYPE html>"))
        status, body = a.get("/ipfs/" + MISSING, {"Cache-Control": "only-if-cached"})
        self.assertEqual((status, body), (412, b'"/ipfs/%s" not in local datastore\n' % MISSING.encode()))

    def test_a_gateway_that_does_not_fetch(self):
        a, b = self.pair(config=[("Gateway.NoFetch", True)])
        cid = b.ok("add", "-Q", self.file(10)).decode().strip()
        self.assertEqual(a.get("/ipfs/" + cid)[0], 404)
        a.ok("cat", cid)
        self.assertEqual(a.get("/ipfs/" + cid)[0], 200)

    def test_waiting_requests_stand_beside_others(self):
        """More requests wait than the server has threads; each is answered when its block comes."""
        a, b = self.pair()
        blocks = [b"block %d" % i for i in range(20)]
        cids = [subprocess.run([CAIRN, "block", "put"], input=d, capture_output=True, check=True,
                               env={**a.env, "CAIRN_PATH": self.spare()}).stdout.decode().strip() for d in blocks]
        sockets = []
        host, port = a.gateway.split("//")[1].split(":")
        for cid in cids:
            s = socket.create_connection((host, int(port)), 30)
            s.sendall(b"GET /ipfs/%s?format=raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % cid.encode())
            sockets.append(s)
        self.assertTrue(until(lambda: len(a.json("bitswap", "wantlist")["Keys"]) == len(cids)))
        self.assertEqual(a.get("/version")[0], 200)
        for data in blocks:
            b.ok("block", "put", input=data)
        for s, data in zip(sockets, blocks):
            answer = b""
            while piece := s.recv(65536):
                answer += piece
            s.close()
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(data), answer)

    def test_who_leaves_wants_nothing_more(self):
        a, b = self.pair(config=[("Gateway.RetrievalTimeout", "1h")])
        host, port = a.gateway.split("//")[1].split(":")
        wanted = lambda: a.json("bitswap", "wantlist")["Keys"]
        for how in (socket.SHUT_RDWR, socket.SHUT_WR):
            with self.subTest(how=how), socket.create_connection((host, int(port)), 30) as s:
                s.sendall(b"GET /ipfs/%s HTTP/1.1\r\nHost: x\r\n\r\n" % MISSING.encode())
                self.assertTrue(until(wanted))
                s.shutdown(how)
                self.assertTrue(until(lambda: not wanted(), 60))
        self.assertEqual(a.get("/version")[0], 200)

    def test_more_requests_than_may_wait(self):
        a, b = self.pair(config=[("Gateway.MaxConcurrentRequests", 2), ("Gateway.RetrievalTimeout", "1h")])
        host, port = a.gateway.split("//")[1].split(":")
        ask = b"GET /ipfs/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        here = a.ok("add", "-Q", input=b"here").decode().strip()
        waits = [socket.create_connection((host, int(port)), 30) for _ in range(2)]
        for s, data in zip(waits, (b"one", b"two")):
            s.sendall(ask % a.ok("add", "-Q", "--only-hash", input=data).strip())
        self.assertTrue(until(lambda: len(a.json("bitswap", "wantlist")["Keys"]) == 2))
        with socket.create_connection((host, int(port)), 30) as s:
            there = b.ok("add", "-Q", input=b"there").decode().strip()
            s.sendall(ask % there.encode())
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n"), answer)
        self.assertIn(b"Retry-After: 60\r\n", answer)
        self.assertTrue(answer.endswith(b"\r\n\r\nToo many requests. Please retry after 60 seconds.\n"), answer)
        self.assertEqual(a.get("/ipfs/" + here), (200, b"here"))
        for s in waits:
            s.close()
        self.assertTrue(until(lambda: a.get("/ipfs/" + there) == (200, b"there")))

    def spare(self):
        """A repo that no daemon has."""
        repo = self.folder.name + "/spare"
        if not os.path.exists(repo):
            subprocess.run([CAIRN, "init", "--profile=test"], env={**os.environ, "CAIRN_PATH": repo}, capture_output=True, check=True)
        return repo

    def test_who_waits_is_served(self):
        """What is put later goes to a peer that waits for it, whichever way it came."""
        a, b = self.pair()
        data = b"comes later"
        cid = subprocess.run([CAIRN, "block", "put"], input=data, capture_output=True, check=True,
                             env={**a.env, "CAIRN_PATH": self.spare()}).stdout.decode().strip()
        waits = subprocess.Popen([CAIRN, "block", "get", cid], env=a.env, stdout=subprocess.PIPE)
        self.assertTrue(until(lambda: cid in a.ok("bitswap", "wantlist").decode()))
        self.assertTrue(until(lambda: cid in b.ok("bitswap", "wantlist", "-p", a.id).decode()))
        self.assertEqual(b.json("bitswap", "stat")["Peers"], [a.id])
        b.ok("add", "-Q", "--raw-leaves", "--cid-version=1", input=data)
        self.assertEqual(waits.communicate(timeout=20)[0], data)
        self.assertEqual(a.ok("bitswap", "wantlist"), b"")

    def test_own_blocks_end_a_wait(self):
        a = self.node()
        data = b"my own"
        cid = subprocess.run([CAIRN, "block", "put"], input=data, capture_output=True, check=True,
                             env={**a.env, "CAIRN_PATH": self.spare()}).stdout.decode().strip()
        waits = subprocess.Popen([CAIRN, "block", "get", cid], env=a.env, stdout=subprocess.PIPE)
        self.assertTrue(until(lambda: cid in a.ok("bitswap", "wantlist").decode()))
        a.ok("block", "put", input=data)
        self.assertEqual(waits.communicate(timeout=20)[0], data)

    def test_through_the_middle(self):
        """Three in a row: the middle one fetches for itself, then serves the last."""
        a, b, c = self.node(), self.node(), self.node()
        self.meet(a, b)
        self.meet(b, c)
        cid = a.ok("add", "-Q", self.file(3 * MIB)).decode().strip()
        self.assertEqual(c.run("cat", "--timeout=1s", cid).returncode, 1)
        b.ok("pin", "add", cid)
        self.assertEqual(len(c.ok("cat", cid)), 3 * MIB)

    def test_commands_for_what_is_here(self):
        a, b = self.pair()
        cid = b.ok("add", "-Q", self.file(3 * MIB)).decode().strip()
        self.assertEqual(a.run("cat", "--offline", cid).returncode, 1)
        self.assertIn("block was not found locally (offline)", a.run("cat", "--offline", cid).stderr.decode())
        for words in (["pin", "ls", cid], ["block", "rm", cid], ["pin", "verify"], ["repo", "gc"], ["repo", "verify"]):
            a.run(*words)
        self.assertEqual(a.json("bitswap", "stat")["BlocksReceived"], 0)


class Waiting(Network):
    def test_timeout(self):
        a, b = self.pair()
        for words in (["cat"], ["get"], ["ls"], ["block", "get"], ["block", "stat"], ["pin", "add"], ["refs", "-r"],
                      ["resolve"]):
            path = MISSING if words != ["resolve"] else "bafybeigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy/a"
            done = a.run(*words, "--timeout=500ms", path)
            self.assertEqual((words, done.returncode, done.stderr), (words, 1, b"Error: context deadline exceeded\n"))
        self.assertEqual(a.json("bitswap", "wantlist"), {"Keys": []})

    def test_report(self):
        a, b = self.pair(env={"CAIRN_STALL_MS": "1000"})
        done = a.run("cat", "--timeout=6s", MISSING)
        said = done.stderr.decode()
        self.assertIn("waiting", said)
        self.assertIn("%s: does not have it" % b.id, said)
        self.assertGreaterEqual(said.count("for block " + MISSING), 2, said)
        self.assertTrue(said.endswith("Error: context deadline exceeded\n"), said)
        self.assertEqual(done.stdout, b"")

    def test_the_gateway_reports_all_whom_it_asked(self):
        a = self.node(config=[("Gateway.RetrievalTimeout", "3s")])
        peers = [self.node() for _ in range(12)]
        for b in peers:
            self.meet(a, b)
        status, body = a.get("/ipfs/" + MISSING)
        self.assertEqual((status, [b.id for b in peers if b.id.encode() not in body]), (504, []), body)
        self.assertTrue(body.endswith(b"there is no routing\n"), body)

    def test_interrupt(self):
        a, b = self.pair()
        waits = subprocess.Popen([CAIRN, "cat", MISSING], env=a.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(until(lambda: MISSING in a.ok("bitswap", "wantlist").decode()))
        waits.send_signal(signal.SIGINT)
        self.assertNotEqual(waits.wait(10), 0)
        waits.stdout.close()
        waits.stderr.close()
        self.assertTrue(until(lambda: a.ok("bitswap", "wantlist") == b""))


class Life(Network):
    def test_stops_at_once(self):
        a, b = self.pair()
        waits = subprocess.Popen([CAIRN, "cat", MISSING], env=a.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        host, port = a.gateway.split("//")[1].split(":")
        asks = socket.create_connection((host, int(port)), 30)
        self.addCleanup(asks.close)
        asks.sendall(b"GET /ipfs/%s HTTP/1.1\r\nHost: x\r\n\r\n" % MISSING.encode())
        self.assertTrue(until(lambda: MISSING in a.ok("bitswap", "wantlist").decode()))
        time.sleep(0.3)
        process = a.process
        self.assertLess(a.stop(), 5)  # a second on a machine that is not busy
        self.assertEqual(process.returncode, 0)
        self.assertNotEqual(waits.wait(10), 0)

    def test_knows_peers_after_a_restart(self):
        a, b = self.pair()
        self.assertEqual(a.json("id", b.id)["Addresses"], [b.address])  # it has said who it is
        a.stop()
        a.start()
        self.assertIn(b.id, a.json("swarm", "addrs")["Addrs"])
        self.assertEqual(a.ok("swarm", "connect", "/p2p/" + b.id), b"connect %s success\n" % b.id.encode())

    def test_knows_peers_after_it_was_killed(self):
        a, b = self.pair()
        peers = a.repo + "/peers"
        self.assertTrue(until(lambda: os.path.exists(peers) and os.path.getsize(peers) > 100, 60))
        a.stop(signal.SIGKILL)
        a.start()
        self.assertEqual(a.ok("swarm", "connect", "/p2p/" + b.id), b"connect %s success\n" % b.id.encode())

    def test_offline(self):
        a = self.node("--offline")
        self.assertIn("Swarm not listening, running in offline mode.", a.lines)
        for words in (["swarm", "peers"], ["swarm", "addrs"], ["swarm", "filters"], ["swarm", "peering", "ls"], ["ping", a.id],
                      ["stats", "bw"], ["bitswap", "stat"], ["bitswap", "wantlist"]):
            self.assertIn(OFFLINE, a.run(*words).stderr.decode())
        self.assertEqual(a.json("id")["Addresses"], None)
        self.assertEqual(a.run("cat", MISSING).returncode, 1)
        self.assertEqual(a.get("/ipfs/" + MISSING)[0], 404)

    def test_no_bitswap(self):
        a = self.node(config=[("Bitswap.Libp2pEnabled", False)])
        self.assertNotIn("/ipfs/bitswap/1.2.0", a.json("id")["Protocols"])
        self.assertIn(b"blocks received: 0\n", a.ok("bitswap", "stat"))
        self.assertEqual(a.json("bitswap", "wantlist"), {"Keys": []})
        self.assertIn(b"Exchanges:\t0\n", a.ok("bitswap", "ledger", a.id))
        self.assertEqual(a.run("cat", MISSING).returncode, 1)

    def test_no_server(self):
        a, b = self.node(), self.node(config=[("Bitswap.ServerEnabled", False)])
        self.meet(a, b)
        cid = b.ok("add", "-Q", self.file(10)).decode().strip()
        self.assertEqual(a.run("cat", "--timeout=1s", cid).returncode, 1)
        cid = a.ok("add", "-Q", self.file(20)).decode().strip()
        self.assertEqual(len(b.ok("cat", cid)), 20)

    def test_default_addresses_are_skipped_in_a_line(self):
        a = self.node(start=False, config=[("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/4001/quic-v1"])])
        a.start()
        self.assertTrue(any("skipped: /ip4/127.0.0.1/udp/4001/quic-v1" in l for l in a.lines), a.lines)

    def test_announce(self):
        a = self.node(config=[("Addresses.AppendAnnounce", ["/ip4/127.0.0.1/tcp/4711"])])
        self.assertIn("/ip4/127.0.0.1/tcp/4711", a.json("swarm", "addrs", "local")["Strings"])
        a = self.node(config=[("Addresses.Announce", ["/ip4/9.9.9.9/tcp/4711"])])
        self.assertEqual(a.json("swarm", "addrs", "local")["Strings"], ["/ip4/9.9.9.9/tcp/4711"])
        a = self.node(config=[("Addresses.NoAnnounce", ["/ip4/127.0.0.0/ipcidr/8"])])
        self.assertIn(a.json("swarm", "addrs", "local")["Strings"], (None, []))

    def test_bad_configuration(self):
        peer = "12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"
        for key, value, sentence in (
                ("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/foo"], "Addresses.Swarm[0]: failed to parse multiaddr"),
                ("Addresses.Swarm", ["/ip4/8.8.8.8/tcp/1"], "failed to listen on any addresses"),
                ("Addresses.Announce", ["foo"], "Addresses.Announce"),
                ("Bootstrap", ["/ip4/1.2.3.4/tcp/1"], "Bootstrap[0]: no /p2p/"),
                ("Bootstrap", ["foo"], "Bootstrap[0]: failed to parse multiaddr"),
                ("Bootstrap", ["auto"], "Bootstrap[0] is \"auto\" although AutoConf.Enabled is false"),
                ("Swarm.AddrFilters", ["foo"], "Swarm.AddrFilters[0]: incorrectly formatted address filter"),
                ("Swarm.ConnMgr.LowWater", 500, "Swarm.ConnMgr.LowWater (500) is above HighWater (96)"),
                ("Swarm.ConnMgr.Type", "x", "Swarm.ConnMgr.Type"),
                ("Swarm.Transports.Security", {"TLS": False, "Noise": False}, "TLS and Noise are both off"),
                ("Peering.Peers", [{"ID": peer, "Addrs": ["x"]}], "Peering.Peers[0].Addrs[0]: failed to parse multiaddr")):
            with self.subTest(key=key, value=value):
                a = self.node(start=False, config=[])
                if a.run("config", "--json", key, json.dumps(value)).returncode != 0:
                    continue  # refused when it was set
                done = a.run("daemon")
                self.assertEqual(done.returncode, 1)
                self.assertIn(sentence, done.stderr.decode())
        a = self.node(start=False)
        self.assertIn("Swarm.ConnMgr.LowWater", a.run("config", "--json", "Swarm.ConnMgr.LowWater", "[]").stderr.decode())


if __name__ == "__main__":
    main()
