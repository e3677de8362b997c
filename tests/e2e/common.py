"""What the end-to-end tests share: the program, fresh repos, and the closing line that ./check counts."""
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAIRN = os.path.abspath(os.environ.get("CAIRN_BINARY", os.path.join(ROOT, "build/cairn")))
SECONDS_MAX = 60
PATIENCE_S = 20  # what is not held up by anything is done by then, however busy the machine



def namespaces():
    """May network namespaces with a link between them be made and used here? Root in a chroot may not."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    one, two = "may%da" % os.getpid(), "may%db" % os.getpid()
    steps = (("netns", "add", one), ("netns", "add", two), ("netns", "exec", one, "true"),
             ("-n", one, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", two))
    try:
        return all(subprocess.run(["ip", *step], capture_output=True, check=False).returncode == 0 for step in steps)
    finally:
        for name in (one, two):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

class Repo(unittest.TestCase):
    """Each test has a folder of its own with a repo in it, and nothing of the user's surroundings."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = self.folder.name
        self.repo = self.path("repo")
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "CAIRN_PATH": self.repo, "LC_ALL": "C"}
        self.ok("init", "--profile=test")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def cairn(self, *words, program=CAIRN, env={}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **more):
        if "input" not in more:
            more["stdin"] = stdin
        return subprocess.run([program, *words], cwd=self.dir, env={**self.env, **env}, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=SECONDS_MAX, **more)

    def start(self, *words, env={}, **more):
        return subprocess.Popen([CAIRN, *words], cwd=self.dir, env={**self.env, **env}, **more)

    def ok(self, *words, **more):
        done = self.cairn(*words, **more)
        self.assertEqual(done.returncode, 0, (words[:5], done.stderr[:500]))
        return done.stdout

    def fails(self, sentence, *words, **more):
        done = self.cairn(*words, **more)
        self.assertEqual(done.returncode, 1, (words[:5], done.stdout and done.stdout[:200], done.stderr[:500]))
        self.assertIn(sentence, done.stderr.decode(errors="replace"))
        return done

    def add(self, *words, **more):
        return self.ok("add", "-Q", *words, **more).decode().strip()


def read_all(fd):
    """What waits in a pty whose other end is closed."""
    out = b""
    while select.select([fd], [], [], 1)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(fd)
    return out


def open_terminal():
    return pty.openpty()


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=1)
    result = program.result
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    for test, why in result.skipped:
        print("skipped %s: %s" % (test.id(), why))
    sys.stderr.flush()
    print("%d passed, %d failed%s" % (max(result.testsRun - bad - skipped, 0), bad,
                                      ", %d skipped" % skipped if skipped else ""), flush=True)
    sys.exit(1 if bad else 0)
