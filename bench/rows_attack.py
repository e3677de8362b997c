"""Rows of a node under attack: what an honest peer gets, beside an attacker and beside a core that is just as busy.

Holder, fetcher and both commands run on the first core, the attacker (or a loop that does nothing) on the last."""
import contextlib
import os
import re
import subprocess

from lib import ROOT, RUNS, Figure, measure, median
from rows_network import running

ATTACKER = ROOT / "build/tests/nodes/attacker"
SECONDS = 60  # longer than a fetch takes; the attack is ended with it
CONNECTIONS = {"flood": 1 << 20, "peers": 300, "slow": 200, "half": 200, "wrong": 1 << 20, "giant": 1 << 20,
               "go-away": 1 << 20, "blocks": 1 << 20}
OTHERS = 30  # connections of all other attacks
WANTED = "not below 0.5 x beside a busy core"


@contextlib.contextmanager
def on_the_other_core(*words):
    last = str(os.cpu_count() - 1)
    process = subprocess.Popen(["taskset", "-c", last, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def fetch_once(b, holds, cid, *words):
    """Seconds of a fetch of `cid`, while `words` run on the other core."""
    with running(b, b.cairn, holds) as h, running(b, b.cairn, b.repo(b.cairn, "attack-fetches")) as f:
        for node in (h, f):
            subprocess.run(["taskset", "-a", "-c", "-p", "0", str(node.process.pid)], check=True,
                           stdout=subprocess.DEVNULL)
        f.run("swarm", "connect", h.address)
        port = re.search(r"/tcp/(\d+)", h.address)[1]
        with on_the_other_core(*(word.replace("PORT", port) for word in words)):
            cpu = h.cpu_s() + f.cpu_s()
            wall = measure(["taskset", "-c", "0", b.cairn, "pin", "add", "--progress=false", cid], env=f.env).wall
            return Figure(wall, h.cpu_s() + f.cpu_s() - cpu, h.peak_mib())


def holder(b):
    """The repo that is attacked, what is fetched from it, and how long that takes beside a busy core; made once."""
    if not hasattr(b, "attacked"):
        size_mib = min(b.options.size_mib, 256)
        source = b.dir / f"attacked-{size_mib}"
        if not source.exists():
            source.write_bytes(os.urandom(size_mib << 20))
        holds = b.repo(b.cairn, "attack-holds", keep=True)
        cid = subprocess.run([b.cairn, "add", "-Q", source], env=holds, check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
        busy = median([fetch_once(b, holds, cid, "sh", "-c", "while :; do :; done") for _ in range(RUNS)])
        b.attacked = size_mib, holds, cid, busy
    return b.attacked


def row_of(name):
    def row(b):
        size_mib, holds, cid, busy = holder(b)
        words = (str(ATTACKER), name, "127.0.0.1", "PORT", str(SECONDS), str(CONNECTIONS.get(name, OTHERS)), cid)
        figure = median([fetch_once(b, holds, cid, *words) for _ in range(RUNS)])
        b.add(f"fetch {size_mib} MiB while the holder is attacked: {name}", WANTED, {"cairn": figure, "busy core": busy},
              f"{busy.wall / figure.wall:.2f} of the speed; memory is the attacked node's")
    row.__name__ = f"attack_{name}"
    return row


ROWS = [row_of(name) for name in (
    "slow", "half", "flood", "peers", "wrong", "streams", "rapid", "mux-pings", "deaf-pings", "tiny", "windows", "giant",
    "go-away", "ping", "identify", "push", "names", "wants", "same-want", "deaf-wants", "no-window", "blocks", "messages", "presences")]
