"""A finished version -> picture sequences or a movie for other programs, and passes as strips. Blender does not wait
for it."""
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import bpy

from ..embedded.engine.contract import files, jobs, messages
from ..embedded.engine.contract.errors import JobError
from ..gather.problem import GatherError
from ..link.engine_job import Link
from ..link.interpreter import Launch
from ..place.passes import lay_passes
from ..settings.plates import plate_of
from ..versions.shown import moved_by
from .task import EngineTask, Progress, Task, TaskState

_CHILD = Path(__file__).with_name("movie_child.py")


class Delivery(EngineTask):
    """Lets the engine write `layers` of a job in a form. If `scene` names a scene, the layers are laid over its strips,
    muted."""

    def __init__(self, folder: Path, form: files.Form, layers: Iterable[files.Layer], *, link: Link, launch: Launch,
                 scene: str = ""):
        super().__init__(folder, link=link, launch=launch)
        self.form: files.Form = form
        self.layers, self.scene = tuple(layers), scene

    def _work(self):
        yield from self._ask_engine(messages.Deliver(str(self.folder), self.form, self.layers))
        self._end_as_engine()
        if self.scene and self.state is not TaskState.CANCELLED:
            plate = plate_of(bpy.data.scenes[self.scene])
            lay_passes(bpy.data.scenes[self.scene], self.folder, self.layers, plate, moved_by(plate, self.folder))
            self.undo_name = "Add Passes"

    def achieved(self) -> str:
        return "Passes added" if self.scene else f"Written to {self.folder / files.OUTPUT}"


class Movie(Task):
    """One movie with alpha of the character. A separate Blender writes it, because rendering in this one would block
    it."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.path = folder / files.MOVIE
        self.codec = ""

    def _work(self):
        job = jobs.read(self.folder)
        if len(files.numbers(self.folder, files.FRAMES)) < job.frames:
            raise GatherError("Not all frames of this version are made.", "Resume it, then write the movie.")
        files.refuse_links(self.folder)
        self.path.parent.mkdir(exist_ok=True)
        self.progress = Progress("Writing the movie")
        arguments = [str(self.folder / files.FRAMES), str(job.frames), str(job.fps), str(self.path)]
        with open(self.folder / files.MOVIE_LOG, "w+", encoding="utf-8", errors="replace") as log:
            child = subprocess.Popen([*_blender(), "--", *arguments], stdout=log, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, env=_environment(),
                                     creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
            try:
                while child.poll() is None:
                    yield
            finally:
                if child.poll() is None:
                    child.kill()
            log.seek(0)
            said = log.read().splitlines()
        self.codec = next((line[6:] for line in said if line.startswith("codec ")), "")
        if child.returncode != 0 or not self.codec or not self.path.is_file():
            raise JobError("internal", f"Blender wrote no movie (exit code {child.returncode}): {' '.join(said[-2:])}",
                           "Write a sequence of pictures instead, and send movie.log of the job's output folder.")

    def achieved(self) -> str:
        return f"{self.codec}: {self.path}"


def _blender():
    """How to start a Blender like this one with the child's script. The bpy module starts its own Python."""
    if bpy.app.binary_path:
        return [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(_CHILD)]
    return [sys.executable, str(_CHILD)]


def _environment():
    """This process's environment. The bpy module waits in slices of a loop, so the child may take its time."""
    return {name: value for name, value in os.environ.items() if name != "OCIO"}
