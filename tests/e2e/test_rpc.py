#!/usr/bin/env python3
"""The conventions of POST /api/v0, said to cairn and, where there is one, to Kubo.

Status, the headers below, body and trailer are compared byte for byte. What may differ is in EXCUSES, by
name; an answer that is excused and does not differ any more fails, so that the table stays true.
"""

import json
import os
import re
import unittest

from common import ROOT, main
from pair import Pair, form, part, FILE, DIR, LINK, MULTIPART

NAMES = ("content-type", "allow", "server", "vary", "trailer", "x-chunked-output", "x-stream-output", "x-content-length",
         "x-content-type-options", "access-control-allow-origin", "access-control-allow-headers",
         "access-control-allow-methods", "access-control-allow-credentials", "access-control-expose-headers", "location",
         "x-mine")

# name: the parts that differ ("status", "body", "trailer" or a header), and why
EXCUSES = {
    "own version": (("body",), "cairn names its own version, and no version of Go"),
    "own identity": (("body",), "the two have different keys and agents"),
    "times": (("body",), "files without a time get that of the moment in the archive"),
    "deflate": (("body",), "two compressors give different bytes; what they unpack to is tested elsewhere"),
    "deflate after a loss": (("body", "trailer"), "cairn has sent the gzip header by then; and see 'lost block'"),
    "lost tar": (("body", "trailer"), "'times' and 'lost block' together"),
    "lost block": (("trailer",), "cairn names the block; Kubo says only 'failed to fetch all nodes'"),
    "lost block at once": (("body",), "as 'lost block', before the first byte"),
    "progress steps": (("body",), "how far an upload was when progress was looked at"),
    "bad timeout": (("status", "trailer", "body", "content-type", "server", "vary", "access-control-allow-headers",
                     "access-control-expose-headers"), "Kubo cuts the answer off with nothing said: 200"),
    "gateway": (("access-control-allow-origin", "access-control-allow-headers", "access-control-allow-methods",
                 "access-control-expose-headers"), "cairn's gateway lets pages read its redirects too"),
    "sentence": (("body",), "cairn's sentence says more; status, Code and Type are the same"),
    "text of add": (("body", "content-type"), "Kubo prints a Go struct"),
    "no xml": (("body", "status", "content-type", "trailer", "server", "access-control-allow-headers", "access-control-expose-headers",
                "x-content-type-options"), "xml is refused by name"),
    "escaped once": (("location", "body"), "Go escapes the percent signs of a cleaned path twice, which leads nowhere"),
    "group": (("status", "body", "content-type", "server", "trailer", "vary", "x-chunked-output", "x-content-type-options",
               "access-control-allow-headers", "access-control-expose-headers"), "a group of commands is none: 404"),
    "cut file": (("status", "body", "trailer", "x-chunked-output"), "Kubo adds the half that came, and says so only then"),
    "cut end": (("trailer",), "the closing boundary is there, only its line end is missing"),
    "cut header": (("body",), "Kubo takes a body that ends within a header's value for one without files"),
    "bare line feeds": (("status", "body", "x-chunked-output"), "no client sends a form with them"),
    "name with NUL": (("status", "body", "x-chunked-output"), "such a name can be on no disk"),
    "quoted-printable": (("body",), "no client encodes files so"),
    "odd type": (("status", "body", "x-chunked-output"), "a part's type that is none is a file's"),
    "time without seconds": (("body",), "the same DAG; cairn does not repeat nanoseconds alone"),
    "file as folder": (("body",), "Kubo leaves out what lies below a name that was a file"),
    "name in the trailer": (("body", "trailer"), "cairn says which name comes twice"),
    "unbuilt": (("body",), "not built yet"),
}

# sentences that differ on purpose
SAID_BETTER = {path: "sentence" for path in ("cat?arg=/ipfs/bafkqaaa/x", "cat?arg=bafkqaaa%2Fx")}

ONE = form(part(FILE, "a", b"1"))
NESTED = b'--CC\r\nContent-Type: application/octet-stream\r\nContent-Disposition: file; filename="d%2Fx"\r\n\r\ndata\r\n--CC--\r\n'


