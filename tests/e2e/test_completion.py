#!/usr/bin/env python3
"""bash completion: the script is sourced in bash, and words are completed as bash would ask for them."""
import subprocess
import unittest

import common

ASK = """
compopt() { :; }
source "$1" || exit 9
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_cairn
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
exit 0
"""


class Completion(common.Repo):
    def setUp(self):
        super().setUp()
        self.script = self.write("script", self.ok("commands", "completion", "bash"))

    def complete(self, *words):
        done = subprocess.run(["bash", "-c", ASK, "bash", self.script, "cairn", *words], cwd=self.dir, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=common.SECONDS_MAX)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode().splitlines()

    def test_commands(self):
        self.assertEqual(self.complete("ca"), ["cat"])
        self.assertEqual(self.complete("nosuch"), [])
        self.assertTrue({"add", "cat", "pin", "repo", "init", "daemon"} <= set(self.complete("")))

    def test_subcommands(self):
        self.assertTrue({"add", "ls", "rm", "verify", "update"} <= set(self.complete("pin", "")))
        self.assertEqual(self.complete("pin", "ver"), ["verify"])
        self.assertEqual(self.complete("config", "profile", "a"), ["apply"])
        self.assertEqual(self.complete("--offline", "repo", "g"), ["gc"])

    def test_every_command_is_offered(self):
        for path in self.ok("commands").decode().split("\n")[1:-1]:
            words = path.split()[1:]
            if words:
                self.assertIn(words[-1], self.complete(*words[:-1], words[-1]), path)

    def test_options(self):
        self.assertEqual(self.complete("add", "--only"), ["--only-hash"])
        self.assertEqual(self.complete("add", "--chu"), ["--chunker="])
        self.assertTrue({"--recursive", "-r", "-Q", "--pin"} <= set(self.complete("add", "-")))
        self.assertIn("--offset=", self.complete("cat", "--of"))
        self.assertIn("--offline", self.complete("cat", "--of"))
        self.assertNotIn("--only-hash", self.complete("cat", "--o"))

    def test_files(self):
        self.write("a file", b"")
        self.write("another", b"")
        self.assertEqual(sorted(self.complete("add", "a")), ["a file", "another"])
        self.assertEqual(sorted(self.complete("add", "-r", "an")), ["another"])

    def test_it_is_registered(self):
        done = subprocess.run(["bash", "-c", "source ./script && complete -p cairn"], cwd=self.dir, env=self.env,
                              stdout=subprocess.PIPE, timeout=common.SECONDS_MAX)
        self.assertEqual(done.stdout.decode().strip(), "complete -F _cairn cairn")


if __name__ == "__main__":
    common.main()
