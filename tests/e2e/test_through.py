#!/usr/bin/env python3
"""Commands through a running daemon: the same output and status as without one."""
import os
import signal
import subprocess

from common import Repo, main


class Through(Repo):
    def serve(self, api="/ip4/127.0.0.1/tcp/0"):
        self.ok("config", "--json", "Addresses.API", '"%s"' % api)
        self.ok("config", "Addresses.Gateway", "/ip4/127.0.0.1/tcp/0")
        daemon = self.start("daemon", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        for line in daemon.stdout:
            if line.startswith(b"Daemon is ready"):
                return daemon
        self.fail("the daemon did not become ready")

    def same(self, say):
        alone = [say(words) for words in self.commands]
        daemon = self.serve(self.api)
        for words, before in zip(self.commands, alone):
            self.assertEqual(say(words), before, words)
        return daemon

    def check_all(self, api):
        self.api = api
        os.makedirs(self.path("tree/sub"))
        self.write("tree/a", b"hello")
        self.write("tree/sub/b", os.urandom(700000))
        root = self.add("-r", "tree")
        self.commands = [
            ["cat", root + "/a"], ["cat", root + "/sub/b"], ["cat", root], ["ls", root], ["refs", "-r", root],
            ["add", "-r", "tree"], ["add", "tree"], ["add", "-n", "tree/a", "tree/sub/b"], ["pin", "ls"], ["resolve", root + "/sub"],
            ["pin", "add", root], ["pin", "verify"], ["pin", "ls", "--enc=json"], ["block", "stat", root],
            ["cat", "Qmbad"], ["nosuch"], ["ls", root + "/nosuch"], ["cid", "base32", root], ["get", "-o", "out", root],
            ["config", "Datastore.StorageMax"], ["repo", "verify"], ["version", "-n"], ["block", "get", root]]

        def say(words):
            done = self.cairn(*words)
            return done.returncode, done.stdout, done.stderr
        daemon = self.same(say)
        self.ok("shutdown")
        self.assertEqual(daemon.wait(2), 0)
        self.assertFalse(os.path.exists(self.repo + "/api"))

    def test_tcp(self):
        self.check_all("/ip4/127.0.0.1/tcp/0")

    def test_unix_socket(self):
        self.check_all("/unix" + self.path("sock"))

    def test_api_option_and_terminate(self):
        daemon = self.serve()
        with open(self.repo + "/api") as f:
            api = f.read().strip()
        self.assertIn(b"recursive", self.ok("--api", api, "pin", "ls", env={"CAIRN_PATH": self.path("none")}))
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(20), 0)

    def test_busy_port(self):
        self.serve()
        with open(self.repo + "/api") as f:
            api = f.read().strip()
        other = {"CAIRN_PATH": self.path("other")}
        self.ok("init", "--profile=test", env=other)
        self.ok("config", "Addresses.API", api, env=other)
        self.fails(api.rsplit("/", 1)[1], "daemon", env=other)


if __name__ == "__main__":
    main()
