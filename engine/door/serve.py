"""The engine as a process: requests come in on stdin, events go out on stdout, one JSON object a line each.

Threads: the main one does the jobs; one reads stdin; one says that the engine is alive and watches over the parent. The
last two are daemons, so that the end of the main thread is the end of the process; and the end of either of them,
foreseen or not, ends the main one: an engine that hears nobody or is silent must not stay.
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
# After stdin closed or the parent died, a denoising step may finish; then the process ends whatever it does.
GRACE_S = 3.0
ENDS = (messages.Finished, messages.Joints, messages.People, messages.Cancelled, messages.Failed)


def claim_stdout():
    """A binary stream on the real stdout, which from now on nobody else can write to: fd 1 leads to stderr.

    Called first of all, before anything is imported that might print.
    """
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "wb")


def serve(open_engine, writer, reader=None) -> int:
    """Say hello, then do requests until stdin closes or a shutdown comes; then the process ends with exit code 0, or 1
    after a fault in one of its threads.

    open_engine() -> answer.Engine, called here so that its JobError is said as `failed`; only then this returns, with
    the exit code 2.
    """
    from . import answer as answers  # numpy and cv2 come with it: only now that stdout is ours
    # Ctrl-C in the parent's terminal: the parent decides what becomes of us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _Server(Wire(reader or sys.stdin.buffer, writer), answers)
    engine = server.open(open_engine)
    if engine is None:
        return 2
    server.say(engine.hello())
    for name, work in (("heartbeat", server.beat), ("requests", server.listen)):
        threading.Thread(target=server.until_its_end, args=(name, work), daemon=True, name=name).start()
    server.work(engine)
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
        self._state = threading.Lock()  # over _busy and _stop

    def open(self, open_engine):
        """The engine, or None after `failed` was said."""
        try:
            return open_engine()
        except JobError as error:
            self.say(messages.Failed(None, error.code, error.message, error.remedy))
        except Exception as error:  # a door: the add-on is told why
            log.exception("the engine cannot start")
            self.say(messages.Failed(None, "internal", f"{type(error).__name__}: {error}", self._tail.text()))
        return None

    def say(self, event) -> None:
        if not self._wire.send(messages.to_json(event)):
            self.end("nobody reads stdout")

    def work(self, engine) -> None:
        """On the main thread: one request after the other, until end() was called."""
        while (request := self._requests.get()) is not None:
            self._answers.answer(request, engine, emit=self._say_of_job, stop_asked=self._stop_asked, tail=self._tail)

    def _say_of_job(self, event) -> None:
        """The engine is free before it says that a job ended: the next request may come at once."""
        if isinstance(event, ENDS):
            with self._state:
                self._busy = False
                self._stop.clear()
        self.say(event)

    def until_its_end(self, name: str, work) -> None:
        """The whole of a thread: `work()` returns the reason why it ends, and whatever it raises is one too."""
        reason, code = f"a fault in the thread {name}", 1
        try:
            reason, code = work(), 0
        except Exception:  # a door: told before the process ends, not after
            log.exception("%s", reason)
        finally:
            self.end(reason, code)

    def listen(self) -> str:
        """On the reader's thread: every line is answered, whatever it raises."""
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
            except Exception as error:  # a door: who sent it must not wait for ever
                log.exception("a request could not be taken")
                self.say(messages.Failed(None, "internal", f"{type(error).__name__}: {error}", self._tail.text()))

    def _refuse(self, error: JobError) -> None:
        log.warning("%s", error)
        self.say(messages.Failed(None, error.code, error.message, "Send one JSON object a line."))

    def beat(self) -> str:
        """On the heartbeat's thread."""
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
        except RuntimeError:  # the system gives no thread any more: nobody else would make sure
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
    """Ends the process here: the interpreter's own way out aborts where a daemon thread is inside a read of stdin."""
    logging.shutdown()
    os._exit(code)
