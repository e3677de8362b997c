"""Cases drawn by a seeded generator: random flags on random files, and random mistakes."""

import random

_FILES = ["hello", "empty", "one", "f300k", "f1m", "zeros", "'a<b>&c'", "'é ü'"] + ["r%d" % i for i in range(8)]
_TREES = ["tree", "many", "site", "tree/sub"]
_FLAGS = [
    ("--cid-version=0", "--cid-version=1", "--cid-version=1"),
    ("--raw-leaves", "--raw-leaves=false"),
    ("--chunker=size-1000", "--chunker=size-65536", "-s size-262144", "--chunker=size-1048576", "-s rabin",
     "--chunker=rabin-8192-16384-32768", "--chunker=buzhash"),
    ("-t", "--trickle"),
    ("--hash=sha2-256", "--hash=sha2-512", "--hash=blake3", "--hash=blake2b-256", "--hash=sha3-224", "--hash=sha1",
     "--hash=keccak-256", "--hash=dbl-sha2-256", "--hash=blake2s-160"),
    ("--max-file-links=2", "--max-file-links=7", "--max-file-links=1024"),
    ("--inline", "--inline --inline-limit=8", "--inline --inline-limit=128"),
    ("--mode=0600", "--mode=0", "--preserve-mode"),
    ("--mtime=1700000000", "--mtime=-7", "--mtime=1 --mtime-nsecs=999999999", "--preserve-mtime"),
    ("-w", "--wrap-with-directory"),
    ("-n", "--pin=false", "--only-hash"),
    ("-q", "-Q", "--quiet=false", "--silent"),
    ("--cid-base=base32", "--cid-base=base16", "--cid-base=base36", "--cid-base=z"),
]
_TREE_FLAGS = [
    ("-H", "--hidden"),
    ("--dereference-args", "-E=false", "--ignore='*.txt'", "--ignore=sub"),
    ("--max-directory-links=3", "--max-directory-links=20"),
    ("--max-hamt-fanout=8", "--max-hamt-fanout=16", "--max-hamt-fanout=1024"),
]


def _flags(rng, choices, at_most):
    picked = rng.sample(choices, rng.randint(0, at_most))
    return [rng.choice(options) for options in picked]


def _mistake(rng):
    """One damaged command line: an unknown, broken, missing or doubled thing."""
    command = rng.choice(("add hello", "cat /ipfs/$H", "ls $T", "refs $T", "pin ls", "block stat $H", "pin rm $H",
                          "resolve /ipfs/$T", "cid format $H", "repo stat", "version", "config show", "block put hello"))
    damage = rng.choice(("--nosuch", "-Z", "--enc=nosuch", "--timeout=soon", "--timeout=7", "--cid-base=nosuch", "--offline=maybe",
                         "--timeout=1s --timeout=2s", "--=x", "--timeout", "extra/words here", "/ipfs/$T/nosuch", "-q=", "--enc"))
    words = command.split()
    if rng.random() < 0.3 and len(words) > 1:
        words.pop()
    return "$ ipfs " + " ".join(words) + " " + damage


def cases(seed):
    """Text of a case file (see casefile.py) for this seed."""
    rng = random.Random(seed * 7919 + 17)
    lines = ["@group add-files"]
    for _ in range(60):
        names = rng.sample(_FILES, rng.choice((1, 1, 1, 2, 3)))
        lines.append("$ ipfs add " + " ".join(_flags(rng, _FLAGS, 5) + names))
    lines.append("@group add-trees")
    for _ in range(40):
        flags = _flags(rng, _FLAGS, 3) + _flags(rng, _TREE_FLAGS, 3)
        lines.append("$ ipfs add -r " + " ".join(flags + [rng.choice(_TREES)]))
    lines += ["@group cat-ranges", "@let F ipfs add -Q f300k", "@let G ipfs add -Q -t -s size-1000 f300k",
              "@let R ipfs add -Q --cid-version=1 -s rabin-8192-16384-32768 f1m"]
    for _ in range(25):
        offset, length = rng.choice((0, 1, 999, 1000, 262143, 262144, rng.randrange(400000))), rng.randrange(300000)
        paths = " ".join(rng.sample(("$F", "$G", "$R"), rng.choice((1, 1, 2))))
        lines.append("$ ipfs cat -o %d -l %d %s | sha256sum" % (offset, length, paths))
    lines += ["@group mistakes", "@let H ipfs add -Q hello", "@let T ipfs add -rQ tree"]
    lines += [_mistake(rng) for _ in range(60)]
    return "\n".join(lines) + "\n"
