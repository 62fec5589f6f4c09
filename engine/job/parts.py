"""The windows of a shot -> parts that different machines make at the same time (ours).

Each window continues from the one before, so a part cannot simply begin: it would show another character. It begins
some windows early, at its run-in, whose frames are thrown away. The chain of windows forgets how it began, so that what
follows is nearly what the sequential run makes; assemble.py measures how nearly. The parts follow from the job alone,
never from the number of machines, so that their pictures are the same wherever they are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import jobs
from ..contract.errors import JobError
from ..engines.base import Window

# Up to so many frames, a shot is one part: its run-ins would cost more than the machines would save (ours).
MOST_WHOLE = 100


@dataclass(frozen=True)
class Part:
    """number: 1, 2 ... in the shot. spans: for each run of frames with somebody in them, the windows to denoise, in
    order. run_in: how many of the first span's first windows only lead to the rest; their frames belong to the part
    before."""

    number: int
    spans: tuple[tuple[Window, ...], ...]
    run_in: int

    @property
    def leading(self) -> tuple[Window, ...]:
        """The windows of the run-in."""
        return self.spans[0][:self.run_in] if self.spans else ()

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows whose frames the part makes."""
        every = [window for windows in self.spans for window in windows]
        return tuple(every[self.run_in:])

    @property
    def made(self) -> list[int]:
        """The frames (1..N) that the part makes, ascending."""
        return [number for window in self.windows for number in window.made]


def parts_of(spans: Sequence[tuple[Window, ...]], plan: jobs.Parts | None) -> tuple[Part, ...]:
    """The parts of a shot whose `spans` are RunPlan.spans; a single one without a plan, and for a short shot. A last
    part of less than half the length joins the one before."""
    places = [(span, k) for span, windows in enumerate(spans) for k in range(len(windows))]
    frames = sum(len(window.made) for windows in spans for window in windows)
    length = len(places) if plan is None or frames <= MOST_WHOLE else plan.windows
    starts = list(range(0, len(places), length)) if places else [0]
    if len(starts) > 1 and len(places) - starts[-1] < length / 2:
        starts.pop()
    ends = [*starts[1:], len(places)]
    run_in = 0 if plan is None else plan.run_in
    return tuple(_part(number, spans, places[start:end], run_in)
                 for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1))


def _part(number: int, spans: Sequence[tuple[Window, ...]], places: Sequence[tuple[int, int]], run_in: int) -> Part:
    by_span: dict[int, list[Window]] = {}
    for span, k in places:
        by_span.setdefault(span, []).append(spans[span][k])
    leading: list[Window] = []
    if places:
        span, k = places[0]
        leading = list(spans[span][max(k - run_in, 0):k])
        if leading:                         # nothing comes before the first one, so it makes all of its frames
            leading[0] = Window(leading[0].first, leading[0].first, leading[0].stop)
        elif k:
            first = by_span[span][0]
            by_span[span][0] = Window(first.start, first.start, first.stop)
        by_span[span] = leading + by_span[span]
    return Part(number, tuple(map(tuple, by_span.values())), len(leading))


def chosen(parts: Sequence[Part], number: int, folder: str) -> Part:
    """Part `number`. Raises JobError if the shot has no such part."""
    if not 1 <= number <= len(parts):
        raise JobError("part_unknown", f"{folder}: the shot has {len(parts)} parts, and no part {number}.",
                       "List them with: python -m engine parts JOB.")
    return parts[number - 1]
