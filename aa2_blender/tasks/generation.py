"""A version of a shot -> its frames from the engine, and the strips that show them in the scene."""
import time

import bpy

from .. import cost, stalls
from ..blender_api import Strip
from ..embedded.engine.contract import jobs, messages
from ..gather.scene_light import render_light
from ..link.engine_job import EngineJob, Link
from ..link.interpreter import Launch
from ..place import conditions
from ..place.marks import find
from ..place.strip import refresh, why_not_now
from ..versions import folders, runs
from ..versions.shown import is_another_shown, lay_version, moved_by
from .gathering import Version, in_slices
from .preparation import Preparation
from .task import GENERATING, Progress, TaskState, duration

SHOWN_EVERY_S = 1.0  # new frames appear in the strip at most this often, because the sequencer draws again each time


class Generation(Preparation):
    """Makes `version`, lets the engine find the performer if one drives, lets it generate, and lays the frames into the
    version's scene.

    `ask`: messages.Run, or messages.Preview to stop before the networks. `placed`: the names of the new strips.
    """

    teaches = True  # the cost of later shots is estimated from this task's times

    def __init__(self, version: Version, *, link: Link, launch: Launch, ask=messages.Run) -> None:
        super().__init__(version, link=link, launch=launch)
        self.ask = ask
        self.placed: tuple[str, ...] = ()
        self.seconds = 0.0
        self._frames = 0  # of the version
        self._said: list[str] = []  # warnings of our own

    @property
    def warnings(self) -> list[str]:
        job = self._last_job()
        told = [warning.message for warning in job.warnings] if job else []
        return [*super().warnings, *told, *self._said]

    def _last_job(self) -> EngineJob | None:
        """The engine's job that makes frames or conditions; None before it is requested."""
        return None if any(self.engine_job is look for look in self._looks) else self.engine_job

    def _work(self):
        yield from self.version.made()
        for prepare in (self._find_performer, self._find_subject, self._render_light):
            if not (yield from prepare()):
                return
        shown, shown_at, self._frames = 0, 0.0, jobs.read(self.folder).frames
        for _look in self._ask_engine(self.ask(str(self.folder))):
            yield
            made = len(self._asked.frames)
            if made > shown and self._shows_early() and time.monotonic() - shown_at >= SHOWN_EVERY_S:
                self._show()
                shown, shown_at = made, time.monotonic()
        runs.write(self.folder, self._link.hello, self._asked)
        if self._asked.frames and self.ask is messages.Run:
            yield from self._lay_finished()
        self.seconds = time.monotonic() - self.began
        if self.ask is messages.Run and self.teaches:
            cost.learn(self.folder, self._link.hello, self._asked, self._launch)
        self._end_as_engine()
        if self.ask is messages.Preview and self.state is TaskState.WORKING:
            yield from self._lay_conditions()

    def _counted(self, said: messages.Progress) -> tuple[int, int] | None:
        if said.stage != GENERATING or self.ask is not messages.Run:
            return None
        return len(self._asked.frames), self._frames

    def _find_subject(self):
        """As for every version, but only if the engine that generates may be unable to look."""
        if self.ask is not messages.Run or self._launch.embedded is None:
            return True
        return (yield from super()._find_subject())

    def _render_light(self):
        """Let the driver's scene render the light of the character and its shadow, if the artist asked for that;
        returns False if this was stopped. Frames that are rendered already stay."""
        request = folders.read_request(self.folder) if self.ask is messages.Run else None
        if request is None or not request.is_lit:
            return True
        if not (yield from self._pose_surface()):
            return False
        began, first = time.monotonic(), None
        for progress in in_slices(render_light(request, str(self.folder))):
            first = first or progress
            yield progress
        if first and first.step < first.total and self.teaches:
            cost.learn_light((time.monotonic() - began) / (first.total - first.step), self._launch)
        return True

    def _shows_early(self) -> bool:
        """Whether finished frames are shown while the rest runs: not in background mode, not over another version, and
        not if the plate is gone."""
        scene, plate = self._plate()
        return (self.ask is messages.Run and not bpy.app.background and scene is not None and not self._is_plate_gone()
                and not why_not_now(scene) and not is_another_shown(plate, self.folder))

    def _plate(self) -> tuple[bpy.types.Scene | None, Strip | None]:
        """(scene, plate) as they are called now."""
        return find(self.version.plate, self.version.scene, self.version.strip)

    def _is_plate_gone(self) -> bool:
        """Whether a plate that has a mark is not in the file any more."""
        return bool(self.version.plate) and self._plate()[1] is None

    def _show(self):
        """Lay the strips with the first frame; from then on, only their pictures change."""
        if not self.placed:
            self.placed = self._lay_frames()
            with stalls.slice("undo step"):
                bpy.ops.ed.undo_push(message="Generate: First Frames")
        else:
            with stalls.slice("show frames"):
                refresh(self._plate()[0], str(self.folder))

    def _may_lay(self):
        """Yield while adding strips would crash Blender; returns whether there is a plate to lay them over."""
        while not self._is_plate_gone():
            scene, _plate = self._plate()
            if scene is None or not why_not_now(scene):
                return scene is not None
            yield
        self._said.append(f"The plate {self.version.strip!r} is gone, so nothing was laid. What is made is in "
                          f"{self.folder}.")
        return False

    def _lay_conditions(self):
        """Lay the drawn conditions into the scene."""
        if (yield from self._may_lay()):
            scene, plate = self._plate()
            with stalls.slice("lay strips"):
                self.placed = (conditions.lay_conditions(scene, self.folder, plate, moved_by(plate, self.folder)),)
            self.undo_name = "Preview Conditions"

    def _lay_finished(self):
        """Lay the finished frames into the scene, also those of a cancelled or failed job, unless another version is
        shown: that one stays until this one is whole."""
        self.progress = Progress("Placing")
        if not isinstance(self._asked.answer, messages.Finished) and is_another_shown(self._plate()[1], self.folder):
            return
        if (yield from self._may_lay()):
            self.placed = self._lay_frames()
            self.undo_name = "Generate"

    def _lay_frames(self):
        hello, (scene, plate) = self._link.hello, self._plate()
        with stalls.slice("lay strips"):
            return lay_version(scene, self.folder, plate, pack=hello.pack["hash"] if hello else "",
                               say=self._said.append)

    def achieved(self) -> str:
        what = "frames" if self.ask is messages.Run else "frames of conditions"
        return f"{self._answer(messages.Finished).frames} {what} in {duration(self.seconds)}"

    def summary(self) -> dict:
        """The result of a generation as a JSON object, for the command line."""
        job = self._last_job()
        answer = job.answer if job and isinstance(job.answer, messages.Finished) else None
        counts = {name: getattr(answer, name, None) for name in ("made", "reused", "passed")}
        return {
            **super().summary(), "strips": list(self.placed),
            "frames": answer.frames if answer else len(job.frames) if job else 0, **counts,
            "stages": answer.stages if answer else {},
            "longest_pump_ms": round(job.longest_pump_s * 1000, 2) if job else 0.0}


class FramePreview(Generation):
    """Generates a TriedFrame and lays it over the plate."""

    teaches = False

    def _lay_finished(self):
        yield from super()._lay_finished()
        self.undo_name = "Preview Frame"

    def achieved(self) -> str:
        return f"One frame in {duration(self.seconds)}"
