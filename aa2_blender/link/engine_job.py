"""A request for the engine in; one EngineJob, which ends as done, failed or cancelled whatever the engine does, out."""
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..embedded.engine.contract import messages, version
from ..embedded.engine.contract.errors import CODES, JobError
from .interpreter import Launch
from .patience import LookClock, Patience
from .process import Babble, Ended, EngineProcess, Said

REPAIR = "Generate again; if it happens again, send engine.log and events.jsonl of the job's folder."
MOST_WARNINGS = 100  # of one job, all different; the job's events.jsonl has all others, however many


class EngineState(StrEnum):
    """The state of a request. The last three are ends."""

    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS = (EngineState.DONE, EngineState.FAILED, EngineState.CANCELLED)


@dataclass
class EngineJob:
    """The life of one request; `frames` (1..N) are final on disk."""

    request: object
    folder: Path
    state: EngineState = EngineState.STARTING
    progress: messages.Progress | None = None
    frames: list[int] = field(default_factory=list)
    warnings: list[messages.Warned] = field(default_factory=list)
    answer: messages.Finished | messages.Joints | messages.People | None = None
    error: JobError | None = None
    longest_pump_s: float = 0.0
    _numbers: set[int] = field(default_factory=set, repr=False)

    @property
    def ended(self) -> bool:
        return self.state in ENDS


_USUAL = Patience()


