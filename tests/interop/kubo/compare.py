#!/usr/bin/env python3
"""Says the same things to two IPFS programs and compares what they answer.

  compare.py --cairn PROGRAM --kubo PROGRAM          live: both run
  compare.py --kubo PROGRAM --record FILE            writes down what Kubo answers
  compare.py --cairn PROGRAM --replay FILE           compares with what was written down

Compared: standard output, byte for byte after blanking identities, places and builds, and
the exit status; as text and with --enc=json; on the repo itself and through a daemon.
Each failing case is one line with both sides; the last line is "N passed, N failed".
Exit status 1 if a case failed, 2 if the comparison could not be made.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass

import answers
import casefile
import fixtures
import generate
from side import Side

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "../../../docs/kubo-differences.md")


class Differences:
    """The explicit list of what may differ; each entry is a row of docs/kubo-differences.md."""

    def __init__(self, path, page):
        with open(path, encoding="utf-8") as source:
            self.entries = json.load(source)
        with open(page, encoding="utf-8") as source:
            rows = source.read()
        for entry in self.entries:
            if "`%s`" % entry["id"] not in rows:
                raise ValueError("%s: %s has no row in %s" % (path, entry["id"], os.path.relpath(page)))
            entry["match"] = re.compile(entry["command"])
        self.used = set()

    def find(self, command, mode, case):
        """The entry that excuses this case: its command fits, and what differs is what it names."""
        for entry in self.entries:
            if entry.get("mode", mode) == mode and entry["match"].fullmatch(command) and excuses(entry, case):
                self.used.add(entry["id"])
                return entry
        return None


@dataclass
class Case:
    """What both said; `theirs` is bytes live, packed text where it was recorded."""
    status: int
    ours: bytes
    kubo_status: int
    theirs: object

    def same(self, ours):
        return answers.same(self.theirs, ours) if isinstance(self.theirs, str) else self.theirs == ours

    def equal(self):
        return self.status == self.kubo_status and self.same(self.ours)


def excuses(entry, case):
    """Is the difference of the case the one of the entry?

    status       [cairn's, Kubo's] exit status; else both are equal
    field        [PATTERN, TEXT]: with TEXT for PATTERN cairn's output is Kubo's
    cairn_out    a pattern that all of cairn's output fits
    out          "kubo stops": Kubo's output is the beginning of cairn's;
                 "kubo more N": cairn's lines are Kubo's in order, but for at most N that only Kubo has
    """
    if [case.status, case.kubo_status] != entry.get("status", [case.status, case.status]):
        return False
    if "field" in entry:
        pattern, text = entry["field"]
        return case.same(re.sub(pattern.encode(), text.encode(), case.ours))
    if "cairn_out" in entry:
        return re.fullmatch(entry["cairn_out"].encode(), case.ours) is not None
    theirs = case.theirs
    if isinstance(theirs, str):
        if theirs.startswith("sha256:"):  # only its beginning is known
            return case.ours.startswith(theirs.split(":", 3)[3].encode())
        theirs = theirs.encode()
    if entry["out"] == "kubo stops":
        return case.ours.startswith(theirs)
    left = iter(theirs.splitlines())
    in_order = all(any(line == other for other in left) for line in case.ours.splitlines())
    more = theirs.count(b"\n") - case.ours.count(b"\n")
    return in_order and more <= int(entry["out"].rpartition(" ")[2])


def run_group(binary, name, group, mode, root, data):
    """All answers of one program for one group, as (step, Answer); None where it could not start."""
    work = os.path.join(root, "%s-%s-%s-%s" % (name, group.subject, group.name, mode))
    side = Side(name, binary, work, data)
    try:
        if group.repo:
            side.init(group.profile)
            if mode == "daemon":
                side.start_daemon()
        said = [(step, side.step(step)) for step in group.steps]
        return [(step, answer) for step, answer in said if step.kind != "do"], ""
    except (RuntimeError, OSError) as why:
        return None, str(why)
    finally:
        side.close()


def brief(out, limit=160):
    text = out if isinstance(out, str) else answers.pack(out)
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= limit else text[:limit] + "..."


def first_change(ours, theirs):
    """Both texts from shortly before the place where they part."""
    if isinstance(theirs, str):
        if theirs.startswith("sha256:"):
            return answers.pack(ours), theirs
        theirs = theirs.encode()
    at = 0
    while at < min(len(ours), len(theirs)) and ours[at] == theirs[at]:
        at += 1
    start = ours.rfind(b"\n", 0, at) + 1
    mark = "..." if start else ""
    cut = lambda text: mark + text[start:].decode("utf-8", "backslashreplace")
    return cut(ours), cut(theirs)


class Tally:
    def __init__(self, differences):
        self.passed = self.failed = self.excused = 0
        self.differences = differences

    def fail(self, group, mode, command, text):
        self.failed += 1
        print("FAIL %s/%s %s: %s | %s" % (group.subject, group.name, mode, command, text))

    def case(self, group, mode, step, ours, status, out):
        """`ours`: Answer of cairn; `status`, `out`: Kubo's (bytes live, packed text recorded)."""
        case = Case(ours.status, ours.out, status, out)
        if case.equal():
            self.passed += 1
            return
        entry = self.differences.find(step.command, mode, case)
        if entry is not None:
            if "field" in entry:
                self.passed += 1  # all but the field is the same
            else:
                self.excused += 1
            return
        equal = case.same(ours.out)
        parts = []
        if status != ours.status:
            parts.append("exit %d, Kubo %d" % (ours.status, status))
        if not equal:
            mine, kubo = first_change(ours.out, out)
            parts.append("cairn <%s> Kubo <%s>" % (brief(mine), brief(kubo)))
        if ours.status != 0 and ours.err:
            parts.append("cairn's stderr <%s>" % brief(ours.err.split(b"\n")[0]))
        self.fail(group, mode, step.command, "; ".join(parts))


