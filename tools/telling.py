"""What the build says while it works: lines with the time since the start, and one-sentence failures."""
import sys
import time

STARTED = time.monotonic()


class Stop(Exception):
    """The command cannot go on; the message is one sentence that says what to do."""


class Missing(Stop):
    """This machine cannot have an environment: a loud skip for a user, a failure in CI."""


def say(text: str) -> None:
    """Prints one line with the seconds since the command began."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)
