"""What the artist's buttons do; the only room that speaks to the user in reports."""
import bpy

from . import character, driver, farm, joints, objects, output, performer, preview, queue, report, result, shot

CLASSES = (*shot.CLASSES, *character.CLASSES, *joints.CLASSES, *driver.CLASSES, *objects.CLASSES, *performer.CLASSES,
           *preview.CLASSES, *queue.CLASSES, *result.CLASSES, *report.CLASSES, *output.CLASSES, *farm.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
