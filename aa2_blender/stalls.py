"""The longest times for which the add-on kept Blender's main thread busy. They are measured only if AA2_MEASURE=1 is in
the environment."""
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

ASKED = os.environ.get("AA2_MEASURE") == "1"
# What was done (timer, gather, draw ..., press ...) -> milliseconds of the longest time; and what the processor needed
# of it at most, which a busy machine does not change.
longest_ms: dict[str, float] = {}
longest_cpu_ms: dict[str, float] = {}
_within: list[list[float]] = []  # of each open slice: seconds of its inner slices, and the processor's part


def slice(kind: str) -> AbstractContextManager[None]:
    """A context whose duration counts for this kind. The time of slices inside it counts for those alone."""
    return _measured(kind) if ASKED else nullcontext()


@contextmanager
def _measured(kind: str) -> Iterator[None]:
    began, worked = time.perf_counter(), time.thread_time()
    _within.append([0.0, 0.0])
    try:
        yield
    finally:
        passed, used = time.perf_counter() - began, time.thread_time() - worked
        inner = _within.pop()
        if _within:
            _within[-1][0] += passed
            _within[-1][1] += used
        for table, value in ((longest_ms, passed - inner[0]), (longest_cpu_ms, used - inner[1])):
            table[kind] = max(table.get(kind, 0.0), value * 1000)


def table() -> str:
    """The longest of each kind, longest first, a line each."""
    rows = sorted(longest_ms.items(), key=lambda item: -item[1])
    return "\n".join(f"{ms:8.2f} ms, processor {longest_cpu_ms[kind]:8.2f} ms  {kind}" for kind, ms in rows)
