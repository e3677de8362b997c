#!/usr/bin/env python3
"""The path gateway: a table of requests, answered as Kubo answers them.

    tests/e2e/test_gateway.py            beside a Kubo where there is one (see pair.py), else beside what it said once
    tests/e2e/test_gateway.py --record   ask Kubo alone, and keep what it says in gateway_answers.json

What differs on purpose is in DIFFERENCES, each with its reason and what cairn says there instead."""

import hashlib, html.parser, json, os, sys, tempfile, unittest
from urllib.parse import quote, unquote

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
    key = "%s %s %s" % (method, path, json.dumps(headers)) if headers else "%s %s" % (method, path)
    return key if len(key) < 1000 else key[:200] + " sha256 " + hashlib.sha256(key.encode()).hexdigest()


COMMON = {"c": ("cache-control", "public, max-age=29030400, immutable"), "a": ("accept-ranges", "bytes"), "t": ("content-type", "text/plain; charset=utf-8"), "n": ("x-content-type-options", "nosniff")}


def pack(got, cors):
    """What is the same in many answers as letters, and the rest."""
    letters = "".join(c for c, (name, value) in COMMON.items() if got.get(name) == value) + ("*" if all(got.get(n) == cors.get(n) for n in CORS) else "")
    left_out = [COMMON[c][0] for c in letters if c != "*"] + (CORS if "*" in letters else [])
    return [letters, {k: v for k, v in got.items() if k not in left_out}]


def unpack(packed, cors):
    letters, got = packed
    return {**(cors if "*" in letters else {}), **dict(COMMON[c] for c in letters if c != "*"), **got}


def named(text, cids, back=False):
    """CIDs by their names, for a shorter file, and back."""
    for name, cid in cids.items():
        text = text.replace("{%s}" % name, cid) if back else text.replace(cid, "{%s}" % name)
    return text


class Answers:
    """What Kubo says: the Kubo beside, or the file."""

    def __init__(self, live):
        self.live = live
        self.kept, self.cors = {}, {}
        if not live:
            with open(ANSWERS, encoding="utf-8") as f:
                said = json.load(f)
            self.cids, self.cors, self.kept = said["cids"], said["cors"], said["answers"]

    def of(self, case):
        if self.live:
            return shorten(self.live.ask("gateway", *case[:2], None, case[2]))
        return json.loads(named(json.dumps(unpack(self.kept[named(key_of(case), self.cids)], self.cors)), self.cids, back=True))


def record():
    node = Node(KUBO, "IPFS_PATH", CONFIG)
    try:
        c = fill(node)
        cors = {n: v for n, v in shorten(node.ask("gateway", "GET", "/ipfs/" + c["ten1"])).items() if n in CORS}
        said = {key_of(case): pack(shorten(node.ask("gateway", *case[:2], None, case[2])), cors) for case in gateway_cases.cases(c)}
    finally:
        node.stop()
    with open(ANSWERS, "w", encoding="utf-8") as f:
        f.write('{"cors": %s,\n"cids": %s,\n"answers": {\n' % (json.dumps(cors), json.dumps(c)))
        f.write(",\n".join(named("%s: %s" % (json.dumps(k), json.dumps(v, separators=(",", ":"))), c) for k, v in said.items()) + "\n}}\n")


ANY = str(b"any", "ascii")  # found by identity
LISTING_ETAG = '"DirIndex-ck924ob197ble_CID-'
CONTENT = ["accept-ranges", "cache-control", "content-disposition", "content-location", "etag", "x-ipfs-roots"]
# Marks whose type Kubo finds by more than the first bytes, and extensions that Go looks up in tables of the machine.
TYPES = {"/marks/csv": "text/plain; charset=utf-8", "/marks/tsv": "text/plain; charset=utf-8", "/marks/ndjson": "text/plain; charset=utf-8", "/marks/ttf": "font/ttf", "/types/f.webm": "video/webm", "/types/f.otf": "font/otf"}


def plainly(e, status, **headers):
    """An answer of another kind: what Kubo says is not looked at, but for CORS. An error has nothing of content."""
    e.update({n: ANY for n in NAMES if n not in CORS})
    e.update(status=status, body=ANY, **headers)
    if isinstance(status, int) and status >= 400:
        for name in (*CONTENT, "content-range", "location"):
            e.pop(name, None)
        e["content-type"] = ("text/plain; charset=utf-8", "text/html")  # a page for who asks for one
        e["x-content-type-options"] = ("nosniff", None)


