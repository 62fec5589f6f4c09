"""A picture and a body's landmarks -> nose and eyes by the face model, finer than the body model's."""

import cv2
import numpy as np

from .hands import LEAST_HEIGHT
from .landmarks import INDEX, Landmarks
from .region import Region, cut
from .sessions import answers

POINTS = ("nose", "right_eye", "left_eye")  # of contract.skeleton.BODY
# rows of the face mesh: the tip of the nose; each eye's corners, of which the middle is used
_ROWS = ((1, 1), (33, 133), (362, 263))
_BODY_FACE = slice(0, 11)
_SIZE, _MARGIN = 192, 2.0
_ASTRAY = 0.3  # of the face's width: the most by which they may differ from the body model's (ours)


def find_face(picture: np.ndarray, found: Landmarks, height_px: float, threads: int) -> np.ndarray | None:
    """(h, w, 3) uint8 and somebody's Landmarks -> (3, 2) float32 pixels of POINTS, or None if no face is seen."""
    outline = found.pixels[_BODY_FACE]
    if height_px < LEAST_HEIGHT or found.visibility[INDEX["nose"]] < 0.5 or not _is_turned_here(found):
        return None
    eyes = found.pixels[INDEX["left_eye"]] - found.pixels[INDEX["right_eye"]]
    width = max(float(np.ptp(outline, axis=0).max()), 1e-3)
    length = float(np.hypot(*eyes))
    up = np.array([eyes[1], -eyes[0]]) / length if length > 0.1 * width else np.array(found.region.up)
    square = Region(tuple(outline.min(axis=0) / 2 + outline.max(axis=0) / 2), _MARGIN * width,
                    (float(up[0]), float(up[1])))
    crop = cut(picture, square, _SIZE, border=cv2.BORDER_REPLICATE).astype(np.float32) / 255.0
    mesh, presence = answers("face_landmark", threads, ["conv2d_21", "conv2d_31"], crop[None])
    if presence.item() < 0.0:  # a logit
        return None
    mesh = square.to_picture(mesh.reshape(-1, 3)[:, :2] / _SIZE)
    points = np.stack([(mesh[a] + mesh[b]) / 2 for a, b in _ROWS])
    astray = np.abs(points - found.pixels[[INDEX[name] for name in POINTS]]).max()
    return points.astype(np.float32) if astray < _ASTRAY * width else None


def _is_turned_here(found: Landmarks) -> bool:
    """Whether the nose is nearer to the camera than the ears."""
    return found.world[INDEX["nose"], 2] < min(found.world[INDEX["left_ear"], 2], found.world[INDEX["right_ear"], 2])
