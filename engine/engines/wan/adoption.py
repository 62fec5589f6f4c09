"""A downloaded folder of weights in diffusers' layout -> the same folder with a manifest, so that an engine can use it.

    python -m engine adopt FOLDER [--name NAME]

Nothing is fetched, and no file of the weights changes. Each file is read once, for its checksum.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...contract import json_reader
from ...contract.errors import JobError, writing_failed
from ...packs.engine_manifest import EngineManifest, write_engine
from ...packs.pack_file import NAME
from . import memory
from .engine import largest, parts_of

INDEX = "model_index.json"
LICENCE = "as published with the weights (Wan-AI's own: Apache-2.0)"


@dataclass(frozen=True)
class Kind:
    """What is usual for a pipeline of diffusers, where its folder says nothing: `about` as in EngineManifest."""

    about: dict[str, Any]
    parts: tuple[str, ...]


_CROPS = ((480, 832), (832, 480), (640, 640))
_SHAPES = [f"{width}x{height}" for width, height in _CROPS]
_WAN = ("transformer", "vae", "scheduler", "text_encoder", "tokenizer")
# Segment, steps and guidance are the defaults of the pipelines in diffusers 0.42.1.
KINDS = {
    "WanVACEPipeline": Kind({"engine": "wan-vace", "window": 81, "overlap": 5, "default_steps": 50, "guidance": 5.0,
                             "shapes": _SHAPES}, _WAN),
    "WanAnimatePipeline": Kind({"engine": "wan-animate", "window": 77, "overlap": 1, "default_steps": 20,
                                "guidance": 1.0, "shapes": _SHAPES}, (*_WAN, "image_encoder", "image_processor")),
}


def adopt(folder: Path, name: str, tell: Callable[[str], None]) -> EngineManifest:
    """Write pack.json of a folder that has none. Raises JobError."""
    kind = _kind_of(folder)
    if (folder / NAME).exists():
        raise JobError("pack_invalid", f"{folder / NAME} is there already.", "Remove it to write it anew.")
    names = sorted(path.relative_to(folder).as_posix() for part in kind.parts for path in (folder / part).rglob("*")
                   if path.is_file() and path.suffix in (".json", ".safetensors", ".model", ".txt"))
    quantised = sorted(path.name for path in folder.glob("*.gguf"))
    weights = [one for one in names if one.startswith("transformer/") and one.endswith(".safetensors")]
    if not weights and not quantised:
        raise JobError("pack_missing", f"{folder}: no transformer/*.safetensors and no *.gguf.",
                       "Choose the folder that was downloaded.")
    forms = {form: (form, weights) for form in ("bf16", "fp8") if weights}
    forms |= {_plain(Path(one).stem): ("gguf", [one]) for one in quantised}
    others = [one for one in names if one not in weights]
    variants = {one: {"files": own, "needs": _needs(folder, form, [*others, *own], kind.about["window"])}
                for one, (form, own) in forms.items()}
    tell(f"{len(names) + len(quantised)} files; each is read once for its checksum, which takes minutes")
    try:
        return write_engine(folder, {**kind.about, "name": name, "license": LICENCE, "variants": variants,
                                     "needs": next(iter(variants.values()))["needs"]}, [*names, *quantised])
    except OSError as error:
        raise writing_failed(error, folder) from None


def _needs(folder: Path, form: str, names: list[str], window: int) -> dict[str, float]:
    """The memory of a form of the weights, as contract/reckoning.py has it, if all lies on the card: reckoned for one
    frame and for a whole segment, and a straight line between them."""
    parts = parts_of(folder, names)
    one, all_ = (memory.plans(parts, form, largest(_CROPS), frames)[0] for frames in (1, window))
    of_frame = {"frame_mb": (all_.host_mb - one.host_mb) / (window - 1),
                "device_frame_mb": (all_.device_mb - one.device_mb) / (window - 1)}
    return {"base_mb": one.host_mb - of_frame["frame_mb"],
            "device_base_mb": one.device_mb - of_frame["device_frame_mb"], **of_frame}


def _kind_of(folder: Path) -> Kind:
    path = folder / INDEX
    try:
        named = json_reader.read(path).get("_class_name")
    except OSError as error:
        raise JobError("pack_missing", f"{path} cannot be read: {error.strerror}.",
                       "Choose a folder in diffusers' layout.") from None
    except (json_reader.Unreadable, AttributeError):
        raise JobError("pack_invalid", f"{path}: expected a JSON object.", "Download it again.") from None
    if named not in KINDS:
        raise JobError("pack_invalid", f"{path}: expected {' or '.join(KINDS)}, got {str(named)[:60]!r}.",
                       "Choose weights that an engine can run.")
    return KINDS[named]


def _plain(name: str) -> str:
    """A file's name as the name of a variant."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return kept.strip("-")[-40:].strip("-")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="engine adopt", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--name", help="what the pack is called (default: the folder's name)")
    options = parser.parse_args(arguments)
    try:
        made = adopt(options.folder, options.name or options.folder.resolve().name,
                     lambda line: print(line, file=sys.stderr))
    except JobError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    print(f"{made.engine}: {', '.join(made.variants or {})}")
    return 0
