"""A Launch, in; a running engine whose events come out of a queue, whose stderr goes into a log.

Two daemon threads read: they end with the process and never keep Blender from quitting. They only put into the queue
and the log; everything that decides is on the caller's thread.
"""
import collections
import json
import logging
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract import events
from ..embedded.engine.contract import folder as files
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.wire import Garbage, Wire
from .interpreter import Launch

LAST_LINES = 12
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """One event of the engine."""

    event: object


@dataclass(frozen=True)
class Babble:
    """A line on stdout that is no event; `error` holds its bytes."""

    error: JobError


@dataclass(frozen=True)
class Ended:
    """The process is gone; nothing follows."""

    returncode: int


class EngineProcess:
    """One engine, from start to end. `queue` gives Said, Babble and at the end Ended; `said_at` is monotonic seconds."""

    def __init__(self, launch: Launch, log: Path):
        self.launch = launch
        self.queue: queue.SimpleQueue = queue.SimpleQueue()
        self.said_at = time.monotonic()
        self._last = collections.deque(maxlen=LAST_LINES)
        self._log = log
        try:
            self._child = subprocess.Popen(launch.command, env=dict(launch.environment), stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
        except OSError as error:
            raise JobError("engine_died", f"The engine could not be started with {launch.command[0]}: {error.strerror}.",
                           "Install the extension again, or correct the Python in its preferences.") from None
        self._wire = Wire(self._child.stdout, self._child.stdin)
        self._listener = threading.Thread(target=self._keep_log, daemon=True, name="aa2 engine log")
        self._listener.start()
        threading.Thread(target=self._listen, daemon=True, name="aa2 engine events").start()

    def log_to(self, log: Path) -> None:
        """What the engine writes to stderr from now on goes to this file: each job has its own."""
        self._log = log

    def send(self, request) -> bool:
        """Sends one request of contract/events.py; False where the engine is gone."""
        return self._wire.send(events.to_json(request))

    def alive(self) -> bool:
        return self._child.poll() is None

    def terminate(self) -> None:
        """Asks the system to end it; does not wait."""
        if self.alive():
            self._child.terminate()

    def kill(self) -> None:
        """Ends it at once; does not wait."""
        if self.alive():
            self._child.kill()

    def close(self, patience: float = 2.0) -> None:
        """Blocks until the process is gone: stdin closed, then terminated, then killed, `patience` seconds each."""
        self.send(events.Shutdown())
        try:
            self._child.stdin.close()
        except OSError:
            pass
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
        return "\n".join(self._last)

    def _listen(self) -> None:
        while True:
            try:
                value = self._wire.receive()
                if value is None:
                    break
                item = Said(events.event(value))
            except Garbage as error:
                item = Babble(error)
            except JobError as error:
                item = Babble(JobError(error.code, f"{error.message} It said {json.dumps(value)[:200]}."))
            except (OSError, ValueError):
                break
            self.said_at = time.monotonic()
            if not (isinstance(item, Said) and isinstance(item.event, events.Heartbeat)):
                self.queue.put(item)
        returncode = self._child.wait()
        self._listener.join(1.0)
        self.queue.put(Ended(returncode))

    def _keep_log(self) -> None:
        for raw in self._child.stderr:
            self._last.append(raw.decode("utf-8", "replace").rstrip())
            try:
                files.append(self._log, raw)
            except JobError:
                continue  # a full disk ends the job elsewhere; the last lines are still told
