"""How long Blender waits for an engine, and by which clock."""
from dataclasses import dataclass

# Of the time between two looks at most so much counts. In a window one comes every 50 ms; where none came for minutes,
# it was Blender that slept (a stopped process, a closed laptop) or was busy, and what the engine said meanwhile is
# still to be read.
MOST_BETWEEN_LOOKS_S = 1.0


@dataclass(frozen=True)
class Patience:
    """Seconds after which the next, less polite thing is done (ours: a cold disk, thirty missed heartbeats, ten that
    tell of no work)."""

    hello: float = 120.0
    silence: float = 30.0
    idle: float = 10.0
    cancel: float = 20.0
    terminate: float = 3.0


class LookClock:
    """`seconds` pass only while somebody looks."""

    def __init__(self):
        self.seconds = 0.0
        self._looked_at = None

    def look(self, now: float) -> float:
        """`now`: monotonic seconds. The clock's own seconds."""
        if self._looked_at is not None:
            self.seconds += min(max(now - self._looked_at, 0.0), MOST_BETWEEN_LOOKS_S)
        self._looked_at = now
        return self.seconds
