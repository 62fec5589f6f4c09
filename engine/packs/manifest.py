"""pack.json <-> Manifest: what a set of weights is, what it was trained on, and the checksum of each file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..contract import json_reader
from ..contract.errors import JobError
from ..contract.fields import FieldError, build, checked, choice, file_name, text, whole

FORMAT = 1
NAME = "pack.json"


def _object(value):
    if not isinstance(value, dict):
        raise ValueError("an object")
    return value


def _files(value):
    kept = {}
    for name, entry in _object(value).items():
        right = isinstance(entry, dict) and set(entry) == {"sha256", "bytes"} and isinstance(entry["sha256"], str)
        if not right or len(entry["sha256"]) != 64:
            raise ValueError(f"{{sha256, bytes}} for {name!r}")
        kept[file_name(name)] = File(entry["sha256"], whole(0, 2**53)(entry["bytes"]))
    return kept


@dataclass(frozen=True)
class File:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """`sizes` of nets/sizes.py; `window` and `overlap` in frames; `training`: data, minutes, code revision."""

    format: int = checked(whole(1, FORMAT))
    name: str = checked(text)
    license: str = checked(text)
    sizes: dict = checked(_object)
    parametrisation: str = checked(choice("x0"))
    schedule: str = checked(text)
    depth_convention: str = checked(text)
    window: int = checked(whole(1, 1000))
    overlap: int = checked(whole(0, 999))
    default_steps: int = checked(whole(1, 1000))
    files: dict = checked(_files)
    training: dict = checked(_object)

    @property
    def mask(self) -> str:
        """The kind of region the weights were trained with (conditions/mask.py: KINDS)."""
        return self.sizes.get("mask", "shape_agnostic")

    @property
    def matte_and_shadow(self) -> bool:
        """Whether the weights give the character's matte and its shadow; else what they paint inside the region is a patch."""
        return self.sizes.get("matte_and_shadow", True)


def read(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a pack's folder and its hash (hex), which stands for the whole pack: it holds every checksum."""
    path = Path(folder) / NAME
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise JobError("pack_missing", f"No weights: {path} does not exist.",
                       "Install the extension again, or choose another folder of weights.") from None
    except OSError as error:
        raise JobError("pack_invalid", f"{path} cannot be read: {error.strerror}.") from None
    try:
        value = json_reader.parse(raw)
    except json_reader.Unreadable as error:
        raise JobError("pack_invalid", f"{path}: expected JSON, got {raw[:40]!r} ({error}).",
                       "Install the weights again.") from None
    return parse(value, path), hashlib.sha256(raw).hexdigest()


def parse(value, path) -> Manifest:
    """A JSON value -> Manifest; `path` is named in errors."""
    written = value.get("format") if isinstance(value, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise JobError("pack_newer", f"{path}: format: expected at most {FORMAT}, got {written}.", "Update the extension.")
    try:
        manifest = build(Manifest, value)
    except FieldError as error:
        raise JobError("pack_invalid", f"{path}: {error}.", "Install the weights again.") from None
    if manifest.overlap >= manifest.window:
        raise JobError("pack_invalid",
                       f"{path}: overlap: expected less than window {manifest.window}, got {manifest.overlap}.")
    return manifest
