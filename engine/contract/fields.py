"""Values from JSON -> checked values of frozen dataclasses: each field names its check, errors name the field.

A check takes a value and returns the one to keep; its ValueError says what was expected.
"""

import dataclasses
import os
from dataclasses import MISSING, dataclass, field

_LONGEST_SHOWN = 60
_LONGEST_PATH = 32_767  # characters, of Windows; other systems hold fewer


class FieldError(ValueError):
    """A field, by its path such as `settings.steps`, that is missing, unknown or wrong."""

    def __init__(self, path, message):
        super().__init__(message)
        self.path = path


def checked(check, default=MISSING):
    """A dataclass field whose value from JSON passes through `check`; without a default it is required."""
    return field(default=default, metadata={"check": check})


def build(cls, value, path=""):
    """An instance of the dataclass `cls` from a JSON object; raises FieldError at the first field that is wrong."""
    if not isinstance(value, dict):
        raise FieldError(path, f"{path or 'the file'}: expected an object, got {shown(value)}")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for name in value:
        if name not in fields:
            where = _join(path, name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}...")
            raise FieldError(where, f"{where}: unknown field; expected {', '.join(fields)}")
    kept = {}
    for name, f in fields.items():
        where = _join(path, name)
        if name in value:
            kept[name] = _value(f.metadata["check"], value[name], where)
        elif f.default is MISSING:
            raise FieldError(where, f"{where}: missing")
    return cls(**kept)


def plain(instance):
    """A dataclass as a JSON object (tuples become lists)."""
    return dataclasses.asdict(instance)


def _value(check, value, where):
    if isinstance(check, _Nested):
        return None if value is None and check.optional else build(check.cls, value, where)
    try:
        return check(value)
    except ValueError as error:
        raise FieldError(where, f"{where}: expected {error}, got {shown(value)}") from None


def _join(path, name):
    return f"{path}.{name}" if path else str(name)


def shown(value):
    """A value as messages tell it: not endless."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN - 3] + "..."


@dataclass(frozen=True)
class _Nested:
    cls: type
    optional: bool


def nested(cls, optional=False):
    """The check of a field that is itself a dataclass, or null where `optional`."""
    return _Nested(cls, optional)


def whole(low, high):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value
    return check


def number(low, high):
    """A finite range: what is no number, or an endless one, lies outside it."""
    def check(value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)
    return check


def choice(*choices):
    def check(value):
        if not any(type(value) is type(one) and value == one for one in choices):
            raise ValueError(f"one of {', '.join(map(repr, choices))}")
        return value
    return check


def is_whole_text(value):
    """Whether a text can be written as UTF-8: names of the system's may hold halves of surrogate pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(value):
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def whole_text(value):
    """A text that a UTF-8 file and every name of Blender's can hold: names of the system's may contain halves of
    surrogate pairs, and nothing's name contains a NUL."""
    if not is_whole_text(text(value)):
        raise ValueError("a text without halves of characters")
    if "\0" in value:
        raise ValueError("a text without NUL")
    return value


def path_name(value):
    """The path of a file or folder, be there anything or not. A name that is no UTF-8 is refused here: OpenCV dies of
    it deep inside."""
    if not 0 < len(text(value)) <= _LONGEST_PATH or "\0" in value or not is_whole_text(value):
        raise ValueError(f"the path of a file or folder of 1 to {_LONGEST_PATH} characters, "
                         "without zeros and halves of characters")
    return value


def flag(value):
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def file_name(value):
    """A file directly in the job's folder: a job never reaches outside its folder."""
    if not isinstance(value, str) or value in ("", ".", "..") or {"/", "\\", "\0"} & set(value) \
            or os.path.basename(value) != value or not is_whole_text(value):
        raise ValueError("the name of a file in the job's folder")
    return value


def tuple_of(*checks):
    """A list with one value for each check -> a tuple."""
    def check(value):
        if not isinstance(value, (list, tuple)) or len(value) != len(checks):
            raise ValueError(f"a list of {len(checks)}")
        kept = []
        for i, (one, v) in enumerate(zip(checks, value, strict=True)):
            try:
                kept.append(one(v))
            except ValueError as error:
                raise ValueError(f"{error} at place {i}") from None
        return tuple(kept)
    return check


def list_of(check, longest=1_000_000):
    """A list of any length up to `longest` -> a tuple."""
    def checked_list(value):
        if not isinstance(value, (list, tuple)) or len(value) > longest:
            raise ValueError(f"a list of at most {longest}")
        return tuple_of(*[check] * len(value))(value)
    return checked_list


def or_none(check):
    return lambda value: None if value is None else check(value)
