"""docs/interop.md: what tests found out is printed, and with --write kept there between two marks."""
import os, sys

from nodes import KUBO, Helia, Js, Kubo, NODE, Rust, RUST, ROOT

PAGE = ROOT / "docs/interop.md"
WRITE = "--write"
is_writing = WRITE in sys.argv
if is_writing:
    sys.argv.remove(WRITE)


def put(text, name, lines):
    begin, end = "<!-- %s -->\n" % name, "<!-- /%s -->\n" % name
    head, rest = text.split(begin)
    return head + begin + "\n".join(lines) + "\n" + end + rest.split(end)[1]


def versions():
    lines = ["| peer | version |", "|---|---|"]
    peers = ((Kubo, KUBO), (Js, NODE), (Helia, NODE), (Rust, RUST))
    lines += ["| %s | %s |" % (kind.name, kind.version()) for kind, program in peers if os.access(program, os.X_OK)]
    return lines


def keep(name, lines):
    if len(lines) == 2:
        return  # nothing was found out
    print("\n" + "\n".join(lines), flush=True)
    if is_writing:
        PAGE.write_text(put(put(PAGE.read_text(), name, lines), "versions", versions()))
