"""Rows over a long link: 60 ms round trip, 1 Gbit/s, 200 ms of queue; cairn, curl from nginx, go-libp2p, Kubo.

tools/longlink makes the namespaces and carries the packets; whatever is measured runs inside them. Rates are
megabytes (10^6) a second. Each row takes its peers in the same run.
"""
import contextlib
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

from lib import ROOT
from rows_network import Node

RTT_S = 0.06
FILES = 5000
STREAM = ROOT / "build/bench/bench_stream"
GO_STREAM = ROOT / "build/peers/gostream"


class End:
    """A namespace with an address on the link."""

    def __init__(self, words):
        self.name, self.ip = words.split()

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words, **more):
        return subprocess.run(self.command(*words), check=True, text=True, stdout=subprocess.PIPE, **more).stdout

    def start(self, *words):
        return subprocess.Popen(self.command(*words), text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def link(b, senders=1, rate=1000):
    """The receiver and the senders, joined until the block is left."""
    inside = 'echo "$LONGLINK_RECEIVER"; echo "$LONGLINK_SENDERS"; read -r over'
    made = subprocess.Popen(
        [ROOT / "tools/longlink", "--senders", str(senders), "--rate", str(rate), "--seconds", "3600",
         "sh", "-c", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    try:
        receiver = End(made.stdout.readline())
        yield receiver, [End(words) for words in made.stdout.readline().split(",")]
    finally:
        made.communicate("\n", timeout=60)


@contextlib.contextmanager
def ended(process):
    """A process that is ended when the block is left."""
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def made_file(b, mib):
    path = b.dir / f"large-{mib}"
    if not path.exists():
        with open("/dev/urandom", "rb") as random, open(path, "wb") as f:
            f.write(random.read(mib << 20))
    b.warm(path)
    return path


def tree_of(b, files):
    path = b.dir / f"tree-{files}"
    if not path.exists():
        with open("/dev/urandom", "rb") as random:
            for i in range(files):
                folder = path / f"d{i // 100:04}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"f{i:06}").write_bytes(random.read(4096))
    return path


# -- the same bytes by curl

def nginx(b, end):
    """nginx in the sender's namespace serves the bench's folder on port 8080."""
    base = b.dir / "nginx-link"
    base.mkdir(exist_ok=True)
    config = base / "nginx.conf"
    temporary = "".join(f" {kind}_temp_path {base}/t;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(
        f"daemon off; user root; worker_processes 1; pid {base}/pid; error_log {base}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; sendfile on; tcp_nopush on;{temporary}\n"
        f" server {{ listen {end.ip}:8080; root {b.dir.absolute()}; }} }}\n")
    process = end.start(shutil.which("nginx"), "-c", config)
    time.sleep(0.5)
    return process


def curl_mb_s(receiver, sender, mib):
    words = ("curl", "-s", "-o", "/dev/null", "-w", "%{size_download} %{time_total}",
             f"http://{sender.ip}:8080/large-{mib}")
    size, seconds = map(float, receiver.run(*words).split())
    return size / seconds / 1e6


# -- one stream

def cairn_stream(receiver, sender, mib, security):
    """The sender sends to the receiver; MB/s and the seconds from the dial to the end."""
    with ended(receiver.start(STREAM, 0, security, "listen", f"/ip4/{receiver.ip}/tcp/0")) as listener:
        said = sender.run(STREAM, mib << 20 if mib else 1, security, "send", listener.stdout.readline().strip())
    figures = dict(line.split() for line in said.splitlines())
    return float(figures["gb_per_s"]) * 1000, float(figures["dial_s"])


def go_stream(receiver, sender, mib, security):
    with ended(receiver.start(GO_STREAM, "listen", f"/ip4/{receiver.ip}/tcp/0", security)) as listener:
        address = listener.stdout.readline().strip()
        first = float(sender.run(GO_STREAM, "first", address, security).split()[1])
        said = sender.run(GO_STREAM, "send", address, security, mib << 20) if mib else "gb_per_s 0"
    return float(said.split()[1]) * 1000, first


def longlink_stream(b):
    """Median of three: curl, then a stream each way of securing it."""
    mib = 512
    made_file(b, mib)
    taken = {}
    with link(b) as (receiver, (sender,)), ended(nginx(b, sender)):
        for _ in range(b.options.runs):
            taken.setdefault("curl", []).append(curl_mb_s(receiver, sender, mib))
            for security in ("noise", "tls"):
                label = "cairn" if security == "noise" else "cairn TLS"
                taken.setdefault(label, []).append(cairn_stream(receiver, sender, mib, security)[0])
        if GO_STREAM.exists():
            taken["go-libp2p Noise"] = [go_stream(receiver, sender, mib, "noise")[0]]
            taken["go-libp2p TLS"] = [go_stream(receiver, sender, mib, "tls")[0]]
    b.add(f"one stream of {mib} MiB over the long link, MB/s", "0.9 x curl",
          {label: statistics.median(figures) for label, figures in taken.items()})


def longlink_dial(b):
    """Dial to the answer of the other side, in round trips."""
    taken = {}
    with link(b) as (receiver, (sender,)):
        for _ in range(b.options.runs):
            for security in ("noise", "tls"):
                label = "cairn" if security == "noise" else "cairn TLS"
                taken.setdefault(label, []).append(cairn_stream(receiver, sender, 0, security)[1] / RTT_S)
                if GO_STREAM.exists():
                    label = "go-libp2p " + security
                    taken.setdefault(label, []).append(go_stream(receiver, sender, 0, security)[1] / RTT_S)
    b.add("dial to the first answer over the long link, round trips", "3, with what a machine takes",
          {label: statistics.median(figures) for label, figures in taken.items()})


# -- nodes

# Inside the namespace, so that starting programs is not measured.
DIAL_AND_GET = """
import http.client, sys, threading, time
host, port, address, cid = sys.argv[1:]
def post(path):
    c = http.client.HTTPConnection(host, int(port))
    c.request("POST", "/api/v0/" + path)
    assert c.getresponse().read() is not None
getting = threading.Thread(target=post, args=("block/get?arg=" + cid,))
getting.start()
time.sleep(0.5)
dialled = time.monotonic()
dialling = threading.Thread(target=post, args=("swarm/connect?arg=" + address,))
dialling.start()
getting.join()
print(time.monotonic() - dialled)
dialling.join()
"""


class LinkedNode(Node):
    """A daemon inside a namespace, whose swarm listens on the link."""

    def __init__(self, b, program, env, end):
        self.end = end
        super().__init__(b, program, env, ip=end.ip, wrap=end.command)

    def post(self, path, **query):
        """A call of the RPC by curl inside: the seconds until all of the answer was there."""
        api = pathlib.Path(self.env["IPFS_PATH"], "api").read_text().split("/")
        words = [word for key, value in query.items() for word in ("--data-urlencode", f"{key}={value}")]
        said = self.end.run("curl", "-s", "-f", "-G", "-X", "POST", "-o", "/dev/null", "-w", "%{time_total}", *words,
                            f"http://{api[2]}:{api[4]}/api/v0/{path}")
        return float(said)


    def dial_and_get(self, address, cid):
        """A block is asked for first, then its holder is dialled: the seconds from the dial to the block."""
        api = pathlib.Path(self.env["IPFS_PATH"], "api").read_text().split("/")
        return float(self.end.run(sys.executable, "-c", DIAL_AND_GET, api[2], api[4], address, cid))


@contextlib.contextmanager
def node(b, program, env, end):
    n = LinkedNode(b, program, env, end)
    try:
        yield n
    finally:
        n.stop()


def holding(b, program, name, source):
    """A repo that holds the source, kept between runs; and the root's CID."""
    env = b.repo(program, name, keep=True)
    said = subprocess.run([program, "add", "-r", "-Q", source], env=env, check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run(["sync"], check=True)
    return env, said.stdout.strip()


def pin(b, program, receiver, senders, holders, cid):
    """Seconds of `pin add` at a fresh node that is connected to all holders; and its peak memory."""
    kind = "cairn" if program == b.cairn else "Kubo"
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(node(b, program, env, end)) for env, end in zip(holders, senders)]
        fetcher = stack.enter_context(node(b, program, b.repo(program, f"link-fetches-{kind}"), receiver))
        for h in held:
            fetcher.run("swarm", "connect", h.address)
        time.sleep(0.3)
        return fetcher.post("pin/add", arg=cid, progress="false"), fetcher.peak_mib()


def longlink_pin(b):
    """256 MiB and 5,000 files: cairn three times, with curl in between; Kubo once."""
    mib = 256
    large, tree = made_file(b, mib), tree_of(b, FILES)
    rates, curls, smalls, kubo = [], [], [], {}
    env, cid = holding(b, b.cairn, "link-holds-cairn", large)
    tree_cid = holding(b, b.cairn, "link-holds-cairn", tree)[1]
    with link(b) as (receiver, (sender,)), ended(nginx(b, sender)):
        for _ in range(b.options.runs):
            curls.append(curl_mb_s(receiver, sender, mib))
            rates.append((mib << 20) / 1e6 / pin(b, b.cairn, receiver, [sender], [env], cid)[0])
            smalls.append(pin(b, b.cairn, receiver, [sender], [env], tree_cid)[0])
        if b.kubo:
            env, cid = holding(b, b.kubo, "link-holds-Kubo", large)
            tree_cid = holding(b, b.kubo, "link-holds-Kubo", tree)[1]
            kubo["large"] = (mib << 20) / 1e6 / pin(b, b.kubo, receiver, [sender], [env], cid)[0]
            kubo["small"] = pin(b, b.kubo, receiver, [sender], [env], tree_cid)[0]
    beside = {"Kubo, once": kubo["large"]} if kubo else {}
    b.add(f"pin add of {mib} MiB over the long link, MB/s", "0.9 x curl",
          {"cairn": statistics.median(rates), "curl": statistics.median(curls), **beside})
    beside = {"Kubo, once": kubo["small"]} if kubo else {}
    b.add(f"pin add of {FILES:,} files of 4 KiB over the long link, s", "1.5 s",
          {"cairn": statistics.median(smalls), **beside}, f"{smalls}")


def blocks_at(b, env, program, sizes):
    """Blocks of these sizes, nine each, put into the repo: their CIDs."""
    made = {}
    for size in sizes:
        made[size] = []
        for _ in range(9):
            with open("/dev/urandom", "rb") as random:
                data = random.read(size)
            said = subprocess.run([program, "block", "put"], input=data, env=env, check=True, stdout=subprocess.PIPE)
            made[size].append(said.stdout.decode().strip())
    return made


def longlink_first(b):
    """A block at a connected peer, by the RPC on its own machine; and dial and block together."""
    sizes, taken, dialled = (4096, 262144), {}, {}
    with link(b) as (receiver, (sender,)):
        for label, program in {"cairn": b.cairn, **({"Kubo": b.kubo} if b.kubo else {})}.items():
            env = b.repo(program, f"link-first-{label}")
            cids = blocks_at(b, env, program, sizes)
            with node(b, program, env, sender) as holder:
                for i in range(9):
                    fresh = b.repo(program, f"link-first-fetches-{label}")
                    with node(b, program, fresh, receiver) as fetcher:
                        if i % 3 == 0:
                            seconds = fetcher.dial_and_get(holder.address, cids[4096][i])
                            dialled.setdefault(label, []).append(seconds / RTT_S)
                            continue
                        fetcher.post("swarm/connect", arg=holder.address)
                        time.sleep(1)
                        size = sizes[i % 3 - 1]
                        got = fetcher.post("block/get", arg=cids[size][i])
                        taken.setdefault((label, size), []).append(got * 1000)
    for size in sizes:
        b.add(f"a block of {size // 1024} KiB at a connected peer over the long link, ms", "140",
              {label: statistics.median(taken[label, size]) for label in dialled})
    b.add("dial, then a block of 4 KiB over the long link, round trips", "3 and 20 ms",
          {label: statistics.median(figures) for label, figures in dialled.items()})


def longlink_three(b):
    """Three peers behind 300 Mbit/s each, beside one of them."""
    mib = 512
    env, cid = holding(b, b.cairn, "link-holds-cairn", made_file(b, mib))
    envs = []
    for i in range(3):
        path = b.dir / f"repos/link-holds-{i}"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(env["IPFS_PATH"], path, ignore=shutil.ignore_patterns("repo.lock", "api", "gateway"))
        fresh = pathlib.Path(b.repo(b.cairn, f"link-identity-{i}")["IPFS_PATH"])
        shutil.copy(fresh / "identity.key", path)
        shutil.copy(fresh / "config", path)
        envs.append({**env, "IPFS_PATH": str(path), "CAIRN_PATH": str(path)})
    one, three = [], []
    with link(b, senders=3, rate=300) as (receiver, senders):
        for _ in range(b.options.runs):
            one.append((mib << 20) / 1e6 / pin(b, b.cairn, receiver, senders[:1], envs[:1], cid)[0])
            three.append((mib << 20) / 1e6 / pin(b, b.cairn, receiver, senders, envs, cid)[0])
    b.add(f"pin add of {mib} MiB from three peers behind 300 Mbit/s each, MB/s", "2.5 x one",
          {"cairn": statistics.median(three), "from one": statistics.median(one)})


ROWS = [longlink_stream, longlink_dial, longlink_pin, longlink_first, longlink_three]
