#!/usr/bin/env python3
"""Calls that fail inside libraries: the n-th allocation, write, sync, truncation, mapping or thread of one command,
for n = 1, 2, 3 ... until there is none. tests/lib/preload.c does it, so the calls of LMDB, libcrypto and the C library
fail as well as our own.

Whatever fails, the command ends with status 0, or with 1 and one line that says why. Afterwards the repo opens, it
verifies, what was printed is there byte for byte and pinned, and the same command succeeds."""
import concurrent.futures
import errno
import gzip
import http.client
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

from common import CAIRN, main

SHIM = os.path.join(os.path.dirname(CAIRN), "tests", "preload.so")
SECONDS_MAX = 60
SENTENCE = re.compile(rb"(cannot remove [^\n]+\n)*Error: [^\n]+\n")  # "block rm" has a line for each block


def counted(report):
    with open(report, "rb") as f:
        return struct.unpack("<Q", f.read(8))[0]


class Box:
    """A folder with a copy of the template repo, for one case."""

    def __init__(self, dir, template):
        self.folder = tempfile.TemporaryDirectory(dir=dir)
        self.dir = self.folder.name
        self.repo = os.path.join(self.dir, "repo")
        if template:
            shutil.copytree(template, self.repo)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "CAIRN_PATH": self.repo, "LC_ALL": "C"}

    def run(self, words, input=b"", env={}):
        return subprocess.run([CAIRN, *words], cwd=self.dir, env={**self.env, **env}, input=input,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS_MAX)

    def broken(self, words, call, n, on=False, number=0, path="", input=b""):
        """Run with the n-th call failing; says also whether there were so many."""
        report = os.path.join(self.dir, "report")
        env = {"LD_PRELOAD": SHIM, "CAIRN_FAIL_CALL": call, "CAIRN_FAIL_AT": str(n), "CAIRN_FAIL_REPORT": report}
        if on:
            env["CAIRN_FAIL_ON"] = "1"
        if number:
            env["CAIRN_FAIL_ERRNO"] = str(number)
        if path:
            env["CAIRN_FAIL_PATH"] = path
        done = self.run(words, input, env)
        return done, counted(report)


def need(good, *what):
    if not good:
        raise AssertionError(what)


def is_bare(done, words):
    """Status 0, or 1 and one sentence."""
    need(done.returncode in (0, 1), "status", done.returncode, done.stderr)
    if done.returncode == 1:
        need(SENTENCE.fullmatch(done.stderr), "stderr", done.stderr)
    else:
        need(b"Error" not in done.stderr, "stderr of a success", done.stderr)


