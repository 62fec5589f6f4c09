"""How long Blender waits for an engine, and the clock that measures this."""
from dataclasses import dataclass, replace

from ..embedded.engine.contract import messages

# At most so much of the time between two checks counts. In a window, Blender checks every 50 ms. If it has not checked
# for minutes, Blender itself slept (a stopped process, a closed laptop) or was busy, and what the engine said meanwhile
# has not been read yet.
MOST_BETWEEN_LOOKS_S = 1.0


@dataclass(frozen=True)
class Patience:
    """Seconds after which the next, stronger step is taken (ours: a cold disk, thirty missed heartbeats, ten heartbeats
    that report no work). An engine whose steps take longer says so in its hello."""

    hello: float = 120.0
    silence: float = 30.0
    idle: float = 10.0
    cancel: float = 20.0
    terminate: float = 3.0

    def with_engine(self, hello: messages.Hello | None) -> "Patience":
        """The patience with an engine that has said this."""
        if hello is None:
            return self
        return replace(self, silence=hello.silence_s or self.silence, cancel=hello.cancel_s or self.cancel)


class LookClock:
    """A clock whose `seconds` pass only while somebody calls look()."""

    def __init__(self):
        self.seconds = 0.0
        self._looked_at = None

    def look(self, now: float) -> float:
        """`now`: monotonic seconds. Returns the clock's own seconds."""
        if self._looked_at is not None:
            self.seconds += min(max(now - self._looked_at, 0.0), MOST_BETWEEN_LOOKS_S)
        self._looked_at = now
        return self.seconds
