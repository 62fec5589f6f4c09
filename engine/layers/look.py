"""What an artist changes in a character by hand: exposure, warmth, and the strength of the light (ours)."""
from dataclasses import dataclass

import numpy as np

from ..contract import jobs
from . import srgb

_WARM = 0.5             # stops that red gains and blue loses at a warmth of 1
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)       # of linear Rec. 709


@dataclass(frozen=True)
class Look:
    """exposure: stops; warmth: -1 (cold) .. 1 (warm), with the same brightness; light: 0 (the colours of the reference,
    without a light) .. 1 (in the light of the place)."""

    exposure: float = 0.0
    warmth: float = 0.0
    light: float = 1.0

    @classmethod
    def of(cls, settings: jobs.Settings) -> "Look":
        """settings: contract.jobs.Settings."""
        return cls(settings.exposure, settings.warmth, settings.light)

    def graded(self, colour: np.ndarray) -> np.ndarray:
        """(h, w, 3) float32 sRGB 0..1 -> the same with this exposure and warmth."""
        if not self.exposure and not self.warmth:
            return colour
        warm = 2.0 ** (_WARM * self.warmth * np.array([1, 0, -1], np.float32))
        gain = np.float32(2.0 ** self.exposure) * warm / (warm @ _LUMA)
        return srgb.encoded(np.clip(srgb.linear(np.clip(colour, 0, 1)) * gain.astype(np.float32), 0, 1))


AS_MADE = Look()
