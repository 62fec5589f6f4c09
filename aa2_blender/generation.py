"""A Request -> a job folder, its frames from the engine, and the strips that show them in the scene."""
import time
from pathlib import Path

import bpy

from .embedded.engine.contract import events
from .gather.job import gather
from .gather.request import Request
from .link.interpreter import Launch
from .link.jobs import Link
from .place.strip import place
from .task import Progress, Task, duration, remedy


class Generation(Task):
    """Gathers `request` into `folder`, runs the engine on it, places the frames in the request's scene.

    `ask`: events.Run, or events.Preview to stop at the networks' inputs. `placed` are the names of the strips made.
    """

    def __init__(self, request: Request, folder: Path, *, link: Link, launch: Launch, ask=events.Run):
        super().__init__(folder, link=link, launch=launch)
        self.request, self.ask = request, ask
        self.placed: tuple[str, ...] = ()
        self.seconds = 0.0

    @property
    def warnings(self) -> list[str]:
        return [warning.message for warning in self.engine_job.warnings] if self.engine_job else []

    def _work(self):
        for stage, step, total in gather(self.request, self.folder):
            self.progress = Progress(stage, step, total)
            yield
        yield from self._ask_engine(self.ask(str(self.folder)))
        if self.engine_job.frames and self.ask is events.Run:
            yield from self._place()
        self.seconds = time.monotonic() - self.began
        self._end_as_engine()

    def _place(self):
        """Lays what is finished into the scene, of a cancelled or failed job too."""
        self.progress = Progress("Placing")
        while bpy.app.is_job_running("RENDER"):  # adding strips during a render crashes Blender
            yield
        hello = self._link.hello
        self.placed = place(bpy.data.scenes[self.request.scene], self.folder, self.request.strip,
                            pack=hello.pack["hash"] if hello else "")
        self.undo_name = "Generate"

    def achieved(self) -> str:
        what = "frames" if self.ask is events.Run else "frames of conditions"
        return f"{self.engine_job.answer.frames} {what} in {duration(self.seconds)}"

    def summary(self) -> dict:
        """The end of a generation as a JSON object, for the command line."""
        job = self.engine_job
        answer = job.answer if job and isinstance(job.answer, events.Finished) else None
        counts = {name: getattr(answer, name, None) for name in ("made", "reused", "passed")}
        return {
            "state": self.state, "job": str(self.folder), "strips": list(self.placed),
            "frames": answer.frames if answer else len(job.frames) if job else 0, **counts,
            "seconds": round(time.monotonic() - self.began, 2), "stages": answer.stages if answer else {},
            "longest_pump_ms": round(job.longest_pump_s * 1000, 2) if job else 0.0, "warnings": self.warnings,
            "error": {"code": getattr(self.error, "code", "gather"), "message": self.error.message,
                      "hint": remedy(self.error)} if self.error else None}
