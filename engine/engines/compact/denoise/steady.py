"""What the net says about the surface (layers/heads.py), without a jump where a window begins.

Ours. The net sees the latents of finished frames, but not what it said about their surface. So it says something else
of the same frame in the next window, and the character's light would jump there. The difference is added to the frames
that follow, less from frame to frame, and nothing is left of it after the window.

Shapes: latents (m, h, w, C); heads (m, h / 2, w / 2, K); handed on (m, h, w, C + K).
"""
import numpy as np


def joined(latents: np.ndarray, heads: np.ndarray | None) -> np.ndarray:
    """What the next window is told of finished frames: their latents and heads in one array."""
    if heads is None:
        return latents
    return np.concatenate([latents, heads.repeat(2, axis=1).repeat(2, axis=2)], axis=-1)


def parted(handed_on: np.ndarray | None, channels: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(latents, heads) of `joined`, or (latents, None) if no heads are known: of frames that are kept, there are only
    pictures. channels: C."""
    if handed_on is None or handed_on.shape[-1] == channels:
        return handed_on, None
    return handed_on[..., :channels], handed_on[:, ::2, ::2, channels:]


def steadied(heads: np.ndarray | None, told: np.ndarray | None) -> np.ndarray | None:
    """The heads of a window's frames (f, ...), from what the net says of them; told: what was said of the first ones in
    the window before, if anything was."""
    if heads is None or told is None:
        return heads
    made = heads[len(told):]
    share = 1 - np.arange(1, len(made) + 1, dtype=np.float32) / (len(made) + 1)
    return np.concatenate([told, made + share[:, None, None, None] * (told[-1] - heads[len(told) - 1])])
