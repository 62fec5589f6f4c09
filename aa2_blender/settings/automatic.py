"""Settings that store 0 for "automatic": the panels show the value that will be used, with a switch *Auto* beside it.

The setting itself stays what files, jobs and the command line hold, so 0 means automatic in files of all releases. From
it follow two properties that store nothing: `NAME_in_use`, a number, and `NAME_is_automatic`.
"""
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

_LABEL = 0.4  # of the width, as Blender's rows with a label beside the field
# Without a window, the module of 4.2 crashes at exit after any Python function of a property was called. There is no
# panel then, so properties do without theirs.
IS_CALLED = not bpy.app.background or bpy.app.version >= (4, 5)


def explained(tooltip: str) -> str:
    """The tooltip of a setting where its 0 can be seen: in Python, and as the help of an option."""
    return f"{tooltip} (0: automatic)"


def beside(name: str, label: str, tooltip: str, most: float, real: Callable[[bpy.types.bpy_struct], float], *,
           is_whole: bool = True, soft_most: float | None = None) -> dict[str, Any]:
    """The two properties that follow from a setting `name`; `real` returns the number that automatic stands for,
    given what has the setting. soft_most: how far the field can be dragged."""
    in_use, is_automatic = names(name)
    kind, one = (IntProperty, int) if is_whole else (FloatProperty, float)

    def number(ours: bpy.types.bpy_struct) -> float:
        return getattr(ours, name) or real(ours)

    def switch(ours: bpy.types.bpy_struct, on: bool) -> None:
        setattr(ours, name, 0 if on else number(ours))
    of_number = {"get": number, "set": lambda ours, value: setattr(ours, name, value)} if IS_CALLED else {}
    of_switch = {"get": lambda ours: getattr(ours, name) == 0, "set": switch} if IS_CALLED else {}
    return {
        in_use: kind(name=label, description=tooltip, min=1, max=one(most), soft_max=one(soft_most or most),
                     options=set(), **of_number),
        is_automatic: BoolProperty(name="Automatic", description=f"{label}: use the automatic value, which is shown",
                                   options=set(), **of_switch)}


def names(name: str) -> tuple[str, str]:
    """The names of the two properties beside a setting."""
    return f"{name}_in_use", f"{name}_is_automatic"


def draw(layout: bpy.types.UILayout, ours: bpy.types.bpy_struct, name: str) -> None:
    """A line with the number, which can be changed where it is not automatic, and the switch."""
    in_use, is_automatic = names(name)
    split = layout.split(factor=_LABEL)
    label, row = split.row(), split.row(align=True)
    label.alignment = "RIGHT"
    label.label(text=ours.bl_rna.properties[in_use].name)
    row.use_property_split = False
    field = row.row(align=True)
    field.enabled = not getattr(ours, is_automatic)
    field.prop(ours, in_use, text="")
    row.prop(ours, is_automatic, text="Auto", toggle=True)
