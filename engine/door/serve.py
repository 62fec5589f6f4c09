"""The engine as a process: requests come in on stdin, events go out on stdout, one JSON object per line.

Threads: the main thread does the jobs; one thread reads stdin; one sends heartbeats and watches the parent. The last
two are daemons, so the process ends with the main thread. If either of them ends, expected or not, it ends the main
thread too: an engine that hears nobody, or says nothing, must not stay.
"""

import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import NoReturn

from ..contract import messages
from ..contract.errors import JobError
from ..contract.wire import Garbage, Wire

log = logging.getLogger(__name__)
HEARTBEAT_S = 1.0
# When stdin has closed or the parent has died, a denoising step may finish for so long. Then the process ends, whatever
# it is doing.
GRACE_S = 3.0
ENDS = (messages.Finished, messages.Joints, messages.People, messages.Cancelled, messages.Failed)


def claim_stdout():
    """A binary stream on the real stdout. From now on nothing else can write to it: fd 1 leads to stderr.

    Call this first, before importing anything that might print.
    """
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "wb")


def serve(open_host, writer, reader=None) -> int:
    """Say hello, then do requests until stdin closes or a shutdown comes. Then the process ends with exit code 0, or 1
    after an error in one of its threads.

    open_host() -> answer.Host. It is called here, so that its JobError is sent as `failed`. This function returns
    only in that case, with the exit code 2.
    """
    from . import answer as answers  # imports numpy and cv2, which must not print to the real stdout
    # Ctrl-C in the parent's terminal reaches us too; the parent decides what we do
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _Server(Wire(reader or sys.stdin.buffer, writer), answers)
    host = server.open(open_host)
    if host is None:
        return 2
    server.say(host.hello())
    for name, work in (("heartbeat", server.beat), ("requests", server.listen)):
        threading.Thread(target=server.until_its_end, args=(name, work), daemon=True, name=name).start()
    server.work(host)
    _leave(server.exit_code)


class _Server:
    """What the three threads share: the wire, the one job, and whether a stop was asked for."""

    def __init__(self, wire: Wire, answers):
        self._wire, self._answers = wire, answers
        self._tail = answers.Tail()
        logging.getLogger().addHandler(self._tail)
        self._requests: queue.SimpleQueue = queue.SimpleQueue()
        self._parent = os.getppid()
        self._stop = threading.Event()
        self._ending = threading.Event()
        self._busy = False
        self.exit_code = 0
        self._state = threading.Lock()  # guards _busy and _stop

    def open(self, open_host):
        """The host, or None after `failed` was sent."""
        try:
            return open_host()
        except JobError as error:
            self.say(messages.Failed(None, error.code, error.message, error.remedy))
        except Exception as error:  # a door: the add-on gets the reason
            log.exception("the engine cannot start")
            self.say(messages.Failed(None, "internal", f"{type(error).__name__}: {error}", self._tail.text()))
        return None

    def say(self, event) -> None:
        if not self._wire.send(messages.to_json(event)):
            self.end("nobody reads stdout")

    def work(self, host) -> None:
        """On the main thread: do one request after the other, until end() is called."""
        while (request := self._requests.get()) is not None:
            self._answers.answer(request, host, emit=self._say_of_job, stop_asked=self._stop_asked, tail=self._tail)

    def _say_of_job(self, event) -> None:
        """Mark the engine as free before sending that a job ended, because the next request may come at once."""
        if isinstance(event, ENDS):
            with self._state:
                self._busy = False
                self._stop.clear()
        self.say(event)

    def until_its_end(self, name: str, work) -> None:
        """The whole life of a thread. `work()` returns the reason for its end; any error that it raises is also a
        reason."""
        reason, code = f"a fault in the thread {name}", 1
        try:
            reason, code = work(), 0
        except Exception:  # a door: it is logged before the process ends, not after
            log.exception("%s", reason)
        finally:
            self.end(reason, code)

    def listen(self) -> str:
        """On the reader's thread: answer every line, whatever error it raises."""
        while True:
            try:
                value = self._wire.receive()
            except Garbage as error:
                self._refuse(error)
                continue
            except (OSError, ValueError) as error:
                return f"stdin: {error}"
            if value is None:
                return "stdin closed"
            try:
                self._take(messages.request(value))
            except JobError as error:
                self._refuse(error)
            except Exception as error:  # a door: the sender must not wait for ever
                log.exception("a request could not be taken")
                self.say(messages.Failed(None, "internal", f"{type(error).__name__}: {error}", self._tail.text()))

    def _refuse(self, error: JobError) -> None:
        log.warning("%s", error)
        self.say(messages.Failed(None, error.code, error.message, "Send one JSON object a line."))

    def beat(self) -> str:
        """On the heartbeat's thread: send heartbeats and watch the parent."""
        while not self._ending.wait(HEARTBEAT_S):
            self.say(messages.Heartbeat(self._busy))
            if os.getppid() != self._parent:
                return "the parent is gone"
        return "the engine ends already"

    def end(self, reason: str, code: int = 0) -> None:
        """From any thread: stop the job, let the main thread return, and make sure of it after GRACE_S."""
        if self._ending.is_set():
            return
        self.exit_code = code
        log.info("the engine ends: %s", reason)
        self._ending.set()
        self._requests.put(None)
        try:
            threading.Thread(target=_leave_for_sure, daemon=True, name="end").start()
        except RuntimeError:  # the system allows no more threads, so no other thread could make sure
            os._exit(1)

    def _stop_asked(self) -> bool:
        return self._stop.is_set() or self._ending.is_set()

    def _take(self, request) -> None:
        match request:
            case messages.Cancel():
                with self._state:
                    if self._busy:
                        self._stop.set()
            case messages.Shutdown():
                self.end("asked to")
            case _:
                self._accept(request)

    def _accept(self, request) -> None:
        with self._state:
            free = not self._busy
            if free:
                self._requests.put(request)
                self._busy = True
        if not free:
            self.say(messages.Failed(messages.subject(request), "engine_busy", "One job runs already.",
                                   "Wait for it or cancel it."))


def _leave_for_sure() -> NoReturn:
    time.sleep(GRACE_S)
    os._exit(1)


def _leave(code: int) -> NoReturn:
    """End the process here. The interpreter's normal exit aborts if a daemon thread is reading stdin."""
    logging.shutdown()
    os._exit(code)
