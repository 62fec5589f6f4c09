"""Plate and region M_f -> the environment: everything that is not the character (paper 3.2)."""
import numpy as np


def known_inside(region: np.ndarray, clean_plate: bool) -> np.ndarray:
    """1 where the networks may see the environment inside M_f: everywhere on a clean plate, nowhere if a performer
    stands there.

    Ours (docs/method.md, "Two plates"): the character is inserted into an empty plate, so what it covers is known.
    """
    return region.copy() if clean_plate else np.zeros_like(region)


def environment(plate: np.ndarray, region: np.ndarray, known: np.ndarray, hole: float = 0.0) -> np.ndarray:
    """The plate (..., 3) outside M_f and where it is known inside: I * (1 - M_f * (1 - known)) (paper 3.2); elsewhere
    the grey `hole` 0..1, which is black in the paper."""
    unknown = region * (1.0 - known)
    seen = plate * (1.0 - unknown)
    return seen + np.float32(hole) * unknown if hole else seen


def without_performer(plate: np.ndarray, clean: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The plate (..., 3) with the clean plate's pixels inside M_f (..., 1). For the networks, this is an empty plate to
    insert into.

    Ours: replacement with a clean plate then looks like an insertion, which is half of the training. Outside M_f, the
    plate stays as it was shot, including a performer's shadow.
    """
    return plate + region * (clean - plate)
