"""The nodes that these tests bring together, all with the same methods: Kubo, js-libp2p, Helia, a rust-libp2p
program, a liar, and cairn.

    node.id  node.address  node.connect(address)  node.disconnect(node)  part(node, node)  node.peers()  node.ping(id)
    node.identify(id) -> {id, agent, protocols, addresses, ...}
    node.add(path) -> CID   node.fetch(CID, seconds) -> {sha256, bytes, files, seconds}
    node.pause()  node.resume()  node.kill()  node.stop()

Kubo is $KUBO or build/peers/ipfs, the others lie in build/peers, all by tools/peers; cairn is $CAIRN_BINARY or build/cairn.
"""
import base64, hashlib, json, os, pathlib, queue, re, shutil, signal, subprocess, sys, tempfile, threading, time, unittest
import urllib.error, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from common import CAIRN  # noqa: E402

PEERS = ROOT / "build/peers"
KUBO = os.environ.get("KUBO", str(PEERS / "ipfs"))
NODE = str(PEERS / "js/node")
RUST = str(PEERS / "rust-peer")
SECONDS_MAX = 60  # until a node that is started or told something must have answered
LOOPBACK = "/ip4/127.0.0.1/tcp/0"


class Refused(Exception):
    """A node answered that it could not do what it was told."""


