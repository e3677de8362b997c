"""Rows with a daemon: commands through it, the gateway beside nginx, idle cost."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from lib import Figure, measure, median



@contextlib.contextmanager
def daemon(b, program, env):
    """A running daemon on free ports, network off. Gives (gateway URL, seconds to ready, process)."""
    for name in ("api", "gateway"):
        pathlib.Path(env["IPFS_PATH"], name).unlink(missing_ok=True)
    for key, value in (("Addresses.API", "/ip4/127.0.0.1/tcp/0"),
                       ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0")):
        subprocess.run([program, "config", key, value], env=env, check=True)
    subprocess.run([program, "config", "--json", "Gateway.NoFetch", "true"], env=env, check=True)
    started = time.monotonic()
    process = subprocess.Popen([program, "daemon", "--offline"], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if "Daemon is ready" in line:
            break
    ready = time.monotonic() - started
    try:
        gateway = pathlib.Path(env["IPFS_PATH"], "gateway").read_text().strip()
        yield gateway, ready, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def add_file(program, env, path):
    return subprocess.run([program, "add", "-Q", path], env=env, check=True, capture_output=True,
                          text=True).stdout.strip()


def daemon_commands(b):
    source = b.large_file()
    small = b.dir / "hundred"
    small.write_bytes(os.urandom(100 * 1024))
    programs = {"cairn": b.cairn, **({"Kubo": b.kubo} if b.kubo else {})}
    taken = {work: {label: [] for label in programs} for work in ("add", "cat", "small")}
    for _ in range(b.options.runs):
        for label, program in programs.items():
            env = b.repo(program, f"daemon-{label}")
            subprocess.run(["sync"], check=True)
            with daemon(b, program, env):
                taken["add"][label].append(
                    measure([program, "add", "-Q", source], env=env, sync=True))
                cid = add_file(program, env, source)
                taken["cat"][label].append(measure([program, "cat", cid], env=env))
                cid = add_file(program, env, small)
                taken["small"][label].append(measure([program, "cat", cid], env=env))
    for work, name, target in (("add", "add 1 GiB through the daemon, then sync", "0.5 x Kubo"),
                               ("cat", "cat 1 GiB through the daemon", "0.5 x Kubo"),
                               ("small", "cat 100 KiB through the daemon", "5 ms")):
        b.add(name, target, {label: median(figures) for label, figures in taken[work].items()})


@contextlib.contextmanager
def nginx(b, folder):
    if not shutil.which("nginx"):
        yield None
        return
    conf = b.dir / "nginx.conf"
    conf.write_text(f"""
daemon off; pid {b.dir}/nginx.pid; error_log {b.dir}/nginx.log; worker_processes 2; user root;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
server {{ listen 127.0.0.1:18499; root {folder}; }} }}
""")
    process = subprocess.Popen(["nginx", "-c", conf], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield "http://127.0.0.1:18499"
    finally:
        process.terminate()
        process.wait(timeout=10)


def wrk(url):
    out = subprocess.run(["wrk", "-t1", "-c32", "-d4s", url], capture_output=True, text=True,
                         check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(f"{url}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def gateway(b):
    folder = b.dir / "gateway"
    folder.mkdir(exist_ok=True)
    sizes = (1, 10, 100)
    for kib in sizes:
        (folder / f"f{kib}").write_bytes(os.urandom(kib * 1024))
    large = folder / "large"
    if not large.exists():
        os.link(b.large_file(), large)
    urls, stack = {}, contextlib.ExitStack()
    with stack:
        for label, program in (("cairn", b.cairn), ("Kubo", b.kubo)):
            if program:
                env = b.repo(program, f"gateway-{label}")
                cids = {path.name: add_file(program, env, path) for path in folder.iterdir()}
                url, _, _ = stack.enter_context(daemon(b, program, env))
                urls[label] = {name: f"{url}/ipfs/{cid}" for name, cid in cids.items()}
        plain = stack.enter_context(nginx(b, folder))
        if plain:
            urls["nginx"] = {path.name: f"{plain}/{path.name}" for path in folder.iterdir()}
        once = {label: (lambda u=u: measure(["curl", "-s", "-o", "/dev/null", u["large"]]))
                for label, u in urls.items()}
        for first in once.values():
            first()
        b.compare("gateway 1 GiB (second read, curl)", "1.15 x nginx", once)
        if shutil.which("wrk"):
            for kib in sizes:
                rates = {label: [] for label in urls}
                for _ in range(3):
                    for label, u in urls.items():
                        rates[label].append(wrk(u[f"f{kib}"]))
                b.add(f"gateway {kib} KiB, requests/s", "6 x Kubo (5 x at 100 KiB), aim 0.7 x nginx",
                      {label: sorted(r)[1] for label, r in rates.items()})


def rss_mib(pid):
    for line in open(f"/proc/{pid}/status", encoding="ascii", errors="replace"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def idle(b):
    figures = {}
    for label, program in (("cairn", b.cairn), ("Kubo", b.kubo)):
        if not program:
            continue
        env = b.repo(program, f"idle-{label}")
        with daemon(b, program, env) as (_, ready, process):
            time.sleep(3)
            ticks = sum(int(n) for n in pathlib.Path(f"/proc/{process.pid}/stat").read_text()
                        .rsplit(")", 1)[1].split()[11:13])
            figures[label] = Figure(ready, ticks / os.sysconf("SC_CLK_TCK"), rss_mib(process.pid))
    b.add("daemon ready; idle after 3 s", "20 ms; 15 MiB", figures)


ROWS = [daemon_commands, gateway, idle]
