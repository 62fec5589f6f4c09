"""A Request -> a version of its shot, its frames from the engine, and the strips that show them in the scene."""
import time
from pathlib import Path

import bpy

from .. import cost, stalls
from ..embedded.engine.contract import files, messages
from ..gather.job import gather
from ..gather.request import Request
from ..link.engine_job import EngineJob, Link
from ..link.interpreter import Launch
from ..place import conditions
from ..place.strip import PREVIEW_FRAME, place, refresh, why_not_now
from ..versions import folders, runs
from . import performer
from .task import Progress, Task, duration, in_json

SHOWN_EVERY_S = 1.0  # new frames appear in the strip at most so often: each time the sequencer draws anew


class Gathering(Task):
    """Gathers `request` into the next version of the shot in `folder`; afterwards `folder` is that version.

    Where an earlier version was gathered from the very same, `folder` becomes that one and the new one goes: its
    finished frames count. `reserved()` are the folders that a queue
    waits for when gathering begins.
    """

    def __init__(self, request: Request, folder: Path, *, link: Link, launch: Launch, reserved=tuple):
        super().__init__(folder, link=link, launch=launch)
        self.request, self.shot, self._reserved = request, folder, reserved

    def _work(self):
        yield from self._gather()

    def _gather(self):
        self.folder = folders.vacant(self.shot, self._reserved())
        try:
            steps = gather(self.request, self.folder)
            while (told := self._slice_of(steps)) is not None:
                self.progress = Progress(*told)
                yield
            twin = yield from folders.twin(self.folder)
        except BaseException:
            self._give_up()
            raise
        if twin:
            folders.discard(self.folder)
            self.folder = twin
        folders.write_request(self.folder, self.request)

    def _slice_of(self, steps):
        """What one slice of gathering tells, None after the last:
        the one thing of ours that may keep the window waiting."""
        with stalls.slice("gather"):
            return next(steps, None)

    def _give_up(self):
        """A version that was never whole leaves nothing behind, unless an engine wrote to it."""
        if not (self.folder / files.JOB).exists() and not files.has(self.folder, files.FRAMES):
            folders.discard(self.folder)

    def achieved(self) -> str:
        return "Gathered"


class Copying(Gathering):
    """Makes another version of the version `source` with the job that `change` makes of its own;
    nothing is gathered."""

    def __init__(self, source: Path, change, *, link: Link, launch: Launch, reserved=tuple, kept_frames=()):
        super().__init__(folders.read_request(source), source.parent, link=link, launch=launch, reserved=reserved)
        self._source, self._change, self._kept_frames = source, change, kept_frames

    def _gather(self):
        self.folder = folders.vacant(self.shot, (*self._reserved(), self._source))
        try:
            for stage, step, total in folders.copied(self._source, self.folder):
                self.progress = Progress(stage, step, total)
                yield
            yield from folders.copied_frames(self._source, self.folder, self._kept_frames)
            folders.write_changed(self._source, self.folder, self._change)
        except BaseException:
            self._give_up()
            raise