def overlong(value):
    return value in ("bytes=0-18446744073709551615", "bytes=-9223372036854775808")


# What cairn says where it differs on purpose. Each rule changes what is expected, `e`, from what Kubo says into that.
# The names are those of docs/kubo-differences.md, where the reasons are.
class Rules:
    def gw_later(e, method, path, headers):
        """Forms that are not built yet."""
        if "format=car" in path or "format=tar" in path or headers.get("Accept", "").startswith(("application/vnd.ipld.car", "application/x-tar")):
            plainly(e, 406)

    def gw_listing(e, method, path, headers):
        if e.get("etag", "").startswith(LISTING_ETAG):
            e["etag"] = e["etag"].replace("ck924ob197ble", "cairn1")
            if e["status"] == 200:
                e.update({"body": ANY, "content-length": ANY})

    def gw_head(e, method, path, headers):
        """HEAD has the headers of GET; Kubo's often has none. test_head_is_get_without_a_body looks at them."""
        if method == "HEAD" and e["status"] == 200 and "etag" not in e and "/ipfs/" in path:
            plainly(e, (200, 206, 301, 304))
        elif method == "HEAD" and e["status"] == 301:
            e["content-length"] = ANY
        elif method == "HEAD" and e["status"] == 412:
            e.update({"content-length": ANY, "content-type": ANY, "x-content-type-options": ANY})

    def gw_304(e, method, path, headers):
        if e["status"] == 304:
            e["content-length"] = ANY
            e["etag"] = e["etag"].replace('.json"', '"')  # of a folder, which has no such form

    def gw_errors(e, method, path, headers):
        """Words are cairn's own; headers of content are not sent with what is none."""
        if e["status"] not in (200, 206) and e["status"] != 301 and e["status"] != 304 and e["status"] != 307:
            e.update(body=ANY)
            e["content-length"] = ANY
            for name in CONTENT:
                if e["status"] != 416 or name not in ("cache-control", "etag", "x-ipfs-roots"):
                    e.pop(name, None)
        if e["status"] in (301, 304):
            e.pop("content-location", None)

    def gw_redirect_cors(e, method, path, headers):
        if e["status"] in (307, 400) and "access-control-allow-origin" not in e:
            e.update({n: ANY for n in CORS})
            e["x-content-type-options"] = ANY

    def gw_clean_path(e, method, path, headers):
        if path.endswith(("/d/.", "/d/..", "/..")) or "/../ten?x=%20y" in path:
            e.update(body=ANY, location=ANY)
            e["content-length"] = ANY
        if "/%2e" in path and e["status"] == 200:
            e["x-ipfs-path"] = path.replace("%2e", ".")
        if path.startswith("/ipfs%2f"):
            plainly(e, 200)

    def gw_query(e, method, path, headers):
        if "%2520" in e.get("location", ""):
            e["location"] = e["location"].replace("%2520", "%20")
            e["body"] = e["body"].replace("%2520", "%20")
            e["content-length"] = str(int(e["content-length"]) - 2)

    def gw_content_location(e, method, path, headers):
        if "format=" in e.get("content-location", ""):
            path, _, query = path.partition("?")
            form = e["content-location"].split("format=")[1].split("&")[0]
            e["content-location"] = gateway_cases.as_url(path) + "?format=" + form + ("&" + query if query else "")

    def gw_path_control(e, method, path, headers):
        if "x-ipfs-path" in e:
            e["x-ipfs-path"] = "".join("%%%02X" % ord(c) if c < " " else c for c in e["x-ipfs-path"])

    def gw_types(e, method, path, headers):
        for end, kind in TYPES.items():
            if path.endswith(end) and e.get("content-type") not in (None, ANY):
                e["content-type"] = kind

    def gw_range_type(e, method, path, headers):
        if e["status"] == 206 and "/marks/json" in path and "format=raw" not in path and not headers.get("Accept", "").startswith("application/vnd.ipld.raw"):
            e["content-type"] = "application/json"

        if e["status"] == 200 and "content-type" not in e and path.split("?")[0].endswith("/empty"):
            e["content-type"] = "text/plain"

    def gw_range(e, method, path, headers):
        value = headers.get("Range", "")
        if value.startswith("bytes=20-30,4-5") and e["status"] == 206 and e["content-range"].startswith("bytes 4-5/"):
            e.update({"body": "45" if method == "GET" and "/ten" in path else ANY, "content-type": ANY})
        elif value == "bytes=+1-2" and e["status"] in (200, 206):
            plainly(e, (200, 400, 416))
        elif value in ("bytes=-3", "bytes=-30", "bytes=-10", "bytes=-20") or overlong(value):
            if e["status"] in (400, 416, 500):
                plainly(e, 206)
                e["status"] = (200, 206, 301)
        elif value and e["status"] == 400 and (path.split("?")[0].endswith("/") or path.split("?")[0].endswith("/d") or path.count("/") == 2):
            plainly(e, (200, 301, 304, 400))

    def gw_if_range(e, method, path, headers):
        value = headers.get("If-Range", "")
        if ", " in value and "GMT" not in value:
            plainly(e, 200)
        elif value and e["status"] == 200 and e["body"] == "":
            e["body"] = "0123456789"
            e["content-type"] = "text/plain; charset=utf-8"

    def gw_if_match(e, method, path, headers):
        if e["status"] == 412 and "If-Match" in headers:
            plainly(e, 412)

    def gw_dag(e, method, path, headers):
        """Pages that show dag-json and dag-cbor; inside such blocks X-Ipfs-Roots names each block once."""
        if headers.get("Accept", "").startswith("text/html") and e["status"] in (200, 301) and e.get("content-type") in ("text/html", "text/html; charset=utf-8") and path.startswith(("/ipfs/bafyr", "/ipfs/bagu")):
            plainly(e, 200)
        if e["status"] == 301 and e.get("body") == "" and path.startswith(("/ipfs/bafyr", "/ipfs/bagu", "/ipfs/bafire", "/ipfs/baga")):
            plainly(e, 200)
        roots = e.get("x-ipfs-roots", "")
        if roots:
            names = roots.split(",")
            e["x-ipfs-roots"] = ",".join(n for i, n in enumerate(names) if i == 0 or n != names[i - 1])

    def gw_codec(e, method, path, headers):
        """A form that cannot be made is 406, also where Kubo says 400."""
        if e["status"] in (400, 500) and (("form" in path or "Accept" in headers) and path.split("?")[0].split("/")[2].startswith(("bafyr", "bagu", "baga", "bafire")) or path.startswith("/ipfs/bafzqaaa")):
            if "Range" not in headers and "ipns-record" not in path + headers.get("Accept", ""):
                plainly(e, 406)

    def gw_index_folder(e, method, path, headers):
        if e["status"] == 422:
            plainly(e, 200)

    def gw_holes(e, method, path, headers):
        if e["status"] == 500 and path.startswith("/ipfs/"):
            plainly(e, 404)

    def gw_names(e, method, path, headers):
        if path.startswith("/ipns/") and "uri=" not in path and method in ("GET", "HEAD") and e["status"] != 404:
            plainly(e, 501)

    def gw_subdomain(e, method, path, headers):
        if "ipfs.localhost" in e.get("location", "") or "example.com" in headers.get("Host", ""):
            plainly(e, 200)



