"""Work that is done in slices on Blender's main thread, and that ends as done, failed or cancelled.

In a window, a timer runs the slices. In background mode a loop runs them: there, timers never fire, and a timer that is
still registered at exit would crash 4.2.
"""
import logging
import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from ..embedded.engine.contract import messages
from ..embedded.engine.contract.errors import JobError
from ..link.engine_job import EngineJob, EngineState, Link
from ..link.interpreter import Launch

SLICE_S = 0.05  # between two checks of the engine
# A stage of gathering or of the engine -> the words that the artist reads.
WORDS = {
    "reference": "Gathering the reference", "pose": "Gathering the pose", "mask": "Gathering the mask",
    "estimate/mask": "Gathering the mask strip", "clean": "Gathering the clean plate",
    "copy": "Copying the version", "objects": "Gathering objects", "depth": "Gathering depth",
    "light": "Gathering the light", "scene": "Looking at the scene", "pose surface": "Posing the character",
    "pose prepare": "Posing the character", "render": "Rendering the light",
    "plate": "Gathering the plate", "job": "Writing the job",
    "find reference": "Looking at the reference", "find read": "Reading the plate",
    "find follow": "Following the performer", "find depth": "Estimating depth",
    "find mask": "Drawing the performer's mask", "find clean": "Making the clean plate",
    "prepare": "Preparing", "load": "Opening the weights", "denoise": "Generating",
    "check": "Checking the shot", "preview": "Drawing conditions",
    "deliver": "Writing output"}
# The stages that count frames themselves.
_IN_FRAMES = {"plate", "pose", "mask", "estimate/mask", "clean", "objects", "depth", "light", "render", "check",
              "preview"}
GENERATING = "denoise"  # the stage that makes frames; the engine counts it in pieces of its own
_WORKING = "Working"  # a stage that has no words here
INTERNAL_HINT = "Send Blender's console output and the job's folder with a report; Generate works again."
A = TypeVar("A")  # a type of answer
logger = logging.getLogger(__name__)


class TaskState(StrEnum):
    """The state of a task. The last three are ends."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """How far a task is: `step` of `total` of a stage, and seconds to its end, or None while unknown. `frames`:
    (finished, all) frames while frames are made.

    `stage` is a key of WORDS, or the words themselves, which begin with a capital letter.
    """

    stage: str
    step: int = 0
    total: int = 0
    eta_s: float | None = None
    frames: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """What is done, without a number."""
        return WORDS.get(self.stage) or (self.stage if self.stage[:1].isupper() else _WORKING)

    @property
    def factor(self) -> float:
        """The part that is done, 0..1."""
        return min(self.step / self.total, 1.0) if self.total else 0.0

    def __str__(self) -> str:
        frames = self.frames or ((self.step, self.total) if self.total and self.stage in _IN_FRAMES else None)
        count = f" {frames[0]} of {frames[1]} frames" if frames else ""
        eta = f", {duration(self.eta_s)} left" if self.eta_s is not None else ""
        return f"{self.words}{count}{eta}"


# After each slice of work: how far it is now, or None if nothing has changed.
Slices = Generator[Progress | None, None, None]


class Task:
    """Work in a job's `folder`. `error` says why it failed.

    A kind of task defines `_work`, a generator that yields after each slice and raises what went wrong, and `achieved`.
    `undo_name` is the name of the undo step in a window, "" while the file has not changed. `engine_job` is the
    engine's job of an EngineTask.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = TaskState.WORKING
        self.progress = Progress("Beginning")
        self.undo_name = ""
        self.error: JobError | None = None
        self.engine_job: EngineJob | None = None
        self.began = time.monotonic()
        self._steps = self._work()

    def _work(self) -> Slices:
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        """The folder of its files and the engine's log."""
        return self._folder

    @property
    def warnings(self) -> list[str]:
        """What the artist should know about the result."""
        return []

    def achieved(self) -> str:
        """What a task that is done has made, in a few words."""
        raise NotImplementedError

    def advance(self) -> bool:
        """Do one slice; True while there is more to do. Never raises: an error ends the task as failed."""
        try:
            self.progress = next(self._steps) or self.progress
        except StopIteration:
            if self.state is TaskState.WORKING:
                self.state = TaskState.DONE
        except JobError as error:
            self._fail(error)
        except OSError as error:
            self._fail(JobError("job_not_writable", f"{self.folder}: {error.strerror or error}.",
                                "Choose another folder for jobs."))
        except Exception as error:
            logger.exception("a task failed")
            self._fail(JobError("internal", f"A fault in the add-on: {type(error).__name__}: {error}.", INTERNAL_HINT))
        return self.state is TaskState.WORKING

    def run(self, tell=lambda progress: None, stop_asked=lambda: False) -> "Task":
        """Block until the end. `tell` is called with every new Progress, `stop_asked` between slices."""
        seen = None
        while self.advance():
            if stop_asked():
                self.cancel()
            if self.progress != seen:
                seen = self.progress
                tell(seen)
            if self.engine_job:
                time.sleep(SLICE_S)
        return self

    def cancel(self) -> None:
        """Stop at the next slice; what is finished stays."""
        if self.state is TaskState.WORKING:
            self._steps.close()
            self.state = TaskState.CANCELLED

    def _fail(self, error: JobError) -> None:
        """End the task with this error."""
        self.error = error
        self.state = TaskState.FAILED


class EngineTask(Task):
    """A task that sends requests over `link` to the engine that `launch` starts."""

    def __init__(self, folder: Path, *, link: Link, launch: Launch) -> None:
        super().__init__(folder)
        self._link, self._launch = link, launch

    def cancel(self) -> None:
        if self.state is TaskState.WORKING and self.engine_job and not self.engine_job.ended:
            self._link.cancel()
            self.progress = Progress("Cancelling")
        else:
            super().cancel()

    def _ask_engine(self, request, doing=""):
        """Yield until the engine has ended the request, one way or another; look at `engine_job` afterwards. `doing` is
        put before the stages' names, so that WORDS can distinguish the same stage of two requests."""
        self.progress = Progress("Starting the engine")
        self.engine_job = self._link.start(self._launch, request, self.folder)
        if self.engine_job.state is EngineState.RUNNING:  # the engine was running already
            self.progress = Progress("prepare")
        while not self.engine_job.ended:
            yield
            self._link.pump()
            said = self.engine_job.progress
            if said and self.engine_job.state is EngineState.RUNNING:
                self.progress = Progress(doing + said.stage, said.step, said.total, said.eta_s, self._counted(said))

    def _counted(self, said: messages.Progress) -> tuple[int, int] | None:
        """(finished, all) frames to show with what the engine said of its progress; None if it makes no frames."""
        return None

    @property
    def _asked(self) -> EngineJob:
        """The engine's job; only for code that runs after _ask_engine."""
        assert self.engine_job is not None
        return self.engine_job

    def _answer(self, kind: type[A]) -> A:
        """The engine's answer; `kind` is the type of answer to this request."""
        answer = self._asked.answer
        assert isinstance(answer, kind)
        return answer

    def _end_as_engine(self) -> None:
        """End the task as its engine's job ended."""
        if self._asked.error:
            raise self._asked.error
        if self._asked.state is EngineState.CANCELLED:
            self.state = TaskState.CANCELLED


def duration(seconds: float) -> str:
    """Seconds as an artist reads them: in minutes from 90 on."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if seconds >= 90 else f"{seconds:.0f} s"


def in_json(error: JobError) -> dict[str, str]:
    """An error as the command line's summary shows it."""
    return {"code": error.code, "message": error.message, "hint": error.remedy}
