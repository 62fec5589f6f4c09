"""Which frames are denoised together: windows that overlap, never wrap, and make every frame exactly once (ours).

The paper (3.1, long video) hands the last frame of one clip to the next as temporal reference; here the next window
also contains the last `overlap` frames, as clean latents at level 0.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Frames `start`..`stop`-1 (1..N) are made. `first`..`start`-1 are finished and pinned. If a range of a finished
    shot is made again, `stop`..`end`-1 are pinned too (end None: there are none)."""

    first: int
    start: int
    stop: int
    end: int | None = None

    @property
    def frames(self) -> range:
        return range(self.first, self.stop if self.end is None else self.end)

    @property
    def made(self) -> range:
        return range(self.start, self.stop)

    @property
    def before(self) -> range:
        return range(self.first, self.start)

    @property
    def after(self) -> range:
        return range(self.stop, self.frames.stop)


def spans(present: list[bool]) -> list[range]:
    """The runs of frames (1..N) in which somebody is present: a shot is denoised run by run, because frames without the
    character give the next frames nothing to continue from (ours)."""
    found, start = [], None
    for number, is_there in enumerate([*present, False], start=1):
        if is_there and start is None:
            start = number
        elif not is_there and start is not None:
            found.append(range(start, number))
            start = None
    return found


def plan(frames: range, size: int, overlap: int, made: range | None = None) -> list[Window]:
    """Windows of at most `size` frames over one run of frames; the last may be shorter.

    made: the part of the run to make, None for all of it. Up to `overlap` finished frames on each side of it are
    pinned. Those after it are in the last window, which leaves room for them (or for fewer, if it makes only one
    frame).
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap: expected 0..{size - 1} for a window of {size}, got {overlap}")
    made = frames if made is None else made
    behind = min(overlap, frames.stop - made.stop)
    windows, start = [], made.start
    while start < made.stop:
        first = max(frames.start, start - overlap)
        room, left = first + size - start, made.stop - start
        if left + behind <= room or left == 1:
            end = made.stop + min(behind, room - left)
            windows.append(Window(first, start, made.stop, end if end > made.stop else None))
            break
        stop = start + (room if left > room else max(room - behind, 1))
        windows.append(Window(first, start, stop))
        start = stop
    return windows
