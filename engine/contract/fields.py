"""Values from JSON -> checked values of frozen dataclasses. Each field has a check, and each error names its field.

A check takes a value and returns the one to keep; its ValueError says what was expected.
"""

import dataclasses
import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from typing import Any, Generic, Literal, TypeVar, cast, dataclass_transform, overload

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
CheckOf = Callable[[Any], T]  # a value from JSON -> the one to keep
_LONGEST_SHOWN = 60
_LONGEST_PATH = 32_767  # characters, the limit of Windows; other systems allow fewer


class FieldError(ValueError):
    """A field that is missing, unknown or wrong; `path` names it, for example `settings.steps`."""

    def __init__(self, path: str, message: str):
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class _Nested(Generic[T]):
    cls: type
    optional: bool


@overload
def checked(check: CheckOf[T] | _Nested[T]) -> T: ...
@overload
def checked(check: CheckOf[T] | _Nested[T], default: T) -> T: ...
def checked(check: CheckOf[Any] | _Nested[Any], default: object = MISSING) -> Any:
    """A dataclass field whose value from JSON passes through `check`. Without a default, the field is required. For a
    type checker, the field has the type that `check` returns."""
    return field(default=default, metadata={"check": check})


@dataclass_transform(frozen_default=True, field_specifiers=(checked,))
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass of checked fields. It tells type checkers which fields may be left out."""
    return dataclass(frozen=True)(cls)


def build(cls: type[T], value: object, path: str = "") -> T:
    """An instance of the dataclass `cls` from a JSON object; raises FieldError at the first field that is wrong."""
    if not isinstance(value, dict):
        raise FieldError(path, f"{path or 'the file'}: expected an object, got {shown(value)}")
    fields = {f.name: f for f in dataclasses.fields(cast(Any, cls))}
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


def plain(instance: Any) -> dict[str, Any]:
    """A dataclass as a JSON object (tuples become lists)."""
    return dataclasses.asdict(instance)


def _value(check: CheckOf[T] | _Nested[T], value: Any, where: str) -> Any:
    if isinstance(check, _Nested):
        return None if value is None and check.optional else build(check.cls, value, where)
    try:
        return check(value)
    except ValueError as error:
        raise FieldError(where, f"{where}: expected {error}, got {shown(value)}") from None


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def shown(value: object) -> str:
    """A value as messages show it, cut to _LONGEST_SHOWN characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN - 3] + "..."


@overload
def nested(cls: type[T]) -> _Nested[T]: ...
@overload
def nested(cls: type[T], optional: Literal[True]) -> _Nested[T | None]: ...
def nested(cls: type, optional: bool = False) -> _Nested:
    """The check of a field that is itself a dataclass; with `optional`, it may be null."""
    return _Nested(cls, optional)


def whole(low: int, high: int) -> CheckOf[int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value
    return check


def number(low: float, high: float) -> CheckOf[float]:
    """A number in a finite range; NaN and infinity lie outside every range."""
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)
    return check


def choice(*choices: T) -> CheckOf[T]:
    def check(value: Any) -> T:
        for one in choices:
            if type(value) is type(one) and value == one:
                return one
        raise ValueError(f"one of {', '.join(map(repr, choices))}")
    return check


def is_whole_text(value: str) -> bool:
    """Whether a text can be written as UTF-8. The system's file names may contain halves of surrogate pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def whole_text(value: Any) -> str:
    """A text that fits into a UTF-8 file and into any name in Blender. The system's file names may contain halves of
    surrogate pairs, and no name may contain a NUL."""
    if not is_whole_text(text(value)):
        raise ValueError("a text without halves of characters")
    if "\0" in value:
        raise ValueError("a text without NUL")
    return value


def path_name(value: Any) -> str:
    """The path of a file or folder, which need not exist. A name that is not UTF-8 is refused here, because it crashes
    OpenCV."""
    if not 0 < len(text(value)) <= _LONGEST_PATH or "\0" in value or not is_whole_text(value):
        raise ValueError(f"the path of a file or folder of 1 to {_LONGEST_PATH} characters, "
                         "without zeros and halves of characters")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def file_name(value: Any) -> str:
    """The name of a file directly in the job's folder, so that a job never reads outside its folder."""
    if not isinstance(value, str) or value in ("", ".", "..") or {"/", "\\", "\0"} & set(value) \
            or os.path.basename(value) != value or not is_whole_text(value):
        raise ValueError("the name of a file in the job's folder")
    return value


@overload
def tuple_of(first: CheckOf[A], second: CheckOf[B], /) -> CheckOf[tuple[A, B]]: ...
@overload
def tuple_of(first: CheckOf[A], second: CheckOf[B], third: CheckOf[C], /) -> CheckOf[tuple[A, B, C]]: ...
@overload
def tuple_of(first: CheckOf[T], second: CheckOf[T], third: CheckOf[T],
             fourth: CheckOf[T], /) -> CheckOf[tuple[T, T, T, T]]: ...
@overload
def tuple_of(*checks: CheckOf[T]) -> CheckOf[tuple[T, ...]]: ...
def tuple_of(*checks: CheckOf[Any]) -> CheckOf[Any]:
    """A list with one value for each check -> a tuple."""
    def check(value: Any) -> tuple:
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


def list_of(check: CheckOf[T], longest: int = 1_000_000) -> CheckOf[tuple[T, ...]]:
    """A list of any length up to `longest` -> a tuple."""
    def checked_list(value: Any) -> tuple[T, ...]:
        if not isinstance(value, (list, tuple)) or len(value) > longest:
            raise ValueError(f"a list of at most {longest}")
        return tuple_of(*[check] * len(value))(value)
    return checked_list


def or_none(check: CheckOf[T]) -> CheckOf[T | None]:
    return lambda value: None if value is None else check(value)
