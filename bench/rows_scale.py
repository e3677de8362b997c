"""Rows of scale, for `bench/run --scale`: what must not grow with the repo or the folder."""
import contextlib
import http.client
import pathlib
import shutil
import statistics
import subprocess
import time

from lib import ROOT, build_small, measure
from rows_daemon import daemon, rss_mib

FEW_BLOCKS = 10_000
PROCESSES = 200
GETS = 100_000


def blocks_program(b):
    subprocess.run(["ninja", "-C", ROOT / "build", "bench_blocks"], check=True,
                   stdout=subprocess.DEVNULL)
    return str(ROOT / "build/bench/bench_blocks")


def figures_of(command):
    """What a bench program prints: lines of a name and a number."""
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def filled_repo(b, blocks):
    """A repo with so many tiny blocks; the environment to use it."""
    env = b.repo(b.cairn, f"blocks-{blocks}")
    store = pathlib.Path(env["CAIRN_PATH"], "store")
    figure = measure([blocks_program(b), "make", store, str(blocks)], sync=True)
    print(f"  made {blocks:,} blocks: {figure.wall:.0f} s, {figure.rss_mib:.0f} MiB, "
          f"repo {b.repo_mib(env):,.0f} MiB", flush=True)
    return env


def random_cids(b, blocks, count):
    return subprocess.run([blocks_program(b), "cids", str(blocks), str(count)], check=True,
                          capture_output=True, text=True).stdout.split()


def in_one_process(b, envs):
    """Opening the store, and gets at random, in a program that does nothing else."""
    for what in ("get", "get-unverified"):
        taken = {blocks: [] for blocks in envs}
        for _ in range(9):
            for blocks, env in envs.items():
                store = pathlib.Path(env["CAIRN_PATH"], "store")
                taken[blocks].append(figures_of(
                    [blocks_program(b), what, store, str(blocks), str(GETS)]))
        if what == "get":
            add_both(b, "open the store, ms", "100 ms", taken, lambda runs: statistics.median(
                run["open_ms"] for run in runs))
        add_both(b, f"{what}, {GETS:,} at random in one process, us each", "(2 x)", taken,
                 lambda runs: statistics.median(run["get_us"] for run in runs))


def add_both(b, name, target, taken, value):
    few, many = sorted(taken)
    b.add(f"{many:,} blocks: {name}", target,
          {"cairn": value(taken[many]), f"{few:,} blocks": value(taken[few])})


def one_process_each(b, envs):
    taken = {blocks: [] for blocks in envs}
    cids = {blocks: random_cids(b, blocks, PROCESSES) for blocks in envs}
    for i in range(PROCESSES):
        for blocks, env in envs.items():
            taken[blocks].append(measure([b.cairn, "block", "get", cids[blocks][i]], env=env))
    add_both(b, f"block get, median of {PROCESSES} processes, us", "2 x", taken,
             lambda runs: 1e6 * statistics.median(run.wall for run in runs))
    add_both(b, "block get, peak MiB of the process", "none set", taken,
             lambda runs: max(run.rss_mib for run in runs))


def through_daemon(b, envs):
    """`block/get` at random over one connection kept open."""
    count = 20_000
    taken, memory = {}, {}
    for blocks, env in envs.items():
        cids = random_cids(b, blocks, count)
        with contextlib.ExitStack() as stack:
            _, _, process = stack.enter_context(daemon(b, b.cairn, env))
            address = pathlib.Path(env["IPFS_PATH"], "api").read_text().strip().split("/")
            line = http.client.HTTPConnection(address[2], int(address[4]))
            taken[blocks] = [one_request(line, cid) for cid in cids]
            line.close()
            memory[blocks] = rss_mib(process.pid)
    add_both(b, f"block/get through the daemon, median of {count:,}, us", "2 x", taken,
             lambda runs: 1e6 * statistics.median(runs))
    add_both(b, "daemon after that, resident MiB", "none set", memory, lambda mib: mib)


def one_request(line, cid):
    started = time.monotonic()
    line.request("POST", f"/api/v0/block/get?arg={cid}")
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200 or len(body) != 16:
        raise RuntimeError(f"{cid}: {answer.status}: {body[:200]}")
    return time.monotonic() - started


def repo_of_many_blocks(b):
    envs = {blocks: filled_repo(b, blocks) for blocks in (FEW_BLOCKS, b.options.blocks)}
    in_one_process(b, envs)
    one_process_each(b, envs)
    through_daemon(b, envs)
    for env in envs.values():
        shutil.rmtree(env["CAIRN_PATH"])


@contextlib.contextmanager
def tiny_files(b, folders, files):
    """A tree on tmpfs, where there is one: it is cairn that is measured, not the disk."""
    tmpfs = pathlib.Path("/dev/shm")
    path = (tmpfs if tmpfs.is_dir() else b.dir) / f"cairn-bench-{folders}-{files}"
    shutil.rmtree(path, ignore_errors=True)
    try:
        subprocess.run([build_small("tiny"), path, str(folders), str(files)], check=True)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def add_tiny(b, name, target, path):
    def make(profile):
        def once():
            env = b.repo(b.cairn, "tiny-files")
            subprocess.run([b.cairn, "config", "profile", "apply", profile], env=env, check=True,
                           stdout=subprocess.DEVNULL)
            return measure([b.cairn, "add", "-Q", "-r", path], env=env, sync=True)
        return once
    b.compare(f"{name}, then sync", target,
              {"cairn": make("unixfs-v1-2025"), "unixfs-v0-2015": make("unixfs-v0-2015")})


def folder_of_many_names(b):
    with tiny_files(b, 0, b.options.names) as path:
        add_tiny(b, f"add -r one folder of {b.options.names:,} tiny files", "256 MiB", path)


def tree_of_tiny_files(b):
    with tiny_files(b, 1000, b.options.names // 1000) as path:
        add_tiny(b, f"add -r {b.options.names:,} tiny files in 1,000 folders", "none set", path)


ROWS = [repo_of_many_blocks, folder_of_many_names, tree_of_tiny_files]
