"""What every runtime does: it runs a pack's networks through a few calls, with numpy float32 in and out, channels last.

Shapes: F frames of a window, (H, W) the crop, (h, w) = (H/4, W/4), c latent channels (the pack's sizes say how many).
Pictures are 0..1; the five channels are sRGB, matte, shadow factor (1 = lit). Features are opaque: they are passed from
one call to another, and may stay on the device.
"""

from typing import Any, Protocol

from numpy import ndarray

from ...device import DeviceReport

Features = Any


class Runtime(Protocol):
    """Calls come from one thread, one at a time; the first call that needs a session may open it."""

    def encode(self, pictures: ndarray) -> ndarray:
        """(n, H, W, 5) 0..1 -> latents (n, h, w, c)."""
        ...

    def decode(self, latents: ndarray) -> ndarray:
        """(n, h, w, c) -> (n, H, W, 5), about 0..1, not clipped."""
        ...

    def reference(self, picture: ndarray, skeleton: ndarray) -> Features:
        """(H, W, 3) and (H, W, 3), zeros if no joints are known -> appearance features, once per shot."""
        ...

    def pose(self, skeleton: ndarray, depth: ndarray) -> Features:
        """(F, H, W, 3) and (F, H, W, 1) -> pose features of this window (they pass a convolution over time)."""
        ...

    def objects(self, latents: ndarray, mask: ndarray) -> Features:
        """(F, h, w, c) of the plate under M_o, and M_o (F, H, W, 1) -> object features."""
        ...

    def denoise(self, noisy: ndarray, levels: ndarray, environment: ndarray, masks: ndarray, warp: ndarray,
                coverage: ndarray, reference: Features, pose: Features, objects: Features,
                maps: ndarray | None = None) -> tuple[ndarray, ndarray | None]:
        """x0 (F, h, w, c) of noisy (F, h, w, c) at levels (F,) 0..1; and the input of layers/heads.py for each frame
        (F, h/2, w/2, heads.CHANNELS), None if the networks do not read the surface.

        environment, warp (F, h, w, c); masks (F, H, W, 2): region M_f, known; coverage (F, H, W, 1) of the warp; maps
        (F, H, W, surface_inputs.CHANNELS), for networks that read the surface.
        """
        ...

    def describe(self) -> DeviceReport:
        """Which runtime and device run the nets."""
        ...
