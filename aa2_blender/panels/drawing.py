"""What the tab's panels share: their place in the sidebar, and text wrapped to it."""
import textwrap

import bpy

from .. import stalls
from ..blender_api import all_strips_name
from ..settings.plates import holder
from ..settings.properties import shot_scene

PIXELS_A_LETTER = 6.5  # of Blender's interface font at scale 1 (ours: 5.8 measured in a window, and some to spare)

_LABELS = 0.3  # of the sidebar's width, for the labels of lines


class Part:
    """One step of the work; panels/__init__ makes a panel of it in each editor. `parent` is the Part it stands in."""

    bl_region_type = "UI"
    bl_category = "AA2"
    bl_options = {"DEFAULT_CLOSED"}
    parent = None

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        with stalls.slice(f"draw {type(self).__name__}"):
            self.tell(self.layout, context, shot_scene(context))

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        """Draws the step for `scene`, whose plate's settings it shows. Called at each redraw: reads no big file."""
        raise NotImplementedError


def line(layout: bpy.types.UILayout, label: str) -> bpy.types.UILayout:
    """A row for one choice, after its label."""
    split = layout.split(factor=_LABELS)
    split.label(text=label)
    return split.row(align=True)


def draw_kinds(layout: bpy.types.UILayout, ours: bpy.types.PropertyGroup, name: str) -> None:
    """A choice as buttons over the whole width: beside a label, their words would be cut off at the default width."""
    row = layout.row()
    row.use_property_split = False
    row.prop(ours, name, expand=True)


def draw_strip_field(layout: bpy.types.UILayout, scene: bpy.types.Scene, name: str, icon: str,
                     button: str) -> bpy.types.OperatorProperties:
    """The setting `name`, a strip of the scene's sequencer, with an eyedropper; returns the button's operator."""
    row = layout.row(align=True)
    editor = scene.sequence_editor
    if editor:
        row.prop_search(holder(scene, name), name, editor, all_strips_name(editor), icon=icon)
    else:
        row.prop(holder(scene, name), name)
    return row.operator(button, text="", icon="EYEDROPPER")


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """A text of any length, wrapped to the sidebar; the first line carries the icon."""
    width = context.region.width / (PIXELS_A_LETTER * context.preferences.system.ui_scale) - 6
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, max(int(width), 24))]
    column = layout.column(align=True)
    for line in lines:
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else icon
