"""The progress of a command: for people on stderr, for programs and render farms on stdout."""
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ..embedded.engine.contract import messages, telling
from ..tasks.task import Progress

PEOPLE = telling.KINDS[0]


class Teller:
    """Tells each stage when it begins, then at most once a second. `kind` is one of telling.KINDS."""

    def __init__(self, kind: str, job: str, programs: TextIO) -> None:
        self._say: Callable[[Progress], None] = _say_to_people if kind == PEOPLE else self._say_to_programs
        self._tell, self._has_words, self._job = telling.teller(kind, programs), kind == "openjd", job
        self._kind, self._stage, self._shown_at = kind, "", 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.stage == self._stage and time.monotonic() - self._shown_at < 1.0:
            return
        self._stage, self._shown_at = progress.stage, time.monotonic()
        self._say(progress)

    def end(self, summary: dict) -> None:
        """Tell how the command ended, where programs read: its summary says it to people."""
        if self._kind == PEOPLE:
            return
        error = summary.get("error")
        if error:
            self._tell(messages.Failed(self._job, error["code"], error["message"], error["hint"]))
        elif summary["state"] == "cancelled":
            self._tell(messages.Cancelled(self._job, summary.get("frames", 0)))

    def _say_to_programs(self, progress: Progress) -> None:
        stage = progress.words if self._has_words else progress.stage
        self._tell(messages.Progress(self._job, stage, progress.step, progress.total, progress.eta_s))


def _say_to_people(progress: Progress) -> None:
    print(f"aa2: {progress}", file=sys.stderr, flush=True)