class Documented(unittest.TestCase):
    def test_each_excuse_has_its_row(self):
        with open(os.path.join(ROOT, "docs/kubo-differences.md")) as f:
            rows = re.findall(r"^\| ([a-zA-Z -]+) \|", f.read().split("## The RPC")[1].split("\n## ")[0], re.M)
        self.assertEqual(sorted(set(rows) - {"name"}), sorted(EXCUSES))


class Strict(Pair):
    names = NAMES

    def same(self, where, method, path, body=None, headers={}, status=None, data=None, want={}, excuse=None):
        """Ask all; what cairn says must be what is given here, and what Kubo says but for the excuse."""
        said = [n.ask(where, method, path, body, headers) for n in self.nodes]
        got = said[0]
        label = "%s %s %s %r" % (method, path[:150], headers, (body or b"")[:150])
        if status is not None:
            self.assertEqual(got[0], status, (label, got))
        if data is not None:
            self.assertEqual(got[2], data, label)
        for name, value in want.items():
            self.assertEqual(got[1].get(name.lower()), value, (label, name, got[1]))
        for other in said[1:]:
            differ = {n for n in NAMES if got[1].get(n) != other[1].get(n)}
            differ |= {n for n, i in (("status", 0), ("body", 2), ("trailer", 3)) if got[i] != other[i]}
            shown = [(s[0], s[2][:300], s[3], {n: s[1].get(n) for n in differ if n in NAMES}) for s in (got, other)]
            self.assertLessEqual(differ, set(EXCUSES[excuse][0] if excuse else ()), (label, shown))
            self.assertTrue(differ or not excuse, (label, "needs no excuse", excuse))
            if "body" in differ and got[0] >= 400 and other[0] >= 400 and got[2][:1] == b"{":
                one, two = json.loads(got[2]), json.loads(other[2])
                self.assertEqual((one["Code"], one["Type"], list(one)), (two["Code"], two["Type"], list(two)), label)
        return got

    def post(self, path, body=None, headers={}, **want):
        return self.same("api", "POST", "/api/v0/" + path, body, headers, **want)

    def upload(self, path, *parts, **want):
        return self.post(path, form(*parts), MULTIPART, **want)

    def added(self, *parts, query="", **more):
        got = self.upload("add?" + query, *parts, status=200, want={"X-Chunked-Output": "1"}, **more)
        return {json.loads(l)["Name"]: json.loads(l)["Hash"] for l in got[2].splitlines()}


