#!/usr/bin/env python3
"""The conventions of POST /api/v0, said to cairn and, where there is one, to Kubo."""

import json

from common import main
from pair import Pair, form, part, FILE, DIR, LINK, MULTIPART

NAMES = ("content-type", "allow", "server", "vary", "trailer", "x-chunked-output", "x-stream-output", "x-content-length",
         "x-content-type-options", "access-control-allow-origin", "access-control-allow-headers",
         "access-control-allow-methods", "access-control-allow-credentials", "access-control-expose-headers", "location",
         "x-mine")


class Rpc(Pair):
    names = NAMES

    def post(self, path, body=None, headers={}, **want):
        return self.same("api", "POST", "/api/v0/" + path, body, headers, **want)

    def upload(self, path, *parts, **want):
        return self.post(path, form(*parts), MULTIPART, **want)

    def added(self, *parts, query=""):
        got = self.upload("add?" + query, *parts, status=200, want={"X-Chunked-Output": "1"})
        return {json.loads(l)["Name"]: json.loads(l)["Hash"] for l in got[2].splitlines()}

    def test_methods(self):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
            self.same("api", method, "/api/v0/version", status=405, want={"Allow": "OPTIONS, POST"})
        self.same("api", "OPTIONS", "/api/v0/version", status=204)

    def test_unknown_paths(self):
        for path in ("nope", "daemon", "init", "nope/x", "version%00"):
            self.post(path, status=404)
        self.same("api", "GET", "/nope", status=404)
        self.same("api", "GET", "/", status=404)

    def test_queries(self):
        for path in ("cat", "version?enc=foo", "version?enc=", "version?all=maybe", "add?chunker=a&chunker=b",
                     "cat?arg=a&offset=x", "version?all=true&all=true"):
            self.post(path, status=400)
        self.post("version?nosuch=1&stream-channels=true", loose=True, status=200)
        self.post("version?number=1&enc=text", status=200, loose=True)  # each says its own version
        self.post("version?n=true&encoding=text", status=200, loose=True)

    def test_errors(self):
        for path in ("cat?arg=Qmbad", "cat?arg=/ipfs/bafkqaaa/x", "ls?arg=foo", "block/get?arg=foo", "refs?arg=foo", "pin/rm?arg=bafkqaaa",
                     "pin/add?arg=foo", "resolve?arg=/ipns/", "config?arg=No.Such", "cat?arg=bafkqaaa&offset=-1", "block/stat?arg=x", "ls?arg=/ipfs/"):
            got = self.post(path, loose=True)  # the sentence may be a better one
            self.assertIn(got[0], (400, 500))
            said = json.loads(got[2])
            self.assertEqual(list(said), ["Message", "Code", "Type"])
            self.assertEqual((said["Type"], got[0]), ("error", 400 if said["Code"] == 1 else 500))
        self.post("cat?arg=Qmbad&enc=text", loose=True)

    def test_guard(self):
        for name, value in (("Origin", "http://evil"), ("Origin", "null"), ("Origin", "http://127.0.0.1"), ("Referer", "http://evil/x"),
                            ("Referer", "http://127.0.0.1/"), ("Origin", "http://127.0.0.1:1"), ("Referer", "::"), ("User-Agent", "Mozilla/5.0"),
                            ("Origin", "file://"), ("Origin", "http://127.0.0.1:{api}.evil"), ("Origin", "http://127.0.0.1:{api}/")):
            self.post("version", headers={name: value}, status=403, data=b"403 - Forbidden\n")
        for scheme in ("http", "https"):
            for host in ("127.0.0.1", "localhost", "[::1]"):
                own = "%s://%s:{api}" % (scheme, host)
                self.post("version", headers={"Origin": own}, status=200, loose=True, want={"Access-Control-Allow-Origin": own})
                self.post("version", headers={"Referer": own + "/webui"}, status=200, loose=True)
        for agent in ("Mozilla/5.0 Electron/1", "curl/8", "", "x Mozilla/5.0"):
            self.post("version", headers={"User-Agent": agent}, status=200, loose=True)
        self.post("version", headers={"Origin": "chrome-extension://nibjojkomfdiaoajekhjakgkdhaomnch"}, status=200, loose=True)
        self.post("version", headers={"Origin": "http://127.0.0.1:{api}", "User-Agent": "Mozilla/5.0"}, status=200, loose=True)

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
            self.post("version", headers={"User-Agent": agent}, status=200, loose=True)
        self.post("id", headers={"User-Agent": "/kubo/0.43.0/"}, status=200, loose=True)

    def test_other_routes(self):
        self.same("api", "GET", "/version", loose=True, status=200)
        got = self.cairn.ask("api", "GET", "/webui")
        self.assertEqual(got[0], 503)

    def test_contents(self):
        names = self.added(part(DIR, "d"), part(FILE, "d%2Fa", b"hello"), part(FILE, "d%2Fb", b"x" * 3000000))
        d, a, b = names["d"], names["d/a"], names["d/b"]
        self.post("cat?arg=" + a, status=200, data=b"hello", want={"X-Stream-Output": "1", "X-Content-Length": "5", "Content-Type": "text/plain"})
        self.post("cat/%s?offset=1&length=2" % a, status=200, data=b"el", want={"X-Content-Length": "2"})
        self.post("cat?arg=%s&arg=%s" % (b, a), status=200, want={"X-Content-Length": "3000005"})
        self.post("cat?arg=%s&arg=%s" % (a, d))
        self.post("cat?arg=" + d, status=500)
        self.post("get?arg=" + a, loose=True, status=200, want={"Content-Type": "application/x-tar"})
        self.post("get?arg=%s&archive=true" % d, loose=True, status=200, want={"Content-Type": "application/x-tar"}, skip=["x-content-length"])
        self.post("get?arg=%s&compress=true" % a, loose=True, status=200, want={"Content-Type": "application/gzip"})
        self.post("get?arg=%s&compress=true&archive=true" % d, loose=True, status=200, want={"Content-Type": "application/gzip"}, skip=["x-content-length"])
        self.post("block/get?arg=" + a, status=200, data=b"hello", want={"Content-Type": "application/vnd.ipld.raw", "X-Stream-Output": "1"})
        for path in ("block/stat?arg=", "ls?arg=", "ls?stream=true&arg=", "refs?arg=", "refs?recursive=true&arg=", "resolve?arg=/ipfs/",
                     "pin/ls?arg=", "pin/add?progress=true&arg=", "pin/add?arg=", "pin/update?arg=%s&arg=" % d, "pin/verify?verbose=true&x="):
            for enc in ("", "&enc=text"):
                self.post(path + d + enc, loose="progress" in path, skip=["x-chunked-output"] if "progress" in path else [])
        self.post("pin/add/" + a, status=200)
        self.post("pin/rm/" + a, status=200)
        self.post("refs?arg=%s&arg=foo" % d)
        self.post("ls/%s/a" % d)
        self.post("block/rm?arg=" + d)

    def test_trailer(self):
        lost = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
        names = self.added(part(DIR, "t"), part(FILE, "t%2Fa", b"some bytes to lose " * 20))
        self.post("block/rm?force=true&arg=" + lost)
        self.post("pin/rm?arg=" + names["t"], status=200)
        self.post("block/rm?arg=" + names["t/a"], status=200)
        for path in ("refs?recursive=true&arg=", "cat?arg=/ipfs/", "ls?arg="):
            tail = "/a" if path.startswith("cat") else ""
            got = self.post(path + names["t"] + tail, loose=path.startswith(("get", "refs")))
            self.assertIn(got[0], (200, 500), path)

    def test_ndjson_and_single(self):
        self.upload("add", part(FILE, "a", b"1"), part(FILE, "b", b"2"), status=200, want={"X-Chunked-Output": "1", "Content-Type": "application/json"})
        self.upload("add?progress=true", part(FILE, "a", b"1" * 600000), loose=True, status=200, want={"X-Chunked-Output": "1"})
        self.upload("add?quieter=true", part(FILE, "a", b"1"))
        self.post("id", loose=True, status=200, want={"X-Chunked-Output": None, "Trailer": "X-Stream-Error", "Server": "kubo/0.43.0"})
        self.upload("block/put", part(FILE, "a", b"1"), status=200)
        self.upload("block/put", part(FILE, "a", b"1"), part(FILE, "b", b"2"), status=200)
        self.upload("pin/add", part(FILE, "stdin", b"bafkqaaa\nbafkqabtimvwgy3yk\n"), loose=False)

    def test_multipart(self):
        self.added(part(FILE, "a%20b", b"1", name="file?mode=0644&mtime=1000&mtime-nsecs=5"))
        self.added(part(FILE, "m", b"1", name="file", extra="mode: 0600\r\nmtime: 5\r\n"))
        self.added(part(DIR, "d", name="dir-1?mode=0755&mtime=-3"), part(FILE, "d%2Fa", b"x", name="file-2"), part(LINK, "d%2Fl", b"a"))
        self.added(part(FILE, "x%2Fy%2Fz", b"implicit"), part(FILE, "x%2Fw", b"more"))
        self.added(part(FILE, "a+b", b"plus"), part(FILE, "c%2Bd", b"sign"))
        self.added(part(FILE, None, b"no name"))
        self.added(part(FILE, "", b"empty name"))
        self.added(part(None, "t", b"no type"))
        self.added(part(FILE, "w%2Fa", b"1"), query="wrap-with-directory=true")
        self.added(part(DIR, "e"), query="")
        self.added(part(LINK, "l", b"to"))

    def test_bad_multipart(self):
        for body, headers in ((None, {}), (b"rubbish", MULTIPART), (form(), MULTIPART), (form(part(FILE, "a", b"1")), {}),
                              (form(part(FILE, "a", b"1")), {"Content-Type": "multipart/form-data"}),
                              (form(part(FILE, "a", b"1"))[:40], MULTIPART),
                              (form(part("text/x-odd", "a", b"1")), MULTIPART), (form(part(FILE, "..%2Fa", b"1")), MULTIPART),
                              (form(part(FILE, "%zz", b"1")), MULTIPART), (form(part(FILE, "a", b"1", name="file?mode=9x")), MULTIPART),
                              (form(part(FILE, "a", b"1", name="file?mtime=x")), MULTIPART), (form(part(FILE, "%2Fabs", b"1")), MULTIPART)):
            got = [n.ask("api", "POST", "/api/v0/add", body, headers) for n in self.nodes]
            with self.subTest(body=body, headers=headers):
                self.assertIn(got[0][0], (200, 400, 500))
                if len(got) > 1:
                    self.assertEqual(got[0][0], got[1][0], got)


