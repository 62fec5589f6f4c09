"""Work that is done a slice at a time on Blender's main thread, and that ends as done, failed or cancelled.

In a window a timer takes the slices; in background mode, where timers never fire and one still registered at exit
would crash 4.2, a loop does.
"""
import logging
import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from ..embedded.engine.contract.errors import JobError
from ..link.engine_job import EngineJob, EngineState, Link
from ..link.interpreter import Launch

SLICE_S = 0.05  # between two looks at the engine
# A stage of gathering or of the engine, as the artist reads it.
WORDS = {
    "reference": "Gathering the reference", "pose": "Gathering the pose", "mask": "Gathering the mask",
    "estimate/mask": "Gathering the mask strip", "clean": "Gathering the clean plate",
    "copy": "Copying the version", "objects": "Gathering objects", "depth": "Gathering depth",
    "plate": "Gathering the plate", "job": "Writing the job",
    "find reference": "Looking at the reference", "find read": "Reading the plate",
    "find follow": "Following the performer", "find depth": "Estimating depth",
    "find mask": "Drawing the performer's mask", "find clean": "Making the clean plate",
    "prepare": "Preparing", "denoise": "Generating", "check": "Drawing conditions"}
INTERNAL_HINT = "Send Blender's console output and the job's folder with a report; Generate works again."
A = TypeVar("A")  # a kind of answer
logger = logging.getLogger(__name__)


class TaskState(StrEnum):
    """Of a task. The last three are its ends."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """Where a task is: `step` of `total` of a stage, seconds to its end or None while unknown."""

    stage: str
    step: int = 0
    total: int = 0
    eta_s: float | None = None

    def __str__(self) -> str:
        count = f" {self.step}/{self.total}" if self.total else ""
        eta = f", {duration(self.eta_s)} left" if self.eta_s is not None else ""
        return f"{WORDS.get(self.stage, self.stage)}{count}{eta}"


# After each slice of work: how far it is now, None where nothing has changed.
Slices = Generator[Progress | None, None, None]


class Task:
    """Work in a job's `folder`. `error` says why it failed.

    A kind of task writes `_work`, a generator that yields after each slice and raises what went wrong, and `achieved`.
    `undo_name` is what the step back is called in a window, "" while the file is as it was. `engine_job` is what an
    EngineTask asks the engine.
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
        """Where its files and the engine's log lie."""
        return self._folder

    @property
    def warnings(self) -> list[str]:
        """What to know about what it has made."""
        return []

    def achieved(self) -> str:
        """What a task that is done has made, in a few words."""
        raise NotImplementedError

    def advance(self) -> bool:
        """Does one slice; True while there is more to do. Never raises: a fault ends the task as failed."""
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
        """Blocks until the end; `tell` is called with every new Progress, `stop_asked` between slices."""
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
        """Stops at the next slice; what is finished stays."""
        if self.state is TaskState.WORKING:
            self._steps.close()
            self.state = TaskState.CANCELLED

    def _fail(self, error: JobError) -> None:
        """Ends it with this error."""
        self.error = error
        self.state = TaskState.FAILED


class EngineTask(Task):
    """A task that asks the engine which `launch` starts, over `link`."""

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
        """Yields until the engine has ended the request one way or another; look at `engine_job` afterwards. `doing`
        stands before the stages' names, so that WORDS can tell the same stage of two requests apart."""
        self.progress = Progress("Starting the engine")
        self.engine_job = self._link.start(self._launch, request, self.folder)
        if self.engine_job.state is EngineState.RUNNING:  # it is warm
            self.progress = Progress("prepare")
        while not self.engine_job.ended:
            yield
            self._link.pump()
            said = self.engine_job.progress
            if said and self.engine_job.state is EngineState.RUNNING:
                self.progress = Progress(doing + said.stage, said.step, said.total, said.eta_s)

    @property
    def _asked(self) -> EngineJob:
        """What the engine was asked, for whatever comes after _ask_engine."""
        assert self.engine_job is not None
        return self.engine_job

    def _answer(self, kind: type[A]) -> A:
        """What the engine answered: the request says of which kind that is."""
        answer = self._asked.answer
        assert isinstance(answer, kind)
        return answer

    def _end_as_engine(self) -> None:
        """The task ends as its engine's job did."""
        if self._asked.error:
            raise self._asked.error
        if self._asked.state is EngineState.CANCELLED:
            self.state = TaskState.CANCELLED


def duration(seconds: float) -> str:
    """Seconds as an artist reads them: in minutes from 90 on."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if seconds >= 90 else f"{seconds:.0f} s"


def in_json(error: JobError) -> dict[str, str]:
    """An error as the command line's summary tells it."""
    return {"code": error.code, "message": error.message, "hint": error.remedy}
