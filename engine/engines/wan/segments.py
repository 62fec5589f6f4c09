"""A window of frames -> the segment that Wan makes, of 4k + 1 frames: what is given, what is made, what only fills up.

Wan's latents hold one frame and then four each. A segment is as short as its frames allow (ours): the pipelines
themselves would drop the frames that are too many, or fill up with the frames in reverse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base import Window, padded_count
from ..noise import window_noise

STEP = 4                # frames of a latent, after the first
_REFERENCE = 1 << 40    # frame numbers from here are those of the noise of references


@dataclass(frozen=True)
class Segment:
    """count frames. The first `before` are given, the next `made` are made, and those from `given_from` on are given
    (count: none). numbers: of the frames, 1..N; what fills up has the last one's."""

    count: int
    before: int
    made: int
    given_from: int
    numbers: tuple[int, ...]

    @property
    def latents(self) -> int:
        return (self.count - 1) // STEP + 1

    @property
    def firsts(self) -> list[int]:
        """The number of each latent's first frame."""
        return [self.numbers[0], *self.numbers[1::STEP]]

    @property
    def marks(self) -> np.ndarray:
        """(latents, 4) float32: 1 where a latent's frame is made. The only frame of the first latent is its last."""
        frames = np.arange(self.latents)[:, None] * STEP + np.arange(1 - STEP, 1)
        return ((frames >= self.before) & (frames < self.before + self.made)).astype(np.float32)


def segment_of(window: Window, least: int = 1) -> Segment:
    """least: the fewest frames that the pipeline makes."""
    numbers = tuple(window.frames)
    count = padded_count(max(len(numbers), least), STEP)
    before, made = len(window.before), len(window.made)
    given_from = before + made if window.after else count
    return Segment(count, before, made, given_from, numbers + numbers[-1:] * (count - len(numbers)))


def with_given(pictures: np.ndarray, masks: np.ndarray, segment: Segment, before: np.ndarray | None,
               after: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """pictures (count, H, W, 3) and masks (count, H, W, 1), 1 where the network paints, with the finished frames in
    their places, where nothing is painted. before, after (n, H, W, 3): the last and the first of them count. If there
    are frames after, the last of them fills up the segment."""
    pictures, masks = pictures.copy(), masks.copy()
    if segment.before and before is not None:
        pictures[:segment.before], masks[:segment.before] = before[len(before) - segment.before:], 0.0
    if segment.given_from < segment.count and after is not None:
        places = np.minimum(np.arange(segment.count - segment.given_from), len(after) - 1)
        pictures[segment.given_from:], masks[segment.given_from:] = after[places], 0.0
    return pictures, masks


def segment_noise(seed: int, segment: Segment, shape: Sequence[int], references: int) -> np.ndarray:
    """Normal noise (1, channels, references + latents, h, w) float32; shape (channels, h, w). It follows from the seed
    and the number of each latent's first frame, so that a resumed run has the same."""
    numbers = [_REFERENCE + place for place in range(references)] + segment.firsts
    return np.ascontiguousarray(window_noise(seed, numbers, tuple(shape)).transpose(1, 0, 2, 3)[None])


def packed(latents: np.ndarray, segment: Segment) -> np.ndarray:
    """latents (channels, latents, h, w) -> (latents, h, w, channels + 4): the last four say which of each latent's
    frames were made, as Wan's own masks do."""
    moved = latents.transpose(1, 2, 3, 0)
    marks = np.broadcast_to(segment.marks[:, None, None], (*moved.shape[:3], STEP))
    return np.concatenate([moved, marks], axis=-1).astype(np.float32)


def unpacked(packed_latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What packed() made -> latents (channels, latents, h, w), and the indices of the frames that were made."""
    latents, marks = packed_latents[..., :-STEP], packed_latents[:, 0, 0, -STEP:]
    frames = np.arange(len(marks))[:, None] * STEP + np.arange(1 - STEP, 1)
    return np.ascontiguousarray(latents.transpose(3, 0, 1, 2)), frames[marks > 0.5]
