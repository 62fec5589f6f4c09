"""Step 2, the character: its reference picture and the joints in it."""
from pathlib import Path

import bpy

from ..embedded.engine.contract import files
from ..gather import reference
from ..gather.strip import find, frames_of
from ..queue import session
from ..settings.plates import settings_of
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import job_folder, request_of
from ..settings.table import ReferenceKind
from ..tasks.joints import JointSearch
from .button import Button, StartButton


class AA2_OT_use_frame_as_reference(Button, bpy.types.Operator):
    """Use the current frame of the active strip as the reference"""

    bl_idname = "aa2.use_frame_as_reference"
    bl_label = "Use Current Frame"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        active = scene.sequence_editor.active_strip if scene.sequence_editor else None
        if active is None:
            return self.refuse(f"Scene {scene.name!r} has no active strip. Select the strip that shows the character.")
        first, last = frames_of(active)
        if not first <= scene.frame_current <= last:
            return self.refuse(f"Strip {active.name!r} shows the frames {first} to {last}, not "
                               f"{scene.frame_current}. Move "
                               "the playhead over the strip.")
        ours = settings_of(scene)
        ours.reference_kind, ours.reference_strip, ours.reference_frame = (
            ReferenceKind.STRIP, active.name, scene.frame_current)
        picture_of(scene)


class AA2_OT_find_reference_joints(StartButton, bpy.types.Operator):
    """Find the character's joints in the reference, so that you can correct them"""

    bl_idname = "aa2.find_reference_joints"
    bl_label = "Find Joints"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        return self.begin(search_of(shot_scene(context)))


def search_of(scene: bpy.types.Scene) -> JointSearch:
    """The task that finds the joints of a scene's reference."""
    return JointSearch(picture_of(scene), scene.name, job_folder(scene), link=session.link, launch=engine_launch())


def picture_of(scene: bpy.types.Scene) -> Path:
    """The reference as a file: the artist's own, or one written beside the versions, as the engine will see it."""
    source = request_of(scene).reference
    if source.kind == ReferenceKind.FILE and Path(source.name).is_file() and not reference.is_turned(source.name):
        return Path(source.name).resolve()
    if source.kind == ReferenceKind.STRIP and source.name:
        frames_of(find(scene, source.name))
    folder = job_folder(scene)
    folder.mkdir(parents=True, exist_ok=True)
    reference.write(source, scene, folder)
    return Path(files.path(folder, files.REFERENCE))


CLASSES = (AA2_OT_use_frame_as_reference, AA2_OT_find_reference_joints)
