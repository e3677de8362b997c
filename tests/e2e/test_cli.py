#!/usr/bin/env python3
"""What a user does on the command line, without a daemon."""
import json
import os
import shutil
import subprocess
import time

from common import CAIRN, ROOT, Repo, main, open_terminal, read_all


class Basics(Repo):
    def test_add_and_read_back(self):
        data = os.urandom(3_000_000)
        cid = self.add(self.write("a.bin", data))
        self.assertEqual(self.ok("cat", cid), data)
        self.assertEqual(self.ok("cat", "-o", "1000000", "-l", "7", cid), data[1000000:1000007])
        self.ok("get", "-o", "back", cid)
        with open(self.path("back"), "rb") as f:
            self.assertEqual(f.read(), data)

    def test_known_cid(self):
        self.assertEqual(self.add(input=b"hello\n"), "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN")

    def test_pins_and_gc(self):
        kept, lost = self.add(input=b"kept"), self.add("--pin=false", input=b"lost")
        self.assertIn(kept, self.ok("pin", "ls", "-q").decode())
        self.ok("repo", "gc", "-q")
        self.assertEqual(self.ok("cat", kept), b"kept")
        self.fails("", "cat", "--offline", lost)
        self.ok("pin", "rm", kept)
        self.ok("repo", "gc", "-q")
        self.fails("", "cat", "--offline", kept)

    def test_config(self):
        self.ok("config", "--json", "Gateway.NoFetch", "true")
        self.assertEqual(self.ok("config", "Gateway.NoFetch"), b"true\n")
        with open(os.path.join(self.repo, "config")) as f:
            whole = json.load(f)
        whole["Mine"] = {"key": [1, 2]}
        self.write("repo/config", json.dumps(whole).encode())
        self.ok("config", "Datastore.StorageMax", "5GB")
        with open(os.path.join(self.repo, "config")) as f:
            self.assertEqual(json.load(f)["Mine"], {"key": [1, 2]})
        self.assertNotIn(b"PrivKey", self.ok("config", "show"))

    def test_invoked_as_ipfs_or_copied_alone(self):
        os.makedirs(self.path("elsewhere"))
        for name in ("ipfs", "cairn"):
            copy = shutil.copy(CAIRN, self.path("elsewhere/" + name))
            self.assertEqual(self.ok("version", "-n", program=copy) == b"0.43.0\n", name == "ipfs")
            self.assertIn("USAGE", self.ok("--help", program=copy).decode())
            repo = self.path("repo-" + name)
            self.ok("init", "--profile=test", program=copy, env={"CAIRN_PATH": repo})
            self.add(program=copy, env={"CAIRN_PATH": repo}, input=b"x")

    def test_names_with_any_bytes(self):
        tree = os.fsencode(self.path("tree"))
        os.makedirs(tree)
        names = [b"plain", b"new\nline", b"\xff\xfe", b"quo\"te", b"per%cent", b" space ", b"-dash", "ü".encode()]
        for name in names:
            with open(os.path.join(tree, name), "wb") as f:
                f.write(name)
        cid = self.add("-r", "tree")
        self.ok("get", "-o", "back", cid)
        self.assertEqual(sorted(os.listdir(os.fsencode(self.path("back")))), sorted(names))
        self.assertEqual(self.ok("cat", os.fsencode(cid) + b"/new\nline"), b"new\nline")

    def test_many_arguments(self):
        cid = self.add(input=b"ab")
        self.assertEqual(self.ok("cat", *[cid] * 20000), b"ab" * 20000)
        lines = (cid + "\n").encode() * 100000
        out = self.ok("cid", "format", "-v", "1", "-b", "base32", input=lines)
        self.assertEqual(out.count(b"\n"), 100000)

    def add_at_a_terminal(self, pause, size):
        """What `add` wrote to its terminal while its input came in four pieces."""
        ours, theirs = open_terminal()
        p = self.start("add", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        for _ in range(4):
            p.stdin.write(b"x" * size)
            p.stdin.flush()
            time.sleep(pause)
        out = p.communicate()[0]
        self.assertTrue(out.startswith(b"added ") and b"\033" not in out)
        return read_all(ours)

    def test_progress_on_a_terminal_only_when_slow(self):
        said = self.add_at_a_terminal(0.4, 3_000_000)
        self.assertIn(b"adding ", said)
        self.assertTrue(said.endswith(b"\r\033[K"), said)
        # on a busy machine a quick one may be slow: not each time
        self.assertIn(b"", (self.add_at_a_terminal(0, 1000) for _ in range(10)))

    def test_progress_of_cat_when_its_reader_is_slow(self):
        cid = self.add(self.write("big", bytes(8 << 20)))
        for flag, shown in (("--progress=true", True), ("--progress=false", False)):
            ours, theirs = open_terminal()
            p = self.start("cat", flag, cid, stdout=subprocess.PIPE, stderr=theirs)
            os.close(theirs)
            first = p.stdout.read(1 << 20)
            time.sleep(0.7)
            rest = p.communicate()[0]
            said = read_all(ours)
            self.assertEqual(len(first) + len(rest), 8 << 20)
            self.assertEqual(b"reading " in said, shown, said)
            self.assertTrue(not shown or said.endswith(b"\r\033[K"), said)

    def test_a_file_that_is_edited(self):
        self.ok("config", "edit", env={"EDITOR": "sed -i s,tcp/0,tcp/8181,"})
        self.assertIn(b"8181", self.ok("config", "Addresses.Gateway"))
        done = self.cairn("config", "edit", env={"EDITOR": "cp /dev/null"})
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Warning: this configuration cannot be used", done.stderr)

    def test_many_roots_are_pinned_before_their_lines_come(self):
        names = [self.write("f%04d" % i, b"%d" % i) for i in range(2500)]
        lines = self.ok("add", *names).decode().splitlines()
        self.assertEqual([line.split(" ")[2] for line in lines], ["f%04d" % i for i in range(2500)])
        pinned = set(self.ok("pin", "ls", "-q", "--type=recursive").decode().split())
        self.assertTrue({line.split(" ")[1] for line in lines} <= pinned)
        self.write("zz", b"zz")
        os.mkfifo(self.path("zzz"))
        done = self.fails("zzz", "add", names[0], "zz", "zzz")
        self.assertEqual(done.stdout.count(b"added"), 2)


class OtherRepos(Repo):
    def test_kubo_repo_is_left_untouched(self):
        kubo = self.path("kubo")
        os.makedirs(kubo + "/blocks")
        for name, text in (("version", "18\n"), ("config", "{}"), ("datastore_spec", "{}")):
            self.write("kubo/" + name, text.encode())
        before = sorted((at, files) for at, _, files in os.walk(kubo))
        for words in (["init"], ["add", "-Q"], ["pin", "ls"], ["repo", "gc"], ["daemon"]):
            sentence = "already exists" if words == ["init"] else "Kubo"
            done = self.fails(sentence, *words, env={"CAIRN_PATH": kubo})
        self.assertEqual(sorted((at, files) for at, _, files in os.walk(kubo)), before)

    def test_kubo_refuses_ours(self):
        peer = os.path.join(ROOT, "build/peers/ipfs")
        if not os.path.exists(peer):
            self.skipTest("no Kubo in build/peers: tools/peers builds it")
        done = self.cairn("add", "-Q", program=peer, env={"IPFS_PATH": self.repo}, input=b"x")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.add(input=b"y"), self.add(input=b"y"))


if __name__ == "__main__":
    main()
