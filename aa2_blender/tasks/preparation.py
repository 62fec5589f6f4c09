"""A version of a shot -> all that its frames need, whichever machines make them: what was gathered, and what the engine
finds before the first frame."""
import time
from pathlib import Path

from .. import cost
from ..embedded.engine.contract import jobs, messages
from ..gather.problem import GatherError
from ..gather.scene_light import render_light
from ..link.engine_job import EngineJob, Link
from ..link.interpreter import Launch
from ..versions import folders
from . import performer
from .gathering import Version, in_slices
from .task import EngineTask, Slices, Task, TaskState, in_json


class Preparation(EngineTask):
    """Makes `version`. Then the engine finds the performer if one drives, and the person in the reference, and poses
    the surface if the driver's scene renders the light."""

    def __init__(self, version: Version, *, link: Link, launch: Launch) -> None:
        super().__init__(version.folder, link=link, launch=launch)
        self.version = version
        self._looks: list[EngineJob] = []  # the engine's jobs that find something

    @property
    def folder(self) -> Path:
        return self.version.folder

    @property
    def warnings(self) -> list[str]:
        return [*self.version.doubts, *(warning.message for look in self._looks for warning in look.warnings)]

    def _work(self) -> Slices:
        yield from self.version.made()
        request = folders.read_request(self.folder)
        for find in (self._find_performer, self._find_subject,
                     *([self._pose_surface] if request and request.is_lit else [])):
            if not (yield from find()):
                return

    def _find_performer(self):
        """Find the pose, mask and clean plate of a performer who drives; returns False if this was stopped. The engine
        knows what an earlier run has found and does not look for it again."""
        ask = performer.asked(self.folder)
        if ask is None:
            return True
        went_on = yield from self._look(ask, "find ")
        if went_on:
            cost.learn_performer(self._asked.answer, self._launch)
        return went_on

    def _find_subject(self):
        """Find the person in the reference, and keep it in the job; returns False if this was stopped."""
        return (yield from self._look(messages.FindSubject(str(self.folder)), "find "))

    def _pose_surface(self):
        """Pose the character's surface for the scene that lights it; returns False if this was stopped."""
        return (yield from self._look(messages.Surface(str(self.folder)), "pose "))

    def _look(self, request, doing: str):
        yield from self._ask_engine(request, doing)
        self._looks.append(self._asked)
        self._end_as_engine()
        return self.state is TaskState.WORKING

    def achieved(self) -> str:
        return "Gathered"

    def summary(self) -> dict:
        """The result as a JSON object, for the command line."""
        is_there = self.state is TaskState.DONE
        return {**summary_of(self), "frames": jobs.read(self.folder).frames if is_there else 0}


class LightRendering(Task):
    """Lets the driver's scene render the light of a gathered job whose surface is posed. `frames` (first, last) of it,
    1..N; None for all. Other machines may render the others at the same time."""

    def __init__(self, folder: Path, frames: tuple[int, int] | None) -> None:
        super().__init__(folder)
        self._frames = frames

    def _work(self) -> Slices:
        request, count = folders.read_request(self.folder), jobs.read(self.folder).frames
        if request is None or not request.is_lit:
            raise GatherError(f"The light of {self.folder} is not rendered by a scene.",
                              "Set Light Source to Rendered and gather again.")
        first, last = self._frames or (1, count)
        if not 1 <= first <= last <= count:
            raise GatherError(f"Expected frames within 1 to {count}, got {first} to {last}.", "Give other frames.")
        yield from in_slices(render_light(request, str(self.folder), range(first, last + 1)))

    def achieved(self) -> str:
        return "Light rendered"

    def summary(self) -> dict:
        """The result as a JSON object, for the command line."""
        return summary_of(self)


def summary_of(task: Task) -> dict:
    """The result of a task as a JSON object."""
    return {"state": task.state, "job": str(task.folder), "seconds": round(time.monotonic() - task.began, 2),
            "warnings": task.warnings, "error": in_json(task.error) if task.error else None}
