#!/usr/bin/env python3
"""The library as a stranger to this tree meets it: libcairn.so and include/, nothing else."""
import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from common import CAIRN, ROOT, main

BUILD = os.path.dirname(CAIRN)
INCLUDE = os.path.join(ROOT, "include")
HEADERS = sorted(name for name in os.listdir(os.path.join(INCLUDE, "cairn")) if name.endswith(".h"))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-pedantic", "-Werror"]
CC = shutil.which("cc")
CXX = shutil.which("c++")
SECONDS_MAX = 120


def library():
    return os.path.join(BUILD, "libcairn.so")


class Api(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "LC_ALL": "C"}

    def run_ok(self, *words):
        done = subprocess.run(words, cwd=self.dir, env=self.env, capture_output=True, text=True,
                              timeout=SECONDS_MAX)
        self.assertEqual(done.returncode, 0, (words, done.stderr[:2000]))
        return done.stdout

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def declared(self):
        text = ""
        for name in HEADERS:
            with open(os.path.join(INCLUDE, "cairn", name), encoding="utf-8") as f:
                text += f.read()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        return set(re.findall(r"\b(cairn_\w+)\(", "".join(re.findall(r"CAIRN_API\s[^;]*;", text))))

    def exported(self):
        lines = self.run_ok("nm", "-D", "--defined-only", library()).splitlines()
        return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] != "A"}

    def compile_keep(self):
        program = os.path.join(self.dir, "keep")
        shutil.copy(os.path.join(ROOT, "examples/api/keep.c"), self.dir)
        self.run_ok(CC, *STRICT, "-std=c11", "keep.c", "-I", INCLUDE, library(), "-Wl,-rpath," + BUILD, "-o", program)
        return program

    def test_what_is_declared_is_exported_and_nothing_else(self):
        self.assertGreater(len(self.declared()), 10)
        self.assertEqual(self.exported(), self.declared())

    def test_the_library_needs_little(self):
        out = self.run_ok("readelf", "-d", library())
        needed = set(re.findall(r"NEEDED.*\[(.*?)\]", out))
        sanitizers = {name for name in needed if re.match(r"lib(a|t|ub)san|libgcc_s|libm\.", name)}
        self.assertLessEqual(needed - sanitizers, {"liblmdb.so.0", "libc.so.6", "ld-linux-x86-64.so.2",
                                                   "ld-linux-aarch64.so.1"})
        self.assertRegex(out, r"SONAME.*\[libcairn\.so\.\d+\]")

    def test_versions(self):
        with open(os.path.join(INCLUDE, "cairn/base.h"), encoding="utf-8") as f:
            api = int(re.search(r"#define CAIRN_API_VERSION (\d+)", f.read()).group(1))
        with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as f:
            version = re.search(r"project\(cairn VERSION ([\d.]+)", f.read()).group(1)
        if "san" in self.run_ok("readelf", "-d", library()):
            self.skipTest("a library with sanitizers cannot be loaded into this process")
        lib = ctypes.CDLL(library())
        lib.cairn_version.restype = ctypes.c_char_p
        self.assertEqual(lib.cairn_api_version(), api)
        self.assertEqual(lib.cairn_version().decode(), version)

    def test_each_header_compiles_alone_as_c(self):
        for name in HEADERS:
            for standard in ("-std=c99", "-std=c11", "-std=c17"):
                self.write("alone.c", b"#include \"cairn/%s\"\n#include \"cairn/%s\"\n"
                           b"extern int nothing;\nint nothing = 0;\n" % (name.encode(), name.encode()))
                self.run_ok(CC, *STRICT, standard, "-Wshadow", "-Wstrict-prototypes", "-I", INCLUDE, "-c", "alone.c",
                            "-o", "alone.o")

    @unittest.skipUnless(CXX, "no C++ compiler")
    def test_headers_and_macros_in_cpp(self):
        self.write("use.cc", b"""
#include "cairn/repo.h"
#include <cstring>
int main()
{
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    cairn_wait wait = CAIRN_INIT(cairn_wait);
    cairn_message message;
    cairn_repo *repo = nullptr;
    options.path = "nowhere";
    wait.timeout_ns = 1000000000;
    bool right = options.struct_size == sizeof options && options.create == 0 &&
                 cairn_api_version() == CAIRN_API_VERSION &&
                 cairn_repo_open(&options, &wait, &repo, &message) == CAIRN_ERROR_NOT_FOUND &&
                 std::strstr(message.text, "nowhere") != nullptr;
    return right ? 0 : 1;
}
""")
        for standard in ("-std=c++11", "-std=c++17", "-std=c++20"):
            self.run_ok(CXX, *STRICT, standard, "use.cc", "-I", INCLUDE, library(), "-Wl,-rpath," + BUILD, "-o", "use")
            self.run_ok("./use")

    def test_the_example_keeps_a_file_and_cairn_reads_it(self):
        program = self.compile_keep()
        repo = os.path.join(self.dir, "repo")
        for size in (0, 12, 1 << 20, (3 << 20) + 7):
            data = os.urandom(size)
            path = self.write("file", data)
            cid = self.run_ok(program, repo, path).strip()
            out = subprocess.run([CAIRN, "cat", cid], env={**self.env, "CAIRN_PATH": repo}, capture_output=True,
                                 timeout=SECONDS_MAX)
            self.assertEqual((out.returncode, out.stdout == data), (0, True), out.stderr[:500])
            self.run_ok(CAIRN, "--repo-dir", repo, "pin", "ls", "--type=recursive", cid)

    def test_the_example_says_what_is_wrong(self):
        program = self.compile_keep()
        taken = self.write("taken", b"a file, no folder")
        for words, sentence in (((os.path.join(taken, "repo"), taken), "taken"),
                                ((self.dir, os.path.join(self.dir, "absent")), "absent")):
            done = subprocess.run([program, *words], env=self.env, capture_output=True, text=True, timeout=SECONDS_MAX)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    main()
