"""What Blender moves and renders in a scene: an object needs a view layer, and collections that are switched on."""

from collections.abc import Iterator

import bpy

from .problem import GatherError


def moving_layers(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.ViewLayer]:
    """The view layers of a scene in which Blender evaluates an object."""
    if thing.hide_viewport:
        return []
    return [layer for layer in scene.view_layers if any(
        not (branch.exclude or any(part.collection.hide_viewport for part in way)) and _holds(branch, thing)
        for branch, way in _branches(layer))]


def check_moves(scene: bpy.types.Scene, thing: bpy.types.Object) -> None:
    """Raises a GatherError that says which switch keeps an object of a scene from moving."""
    if moving_layers(scene, thing):
        return
    if thing.hide_viewport:
        raise GatherError(f"{thing.name!r} is switched off in viewports, so it does not move.",
                          "Switch on its screen icon in the Outliner.")
    homes = [(branch, way) for layer in scene.view_layers for branch, way in _branches(layer) if _holds(branch, thing)]
    off = next((part for branch, way in homes if not branch.exclude for part in way if part.collection.hide_viewport),
               None)
    if off:
        raise GatherError(f"The collection {off.name!r} of {thing.name!r} is switched off in viewports, so it does not "
                          "move.", f"Switch on the screen icon of {off.name!r} in the Outliner.")
    if not homes:
        raise GatherError(f"{thing.name!r} is not in scene {scene.name!r}.", "Choose the scene that holds it.")
    name = homes[0][0].name
    raise GatherError(f"The collection {name!r} of {thing.name!r} is excluded from all view layers of scene "
                      f"{scene.name!r}, so it does not move.",
                      f"Tick the check box of {name!r} in the Outliner, in any view layer of the scene.")


def evaluated(scene: bpy.types.Scene, thing: bpy.types.Object,
              first: bpy.types.ViewLayer | None = None) -> bpy.types.Object:
    """An object as Blender has evaluated it at the scene's frame, in the layer `first` if it is there, else in another.
    Raises GatherError if nothing moves it."""
    if first is not None:
        found = thing.evaluated_get(first.depsgraph)
        if found.is_evaluated:                                      # a scene's cameras are, wherever they are
            return found
    check_moves(scene, thing)
    layer = moving_layers(scene, thing)[0]
    found = thing.evaluated_get(layer.depsgraph)
    if not found.is_evaluated:
        layer.update()                                              # frame_set evaluates no layer that nobody has seen
        found = thing.evaluated_get(layer.depsgraph)
    return found


def rendered(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The objects that the camera sees in any view layer that is rendered, once each."""
    found = [thing for layer in scene.view_layers if layer.use for branch, way in _branches(layer)
             if not (branch.exclude or branch.indirect_only or any(part.collection.hide_render for part in way))
             for thing in branch.collection.objects if not thing.hide_render]
    return list(dict.fromkeys(found))


def _holds(branch: bpy.types.LayerCollection, thing: bpy.types.Object) -> bool:
    """Whether an object is directly in the collection of a branch."""
    return thing in branch.collection.objects[:]


def _branches(layer: bpy.types.ViewLayer) -> Iterator[
        tuple[bpy.types.LayerCollection, tuple[bpy.types.LayerCollection, ...]]]:
    """(a collection of a layer, the way to it from the top, itself the last), all of them."""
    waiting = [(layer.layer_collection, (layer.layer_collection,))]
    while waiting:
        branch, way = waiting.pop(0)
        yield branch, way
        waiting += [(child, (*way, child)) for child in branch.children]
