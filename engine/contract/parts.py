"""How many parts a shot has: the engine splits by it, and whoever writes a job for a render farm counts by it."""

from collections.abc import Sequence

from .jobs import Parts

# Up to so many frames, a shot is one part: its run-ins would cost more than the machines would save (ours).
MOST_WHOLE = 100


def first_windows(windows: int, frames: int, plan: Parts | None) -> Sequence[int]:
    """The number (0, 1 ...) of each part's first window, in a shot of so many windows and frames with somebody in them;
    [0] without a plan, and for a short shot. A last part of less than half the length joins the one before."""
    length = windows if plan is None or frames <= MOST_WHOLE else plan.windows
    starts = list(range(0, windows, length)) if windows else [0]
    if len(starts) > 1 and windows - starts[-1] < length / 2:
        starts.pop()
    return starts
