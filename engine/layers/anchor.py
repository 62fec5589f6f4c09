"""A generated segment and its plate -> the segment with the plate's colours.

Video models drift in colour with every segment. What they repaint outside M_f shows how: there, the plate is the truth.
The correction is fitted in a ring around M_f and applied inside (ours). An offset of each channel is always tried; a
gain only counts if it is better in pixels that it was not fitted to. So is the offset: a correction that does not prove
itself there is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

Halves = Sequence[np.ndarray]       # (H, W) bool for each frame
RING = 0.10         # of the crop's shorter side: how far the ring reaches around M_f
CLEAR = 0.015       # of it: what lies nearer to M_f is mixed with what was painted
_SECTORS = 8        # of the ring, around its middle: every second one is held out
_PROVED = 0.85      # of the offset's residual: a gain that leaves more has fitted chance
_ENDS = 5           # frames at each end of a segment that the fit looks at
_LEAST = 200        # pixels of a half: below it nothing is fitted
_MOST_GAIN = 2.0
_ROUNDS = 3         # of the fit: each drops the pixels that agree least
_KEPT = 0.8         # of the pixels, in each round


@dataclass(frozen=True)
class Correction:
    """gain and offset (frames, 3): shown = gain * generated + offset."""

    gain: np.ndarray
    offset: np.ndarray

    def of(self, place: int, picture: np.ndarray) -> np.ndarray:
        """The frame at this place of the segment, (H, W, 3), corrected; more channels stay as they are."""
        colour = np.clip(picture[..., :3] * self.gain[place] + self.offset[place], 0.0, 1.0).astype(np.float32)
        return np.concatenate([colour, picture[..., 3:]], axis=-1)

    @classmethod
    def none(cls, frames: int) -> "Correction":
        return cls(np.ones((frames, 3), np.float32), np.zeros((frames, 3), np.float32))


def correction(generated: np.ndarray, plates: np.ndarray, regions: np.ndarray) -> Correction:
    """generated and plates (frames, H, W, 3) 0..1, regions (frames, H, W, 1): M_f.

    One fit at each end of the segment, and even change between them: a fit for each frame would flicker.
    """
    frames = len(generated)
    fitted, held_out = zip(*(_halves(region[..., 0]) for region in regions), strict=True)
    if min(sum(map(np.count_nonzero, half)) for half in (fitted[:_ENDS], fitted[-_ENDS:], held_out)) < _LEAST:
        return Correction.none(frames)
    ends = [_pairs(generated, plates, fitted, range(min(_ENDS, frames))),
            _pairs(generated, plates, fitted, range(max(frames - _ENDS, 0), frames))]
    offset, gain = (_between([_fit(*pair, has_gain) for pair in ends], frames) for has_gain in (False, True))
    none = Correction.none(frames)
    by_none, by_offset, by_gain = (_residual(one, generated, plates, held_out) for one in (none, offset, gain))
    if by_gain < _PROVED * by_offset and by_gain < by_none:
        return gain
    return offset if by_offset < by_none else none


def _halves(region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) bool each: the pixels of the ring that are fitted, and those that are held out. Sectors, because a drift
    that differs from place to place would look the same in two halves that are mixed finely."""
    outside = region <= 0.5
    if outside.all():
        return np.zeros_like(outside), np.zeros_like(outside)
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    side = min(region.shape)
    ring = (away > CLEAR * side) & (away <= RING * side)
    rows, columns = np.nonzero(~outside)
    y, x = np.indices(region.shape) - np.array([rows.mean(), columns.mean()]).reshape(2, 1, 1)
    even = np.floor((np.arctan2(y, x) / np.pi + 1.0) * _SECTORS / 2) % 2 == 0
    return ring & even, ring & ~even


def _pairs(generated: np.ndarray, plates: np.ndarray, halves: Halves, places: range) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) each: the pixels of a half in these frames, as generated and in the plate."""
    shown, wanted = (np.concatenate([pictures[place][halves[place]] for place in places])
                     for pictures in (generated, plates))
    return shown, wanted


def _fit(shown: np.ndarray, wanted: np.ndarray, has_gain: bool) -> tuple[np.ndarray, np.ndarray]:
    """(3,) gain and (3,) offset by least squares, without the pixels that agree least: grain, moving things."""
    keep = np.ones(len(shown), bool)
    gain, offset = np.ones(3), np.zeros(3)
    for _ in range(_ROUNDS):
        x, y = shown[keep].astype(np.float64), wanted[keep].astype(np.float64)
        middle, aim = x.mean(axis=0), y.mean(axis=0)
        if has_gain:
            spread = np.maximum(((x - middle) ** 2).mean(axis=0), 1e-6)
            gain = np.clip(((x - middle) * (y - aim)).mean(axis=0) / spread, 1 / _MOST_GAIN, _MOST_GAIN)
        offset = aim - gain * middle
        off = np.abs(shown * gain + offset - wanted).mean(axis=1)
        keep = off <= np.quantile(off, _KEPT)
    return gain, offset


def _between(ends: list[tuple[np.ndarray, np.ndarray]], frames: int) -> Correction:
    part = np.linspace(0.0, 1.0, frames)[:, None] if frames > 1 else np.zeros((1, 1))
    gain, offset = ((1 - part) * first + part * last for first, last in zip(*ends, strict=True))
    return Correction(gain.astype(np.float32), offset.astype(np.float32))


def _residual(tried: Correction, generated: np.ndarray, plates: np.ndarray, halves: Halves) -> float:
    """The mean difference from the plate in the pixels that were held out."""
    total, count = 0.0, 0
    for place, half in enumerate(halves):
        shown = np.clip(generated[place][half] * tried.gain[place] + tried.offset[place], 0.0, 1.0)
        total += float(np.abs(shown - plates[place][half]).sum())
        count += int(half.sum())
    return total / max(count, 1)
