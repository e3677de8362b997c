"""A cairn daemon and, where one is found, a Kubo beside it, asked the same things over HTTP.

Kubo is $KUBO, or build/peers/ipfs. Without it every test checks cairn against what it says itself."""

import os, re, socket, subprocess, tempfile, unittest

from common import CAIRN, ROOT

KUBO = os.environ.get("KUBO", os.path.join(ROOT, "build/peers/ipfs"))


class Node:
    def __init__(self, program, variable, config=()):
        self.dir = tempfile.TemporaryDirectory()
        self.repo = os.path.join(self.dir.name, "repo")
        self.program = program
        self.env = dict(os.environ, HOME=self.dir.name, **{variable: self.repo})
        self.run("init", "--profile=test,unixfs-v1-2025")
        for key, value in (("Addresses.API", '"/ip4/127.0.0.1/tcp/0"'), ("Addresses.Gateway", '"/ip4/127.0.0.1/tcp/0"'), *config):
            self.run("config", "--json", key, value)
        words = ["daemon", "--offline"]
        self.process = subprocess.Popen([program, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("Daemon is ready"):
                break
        text = "".join(self.lines)
        self.api = int(re.search(r"RPC API server listening on /ip4/127.0.0.1/tcp/(\d+)", text)[1])
        self.gateway = int(re.search(r"Gateway server listening on /ip4/127.0.0.1/tcp/(\d+)", text)[1])

    def run(self, *words):
        return subprocess.run([self.program, *words], env=self.env, capture_output=True, check=True).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.dir.cleanup()

    def ask(self, where, method, path, body=None, headers={}):
        """Status, headers (lower-case names), body, trailer."""
        port = self.api if where == "api" else self.gateway
        fill = lambda text: text.replace("{api}", str(self.api))
        s = socket.create_connection(("127.0.0.1", port), 10)
        headers = {"Host": "127.0.0.1:%d" % port, "Connection": "close", **headers}
        lines = ["%s %s HTTP/1.1" % (method, path)] + ["%s: %s" % (k, fill(v)) for k, v in headers.items()]
        if body is not None:
            lines.append("Content-Length: %d" % len(body))
        try:
            s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b""))
        except ConnectionError:
            pass
        data = b""
        try:
            while piece := s.recv(1 << 16):
                data += piece
        except ConnectionError:
            pass
        s.close()
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        found = {}
        for field in fields:
            name, _, value = field.partition(":")
            found.setdefault(name.lower(), []).append(value.strip().replace(str(self.api), "{api}"))
        trailer = {}
        if found.get("transfer-encoding") == ["chunked"]:
            rest, trailer = unchunk(rest)
        status = int(first.split()[1]) if first else 0
        return status, {k: ", ".join(v) for k, v in found.items()}, rest, trailer


def unchunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        size = int(size, 16)
        if size == 0:
            lines = [l.decode("latin-1").split(": ", 1) for l in data.split(b"\r\n") if l]
            return out, {l[0].lower(): l[1] for l in lines}
        out, data = out + data[:size], data[size + 2:]
    return out, {"cut": "yes"}


class Pair(unittest.TestCase):
    config = ()
    names = ()  # of the headers that are compared

    @classmethod
    def setUpClass(cls):
        cls.cairn = Node(CAIRN, "CAIRN_PATH", cls.config)
        cls.nodes = [cls.cairn]
        if os.access(KUBO, os.X_OK):
            cls.nodes.append(Node(KUBO, "IPFS_PATH", cls.config))

    @classmethod
    def tearDownClass(cls):
        for node in cls.nodes:
            node.stop()

    def same(self, where, method, path, body=None, headers={}, status=None, data=None, loose=False, want={}, skip=()):
        """Ask all; what cairn says must be what is given here and what Kubo says. Gives cairn's answer."""
        said = [n.ask(where, method, path, body, headers) for n in self.nodes]
        got = said[0]
        label = "%s %s %s" % (method, path[:100], headers)
        if status is not None:
            self.assertEqual(got[0], status, (label, got))
        if data is not None:
            self.assertEqual(got[2], data, label)
        for name, value in want.items():
            self.assertEqual(got[1].get(name.lower()), value, (label, name, got[1]))
        for other in said[1:]:
            self.assertEqual(got[0], other[0], (label, got, other))
            for name in set(self.names) - set(skip):
                self.assertEqual(got[1].get(name), other[1].get(name), (label, name, got, other))
            if not loose:
                self.assertEqual(got[2], other[2], label)
                self.assertEqual(got[3], other[3], label)
        return got


def part(kind, filename, data=b"", name="file", extra=""):
    shown = '; filename="%s"' % filename if filename is not None else ""
    head = 'Content-Disposition: form-data; name="%s"%s\r\n%s' % (name, shown, extra)
    kind = "Content-Type: %s\r\n" % kind if kind else ""
    return b"--BB\r\n" + head.encode() + kind.encode() + b"\r\n" + data + b"\r\n"


def form(*parts):
    return b"".join(parts) + b"--BB--\r\n"


MULTIPART = {"Content-Type": "multipart/form-data; boundary=BB"}
FILE, DIR, LINK = "application/octet-stream", "application/x-directory", "application/symlink"
