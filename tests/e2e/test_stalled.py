#!/usr/bin/env python3
"""Clients that begin a request and never end it: others are served beside them, and memory stays bounded."""

import http.client, json, os, signal, socket, subprocess, tempfile, time, unittest

from common import CAIRN, main

ANSWER_S = 9  # a request behind a stalled client would wait for it, 10 s and more
BYTES_MAX = 400 << 20


class Stalled(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.env = dict(os.environ, CAIRN_PATH=os.path.join(self.dir.name, "repo"), HOME=self.dir.name)
        subprocess.run([CAIRN, "init", "--profile=test"], env=self.env, capture_output=True, check=True)
        self.daemon = subprocess.Popen([CAIRN, "daemon"], env=self.env, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        for line in self.daemon.stdout:
            if line.startswith("RPC API server listening"):
                self.api = int(line.rsplit("/", 1)[1])
            if line.startswith("Daemon is ready"):
                break
        self.sockets = []

    def end(self):
        for s in self.sockets:
            s.close()
        if self.daemon.poll() is None:
            self.daemon.kill()
        self.daemon.wait()
        self.daemon.stdout.close()

    def stall(self, count, data):
        for _ in range(count):
            s = socket.create_connection(("127.0.0.1", self.api), 5)
            s.setblocking(False)
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[s.send(rest):]
            except BlockingIOError:
                pass
            self.sockets.append(s)

    def ask(self, path, body=None, headers={}):
        c = http.client.HTTPConnection("127.0.0.1", self.api, timeout=60)
        begin = time.monotonic()
        c.request("POST", "/api/v0/" + path, body, headers)
        r = c.getresponse()
        data = r.read()
        c.close()
        self.assertEqual(r.status, 200, (path, data))
        self.assertLess(time.monotonic() - begin, ANSWER_S, path)
        return data

    def resident(self):
        with open("/proc/%d/status" % self.daemon.pid) as f:
            return next(int(l.split()[1]) << 10 for l in f if l.startswith("VmRSS:"))

    def others_are_served(self):
        upload = {"Content-Type": "multipart/form-data; boundary=B"}
        part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: application/octet-stream\r\n\r\n'
        data = os.urandom(300000)
        for _ in range(3):
            self.ask("version")
            self.ask("id")
            cid = json.loads(self.ask("add?quieter=true", part + data + b"\r\n--B--\r\n", upload).splitlines()[-1])["Hash"]
            self.assertEqual(self.ask("cat?arg=" + cid), data)
        self.assertLess(self.resident(), BYTES_MAX)
        return cid

    def stops_at_once(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(30), 0)

    HEAD = b"POST /api/v0/add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="s"\r\nContent-Type: application/octet-stream\r\n\r\n'

    def test_half_headers(self):
        self.stall(200, self.HEAD)
        self.others_are_served()
        self.stops_at_once()

    def test_half_part_headers(self):
        self.stall(200, self.HEAD + b"Content-Length: 1000000\r\n\r\n" + self.PART[:30])
        self.others_are_served()
        self.stops_at_once()

    def test_half_bodies(self):
        self.stall(264, self.HEAD + b"Content-Length: 1000000\r\n\r\n" + self.PART + b"x" * 1000)
        self.others_are_served()
        self.stops_at_once()

    def test_half_large_bodies(self):
        for _ in range(4):
            self.stall(66, self.HEAD + b"Content-Length: 100000000\r\n\r\n" + self.PART + os.urandom(400000))
            self.others_are_served()
        self.stops_at_once()

    def test_chunked_bodies(self):
        self.stall(100, self.HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(self.PART) + self.PART + b"\r\nfffff\r\n" + b"x" * 200000)
        self.others_are_served()
        self.stops_at_once()

    def test_answers_not_read(self):
        cid = self.others_are_served()
        many = "&arg=".join([cid] * 40)
        self.stall(200, b"POST /api/v0/cat?arg=" + many.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        self.others_are_served()
        self.stops_at_once()

    def test_stalled_ones_may_go_on(self):
        whole = self.PART + b"x" * 200000 + b"\r\n--B--\r\n"
        head = self.HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(whole)
        self.stall(100, head + whole[:150000])
        self.others_are_served()
        for s in self.sockets:
            s.setblocking(True)
            s.settimeout(60)
            s.sendall(whole[150000:])
        for s in self.sockets:
            said = b""
            while piece := s.recv(65536):
                said += piece
            self.assertIn(b'"Name":"s"', said)


if __name__ == "__main__":
    main()
