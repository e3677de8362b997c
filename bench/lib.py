"""What the rows of the bench share: data, repos, measuring, the table."""
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = 3


class Figure:
    """One measured command: seconds on the wall, seconds of CPU, peak resident MiB."""

    def __init__(self, wall, cpu, rss_mib):
        self.wall, self.cpu, self.rss_mib = wall, cpu, rss_mib


def build_small(name):
    """bench/<name>.c, which needs no part of cairn, compiled once."""
    program = ROOT / f"build/bench-{name}"
    source = ROOT / f"bench/{name}.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-o", program, source], check=True)
    return str(program)


def measure(command, env=None, sync=False):
    """Run a command to its end. `sync`: what it wrote must be on the disk when the clock stops."""
    with tempfile.NamedTemporaryFile("r") as figures:
        done = subprocess.run([build_small("measure"), figures.name, *command], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")[-400:]
            raise RuntimeError(f"{command}: exit {done.returncode}: {said}")
        wall, cpu, rss_kib = (float(word) for word in figures.read().split())
    if sync:
        started = time.monotonic()
        os.sync()
        wall += time.monotonic() - started
    return Figure(wall, cpu, rss_kib / 1024)


def median(figures):
    return Figure(*(statistics.median(getattr(f, part) for f in figures)
                    for part in ("wall", "cpu", "rss_mib")))


def machine_line(options):
    model = "processor unknown"
    for line in open("/proc/cpuinfo", encoding="ascii", errors="replace"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    kubo = "no Kubo"
    if os.access(options.kubo, os.X_OK):
        kubo = subprocess.run([options.kubo, "version"], capture_output=True, text=True,
                              check=True).stdout.strip()
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}; "
            f"{kubo}; medians of {options.runs}")


class Bench:
    def __init__(self, options):
        self.options = options
        self.dir = pathlib.Path(options.dir)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.cairn = os.path.abspath(options.cairn)
        self.kubo = os.path.abspath(options.kubo) if os.access(options.kubo, os.X_OK) else None
        self.rows = []

    # -- data, made once

    def large_file(self):
        path = self.dir / f"large-{self.options.size_mib}"
        if not path.exists():
            rng = random.Random(1)
            with open(path, "wb") as f:
                for _ in range(self.options.size_mib):
                    f.write(rng.randbytes(1 << 20))
        self.warm(path)
        return path

    def small_tree(self):
        path = self.dir / f"small-{self.options.files}"
        if not path.exists():
            rng = random.Random(2)
            for i in range(self.options.files):
                folder = path / f"d{i // 100:04}"
                if i % 100 == 0:
                    folder.mkdir(parents=True)
                (folder / f"f{i:06}").write_bytes(rng.randbytes(4096))
        subprocess.run(["find", path, "-type", "f", "-exec", "cat", "{}", "+"], check=True, stdout=subprocess.DEVNULL)
        return path

    def warm(self, path):
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)

    # -- repos

    def repo(self, program, name, *, keep=False):
        """A fresh repo with profile unixfs-v1-2025 and no network; the environment to use it."""
        path = self.dir / "repos" / name
        env = {**os.environ, "IPFS_PATH": str(path), "CAIRN_PATH": str(path), "IPFS_TELEMETRY": "off"}
        if program == self.kubo:
            env.pop("CAIRN_PATH")
        if not keep or not path.exists():
            shutil.rmtree(path, ignore_errors=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([program, "init", "--profile", "unixfs-v1-2025,test"], env=env,
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return env

    def repo_mib(self, env):
        total = sum(f.lstat().st_blocks * 512 for f in pathlib.Path(env["IPFS_PATH"]).rglob("*"))
        return total / 2**20

    # -- results

    def compare(self, name, target, sides):
        """`sides`: {label: function that measures once}; taken in turn."""
        taken = {label: [] for label in sides}
        for _ in range(self.options.runs):
            for label, once in sides.items():
                taken[label].append(once())
        self.add(name, target, {label: median(figures) for label, figures in taken.items()})

    def add(self, name, target, figures, note=""):
        self.rows.append((name, target, figures, note))
        print("  " + self.line(name, target, figures, note), flush=True)

    @staticmethod
    def line(name, target, figures, note):
        ours = figures.get("cairn")
        parts = []
        for label, figure in figures.items():
            if isinstance(figure, Figure):
                text = f"{label} {figure.wall:.3f} s, {figure.rss_mib:.0f} MiB, CPU {figure.cpu:.2f} s"
                if ours and label != "cairn":
                    text += f" (x{ours.wall / figure.wall:.2f})"
            else:
                text = f"{label} {figure:,.1f}"
                if ours and label != "cairn":
                    text += f" (x{ours / figure:.2f})"
            parts.append(text)
        return f"{name}: " + "; ".join(parts) + (f"; {note}" if note else "") + f"; wanted: {target}"

    def print_table(self):
        print("\n| work | cairn | beside it | wanted |\n|---|---|---|---|")
        for name, target, figures, note in self.rows:
            def cell(label):
                f = figures[label]
                return f"{f.wall:.3f} s, {f.rss_mib:.0f} MiB" if isinstance(f, Figure) else f"{f:,.1f}"
            beside = "; ".join(f"{label} {cell(label)}" for label in figures if label != "cairn")
            print(f"| {name} | {cell('cairn')}{'; ' + note if note else ''} | {beside} | {target} |")

    def as_json(self):
        return {"machine": machine_line(self.options), "rows": [
            {"name": name, "wanted": target, "note": note, "figures": {
                label: vars(f) if isinstance(f, Figure) else f for label, f in figures.items()}}
            for name, target, figures, note in self.rows]}
