"""Noise levels 0..1 -> how much of the picture and how much noise a latent holds; and which levels to step through."""

import math
from dataclasses import dataclass

import numpy as np

from ....contract.errors import JobError


@dataclass(frozen=True)
class Schedule:
    """x_t = alpha(t) x0 + sigma(t) noise for a level t in 0..1: 0 is the picture itself, 1 is pure noise."""

    name: str

    def alpha(self, t: float) -> float:
        return math.cos(math.pi / 2 * t)

    def sigma(self, t: float) -> float:
        return math.sin(math.pi / 2 * t)


# Variance-preserving: alpha^2 + sigma^2 = 1 (Nichol and Dhariwal 2021, section 3.2, without their offset),
# zero terminal SNR.
COSINE = Schedule("cosine")


def named(name: str) -> Schedule:
    """The schedule that a manifest names."""
    if name != COSINE.name:
        raise JobError("pack_invalid", f"pack.json: schedule: expected {COSINE.name!r}, got {name!r}.",
                       "Use weights made for this engine.")
    return COSINE


def levels(steps: int) -> list[float]:
    """steps + 1 levels from 1 down to 0, evenly spaced and "trailing", so that the first step sees pure noise (Lin et
    al. 2023, "Common diffusion noise schedules and sample steps are flawed", 3.3)."""
    return [float(t) for t in np.linspace(1.0, 0.0, steps + 1)]
