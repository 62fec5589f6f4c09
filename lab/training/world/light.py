"""A light of the fast world -> the coefficients of contract/harmonics.py, without drawing anything."""

import numpy as np
import torch

from engine.contract import harmonics

from .room import Light
from .shade import incident

POINTS = 4096           # over the sphere, for the integral


def coefficients(light: Light, rotation: np.ndarray, gain: np.ndarray) -> torch.Tensor:
    """(9, 3) float32 of what a white ball shows. rotation: rows right, down, forward, as a View has it; gain (3,): the
    film's factor on the picture's values.

    This world's pictures are the square root of light, so linear light is that of the ball's picture by sRGB's curve.
    What the figure alone has is left out: darker rims, folds, its shadow on itself. A room has one light everywhere.
    """
    k = np.arange(POINTS) + 0.5
    z, turn = 1 - 2 * k / POINTS, np.pi * (1 + 5 ** 0.5) * k     # Fibonacci's spiral: equal areas
    r = np.sqrt(1 - z * z)
    normals = np.stack([r * np.cos(turn), r * np.sin(turn), z])
    energy = incident(torch.from_numpy(normals.astype(np.float32)), light, rotation, None).clamp_min(0).double().numpy()
    shown = _linear(np.sqrt(energy) * np.asarray(gain)[:, None])
    found = 4 * np.pi / POINTS * np.stack(harmonics.basis(*normals)) @ shown.T
    return torch.from_numpy(found.astype(np.float32))


def _linear(picture: np.ndarray) -> np.ndarray:
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
