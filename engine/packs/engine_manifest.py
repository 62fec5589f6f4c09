"""pack.json of format 3 <-> EngineManifest: a folder of weights for an engine other than the embedded one. Its files
may lie in sub-folders and be many gigabytes, and some may belong to one variant (16-bit or quantised weights) only."""

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from ..contract.errors import JobError
from ..contract.fields import FieldError, build, checked, list_of, nested, number, or_none, record, text, whole
from ..contract.jobs import COMPACT, engine_name, sides
from ..contract.reckoning import Reckoning
from .pack_file import File, as_object, file_of, write_sealed

FORMAT = 3
_MOST_FILES, _MOST_SHAPES = 10_000, 100
_AGAIN = "Install the weights again."


def inner_path(value: Any) -> str:
    """The path of a file in a pack's folder, with /, so that no pack reads outside of it."""
    parts = PurePosixPath(value).parts if isinstance(value, str) else ()
    wrong = not parts or {"\0", "\\", ":"} & set(value) or parts[0] == "/" or ".." in parts \
        or str(PurePosixPath(*parts)) != value
    if wrong:
        raise ValueError("the path of a file inside the folder, with /")
    return value


def _files(value: Any) -> dict[str, File]:
    if not as_object(value) or len(value) > _MOST_FILES:
        raise ValueError(f"1 to {_MOST_FILES} files")
    return {inner_path(name): file_of(name, entry) for name, entry in value.items()}


def _shapes(value: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_SHAPES or not all(isinstance(one, str)
                                                                                    for one in value):
        raise ValueError(f"1 to {_MOST_SHAPES} of width x height, as in \"480x832\"")
    return tuple(sides(one) for one in value)


def _other_engine(value: Any) -> str:
    if engine_name(value) == COMPACT:
        raise ValueError(f"another engine than {COMPACT}, whose packs have format 2")
    return value


@record
class Variant:
    """One form of the weights. files: those that only this form needs (and perhaps others, too); needs: its memory."""

    files: tuple[str, ...] = checked(list_of(inner_path, _MOST_FILES))
    needs: Reckoning = checked(nested(Reckoning), default=Reckoning())


def _variants(value: Any) -> dict[str, Variant]:
    try:
        return {engine_name(name): build(Variant, one, name) for name, one in as_object(value).items()}
    except FieldError as error:
        raise ValueError(str(error)) from None


@record
class EngineManifest:
    """engine: one of engines/choose.py; window, overlap, default_steps, guidance: where a job says none, in frames and
    steps; shapes: the crops (width, height) that the weights were made for; variants: {} if there is one form only;
    needs: the memory of that; own: what only the engine reads."""

    format: int = checked(whole(FORMAT, FORMAT))
    engine: str = checked(_other_engine)
    name: str = checked(text)
    license: str = checked(text)
    window: int = checked(whole(1, 1000))
    overlap: int = checked(whole(0, 999))
    default_steps: int = checked(whole(1, 1000))
    files: dict[str, File] = checked(_files)
    shapes: tuple[tuple[int, int], ...] = checked(_shapes)
    guidance: float = checked(number(0, 30), default=1.0)
    variants: dict[str, Variant] | None = checked(or_none(_variants), default=None)
    needs: Reckoning = checked(nested(Reckoning), default=Reckoning())
    own: dict[str, Any] | None = checked(or_none(as_object), default=None)

    def shapes_in(self, step: int) -> tuple[tuple[int, int], ...]:
        """The crops, whose sides have to be multiples of the engine's `step`. Raises JobError."""
        if any(side % step for shape in self.shapes for side in shape):
            raise JobError("pack_invalid", f"shapes: expected multiples of {step}, got {self.shapes}.", _AGAIN)
        return self.shapes

    def files_of(self, variant: str | None) -> dict[str, File]:
        """The files that a variant needs; None: all files. Raises JobError."""
        if variant is None:
            return self.files
        variants = self.variants or {}
        if variant not in variants:
            raise JobError("settings_invalid", f"variant: expected one of {', '.join(variants) or 'none'}, got "
                           f"{variant[:60]!r}.", "Choose another variant of the weights.")
        others = {name for one in variants.values() for name in one.files} - set(variants[variant].files)
        return {name: file for name, file in self.files.items() if name not in others}


def parse_engine(value: dict[str, Any], path: Path) -> EngineManifest:
    """The fields of a pack.json without its seal -> EngineManifest; `path` is named in errors."""
    try:
        manifest = build(EngineManifest, value)
    except FieldError as error:
        raise JobError("pack_invalid", f"{path}: {error}.", _AGAIN) from None
    for name, variant in (manifest.variants or {}).items():
        missing = sorted(set(variant.files) - set(manifest.files))
        if missing:
            raise JobError("pack_invalid", f"{path}: variants.{name}: {missing[0]} is not among the files.", _AGAIN)
    if manifest.overlap >= manifest.window:
        raise JobError("pack_invalid",
                       f"{path}: overlap: expected less than window {manifest.window}, got {manifest.overlap}.")
    return manifest


def write_engine(folder: Path, about: dict[str, Any], names: Iterable[str]) -> EngineManifest:
    """Write pack.json of a folder. about: the fields of EngineManifest except format and files; names: its files.
    Raises JobError before anything is written, and OSError."""
    files = {}
    for name in names:
        with (folder / name).open("rb") as file:
            files[name] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(),
                           "bytes": (folder / name).stat().st_size}
    fields = {"format": FORMAT, **about, "files": files}
    manifest = parse_engine(fields, folder)
    write_sealed(folder, fields)
    return manifest
