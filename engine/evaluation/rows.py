"""The rows of the table: whose weights make a clip's frames, and what these are laid over."""

from dataclasses import dataclass

import numpy as np

from .clips import Clip
from .composite import inpainted, lay_over
from .generate import Made

FULL = "full"
ABLATIONS = ("without_blending", "without_pose_modulation", "without_environment", "exact_mask", "box_mask", "without_ours")


@dataclass(frozen=True)
class Row:
    """`alone`: the character is made without the environment and pasted by its matte, over `plate`: "source", what the job
    has; "inpainted", the source painted over inside M_f; "clean", the plate that only Blender knows."""

    name: str
    alone: bool = False
    plate: str = "source"


PASTED = (Row("pasted_inpainted", alone=True, plate="inpainted"), Row("pasted_exact", alone=True, plate="clean"))


def composite(row: Row, clip: Clip, number: int, made: Made, region) -> tuple[np.ndarray, np.ndarray]:
    """The row's picture of one frame and the plate below it, (h, w, 3) float32 0..1; region: M_f (h, w) bool."""
    plate = clip.colour("clean" if row.plate == "clean" else "source", number)
    if row.plate == "inpainted":
        plate = inpainted(plate, region)
    return lay_over(plate, made.character, None if row.alone else made.shadow), plate