def skip(sentence):
    """Skips a test for what is missing here; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        raise AssertionError(sentence)
    raise unittest.SkipTest(sentence)


def need(name, program):
    if not os.access(program, os.X_OK):
        skip("%s: %s is not there; tools/peers brings it" % (name, os.path.relpath(program, ROOT)))


def digest(path):
    """The same hash that every fetch answers: of a file its own, of a folder that of its lines "path NUL hash"."""
    path = pathlib.Path(path)
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    lines = sorted((str(f.relative_to(path)).encode(), f) for f in path.rglob("*") if f.is_file())
    total = hashlib.sha256()
    for name, f in lines:
        total.update(name + b"\0" + hashlib.sha256(f.read_bytes()).hexdigest().encode() + b"\n")
    return total.hexdigest()


def part(one, other):
    """One leaves the other, and both know: else a dial may find the connection that is about to go."""
    one.disconnect(other)
    end = time.monotonic() + SECONDS_MAX
    while one.id in other.peers() or other.id in one.peers():
        if time.monotonic() > end:
            raise Refused("they are still connected")
        time.sleep(0.02)


class Process:
    """A program whose standard output is read by a thread, so that it never waits for us."""
    cannot_read = ()  # kinds of identity that it does not know

    def __init__(self, command, namespace=None, **more):
        if namespace:
            command = ["ip", "netns", "exec", namespace, *command]
        self.command = command
        self.lines = queue.Queue()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, seconds=SECONDS_MAX):
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Refused("%s said nothing for %d s" % (os.path.basename(self.command[0]), seconds)) from None
        if line is None:
            self.lines.put(None)
            raise Refused("%s has ended" % os.path.basename(self.command[0]))
        return line

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """Without a good-bye."""
        self.process.kill()
        self.end()

    def end(self):
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass


class Program(Process):
    """A peer of ours over somebody's library: words go in, JSON lines come out (README.md)."""

    def __init__(self, command, listen=LOOPBACK, namespace=None):
        super().__init__([*command, "--listen", listen], namespace, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.no = 0
        self.events = []
        ready = self.told(SECONDS_MAX)
        self.id, self.addresses = ready["id"], ready["addresses"]
        self.address = self.addresses[0]

    def told(self, seconds):
        """The next JSON line; whatever else it says is shown if it ends instead."""
        other = []
        try:
            while True:
                line = self.line(seconds)
                if line.startswith("{"):
                    return json.loads(line)
                other.append(line)
        except Refused as bad:
            raise Refused("\n".join([str(bad), *other[-20:]])) from None

    def call(self, verb, *words, seconds=SECONDS_MAX):
        self.no += 1
        self.process.stdin.write(" ".join([str(self.no), verb, *map(str, words)]) + "\n")
        self.process.stdin.flush()
        end = time.monotonic() + seconds
        while True:
            said = self.told(max(end - time.monotonic(), 0.1))
            if said.get("n") == self.no:
                break
            self.events.append(said)
        if not said["ok"]:
            raise Refused(said["why"])
        return said

    def connect(self, address):
        return self.call("connect", address)["peer"]

    def disconnect(self, node):
        self.call("disconnect", node.id)

    def peers(self):
        return self.call("peers")["peers"]

    def ping(self, peer):
        return self.call("ping", peer)["ms"]

    def identify(self, peer):
        return self.call("identify", peer)

    def add(self, path):
        return self.call("add", path, seconds=300)["cid"]

    def fetch(self, cid, seconds=SECONDS_MAX):
        return self.call("fetch", cid, seconds, seconds=seconds + 10)

    def stop(self):
        if self.process.poll() is None:
            self.resume()
            try:
                self.call("stop")
            except (Refused, OSError):
                self.process.terminate()
            self.end()


class Js(Program):
    name = "js-libp2p"
    # It writes and reads ECDSA keys in a form of its own, not in the PKIX one that the specification names.
    securities, muxers, keys = ("noise", "tls"), ("early", "late"), ("ed25519", "rsa", "secp256k1")
    cannot_read = ("ecdsa",)
    script = "node.mjs"

    def __init__(self, key="ed25519", security="both", muxer="early", more=(), **where):
        command = [NODE, "--preserve-symlinks", "--preserve-symlinks-main", str(PEERS / "js/src" / self.script)]
        super().__init__([*command, "--key", key, "--security", security, "--muxer", muxer, *more], **where)

    @classmethod
    def need(cls):
        need(cls.name, NODE)

    @staticmethod
    def version(package="libp2p"):
        return json.loads((PEERS / "js/node_modules" / package / "package.json").read_text())["version"]


class Helia(Js):
    name = "Helia"
    script = "helia.mjs"

    @staticmethod
    def version(package="helia"):
        return Js.version(package)


class Liar(Js):
    """Claims to have every block; how it lies is "wrong", "silent" or "junk"."""
    name = "liar"
    script = "liar.mjs"

    def __init__(self, lie):
        super().__init__(more=["--lie", lie])

    def lies(self):
        return self.call("lies")["lies"]


class Rust(Program):
    name = "rust-libp2p"
    securities, muxers, keys = ("noise", "tls"), ("late",), ("ed25519", "rsa", "secp256k1", "ecdsa")

    def __init__(self, key="ed25519", security="both", muxer="late", most_blocks=None, **where):
        """`key` may also be the file of an RSA key. After `most_blocks` it holds its answers back until it is told go_on."""
        self.dir = tempfile.TemporaryDirectory()
        if key == "rsa":  # the crate reads such a key and makes none
            key = os.path.join(self.dir.name, "key.der")
            made = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True, timeout=SECONDS_MAX)
            subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-out", key], input=made.stdout, check=True,
                           timeout=SECONDS_MAX)
        more = [] if most_blocks is None else ["--most-blocks", str(most_blocks)]
        self.key = key
        super().__init__([RUST, "--key", key, "--security", security, *more], **where)

    def wait_holding(self):
        while {"event": "holding"} not in self.events:
            self.events.append(self.told(SECONDS_MAX))

    def go_on(self):
        self.call("continue")

    def end(self):
        super().end()
        self.dir.cleanup()

    @classmethod
    def need(cls):
        need(cls.name, RUST)

    @staticmethod
    def version():
        manifest = (ROOT / "tests/interop/peers/rust/Cargo.toml").read_text()
        return re.search(r'^libp2p = .*"=([0-9.]+)"', manifest, re.M).group(1)


def base58(data):
    letters, value, text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", int.from_bytes(data, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        text = letters[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def identity(key):
    """A fresh identity of a kind that Kubo runs with but does not make, as its config holds it."""
    def ec(*words, given=None):
        return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True, timeout=SECONDS_MAX).stdout

    def message(kind, data):
        return bytes((8, kind, 18)) + (bytes((len(data),)) if len(data) < 128 else bytes((len(data) & 127 | 128, len(data) >> 7))) + data

    curve = {"secp256k1": "secp256k1", "ecdsa": "prime256v1"}[key]
    private = ec("ecparam", "-name", curve, "-genkey", "-noout", "-outform", "DER")
    if key == "ecdsa":
        public = message(3, ec("ec", "-inform", "DER", "-pubout", "-outform", "DER", given=private))
        peer, private = b"\x12\x20" + hashlib.sha256(public).digest(), message(3, private)
    else:  # the bare scalar and the compressed point, cut out of their DER
        point = ec("ec", "-inform", "DER", "-pubout", "-conv_form", "compressed", "-outform", "DER", given=private)[-33:]
        public = message(2, point)
        peer, private = bytes((0, len(public))) + public, message(2, private[7:39])
    return {"PeerID": base58(peer), "PrivKey": base64.b64encode(private).decode()}


