#!/usr/bin/env python3
"""Collections through a daemon beside writers: what is pinned stays. And an idle daemon goes on living past
its flush, then stops at once. Usage: test_gc_beside.py path/to/cairn"""

import os, random, socket, subprocess, sys, tempfile, threading, time
import unittest

from common import main

CAIRN = os.path.abspath(sys.argv.pop()) if len(sys.argv) > 1 else "build/cairn"


class Beside(unittest.TestCase):
    def cairn(self, *words, data=b""):
        return subprocess.run([CAIRN, *words], env=self.env, input=data, capture_output=True, check=True).stdout.decode()

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.env = dict(os.environ, CAIRN_PATH=os.path.join(self.dir.name, "repo"))
        self.cairn("init", "--profile=test")
        for key in ("API", "Gateway"):
            self.cairn("config", "Addresses." + key, "/ip4/127.0.0.1/tcp/0")
        self.daemon = subprocess.Popen([CAIRN, "daemon"], env=self.env, stdout=subprocess.PIPE, text=True)
        for line in self.daemon.stdout:
            if line.startswith("Daemon is ready"):
                break

    def tearDown(self):
        self.daemon.terminate()
        self.daemon.wait(5)
        self.daemon.stdout.close()
        self.dir.cleanup()

    def test_nothing_pinned_is_lost(self):
        kept, errors = {}, []

        def write(seed):
            r = random.Random(seed)
            try:
                for i in range(12):
                    data = r.randbytes(r.choice((20, 3000, 1_500_000)))
                    cid = self.cairn("add", "-Q", data=data).strip()
                    if i % 3 == 0:
                        self.cairn("pin", "rm", cid)
                    else:
                        kept[cid] = data
            except subprocess.CalledProcessError as failed:
                errors.append(failed.stderr)

        writers = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for w in writers:
            w.start()
        collections = 0
        while any(w.is_alive() for w in writers):
            self.cairn("repo", "gc", "-q")
            collections += 1
        self.cairn("repo", "gc", "-q")
        self.assertEqual(errors, [])
        self.assertGreater(collections, 1)
        self.assertEqual(len(kept), 24)
        for cid, data in kept.items():
            out = subprocess.run([CAIRN, "cat", cid], env=self.env, capture_output=True, check=True).stdout
            self.assertEqual(out, data, cid)
        self.assertEqual(self.cairn("pin", "verify"), "")

    def test_a_slow_reader_of_gc_holds_back_nobody(self):
        self.cairn("add", "-Q", "--pin=false", "--raw-leaves", "--chunker=size-16",
                   data=random.Random(7).randbytes(16 * 150_000))
        with open(os.path.join(self.env["CAIRN_PATH"], "api")) as f:
            port = int(f.read().strip().split("/")[4])
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", port))
            slow.sendall(b"POST /api/v0/repo/gc HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.assertEqual(slow.recv(12), b"HTTP/1.1 200")  # the lines, 11 MB of them, have begun to come
            begin = time.monotonic()
            cid = self.cairn("add", "-Q", data=b"beside a slow reader").strip()
            self.assertLess(time.monotonic() - begin, 20)
            self.assertIn("removed", self.cairn("block", "rm", self.cairn("add", "-Q", "--pin=false", data=b"x").strip()))
        self.assertEqual(self.cairn("cat", cid), "beside a slow reader")

    def test_lives_on_past_an_idle_flush(self):
        self.cairn("add", "-Q", data=b"hello")
        time.sleep(6)
        self.assertIsNone(self.daemon.poll())
        begin = time.monotonic()
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(30), 0)
        self.assertLess(time.monotonic() - begin, 8)


if __name__ == "__main__":
    main()
