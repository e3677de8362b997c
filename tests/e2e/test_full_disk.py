#!/usr/bin/env python3
"""A disk that fills up, and a quota that does: what was acknowledged stays, and pin rm, repo gc and add go on.
The disk is a small tmpfs in a mount namespace of its own, which takes root."""
import hashlib
import os
import random
import subprocess
import sys
import time

from common import CAIRN, Repo, main

INSIDE = "CAIRN_TEST_OWN_MOUNTS"
DISK_MIB = 96
FILE_BYTES = 1_500_000


def own_mounts():
    """Start again where mounts are nobody else's; False where that is not permitted."""
    if INSIDE in os.environ:
        return True
    probe = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
    try:
        if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            return False
    except OSError:
        return False
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


class Filling(Repo):
    """Adds numbered files until one is refused, and knows which were acknowledged."""

    def data(self, n):
        return random.Random(n).randbytes(FILE_BYTES)

    def fill(self, sentence, first=0):
        kept = {}
        for n in range(first, first + 200):
            done = self.cairn("add", "-Q", input=self.data(n))
            if done.returncode != 0:
                said = done.stderr.decode()
                self.assertEqual(done.returncode, 1, said)
                self.assertRegex(said, sentence)
                self.assertEqual(said.count("\n"), 1, said)
                return kept
            kept[done.stdout.decode().strip()] = n
        self.fail("200 files fitted")

    def check(self, kept):
        for cid, n in kept.items():
            found = hashlib.sha256(self.ok("cat", cid)).digest()
            self.assertEqual(found, hashlib.sha256(self.data(n)).digest(), (cid, n))

    def drop(self, kept, every):
        """Unpin each `every`-th; the rest is returned."""
        gone = [cid for i, cid in enumerate(kept) if i % every == 0]
        self.ok("pin", "rm", *gone)
        return {cid: n for cid, n in kept.items() if cid not in gone}


class Quota(Filling):
    def test_at_the_quota(self):
        self.ok("config", "Datastore.StorageMax", "40MB")
        kept = self.fill("quota of 40000000 bytes.*Datastore.StorageMax")
        self.assertGreater(len(kept), 20)
        self.check(kept)
        kept = self.drop(kept, 5)
        self.ok("repo", "gc", "-q")
        self.check(kept)
        more = self.fill("quota of", first=1000)
        self.assertGreaterEqual(len(more), 3)
        self.check({**kept, **more})
        self.ok("config", "Datastore.StorageMax", "80MB")
        self.add(input=b"room again")


class FullDisk(Filling):
    def setUp(self):
        if not own_mounts():
            if os.environ.get("CI") == "true":
                self.fail("a tmpfs cannot be mounted here, and CI=true wants it tested")
            self.skipTest("mounting a tmpfs in a namespace of its own is not permitted here")
        super().setUp()
        subprocess.run(["rm", "-rf", self.repo], check=True)
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % DISK_MIB, "none", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.repo = os.path.join(self.disk, "repo")
        self.env["CAIRN_PATH"] = self.repo
        self.ok("init", "--profile=test")

    def foreign(self):
        """Another writer takes the disk to its last byte."""
        with open(os.path.join(self.disk, "foreign"), "ab", buffering=0) as f:
            for size in (1 << 20, 4096, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def test_fills_and_goes_on(self):
        kept = self.fill("no space left")
        self.assertGreater(len(kept), 40)
        self.check(kept)
        kept = self.drop(kept, 3)
        self.ok("repo", "gc", "-q")
        self.check(kept)
        more = self.fill("no space left", first=1000)
        self.assertGreaterEqual(len(more), 10)
        self.check({**kept, **more})
        self.ok("pin", "verify")
        self.ok("repo", "verify")

    def test_killed_while_collecting(self):
        kept = self.fill("no space left")
        kept = self.drop(kept, 2)
        for wait in (0.005, 0.01, 0.02, 0.03):
            gc = self.start("repo", "gc", "-q", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            gc.kill()
            gc.wait()
        self.check(kept)
        self.ok("repo", "gc", "-q")
        self.check(kept)
        self.ok("repo", "verify")
        self.assertGreaterEqual(len(self.fill("no space left", first=1000)), 10)

    def crowded(self):
        """Thirty files, then a disk without a byte left, then half of the files unpinned."""
        kept = {self.add(input=self.data(n)): n for n in range(30)}
        self.foreign()
        self.check(kept)
        self.fails("no space left", "add", "-Q", input=self.data(1000))
        self.check(kept)
        kept = self.drop(kept, 2)
        self.foreign()
        return kept

    def goes_on(self, kept):
        os.unlink(os.path.join(self.disk, "foreign"))
        self.ok("repo", "gc", "-q")
        self.check(kept)
        self.add(input=self.data(1000))
        self.ok("repo", "verify")

    def test_foreign_writer(self):
        kept = self.crowded()
        self.assertTrue(os.path.exists(os.path.join(self.repo, "store/reserve")))
        self.assertGreater(len(self.ok("repo", "gc", "-q").split()), 50)
        self.check(kept)
        self.assertGreater(os.statvfs(self.disk).f_bavail * 4096, 15 * FILE_BYTES * 0.9)
        self.goes_on(kept)

    def test_full_to_the_last_byte(self):
        """As above, with the reserve gone and its room taken: nothing can be noted, so nothing is removed."""
        kept = self.crowded()
        os.unlink(os.path.join(self.repo, "store/reserve"))
        self.foreign()
        self.fails("full to the last byte", "repo", "gc", "-q")
        self.check(kept)
        self.goes_on(kept)

    def test_what_the_reserve_was_is_left(self):
        """An add may not take what the reserve gave up, so a collection always finds some room."""
        kept = self.fill("no space left")
        os.unlink(os.path.join(self.repo, "store/reserve"))
        self.assertEqual(self.fill("kept for removing blocks", first=500), {})
        kept = self.drop(kept, 2)
        self.ok("repo", "gc", "-q")
        self.assertTrue(os.path.exists(os.path.join(self.repo, "store/reserve")))
        self.check(kept)
        self.assertGreaterEqual(len(self.fill("no space left", first=1000)), 10)


if __name__ == "__main__":
    own_mounts()
    main()
