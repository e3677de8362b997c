#!/usr/bin/env python3
"""`get` writes nothing outside of the folder it was told, whatever names and symlinks a DAG has."""
import base64
import os

from common import Repo, main


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def b32(text):
    """The bytes of a CID in base32."""
    return base64.b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))


def node(data, links=()):
    """A DAG-PB node; links are pairs of name and CID text, in the order given."""
    out = b"".join(field(2, field(1, b32(cid)) + field(2, name)) for name, cid in links)
    return out + field(1, data)


DIRECTORY = b"\x08\x01"


def symlink(target):
    return node(b"\x08\x04" + field(2, target))


class Safe(Repo):
    def setUp(self):
        super().setUp()
        self.outside = self.path("outside")
        os.mkdir(self.outside)
        self.write("outside/kept", b"kept")
        self.file = self.put(node(b"\x08\x02" + field(2, b"evil") + b"\x18\x04"))

    def put(self, block):
        return self.ok("block", "put", "--cid-codec=dag-pb", input=block).decode().strip()

    def directory(self, *links):
        return self.put(node(DIRECTORY, links))

    def nothing_escaped(self):
        """Only what the test made lies beside the folder that get was told to write."""
        self.assertEqual(os.listdir(self.outside), ["kept"])
        with open(self.path("outside/kept"), "rb") as f:
            self.assertEqual(f.read(), b"kept")
        self.assertLessEqual(set(os.listdir(self.dir)), {"repo", "outside", "in"})
        self.assertLessEqual(set(os.listdir(self.path("in"))), {"out", "out.tar", "out.tar.gz"})

    def get(self, cid, *more):
        os.makedirs(self.path("in"), exist_ok=True)
        return self.cairn("get", *more, "-o", self.path("in/out"), cid)

    def test_a_good_one_is_written(self):
        self.assertEqual(self.get(self.directory((b"a", self.file), (b"b", self.file))).returncode, 0)
        self.assertEqual(sorted(os.listdir(self.path("in/out"))), ["a", "b"])
        self.nothing_escaped()

    def test_names_that_climb(self):
        for name in (b"..", b".", b"", b"../x", b"../../outside/x", b"/x", b"a/b", b"a/../../x", b"a\0b", b"x/"):
            cid = self.directory((name, self.file))
            below = self.directory((b"good", cid))
            for root in (cid, below):
                for more in ((), ("--archive",), ("--archive", "--compress")):
                    done = self.get(root, *more)
                    with self.subTest(name=name, more=more):
                        self.assertEqual(done.returncode, 1, done.stderr)
                        self.assertIn(b"not allowed", done.stderr)
                        self.nothing_escaped()

    def test_folders_that_climb(self):
        inner = self.directory((b"x", self.file))
        for name in (b"..", b"../outside", b"/"):
            self.assertEqual(self.get(self.directory((name, inner))).returncode, 1)
            self.nothing_escaped()

    def test_names_are_not_in_an_archive_either(self):
        done = self.cairn("get", "--archive", "-o", self.path("in.tar"), self.directory((b"../x", self.file)))
        self.assertEqual(done.returncode, 1)
        if os.path.exists(self.path("in.tar")):
            with open(self.path("in.tar"), "rb") as f:
                whole = f.read()
            self.assertNotIn(b"..", whole)
            os.unlink(self.path("in.tar"))

    def test_nothing_goes_through_a_symlink_of_the_dag(self):
        inner = self.directory((b"x", self.file), (b"kept", self.file))
        for target in (self.outside.encode(), b"../../outside", b"../../outside/kept", b"../../outside/new"):
            link = self.put(symlink(target))
            for second in (inner, self.file):
                root = self.directory((b"a", link), (b"a", second))
                self.get(root)
                with self.subTest(target=target):
                    self.nothing_escaped()
            deep = self.directory((b"d", self.directory((b"a", link))), (b"d", self.directory((b"a", inner))))
            self.get(deep)
            self.nothing_escaped()

    def test_nothing_goes_through_a_symlink_of_the_disk(self):
        os.makedirs(self.path("in/out"))
        os.symlink(self.outside, self.path("in/out/a"))
        os.symlink(self.path("outside/kept"), self.path("in/out/f"))
        self.get(self.directory((b"a", self.directory((b"x", self.file)))))
        self.nothing_escaped()
        self.get(self.directory((b"f", self.file)))
        self.nothing_escaped()

    def test_a_symlink_itself_is_written_as_it_is(self):
        done = self.get(self.directory((b"a", self.put(symlink(b"../../outside")))))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.readlink(self.path("in/out/a")), "../../outside")
        self.nothing_escaped()


if __name__ == "__main__":
    main()
