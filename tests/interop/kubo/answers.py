"""Recorded answers: what Kubo said, small enough to be committed.

{"version": .., "seed": .., "groups": {"subject/name/mode": [[command, status, out], ..]}}
`out` is the text itself, or "sha256:<hex>:<bytes>:<beginning>" where it is long or not UTF-8.
A daemon's group that said the same as the offline one is stored as the string "offline".
"""

import hashlib
import json

LONG_BYTES = 300
BEGINNING = 80


def pack(out):
    try:
        text = out.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is not None and len(out) <= LONG_BYTES and not text.startswith("sha256:"):
        return text
    start = out[:BEGINNING].decode("utf-8", "replace") if text is None else text[:BEGINNING]
    return "sha256:%s:%d:%s" % (hashlib.sha256(out).hexdigest(), len(out), start)


def same(recorded, out):
    packed = pack(out)
    if recorded.startswith("sha256:"):
        return recorded.split(":", 3)[:3] == packed.split(":", 3)[:3]
    return recorded == packed


class Recording:
    def __init__(self, seed):
        self.seed, self.groups = seed, {}

    def add(self, key, answers):
        """`answers`: list of (command, status, stdout bytes) in order."""
        self.groups[key] = [[command, status, pack(out)] for command, status, out in answers]

    def save(self, path):
        packed = dict(sorted(self.groups.items()))
        for key in list(packed):
            if key.endswith("/daemon") and packed.get(key[:-6] + "offline") == packed[key]:
                packed[key] = "offline"
        lines = []
        for key, value in packed.items():
            if isinstance(value, str):
                lines.append("%s: %s" % (json.dumps(key), json.dumps(value)))
            else:
                rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value)
                lines.append("%s: [\n%s]" % (json.dumps(key), rows))
        with open(path, "w", encoding="utf-8") as out:
            out.write('{"version": "0.43.0", "seed": %d, "groups": {\n%s\n}}\n' % (self.seed, ",\n".join(lines)))

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as source:
            stored = json.load(source)
        self = cls(stored["seed"])
        for key, value in stored["groups"].items():
            self.groups[key] = stored["groups"][key[:-6] + "offline"] if value == "offline" else value
        return self
