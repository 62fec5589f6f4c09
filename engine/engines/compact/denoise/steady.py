"""The light on the surface, without a jump where a window begins.

Ours. A window sees the latents of the last frames before it, and still lights its own a little differently. The
difference between the light of two neighbouring frames of two windows is smooth, and far larger than between two of one
window. It is added to the light's head (layers/heads.py) of the window's frames, less from frame to frame.

Shapes: latents (m, h, w, C); heads (m, h / 2, w / 2, K); handed on (m, h, w, C + K).
"""
import cv2
import numpy as np

from ....conditions.surface_inputs import KNOWN_LIGHT, NORMAL
from ....layers.heads import CELL, MOST_LIGHT, Heads
from ....layers.surface import COARSE, in_cells, light_gain

_SIGMA = 3.0            # cells of 8 crop pixels: as smooth as a head or an upper arm is large
_MOST = 0.98            # of the head's largest value: it is infinite at 1


def joined(latents: np.ndarray, heads: np.ndarray | None) -> np.ndarray:
    """What the next window is told of finished frames: their latents and heads in one array."""
    if heads is None:
        return latents
    return np.concatenate([latents, heads.repeat(2, axis=1).repeat(2, axis=2)], axis=-1)


def parted(handed_on: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(latents, heads) of `joined`, or (latents, None) if no heads are known: of frames that are kept, there are only
    pictures. channels: C."""
    if handed_on.shape[-1] == channels:
        return handed_on, None
    return handed_on[..., :channels], handed_on[:, ::2, ::2, channels:]


def steadied(heads: np.ndarray, told: np.ndarray, painted: np.ndarray, warps: np.ndarray,
             maps: np.ndarray) -> np.ndarray:
    """The heads of the made frames (f, ...), with the light going on from the frame before them.

    told (h / 2, w / 2, K): the heads of that frame; painted (2, H, W, 5), warps (2, H, W, 4), maps (2, H, W, m): that
    frame and the first made one, as the network paints them, and the surface in them.
    """
    before, after = (_light(*one) for one in zip((told, heads[0]), painted, warps, maps, strict=True))
    share = in_cells((painted[..., 3] * warps[..., 3]).prod(axis=0), CELL)
    missing = _smoothed((before - after) * share) / (_smoothed(share) + np.float32(1e-3))
    left = 1 - np.arange(len(heads), dtype=np.float32)[:, None, None] / len(heads)
    light = (np.tanh(heads[..., 0]) + left * missing / MOST_LIGHT).clip(-_MOST, _MOST)
    return np.concatenate([np.arctanh(light)[..., None], heads[..., 1:]], axis=-1).astype(np.float32)


def _light(raw: np.ndarray, painted: np.ndarray, warp: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The logarithm of the gain that the network gives the surface, in cells."""
    heads = Heads.of(raw)
    gain = np.log(light_gain(painted, warp).mean(axis=-1))
    if maps[..., KNOWN_LIGHT].any():
        gain = 0.5 * gain       # layers/surface.with_known_light
    normal = in_cells(maps[..., NORMAL], CELL) / np.maximum(in_cells(warp[..., 3], CELL)[..., None], np.float32(1e-3))
    return in_cells(gain, CELL // COARSE) + heads.light + (heads.turn * normal).sum(axis=-1)


def _smoothed(cells: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(cells, (0, 0), _SIGMA, borderType=cv2.BORDER_CONSTANT)
