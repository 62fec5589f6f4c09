"""Weights of the Animate Anyone family, or trained ones -> a pack of this engine (`python -m engine convert`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ...contract.errors import JobError
from ...contract.files import write_whole
from ...packs.engine_manifest import EngineManifest, write_engine
from .nets.sizes import FAMILY, Sizes

# Shapes (width, height) of the crop: that of the family's own inference, the same lying down, and a square of about the
# same area (ours).
SHAPES = ((512, 784), (640, 640), (784, 512))
WINDOW, OVERLAP, STEPS, GUIDANCE = 24, 4, 30, 3.5       # as in the family's own inference
POSE_STYLE = "dwpose"       # what the family was trained with
LICENSE = "As the publisher of the weights says. It was not read by this program."
# MB, counted for these shapes by adding up the tensors that live at the same time (docs/engines.md): of a frame of a
# window at half precision, of its pictures, and of one picture in the autoencoder.
_FRAME_MB, _HOST_FRAME_MB, _DECODE_MB = 110.0, 30.0, 1200.0
_PROGRAMS_MB = 1000.0   # of the process with its libraries (ours, about)


def write_pack(folder: Path, weights: dict[str, Any], sizes: Sizes, encoders: Any, *, name: str,
               shapes: tuple[tuple[int, int], ...] = SHAPES, pose_style: str = POSE_STYLE,
               about: dict[str, Any] | None = None) -> EngineManifest:
    """Write weights (torch tensors by nets/model.py's names) in half precision, both encoders, and last the manifest.
    about: fields of the manifest that differ from the family's. Raises JobError, and OSError."""
    from safetensors.torch import save

    from .networks import file_of
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, dict[str, Any]] = {}
    for weight, tensor in weights.items():
        parts.setdefault(file_of(weight), {})[weight] = tensor.detach().cpu().half().contiguous()
    for file, part in parts.items():
        write_whole(folder / file, save(part))
    names = [*sorted(parts), *encoders.save(folder)]
    fields = {"engine": "sd15-aa2", "name": name, "license": LICENSE, "window": WINDOW, "overlap": OVERLAP,
              "default_steps": STEPS, "guidance": GUIDANCE, "needs": _needs(folder, names),
              "shapes": [f"{width}x{height}" for width, height in shapes],
              "own": {"sizes": plain(sizes), "pose_style": pose_style}}
    return write_engine(folder, {**fields, **(about or {})}, names)


def plain(sizes: Sizes) -> dict[str, Any]:
    """The sizes as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in sizes.as_dict().items()}


def _needs(folder: Path, names: list[str]) -> dict[str, float]:
    """Memory in MB, as contract/reckoning.py has it: files of half precision stay so on a device."""
    stored = sum((folder / name).stat().st_size for name in names) / 2**20
    return {"base_mb": round(_PROGRAMS_MB + stored), "frame_mb": _HOST_FRAME_MB,
            "device_base_mb": round(_DECODE_MB + stored), "device_frame_mb": _FRAME_MB}


def convert(source: Path, vae: Path, image_encoder: Path, folder: Path, *, sizes: Sizes = FAMILY,
            shapes: tuple[tuple[int, int], ...] = SHAPES) -> EngineManifest:
    """The family's four files in `source` and two folders of encoders -> a pack in `folder`. Raises JobError before
    anything is written, if a weight is missing, and OSError."""
    from .encoders import Encoders
    from .public_weights import read_public
    weights = read_public(source, sizes)
    encoders = Encoders.opened(vae, image_encoder)
    if encoders.token_width != sizes.token_width:
        raise JobError("pack_invalid", f"{image_encoder}: expected tokens of {sizes.token_width}, got "
                                       f"{encoders.token_width}.", "Choose the family's own image encoder.")
    return write_pack(folder, weights, sizes, encoders, name="Animate Anyone family, SD 1.5", shapes=shapes)


def main(options: argparse.Namespace) -> int:
    """options: of engine/__main__.py."""
    try:
        convert(options.subject, options.vae, options.image_encoder, options.pack)
    except (JobError, OSError, ImportError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    return 0
