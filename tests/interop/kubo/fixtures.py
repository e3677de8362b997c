"""Seeded input files of the comparison: the same bytes, names, modes and times
for every run with the same seed, so that two programs are given the same work."""

import os
import random
import shutil


def _write(path, data, mode=0o644, mtime_ns=1600000000_000000000):
    with open(path, "wb") as out:
        out.write(data)
    os.chmod(path, mode)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def _date(root):
    """Fixed times for folders and symlinks too, which would be those of making them."""
    for folder, names, files in os.walk(root, topdown=False):
        for name in names + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.utime(path, ns=(1680000000_000000000,) * 2, follow_symlinks=False)
        os.utime(folder, ns=(1690000000_000000000,) * 2)


def _tree(root, rng):
    """A small folder with what matters: a hidden file, an empty folder, a symlink, depth."""
    for folder in ("", "sub", "sub/deep", "emptydir"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    _write(os.path.join(root, "a.txt"), b"a\n", 0o640, 1700000000_123456789)
    _write(os.path.join(root, "b b.txt"), b"bb\n")
    _write(os.path.join(root, ".hidden"), b"h\n")
    _write(os.path.join(root, "sub/c.bin"), rng.randbytes(270000), 0o755, 1650000000_000000001)
    _write(os.path.join(root, "sub/deep/d"), b"d")
    os.symlink("a.txt", os.path.join(root, "link"))
    os.symlink("../nowhere", os.path.join(root, "sub/dangling"))
    _date(root)


def _many(root, rng, count):
    """Enough names to make small HAMT limits matter."""
    os.makedirs(root)
    for i in range(count):
        name = "%s-%03d" % ("".join(rng.choices("abcdefghijk", k=rng.randint(1, 30))), i)
        _write(os.path.join(root, name), rng.randbytes(rng.randint(0, 40)))
    _date(root)


def _site(root):
    os.makedirs(os.path.join(root, "d"))
    _write(os.path.join(root, "index.html"), b"<h1>hi</h1>\n")
    _write(os.path.join(root, "s.css"), b"x{}\n")
    _write(os.path.join(root, "ten"), b"0123456789")
    _write(os.path.join(root, "d/f.txt"), b"hi\n")
    _date(root)


def make(folder, seed):
    """Fills the empty `folder`; the same seed gives the same bytes on every machine."""
    rng = random.Random(seed)
    path = lambda name: os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    _write(path("hello"), b"hello world\n")
    _write(path("empty"), b"")
    _write(path("one"), b"1")
    _write(path("f300k"), rng.randbytes(300000))
    _write(path("f1m"), rng.randbytes(1 << 20))
    _write(path("f3m"), rng.randbytes(3000000))
    _write(path("zeros"), bytes(1 << 20))
    _write(path("a<b>&c"), b"html\n")
    _write(path("é ü"), b"unicode\n")
    _tree(path("tree"), rng)
    _many(path("many"), rng, 60)
    _site(path("site"))
    for i in range(8):
        _write(path("r%d" % i), rng.randbytes(rng.choice((0, 1, 63, 1000, 4096, 70001, 262144, 262145, 600001))),
               rng.choice((0o600, 0o644, 0o755)), rng.randrange(0, 2000000000) * 10**9 + rng.choice((0, 1, 999999999)))


def copy(source, target):
    """A private copy for one group of cases: modes, times and symlinks kept."""
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
