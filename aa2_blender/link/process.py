"""A Launch in; a running engine, whose events come out of a mailbox and whose stderr goes into a log, out.

Two daemon threads read: they end with the process and never keep Blender from quitting. They only write to the mailbox
and the log, both of limited size; all decisions are made on the caller's thread.
"""
import contextlib
import io
import json
import logging
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..embedded.engine.contract import job_log, messages
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.wire import Garbage, Wire
from .interpreter import Launch
from .mailbox import Mailbox

LAST_LINES = 12
_LONGEST_LAST_LINE = 300  # characters that are shown of each line
_CHUNK, _TAIL = 64 * 1024, 8 * 1024  # bytes of stderr: read at once; kept for the last lines
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """One event of the engine."""

    event: object


@dataclass(frozen=True)
class Babble:
    """A line on stdout that is not an event; `error` has its bytes."""

    error: JobError


@dataclass(frozen=True)
class Ended:
    """The process has ended; nothing follows."""

    returncode: int


class EngineProcess:
    """One engine, from start to end. `mailbox` gives Said, Babble and at the end Ended. `heard` counts the lines that
    the engine has said; `worked` counts those that report work: all except the heartbeats of an idle engine."""

    def __init__(self, launch: Launch, log: Path):
        self.launch = launch
        self.mailbox = Mailbox()
        self.heard = self.worked = 0
        self._tail = b""
        self._log = log
        try:
            self._child = subprocess.Popen(launch.command, env=dict(launch.environment), stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
        except OSError as error:
            raise JobError("engine_died",
                           f"The engine could not be started with {launch.command[0]}: {error.strerror}.",
                           "Install the extension again, or correct the Python in its preferences.") from None
        self._stdin = cast(io.BufferedWriter, self._child.stdin)  # both are pipes, and binary
        self._stderr = cast(io.BufferedReader, self._child.stderr)
        self._wire = Wire(cast(io.BufferedReader, self._child.stdout), self._stdin)
        self._listener = threading.Thread(target=self._keep_log, daemon=True, name="aa2 engine log")
        self._listener.start()
        threading.Thread(target=self._listen, daemon=True, name="aa2 engine events").start()

    def log_to(self, log: Path) -> None:
        """From now on, what the engine writes to stderr goes to this file: each job has its own."""
        self._log = log

    def send(self, request) -> bool:
        """Send one request of contract/messages.py; False if the engine is gone."""
        return self._wire.send(messages.to_json(request))

    def alive(self) -> bool:
        return self._child.poll() is None

    def terminate(self) -> None:
        """Ask the system to end the process; does not wait."""
        if self.alive():
            self._child.terminate()

    def kill(self) -> None:
        """End the process at once and stop listening; does not wait."""
        self.mailbox.close()
        if self.alive():
            self._child.kill()

    def close(self, patience: float = 2.0) -> None:
        """Block until the process is gone: close stdin, then terminate, then kill, `patience` seconds each."""
        self.mailbox.close()
        self.send(messages.Shutdown())
        with contextlib.suppress(OSError):
            self._stdin.close()
        for end in (lambda: None, self._child.terminate, self._child.kill):
            end()
            try:
                self._child.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue
        logger.error("the engine %d cannot be killed", self._child.pid)

    def last_words(self) -> str:
        """The last lines of stderr."""
        lines = self._tail.decode("utf-8", "replace").splitlines()[-LAST_LINES:]
        return "\n".join(line.rstrip()[:_LONGEST_LAST_LINE] for line in lines)

    def _listen(self) -> None:
        try:
            self._listen_to_the_end()
        except Exception as error:  # a door: whoever waits for the engine must get an answer
            logger.exception("the engine's events cannot be read")
            fault = JobError("internal", f"A fault in the add-on: {type(error).__name__}: {error}.")
            self.mailbox.put(Babble(fault), 0)
            self._child.kill()
        returncode = self._child.wait()
        self._listener.join(1.0)
        self.mailbox.put(Ended(returncode), 0)

    def _listen_to_the_end(self) -> None:
        while True:
            value = None
            try:
                value = self._wire.receive()
                if value is None:
                    return
                item = Said(messages.event(value))
            except Garbage as error:
                item = Babble(error)
            except JobError as error:
                item = Babble(JobError(error.code, f"{error.message} It said {json.dumps(value)[:200]}."))
            except (OSError, ValueError):
                return
            event = item.event if isinstance(item, Said) else None
            is_beat = isinstance(event, messages.Heartbeat)
            self.heard += 1
            self.worked += not is_beat or event.busy
            if not is_beat:
                self.mailbox.put(item, self._wire.size, newest_counts=isinstance(event, messages.Progress))

    def _keep_log(self) -> None:
        """Read in pieces of limited size, even if the engine never ends its lines."""
        while chunk := self._stderr.read1(_CHUNK):
            self._tail = (self._tail + chunk)[-_TAIL:]
            try:
                job_log.append(self._log, chunk)
            except JobError:
                continue  # a full disk ends the job elsewhere; the last lines are still shown
