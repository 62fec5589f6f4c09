"""The rows of the table: whose weights make a clip's frames, and what these are laid over."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bare import AS_IT_IS, GAIN, LIGHT, bare
from .clips import Clip
from .composite import inpainted, lay_over
from .generate import PERFORMER, REFERENCE, Made, generate
from .weights import open_engine

FULL = "full"
# The paper's parts, switched off; the last row also lacks what is ours, including the surface.
WITHOUT_SURFACE = ("without_surface", "without_ours")
ABLATIONS = ("without_blending", "without_pose_modulation", "without_environment", "exact_mask",
             "box_mask", *WITHOUT_SURFACE)


@dataclass(frozen=True)
class Row:
    """`weights`: packs and folders of weights, of which the row is the mean (None: the embedded pack); several where
    ablations have several seeds. `alone`: the character is made without the environment and pasted by its matte, over
    `plate`: "source", what the job has; "inpainted", the source painted over inside M_f; "clean",
    the plate that only Blender knows. `surface`
    False: with the limb warp, as before the body surface. `light`: the surface without any network,
    in one of bare's lights.
    `found` and `known`: as for generate.generate. `idea`: the row of lab/comparables whose networks these are, not the
    product's."""

    name: str
    weights: tuple = (None,)
    alone: bool = False
    plate: str = "source"
    surface: bool = True
    light: str | None = None
    found: str | None = None
    known: str | None = None
    idea: str | None = None

    def measures(self, clip: Clip) -> bool:
        """A performer can be found only if one stands in the plate."""
        return self.found != PERFORMER or clip.variant == "replacement"


def beside(weights: tuple) -> list[Row]:
    """What `full` is always compared with: the surface without a network, the product before there was one (through the
    same weights), and two ceilings, the surface in a light fitted to the truth."""
    return [Row("surface_only", weights, plate="clean", light=AS_IT_IS), Row("shipped", weights, surface=False),
            Row("oracle_gain", weights, plate="clean", light=GAIN),
            Row("oracle_light", weights, plate="clean", light=LIGHT)]


def pasted(weights: tuple) -> list[Row]:
    """The paper's baseline of table 3, and the stronger one that an exact clean plate permits."""
    return [Row("pasted_inpainted", weights, alone=True, plate="inpainted"),
            Row("pasted_exact", weights, alone=True, plate="clean")]


def estimated(weights: tuple) -> list[Row]:
    """`full`, but the product itself finds the person in the reference, and in the second row also the performer in the
    frames."""
    return [Row("reference_estimated", weights, found=REFERENCE), Row("performer_estimated", weights, found=PERFORMER)]


def made_by(row: Row, weights, clip: Clip, frames: Path) -> list[Made]:
    """A row's frames of a clip by one of its weights, made now or by an earlier run; they are kept below `frames`, and
    rows that only differ in the plate share them. What needs no network is drawn each time."""
    if row.idea is not None:
        from ..comparables.frames import made_frames  # which needs torch
        return made_frames(row.idea, weights, clip, frames)
    host = engine_of(weights)
    if row.light is not None:
        return bare(clip, host, row.light)
    kind = "alone" if row.alone else "-".join(filter(None, (row.found and f"{row.found}-found", row.known))) or "placed"
    folder = frames / host.engine.pack.hash[:16] / (kind + "-by-limb-warp" * (not row.surface)) / clip.name
    return generate(clip, host, folder, alone=row.alone, surface=row.surface, found=row.found,
                    known=row.known)


@functools.cache
def engine_of(weights):
    """One engine for all clips of a process."""
    return open_engine(weights)


def composite(row: Row, clip: Clip, number: int, made: Made, region) -> tuple[np.ndarray, np.ndarray]:
    """The row's picture of one frame and the plate below it, (h, w, 3) float32 0..1; region: M_f (h, w) bool."""
    plate = clip.colour("clean" if row.plate == "clean" else "source", number)
    if row.plate == "inpainted":
        plate = inpainted(plate, region)
    return lay_over(plate, made.character, None if row.alone else made.shadow), plate
