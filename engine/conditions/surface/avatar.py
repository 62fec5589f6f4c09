"""A reference -> its Avatar: the template's surface with the reference's girth and colours, which can take any pose.

Everything is numpy and cv2. The picture is cut to the person and scaled to at most WORKING_SIDE pixels on a side.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...contract.skeleton import BODY, BODY_INDEX
from ..limbs import SEEN, clean_joints
from ..poses import Figure
from . import matte as mattes
from .fit import fitted
from .garment import Skirt, cuff_claims, find_skirt, skirt_claims, worn_faces
from .hair import Hair, face_colour, find_hair, out_of_shade
from .hands import Hands, find_hands, skin_of_hands
from .layers import paint
from .light import without_light
from .sight import sight_of
from .space import Space
from .stance import NOTHING, Pose, Stance, pose_of, stand
from .template import Limb, Template

WORKING_SIDE = 1024
_ROOM = 0.12              # in standing heights, around the person
_LEAST_HEIGHT = 24        # pixels: nothing smaller is a person
_MOST_HEIGHT = 16         # times the picture's longer side: of nobody taller is anything seen but skin (ours)
_BELOW_AT_MOST = 4        # times the picture's height: a hip estimated further down is not believed
_NEEDED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


@dataclass(frozen=True)
class Avatar:
    """A character's surface. displacement (V,) metres along the template's normals; faces (T', 3): the faces that it
    has; atlas (H, W, 3) float32 sRGB 0..1 without the reference's light; uv (T', 3, 2) atlas pixels; source (T',) 0
    seen, 1 mirrored, 2 extended from its surroundings, 3 invented; head_scale: the head's size relative to the
    template's; height_px: the standing height in the atlas' pixels; light (5,), factors of light.turned for log luma,
    and light_mean: the reference's own light; invented: Limbs of which nothing was seen; hem: where a skirt ends, 0
    hips .. 2 ankles, or None."""
    displacement: np.ndarray
    faces: np.ndarray
    atlas: np.ndarray
    uv: np.ndarray
    source: np.ndarray
    head_scale: float
    height_px: float
    light: np.ndarray
    light_mean: float
    invented: tuple
    hem: float | None


def build_avatar(picture: np.ndarray, matte: np.ndarray, figure: Figure, template: Template, *,
                 refine: bool = False) -> Avatar | None:
    """The Avatar, or None if hips or shoulders are not known, or if nothing of the torso is seen. Then the limb warp is
    used.

    picture (h, w, 3) float32 sRGB 0..1; matte (h, w) float32 0..1; figure: its Figure in the picture's pixels. refine:
    the matte comes from a pose model, so its edge has to be found in the picture.
    """
    body = _with_hips(clean_joints(figure.body), picture.shape[1::-1])
    largest = _MOST_HEIGHT * max(picture.shape[:2])
    if min(body[BODY_INDEX[name], 3] for name in _NEEDED) < SEEN or not _LEAST_HEIGHT <= figure.height_px < largest:
        return None
    alone, inside, figure = _person_alone(picture, matte, Figure(body, figure.hands, figure.height_px))
    space = Space.of(figure, template)
    if space is None or alone is None or inside is None:
        return None
    if refine:
        inside = mattes.refined(alone, inside)
    seen = {name for name in BODY if figure.body[BODY_INDEX[name], 3] >= SEEN}
    return _built(alone, inside, pose_of(space, template, alone.shape[1::-1]), seen)


def _with_hips(body: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Hips that a pose model estimates below the picture count as seen. So a picture of head and shoulders gets an
    Avatar, and the rest of the body is invented."""
    body = body.copy()
    for name in ("left_hip", "right_hip"):
        x, y, _, confidence = body[BODY_INDEX[name]]
        below = y >= size[1] and 0 <= x < size[0] and y < size[1] * _BELOW_AT_MOST
        if confidence < SEEN and below:
            body[BODY_INDEX[name], 3] = SEEN
    return body


def _built(picture: np.ndarray, matte: np.ndarray, pose: Pose, seen: set[str]) -> Avatar | None:
    template = pose.template
    bare = stand(pose, np.zeros(len(template.points)))
    matte = mattes.without_holes(matte, bare.limbs, NOTHING)
    skirt = find_skirt(picture, matte, pose, bare)
    if skirt is not None:
        pose = pose.wearing(worn_faces(template, skirt), skirt.hem)
    displacement = fitted(pose, matte)
    stance = stand(pose, displacement)
    skin = face_colour(picture, matte, pose, seen)
    hair = find_hair(picture, matte, pose, stance, skin)
    if hair is not None and hair.is_long:
        pose = pose.wearing(worn_faces(template, skirt, hair.below), None if skirt is None else skirt.hem)
        stance = stand(pose, displacement)
    hands = find_hands(picture, matte, pose, stance, skin)
    skin = skin_of_hands(picture, matte, pose, hands) if skin is None else skin
    claims = _claims(picture, matte, pose, stance, hands=hands, hair=hair, skirt=skirt)
    sight = sight_of(picture, matte, pose, stance, claims)
    flat, light, mean = without_light(picture, stance, sight.free & (claims == NOTHING))
    if hair is not None:
        flat = out_of_shade(flat, hair)
    painted = paint(pose, stance, sight_of(flat, matte, pose, stance, claims), hands=hands, hair=hair, skin=skin)
    if Limb.TORSO in painted.invented:
        return None
    hem = None if skirt is None else skirt.hem
    return Avatar(displacement.astype(np.float32), pose.used, painted.atlas, painted.uv,
                  painted.source, pose.head_scale,
                  painted.density * template.height, light, mean, painted.invented, hem)


def _claims(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance, *, hands: Hands, hair: Hair | None,
            skirt: Skirt | None) -> np.ndarray:
    """(h, w) uint8 of Limb: the limb that a pixel belongs to by its colour. Later claims replace earlier ones."""
    claims = np.full(matte.shape, NOTHING, np.uint8)
    if skirt is not None:
        claims = skirt_claims(picture, matte, pose, stance, skirt)
    if hair is not None:
        claims[hair.mask] = Limb.HAIR
    claims = cuff_claims(claims, picture, matte, pose, stance)
    return np.where(hands.claims != NOTHING, hands.claims, claims)


def _person_alone(picture: np.ndarray, matte: np.ndarray,
                  figure: Figure) -> tuple[np.ndarray | None, np.ndarray | None, Figure]:
    """(picture, matte, figure) in the person's box, shrunk if it is larger than WORKING_SIDE; picture and matte are
    None if it is empty."""
    height, width = matte.shape
    known = figure.body[figure.body[:, 3] >= SEEN, :2]
    room = _ROOM * figure.height_px
    inside = matte > 0.5
    x, y = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    low, high = known.min(axis=0) - room, known.max(axis=0) + room
    if len(x):
        reach = low - room, high + room      # only the matte near the joints: others may be in the picture
        low = np.clip([x[0], y[0]], reach[0], low)
        high = np.clip([x[-1] + 1, y[-1] + 1], high, reach[1])
    low = np.clip(np.floor(low), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(high), 0, (width, height)).astype(int)
    if (high - low < 8).any():
        return None, None, figure
    picture, matte = (np.nan_to_num(x[low[1]:high[1], low[0]:high[0]]).clip(0, 1).astype(np.float32)
                      for x in (picture[..., :3], matte))
    share = min(WORKING_SIDE / max(picture.shape[:2]), 1.0)
    size = np.maximum(np.round((high - low) * share), 2).astype(int)
    if share < 1:
        picture, matte = (cv2.resize(x, size.tolist(), interpolation=cv2.INTER_AREA) for x in (picture, matte))
    scale = size / (high - low)

    def moved(joints: np.ndarray) -> np.ndarray:
        joints = np.array(joints, np.float64)
        joints[:, :2] = (joints[:, :2] - low) * scale
        return joints
    hands = tuple(None if hand is None else moved(hand) for hand in (figure.hands or (None, None)))
    return picture, matte, Figure(moved(figure.body), hands, float(figure.height_px * scale[1]))
