"""The sidebar's tab "AA2" of the Video Sequencer and of the 3D View, first one that makes a shot, then a
closed one for each step of the work."""
import bpy

from . import character, driver, farm, generate, light, look, menu, objects, preview, queue, result, shot, thumbnails
from .drawing import Part

EDITORS = (("SEQUENCE_EDITOR", "sequencer"), ("VIEW_3D", "view"))
LISTS = (*driver.LISTS, *objects.LISTS)
PARTS = (*generate.PARTS, *shot.PARTS, *character.PARTS, *driver.PARTS, *objects.PARTS, *light.PARTS, *look.PARTS,
         *preview.PARTS, *queue.PARTS, *farm.PARTS, *result.PARTS)


def _panel(part: type[Part], order: int, space: str, short: str) -> type[bpy.types.Panel]:
    """One step as a panel class of one editor."""
    name = f"AA2_PT_{short}_{part.__name__.lower()}"
    parent = {"bl_parent_id": f"AA2_PT_{short}_{part.parent.__name__.lower()}"} if part.parent else {}
    return type(name, (part, bpy.types.Panel), {
        "__doc__": part.__doc__, "bl_idname": name, "bl_space_type": space, "bl_order": order, **parent})


CLASSES = tuple(_panel(part, order, space, short) for space, short in EDITORS for order, part in enumerate(PARTS))


def register() -> None:
    for cls in (*LISTS, *CLASSES):
        bpy.utils.register_class(cls)
    generate.register()
    thumbnails.register()
    menu.register()


def unregister() -> None:
    menu.unregister()
    thumbnails.unregister()
    generate.unregister()
    for cls in reversed((*LISTS, *CLASSES)):
        bpy.utils.unregister_class(cls)
