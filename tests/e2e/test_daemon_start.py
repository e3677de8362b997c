#!/usr/bin/env python3
"""How a daemon starts: the flags of its first start, and addresses that are taken."""

import json, os, socket, subprocess

from common import Repo, main


class Start(Repo):
    def setUp(self):
        super().setUp()
        with open(self.repo + "/config") as f:
            self.config = json.load(f)
        self.other = {"CAIRN_PATH": self.path("other")}

    def begins(self, *words):
        """Its lines up to the last one, then it is stopped."""
        daemon = self.start("daemon", *words, env=self.other, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in daemon.stdout:
            lines.append(line.rstrip())
            if line.startswith("Daemon is ready"):
                break
        else:
            self.fail(lines)
        daemon.terminate()
        self.assertEqual(daemon.wait(5), 0)
        daemon.stdout.close()
        return lines

    def configured(self, key):
        return self.ok("config", key, env=self.other).decode().strip()

    def test_no_repo(self):
        for words in ([], ["--migrate"], ["--init-config", self.repo + "/config"]):
            self.fails("no IPFS repo found in %s" % self.path("other"), "daemon", *words, env=self.other)
            self.assertFalse(os.path.exists(self.path("other")))

    def test_init(self):
        lines = self.begins("--init", "--init-profile=test", "--migrate")
        self.assertEqual(lines[0], "Initializing daemon...")
        self.assertTrue(any(l.startswith("peer identity: 12D3Koo") for l in lines), lines)
        self.assertIn("initializing IPFS node at " + self.path("other"), lines)
        again = self.begins("--init", "--init-profile=test", "--migrate=true")
        self.assertFalse(any(l.startswith("initializing IPFS") for l in again), again)

    def test_init_with_a_bad_profile(self):
        self.fails("invalid configuration profile: nosuch", "daemon", "--init", "--init-profile=nosuch", env=self.other)

    def test_init_config(self):
        self.config["Datastore"]["StorageMax"] = "7GB"
        self.config["Identity"] = {"PeerID": "12D3KooWE8SVzaPBcGd8GPiDqNUdPS9MUfBATzHFutoYNWX3BJCv",
                                   "PrivKey": "CAESQPv1po/wl9YX5M6nh8sCqfEKbY+vWU+nXjPyJ/w1ZDbnQBAZr/cmpK1/d7jgBanPG0MgQyCcLEn0D9UU+b8w80c="}
        lines = self.begins("--init", "--init-config", self.write("given.json", json.dumps(self.config).encode()))
        self.assertIn("PeerID: " + self.config["Identity"]["PeerID"], lines)
        self.assertFalse(any("keypair" in l for l in lines), lines)
        self.assertEqual(self.configured("Datastore.StorageMax"), "7GB")
        self.assertEqual(os.stat(self.path("other/config")).st_mode & 0o777, 0o600)  # a key is in it

    def test_init_config_that_cannot_be_read(self):
        for data, sentence in ((b"{", "failure to decode config: unexpected EOF"), (b"", "is not a configuration: 0 bytes"),
                               (b"[]", "failure to decode config: ")):
            self.fails(sentence, "daemon", "--init", "--init-config", self.write("given.json", data), env=self.other)
            self.assertFalse(os.path.exists(self.path("other")))
        self.fails("missing.json", "daemon", "--init", "--init-config", self.path("missing.json"), env=self.other)
        self.assertFalse(os.path.exists(self.path("other")))

    def test_busy_addresses(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        address = "/ip4/127.0.0.1/tcp/%d" % taken.getsockname()[1]
        for key, name in (("Addresses.Gateway", "gateway"), ("Addresses.API", "RPC API")):
            self.ok("config", key, address)
            done = self.fails("cannot serve the %s: %s: address already in use" % (name, address), "daemon")
            self.assertIn(key.encode(), done.stderr)  # what to change
            for file in ("api", "gateway"):
                self.assertFalse(os.path.exists(os.path.join(self.repo, file)))


if __name__ == "__main__":
    main()
