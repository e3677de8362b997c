"""Rows without a daemon. Each is a function that takes the Bench."""
import pathlib
import shutil
import subprocess

from lib import measure


def peers(b, make):
    """{label: once} for cairn and, where there is one, Kubo; `make(program, label)` gives once."""
    sides = {"cairn": make(b.cairn, "cairn")}
    if b.kubo:
        sides["Kubo"] = make(b.kubo, "Kubo")
    return sides


def copy_side(b, source):
    target = b.dir / "copy"

    def once():
        shutil.rmtree(target, ignore_errors=True)
        target.unlink(missing_ok=True)
        subprocess.run(["sync"], check=True)
        return measure(["cp", "-r", source, target], sync=True)
    return once


def add_large(b):
    source = b.large_file()

    def make(program, label):
        def once():
            env = b.repo(program, f"add-{label}")
            subprocess.run(["sync"], check=True)
            return measure([program, "add", "-Q", source], env=env, sync=True)
        return once
    b.compare("add 1 GiB, then sync", "1.3 x cp or 0.5 x Kubo; 64 MiB",
              {**peers(b, make), "cp": copy_side(b, source)})


def only_hash(b):
    source = b.large_file()

    def make(program, label):
        env = b.repo(program, f"hash-{label}")
        return lambda: measure([program, "add", "-Q", "--only-hash", source], env=env)
    sides = peers(b, make)
    if shutil.which("openssl"):
        sides["openssl"] = lambda: measure(["openssl", "dgst", "-sha256", source])
    b.compare("add --only-hash 1 GiB", "2.5 GB/s and 0.45 x Kubo", sides)


def add_small(b):
    source = b.small_tree()
    size = {}

    def make(program, label):
        def once():
            env = b.repo(program, f"small-{label}")
            subprocess.run(["sync"], check=True)
            figure = measure([program, "add", "-Q", "-r", source], env=env, sync=True)
            size[label] = b.repo_mib(env)
            return figure
        return once
    sides = peers(b, make)
    b.compare(f"add -r {b.options.files:,} files of 4 KiB, then sync",
              "25,000 files/s, 0.33 x Kubo; 64 MiB", sides)
    b.add("repo after that, MiB", "425", size)


def cat_large(b):
    source = b.large_file()

    def make(program, label):
        env = b.repo(program, f"cat-{label}")
        cid = subprocess.run([program, "add", "-Q", source], env=env, check=True,
                             capture_output=True, text=True).stdout.strip()
        return lambda: measure([program, "cat", cid], env=env)
    b.compare("cat 1 GiB, first read (cairn verifies)", "1.2 x Kubo, aim 0.25 s",
              {**peers(b, make), "cat": lambda: measure(["cat", source])})


def version(b):
    def make(program, label):
        env = b.repo(program, f"tiny-{label}")
        return lambda: measure([program, "version"], env=env)
    b.compare("version", "3 ms", {**peers(b, make), "true": lambda: measure(["/bin/true"])})


def cat_tiny(b):
    small = b.dir / "twelve"
    small.write_bytes(b"twelve bytes")

    def make(program, label):
        env = b.repo(program, f"tiny-{label}")
        cid = subprocess.run([program, "add", "-Q", small], env=env, check=True,
                             capture_output=True, text=True).stdout.strip()
        return lambda: measure([program, "cat", cid], env=env)
    b.compare("cat 12 bytes", "8 ms; 12 MiB", peers(b, make))


def program_size(b):
    sizes = {"cairn": (pathlib.Path(b.cairn).stat().st_size) / 2**20}
    if b.kubo:
        sizes["Kubo"] = pathlib.Path(b.kubo).stat().st_size / 2**20
    b.add("program, MiB", "4", sizes)


ROWS = [version, cat_tiny, only_hash, add_large, cat_large, add_small, program_size]
