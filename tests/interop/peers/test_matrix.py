#!/usr/bin/env python3
"""Connections with every other implementation: who dials, which security, how the muxer is chosen, whose identity
is of which kind; each cell connects, pings both ways and reads what the other says of itself.

    test_matrix.py [--write]    --write keeps the matrix in docs/interop.md
"""
import socket, unittest

import page
from nodes import Cairn, Js, Kubo, part, Refused, Rust, skip
from common import main

PING = "/ipfs/ping/1.0.0"
results = {}  # (peer, security, muxer, who dials) -> {(their key, our key): sentence or None}


class Matrix(unittest.TestCase):
    """One cairn per kind of identity lives through the whole matrix, as it would in the world."""

    @classmethod
    def setUpClass(cls):
        Cairn.need()
        cls.ours = {key: Cairn(key) for key in Cairn.keys}

    @classmethod
    def tearDownClass(cls):
        for node in cls.ours.values():
            node.stop()

    def check_identify(self, told, of):
        self.assertEqual(told["id"], of.id)
        self.assertTrue(told["agent"], told)
        self.assertIn(PING, told["protocols"])
        at = of.address.split("/p2p/")[0]
        self.assertTrue(any(a.split("/p2p/")[0] == at for a in told["addresses"]), told)

    def check_both(self, ours, theirs):
        theirs.ping(ours.id)
        ours.ping(theirs.id)
        self.check_identify(ours.identify(theirs.id), theirs)
        self.check_identify(theirs.identify(ours.id), ours)

    def we_dial(self, ours, theirs):
        ours.connect(theirs.address)
        self.assertIn(theirs.id, ours.peers())
        self.check_both(ours, theirs)
        part(ours, theirs)

    def they_dial(self, ours, theirs):
        self.assertEqual(theirs.connect(ours.address), ours.id)
        self.check_both(ours, theirs)
        part(theirs, ours)

    def cells(self, kind):
        kind.need()
        for security in kind.securities:
            for muxer in kind.muxers:
                for key in kind.keys:
                    theirs = kind(key, security, muxer)
                    try:
                        for name, ours in ((k, o) for k, o in self.ours.items() if k not in kind.cannot_read):
                            for who, cell in (("cairn", self.we_dial), (kind.name, self.they_dial)):
                                self.one(cell, (kind.name, security, muxer, who), (key, name), ours, theirs)
                    finally:
                        theirs.stop()

    def one(self, cell, row, column, ours, theirs):
        why = "failed"
        with self.subTest(row=row, theirs=column[0], ours=column[1]):
            try:
                cell(ours, theirs)
                why = None
            except (Refused, AssertionError) as bad:
                why = str(bad)
                raise
            finally:
                results.setdefault(row, {})[column] = why

    def test_kubo(self):
        self.cells(Kubo)

    def test_js(self):
        self.cells(Js)

    def test_rust(self):
        self.cells(Rust)

    def test_over_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
        except OSError:
            skip("no IPv6 on this machine's loopback")
        at = "/ip6/::1/tcp/0"
        ours = Cairn(listen=at)
        try:
            for kind in (Kubo, Js, Rust):
                kind.need()
                theirs = kind(listen=at)
                try:
                    for name, cell in (("cairn", self.we_dial), (kind.name, self.they_dial)):
                        with self.subTest(peer=kind.name, who=name):
                            cell(ours, theirs)
                finally:
                    theirs.stop()
        finally:
            ours.stop()

    def test_a_wrong_peer_id_is_refused(self):
        for kind in (Kubo, Js, Rust):
            with self.subTest(kind=kind.name):
                kind.need()
                theirs, ours = kind(), self.ours["ed25519"]
                try:
                    wrong = theirs.address.rsplit("/", 1)[0] + "/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV"
                    with self.assertRaises(Refused) as told:
                        ours.connect(wrong)
                    self.assertIn(theirs.id, str(told.exception))
                    with self.assertRaises(Refused):
                        theirs.connect(ours.address.rsplit("/", 1)[0] + "/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV")
                finally:
                    theirs.stop()


def tearDownModule():
    """A row for each way of connecting; its cells say for how many pairs of identities it held."""
    lines = ["| peer | security | muxer chosen | who dials | identities there | identities here | holds |", "|---|---|---|---|---|---|---|"]
    for row, cells in results.items():
        bad = ["%s-%s: %s" % (*pair, why) for pair, why in cells.items() if why is not None]
        how = {"early": "in the handshake", "late": "by multistream"}[row[2]]
        lines.append("| %s | %s | %s | %s | %s | %s | %s |" % (
            row[0], row[1], how, row[3], ", ".join(dict.fromkeys(p[0] for p in cells)), ", ".join(dict.fromkeys(p[1] for p in cells)),
            "all %d" % len(cells) if not bad else "%d of %d: %s" % (len(cells) - len(bad), len(cells), "; ".join(bad))))
    page.keep("matrix", lines)


if __name__ == "__main__":
    main()
