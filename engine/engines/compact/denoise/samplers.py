"""One denoising step: a latent at level t and the net's x0 -> the latent at a lower level s."""

import numpy as np

from .schedule import Schedule


def ddim_step(noisy: np.ndarray, x0: np.ndarray, t: float, s: float, schedule: Schedule) -> np.ndarray:
    """The deterministic step of Song et al. 2020 (DDIM, equation 12 with sigma_t = 0), written for x0-prediction.

    The noise that remains at level t without x0 is kept and scaled to level s; noisy, x0 and the result have one shape.
    """
    if s == 0.0:
        return x0
    noise = (noisy - schedule.alpha(t) * x0) / schedule.sigma(t)
    return (schedule.alpha(s) * x0 + schedule.sigma(s) * noise).astype(np.float32)
