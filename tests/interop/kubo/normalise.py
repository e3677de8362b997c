"""Blanks what may rightly differ between two runs: identities, places, ports, builds."""

import json
import re

_RULES = [
    (re.compile(rb"\b12D3KooW[1-9A-HJ-NP-Za-km-z]{44}\b"), b"PEERID"),
    (re.compile(rb"\b16Uiu2HA[1-9A-HJ-NP-Za-km-z]{45}\b"), b"PEERID"),
    (re.compile(rb"(?<=peer identity: )Qm[1-9A-HJ-NP-Za-km-z]{44}\b"), b"PEERID"),
    (re.compile(rb"\bk51qzi5uqu5[0-9a-z]{51}\b"), b"PEERID36"),
    (re.compile(rb"\bbafzaaj[0-9a-z]{58}\b"), b"PEERID32"),
    (re.compile(rb"\bCAES[A-Za-z0-9+/=]{40,}"), b"KEY"),
    (re.compile(rb"/ip4/127\.0\.0\.1/tcp/[1-9][0-9]*"), b"/ip4/127.0.0.1/tcp/PORT"),
    (re.compile(rb"http://127\.0\.0\.1:[0-9]+"), b"http://127.0.0.1:PORT"),
    (re.compile(rb"\bgo1\.[0-9.]+\b"), b"TOOLCHAIN"),
    (re.compile(rb"(?<=Golang version: ).*"), b"TOOLCHAIN"),
    (re.compile(rb'(?<="Golang":")[^"]*'), b"TOOLCHAIN"),
    (re.compile(rb"config-pre-([a-z0-9-]+)-[0-9]+"), rb"config-pre-\1-NUMBER"),
]


def _sorted_json(value):
    """Order-free form: objects with sorted keys, arrays as sorted multisets."""
    if isinstance(value, dict):
        return {key: _sorted_json(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted((_sorted_json(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _json_form(data):
    """Without order where it is a JSON object or array, else as it is."""
    if data[:1] not in (b"{", b"["):
        return data
    try:
        return json.dumps(_sorted_json(json.loads(data)), sort_keys=True).encode() + data[len(data.rstrip()):]
    except ValueError:
        return data


def stdout(data, work, how):
    """`data`: bytes of standard output; `work`: the side's folder; `how`: "", "sort" or "json"."""
    data = data.replace(work.encode(), b"WORK")
    for rule, blank in _RULES:
        data = rule.sub(blank, data)
    if how == "sort":
        data = b"".join(sorted(_json_form(line) for line in data.splitlines(keepends=True)))
    elif how == "json" and data:
        data = _json_form(data)
    return data
