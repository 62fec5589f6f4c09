"""Context managers that leave a blend as they found it, whatever happens inside."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def scene_kept(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """Puts back the frame and the active camera, which markers switch when frames change."""
    frame, subframe, camera = scene.frame_current, scene.frame_subframe, scene.camera
    try:
        yield scene
    finally:
        scene.frame_set(frame, subframe=subframe)
        scene.camera = camera


@contextmanager
def no_new_datablocks() -> Iterator[None]:
    """Removes every datablock that was made inside: temporary scenes, pictures, materials, the render result."""
    before = {block.as_pointer() for block in _datablocks()}
    try:
        yield
    finally:
        bpy.data.batch_remove([block for block in _datablocks() if block.as_pointer() not in before])


@contextmanager
def temporary_scene(source: bpy.types.Scene | None = None) -> Iterator[bpy.types.Scene]:
    """A temporary scene, empty or a copy of `source` with its strips but without its objects. It is removed
    afterwards."""
    with no_new_datablocks():
        scene = source.copy() if source else bpy.data.scenes.new("AA2 temporary")
        for child in list(scene.collection.children):
            scene.collection.children.unlink(child)
        for thing in list(scene.collection.objects):
            scene.collection.objects.unlink(thing)
        yield scene


@contextmanager
def shown_in_renders(objects: Iterable[bpy.types.Object]) -> Iterator[None]:
    """Lets objects appear in renders even if the artist has switched them off there."""
    hidden = [thing for thing in objects if thing.hide_render]
    try:
        for thing in hidden:
            thing.hide_render = False
        yield
    finally:
        for thing in hidden:
            thing.hide_render = True


def _datablocks() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)
