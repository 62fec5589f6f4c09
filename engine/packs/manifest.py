"""pack.json <-> Manifest: what a set of the embedded engine's weights is, how it was trained, and checksums of each
file and of the manifest. `read` also reads other engines' manifests (engine_manifest.py)."""

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..contract import json_reader
from ..contract.errors import JobError
from ..contract.fields import FieldError, build, checked, choice, list_of, record, text, whole
from ..contract.jobs import COMPACT
from ..engines.compact.nets.sizes import Sizes
from .engine_manifest import FORMAT as NEWEST
from .engine_manifest import EngineManifest, parse_engine
from .pack_file import NAME, SEAL, File, as_object, file_of, seal, write_sealed

FORMAT = 2
WEIGHTS = "weights.safetensors"
GRAPHS = ("decode.onnx", "denoise.onnx", "encode.onnx", "objects.onnx", "pose.onnx", "reference.onnx")
FILES = (*GRAPHS, WEIGHTS)
_AGAIN = "Install the weights again."
_WIDEST = 4096         # channels: far more than ours have, and few enough to be no attack on memory


def _files(value: Any) -> dict[str, File]:
    """Every graph and the weights, and nothing else: a file that is not listed here is never opened."""
    if set(as_object(value)) != set(FILES):
        raise ValueError(f"the files {', '.join(FILES)}")
    return {name: file_of(name, entry) for name, entry in value.items()}


def _sizes(value: Any) -> dict[str, Any]:
    """Fields of engines/compact/nets/sizes.py, each of its type; a missing field is as in the compact networks."""
    usual = {field.name: field.default for field in dataclasses.fields(Sizes)}
    for name, given in as_object(value).items():
        if name not in usual or not _is_like(given, usual[name]):
            raise ValueError(f"a size that this engine knows, not {name!r}: {str(given)[:40]}")
    return value


def _is_like(given: Any, usual: object) -> bool:
    if isinstance(usual, tuple):
        return isinstance(given, list) and len(given) == len(usual) and all(map(_is_like, given, usual))
    if isinstance(usual, float):
        return type(given) in (int, float) and 0 <= given <= _WIDEST
    return type(given) is type(usual) and (type(given) is not int or 1 <= given <= _WIDEST)


@record
class Manifest:
    """`sizes` of engines/compact/nets/sizes.py; `window` and `overlap` in frames; `unread`: the weights that no graph
    reads, in order; `training`: data, minutes, code revision."""

    format: int = checked(whole(1, FORMAT))
    name: str = checked(text)
    license: str = checked(text)
    sizes: dict[str, Any] = checked(_sizes)
    parametrisation: str = checked(choice("x0"))
    schedule: str = checked(text)
    depth_convention: str = checked(text)
    window: int = checked(whole(1, 1000))
    overlap: int = checked(whole(0, 999))
    default_steps: int = checked(whole(1, 1000))
    files: dict[str, File] = checked(_files)
    unread: tuple[str, ...] = checked(list_of(text, 10_000))
    training: dict[str, Any] = checked(as_object)

    @property
    def engine(self) -> str:
        """Only the embedded engine's packs have this format."""
        return COMPACT

    @property
    def mask(self) -> str:
        """The kind of region the weights were trained with (conditions/mask.py: KINDS)."""
        return self.sizes.get("mask", "shape_agnostic")

    @property
    def surface(self) -> bool:
        """Whether the networks read the body surface and predict its lighting."""
        return self.sizes.get("surface", False)

    @property
    def matte_and_shadow(self) -> bool:
        """Whether the weights give the character's matte and its shadow; otherwise what they paint inside the region is
        a patch."""
        return self.sizes.get("matte_and_shadow", True)


def read(folder: Path) -> tuple[Manifest | EngineManifest, str]:
    """The manifest of a pack's folder, of any engine, and its hash (hex). The hash identifies the whole pack, because
    the manifest contains every file's checksum."""
    path = Path(folder) / NAME
    value, raw = load(path)
    digest = hashlib.sha256(raw).hexdigest()
    if isinstance(value, dict) and value.get("format") == NEWEST and type(value["format"]) is int:
        sealed = value.pop(SEAL, None)
        _check_sum(value, sealed, path)
        return parse_engine(value, path), digest
    return parse(value, path), digest


def load(path: Path) -> tuple[Any, bytes]:
    """The JSON value of a pack.json, even if it is wrong, and its bytes. Raises JobError."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise JobError("pack_missing", f"No weights: {path} does not exist.",
                       "Install the extension again, or choose another folder of weights.") from None
    except OSError as error:
        raise JobError("pack_invalid", f"{path} cannot be read: {error.strerror}.") from None
    try:
        return json_reader.parse(raw), raw
    except json_reader.Unreadable as error:
        raise JobError("pack_invalid", f"{path}: expected JSON, got {raw[:40]!r} ({error}).", _AGAIN) from None


def parse(value: object, path: Path) -> Manifest:
    """A JSON value -> Manifest of the embedded engine's weights; `path` is named in errors."""
    if isinstance(value, dict):
        value = dict(value)
        _check_seal(value, value.pop(SEAL, None), path)
    try:
        manifest = build(Manifest, value)
    except FieldError as error:
        raise JobError("pack_invalid", f"{path}: {error}.", _AGAIN) from None
    if manifest.overlap >= manifest.window:
        raise JobError("pack_invalid",
                       f"{path}: overlap: expected less than window {manifest.window}, got {manifest.overlap}.")
    return manifest


def _check_seal(fields: dict[str, Any], found: object, path: Path) -> None:
    """Check the format first: what another format seals is not known."""
    written = fields.get("format")
    if type(written) is not int:
        return  # the field is wrong; parse() reports it
    if written > FORMAT:
        raise JobError("pack_newer", f"{path}: format: expected at most {NEWEST}, got {written}.",
                       "Update the extension.")
    if written < FORMAT:
        raise JobError("pack_invalid", f"{path}: format: expected {FORMAT}, got {written}, of an earlier version.",
                       "Write its manifest again: python -m engine manifest FOLDER. The weights do not change.")
    _check_sum(fields, found, path)


def _check_sum(fields: dict[str, Any], found: object, path: Path) -> None:
    if found != seal(fields):
        raise JobError("pack_corrupt", f"{path}: expected sha256 {seal(fields)} of its other fields, got "
                       f"{str(found)[:64]}.", _AGAIN)


def write(folder: Path, about: dict[str, Any], unread: Iterable[str]) -> None:
    """Write pack.json of a folder. `about`: the fields of Manifest except format, files and `unread`. If it raises
    JobError, nothing was written."""
    files = {name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
                    "bytes": (folder / name).stat().st_size} for name in FILES}
    fields = {"format": FORMAT, **about, "files": files, "unread": list(unread)}
    fields["training"] = fields.pop("training")  # the longest field comes last
    parse({**fields, SEAL: seal(fields)}, folder / NAME)
    write_sealed(folder, fields)
