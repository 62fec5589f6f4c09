"""How far a job is, how long each stage takes, and when the job will be done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..contract.messages import Progress


class Stopped(Exception):
    """The artist asked to stop. Raised between two pieces of work, never inside one."""


class Watch:
    """Counts the seconds of each stage, sends progress events with the time that is left, and notices a stop.

    `advance` counts towards `total` pieces of work; the pieces that an earlier run made do not count in the rate.
    """

    def __init__(self, job: str, emit: Callable[[object], None], stop_asked: Callable[[], bool],
                 clock: Callable[[], float] = time.monotonic):
        self._job, self._emit, self._stop_asked, self._clock = job, emit, stop_asked, clock
        self._began = clock()
        self._done = self._worked = 0
        self._working_since = None
        self._looks = []
        self.total = 0
        self.stages: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        return self._clock() - self._began

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as this stage; check for a stop first."""
        self.check()
        began = self._clock()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + self._clock() - began

    def check(self) -> None:
        """Raise Stopped if a stop was asked for. Call this between any two pieces of work."""
        if self._stop_asked():
            raise Stopped
        for look in self._looks:
            look()

    def also(self, look: Callable[[], None]) -> None:
        """From now on, each check also calls look(), which may raise to end the job."""
        self._looks.append(look)

    def begin(self, stage: str, total: int) -> None:
        self.total = total
        self._emit(Progress(self._job, stage, 0, total))

    def tell(self, stage: str, step: int, total: int) -> None:
        """Say how far a stage is that `total` does not count."""
        self._emit(Progress(self._job, stage, step, total))

    def stepped(self) -> None:
        """One denoising step is done. Looks for a stop."""
        self.advance("denoise")
        self.check()

    def work_begins(self) -> None:
        """The rate is measured from here on."""
        if self._working_since is None:
            self._working_since = self._clock()

    def advance(self, stage: str, pieces: int = 1, reused: bool = False) -> None:
        """`pieces` more are done; `reused` if they took no work. If `total` was too low, it grows."""
        self._done += pieces
        self.total = max(self.total, self._done)
        self._worked += 0 if reused else pieces
        self._emit(Progress(self._job, stage, self._done, self.total, self._eta()))

    def _eta(self) -> float | None:
        if not self._worked or self._working_since is None:
            return None
        return (self._clock() - self._working_since) / self._worked * (self.total - self._done)
