"""Untrusted bytes in; a JSON object of limited size, or one error that says what is wrong with the bytes, out.

This is the only place that parses JSON (tests/unit/test_imports.py): lines of the wire, a job's files and a list of
shots are all read here.
"""

import json
import logging
import math
import os
import re
import stat
from typing import Any, NoReturn

from .errors import JobError

log = logging.getLogger(__name__)
# Our deepest file is pose.json (an object, frames, a frame, people, a person, body, a joint: 7); the rest is reserve
# (ours).
DEEPEST = 32
# Our largest file except pose.json, whose reader sets a higher limit: made.json with a key of 45 bytes for each of a
# million frames.
LARGEST = 64 * 1024 * 1024
_MOST_ASIDE = 100
# An unfinished string reaches to the end, so that each byte is read only once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ALL_SQUARE = bytes.maketrans(b"{}", b"[]")
# All digits are replaced by 0. If none of these occurs then, no number is too large for a float.
_PERHAPS_ENDLESS = (b"e000", b"0" * 200)
_ALL_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")


class Unreadable(ValueError):
    """The bytes are not a JSON object within the limits; the message says what was expected and what was found."""


def parse(raw: bytes, largest: int = LARGEST, most_containers: int | None = None) -> dict[str, Any]:
    """The JSON object in UTF-8 bytes; raises Unreadable.

    At most `largest` bytes, DEEPEST levels and `most_containers` lists and objects (an empty list of 3 bytes takes 80
    in memory); no NaN, no Infinity, no number beyond a float's range, no name twice in an object.
    """
    if len(raw) > largest:
        raise Unreadable(f"expected at most {largest} bytes, got {len(raw)}")
    _look_at_brackets(raw, len(raw) if most_containers is None else most_containers)
    digits = raw.translate(_ALL_ZEROS, b"+")
    parse_float = _finite if any(sign in digits for sign in _PERHAPS_ENDLESS) else None  # slow: a call for each number
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant,
                           parse_float=parse_float)
    except Unreadable:
        raise
    except UnicodeDecodeError as error:
        raise Unreadable(f"expected UTF-8, got byte 0x{raw[error.start]:02x} at place {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"expected JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unreadable(f"expected an object, got {type(value).__name__}")
    return value


def read(path: str | os.PathLike[str], largest: int = LARGEST) -> dict[str, Any]:
    """The JSON object in a file. Raises OSError if the file cannot be opened, and Unreadable. Never waits for a
    pipe."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("expected a file, got something else by that name")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size      # read() takes all the memory that it is asked for
            return parse(file.read(min(largest, size) + 1), largest)
    except Unreadable:
        raise
    except ValueError as error:  # raised by os.stat: no file can have this name
        raise Unreadable(f"no file can have that name: {error}") from None


def keep_aside(path: str | os.PathLike[str]) -> str:
    """Rename a damaged file, so that a new one can be written and the artist's work in it is not lost: to
    `NAME.damaged`, or `NAME.damaged-2` and so on. Returns the new path. Raises JobError if the file cannot be renamed;
    then nobody may overwrite it."""
    path = os.fspath(path)
    names = (f"{path}.damaged" + (f"-{count}" if count > 1 else "") for count in range(1, _MOST_ASIDE + 1))
    free = next((name for name in names if not os.path.lexists(name)), None)
    reason = "it is no file" if not os.path.isfile(path) else f"there are {_MOST_ASIDE} such files already"
    if os.path.isfile(path) and free:
        try:
            os.rename(path, free)
            log.warning("the damaged %s is kept as %s", path, free)
            return free
        except OSError as error:
            reason = error.strerror
    raise JobError("job_not_writable", f"{path} is damaged and cannot be renamed: {reason}.",
                   "Move it away, so that a new one can be written.")


def _look_at_brackets(raw: bytes, most: int) -> None:
    """Runs before the parser, which uses the process's stack: on Python 3.11 it survives 989 levels, but then nothing
    can print the result."""
    if raw.count(b"[") + raw.count(b"{") <= min(DEEPEST, most):
        return
    left = _STRING.sub(b"", raw).translate(_ALL_SQUARE, _NO_BRACKETS)
    if (count := left.count(b"[")) > most:
        raise Unreadable(f"expected at most {most} lists and objects, got {count}")
    for _ in range(DEEPEST):  # each turn removes the innermost level
        before, left = left, left.replace(b"[]", b"")
        if left == before:
            break
    if b"[" in left:
        raise Unreadable(f"expected at most {DEEPEST} levels of lists and objects, each of them closed")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"expected each name once, got {twice[:60]!r} twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"expected a number, got {name}")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Unreadable(f"expected a number that a float can hold, got {digits[:60]}")
    return value
