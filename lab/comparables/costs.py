"""How large each row is, and what a frame costs it."""

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from engine.engines.compact.nets.sizes import COMPACT, Sizes
from engine.engines.compact.nets.surface_heads import MAPS

from .idea import AUTOENCODER
from .rows import ROWS

FRAMES = 8  # of a window


def table_of_costs(sizes: Sizes = COMPACT) -> str:
    """In markdown: millions of parameters, with the autoencoder's where a row has one, and GFLOP a frame of 256x256 at
    one step, in windows of eight frames (a multiply and an add are two)."""
    lines = ["| row | M parameters | of these trained | GFLOP a frame |", "| --- | --- | --- | --- |"]
    for name, kind in ROWS.items():
        torch.manual_seed(0)
        model = kind(sizes).eval()
        every, trained = parameters(model)
        lines.append(f"| `{name}` | {every / 1e6:.2f} | {trained / 1e6:.2f} | {flops_per_frame(model) / 1e9:.2f} |")
    return "\n".join(lines)


def parameters(model) -> tuple[int, int]:
    """All, and those that a row trains."""
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return sum(counts.values()), sum(count for name, count in counts.items() if not name.startswith(AUTOENCODER))


def flops_per_frame(model, side: int = 256) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.first_guess(empty_batch(FRAMES, side))
    return counter.get_total_flops() / FRAMES


def empty_batch(frames: int, side: int, clips: int = 1) -> dict[str, Tensor]:
    """A batch without anything in it, of the shapes of training/samples.py: batch_of."""
    channels = {"environment": 5, "masks": 2, "skeleton": 3, "depth": 1, "warp": 5, "maps": MAPS, "objects": 5,
                "object_mask": 1}
    batch = {name: torch.zeros(clips, frames, count, side, side) for name, count in channels.items()}
    return batch | {"reference": torch.zeros(clips, 5, side, side),
                    "reference_skeleton": torch.zeros(clips, 3, side, side)}
