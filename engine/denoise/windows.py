"""Which frames are denoised together: windows that overlap, never wrap, and make every frame exactly once (ours).

The paper (3.1, long video) hands the last frame of one clip to the next as temporal reference; here the last `overlap`
frames ride along in the next window as clean latents at level 0.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Frames `start`..`stop`-1 (1..N) are made; `first`..`start`-1 were made by the previous window and ride along."""

    first: int
    start: int
    stop: int

    @property
    def frames(self) -> range:
        return range(self.first, self.stop)

    @property
    def made(self) -> range:
        return range(self.start, self.stop)

    @property
    def before(self) -> range:
        return range(self.first, self.start)


def spans(present: list[bool]) -> list[range]:
    """The runs of frames (1..N) in which somebody is present: a shot is denoised run by run, since a character who was
    out of the picture gives the next frames nothing to go on with (ours)."""
    found, start = [], None
    for number, is_there in enumerate([*present, False], start=1):
        if is_there and start is None:
            start = number
        elif not is_there and start is not None:
            found.append(range(start, number))
            start = None
    return found


def plan(frames: range, size: int, overlap: int) -> list[Window]:
    """Windows of at most `size` frames over one run of frames; the last may be shorter."""
    if not 0 <= overlap < size:
        raise ValueError(f"overlap: expected 0..{size - 1} for a window of {size}, got {overlap}")
    windows, start = [], frames.start
    while start < frames.stop:
        first = max(frames.start, start - overlap)
        stop = min(first + size, frames.stop)
        windows.append(Window(first, start, stop))
        start = stop
    return windows
