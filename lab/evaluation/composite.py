"""Layers and a plate -> the picture, as the sequencer shows the strips (place/strip.py): the shadow multiplied over the
plate, the character alpha-over. Also an inpainted plate, for the rows without a clean one."""

import cv2
import numpy as np

INPAINT_PX = 5  # the radius of cv2's fast marching (Telea 2004)


def lay_over(plate, character, shadow=None) -> np.ndarray:
    """plate (h, w, 3), character (h, w, 4) straight alpha, shadow (h, w, 3) or None, 0..1 -> (h, w, 3),
    rounded to 8 bits."""
    below = plate if shadow is None else plate * shadow
    alpha = character[..., 3:]
    return np.rint((alpha * character[..., :3] + (1 - alpha) * below) * 255).astype(np.float32) / np.float32(255)


def inpainted(plate, region) -> np.ndarray:
    """The plate (h, w, 3) 0..1 with the region (h, w) bool painted over from its surroundings."""
    picture, hole = np.rint(plate * 255).astype(np.uint8), region.astype(np.uint8)
    return cv2.inpaint(picture, hole, INPAINT_PX, cv2.INPAINT_TELEA).astype(np.float32) / np.float32(255)