class Configured(Pair):
    names = NAMES
    config = (("API.HTTPHeaders", '{"X-Mine":["one"],"Access-Control-Allow-Origin":["http://page"],"Access-Control-Allow-Methods":["POST"],'
               '"Access-Control-Allow-Credentials":["true"]}'),
              ("API.Authorizations", '{"A":{"AuthSecret":"bearer:tok","AllowedPaths":["/api/v0/id"]},'
               '"B":{"AuthSecret":"basic:user:word","AllowedPaths":["/api/v0"]}}'))

    def test_authorizations(self):
        for header, path, status in (("", "id", 403), ("Bearer x", "id", 403), ("Bearer tok", "id", 200), ("Bearer tok", "pin/ls", 403),
                                     ("Bearer tok", "version", 200), ("", "version", 403), ("Basic dXNlcjp3b3Jk", "pin/ls", 200),
                                     ("Basic dXNlcjp3b3Jl", "pin/ls", 403), ("bearer tok", "id", 403), ("tok", "id", 403)):
            self.same("api", "POST", "/api/v0/" + path, headers={"Authorization": header}, status=status, loose=status == 200)

    def test_headers(self):
        basic = {"Authorization": "Basic dXNlcjp3b3Jk"}
        self.same("api", "POST", "/api/v0/version", headers=dict(basic, Origin="http://page"), status=200, loose=True,
                  want={"X-Mine": "one", "Access-Control-Allow-Origin": "http://page", "Access-Control-Allow-Credentials": "true"})
        self.same("api", "POST", "/api/v0/version", headers=dict(basic, Origin="http://127.0.0.1:{api}"), status=200, loose=True)
        self.same("api", "POST", "/api/v0/nope", headers=dict(basic, Origin="http://page"), status=404)
        for method in ("POST", "PUT"):
            asked = {"Origin": "http://page", "Access-Control-Request-Method": method}
            self.same("api", "OPTIONS", "/api/v0/version", headers=asked, status=403)
            self.same("api", "OPTIONS", "/api/v0/version", headers=dict(asked, **basic), status=204)


if __name__ == "__main__":
    main()
