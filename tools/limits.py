"""A command and its limit -> its exit code. Past the limit, the command shows where it was and is ended, with
everything that it started. And the disk space that tests need."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .telling import STARTED, Missing, Stop

# A whole CI run takes 20 to 37 minutes on two quiet cores, without environments to make, and is ended from outside
# after 90: a hang must be reported before that.
CI_S = 75 * 60
ROOM_GB = 4             # of the disk: what all tests write at once, and as much again
LEAST_S = 20            # with less than this it is not worth starting
LAST_WORDS_S = 5        # for Python's fault handler to print every thread's stack


@dataclass(frozen=True)
class Limit:
    """Seconds by the clock, several times what two cores need: for one test with its fixtures, for a whole tier."""

    test: int
    tier: int

    def for_pytest(self) -> list[str]:
        """The test fails and shows its stack. If Python itself no longer answers, the process ends and shows every
        thread's."""
        return [f"--timeout={self.test}", "-o", f"faulthandler_timeout={self.test + 30}",
                "-o", "faulthandler_exit_on_timeout=true"]


LINT_S = 300            # ruff takes a second, basedpyright half a minute
TIERS = {"unit": Limit(240, 1800), "torch": Limit(240, 900), "blender": Limit(240, 600), "e2e": Limit(400, 2000),
         "farm": Limit(600, 1200), "window": Limit(1500, 2400)}


_running: set[subprocess.Popen] = set()


def look_for_room(*folders: Path) -> None:
    """Raises Stop if tests would fill the disk of one of the folders, or of the temporary files. On a full disk, they
    fail in a thousand places and none says why."""
    for folder in (*folders, Path(tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free / 1e9
        if free < ROOM_GB:
            raise Stop(f"tests need {ROOM_GB} GB of free disk space, and {folder} has {free:.1f} GB; free some and "
                       "start them again.")


def left_s() -> float:
    """Seconds that are left of a CI run; infinite if this is no CI run."""
    return CI_S - (time.monotonic() - STARTED) if os.environ.get("CI") == "true" else float("inf")


def run(command: list[str], title: str, *, seconds: float, cwd: Path, env: dict[str, str],
        output: Path | None = None) -> int:
    """The command's exit code. Raises Stop past `seconds`, or past what is left of a CI run; nothing of the command
    runs then. Raises Missing if too little is left to begin. output: the file for what it says, None for the
    terminal."""
    allowed = min(seconds, left_s())
    if allowed < LEAST_S:
        raise Missing(f"{title}: not begun, because {CI_S / 60:.0f} minutes of a CI run are over; look above at what "
                      "was slow.")
    with open(output, "wb") if output else contextlib.nullcontext() as said:
        child = subprocess.Popen(command, cwd=cwd, env=env, start_new_session=True, stdout=said, stderr=said)
    _running.add(child)
    try:
        return child.wait(allowed)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGABRT)
        _wait(child, LAST_WORDS_S)
        raise Stop(
            f"{title}: not done after {allowed:.0f} s, and stopped; the stacks above say where it stood.") from None
    finally:
        _end_group(child)
        _running.discard(child)


def end_all() -> None:
    """End every command that runs, with everything that it started."""
    for child in list(_running):
        _end_group(child)


def _wait(child: subprocess.Popen, seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)


def _end_group(child: subprocess.Popen) -> None:
    """Ends what the child left behind, and the child."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
