"""The files of a pack in; a ValueError, if they are not networks that this engine may run, out.

A checksum shows that a file is as its maker wrote it. This module checks that the maker wrote something valid: the
graphs read only the weights beside them, each weight has the right size and kind, and all values are finite numbers. It
needs no runtime, so every runtime refuses the same packs.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .graph_file import FLOAT16, Pointer, pointers
from .manifest import GRAPHS, WEIGHTS
from .weights_file import Place, check_finite, places

_HALF = ".half"  # the exporter appends this to the name of a weight that is cast to single precision at once


def check_contents(folder: Path, unread: Iterable[str]) -> None:
    """`unread` as in the manifest. Raises ValueError, which names the file and what is wrong in it, and OSError."""
    left, listed = set(unread_weights(folder)), set(unread)
    if left != listed:
        missing, extra = sorted(listed - left), sorted(left - listed)
        raise ValueError(f"{WEIGHTS}: missing {missing[:3]}, unexpected {extra[:3]}")


def unread_weights(folder: Path) -> tuple[str, ...]:
    """The names, in order, of the weights that no graph reads: they belong to parts that the pack's sizes switch off.
    Raises the same errors as check_contents."""
    path = folder / WEIGHTS
    with _named(path):
        stored = places(path)
        check_finite(path, stored)
    read = set()
    for name in GRAPHS:
        with _named(folder / name):
            for pointer in pointers(folder / name):
                _check_pointer(pointer, stored)
                read.add(pointer.name.removesuffix(_HALF))
    return tuple(sorted(stored.keys() - read))


def _check_pointer(pointer: Pointer, stored: dict[str, Place]) -> None:
    name = pointer.name.removesuffix(_HALF)
    if pointer.file != WEIGHTS:
        raise ValueError(f"{name}: expected a weight of {WEIGHTS}, got one of {pointer.file[:200]!r}")
    if name not in stored:
        raise ValueError(f"{name}: expected a weight that {WEIGHTS} has, got none of this name")
    place = stored[name]
    wanted = (FLOAT16, place.shape, place.begin, place.end - place.begin)
    found = (pointer.kind, pointer.shape, pointer.offset, pointer.length)
    if found != wanted:
        raise ValueError(f"{name}: expected (kind, shape, offset, length) {wanted} as in {WEIGHTS}, got {found}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
