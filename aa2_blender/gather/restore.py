"""Context managers that leave a blend as they found it, whatever happens inside."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..blender_api import curves_of


@contextmanager
def scene_kept(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """Puts back the frame, the active camera, which markers switch when frames change, and every animated value."""
    frame, subframe, camera = scene.frame_current, scene.frame_subframe, scene.camera
    with animated_values_kept():
        try:
            yield scene
        finally:
            scene.frame_set(frame, subframe=subframe)
            scene.camera = camera


@contextmanager
def animated_values_kept() -> Iterator[None]:
    """Puts back the values of all properties that have F-curves. Evaluating a frame writes them into the blend, also
    over what the artist has changed since without a keyframe."""
    before = [(block, *moved, _value(block, *moved)) for block in _animated()
              for moved in {(curve.data_path, curve.array_index) for curve in curves_of(block)}]
    try:
        yield
    finally:
        for block, path, index, value in before:
            if value is not None and _value(block, path, index) != value:
                _put_back(block, path, index, value)


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


def _animated() -> Iterator[bpy.types.ID]:
    """The datablocks that have animation, and the node trees inside them."""
    for block in _datablocks():
        for one in (block, getattr(block, "node_tree", None)):
            if getattr(one, "animation_data", None):
                yield one


def _value(block: bpy.types.ID, path: str, index: int) -> Any:
    """What an animated property has now; None if the datablock has no such property."""
    try:
        found = block.path_resolve(path)
        return found[index] if hasattr(found, "__getitem__") and not isinstance(found, str) else found
    except (ValueError, IndexError, TypeError):
        return None


def _put_back(block: bpy.types.ID, path: str, index: int, value: Any) -> None:
    owner, _, name = path.rpartition("[" if path.endswith("]") else ".")
    holder = block.path_resolve(owner) if owner else block
    present = block.path_resolve(path)
    if hasattr(present, "__setitem__"):
        present[index] = value
    elif path.endswith("]"):
        holder[name.strip("[]\"'")] = value
    else:
        setattr(holder, name, value)


def _datablocks() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)