class Rpc(Strict):
    def version(self, path="version", **more):
        return self.post(path, status=200, excuse="own version", **more)

    def test_methods(self):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "FOO"):
            for path in ("version", "add", "nope"):
                self.same("api", method, "/api/v0/" + path, status=405, want={"Allow": "OPTIONS, POST"})
        for method in ("GET", "HEAD", "POST", "OPTIONS", "FOO"):
            for path in ("/", "/nope", "/api", "/api/", "/version/", "/ipfs/bafkqaaa", "/p2p/x"):
                self.same("api", method, path, status=404)
            for path in ("/api/v0", "/webui"):
                self.same("api", method, path, status=307, want={"Location": path + "/"})
            self.same("api", method, "*", status=200 if method == "OPTIONS" else 400)
            if method != "HEAD":  # Kubo sends a body even then
                self.same("api", method, "version", status=400)
            self.same("api", method, "/version", status=200)
        for path in ("/api/v0/version", "/nope", "/a/../b"):
            self.same("api", "CONNECT", path, status=200, data=b"")
        self.same("api", "OPTIONS", "/api/v0/version", status=204)
        self.same("api", "OPTIONS", "/api/v0/nope", status=204)

    def test_unclean_paths(self):
        """Go's mux sends clients to the cleaned path before it looks at anything else."""
        for path, clean in (("/api/v0/../v0/version", "/api/v0/version"), ("/api/v0//version", "/api/v0/version"), ("//api/v0/version", "/api/v0/version"),
                            ("/api/v0/version/.", "/api/v0/version"), ("/api/v0/version/..", "/api/v0"), ("/api/v0/version/../", "/api/v0/"),
                            ("/api/v0/a/../version?x=1&y=/../", "/api/v0/version?x=1&y=/../"), ("/..", "/"), ("//", "/"), ("/.?x", "/?x"), ("/./?", "/"),
                            ("/a/b/../c/", "/a/c/"), ("/x;y//z", "/x;y/z"), ("/a//b?x=//y&<>", "/a/b?x=//y&<>"), ("/webui/../version", "/version"), ("/ipfs//a", "/ipfs/a")):
            for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
                self.same("api", method, path, status=307, want={"Location": clean})
        for path, clean in (("/api/v0//a%20b", "/api/v0/a%20b"), ("/a//b%2Fc", "/a/b%2Fc")):
            self.same("api", "GET", path, status=307, want={"Location": clean}, excuse="escaped once")
        for path in ("/ipfs/bafkqaaa/../bafkqaab", "/ipfs//bafkqaaa", "/a/./b", "/ipfs/a/b/.."):
            self.same("gateway", "GET", path, status=307, excuse="gateway")
        self.same("api", "POST", "/api/v0/version?a=/../", excuse="own version", status=200)

    def test_paths(self):
        for path in ("nope", "daemon", "init", "nope/x", "version%00", "%2e%2e/v0/version", "cat/%2Fipfs%2Fbafkqaaa", "cat/x%2Fy", "cat/a/b", "pin/", ""):
            self.post(path, status=404)
        for path in ("cat/", "cat/a", "cat/a%20b", "cat%2Fx", "cat/%00", "pin/add/foo"):
            self.post(path, status=500)
        for path in ("//%zz", "%zz", "cat/%z"):
            self.post(path, status=400)
        for path in ("version/", "version/x", "%76ersion", "version%2f"):
            self.version(path)
        self.same("api", "POST", "/%61pi/v0/version", status=200, excuse="own version")
        self.same("api", "POST", "/api%2Fv0/version", status=404)
        self.post("pin", status=404, excuse="group")

    def test_queries(self):
        for path in ("cat", "version?enc=foo", "version?enc=", "version?all=maybe", "add?chunker=a&chunker=b", "version?enc=protobuf",
                     "cat?arg=a&offset=x", "version?all=true&all=true", "add", "block/put", "pin/add"):
            self.post(path, status=400)
        self.post("version?timeout=x", status=400, excuse="bad timeout")
        self.version("version?nosuch=1&stream-channels=true")
        for path in ("enc=text", "enc=text&commit=true", "number=1&enc=text", "n=true&encoding=text", "enc=text&repo=true"):
            self.post("version?" + path, status=200)
        self.post("version?enc=text", data=b"ipfs version 0.43.0\n")
        self.version("version?enc=text&all=true")
        self.version("version?all=true")
        self.post("id?enc=xml", status=400, excuse="no xml")

    def test_errors(self):
        for path in ("cat?arg=/ipfs/bafkqaaa/x", "ls?arg=foo", "block/get?arg=foo", "refs?arg=foo", "pin/rm?arg=bafkqaaa", "pin/add?arg=foo",
                     "pin/add?progress=true&arg=foo", "resolve?arg=/ipns/", "cat?arg=bafkqaaa&offset=-1", "cat?arg=bafkqaaa&length=-1",
                     "block/stat?arg=x", "ls?arg=/ipfs/", "get?arg=foo", "get?arg=bafkqaaa&compress=true&compression-level=11", "cat?arg=Qmbad",
                     "cat?arg=foo&enc=text", "get?arg=foo&enc=text", "ls?arg=foo&enc=text", "config?arg=No.Such", "pin/ls?type=nope", "pin/ls?arg=bafkqaba",
                     "pin/update?arg=bafkqaaa&arg=bafkqaba", "cid/format?arg=x", "block/rm?arg=foo", "cat?arg=bafkqaaa%2Fx"):
            with self.subTest(path):
                got = self.post(path, excuse=SAID_BETTER.get(path))
                if "enc=" not in path and got[0] != 200:
                    self.assertEqual(got[0], 400 if json.loads(got[2])["Code"] == 1 else 500)

    def test_guard(self):
        for name, value in (("Origin", "http://evil"), ("Origin", "null"), ("Origin", "http://127.0.0.1"), ("Referer", "http://evil/x"),
                            ("Referer", "http://127.0.0.1/"), ("Origin", "http://127.0.0.1:1"), ("Referer", "::"), ("User-Agent", "Mozilla/5.0"),
                            ("Origin", "file://"), ("Origin", "http://127.0.0.1:{api}.evil"), ("Origin", "http://127.0.0.1:{api}/")):
            self.post("version", headers={name: value}, status=403, data=b"403 - Forbidden\n")
            self.same("api", "GET", "/api/v0/version", headers={name: value}, status=405)
            self.same("api", "OPTIONS", "/api/v0/version", headers={name: value}, status=204)
        for scheme in ("http", "https"):
            for host in ("127.0.0.1", "localhost", "[::1]"):
                own = "%s://%s:{api}" % (scheme, host)
                self.version(headers={"Origin": own}, want={"Access-Control-Allow-Origin": own})
                self.version(headers={"Referer": own + "/webui"})
        for agent in ("Mozilla/5.0 Electron/1", "curl/8", "", "x Mozilla/5.0"):
            self.version(headers={"User-Agent": agent})
        self.version(headers={"Origin": "chrome-extension://nibjojkomfdiaoajekhjakgkdhaomnch"})
        self.version(headers={"Origin": "http://127.0.0.1:{api}", "User-Agent": "Mozilla/5.0"})

    def test_preflight(self):
        own = {"Origin": "http://127.0.0.1:{api}"}
        for extra in ({}, {"Access-Control-Request-Method": "POST"}, {"Access-Control-Request-Method": "PUT"}, {"Access-Control-Request-Method": "GET"}, {"Access-Control-Request-Method": "DELETE"},
                      {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Y"},
                      {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
                      {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "accept,origin, x-requested-with"}):
            self.same("api", "OPTIONS", "/api/v0/version", headers=dict(own, **extra), status=204)
            self.same("api", "OPTIONS", "/api/v0/version", headers=dict({"Origin": "http://evil"}, **extra), status=204)

    def test_version_guard(self):
        for agent in ("/kubo/0.1.0/", "/go-ipfs/0.43.0/", "x /kubo/0.43.0/", "/kubo/0.43.0"):
            self.post("id", headers={"User-Agent": agent}, status=400)
            self.version(headers={"User-Agent": agent})
        self.post("id", headers={"User-Agent": "/kubo/0.43.0/"}, status=200, excuse="own identity")

    def test_other_routes(self):
        got = self.cairn.ask("api", "GET", "/webui/")
        self.assertEqual(got[0], 503)

    def test_contents(self):
        times = dict(name="file?mtime=1000&mtime-nsecs=7")
        names = self.added(part(DIR, "d", **times), part(FILE, "d%2Fa", b"hello", **times), part(FILE, "d%2Fb", b"x" * 3000000, **times), part(LINK, "d%2Fl", b"to", **times),
                           query="preserve-mtime=true&raw-leaves=false")
        plain = self.added(part(DIR, "p"), part(FILE, "p%2Fa", b"hello"))["p"]
        d, a, b = names["d"], names["d/a"], names["d/b"]
        self.post("cat?arg=" + a, status=200, data=b"hello", want={"X-Stream-Output": "1", "X-Content-Length": "5", "Content-Type": "text/plain"})
        self.post("cat/%s?offset=1&length=2" % a, status=200, data=b"el", want={"X-Content-Length": "2"})
        self.post("cat?arg=%s&arg=%s" % (b, a), status=200, want={"X-Content-Length": "3000005"})
        self.post("cat?arg=%s&arg=%s" % (a, d), status=500)
        self.post("cat?arg=" + d, status=500)
        for path in ("get?arg=", "get?archive=true&arg=", "get?output=x&arg="):
            for what in (d, a, b, d + "/l"):
                self.post(path + what, status=200, want={"Content-Type": "application/x-tar", "X-Stream-Output": "1"})
        self.post("get?arg=" + plain, status=200, excuse="times", want={"X-Content-Length": self.size(plain)})
        for path in ("get?compress=true&arg=" + a, "get?compress=true&archive=true&arg=" + d, "get?compress=true&arg=%s/l" % d):
            self.post(path, status=200, want={"Content-Type": "application/gzip"}, excuse="deflate")
        self.post("block/get?arg=" + a, status=200, want={"Content-Type": "application/vnd.ipld.raw", "X-Stream-Output": "1"})
        for path in ("block/stat?arg=", "ls?arg=", "ls?stream=true&arg=", "refs?arg=", "refs?recursive=true&arg=", "refs?edges=true&arg=", "resolve?arg=/ipfs/",
                     "pin/ls?arg=", "pin/add?arg=", "pin/add?name=x&arg=", "pin/update?arg=%s&arg=" % d):
            for enc in ("", "&enc=text"):
                self.post(path + d + enc)
        self.post("pin/add/" + a, status=200)
        self.post("pin/rm/" + a, status=200)
        self.post("refs?arg=%s&arg=foo" % d, status=500)
        self.post("ls/%s/a" % d, status=404)
        self.post("block/rm?arg=" + d, status=200)

    def size(self, cid):
        """Of its block and what its links say: what a client of `get` is told of a folder."""
        block = json.loads(self.cairn.ask("api", "POST", "/api/v0/block/stat?arg=" + cid)[2])["Size"]
        links = json.loads(self.cairn.ask("api", "POST", "/api/v0/ls?arg=" + cid)[2])["Objects"][0]["Links"]
        return str(block + sum(l["Size"] for l in links))

    def test_pin_progress(self):
        d = self.added(part(DIR, "d"), part(FILE, "d%2Fa", b"hello"), part(FILE, "d%2Fb", b"y" * 3000000), query="pin=false")["d"]
        chunked = {"X-Chunked-Output": "1", "X-Stream-Output": None, "Content-Type": "application/json"}
        got = self.post("pin/add?progress=true&arg=" + d, status=200, want=chunked)
        progress, pins = (json.loads(l) for l in got[2].splitlines())
        self.assertEqual((list(progress), progress["Progress"], pins), (["Progress", "Bytes"], 5, {"Pins": [d]}))
        self.post("pin/add?progress=true&arg=%s&arg=bafkqaaa" % d, status=200, want=chunked)
        self.post("pin/add?progress=true&enc=text&arg=" + d, status=200, want={"X-Chunked-Output": "1"})
        self.post("pin/add?progress=true&recursive=false&arg=%s/a" % d, status=200, want=chunked)
        self.post("pin/add?progress=true&recursive=false&arg=" + d, status=500)
        self.post("pin/add?progress=false&arg=" + d, status=200, want={"X-Chunked-Output": None})
        self.post("pin/add?progress=true&arg=%s&arg=foo" % d, status=500)
        self.upload("pin/add?progress=true", part(FILE, "stdin", b"bafkqaaa\nbafkqabtimvwgy3yk\n"), status=200, want=chunked)

    def test_trailer(self):
        """A DAG whose last leaf is lost: 200, what is there, and the error behind it."""
        d = self.added(part(DIR, "t"), part(FILE, "t%2Fa", b"some bytes"), part(FILE, "t%2Fb", b"z" * 1048576 + b"w" * 900000))
        t, a, b = d["t"], d["t/a"], d["t/b"]
        lost = [json.loads(l)["Ref"] for l in self.post("refs?arg=" + b)[2].splitlines()][-1]
        self.post("pin/rm?arg=" + t, status=200)
        self.post("block/rm?arg=" + lost, status=200)
        for path, begins in (("cat?arg=" + b, b"z" * 1048576), ("cat?arg=%s/b" % t, b"z" * 1048576), ("cat?arg=%s&arg=%s/b" % (a, t), b"some byteszz"),
                             ("cat?enc=text&arg=" + b, b"zzz")):
            got = self.post(path, status=200, want={"Trailer": "X-Stream-Error", "Transfer-Encoding": "chunked", "X-Stream-Output": "1"}, excuse="lost block")
            self.assertTrue(got[2].startswith(begins))
            self.assertIn(lost, got[3]["x-stream-error"])
        for path in ("get?arg=" + b, "get?arg=" + t, "get?archive=true&arg=" + t):
            got = self.post(path, status=200, want={"Trailer": "X-Stream-Error", "Content-Type": "application/x-tar"}, excuse="lost tar")
            self.assertEqual((len(got[2]) > 1048576, lost in got[3]["x-stream-error"]), (True, True))
        self.post("get?compress=true&arg=" + b, status=200, excuse="deflate after a loss")
        self.post("cat?length=100&arg=" + b, status=200, data=b"z" * 100)
        self.post("cat?offset=1500000&arg=" + b, status=500, excuse="lost block at once")
        self.post("refs?recursive=true&arg=" + t, status=200, excuse="lost block at once")
        for path in ("pin/add?arg=", "pin/add?progress=true&arg="):
            self.post(path + t, status=500)
        for path in ("block/get?arg=", "block/stat?arg=", "cat?arg=", "get?arg=", "refs?recursive=true&arg=%s&arg=" % a):
            self.post(path + lost, status=None)
        self.post("ls?arg=" + b, status=200)

    def test_ndjson_and_single(self):
        self.upload("add", part(FILE, "a", b"1"), part(FILE, "b", b"2"), status=200, want={"X-Chunked-Output": "1", "Content-Type": "application/json"})
        self.upload("add?progress=true", part(FILE, "a", b"1" * 600000), status=200, want={"X-Chunked-Output": "1"}, excuse="progress steps")
        self.upload("add?quieter=true", part(FILE, "a", b"1"))
        self.upload("add?enc=text", part(FILE, "a", b"1"), status=200, excuse="text of add")
        self.post("id", status=200, want={"X-Chunked-Output": None, "Trailer": "X-Stream-Error", "Server": "kubo/0.43.0"}, excuse="own identity")
        self.upload("block/put", part(FILE, "a", b"1"), status=200)
        self.upload("block/put", part(FILE, "a", b"1"), part(FILE, "b", b"2"), status=200)
        self.upload("pin/add", part(FILE, "stdin", b"bafkqaaa\nbafkqabtimvwgy3yk\n"))
        self.upload("cat", part(FILE, "stdin", b"bafkqabtimvwgy3yk\n"), status=200, data=b"hello\n")
        self.upload("cat?arg=bafkqaaa", part(FILE, "stdin", b"foo\n"))

    def test_multipart(self):
        self.added(part(FILE, "a%20b", b"1", name="file?mode=0644&mtime=1000&mtime-nsecs=5"))
        self.added(part(FILE, "m", b"1", name="file", extra="mode: 0600\r\nmtime: 5\r\n"))
        self.added(part(FILE, "m", b"1", extra="Mode: 0600\r\nMtime: 5\r\nMtime-nsecs: 7\r\n"))
        self.added(part(DIR, "d", name="dir-1?mode=0755&mtime=-3"), part(FILE, "d%2Fa", b"x", name="file-2"), part(LINK, "d%2Fl", b"a", name="l?mode=0777&mtime=7"))
        self.added(part(FILE, "x%2Fy%2Fz", b"implicit"), part(FILE, "x%2Fw", b"more"))
        self.added(part(FILE, "a+b", b"plus"), part(FILE, "c%2Bd", b"sign"))
        self.added(part(FILE, None, b"no name"))
        self.added(part(FILE, "", b"empty name"))
        self.added(part(None, "t", b"no type"))
        self.added(part(FILE, "w%2Fa", b"1"), query="wrap-with-directory=true")
        for query in ("", "wrap-with-directory=true", "pin=false&quieter=true"):
            for one in (part(DIR, "e"), part(DIR, "e", b"body"), part(LINK, "l", b"to"), part(LINK, "l", b""), part(LINK, "l", b"x" * 5000),
                        part("application/octet-stream; charset=x", "a", b"1"), part("APPLICATION/OCTET-STREAM", "a", b"1"), part("text/x-odd", "a", b"1"),
                        part("application/x-directory; q=1", "a", b""), part("multipart/form-data; boundary=CC", "d", NESTED), part("multipart/mixed; boundary=CC", "d", NESTED),
                        part("multipart/mixed", "d", b"--CC--"), part(FILE, "a", b"1", extra="Abspath: /etc/passwd\r\n"),
                        part(FILE, "a", b"1", extra="Abspath-Encoded: %2Fetc%2Fpasswd\r\n"), part(FILE, "a", b"1", extra="Content-Transfer-Encoding: base64\r\n"),
                        part(FILE, "..%2Fa", b"1"), part(FILE, "%zz", b"1"), part(FILE, "%2Fabs", b"1"), part(FILE, "a%2F%2Fb", b"1"),
                        part(FILE, "a%2F..%2F..%2Fb", b"1"), part(FILE, ".", b"1"), part(FILE, "a\\b", b"1")):
                self.added(one, query=query)
        self.added(part(FILE, "d%2Fa", b"1"), part(DIR, "d"), part(FILE, "d%2Fb", b"1"))
        self.added(part(FILE, "a", b"1"), part(FILE, "a", b"1"))

    def test_times_and_modes(self):
        for query in ("mode=9x", "mode=0888", "mode=0644", "mtime=x", "mtime=-5", "mtime=5&mtime-nsecs=x", "mtime=5&mtime-nsecs=9999999999", "mtime=5&mtime-nsecs=-1"):
            self.added(part(FILE, "a", b"1", name="file?" + query))
        self.added(part(FILE, "a", b"1", name="file?mtime-nsecs=3"), excuse="time without seconds")

    def test_folder_without_a_name(self):
        """As Go's client sends the folder that it is asked to add."""
        self.added(part(DIR, ""), part(FILE, "a", b"1"))
        self.added(part(DIR, ""))
        self.added(part(DIR, None), part(DIR, "x"), part(FILE, "x%2Fa", b"1"), part(FILE, "b", b"2"), part(LINK, "l", b"2"))
        self.added(part(FILE, "before", b"1"), part(DIR, ""), part(FILE, "a", b"1"))
        self.added(part(DIR, "x"), part(FILE, "x%2Fa", b"1"), part(DIR, ""), part(FILE, "a", b"1"))

    def test_wrong_forms(self):
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=BB", "multipart/related; boundary=BB",
                     "text/plain", "application/json", ";;", "multipart/form-data; boundary=BB; boundary=CC"):
            self.post("add", ONE, {"Content-Type": kind}, status=400)
        self.post("cat?arg=bafkqaaa", ONE, {"Content-Type": "multipart/form-data"}, status=400)
        self.post("nope", ONE, {"Content-Type": "multipart/form-data"}, status=404)
        self.post("add", None, {}, status=400)
        self.post("add", ONE, {}, status=400)
        for kind in ('multipart/form-data; boundary="BB"', "Multipart/Form-Data; Boundary=BB; charset=x"):
            self.post("add", ONE, {"Content-Type": kind}, status=200)
        self.post("add", ONE, {"Content-Type": "multipart/form-data; boundary=XX"}, status=500)
        for body in (b"", b"rubbish", form(), b"--BB", b"--BB--", b"preamble\r\n--BB--\r\nepilogue"):
            self.post("add", body, MULTIPART, status=500)
        self.post("add", b"preamble\r\n" + ONE + b"epilogue", MULTIPART, status=200)
        self.post("version", b"junk", {"Content-Type": "text/plain"}, status=200, excuse="own version")
        self.post("add", ONE.replace(b"\r\n", b"\n"), MULTIPART, excuse="bare line feeds")

    def test_cut_forms(self):
        """A form cut at each byte is an error, and Kubo's wherever Kubo has one."""
        first = ONE.index(b"\r\n") + 2
        data = ONE.index(b"\r\n\r\n") + 4
        end = ONE.index(b"\r\n--BB--")
        for n in range(len(ONE)):
            line = ONE[first:n][ONE[first:n].rfind(b"\n") + 1:]
            excuse = None
            if first <= n < data - 1 and (not line.rstrip(b"\r") or b":" in line):
                excuse = "cut header"
            elif data <= n < end + 6 or n == end + 7:
                excuse = "cut file"
            elif n == len(ONE) - 1:
                excuse = "cut end"
            with self.subTest(ONE[:n]):
                self.post("add", ONE[:n], MULTIPART, excuse=excuse)

    def test_odd_parts(self):
        broken = part(FILE, "b", b"1", extra="broken line\r\n")
        self.upload("add", broken, status=500)
        self.upload("add", part(FILE, "a", b"1"), broken, status=200)
        self.upload("add", part(FILE, "a", b"1", extra="Abspath-Encoded: %zz\r\n"), status=500)
        self.upload("add", part(FILE, "%00", b"1"), excuse="name with NUL")
        self.upload("add", part(FILE, "a", b"=31", extra="Content-Transfer-Encoding: quoted-printable\r\n"), excuse="quoted-printable")
        self.upload("add", part("bad type;;", "a", b"1"), excuse="odd type")
        self.upload("add", part(FILE, "d", b"1"), part(FILE, "d%2Fb", b"1"), excuse="file as folder")
        self.upload("add", part(DIR, "d"), part(FILE, "d%2Fa", b"1"), part(FILE, "d%2Fa", b"2"), excuse="name in the trailer")
        self.upload("add?nocopy=true", part(FILE, "a", b"1", extra="Abspath-Encoded: %2Fa\r\n"), excuse="unbuilt")
        self.upload("block/put", part(DIR, "d"), status=500)


class Table(Strict):
    def test_every_excuse_is_used(self):
        with open(__file__) as f:
            text = f.read().split("# sentences that differ", 1)[1]
        for name in EXCUSES:
            self.assertIn('"%s"' % name, text)
            self.assertGreater(len(EXCUSES[name][1]), 10)


class Configured(Strict):
    config = (("API.HTTPHeaders", '{"X-Mine":["one"],"Access-Control-Allow-Origin":["http://page"],"Access-Control-Allow-Methods":["POST"],'
               '"Access-Control-Allow-Credentials":["true"]}'),
              ("API.Authorizations", '{"A":{"AuthSecret":"bearer:tok","AllowedPaths":["/api/v0/id"]},'
               '"B":{"AuthSecret":"basic:user:word","AllowedPaths":["/api/v0"]}}'))

    def test_authorizations(self):
        for header, path, status in (("", "id", 403), ("Bearer x", "id", 403), ("Bearer tok", "id", 200), ("Bearer tok", "pin/ls", 403),
                                     ("Bearer tok", "version", 200), ("", "version", 403), ("Basic dXNlcjp3b3Jk", "pin/ls", 200),
                                     ("Basic dXNlcjp3b3Jl", "pin/ls", 403), ("bearer tok", "id", 403), ("tok", "id", 403)):
            self.same("api", "POST", "/api/v0/" + path, headers={"Authorization": header}, status=status, excuse={"id": "own identity", "version": "own version"}.get(path) if status == 200 else None)

    def test_headers(self):
        basic = {"Authorization": "Basic dXNlcjp3b3Jk"}
        self.same("api", "POST", "/api/v0/version", headers=dict(basic, Origin="http://page"), status=200, excuse="own version",
                  want={"X-Mine": "one", "Access-Control-Allow-Origin": "http://page", "Access-Control-Allow-Credentials": "true"})
        self.same("api", "POST", "/api/v0/version", headers=dict(basic, Origin="http://127.0.0.1:{api}"), status=200, excuse="own version")
        self.same("api", "POST", "/api/v0/nope", headers=dict(basic, Origin="http://page"), status=404)
        for method in ("POST", "PUT"):
            asked = {"Origin": "http://page", "Access-Control-Request-Method": method}
            self.same("api", "OPTIONS", "/api/v0/version", headers=asked, status=403)
            self.same("api", "OPTIONS", "/api/v0/version", headers=dict(asked, **basic), status=204)


if __name__ == "__main__":
    main()
