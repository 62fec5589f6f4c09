"""The 16-bit depth pictures of a job -> the object mask M_o (paper 3.3), and what hides the character (ours)."""
import cv2
import numpy as np

# An object must be nearer than the limbs by this part of the depth, because limbs have their bones' depth (ours). The
# scene's own depth includes the floor, and at the soles the floor is nearer than the toes are.
TOLERANCE = 0.01
SCENE_TOLERANCE = 0.04
_EDGE = np.array([0.25, 0.5, 0.25], np.float32)


def depth_in_metres(stored: np.ndarray, near: float, far: float) -> np.ndarray:
    """uint16 (h, w) as a job stores it -> metres float32: 0 means nothing (infinite), 1 lies at far, 65535 at near."""
    metres = np.float32(far) + (np.float32(near) - np.float32(far)) * ((stored.astype(np.float32) - 1)
                                                                       / np.float32(65534))
    return np.where(stored > 0, metres, np.float32(np.inf))


def object_mask(stored: np.ndarray) -> np.ndarray:
    """M_o (h, w) float32: 1 where the stored depth uint16 (h, w) has an object (paper 3.3)."""
    return (stored > 0).astype(np.float32)


def holdout(object_depth: np.ndarray, character_depth: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """(h, w) float32 0..1, antialiased: where an object lies in front of the character.

    Both depths are in metres, infinite where there is nothing. Around the volumes (hair, cloth), the depth of the
    nearest volume is used.
    """
    if not np.isfinite(character_depth).any():
        return np.zeros(object_depth.shape, np.float32)
    nearer = object_depth < _carried_outwards(character_depth) * (1 - tolerance)
    return cv2.sepFilter2D(nearer.astype(np.float32), -1, _EDGE, _EDGE, borderType=cv2.BORDER_REPLICATE)


def _carried_outwards(depth: np.ndarray) -> np.ndarray:
    nothing = ~np.isfinite(depth)
    if not nothing.any():
        return depth
    labels = cv2.distanceTransformWithLabels(nothing.astype(np.uint8), cv2.DIST_L2, 5,
                                             labelType=cv2.DIST_LABEL_PIXEL)[1]
    values = np.zeros(labels.max() + 1, np.float32)
    values[labels[~nothing]] = depth[~nothing]
    return values[labels]
