"""A job's reference picture and the joints in it -> its figure, its box and its matte."""

import numpy as np

from ..contract import jobs
from .mask import bounding_box, limb_volumes, volume_box
from .poses import Figure, standing_height
from .surface.matte import of_joints

VOLUMES_ABOUT = 0.0, 1.5  # clothing of the limb volumes that the reference's person fills at least, and at most (ours)
HEIGHT_OFF = 1.6         # a factor: a height that is further from the one by the limbs is another person's (ours)


def reference_figure(reference: jobs.Reference, joints: np.ndarray | tuple[jobs.Joint, ...] | None,
                     height_px: float | None, depths: np.ndarray | tuple[float, ...] | None = None) -> Figure | None:
    """The person in the reference, in its pixels: the job's own joints and depths, or else the found ones; None without
    joints."""
    if reference.joints is not None:
        joints, height_px = reference.joints, reference.height_px
    depths = depths if reference.depths is None else reference.depths
    if joints is None:
        return None
    joints = np.array(joints, np.float64)
    body = np.column_stack([joints[:, :2], np.zeros(len(joints)) if depths is None else depths, joints[:, 2]])
    by_limbs = standing_height(body)
    if not height_px or by_limbs > 0 and not 1 / HEIGHT_OFF < height_px / by_limbs < HEIGHT_OFF:
        height_px = by_limbs        # the given height was found before the joints were corrected
    return Figure(body, (None, None), height_px) if height_px > 0 else None


def matte_of_joints(picture: np.ndarray, figure: Figure) -> np.ndarray:
    """(h, w) float32 0..1: the person, by the joints and the colours of the picture (h, w, 3 or 4)."""
    def volumes(share: float) -> list[np.ndarray]:
        size = tuple(max(round(side * share), 2) for side in picture.shape[1::-1])
        body = figure.body * (share, share, 1, 1)
        return [limb_volumes(body, (None, None), figure.height_px * share, size, room) for room in VOLUMES_ABOUT]
    return of_joints(np.ascontiguousarray(picture[..., :3]), volumes)


def person_box(picture: np.ndarray, figure: Figure | None) -> jobs.Box | None:
    """The character's box: from the picture's alpha, else from the limb volumes, else None."""
    seen = picture[..., 3] > 0.5
    if not seen.all() and seen.any():
        return bounding_box(seen)
    return None if figure is None else volume_box(figure.body, figure.hands, figure.height_px)
