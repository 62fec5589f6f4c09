"""A file of weights in; the position of each tensor, the tensors as numpy arrays, or their number, out. Needs only
numpy.

The format: 8 bytes with the header's length (little endian), the header as a JSON object, then the tensors' bytes. The
header of a malicious file is recognised: nothing is read, and no memory used, beyond what the file really has.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..contract import json_reader

LONGEST_HEADER = 4 * 1024 * 1024  # bytes; the compact model's has 50 thousand (ours)
HALF = "F16"                      # the one kind of number in a pack
_MOST_DIMENSIONS = 8
_NOTES = "__metadata__"
_CHUNK = 256 * 1024               # numbers that are checked together: as many as fit into a core's cache
_EXPONENT = np.uint16(0x7C00)     # all these bits are set in infinity and NaN (IEEE 754, half precision)


@dataclass(frozen=True)
class Place:
    """One tensor's shape, and where its bytes begin and end, counted from the start of the file."""

    shape: tuple[int, ...]
    begin: int
    end: int


def places(path: Path) -> dict[str, Place]:
    """Name -> Place. Raises ValueError, which says what is wrong with the header, and OSError."""
    entries, begin, size = _header(path)
    found = {name: _place(name, entry, begin) for name, entry in entries.items()}
    _without_gaps(found, begin, size)
    return found


def count(path: Path) -> int:
    """How many numbers a file of any kind of numbers holds, by its header alone. Raises as `places` does."""
    entries, _, _ = _header(path)
    total = 0
    for name, entry in entries.items():
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if not _is_shape(shape):
            raise ValueError(f"{name}: expected a tensor with a shape, got {str(entry)[:80]}")
        total += math.prod(shape)
    return total


def tensors(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of float16; all arrays share one block of memory. Raises ValueError and OSError, as `places`
    does."""
    found = places(path)
    begin = min((place.begin for place in found.values()), default=0)
    data = np.fromfile(path, "<f2", offset=begin)
    return {name: data[(place.begin - begin) // 2:(place.end - begin) // 2].reshape(place.shape)
            for name, place in found.items()}


def check_finite(path: Path, found: dict[str, Place]) -> None:
    """Raises ValueError, which names the first tensor of `places` with an infinity or NaN."""
    chunk = np.empty(_CHUNK, "<u2")
    with path.open("rb") as file:
        at = file.seek(min((place.begin for place in found.values()), default=0))
        while read := file.readinto(chunk.data):
            exponents = chunk[:read // 2] & _EXPONENT
            if (exponents == _EXPONENT).any():
                wrong = at + 2 * int(np.argmax(exponents == _EXPONENT))
                name = next(name for name, place in found.items() if place.begin <= wrong < place.end)
                raise ValueError(f"{name} holds values that are not finite numbers")
            at += read


def _header(path: Path) -> tuple[dict[str, Any], int, int]:
    """The entries by name without the notes, where the data begin, and the file's size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError(f"expected a header, got {size} bytes")
        length, = struct.unpack("<Q", start)
        if length > min(size - 8, LONGEST_HEADER):
            raise ValueError(f"expected a header of at most {min(size - 8, LONGEST_HEADER)} bytes, got one of {length}")
        header = _object(file.read(length))
    header.pop(_NOTES, None)
    return header, 8 + length, size


def _object(raw: bytes) -> dict[str, Any]:
    """The header. A name that occurs twice is refused, because two readers might take different ones."""
    try:
        return json_reader.parse(raw)
    except json_reader.Unreadable as error:
        raise ValueError(f"expected a header of JSON: {error}") from None


def _place(name: str, entry: object, begin: int) -> Place:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name}: expected {{dtype, shape, data_offsets}}, got {str(entry)[:80]}")
    if entry["dtype"] != HALF:
        raise ValueError(f"{name}: expected dtype {HALF}, got {str(entry['dtype'])[:20]!r}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _is_shape(shape):
        raise ValueError(f"{name}: expected a shape of at most {_MOST_DIMENSIONS} whole numbers, got {str(shape)[:80]}")
    if not _wholes(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != 2 * math.prod(shape):
        raise ValueError(f"{name}: expected the offsets of {str(shape)[:80]} halves, got {str(offsets)[:80]}")
    return Place(tuple(shape), begin + offsets[0], begin + offsets[1])


def _is_shape(value: object) -> TypeGuard[list[int]]:
    return _wholes(value) and len(value) <= _MOST_DIMENSIONS


def _wholes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**53 for one in value)


def _without_gaps(found: dict[str, Place], begin: int, size: int) -> None:
    """Check that each tensor begins where the one before ends, and that the last one ends with the file."""
    at = begin
    for name, place in sorted(found.items(), key=lambda pair: (pair[1].begin, pair[1].end)):
        if place.begin != at:
            raise ValueError(f"{name}: expected it to begin at byte {at - begin} of the data, "
                             f"got {place.begin - begin}")
        at = place.end
    if at != size:
        raise ValueError(f"expected {at - begin} bytes of data, got {size - begin}")