class Ipfs(Process):
    """A node with Kubo's commands: Kubo itself, or cairn."""
    binary = None
    settings = {}
    securities, muxers = ("noise", "tls"), ("early",)

    def __init__(self, key="ed25519", security="both", muxer="early", listen=LOOPBACK, namespace=None):
        self.namespace = namespace
        self.dir = tempfile.TemporaryDirectory()
        self.env = {**os.environ, "HOME": self.dir.name, "IPFS_PATH": self.dir.name + "/repo",
                    "CAIRN_PATH": self.dir.name + "/repo", "IPFS_TELEMETRY": "off"}
        self.init(key)
        self.settings = {
            **self.settings, "Addresses.API": LOOPBACK, "Addresses.Gateway": LOOPBACK, "Addresses.Swarm": [listen],
            "Bootstrap": [], "Discovery.MDNS.Enabled": False, "Routing.Type": "none"}
        for name, given in (("Noise", "noise"), ("TLS", "tls")):
            if security not in (given, "both"):
                self.settings["Swarm.Transports.Security." + name] = False
        for name, value in self.settings.items():
            self.run("config", "--json", name, json.dumps(value))
        self.start()

    def init(self, key):
        self.run("init", "--profile=test", "--algorithm=" + key)

    def start(self):
        """Also after stop or kill: with the same identity, content and, once it had one, port."""
        Process.__init__(self, [self.binary, "daemon"], self.namespace, env=self.env, stderr=subprocess.STDOUT)
        said = []
        while not (said and said[-1].startswith("Daemon is ready")):
            try:
                said.append(self.line())
            except Refused:
                raise Refused("no daemon: " + " | ".join(said[-5:])) from None
        told = json.loads(self.run("id"))
        self.id = told["ID"]
        self.addresses = [a for a in told["Addresses"] or [] if "/tcp/" in a]
        near = [a for a in self.addresses if self.namespace is None or "/ip4/127." not in a]
        if not near:
            raise Refused("it listens nowhere")
        self.address = near[0] if "/p2p/" in near[0] else near[0] + "/p2p/" + self.id
        self.run("config", "--json", "Addresses.Swarm", json.dumps([self.address.split("/p2p/")[0]]))

    def run(self, *words, seconds=SECONDS_MAX):
        command = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        try:
            done = subprocess.run([*command, self.binary, *words], env=self.env, capture_output=True, timeout=seconds, text=True)
        except subprocess.TimeoutExpired:
            raise Refused("%s: not done after %d s" % (" ".join(words[:3]), seconds)) from None
        if done.returncode != 0:
            raise Refused(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def connect(self, address):
        if "success" not in self.run("swarm", "connect", address):
            raise Refused("no success")
        return address.rsplit("/", 1)[1]

    def disconnect(self, node):
        self.run("swarm", "disconnect", "/p2p/" + node.id)

    def peers(self):
        return [p["Peer"] for p in json.loads(self.run("swarm", "peers", "--enc=json"))["Peers"] or []]

    def ping(self, peer):
        told = re.search(r"time=([0-9.]+) ms", self.run("ping", "-n", "1", peer))
        if told is None:
            raise Refused("no pong")
        return float(told.group(1))

    def identify(self, peer):
        told = json.loads(self.run("id", peer))
        return {"id": told["ID"], "agent": told["AgentVersion"], "addresses": told["Addresses"] or [],
                "protocols": told["Protocols"] or []}

    def add(self, path):
        return self.run("add", "-r", "-Q", "--pin=false", str(path), seconds=300).strip()

    def fetch(self, cid, seconds=SECONDS_MAX):
        """Timed is bringing all of it here, many blocks at once; writing it out again is not."""
        out = os.path.join(self.dir.name, "out")
        begin = time.monotonic()
        try:
            self.run("pin", "add", "--timeout=%ds" % seconds, cid, seconds=seconds + 10)
            spent = time.monotonic() - begin
            self.run("get", "-o", out, cid)
            found = [f for f in [pathlib.Path(out), *pathlib.Path(out).rglob("*")] if f.is_file()]
            return {"sha256": digest(out), "bytes": sum(f.stat().st_size for f in found), "files": len(found), "seconds": spent}
        finally:
            subprocess.run(["rm", "-rf", out], check=True)

    def stop(self, keep=False):
        if self.process.poll() is None:
            self.resume()
            self.process.terminate()
            self.end()
        if not keep:
            self.dir.cleanup()


class Kubo(Ipfs):
    name = "Kubo"
    binary = KUBO
    keys = Js.keys + ("ecdsa",)
    made_keys = ("ed25519", "rsa")  # the others are written into its config
    settings = {"HTTPRetrieval.Enabled": False, "AutoTLS.Enabled": False, "Swarm.ResourceMgr.Enabled": False}

    def run(self, *words, seconds=SECONDS_MAX):
        """Its program takes a while to start, which adds up over a matrix: the daemon is asked directly where it can be."""
        for command in (("swarm", "connect"), ("swarm", "disconnect"), ("swarm", "peers"), ("id",)):
            if words[:len(command)] == command and self.namespace is None:
                return self.ask("/".join(command), [w for w in words[len(command):] if not w.startswith("--")], seconds)
        return super().run(*words, seconds=seconds)

    def open(self, command, args, seconds, **options):
        port = pathlib.Path(self.dir.name, "repo/api").read_text().rsplit("/", 1)[1]
        query = urllib.parse.urlencode([*(("arg", a) for a in args), *options.items()])
        try:
            return urllib.request.urlopen("http://127.0.0.1:%s/api/v0/%s?%s" % (port, command, query), data=b"", timeout=seconds)
        except urllib.error.HTTPError as bad:
            with bad:
                raise Refused(json.loads(bad.read())["Message"]) from None

    def ask(self, command, args, seconds):
        with self.open(command, args, seconds) as f:
            return f.read().decode()

    def identify(self, peer):
        """Once it knows: until then it answers what little there is, and looks up elsewhere where the peer is."""
        end = time.monotonic() + SECONDS_MAX
        while True:
            try:
                told = super().identify(peer)
                if told["protocols"] or time.monotonic() > end:
                    return told
            except Refused:
                if time.monotonic() > end:
                    raise
            time.sleep(0.02)

    def ping(self, peer):
        self.identify(peer)
        if self.namespace is not None:
            return super().ping(peer)
        said = []
        with self.open("ping", [peer], SECONDS_MAX, count=1) as f:
            for line in f:  # not to its end, for which it waits another second
                said.append(json.loads(line))
                if said[-1]["Success"] and said[-1]["Time"]:
                    return said[-1]["Time"] / 1e6
        raise Refused("no pong: " + " ".join(line["Text"] for line in said))

    def init(self, key):
        super().init(key if key in self.made_keys else "ed25519")
        if key not in self.made_keys:
            config = pathlib.Path(self.dir.name, "repo/config")
            told = json.loads(config.read_text())
            told["Identity"] = identity(key)
            config.write_text(json.dumps(told))

    @classmethod
    def need(cls):
        need(cls.name, KUBO)

    @staticmethod
    def version():
        return subprocess.run([KUBO, "version", "-n"], capture_output=True, text=True, check=True).stdout.strip()


class Cairn(Ipfs):
    name = "cairn"
    binary = CAIRN
    keys = ("ed25519", "rsa", "secp256k1", "ecdsa")

    @classmethod
    def need(cls):
        need(cls.name, CAIRN)

    def stop(self, keep=False):
        """It has to have lived until now, and to end well."""
        super().stop(keep)
        if self.process.returncode != 0:
            said = [line for line in iter(self.lines.get, None)]
            raise AssertionError("the daemon ended with %d: %s" % (self.process.returncode, " | ".join(said[-20:])))
