"""The performer in the plate who drives: the request to the engine about him, and everybody whom the engine finds in
one frame."""
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import stalls
from ..embedded.engine.contract import files, jobs, messages
from ..gather import strip as plate
from ..gather.camera import size_of
from ..gather.problem import GatherError
from ..link.engine_job import Link
from ..link.interpreter import Launch
from ..settings.plates import settings_of
from ..settings.table import DriverKind, MaskUse
from .task import EngineTask, Progress, TaskState

Box = tuple[float, float, float, float]  # left, top, right, bottom in parts of the picture, y down


@dataclass(frozen=True)
class Crowd:
    """Everybody found on one frame of a scene's plate, the nearest first."""

    scene: str
    frame: int
    boxes: tuple[Box, ...]


def asked(folder: Path) -> messages.Estimate | None:
    """The request about the performer of a gathered job; None if a rig drives."""
    chosen = jobs.read(folder).driver.performer
    if chosen is None:
        return None
    mask = files.path(str(folder), files.GIVEN_MASK) if chosen.mask_use else None
    return messages.Estimate(str(folder), frame=chosen.frame, box=chosen.box, mask=mask,
                           mask_use=chosen.mask_use or MaskUse.JOIN.value, clean=chosen.clean)


def box_at(boxes, x: float, y: float) -> int | None:
    """The box that a click selects: the smallest around the point (parts of the picture); None if there is none."""
    around = [i for i, (left, top, right, bottom) in enumerate(boxes) if left <= x <= right and top <= y <= bottom]
    return min(around, key=lambda i: (boxes[i][2] - boxes[i][0]) * (boxes[i][3] - boxes[i][1]), default=None)


def choose(scene, box: Box, frame: int) -> None:
    """From now on, the person in this box on this frame of the timeline drives; raises GatherError if there is no
    box."""
    left, top, right, bottom = (min(max(part, 0.0), 1.0) for part in box)
    if right <= left or bottom <= top:
        raise GatherError(f"Expected the performer's box as left, top, right, bottom inside the picture, got "
                          f"{', '.join(f'{part:.3g}' for part in box)} in parts of it.",
                          "Give left < right and top < bottom.")
    ours = settings_of(scene)
    ours.driver, ours.performer_box, ours.performer_frame = DriverKind.PERFORMER, (left, top, right, bottom), frame


class PeopleSearch(EngineTask):
    """Looks for everybody on a frame of the plate `strip` of the scene named `scene`; the result is `crowd`. The
    engine's log goes to `folder`."""

    def __init__(self, scene: str, strip: str, frame: int, folder: Path, *, link: Link, launch: Launch):
        super().__init__(folder, link=link, launch=launch)
        self.scene, self.strip, self.frame = scene, strip, frame
        self.crowd: Crowd | None = None
        self._has_chosen = False

    def _work(self):
        self.progress = Progress("plate")
        yield
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="aa2-people-") as folder:
            with stalls.slice("gather"):
                picture = self._picture(folder)
            yield from self._ask_engine(messages.FindPeople(picture))
            self._end_as_engine()
        if self.state is TaskState.WORKING:
            self._keep(self._answer(messages.People))

    def _picture(self, folder) -> str:
        scene = bpy.data.scenes[self.scene]
        strip = plate.find(scene, self.strip)
        first, last = plate.frames_of(strip)
        if not first <= self.frame <= last:
            raise GatherError(f"Strip {strip.name!r} shows the frames {first} to {last}, not {self.frame}.",
                              "Go to a frame on which the performer can be seen.")
        plate.check_files(strip, self.frame, self.frame)
        picture = os.path.join(folder, "frame.png")
        plate.render(scene, strip, first=self.frame, last=self.frame, write_to=lambda _: picture)
        return picture

    def _keep(self, found: messages.People) -> None:
        if not found.boxes:
            raise GatherError(f"Nobody was found on frame {self.frame} of {self.strip!r}.",
                              "Go to a frame on which the performer is seen whole, or paint a mask strip.")
        width, height = size_of(bpy.data.scenes[self.scene])
        boxes = tuple((left / width, top / height, right / width, bottom / height)
                      for left, top, right, bottom in found.boxes)
        self.crowd = Crowd(self.scene, self.frame, boxes)

    def choose(self, box: Box) -> None:
        """From now on, the person in this box drives."""
        choose(bpy.data.scenes[self.scene], box, self.frame)
        self._has_chosen = True

    def achieved(self) -> str:
        if self._has_chosen:
            return f"Performer chosen on frame {self.frame}"
        count = len(self.crowd.boxes) if self.crowd else 0
        return "One person found" if count == 1 else f"{count} people found"