class Preload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(SHIM):
            raise unittest.SkipTest("no " + SHIM)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.dir = cls.folder.name
        rnd = random.Random(1)
        box = Box(cls.dir, None)
        cls.first = box
        cls.tree = os.path.join(cls.dir, "tree")
        os.makedirs(os.path.join(cls.tree, "sub"))
        cls.files = {"a": rnd.randbytes(30000), "b": b"", "sub/c": rnd.randbytes(400000)}
        for name, data in cls.files.items():
            with open(os.path.join(cls.tree, name), "wb") as f:
                f.write(data)
        cls.big = rnd.randbytes(5_000_000)
        cls.kept, cls.other, cls.waste = rnd.randbytes(700000), rnd.randbytes(300000), rnd.randbytes(900000)
        cls.ok(box, ["init", "--profile=test"])
        cls.kept_cid = cls.ok(box, ["add", "-Q"], cls.kept)
        cls.other_cid = cls.ok(box, ["add", "-Q"], cls.other)
        cls.waste_cid = cls.ok(box, ["add", "-Q", "--pin=false"], cls.waste)
        cls.block = cls.ok(box, ["block", "put"], b"one block")
        cls.template = os.path.join(cls.dir, "template")
        shutil.copytree(box.repo, cls.template)
        lines = cls.ok(box, ["add", "-q", "-r", cls.tree]).split() + cls.ok(box, ["add", "-q"], cls.big).split()
        cls.tree_cid, cls.big_cid = lines[-2:]
        raw = ["cid", "format", "-v=1", "-b=base32", "--mc=raw"]  # as "refs local" writes all
        cls.as_raw = {cid: cls.ok(box, [*raw, cid]) for cid in lines}
        os.unlink(os.path.join(cls.template, "store", "reserve"))  # costs a copy, is made anew

    @staticmethod
    def ok(box, words, input=b""):
        done = box.run(words, input)
        need(done.returncode == 0, words, done.stdout[:200], done.stderr)
        return done.stdout.decode(errors="replace").strip()

    # What must hold after each command; `done` is the broken run, None the repeated one.

    def repo_is_good(self, box, other_pinned):
        verified = box.run(["repo", "verify"])
        need(verified.returncode == 0, "verify", verified.stdout, verified.stderr)
        pins = self.ok(box, ["pin", "ls", "--type=recursive", "-q"]).split()
        need(self.kept_cid in pins, "a pin is lost", pins)
        need(other_pinned is None or other_pinned == (self.other_cid in pins), "the other pin", pins)
        need(box.run(["cat", self.kept_cid]).stdout == self.kept, "kept bytes")
        if self.other_cid in pins:
            need(box.run(["cat", self.other_cid]).stdout == self.other, "other bytes")
        return pins

    def added(self, box, done, root, read_back):
        printed = done.stdout.decode().split()
        need(done.returncode != 0 or root in printed, "no root printed", printed)
        pins = self.repo_is_good(box, True)
        held = self.ok(box, ["refs", "local"]).split() if printed else []
        for cid in printed:
            need(self.as_raw[cid] in held, "printed and not held", cid)
        if root in printed:
            need(root in pins, "printed but not pinned", root)
            read_back(box, root)

    def tree_is_there(self, box, cid):
        for name, data in self.files.items():
            need(box.run(["cat", cid + "/" + name]).stdout == data, "bytes of", name)

    def big_is_there(self, box, cid):
        need(box.run(["cat", cid]).stdout == self.big, "bytes of the big file")

    def commands(self):
        """name: words, input, what to check after a run, whether it was the broken one."""
        def add_small(box, done):
            self.added(box, done, self.tree_cid, self.tree_is_there)

        def add_big(box, done):
            self.added(box, done, self.big_cid, self.big_is_there)

        def pin_rm(box, done):
            self.repo_is_good(box, False if done.returncode == 0 or b"not pinned" in done.stderr else None)

        def same(box, done):
            self.repo_is_good(box, True)

        def block_rm(box, done):
            self.repo_is_good(box, True)
            if done.returncode == 0:
                need(self.block not in self.ok(box, ["refs", "local"]).split(), "removed and still there")

        def cat(box, done):
            need(done.stdout == self.kept if done.returncode == 0 else self.kept.startswith(done.stdout), "wrong bytes")

        def get_packed(box, done):
            out = os.path.join(box.dir, "out.gz")
            if done.returncode == 0:
                with open(out, "rb") as f:
                    need(gzip.decompress(f.read()) == self.kept, "unpacked bytes")
            if os.path.exists(out):
                os.unlink(out)

        return {
            "get -C": (["get", "-C", "-o", "out", self.kept_cid], b"", get_packed),
            "add -r": (["add", "-q", "-r", self.tree], b"", add_small),
            "add": (["add", "-q"], self.big, add_big),
            "pin rm": (["pin", "rm", self.other_cid], b"", pin_rm),
            "repo gc": (["repo", "gc", "-q"], b"", same),
            "block rm": (["block", "rm", self.block], b"", block_rm),
            "cat": (["cat", self.kept_cid], b"", cat),
        }

    def one(self, name, call, n, how):
        """One case; says how many calls there were."""
        words, input, check = self.commands()[name]
        box = Box(self.dir, self.template)
        with box.folder:
            try:
                done, calls = box.broken(words, call, n, input=input, **how)
                is_bare(done, words)
                check(box, done)
                again = box.run(words, input)
                if name in ("pin rm", "block rm") and again.returncode != 0:
                    need(b"not pinned" in again.stderr or b"could not find" in again.stderr, "again", again.stderr)
                else:
                    need(again.returncode == 0, "again", again.stderr)
                check(box, again)
                return calls
            except (AssertionError, subprocess.TimeoutExpired) as why:
                raise AssertionError("%s with %s number %d failing %s: %s" % (name, call, n, how, why)) from None

    def each(self, case, calls, all_below=24, sample=16):
        """case(n) for every n up to all_below, then a sample; two at a time; all failures told."""
        rest = range(all_below + 1, calls + 1)
        numbers = list(range(1, min(all_below, calls) + 1)) + random.Random(calls).sample(rest, min(sample, len(rest)))
        bad = []

        def guarded(n):
            try:
                case(n)
            except AssertionError as why:
                bad.append(str(why))
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(guarded, numbers))
        self.assertEqual(bad, [], "\n".join(bad[:10]))

    def every_command(self, call, on=False, number=0, path="", **sampled):
        how = {"on": on, "number": number, "path": path}
        reached = 0
        for name in self.commands():
            calls = self.one(name, call, 0, how)
            reached += calls
            self.each(lambda n: self.one(name, call, n, how), calls, **sampled)
        self.assertGreater(reached, 0)

    def test_alloc(self):
        self.every_command("alloc")

    def test_alloc_from_then_on(self):
        self.every_command("alloc", on=True, all_below=8, sample=8)

    def test_write(self):
        self.every_command("write", path="/repo/")

    def test_write_finds_no_space_from_then_on(self):
        self.every_command("write", on=True, number=errno.ENOSPC, path="/repo/", all_below=8, sample=6)

    def test_write_to_the_terminal(self):
        self.every_command("write", path="pipe")

    def test_sync(self):
        self.every_command("sync")

    def test_sync_from_then_on(self):
        self.every_command("sync", on=True, number=errno.ENOSPC)

    def test_truncate(self):
        self.every_command("truncate")

    def test_allocate(self):
        self.every_command("allocate", number=errno.ENOSPC)

    def test_map(self):
        self.every_command("map")

    def test_thread(self):
        self.every_command("thread")

    def test_thread_from_then_on(self):
        self.every_command("thread", on=True)

    def test_open(self):
        self.every_command("open", number=errno.EMFILE, all_below=8, sample=6)

    def test_read(self):
        self.every_command("read", path="/repo/", all_below=8, sample=6)

    def ask(self, port, method, path, body=None, headers={}, patience_s=SECONDS_MAX):
        """Status and body; None if the line was cut, or nothing came: a failed allocation may do that."""
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return r.status, r.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            c.close()

    def start_daemon(self, box, env):
        """The process and its ports, or None if it ended before it was ready."""
        p = subprocess.Popen([CAIRN, "daemon"], cwd=box.dir, env={**box.env, **env}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in p.stdout:
            if line.startswith(b"Daemon is ready"):
                ports = []
                for name in ("api", "gateway"):
                    with open(os.path.join(box.repo, name)) as f:
                        ports.append(int(re.search(r"(?:tcp/|:)(\d+)/?$", f.read().strip()).group(1)))
                return p, ports
        return p, None

    def daemon_one(self, call, n, how, from_ready):
        """The n-th call of a daemon fails, of all its calls or of those after it was ready; says how many there were."""
        box = Box(self.dir, self.template)
        report = os.path.join(box.dir, "report")
        env = {"LD_PRELOAD": SHIM, "CAIRN_FAIL_CALL": call, "CAIRN_FAIL_AT": str(n), "CAIRN_FAIL_REPORT": report}
        env.update(how)
        with box.folder:
            p, ports = self.start_daemon(box, env)
            begun = counted(report)
            try:
                if ports is None:
                    said = p.communicate(timeout=SECONDS_MAX)[1]
                    need(p.returncode == 1 and b"Error: " in said, "start", p.returncode, said)
                else:
                    self.daemon_serves(p, *ports)
                verified = box.run(["repo", "verify"])
                need(verified.returncode == 0, "verify", verified.stdout, verified.stderr)
                need(box.run(["cat", self.kept_cid]).stdout == self.kept, "kept bytes")
                return counted(report) - (begun if from_ready else 0), begun
            except (AssertionError, subprocess.TimeoutExpired) as why:
                raise AssertionError("daemon with %s number %d failing: %s" % (call, n, why)) from None
            finally:
                p.kill()
                p.communicate()

    def daemon_serves(self, p, api, gateway):
        """Each answer is right or says that it failed; the daemon lives through it and ends as it should."""
        form = {"Content-Type": "multipart/form-data; boundary=B"}
        part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n%s\r\n--B--\r\n' % self.other
        for port, method, path, body, right in (
                (gateway, "GET", "/ipfs/" + self.kept_cid, None, self.kept), (gateway, "GET", "/ipfs/bafyaabakaieac/", None, None),
                (api, "POST", "/api/v0/cat?arg=" + self.kept_cid, None, self.kept), (api, "POST", "/api/v0/add", part, None),
                (api, "POST", "/api/v0/get?compress=true&arg=" + self.kept_cid, None, None),
                (api, "POST", "/api/v0/repo/gc", None, None), (gateway, "GET", "/ipfs/" + self.kept_cid, None, self.kept)):
            answer = self.ask(port, method, path, body, form if body else {}, 10)
            if self.c_library_gave_up(p):
                return
            need(p.poll() is None, "the daemon ended", path, p.returncode)
            # over RPC what fails after the first byte is told in a trailer
            need(answer is None or answer[0] != 200 or right is None or answer[1] == right or
                 (port == api and right.startswith(answer[1])), "wrong bytes", path)
        # what failed once is over
        need((200, self.kept) in (self.ask(gateway, "GET", "/ipfs/" + self.kept_cid) for _ in range(2)), "no answer afterwards")
        need(any(self.ask(api, "POST", "/api/v0/version") for _ in range(2)), "no version afterwards")
        added = [self.ask(api, "POST", "/api/v0/add", part, form) for _ in range(2)]
        need(any(a and a[0] == 200 for a in added), "nothing can be added afterwards", added)
        p.send_signal(signal.SIGTERM)
        p.stdout.read()
        said = p.stderr.read()
        need(p.wait(SECONDS_MAX) in (0, 1) or self.c_library_gave_up(p), "the end", p.returncode, said)

    @staticmethod
    def c_library_gave_up(p):
        """It ends a program whose new thread finds no memory for a library's thread-local data."""
        return p.poll() == 127

    def daemon(self, call, starting, serving, **how):
        calls, begun = self.daemon_one(call, 0, how, False)
        self.assertGreater(calls, begun)
        numbers = random.Random(7).sample(range(1, begun + 1), min(starting, begun))
        numbers += random.Random(8).sample(range(begun + 1, calls + 1), min(serving, calls - begun))
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda n: self.daemon_one(call, n, how, False), numbers))

    def test_daemon_alloc(self):
        self.daemon("alloc", 30, 50)

    def test_daemon_read(self):
        self.daemon("read", 6, 20, CAIRN_FAIL_PATH="/repo/store/")

    def test_daemon_write(self):
        self.daemon("write", 6, 20, CAIRN_FAIL_PATH="/repo/store/")

    def test_daemon_open(self):
        self.daemon("open", 12, 12)

    def init_one(self, call, n, how):
        box = Box(self.dir, None)
        with box.folder:
            try:
                done, calls = box.broken(["init", "--profile=test"], call, n, **how)
                is_bare(done, ["init"])
                again = box.run(["init", "--profile=test"])
                need(again.returncode == 0 or b"already exists" in again.stderr, "again", again.stderr)
                self.ok(box, ["repo", "verify"])
                self.ok(box, ["id"])
                cid = self.ok(box, ["add", "-Q"], self.other)
                need(box.run(["cat", cid]).stdout == self.other, "bytes")
                return calls
            except (AssertionError, subprocess.TimeoutExpired) as why:
                raise AssertionError("init with %s number %d failing %s: %s" % (call, n, how, why)) from None

    def test_init(self):
        for call, how in (("alloc", {}), ("alloc", {"on": True}), ("write", {"path": "/repo/"}),
                          ("write", {"on": True, "path": "/repo/"}), ("sync", {}), ("truncate", {}), ("allocate", {}),
                          ("map", {}), ("open", {}), ("read", {})):
            calls = self.init_one(call, 0, how)
            self.each(lambda n: self.init_one(call, n, how), calls, 12, 24 if call == "alloc" else 6)


if __name__ == "__main__":
    main()
