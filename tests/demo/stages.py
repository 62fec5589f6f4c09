"""How long things take: a line of progress while something runs, and a table of the stages at the end."""
import re
import sys
import threading
import time
from contextlib import contextmanager

LOOK_S, QUIET_S = 0.2, 2.0     # between checks of a task; between lines if the output is not a terminal
_NUMBERS = re.compile(r"( \d+ of \d+ \w+)?(, .*)?$")    # how far a stage is, after its name


class Stages:
    """Seconds by stage, in the order they began."""

    def __init__(self):
        self.seconds = {}

    @contextmanager
    def __call__(self, name):
        """Time the block."""
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(name, time.monotonic() - began)

    def add(self, name, seconds):
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def table(self):
        width = max(len(name) for name in self.seconds)
        return "\n".join(f"  {name:<{width}} {seconds:8.1f} s" for name, seconds in self.seconds.items())


@contextmanager
def watched(look):
    """Show the progress of blocking work: look() -> a line of text or None, called on a separate thread.

    Yields {stage: seconds}, which is filled while the work runs. The lines begin with the name of their stage.
    """
    ended, spent = threading.Event(), {}
    thread = threading.Thread(target=_watch, args=(look, ended, spent), daemon=True)
    thread.start()
    try:
        yield spent
    finally:
        ended.set()
        thread.join()
        if sys.stderr.isatty():
            print(file=sys.stderr)


def _watch(look, ended, spent):
    told, told_at, last = None, 0.0, time.monotonic()
    while not ended.wait(LOOK_S):
        line, now = look(), time.monotonic()
        if not line:
            continue
        stage = _NUMBERS.sub("", line)
        spent[stage] = spent.get(stage, 0.0) + now - last
        last = now
        if sys.stderr.isatty():
            print(f"\r  {line:<76}", end="", file=sys.stderr, flush=True)
        elif line != told and (stage != told or now - told_at > QUIET_S):
            print(f"  {line}", file=sys.stderr, flush=True)
            told, told_at = stage, now
