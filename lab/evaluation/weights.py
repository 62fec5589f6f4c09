"""A pack's folder, or weights as training leaves them -> the engine that runs them."""

import functools
import hashlib
import json
from dataclasses import replace
from pathlib import Path

from engine.contract import json_reader
from engine.contract.errors import JobError
from engine.door.answer import Host, find_joints
from engine.engines.base import Options
from engine.engines.compact.engine import CompactEngine
from engine.engines.compact.nets.sizes import COMPACT
from engine.packs import manifest as manifests
from engine.packs.manifest import WEIGHTS, Manifest
from engine.packs.store import Pack, open_pack

SIZES = "sizes.json"


def open_engine(path: Path | str | None, threads: int = 1) -> Host[CompactEngine]:
    """The engine on a pack's folder (None: the embedded pack), or on a weights.safetensors with, where its nets are not
    the compact ones, a sizes.json beside it; those run on PyTorch. Raises JobError."""
    if path is None or (Path(path) / manifests.NAME).exists():
        engine = CompactEngine.of(open_pack(path), Options("onnxruntime", threads))
        return Host(engine, functools.partial(find_joints, threads=threads))
    pack = _bare_pack(Path(path))
    from engine.engines.compact.runtimes.pytorch import PytorchRuntime
    return Host(CompactEngine(pack, PytorchRuntime(pack.folder, pack.manifest.sizes)), find_joints)


def _bare_pack(path: Path) -> Pack[Manifest]:
    """Weights without a manifest, under the embedded pack's: its window, overlap and steps."""
    folder = path if path.is_dir() else path.parent
    weights, sizes = folder / WEIGHTS, folder / SIZES
    if not weights.is_file() or path.is_file() and path.name != WEIGHTS:
        raise JobError("pack_missing", f"{path}: expected a pack's folder, or {WEIGHTS}.",
                       "Name the folder that holds it.")
    try:
        told = json_reader.read(sizes) if sizes.exists() else COMPACT.as_dict()
    except json_reader.Unreadable as error:
        raise JobError("pack_invalid", f"{sizes}: {error}.",
                       "Give weights that this version's training made.") from None
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps(told, sort_keys=True).encode())
    embedded = open_pack().manifest
    return Pack(folder, replace(embedded, name=folder.name, sizes=told, files={}), digest.hexdigest())
