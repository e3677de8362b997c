#!/usr/bin/env python3
"""What goes wrong around a command: full devices, closed pipes, signals, odd files, others at work."""
import os
import resource
import signal
import socket
import subprocess
import threading
import time

from common import CAIRN, PATIENCE_S, Repo, main


class Output(Repo):
    def test_full_device(self):
        cid = self.add(input=b"x" * 100000)
        with open("/dev/full", "wb") as full:
            for words in (["cat", cid], ["add", "-r", self.write("f", b"kept all the same")], ["pin", "ls"], ["version"],
                          ["--help"], ["config", "show"]):
                done = self.fails("no space left on device", *words, stdout=full)
                self.assertEqual(done.stderr.count(b"\n"), 1, (words, done.stderr))
        self.assertEqual(len(self.ok("cat", cid)), 100000)

    def test_closed_pipe_is_quiet(self):
        cid = self.add(input=os.urandom(3_000_000))
        for words in (["cat", cid], ["refs", "local"], ["commands"]):
            p = self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            p.stdout.close()
            self.assertEqual(p.stderr.read(), b"", words)
            p.stderr.close()
            p.wait(PATIENCE_S)


class Interrupted(Repo):
    def test_interrupt_while_adding(self):
        kept = self.add(input=b"before")
        p = self.start("add", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(20):
            p.stdin.write(os.urandom(300000))
        p.stdin.flush()
        time.sleep(0.2)
        p.send_signal(signal.SIGINT)
        _, said = p.communicate(timeout=PATIENCE_S)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn(b"Error: canceled", said)
        self.assertEqual(self.ok("cat", kept), b"before")
        self.ok("repo", "verify")

    def test_killed_while_adding(self):
        kept = self.add(input=b"before")
        for wait in (0.01, 0.05, 0.1, 0.2):
            p = self.start("add", "-q", "/dev/stdin", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            p.stdin.write(os.urandom(50000))
            time.sleep(wait)
            p.kill()
            p.wait()
            p.stdin.close()
            self.assertEqual(self.ok("cat", kept), b"before")

    def test_timeout(self):
        p = self.start("--timeout=300ms", "add", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2)  # long after it began to wait, however busy the machine
        p.stdin.write(os.urandom(1000))
        _, said = p.communicate()
        self.assertEqual((p.returncode, said.count(b"timed out")), (1, 1), said)


class AtOnce(Repo):
    def hold(self):
        # it waits, because the commands that ask whether it holds the repo hold it for a moment too
        p = self.start("add", "-q", env={"IPFS_WAIT_REPO_LOCK": "20s"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
        end = time.monotonic() + PATIENCE_S
        # the lock comes first, then who holds it
        while time.monotonic() < end and str(p.pid) not in self.cairn("pin", "ls").stderr.decode():
            time.sleep(0.01)
        return p

    def test_busy_names_who(self):
        p = self.hold()
        done = self.fails(str(p.pid), "add", "-q", input=b"x")
        self.assertRegex(done.stderr.decode(), r"cairn")
        p.stdin.write(b"y")
        p.communicate()
        self.assertEqual(p.returncode, 0)

    def test_wait_for_the_lock(self):
        p = self.hold()
        begin = time.monotonic()
        threading.Timer(0.5, p.stdin.close).start()
        self.add(input=b"x", env={"IPFS_WAIT_REPO_LOCK": "20s"})
        self.assertGreater(time.monotonic() - begin, 0.4)
        p.stdout.close()
        p.stderr.close()
        p.wait(PATIENCE_S)

    def test_stale_api_file(self):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        self.write("repo/api", b"/ip4/127.0.0.1/tcp/%d" % port)
        self.assertEqual(self.ok("cat", self.add(input=b"x")), b"x")
        self.fails("api", "--api", "/ip4/127.0.0.1/tcp/%d" % port, "pin", "ls")


class OddFiles(Repo):
    def test_fifo_and_device(self):
        os.makedirs(self.path("tree"))
        self.write("tree/file", b"x")
        os.mkfifo(self.path("tree/pipe"))
        for words in (["-r", "tree"], ["tree/pipe"], ["/dev/zero"]):
            self.fails("", "add", "-Q", *words)  # and does not hang

    def test_unreadable(self):
        os.chmod(self.write("secret", b"x"), 0)
        if os.geteuid() != 0:
            self.fails("permission denied", "add", "secret")
            return
        # Root reads everything, unless it has laid down the right to.
        without = ("--bounding-set=-dac_override,-dac_read_search", CAIRN)
        self.fails("permission denied", *without, "add", "secret", program="setpriv")

    def test_few_open_files(self):
        """What runs short is named."""
        cid = self.add(self.write("f", b"x"))
        short = 0
        for words in (("cat", cid), ("add", "f"), ("repo", "stat")):
            for n in range(5, 12):
                done = self.cairn(*words, preexec_fn=lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
                if done.returncode != 0:
                    self.assertRegex(done.stderr, b"(?i)too many open files", (n, words))
                    short += 1
        self.assertGreater(short, 3)
        self.assertEqual(self.ok("cat", cid), b"x")

    def test_missing(self):
        self.fails("no such file or directory", "add", "nosuch")

    def test_symlink_loops(self):
        os.makedirs(self.path("tree/sub"))
        os.symlink("..", self.path("tree/sub/up"))
        os.symlink("self", self.path("tree/self"))
        self.add("-r", "tree")
        self.fails("", "add", "-r", "-Q", "--dereference-symlinks", "tree")

    def test_files_that_change(self):
        path = self.write("log", b"x" * 5_000_000)
        stop = threading.Event()

        def churn():
            while not stop.is_set():
                os.truncate(path, 1000)
                os.truncate(path, 5_000_000)
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for _ in range(10):
                done = self.cairn("add", "-Q", "log")
                if done.returncode == 0:
                    self.cairn("cat", done.stdout.decode().strip())
                else:
                    self.assertRegex(done.stderr, b"^Error: .*\n$")
        finally:
            stop.set()
            thread.join()
        self.ok("repo", "verify")


if __name__ == "__main__":
    main()
