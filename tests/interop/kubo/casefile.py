"""Reads case files. A case file is text, one thing on a line:

  # comment
  @group NAME [offline|daemon]   a fresh repo and fresh input files; both ways unless one is named
  @profile P[,P]                 profile for `init` of this group (default: test)
  @norepo                        this group gets no repo
  @do COMMAND                    runs, not compared
  @let NAME COMMAND              sets the variable NAME to what COMMAND prints; compared
  $ COMMAND                      compared as text
  * COMMAND                      compared as text and again with --enc=json
  $sort, *sort, *json            order-free comparison, for what Kubo prints in random order
  $err                           standard error compared too (words that clients match)

COMMAND is bash with `ipfs` standing for the program under test. In a `*` line the JSON run
gets --enc=json at the word IPFS, or at the first `ipfs` where there is none.
"""

import glob
import os
import re
from dataclasses import dataclass, field

_LINE = re.compile(r"^([$*])(sort|json|err)? (.+)$")


@dataclass
class Step:
    kind: str            # "do", "let", "run"
    command: str         # what bash gets
    how: str = ""        # "", "sort", "json", "err"
    enc: str = "text"    # "text" or "json"
    name: str = ""       # variable of "let"


@dataclass
class Group:
    subject: str
    name: str
    modes: tuple = ("offline", "daemon")
    profile: str = "test"
    repo: bool = True
    steps: list = field(default_factory=list)


def _run_steps(mark, how, command):
    plain = command.replace("IPFS ", "ipfs ")
    yield Step("run", plain, "" if how == "json" else how)
    if mark == "*":
        word = "IPFS " if "IPFS " in command else "ipfs "
        twin = command.replace(word, "ipfs --enc=json ", 1).replace("IPFS ", "ipfs ")
        yield Step("run", twin, how, "json")


def parse(subject, text):
    """Groups of one case file; ValueError names the first line that cannot be read."""
    groups = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "@group":
            groups.append(Group(subject, words[1], tuple(words[2:]) or ("offline", "daemon")))
        elif not groups:
            raise ValueError("%s:%d: a line before the first @group" % (subject, number))
        elif words[0] == "@profile":
            groups[-1].profile = words[1]
        elif words[0] == "@norepo":
            groups[-1].repo = False
            groups[-1].modes = ("offline",)
        elif words[0] == "@do":
            groups[-1].steps.append(Step("do", line[4:]))
        elif words[0] == "@let":
            groups[-1].steps.append(Step("let", line.split(" ", 2)[2], name=words[1]))
        elif match := _LINE.match(line):
            groups[-1].steps += _run_steps(match[1], match[2] or "", match[3])
        else:
            raise ValueError("%s:%d: not understood: %s" % (subject, number, line))
    return groups


def load(folder, only=""):
    """All groups of the folder's *.txt in order of name whose subject/name contains `only`."""
    groups = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        subject = os.path.basename(path)[:-4]
        with open(path, encoding="utf-8") as source:
            groups += parse(subject, source.read())
    return [group for group in groups if only in group.subject + "/" + group.name]
