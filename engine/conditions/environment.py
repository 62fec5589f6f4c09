"""From plate and region M_f to the environment: everything that is not the character (paper 3.2)."""
import numpy as np


def known_inside(region: np.ndarray, clean_plate: bool) -> np.ndarray:
    """1 where the environment may be seen inside M_f: all of it on a clean plate, nothing where a performer stands.

    Ours (docs/method.md, "Two plates"): into an empty plate the character is inserted, and what it covers is known.
    """
    return region.copy() if clean_plate else np.zeros_like(region)


def environment(plate: np.ndarray, region: np.ndarray, known) -> np.ndarray:
    """The plate (..., 3) outside M_f and where it is known inside: I * (1 - M_f * (1 - known)) (paper 3.2)."""
    return plate * (1.0 - region * (1.0 - known))


def without_performer(plate: np.ndarray, clean, region: np.ndarray) -> np.ndarray:
    """The plate (..., 3) with the clean plate's pixels inside M_f (..., 1): to the networks,
    an empty plate to insert into.

    Ours: replacement with a clean plate is then the insertion that training shows half of the time. Outside of M_f the
    plate stays as it was shot, a performer's shadow included.
    """
    return plate + region * (clean - plate)