class Generation(Gathering):
    """Gathers `request` into a version of the shot in `folder`, or takes `folder` as it is where it is `gathered`; lets
    the engine find the performer where one drives, then generate, and places the frames in the scene named `scene`.

    `ask`: messages.Run, or messages.Preview to stop at the networks' inputs. `placed` are the names of the strips made.
    """

    teaches = True  # its times tell what the next shot will take

    def __init__(self, request: Request | None, folder: Path, *, link: Link, launch: Launch,
                 ask=messages.Run, reserved=tuple, gathered=False, scene="", strip=""):
        super().__init__(request, folder, link=link, launch=launch, reserved=reserved)
        self.ask, self._gathered = ask, gathered
        self.scene, self.strip = (request.scene, request.strip) if request else (scene, strip)
        self.placed: tuple[str, ...] = ()
        self.seconds = 0.0
        self._looks: list[EngineJob] = []  # the engine's jobs before the one that makes frames

    @property
    def warnings(self) -> list[str]:
        return [warning.message for job in (*self._looks, self._last_job()) if job for warning in job.warnings]

    def _last_job(self) -> EngineJob | None:
        """The engine's job that makes frames, or conditions; None before it was asked for."""
        return None if any(self.engine_job is look for look in self._looks) else self.engine_job

    def _work(self):
        if not self._gathered:
            yield from self._gather()
        if not (yield from self._find_performer()) or not (yield from self._find_subject()):
            return
        shown, shown_at = 0, 0.0
        for _look in self._ask_engine(self.ask(str(self.folder))):
            yield
            made = len(self.engine_job.frames)
            if made > shown and self._shows_early() and time.monotonic() - shown_at >= SHOWN_EVERY_S:
                self._show()
                shown, shown_at = made, time.monotonic()
        runs.write(self.folder, self._link.hello, self.engine_job)
        if self.engine_job.frames and self.ask is messages.Run:
            yield from self._place()
        self.seconds = time.monotonic() - self.began
        if self.ask is messages.Run and self.teaches:
            cost.learn(self.folder, self._link.hello, self.engine_job, self._launch)
        self._end_as_engine()
        if self.ask is messages.Preview and self.state == "working":
            yield from self._place_conditions()

    def _find_performer(self):
        """The pose, mask and clean plate of a performer who drives; ends with False where that was stopped. What an
        earlier run has found is not looked for again: the engine knows."""
        ask = performer.asked(self.folder)
        if ask is None:
            return True
        yield from self._ask_engine(ask, "find ")
        self._looks.append(self.engine_job)
        cost.learn_performer(self.engine_job.answer, self._launch)
        self._end_as_engine()
        return self.state == "working"

    def _find_subject(self):
        """The person in the reference, where the engine that generates may be none that can look; ends with False where
        that was stopped."""
        if self.ask is not messages.Run or self._launch.embedded is None:
            return True
        yield from self._ask_engine(messages.FindSubject(str(self.folder)), "find ")
        self._looks.append(self.engine_job)
        self._end_as_engine()
        return self.state == "working"

    def _shows_early(self) -> bool:
        """Finished frames are shown while the rest runs, but not where nobody looks, nor where the scene is gone."""
        scene = bpy.data.scenes.get(self.scene)
        return self.ask is messages.Run and not bpy.app.background and scene is not None and not why_not_now(scene)

    def _show(self):
        """The strips, laid with the first frame; from then on only their pictures change."""
        scene = bpy.data.scenes[self.scene]
        if not self.placed:
            self.placed = self._lay(scene)
            with stalls.slice("undo step"):
                bpy.ops.ed.undo_push(message="Generate: First Frames")
        else:
            with stalls.slice("show frames"):
                refresh(scene, self.folder)

    def _place_conditions(self):
        """Lays what was drawn into the scene, muted."""
        scene = bpy.data.scenes.get(self.scene)
        while scene is not None and why_not_now(scene):
            yield
            scene = bpy.data.scenes.get(self.scene)
        if scene is not None:
            with stalls.slice("lay strips"):
                self.placed = (conditions.place(scene, self.folder),)
            self.undo_name = "Preview Conditions"

    def _place(self):
        """Lays what is finished into the scene, of a cancelled or failed job too."""
        scene = bpy.data.scenes.get(self.scene)
        if scene is None:
            return
        self.progress = Progress("Placing")
        while why_not_now(scene):  # adding strips then crashes Blender
            yield
            scene = bpy.data.scenes[self.scene]
        self.placed = self._lay(scene)
        self.undo_name = "Generate"

    def _lay(self, scene):
        hello = self._link.hello
        with stalls.slice("lay strips"):
            return place(scene, self.folder, self.strip, pack=hello.pack["hash"] if hello
                         else runs.pack_hash(self.folder))

    def achieved(self) -> str:
        what = "frames" if self.ask is messages.Run else "frames of conditions"
        return f"{self.engine_job.answer.frames} {what} in {duration(self.seconds)}"

    def summary(self) -> dict:
        """The end of a generation as a JSON object, for the command line."""
        job = self._last_job()
        answer = job.answer if job and isinstance(job.answer, messages.Finished) else None
        counts = {name: getattr(answer, name, None) for name in ("made", "reused", "passed")}
        return {
            "state": self.state, "job": str(self.folder), "strips": list(self.placed),
            "frames": answer.frames if answer else len(job.frames) if job else 0, **counts,
            "seconds": round(time.monotonic() - self.began, 2), "stages": answer.stages if answer else {},
            "longest_pump_ms": round(job.longest_pump_s * 1000, 2) if job else 0.0, "warnings": self.warnings,
            "error": in_json(self.error) if self.error else None}


class FramePreview(Generation):
    """Generates one frame in a folder of its own beside the versions, made anew each time,
    and lays it over the plate."""

    teaches = False

    def __init__(self, request: Request, shot: Path, *, link: Link, launch: Launch):
        super().__init__(request, shot / PREVIEW_FRAME, link=link, launch=launch)

    def _gather(self):
        steps = gather(self.request, self.folder)
        while (told := self._slice_of(steps)) is not None:
            self.progress = Progress(*told)
            yield
        folders.write_request(self.folder, self.request)

    def _place(self):
        yield from super()._place()
        self.undo_name = "Preview Frame"

    def achieved(self) -> str:
        return f"One frame in {duration(self.seconds)}"
