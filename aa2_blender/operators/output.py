"""The result for other programs and other editors: files, passes, nodes, the camera's background, a plane."""
from pathlib import Path

import bpy
from bpy.props import EnumProperty

from ..embedded.engine.contract import files
from ..gather.camera import camera_at
from ..place import background, compositor
from ..queue import session
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import request_of
from ..settings.table import FORMS
from ..tasks.output import Delivery, Movie
from ..versions.folders import read_request
from ..versions.shown import folder_of_shot
from .button import Button, StartButton
from .result import OfVersion


class AA2_OT_write_output(OfVersion, StartButton, bpy.types.Operator):
    """Write the layers and passes of the shown version for other programs, to output/ in its folder"""

    bl_idname = "aa2.write_output"
    bl_label = "Write Output"
    form: EnumProperty(name="Form", description="What is written", items=FORMS, default="png8")

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder = folder_of_shot(shot_scene(context))
        if self.form == "movie":
            return self.begin(Movie(folder))
        return self.begin(Delivery(folder, self.form, files.DELIVERED, link=session.link, launch=engine_launch()))


class AA2_OT_add_passes(OfVersion, StartButton, bpy.types.Operator):
    """Add the matte, shadow and skeleton of the shown version as muted strips above it"""

    bl_idname = "aa2.add_passes"
    bl_label = "Add Passes"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        return self.begin(Delivery(folder_of_shot(scene), "png8", ("matte", "shadow", "skeleton"), link=session.link,
                                   launch=engine_launch(), scene=scene.name))


class _InScene(OfVersion, Button):
    """A button that shows the result outside the sequencer, in the scene of the rig and the camera."""

    bl_options = {"REGISTER", "UNDO"}

    def places(self, context: bpy.types.Context) -> tuple[Path, bpy.types.Scene, bpy.types.Object | None, int]:
        """(the version's folder, the scene that is rendered, its camera, that scene's frame less the edit's)."""
        scene = shot_scene(context)
        folder = folder_of_shot(scene)
        job = background.job_of(folder)
        request = read_request(folder) or request_of(scene)
        driver = bpy.data.scenes.get(job.driver.scene) or scene
        camera = camera_at(driver, driver.frame_current, request.camera)
        return folder, driver, camera, job.driver.frame_offset


class AA2_OT_add_nodes(_InScene, bpy.types.Operator):
    """Composite the shown version over the render; your own nodes stay as they are"""

    bl_idname = "aa2.add_nodes"
    bl_label = "Add to Compositor"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder, driver, _camera, offset = self.places(context)
        name = compositor.lay_nodes(driver, folder, offset)
        self.report({"INFO"}, f"Added the node {name!r} to the compositor of {driver.name!r}")


class AA2_OT_add_background(_InScene, bpy.types.Operator):
    """Show the version in front of the camera view, as a background image of the camera"""

    bl_idname = "aa2.add_background"
    bl_label = "Add Camera Background"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder, _driver, camera, offset = self.places(context)
        background.show_in_camera(camera, folder, offset)


class AA2_OT_add_plane(_InScene, bpy.types.Operator):
    """Show the version on a plane that fills the camera view and that you can move in depth among your objects"""

    bl_idname = "aa2.add_plane"
    bl_label = "Add Plane"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder, driver, camera, offset = self.places(context)
        plane = background.show_on_plane(driver, camera, folder, offset)
        self.report({"INFO"}, f"Added the plane {plane.name!r}")


CLASSES = (AA2_OT_write_output, AA2_OT_add_passes, AA2_OT_add_nodes, AA2_OT_add_background, AA2_OT_add_plane)
