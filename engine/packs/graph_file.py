"""A graph's file in; the file and bytes that each of its weights is read from, out. Reads ONNX without the package
onnx.

ONNX is a protocol buffer: fields of a number, a wire type and a value. Only the graph's own list of weights is read,
because the exporter writes there. A graph can name a file in many other places (constants of nodes, graphs inside
graphs, functions), but each time with the word `location`. If this word occurs more often than the weights need it, the
graph is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FLOAT16 = 10
_BYTES, _WORDS = 2, {1: 8, 5: 4}  # wire types: a length with its bytes; the sizes of fixed words
# The numbers of fields in onnx.proto: of a model, a graph, a tensor, and an entry that describes another file.
_GRAPH, _WEIGHT = 7, 5
_SHAPE, _KIND, _NAME, _ELSEWHERE = 1, 2, 8, 13
_KEY, _VALUE = 1, 2
_WORD = "location"


@dataclass(frozen=True)
class Pointer:
    """A weight that is stored in another file: its `kind` of number (FLOAT16 or another), its shape, and its bytes."""

    name: str
    kind: int
    shape: tuple[int, ...]
    file: str
    offset: int
    length: int


def pointers(path: Path) -> list[Pointer]:
    """The weights that are stored in other files. Raises ValueError, which says what is wrong, and OSError."""
    data = path.read_bytes()
    found = []
    for number, model in _fields(data):
        if number == _GRAPH:
            weights = [value for field, value in _fields(_message(model)) if field == _WEIGHT]
            found += [pointer for value in weights if (pointer := _pointer(_message(value)))]
    named = data.count(_WORD.encode())
    if named != len(found):
        raise ValueError(f"expected {len(found)} other places to be named, one a weight, got {named}")
    return found


def _pointer(tensor: bytes) -> Pointer | None:
    """None if the numbers are in the graph itself."""
    name, kind, shape, elsewhere = "", 0, [], []
    for number, value in _fields(tensor):
        if number == _NAME:
            name = _text(value)
        elif number == _KIND:
            kind = _number(value)
        elif number == _SHAPE:
            shape += [value] if isinstance(value, int) else _packed(_message(value))
        elif number == _ELSEWHERE:
            elsewhere.append(_pair(_message(value)))
    if not elsewhere:
        return None
    keys = sorted(key for key, _ in elsewhere)
    if keys != ["length", _WORD, "offset"]:
        raise ValueError(f"{name}: expected length, {_WORD} and offset, once each, got {', '.join(keys)[:80]}")
    where = dict(elsewhere)
    return Pointer(name, kind, tuple(shape), where[_WORD], _whole(where["offset"]), _whole(where["length"]))


def _pair(entry: bytes) -> tuple[str, str]:
    read = {number: _text(value) for number, value in _fields(entry)}
    return read.get(_KEY, ""), read.get(_VALUE, "")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes | None]]:
    """Yields (number, value): an int, bytes, or None for a fixed word, which is not needed here."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            value, at = data[at:at + length], at + length
        elif kind in _WORDS:
            value, at = None, at + _WORDS[kind]
        else:
            raise ValueError(f"expected a graph, got a field of wire type {kind}")
        if at > end:
            raise ValueError("expected a graph, got one that ends inside a field")
        yield number, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, seven bits per byte with the lowest first, and where it ends."""
    if at < len(data) and data[at] < 0x80:  # nearly all numbers have one byte
        return data[at], at + 1
    value = 0
    for k, byte in enumerate(data[at:at + 10]):
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at + k + 1
    raise ValueError("expected a graph, got a number without an end")


def _packed(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("expected a graph, got something else in place of a number")
    return value


def _message(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("expected a graph, got a number in place of a message")
    return value


def _text(value: object) -> str:
    return _message(value).decode("utf-8", "backslashreplace")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise ValueError(f"expected a place in a file, got {text[:40]!r}")
    return int(text)