class Link:
    """Keeps the engine warm between jobs, and has at most one job. All calls come from Blender's main thread; only
    close() blocks."""

    def __init__(self, patience: Patience = _USUAL):
        self.patience = patience
        self.hello: messages.Hello | None = None
        self.job: EngineJob | None = None
        self._process: EngineProcess | None = None
        self._clock = LookClock()
        self._deadline = 0.0  # of the present step of the cancellation
        self._terminated = False
        self._heard = self._worked = 0  # of the process, when it was last checked
        self._silent_since = self._idle_since = 0.0

    def start(self, launch: Launch, request, folder: Path) -> EngineJob:
        """Send a request to the process that `launch` has for it; the request's files and the engine's log are in
        `folder`. A running engine of the same launch is used again. Raises JobError if a job runs already or no engine
        can be started."""
        if self.job and not self.job.ended:
            raise JobError("engine_busy", f"The engine still works on {self.job.folder}.", "Cancel it or wait for it.")
        launch = launch.of(request)
        if self._process and not (self._process.alive() and self._process.launch == launch):
            self._drop()
        is_warm = self._process is not None
        if self._process is not None:
            self._process.log_to(folder / "engine.log")
        else:
            self.hello = None
            self._process = EngineProcess(launch, folder / "engine.log")
        self.job = EngineJob(request, folder)
        self._silent_since = self._idle_since = self._clock.look(time.monotonic())
        if is_warm:
            self._ask()
        return self.job

    @property
    def _at_work(self) -> EngineJob:
        """The job; only for code that runs while there is one."""
        assert self.job is not None
        return self.job

    @property
    def _engine(self) -> EngineProcess:
        """The process; only for code that runs while there is one."""
        assert self._process is not None
        return self._process

    def pump(self, budget_s: float = 0.004) -> None:
        """Take what the engine has said since the last call, for about `budget_s` at most; call this about every 50
        ms."""
        began = time.monotonic()
        job = self.job
        while job and not job.ended and time.monotonic() - began < budget_s:
            item = self._engine.mailbox.take()
            if item is None:
                break
            self._take(item)
        if job and not job.ended:
            self._look_at_clock()
        if job:
            job.longest_pump_s = max(job.longest_pump_s, time.monotonic() - began)

    def cancel(self) -> None:
        """Ask the engine to stop. If it does not, pump() uses stronger means. Finished frames stay."""
        if not self.job or self.job.ended or self.job.state == EngineState.CANCELLING:
            return
        if self.job.state == EngineState.STARTING:
            return self._end(EngineState.CANCELLED, drop=True)
        self.job.state = EngineState.CANCELLING
        self._engine.send(messages.Cancel())
        self._deadline = self._clock.seconds + self.patience.with_engine(self.hello).cancel
        self._terminated = False

    def close(self) -> None:
        """Block until the engine is gone (at most seconds); a running job ends as cancelled. For quitting."""
        if self.job and not self.job.ended:
            self.job.state = EngineState.CANCELLED
        if self._process:
            self._process.close()
        self._process = None

    def _ask(self) -> None:
        try:
            if self._engine.send(self._at_work.request):
                self._at_work.state = EngineState.RUNNING
        except JobError as error:  # for example a path that no system allows
            self._fail(error)

    def _take(self, item: Said | Babble | Ended) -> None:
        if isinstance(item, Ended):
            self._died(item.returncode)
        elif isinstance(item, Babble):
            self._fail(JobError(item.error.code, item.error.message, REPAIR), drop=True)
        elif isinstance(item.event, messages.Hello):
            self._greeted(item.event)
        elif self.hello is None and not isinstance(item.event, messages.Failed):
            self._fail(JobError("protocol_garbage", f"Expected the engine's hello first, got {item.event}.", REPAIR),
                       drop=True)
        elif self._is_ours(item.event):
            self._happened(item.event)

    def _greeted(self, hello: messages.Hello) -> None:
        if hello.protocol != version.PROTOCOL:
            return self._fail(JobError(
                "protocol_mismatch", f"The engine speaks protocol {hello.protocol}, the add-on {version.PROTOCOL}.",
                "Install the extension again, so that both are of one release."), drop=True)
        self.hello = hello
        self._ask()

    def _is_ours(self, event) -> bool:
        """Whether an event is about the present job. Events of a job that was given up may still arrive."""
        return messages.subject(event) in (None, messages.subject(self._at_work.request))

    def _happened(self, event) -> None:
        job = self._at_work
        match event:
            case messages.Progress():
                job.progress = event
            case messages.Frame():
                if event.number not in job._numbers:
                    job._numbers.add(event.number)
                    job.frames.append(event.number)
            case messages.Warned():
                if len(job.warnings) < MOST_WARNINGS and event not in job.warnings:
                    job.warnings.append(event)
            case messages.Failed():
                self._fail(JobError(event.code if event.code in CODES else "internal", event.message, event.hint),
                           drop=self.hello is None)
            case messages.Cancelled():
                self._end(EngineState.CANCELLED)
            case messages.Finished() | messages.Joints() | messages.People():
                job.answer = event
                self._end(EngineState.DONE)

    def _look_at_clock(self) -> None:
        """Check after every pump whether it is time for the next step: an engine that never stops talking can be late
        too."""
        now = self._clock.look(time.monotonic())
        self._listen_for_work(now)
        if self._at_work.state == EngineState.CANCELLING:
            if now > self._deadline and self._terminated:
                self._end(EngineState.CANCELLED, drop=True)
            elif now > self._deadline:
                self._engine.terminate()
                self._terminated = True
                self._deadline = now + self.patience.terminate
        elif now - self._silent_since > (self.patience.with_engine(self.hello).silence if self.hello
                                         else self.patience.hello):
            what = "nothing" if self.hello else "no hello"
            self._give_up(f"The engine has said {what} for {now - self._silent_since:.0f} seconds.")
        elif self.hello and self._silent_since - self._idle_since > self.patience.idle:
            self._give_up(f"The engine has said for {self._silent_since - self._idle_since:.0f} seconds that it does "
                          "nothing, but not how the job ended.")

    def _listen_for_work(self, now: float) -> None:
        """A message that waits in the mailbox counts as said now. Before hello, nothing that an engine says extends the
        wait. An engine that says nothing does not say that it is idle: it may be in the middle of a long step."""
        process, waits = self._engine, len(self._engine.mailbox) > 0
        if self.hello and (waits or process.heard != self._heard):
            self._silent_since = now
        if waits or process.worked != self._worked or not self.hello:
            self._idle_since = now
        self._heard, self._worked = process.heard, process.worked

    def _give_up(self, why: str) -> None:
        words = self._engine.last_words()
        self._fail(JobError("engine_silent", why + (f" Its last lines:\n{words}" if words else ""), REPAIR), drop=True)

    def _died(self, returncode: int) -> None:
        if self._at_work.state == EngineState.CANCELLING:
            return self._end(EngineState.CANCELLED, drop=True)
        how = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with exit code {returncode}"
        words = self._engine.last_words()
        hint = "The system may have run out of memory; close other programs and generate again." \
            if returncode == -9 else REPAIR
        self._fail(JobError("engine_died", f"The engine {how}." + (f" Its last lines:\n{words}" if words else ""),
                            hint),
                   drop=True)

    def _fail(self, error: JobError, drop: bool = False) -> None:
        self._at_work.error = error
        self._end(EngineState.FAILED, drop)

    def _end(self, state: EngineState, drop: bool = False) -> None:
        self._at_work.state = state
        if drop:
            self._drop()

    def _drop(self) -> None:
        """Give up the present engine; the next job starts another one."""
        if self._process:
            self._process.kill()
        self._process = None
        self.hello = None
