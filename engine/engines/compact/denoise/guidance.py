"""Two predictions of x0, with the reference and without it -> one that follows the reference more or less strictly."""

import numpy as np


def guided(with_reference: np.ndarray, without: np.ndarray, scale: float) -> np.ndarray:
    """Classifier-free guidance (Ho and Salimans 2022, equation 6) on x0; scale 1 is the prediction itself."""
    return without + np.float32(scale) * (with_reference - without)