def expected(case, said):
    e = dict(said)
    for name, rule in vars(Rules).items():
        if name.startswith("gw_"):
            rule(e, *case)
            if e.get("server") is ANY:  # by plainly
                break
    return e


def differing(e, got):
    """The names of what differs between what is expected and what was said."""
    def fits(want, value):
        return want is ANY or (value in want if isinstance(want, tuple) else want == value)
    return [n for n in sorted(set(e) | set(got)) if not fits(e.get(n), got.get(n))]


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = {}
        self.current = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.current = dict(attributes)["href"]
            self.found[self.current] = ""

    def handle_data(self, data):
        if self.current:
            self.found[self.current] += data

    def handle_endtag(self, tag):
        if tag == "a":
            self.current = None


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
        self.assertEqual(self.cids[0], self.cids[-1] if self.answers.live else self.answers.cids)
        wrong = []
        for case in gateway_cases.cases(self.cids[0]):
            got = shorten(self.nodes[0].ask("gateway", *case[:2], None, case[2]))
            e = expected(case, self.answers.of(case))
            names = differing(e, got)
            if names:
                wrong.append("%s\n" % key_of(case)[:300] + "".join("    %s: %.200r, not %.200r\n" % (n, got.get(n), e.get(n)) for n in names))
        if wrong:
            self.fail("\n%d requests:\n%s" % (len(wrong), "".join(wrong[:40])))

    def ask(self, method, path, headers={}):
        return self.nodes[0].ask("gateway", method, path, None, headers)

    def test_head_is_get_without_a_body(self):
        p = "/ipfs/" + self.cids[0]["site"]
        for path in ("", "/", "/ten", "/d", "/d/", "/d/link", "/odd/", "/many/", "/mid", "/big.bin", "/nope", "/names/a%20b", "/ten?format=raw", "/ten?format=car", "/marks/json?filename=x&download=true"):
            for headers in ({}, {"Range": "bytes=1-2"}, {"Cache-Control": "only-if-cached"}, {"If-None-Match": "*"}, {"Accept": "text/html"}):
                status, fields, body, _ = self.ask("GET", p + path, headers)
                head = self.ask("HEAD", p + path, headers)
                self.assertEqual((head[0], head[2]), (status, b""), (path, headers))
                for name in NAMES:
                    self.assertEqual(head[1].get(name), fields.get(name), (path, headers, name))
                if status != 304:
                    self.assertEqual(int(fields["content-length"]), len(body), (path, headers))

    def test_listings_name_and_link_what_is_there(self):
        p = "/ipfs/%s/" % self.cids[0]["site"]
        tree = gateway_cases.tree()
        for folder in ("names", "marks", "many", "d", "short", "void"):
            rows = sorted({n[len(folder) + 1:].split("/")[0] for n in tree if n.startswith(folder + "/")})
            status, fields, body, _ = self.ask("GET", p + folder + "/")
            self.assertEqual((status, fields["content-type"]), (200, "text/html"))
            links = Links(body.decode()).found
            self.assertEqual([n for n in rows if links.get(p + folder + "/" + quote(n, safe="$&+,/:;=@~")) != n], [], folder)
            for link in links:
                path = unquote(link.partition("?")[0])
                if path.startswith(p + folder + "/") and path.rstrip("/") != p + folder:
                    self.assertIn(path[len(p + folder) + 1:], rows)
                    self.assertIn(self.ask("HEAD", link)[0], (200, 301), link)

    def test_errors_are_pages_for_browsers_and_hold_no_markup_of_the_path(self):
        p = "/ipfs/%s/" % self.cids[0]["site"]
        for path, status in ((p + "<script>x", 404), (p + "%3Cscript%3Ex", 404), ("/ipfs/<script>", 400), (p + "ten?format=car&x=<script>", 406)):
            got = self.ask("GET", path, {"Accept": "text/html"})
            self.assertEqual((got[0], got[1]["content-type"]), (status, "text/html"), path)
            self.assertTrue(got[2].startswith(b"<!DOCTYPE html>"), got[2][:50])
            self.assertNotIn(b"<script", got[2])
            got = self.ask("GET", path)
            self.assertEqual((got[0], got[1]["content-type"], got[1]["x-content-type-options"]), (status, "text/plain; charset=utf-8", "nosniff"))

    def test_a_hole_in_the_middle_cuts_the_answer(self):
        """What has begun as 200 must not look whole."""
        node = self.nodes[0]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "f")
            with open(path, "wb") as f:
                f.write(b"".join(bytes([i % 251]) * 1000 for i in range(2000)))
            cid = node.run("add", "-Q", "--chunker=size-1000000", "--pin=false", path).decode().strip()
        lost = node.run("refs", cid).decode().split()[1]
        node.run("block", "rm", lost)
        status, fields, body, _ = self.ask("GET", "/ipfs/" + cid)
        self.assertEqual((status, fields["content-length"]), (200, "2000000"))
        self.assertLess(len(body), 2000000)
        self.assertEqual(self.ask("GET", "/ipfs/" + cid, {"Range": "bytes=0-999"})[0], 206)

    def test_long_requests_are_refused(self):
        p = "/ipfs/%s/" % self.cids[0]["site"]
        for path in (p + "n" * 60000, p + "ten?" + "q" * 60000):
            self.assertIn(self.ask("GET", path)[0], (400, 404, 414, 431), len(path))
        self.assertIn(self.ask("GET", p + "ten", {"X-Long": "x" * 60000})[0], (400, 431))
        self.assertEqual(self.ask("GET", p + "ten")[2], b"0123456789")

    def test_everything_is_answered_again_as_it_was(self):
        """Small answers are kept for a second; what is kept is what was said."""
        cases = [c for c in gateway_cases.cases(self.cids[0])][::7]
        for case in cases:
            self.assertEqual(self.ask(*case)[:1] + self.ask(*case)[2:], self.ask(*case)[:1] + self.ask(*case)[2:], case)
            self.assertEqual(shorten(self.ask(*case)), shorten(self.ask(*case)), case)


if __name__ == "__main__":
    record() if sys.argv[1:] == ["--record"] else main()
