"""Rows between two nodes on loopback: a holder adds, a fetcher pins. cairn and Kubo in every pairing."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from lib import RUNS, Figure, measure, median

CONFIG = (("Addresses.API", "/ip4/127.0.0.1/tcp/0"), ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"),
          ("Addresses.Swarm", ["/ip4/127.0.0.1/tcp/0"]), ("Discovery.MDNS.Enabled", False),
          ("Bootstrap", []), ("Routing.Type", "none"), ("Swarm.ResourceMgr.Enabled", False))


class Node:
    """A daemon with a network on loopback, of either program."""

    def __init__(self, b, program, env):
        self.program, self.env = program, env
        for name in ("api", "gateway"):
            pathlib.Path(env["IPFS_PATH"], name).unlink(missing_ok=True)
        for key, value in CONFIG:
            self.run("config", "--json", key, json.dumps(value))
        self.process = subprocess.Popen([program, "daemon"], env=env, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "Daemon is ready" in line:
                break
        known = json.loads(self.run("id"))
        self.id = known["ID"]
        self.address = next(a for a in known["Addresses"] if a.startswith("/ip4/127.0.0.1/tcp/")).split("/p2p/")[0]

    def run(self, *words):
        return subprocess.run([self.program, *words], env=self.env, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def peak_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0

    def resident_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.process.stdout.close()


@contextlib.contextmanager
def running(b, program, env):
    node = Node(b, program, env)
    try:
        yield node
    finally:
        node.stop()


def pairs(b):
    """Label: holder and fetcher."""
    both = {"cairn": (b.cairn, b.cairn)}
    if b.kubo:
        both.update({"Kubo": (b.kubo, b.kubo), "cairn to Kubo": (b.cairn, b.kubo),
                     "Kubo to cairn": (b.kubo, b.cairn)})
    return both


def fetch_once(b, holder, fetcher, source, cids):
    """Seconds and peak of the fetcher, CPU of both, for `pin add` and a sync after it."""
    kind = {b.cairn: "cairn", b.kubo: "Kubo"}
    holds = b.repo(holder, f"holds-{kind[holder]}-{source.name}", keep=True)
    if holder not in cids:
        cids[holder] = subprocess.run([holder, "add", "-r", "-Q", source], env=holds, check=True,
                                      stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run(["sync"], check=True)
    with running(b, holder, holds) as h, running(b, fetcher, b.repo(fetcher, f"fetches-{kind[fetcher]}")) as f:
        f.run("swarm", "connect", f"{h.address}/p2p/{h.id}")
        cpu = h.cpu_s() + f.cpu_s()
        wall = measure([fetcher, "pin", "add", "--progress=false", cids[holder]], env=f.env, sync=True).wall
        return Figure(wall, h.cpu_s() + f.cpu_s() - cpu, f.peak_mib())


def fetch(b, source, name, target):
    taken, cids = {}, {}
    for _ in range(RUNS):
        for label, (holder, fetcher) in pairs(b).items():
            taken.setdefault(label, []).append(fetch_once(b, holder, fetcher, source, cids))
        started = time.monotonic()
        copy = b.dir / "copied"
        subprocess.run(["cp", "-r", source, copy], check=True)
        os.sync()
        taken.setdefault("cp + sync", []).append(Figure(time.monotonic() - started, 0, 0))
        subprocess.run(["rm", "-r", copy], check=True)
    b.add(name, target, {label: median(figures) for label, figures in taken.items()},
          "memory is the fetching daemon's, CPU both daemons'")


def network_large(b):
    fetch(b, b.large_file(), "pin add 1 GiB from a peer on loopback, then sync",
          "0.33 x Kubo, aim 0.2, or 1.3 x cp + sync; 128 MiB; with Kubo not slower than Kubo to Kubo")


def network_small(b):
    fetch(b, b.small_tree(), "pin add 100,000 files of 4 KiB from a peer on loopback, then sync", "0.1 x Kubo")


def network_idle(b):
    """One node with a hundred peers on it: its memory, and its CPU over ten seconds."""
    figures = {}
    for label, program in {"cairn": b.cairn, **({"Kubo": b.kubo} if b.kubo else {})}.items():
        with contextlib.ExitStack() as stack:
            middle = stack.enter_context(running(b, program, b.repo(program, f"middle-{label}")))
            for i in range(100):
                peer = stack.enter_context(running(b, b.cairn, b.repo(b.cairn, f"around-{i}")))
                peer.run("swarm", "connect", f"{middle.address}/p2p/{middle.id}")
            time.sleep(10)
            cpu, started = middle.cpu_s(), time.monotonic()
            time.sleep(10)
            figures[label] = Figure(time.monotonic() - started, middle.cpu_s() - cpu, middle.resident_mib())
    b.add("10 s idle with 100 peers: resident memory, CPU", "25 MiB, 1 % of a core", figures)


ROWS = [network_large, network_small, network_idle]
