"""How much memory a run takes, reckoned before it: the engine and the add-on use the same few constants of a set of
weights, which its manifest may give."""

from .fields import checked, number, record

_MB = number(0, 1e9)


@record
class Reckoning:
    """MB at the peak. Of the process: by itself with its weights, for a frame of a window, and for a million pixels of
    the job. Of the device, if it has memory of its own: with the weights, and for a frame of a window.

    The defaults are the embedded engine's, measured with windows of 2 to 16 frames and jobs of 0.08 to 2 million
    pixels.
    """

    base_mb: float = checked(_MB, default=325.0)
    frame_mb: float = checked(_MB, default=22.0)
    megapixel_mb: float = checked(_MB, default=15.0)
    device_base_mb: float = checked(_MB, default=0.0)
    device_frame_mb: float = checked(_MB, default=0.0)

    def host(self, window: int, megapixels: float) -> float:
        """window: frames of the longest one."""
        return self.base_mb + self.frame_mb * window + self.megapixel_mb * megapixels

    def device(self, window: int) -> float:
        return self.device_base_mb + self.device_frame_mb * window
