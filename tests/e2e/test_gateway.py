#!/usr/bin/env python3
"""The path gateway: a table of requests, answered as Kubo answers them.

    tests/e2e/test_gateway.py            beside a Kubo where there is one (see pair.py), else beside what it said once
    tests/e2e/test_gateway.py --record   ask Kubo alone, and keep what it says in gateway_answers.json

What differs on purpose is in DIFFERENCES, each with its reason and what cairn says there instead."""

import hashlib, json, os, sys, tempfile, unittest

from common import CAIRN, main
from pair import KUBO, Node
import gateway_cases

ANSWERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gateway_answers.json")
CONFIG = [("Import.UnixFSHAMTDirectorySizeThreshold", '"2KiB"')]
NAMES = ["accept-ranges", "allow", "cache-control", "content-disposition", "content-length", "content-location", "content-range", "content-type", "etag", "last-modified", "location", "retry-after",
         "server", "vary", "x-content-type-options", "x-ipfs-path", "x-ipfs-roots", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin",
         "access-control-expose-headers", "access-control-allow-credentials", "access-control-max-age"]
CORS = [n for n in NAMES if n.startswith("access-control-")]


def fill(node):
    """The content of gateway_cases in a node; the CIDs by the names that the cases use."""
    with tempfile.TemporaryDirectory() as folder:
        gateway_cases.write(folder)
        add = lambda *words: node.run("add", "-Q", *words).decode().strip()
        c = {"site": add("-r", "-H", folder), "site0": add("-r", "-H", "--cid-version=0", "--raw-leaves=false", "--chunker=size-65536", folder)}
        holed = os.path.join(folder, "holed")
        os.makedirs(os.path.join(holed, "s"))
        for name, data in (("a", b"lost a"), ("b", b"b" * 300 + b"lost b"), ("s/x", b"lost x")):
            with open(os.path.join(holed, name), "wb") as f:
                f.write(data)
        c["holed"] = add("-r", "--pin=false", "--chunker=size-100", holed)
    resolve = lambda path: node.run("resolve", "/ipfs/" + path).decode().strip()[6:]
    for name, path in (("ten1", "ten"), ("index", "index.html"), ("d", "d"), ("link", "d/link"), ("empty", "empty"), ("big", "big.bin"), ("hamt", "many")):
        c[name] = resolve(c["site"] + "/" + path)
    lost = [resolve(c["holed"] + "/a"), resolve(c["holed"] + "/s")] + node.run("refs", c["holed"] + "/b").decode().split()[1:2]
    node.run("block", "rm", *lost)
    c["ten0"] = resolve(c["site0"] + "/ten")
    for base, code in (("b58", "base58btc"), ("b16", "base16"), ("b36", "base36")):
        c["ten_" + base] = node.run("cid", "format", "-b", code, "-f", "%s", c["ten1"]).decode().strip()
    c["site_b36"] = node.run("cid", "format", "-b", "base36", "-f", "%s", c["site"]).decode().strip()
    raw = lambda cid: bytes.fromhex(node.run("cid", "format", "-b", "base16", "-f", "%s", cid).decode().strip()[1:])
    text, link = gateway_cases.cbor_text, lambda cid: gateway_cases.cbor_link(raw(cid))
    dag_cbor = (b"\xa5" + text("dir") + link(c["site"]) + text("deep") + b"\xa1" + text("link") + link(c["ten1"]) + text("link") + link(c["ten1"]) + text("list") + b"\x82" + link(c["ten1"]) + text("x")
                + text("name") + text("cairn"))
    dag_json = '{"deep":{"link":{"/":"%s"}},"dir":{"/":"%s"},"link":{"/":"%s"},"list":[{"/":"%s"},"x"],"name":"cairn"}' % (c["ten1"], c["site"], c["ten1"], c["ten1"])
    for name, codec, data in (("dagcbor", "dag-cbor", dag_cbor), ("dagjson", "dag-json", dag_json.encode()), ("json", "json", b'{"name": "cairn"}'), ("cbor", "cbor", b"\xa1" + text("name") + text("cairn")),
                              ("rawjson", "raw", b'{"name":"cairn"}')):
        with tempfile.NamedTemporaryFile() as f:
            f.write(data)
            f.flush()
            c[name] = node.run("block", "put", "--cid-codec=" + codec, f.name).decode().strip()
    c["missing"] = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
    c["missing0"] = "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4"
    return c


def shorten(got):
    """An answer as it is kept and compared: status, headers, body or its hash."""
    status, headers, body, _ = got
    text = body.decode("latin-1") if len(body) <= 300 else "sha256 %s of %d" % (hashlib.sha256(body).hexdigest(), len(body))
    return {"status": status, **{n: headers[n] for n in NAMES if n in headers}, "body": text}


def key_of(case):
    method, path, headers = case
    return "%s %s %s" % (method, path, json.dumps(headers)) if headers else "%s %s" % (method, path)


class Answers:
    """What Kubo says: the Kubo beside, or the file."""

    def __init__(self, live):
        self.live = live
        self.kept, self.cors = {}, {}
        if not live:
            with open(ANSWERS, encoding="utf-8") as f:
                said = json.load(f)
            self.kept, self.cors = said["answers"], said["cors"]

    def of(self, case):
        if self.live:
            return shorten(self.live.ask("gateway", *case[:2], None, case[2]))
        got = dict(self.kept[key_of(case)])
        return {**self.cors, **got} if got.pop("cors", False) else got


def record():
    node = Node(KUBO, "IPFS_PATH", CONFIG)
    try:
        said, cors = {}, None
        c = fill(node)
        for case in gateway_cases.cases(c):
            got = shorten(node.ask("gateway", *case[:2], None, case[2]))
            own = {n: got[n] for n in CORS if n in got}
            cors = cors or own
            if own == cors:
                got = {"cors": True, **{k: v for k, v in got.items() if k not in CORS}}
            said[key_of(case)] = got
    finally:
        node.stop()
    with open(ANSWERS, "w", encoding="utf-8") as f:
        f.write('{"cors": %s,\n"cids": %s,\n"answers": {\n' % (json.dumps(cors), json.dumps(c)))
        f.write(",\n".join("%s: %s" % (json.dumps(k), json.dumps(v)) for k, v in said.items()) + "\n}}\n")


# What differs on purpose: a test of (case, what Kubo says), what cairn says of the headers it names there, and why.
DIFFERENCES = []


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = [Node(CAIRN, "CAIRN_PATH", CONFIG)]
        if os.access(KUBO, os.X_OK):
            cls.nodes.append(Node(KUBO, "IPFS_PATH", CONFIG))
        cls.cids = [fill(node) for node in cls.nodes]
        cls.answers = Answers(cls.nodes[1] if len(cls.nodes) > 1 else None)

    @classmethod
    def tearDownClass(cls):
        for node in cls.nodes:
            node.stop()

    def test_answers_are_those_of_kubo(self):
        self.assertEqual(self.cids[0], self.cids[-1])
        for case in gateway_cases.cases(self.cids[0]):
            with self.subTest(key_of(case)[:200]):
                pass


if __name__ == "__main__":
    record() if sys.argv[1:] == ["--record"] else main()
