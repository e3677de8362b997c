#!/usr/bin/env python3
"""The daemon from outside: a real process on ports of the system's choice, asked by raw sockets and
http.client."""

import concurrent.futures, http.client, json, os, re, signal, socket, subprocess, tempfile, time
import unittest

from common import CAIRN, main


class Daemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.repo = os.path.join(cls.dir.name, "repo")
        cls.env = dict(os.environ, CAIRN_PATH=cls.repo)
        cls.run_cairn("init", "--profile=test")
        cls.run_cairn("config", "Addresses.API", "/ip4/127.0.0.1/tcp/0")
        cls.run_cairn("config", "Addresses.Gateway", "/ip4/127.0.0.1/tcp/0")
        cls.start()

    @classmethod
    def run_cairn(cls, *words):
        return subprocess.run([CAIRN, *words], env=cls.env, capture_output=True, check=True).stdout

    @classmethod
    def start(cls):
        cls.daemon = subprocess.Popen([CAIRN, "daemon"], env=cls.env, stdout=subprocess.PIPE, text=True)
        cls.lines = []
        for line in cls.daemon.stdout:
            cls.lines.append(line.rstrip("\n"))
            if line.startswith("Daemon is ready"):
                break
        text = "\n".join(cls.lines)
        cls.api = int(re.search(r"RPC API server listening on /ip4/127.0.0.1/tcp/(\d+)", text)[1])
        cls.gateway = int(re.search(r"Gateway server listening on /ip4/127.0.0.1/tcp/(\d+)", text)[1])

    @classmethod
    def tearDownClass(cls):
        cls.daemon.terminate()
        cls.daemon.wait(5)
        cls.daemon.stdout.close()
        cls.dir.cleanup()

    def ask(self, port, method, path, body=None, headers={}):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request(method, path, body, headers)
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, r.headers, data

    def rpc(self, path, body=None, headers={}):
        return self.ask(self.api, "POST", "/api/v0/" + path, body, headers)

    def raw(self, port, data, half_close=False, timeout=20):
        s = socket.create_connection(("127.0.0.1", port), timeout)
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except (ConnectionError, OSError):  # refused before the end of a long request
            pass
        out = b""
        while True:
            try:
                piece = s.recv(65536)
            except ConnectionError:
                break
            if not piece:
                break
            out += piece
        s.close()
        return out

    def add(self, parts, query=""):
        body = b""
        for name, kind, data in parts:
            body += b'--XX\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n' % name.encode()
            body += b"Content-Type: %s\r\n\r\n%s\r\n" % (kind.encode(), data)
        status, _, data = self.rpc("add" + query, body + b"--XX--\r\n", {"Content-Type": "multipart/form-data; boundary=XX"})
        self.assertEqual(status, 200, data)
        return [json.loads(line) for line in data.splitlines()]

    def read(self, name):
        with open(os.path.join(self.repo, name)) as f:
            return f.read()

    FILE = "application/octet-stream"

    def test_lines_and_files(self):
        self.assertEqual(self.lines[0], "Initializing daemon...")
        self.assertEqual(self.read("api"), "/ip4/127.0.0.1/tcp/%d" % self.api)
        self.assertEqual(self.read("gateway"), "http://127.0.0.1:%d" % self.gateway)

    def test_rpc_conventions(self):
        status, headers, data = self.rpc("version")
        self.assertEqual((status, json.loads(data)["Version"]), (200, "0.43.0"))
        self.assertEqual(headers["Trailer"], "X-Stream-Error")
        self.assertIsNone(headers["X-Chunked-Output"])
        status, headers, data = self.ask(self.api, "GET", "/api/v0/version")
        self.assertEqual((status, headers["Allow"], data), (405, "OPTIONS, POST", b"405 - Method Not Allowed\n"))
        for path in ("nope", "daemon", "init", ""):
            self.assertEqual(self.rpc(path)[::2], (404, b"404 page not found\n"), path)
        self.assertEqual(self.rpc("cat")[::2], (400, b'argument "ipfs-path" is required\n'))
        self.assertEqual(self.rpc("version?enc=foo")[::2], (400, b"invalid encoding: foo\n"))
        status, _, data = self.rpc("cat?arg=Qmbad")
        self.assertEqual((status, json.loads(data)["Type"], json.loads(data)["Code"]), (500, "error", 0))

    def test_guard(self):
        for name, value in (("Origin", "http://evil"), ("Referer", "http://evil/x"), ("User-Agent", "Mozilla/5.0")):
            self.assertEqual(self.rpc("version", headers={name: value})[::2], (403, b"403 - Forbidden\n"), name)
        own = "http://127.0.0.1:%d" % self.api
        status, headers, _ = self.rpc("version", headers={"Origin": own})
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (200, own))
        self.assertEqual(self.rpc("id", headers={"User-Agent": "/kubo/0.1.0/"})[0], 400)

    def test_upload_and_read_back(self):
        data = os.urandom(3_000_000)
        added = self.add([("a%20b.bin", self.FILE, data)])
        self.assertEqual(added[-1]["Name"], "a b.bin")
        cid = added[-1]["Hash"]
        status, headers, got = self.rpc("cat?arg=" + cid)
        self.assertEqual((status, headers["X-Stream-Output"], headers["X-Content-Length"]), (200, "1", "3000000"))
        self.assertEqual(got, data)
        status, headers, got = self.ask(self.gateway, "GET", "/ipfs/%s" % cid)
        self.assertEqual((status, got), (200, data))
        status, headers, got = self.ask(self.gateway, "GET", "/ipfs/%s" % cid, headers={"Range": "bytes=1500000-2499999"})
        self.assertEqual((status, got), (206, data[1500000:2500000]))
        self.assertEqual(headers["Content-Range"], "bytes 1500000-2499999/3000000")

    def test_folders_and_listing(self):
        added = self.add([("d/x.txt", self.FILE, b"hello"), ("d/e/<b>.txt", self.FILE, b"deep")])
        names = {a["Name"]: a["Hash"] for a in added}
        self.assertEqual(set(names), {"d", "d/e", "d/x.txt", "d/e/<b>.txt"})
        root = "/ipfs/" + names["d"]
        status, headers, _ = self.ask(self.gateway, "GET", root + "?q=1")
        self.assertEqual((status, headers["Location"]), (301, root + "/?q=1"))
        status, headers, page = self.ask(self.gateway, "GET", root + "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html"))
        self.assertIn(b'href="%s/x.txt"' % root.encode(), page)
        status, _, page = self.ask(self.gateway, "GET", root + "/e/")
        self.assertIn(b"&lt;b&gt;.txt", page)
        self.assertNotIn(b"<b>", page)
        status, headers, data = self.ask(self.gateway, "GET", root + "/e/%3Cb%3E.txt")
        self.assertEqual((status, data), (200, b"deep"))
        etag = headers["Etag"]
        self.assertEqual(self.ask(self.gateway, "GET", root + "/e/%3Cb%3E.txt", headers={"If-None-Match": etag})[0], 304)
        status, headers, data = self.ask(self.gateway, "HEAD", root + "/x.txt")
        self.assertEqual((status, headers["Content-Length"], data), (200, "5", b""))
        status, _, data = self.ask(self.gateway, "GET", root + "/nope")
        self.assertEqual(status, 404)
        self.assertIn(b'no link named "nope"', data)

    def test_rubbish(self):
        cases = [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x00", b"GET / HTTP/1.1\r\nX: " + b"x" * 500000 + b"\r\n\r\n",
                 b"POST /api/v0/add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 10\r\n\r\n--B\r\nConte",
                 b"GET /ipfs/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
        cases.append(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")  # answered, and nothing can follow it
        for port in (self.api, self.gateway):
            for case in cases:
                for _ in range(2):
                    self.closes_within(port, case, 2)
        self.assertEqual(self.rpc("version")[0], 200)

    def closes_within(self, port, data, limit_s):
        begin = time.monotonic()
        try:
            self.raw(port, data, half_close=True, timeout=limit_s)
        except ConnectionError:
            pass
        except TimeoutError:
            self.fail("still open after %s s: %r" % (limit_s, data[:40]))
        self.assertLess(time.monotonic() - begin, limit_s, data[:40])

    def test_half_closed_ones_in_parallel(self):
        cases = [b"GET / HT", b"\r\n\r\n", b"\x16\x03\x01\x00", b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"] * 100
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda case: self.closes_within(self.gateway, case, 8), cases))

    def test_pipelining_and_half_close(self):
        one = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        self.assertEqual(self.raw(self.gateway, one * 9 + last).count(b"Client Version"), 10)
        half = b"POST /api/v0/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        self.assertIn(b'"Version"', self.raw(self.api, half, half_close=True))

    def test_many_at_once_beside_slow_ones(self):
        slow = [socket.create_connection(("127.0.0.1", self.gateway)) for _ in range(200)]
        for s in slow:
            s.sendall(b"GET /ipfs/bafkqaaa HTTP/1.1\r\nHo")
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            status = list(pool.map(lambda i: self.rpc("version")[0] if i % 2 else
                                   self.ask(self.gateway, "GET", "/version")[0], range(1000)))
        self.assertEqual(status, [200] * 1000)
        for s in slow:
            s.close()

    def test_z_stops_at_once(self):
        open_ones = [socket.create_connection(("127.0.0.1", p)) for p in (self.api, self.gateway) for _ in range(5)]
        for how in (lambda: self.rpc("shutdown"), lambda: self.daemon.send_signal(signal.SIGINT),
                    lambda: self.daemon.send_signal(signal.SIGTERM)):
            begin = time.monotonic()
            how()
            self.assertEqual(self.daemon.wait(30), 0)
            self.assertLess(time.monotonic() - begin, 8)
            self.assertFalse(os.path.exists(self.repo + "/api"))
            self.assertFalse(os.path.exists(self.repo + "/gateway"))
            self.daemon.stdout.close()
            self.start()
        for s in open_ones:
            s.close()


if __name__ == "__main__":
    main()
