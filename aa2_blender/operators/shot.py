"""Step 1, the shot: the plate, its masks and a clean plate from the sequencer."""
from enum import StrEnum

import bpy
from bpy.props import EnumProperty

from ..embedded.engine.contract import files
from ..gather.strip import find, frames_of, is_shown_wrong
from ..place import estimates
from ..settings.plates import holder, plate_name, plate_of, settings_of
from ..settings.properties import shot_scene
from ..versions.shown import folder_of_shot, moved_by
from .button import Button


class Role(StrEnum):
    """What a strip can be in a shot."""

    PLATE = "PLATE"
    MASK = "MASK"
    CLEAN = "CLEAN"
    FRONT = "FRONT"


# The setting that names the strip of a role.
ROLES = {Role.PLATE: "strip", Role.MASK: "mask_strip", Role.CLEAN: "clean_strip", Role.FRONT: "front_strip"}


class AA2_OT_use_active_strip(Button, bpy.types.Operator):
    """Use the active strip as the plate, the mask, the clean plate or what stays in front"""

    bl_idname = "aa2.use_active_strip"
    bl_label = "Use Active Strip"
    bl_options = {"REGISTER", "UNDO"}
    role: EnumProperty(
        name="As", description="What the strip is in the shot", default=Role.PLATE, options={"SKIP_SAVE"},
        items=((Role.PLATE, "Plate", "The character is put over it"),
               (Role.MASK, "Mask", "White where the character may be painted"),
               (Role.CLEAN, "Clean Plate", "The plate without its performer"),
               (Role.FRONT, "In Front", "White where the plate stays in front of the character")))

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        active = scene.sequence_editor.active_strip if scene.sequence_editor else None
        if active is None:
            return self.refuse(f"Scene {scene.name!r} has no active strip. Select the strip in the sequencer.")
        setattr(holder(scene, ROLES[self.role]), ROLES[self.role], active.name)


class AA2_OT_pin_plate(Button, bpy.types.Operator):
    """Keep this strip as the plate, whichever strip is active. If it is pinned, follow the active strip again"""

    bl_idname = "aa2.pin_plate"
    bl_label = "Pin Plate"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if plate_name(shot_scene(context)) else "No strip is active. Click the plate's strip in the Sequencer"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        scene.aa2.strip = "" if scene.aa2.strip else plate_name(scene)


class _AddMade(Button):
    """A button that adds what the engine made of the shown version's performer, pictures of `kind`."""

    bl_options = {"REGISTER", "UNDO"}
    kind, otherwise = "", ""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        folder = folder_of_shot(shot_scene(context))
        return "" if folder is not None and estimates.is_made(folder, cls.kind) else cls.otherwise

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        folder, plate = folder_of_shot(scene), plate_of(scene)
        name = estimates.lay_estimated(scene, folder, self.kind, plate, moved_by(plate, folder))
        self.report({"INFO"}, f"Added {name}")


class AA2_OT_add_clean_plate(_AddMade, bpy.types.Operator):
    """Add the clean plate that the engine made for the shown version as a muted strip, to look at or to use here"""

    bl_idname = "aa2.add_clean_plate"
    bl_label = "Add Clean Plate"
    kind, otherwise = files.CLEAN, "The shown version has none: switch on Make Clean Plate in Driver and generate"


class AA2_OT_add_mask(_AddMade, bpy.types.Operator):
    bl_description = ("Add the performer's mask that the engine found for the shown version as a muted strip, to look "
                      "at or to use here")
    bl_idname = "aa2.add_mask"
    bl_label = "Add Mask"
    kind, otherwise = files.MASK, "The shown version has none: generate with a performer as the driver"


class AA2_OT_use_preview_range(Button, bpy.types.Operator):
    """Use the part of the plate inside the preview range, or else inside the frame range of the scene"""

    bl_idname = "aa2.use_preview_range"
    bl_label = "Use Preview Range"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        chosen = (scene.frame_preview_start, scene.frame_preview_end) if scene.use_preview_range else (
            scene.frame_start, scene.frame_end)
        first, last = frames_of(find(scene, plate_name(scene)), chosen)
        ours = settings_of(scene)
        ours.use_range, ours.range_first, ours.range_last = True, first, last


class AA2_OT_convert_to_float(Button, bpy.types.Operator):
    """Let Blender convert the plate to floats, so that its colors stay right under other strips"""

    bl_idname = "aa2.convert_to_float"
    bl_label = "Convert to Float"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        plate = plate_of(shot_scene(context))
        return "" if plate is not None and is_shown_wrong(plate) else "The plate's colors are right as they are"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        plate_of(shot_scene(context)).use_float = True


CLASSES = (AA2_OT_convert_to_float, AA2_OT_use_active_strip, AA2_OT_pin_plate, AA2_OT_use_preview_range,
           AA2_OT_add_clean_plate, AA2_OT_add_mask)
