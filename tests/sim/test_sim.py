#!/usr/bin/env python3
"""Run the simulator: golden traces, the same seeds on each build, seeds that once failed.

    tests/sim/test_sim.py CAIRN_SIM [CAIRN_SIM of another compiler ...]
    tests/sim/test_sim.py --regenerate CAIRN_SIM     write tests/sim/golden/*.txt anew
    tests/sim/test_sim.py --many COUNT CAIRN_SIM     COUNT seeds of each scenario, from the commit's

Each program must give the same digest for a seed as the first one, and the first one the same
twice. Ends with "N passed, N failed"."""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden"
# scenario, nodes, seeds: on every build
SMOKE = [
    ("swarm", 100, [1, 2]),
    ("swarm", 12, range(10, 16)),
    ("swarm-noise", 8, range(1, 4)),
    ("swarm-liars", 30, [1, 2]),
    ("host", 30, [1, 2]),
    ("host-noise", 8, [1, 2]),
    ("host-step", 3, range(1, 21)),
    ("fetch", 30, [1]),
    ("fetch", 8, range(20, 26)),
    ("barter", 100, [1]),
    ("barter", 12, range(10, 14)),
    ("barter", 2, range(30, 34)),
    ("barter-noise", 8, [1, 2]),
]
SECONDS_MAX = 300


class Sums:
    passed = failed = 0

    def say(self, good, name, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED %s\n%s" % (name, detail))


def call(program, *words):
    done = subprocess.run([program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=SECONDS_MAX)
    return done.returncode, done.stdout.decode(errors="replace")


def run(program, scenario, nodes, seed):
    """The digest, or None and what was said, if a rule was broken."""
    status, said = call(program, scenario, "--nodes", nodes, "--seed", seed)
    found = re.search(r"digest ([0-9a-f]{16})$", said, re.M)
    return (found[1], said) if status == 0 and found else (None, said)


def golden_names(program):
    return re.findall(r"^golden (\S+)", call(program, "list")[1], re.M)


def check_golden(sums, program):
    names = golden_names(program)
    sums.say(sorted(names) == sorted(p.stem for p in GOLDEN.glob("*.txt")), "golden traces are those of the program")
    for name in names:
        status, said = call(program, "golden", name)
        path = GOLDEN / (name + ".txt")
        wanted = path.read_text() if path.exists() else ""
        detail = ""
        for number, (a, b) in enumerate(zip(said.splitlines() + [""] * 999, wanted.splitlines() + ["", ""]), 1):
            if a != b:
                detail = "    line %d is\n      %s\n    not\n      %s" % (number, a, b)
                break
        sums.say(status == 0 and said == wanted, "golden " + name, detail)


def check_digests(sums, programs, scenario, nodes, seed):
    name = "%s, %d nodes, seed %d" % (scenario, nodes, seed)
    first, said = run(programs[0], scenario, nodes, seed)
    sums.say(first is not None, name, said)
    if first is None:
        return None
    for program in programs if len(programs) > 1 else programs * 2:
        again, said = run(program, scenario, nodes, seed)
        sums.say(again == first, "%s: %s gives another run" % (name, program), said)
    return first


def check_lies(sums, program):
    """Liars are heard, and what they say is not taken."""
    _, said = call(program, "swarm-liars", "--seed", 1)
    found = re.search(r", (\d+) wrong, ", said)
    sums.say(found is not None and int(found[1]) > 0, "swarm-liars: wrong bytes come and are seen", said)


def check_use(sums, program):
    for words, status in ((["list"], 0), ([], 2), (["rain"], 2), (["host", "--faults", "rain"], 2),
                          (["host", "--nodes", "1"], 2), (["host", "--seed"], 2), (["golden", "rain"], 1)):
        sums.say(call(program, *words)[0] == status, "cairn-sim %s ends with %d" % (" ".join(words), status))


def commit_seed():
    """A seed that differs from commit to commit, and comes again for the same one."""
    done = subprocess.run(["git", "rev-parse", "--short=8", "HEAD"], cwd=HERE, capture_output=True, check=False)
    text = done.stdout.decode().strip()
    return int(text, 16) if text else 1


def old_seeds():
    for line in (HERE / "seeds.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            yield words[0], int(words[1]), int(words[2])


def regenerate(program):
    GOLDEN.mkdir(exist_ok=True)
    for name in golden_names(program):
        (GOLDEN / (name + ".txt")).write_text(call(program, "golden", name)[1])


def main(words):
    sums = Sums()
    if words[:1] == ["--regenerate"]:
        regenerate(words[1])
        return 0
    if words[:1] == ["--many"]:
        for scenario, nodes, _ in SMOKE:
            for seed in range(commit_seed(), commit_seed() + int(words[1])):
                digest, said = run(words[2], scenario, nodes, seed)
                sums.say(digest is not None, "%s, %d nodes, seed %d" % (scenario, nodes, seed), said)
    else:
        check_golden(sums, words[0])
        check_lies(sums, words[0])
        check_use(sums, words[0])
        digests = [check_digests(sums, words, scenario, nodes, seed)
                   for scenario, nodes, seeds in SMOKE for seed in seeds]
        sums.say(len(set(digests)) == len(digests), "another seed is another run")
        for scenario, nodes, seed in [*old_seeds(), ("swarm", 100, commit_seed())]:
            digest, said = run(words[0], scenario, nodes, seed)
            sums.say(digest is not None, "%s, %d nodes, seed %d" % (scenario, nodes, seed), said)
    print("%d passed, %d failed" % (sums.passed, sums.failed))
    return 1 if sums.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
