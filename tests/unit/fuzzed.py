"""A seed in; lines as a broken peer would write them out: correct lines whose values, structure or bytes are
changed."""

import json
import random

# Values that none or few of our fields take; no path lies outside the folder where a test may write.
ODD = [None, True, False, 0, -1, 3, 1.5, -0.0, 10**30, 2**63, "", "x", "a\0b", "\ud800", "\udcff", "é" * 300, [], {},
       [[]], [1, 2, 3, 4], [None] * 4,
       {"a": 1}, [{"a": [{}]}], "../none", "\n"]
RAW = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e400", b"9" * 400, b"9" * 5000, b"1" * 310 + b".5",
       b"[" * 989 + b"]" * 989,
       b'{"a":' * 989 + b"1" + b"}" * 989, b"[" * 20_000, b'"\\ud800"', b'"\\u0000"', b"'x'", b"\xff", b"",
       b"[" + b"[]," * 20_000 + b"[]]"]
REQUESTS = [{"type": "run", "job": "none"}, {"type": "run", "job": "none", "part": 2},
            {"type": "assemble", "job": "none"}, {"type": "preview", "job": "none"}, {"type": "check", "job": "none"},
            {"type": "deliver", "job": "none", "form": "exr", "layers": ["matte", "shadow"]}, {"type": "cancel"},
            {"type": "joints", "picture": "none.png"}, {"type": "people", "picture": "none.png"},
            {"type": "estimate", "job": "none", "video": "none.mp4", "frame": 1, "box": [1, 2, 3, 4], "mask": None,
             "mask_use": "join", "hands": True, "clean": False, "depth_model": None}]


def lines(seed: int, count: int, patterns=REQUESTS):
    """`count` lines (bytes, without line ends), always the same for the same seed."""
    chance = random.Random(seed)
    return [_line(chance, chance.choice(patterns)) for _ in range(count)]


def mutated(chance: random.Random, value):
    """The value with one change: another value in one place, one entry less, or one unknown entry more."""
    value = json.loads(json.dumps(value))
    holder = chance.choice(list(_holders(value)))
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    kind = chance.randrange(6)
    if kind == 0 and isinstance(holder, dict):
        holder[chance.choice(["extra", "job", "\ud800", "x" * 3000])] = chance.choice(ODD)
    elif kind == 1 and keys:
        del holder[chance.choice(keys)]
    elif keys:
        holder[chance.choice(keys)] = chance.choice(ODD)
    return value


def _holders(value):
    """Every object and list in a value, starting with the value itself."""
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


def _line(chance, pattern) -> bytes:
    kind = chance.randrange(5)
    if kind == 0:
        return json.dumps(pattern).encode()
    if kind in (1, 2):
        return json.dumps(mutated(chance, pattern)).encode()
    if kind == 3:  # a value that JSON, or Python's version of it, has no type for
        text = json.dumps({**pattern, chance.choice([*pattern, "extra"]): "HERE"}).encode()
        return text.replace(b'"HERE"', chance.choice(RAW))
    raw = bytearray(json.dumps(pattern).encode())
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(raw) + 1)
        new = chance.choices(b'{}[]":,\\\0\xff\xc3 e19-ntx', k=chance.randrange(3))
        raw[place:place + chance.randrange(3)] = bytes(new)
    return bytes(raw[:chance.choice([len(raw), chance.randrange(len(raw) + 1)])])
