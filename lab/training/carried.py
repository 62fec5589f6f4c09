"""A training clip's reference carried to its frames on the body surface, with the errors that it will have in use.

An artist's joints lie a little beside the true ones, depths are estimated or flat, a performer's joints tremble (ours;
docs/training.md).
"""
from dataclasses import dataclass

import numpy as np

from engine.conditions.bundle import SURFACE_ROOM
from engine.conditions.character import carry, frame_maps, frame_picture
from engine.conditions.known_light import white_in_light
from engine.conditions.mask import grown, limb_volumes
from engine.conditions.poses import Figure
from engine.conditions.surface_inputs import CHANNELS, surface_inputs

FLAT = 0.1              # of the references come without depths
# Of the standing height, as normal deviations: a reference's joints (up to 4 px of 200), its depths, a frame's joints.
JOINT_OFF, DEPTH_OFF, FRAME_OFF = 0.01, 0.03, 0.006
EXACT_FRAMES = 0.5      # of the windows have a rig's exact joints
METRES_TALL = 1.7       # a person, on the whole
SIGNED_STEP = 0.01      # of the maps, so that they fit a byte


@dataclass(frozen=True)
class Given:
    """What is given of a frame besides its joints: the place's light (9, 3) or None; plate (H, W, 3) float32 with the
    performer in it, or None, and where they are seen, (H, W) bool."""

    light: np.ndarray | None
    plate: np.ndarray | None
    performer: np.ndarray


@dataclass(frozen=True)
class Frame:
    """warp (H, W, 4) premultiplied; maps (H, W, CHANNELS); room (H, W) 0 or 1: M_c where no mask is given."""

    warp: np.ndarray
    maps: np.ndarray
    room: np.ndarray

    @classmethod
    def nothing(cls, size) -> "Frame":
        """Of a reference without joints."""
        width, height = size
        return cls(np.zeros((height, width, 4), np.float32), np.zeros((height, width, CHANNELS), np.float32),
                   np.zeros((height, width), np.float32))


class Carried:
    """One window's character; all random draws are made at the start."""

    def __init__(self, rng: np.random.Generator, cut_out, reference, clip, clothing: float, *, refine: bool,
                 surface: bool = True):
        """cut_out (H, W, 4) float32: the reference and its matte; reference: samples.ReferenceView; clip: PooledClip;
        clothing: factor on the room that a mask leaves for cloth; refine: the matte is a pose model's, and is refined
        as in use; surface: False, the reference is carried limb by limb."""
        self._clothing, self._surface = clothing, surface
        exact = rng.random() < EXACT_FRAMES
        off = rng.normal(0, 0 if exact else rng.uniform(0, FRAME_OFF), (len(clip.body), 20, 2))
        heights = [float(tall) for tall in clip.height_px]
        self._figures = tuple(
            Figure(_moved(body, offset * tall), tuple(hands), tall, float(focal))
            for body, hands, tall, focal, offset in zip(clip.body, clip.hands, heights, clip.focal, off, strict=True))
        figure = _estimated(rng, reference)
        self.character = carry(cut_out[..., :3], cut_out[..., 3], figure, self._figures,
                               cut_out=cut_out, limbs=figure, refine=refine)

    def joints(self, k: int) -> tuple:
        """(body, hands, height_px) of frame k as it is given."""
        figure = self._figures[k]
        return figure.body, figure.hands, figure.height_px

    def frame(self, k: int, size, given: Given) -> Frame:
        character, figure = self.character, self._figures[k]
        maps = frame_maps(character, character.figures[k], size) if self._surface else None
        if maps is None:
            room = limb_volumes(figure.body, figure.hands, figure.height_px, size, self._clothing)
            warp = frame_picture(character, None, figure, size)
            return Frame(warp, np.zeros((*warp.shape[:2], CHANNELS), np.float32), room)
        white = None if given.light is None else white_in_light(maps, given.light)
        inputs = surface_inputs(maps, character.figures[k], character.depth_worth,
                                reference_light=character.avatar.light, white=white, plate=given.plate,
                                performer=given.performer)
        room = grown(maps.mask, SURFACE_ROOM * self._clothing * figure.height_px)
        return Frame(frame_picture(character, maps, figure, size), inputs, room)


def in_signed_bytes(maps: np.ndarray) -> np.ndarray:
    """(...) about -1 .. 1 -> uint8, 128 for 0."""
    return (maps / SIGNED_STEP + 128.5).clip(0, 255).astype(np.uint8)


def from_signed_bytes(stored):
    """Back, float32; stored: a tensor."""
    return (stored.float() - 128) * SIGNED_STEP


def _estimated(rng, reference) -> Figure:
    tall = reference.height_px
    body = _moved(reference.body, rng.normal(0, rng.uniform(0, JOINT_OFF), (20, 2)) * tall)
    if rng.random() < FLAT:
        body[:, 2] = 0
    else:
        body[:, 2] += rng.normal(0, rng.uniform(0, DEPTH_OFF), 20) * METRES_TALL
    return Figure(body, (None, None), tall)


def _moved(body, offset) -> np.ndarray:
    body = np.array(body, np.float64)
    body[:, :2] += offset
    return body