def jobs_of(groups, modes):
    return [(group, mode) for group in groups for mode in group.modes if mode in modes]


def record(options, groups, data, root, pool):
    book = answers.Recording(options.seed)
    todo = jobs_of(groups, options.modes)
    runs = pool.map(lambda job: run_group(options.kubo, "kubo", job[0], job[1], root, data), todo)
    count = 0
    for (group, mode), (said, why) in zip(todo, runs):
        if said is None:
            raise RuntimeError("%s/%s %s: %s" % (group.subject, group.name, mode, why))
        book.add("%s/%s/%s" % (group.subject, group.name, mode),
                 [(step.command, answer.status, answer.out) for step, answer in said])
        count += len(said)
    book.save(options.record)
    print("%d answers written to %s (%d bytes)" % (count, options.record, os.path.getsize(options.record)))


def compare(options, groups, data, root, pool, tally):
    book = answers.Recording.load(options.replay) if options.replay else None

    def both(job):
        group, mode = job
        ours = run_group(options.cairn, "cairn", group, mode, root, data)
        theirs = None if book else run_group(options.kubo, "kubo", group, mode, root, data)
        return ours, theirs

    todo = jobs_of(groups, options.modes)
    for (group, mode), ((ours, why), theirs) in zip(todo, pool.map(both, todo)):
        if book:
            stored = book.groups.get("%s/%s/%s" % (group.subject, group.name, mode), [])
            kubo = [(row[0], row[1], row[2]) for row in stored]
        else:
            if theirs[0] is None:
                raise RuntimeError(theirs[1])
            kubo = [(step.command, answer.status, answer.out) for step, answer in theirs[0]]
        if ours is None:
            tally.failed += max(len(kubo), 1) - 1
            tally.fail(group, mode, "(start)", "all %d cases of the group: %s" % (len(kubo), why.split("\n")[0]))
            continue
        if [step.command for step, _ in ours] != [command for command, _, _ in kubo]:
            raise RuntimeError("%s/%s %s: the recording is of other cases; record again" %
                               (group.subject, group.name, mode))
        for (step, answer), (_, status, out) in zip(ours, kubo):
            tally.case(group, mode, step, answer, status, out)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cairn", help="the program under test")
    parser.add_argument("--kubo", help="Kubo 0.43.0")
    parser.add_argument("--record", metavar="FILE", help="write Kubo's answers to FILE")
    parser.add_argument("--replay", metavar="FILE", help="compare with the answers in FILE")
    parser.add_argument("--only", default="", metavar="TEXT", help="groups whose subject/name contains TEXT")
    parser.add_argument("--mode", choices=("offline", "daemon"), help="one way only")
    parser.add_argument("--seed", type=int, default=1, help="of the input files and the generated cases")
    parser.add_argument("--jobs", type=int, default=2, help="groups run at the same time")
    options = parser.parse_args()
    options.modes = (options.mode,) if options.mode else ("offline", "daemon")
    if options.record and not options.kubo:
        parser.error("--record needs --kubo")
    if not options.record and (not options.cairn or bool(options.kubo) == bool(options.replay)):
        parser.error("give --cairn and one of --kubo and --replay, or --kubo and --record")
    return options


def main():
    options = arguments()
    root = tempfile.mkdtemp(prefix="kubo-compare-")
    try:
        if options.replay:
            options.seed = answers.Recording.load(options.replay).seed
        groups = casefile.load(os.path.join(HERE, "cases"))
        groups += casefile.parse("random", generate.cases(options.seed))
        groups = [group for group in groups if options.only in group.subject + "/" + group.name]
        data = os.path.join(root, "data")
        fixtures.make(data, options.seed)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            if options.record:
                record(options, groups, data, root, pool)
                return 0
            tally = Tally(Differences(os.path.join(HERE, "differences.json"), PAGE))
            compare(options, groups, data, root, pool, tally)
        if tally.excused:
            print("%d cases differ as docs/kubo-differences.md says" % tally.excused)
        print("%d passed, %d failed" % (tally.passed, tally.failed))
        return 1 if tally.failed else 0
    except (RuntimeError, ValueError, OSError) as why:
        print("compare.py: %s" % why, file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
