"""A reference picture -> the joints that the engine finds in it. They go into the scene's settings, where the artist
can correct them."""
from pathlib import Path

import bpy

from ..embedded.engine.contract import messages
from ..embedded.engine.contract.skeleton import BODY
from ..gather.problem import GatherError
from ..link.engine_job import Link
from ..link.interpreter import Launch
from ..settings.plates import settings_of
from ..settings.properties import picture_named
from .task import EngineTask, TaskState


class JointSearch(EngineTask):
    """Looks for the person in `picture` (a file) and fills the settings of the scene named `scene`. `is_nobody`: the
    engine has looked and found nobody."""

    is_nobody = False

    def __init__(self, picture: Path, scene: str, folder: Path, *, link: Link, launch: Launch):
        super().__init__(folder, link=link, launch=launch)
        self.picture, self.scene = picture, scene
        self._remarks: list[str] = []

    def _work(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        yield from self._ask_engine(messages.FindJoints(str(self.picture)))
        self._end_as_engine()
        if self.state is not TaskState.CANCELLED:
            self._keep(self._answer(messages.Joints))

    def _keep(self, found: messages.Joints) -> None:
        self.is_nobody = found.body is None
        if found.body is None:
            raise GatherError(f"No person was found in {self.picture.name}.",
                              "Choose a picture of the whole figure, or press Edit Joints and set the joints "
                              "yourself.")
        ours = settings_of(bpy.data.scenes[self.scene])
        ours.reference_joints.clear()
        for name, (x, y, confidence) in zip(BODY, found.body, strict=True):
            joint = ours.reference_joints.add()
            joint.name, joint.place, joint.confidence = name, (x, y), confidence
        ours.reference_height = found.height_px or 0
        ours.reference_joints_of = picture_named(ours)
        self._remarks = remarks(found)
        self.undo_name = "Find Joints"

    def achieved(self) -> str:
        return ". ".join(["Joints found", *self._remarks])


def remarks(found: messages.Joints) -> list[str]:
    """What the artist should know of the picture, in sentences."""
    said = []
    if found.missing:
        said.append(f"No {' and no '.join(found.missing)} in this picture; they will be invented.")
    if found.others:
        said.append(f"{found.others + 1} people are in this picture; the nearest one is the character.")
    return said
