"""Events -> lines that people, programs and render farms read."""

import functools
import json
import sys
from collections.abc import Callable
from typing import TextIO

from . import messages

KINDS = ("people", "json", "openjd")


def teller(kind: str, programs: TextIO | None = None) -> Callable[[object], None]:
    """What tells events in a form of KINDS: on stderr for people, on `programs` (None: stdout) for programs."""
    if kind == "people":
        return Teller().tell
    say = functools.partial(print, file=programs, flush=True)
    return functools.partial(_tell_openjd if kind == "openjd" else _tell_json, say)


class Teller:
    """Events -> lines for people on stderr; if stderr is a terminal, progress overwrites itself."""

    def __init__(self, stream=None):
        self._stream = stream = stream or sys.stderr
        self._end = "\r" if stream.isatty() else "\n"

    def tell(self, event) -> None:
        match event:
            case messages.Progress():
                left = "" if event.eta_s is None else f", {event.eta_s:.0f} s left"
                self._say(f"{event.stage} {event.step} of {event.total}{left}      ", self._end)
            case messages.Warned():
                self._say(f"Warning: {event.message}{_which(event.frames)}")
            case messages.Failed():
                self._say(f"{event.code}: {event.message} {event.hint}")
            case messages.Cancelled():
                self._say(f"Cancelled; {event.frames} frames are finished.")
            case messages.Finished():
                stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in event.stages.items())
                self._say(f"Finished {event.frames} frames in {event.seconds:.1f} s: {event.made} made, {event.reused} "
                          "reused, "
                          f"{event.passed} passed through ({stages}).")
            case messages.Joints() | messages.People():
                print(json.dumps(messages.to_json(event)))

    def _say(self, line, end="\n") -> None:
        print(line, end=end, file=self._stream, flush=True)


def _which(frames) -> str:
    """Frame numbers as spans: ' Frames 1-4, 9.'"""
    spans = []
    for n in frames:
        if spans and spans[-1][1] == n - 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    text = ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in spans)
    return f" Frames {text}." if text else ""


def _tell_json(say: Callable[[str], None], event: object) -> None:
    """One JSON object a line, as on the wire to the add-on (contract/messages.py)."""
    say(json.dumps(messages.to_json(event)))


def _tell_openjd(say: Callable[[str], None], event: object) -> None:
    """What Open Job Description reads on stdout (its specification, "How Jobs Are Run", stdout and stderr messages)."""
    match event:
        case messages.Progress():
            if event.total:
                say(f"openjd_progress: {100 * event.step / event.total:.1f}")
            count = f" {event.step} of {event.total}" if event.total else ""
            say(f"openjd_status: {event.stage}{count}")
        case messages.Warned():
            say(f"openjd_status: {_line(event.message)}{_which(event.frames)}")
        case messages.Failed():
            say(f"openjd_fail: {_line(f'{event.code}: {event.message} {event.hint}')}")
        case messages.Cancelled():
            say("openjd_fail: stopped; finished frames stay")
        case messages.Finished():
            say("openjd_progress: 100")
            say(f"openjd_status: {event.made} frames made, {event.reused} reused")


def _line(text: str) -> str:
    return " ".join(text.split())
