"""Content for peers to exchange: the same bytes for the same seed, different ones for another."""
import pathlib, random

FILE_BYTES = 64 << 20
TREE_FILES = 2000
FOLDERS = 40


def file(path, seed, size=FILE_BYTES):
    chance = random.Random(seed)
    with open(path, "wb") as f:
        while size > 0:
            piece = chance.randbytes(min(size, 1 << 20))
            f.write(piece)
            size -= len(piece)
    return pathlib.Path(path)


def tree(path, seed, files=TREE_FILES):
    """Folders of small files; names and sizes (some of them none at all) come from the seed as well."""
    chance = random.Random(seed)
    root = pathlib.Path(path)
    for i in range(files):
        folder = root / ("folder %d" % (i % FOLDERS))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ("%d-%08x.txt" % (i, chance.getrandbits(32)))).write_bytes(chance.randbytes(chance.choice((0, 1, 300, 4096, 8192))))
    return root
