"""What Blender moves and renders in a scene: an object needs a view layer, and collections that are switched on."""

from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from .problem import GatherError


@dataclass(frozen=True)
class _Branch:
    """A collection in a view layer: the `way` to it from the scene's own, itself the last, and its check boxes."""

    way: tuple[bpy.types.Collection, ...]
    excluded: bool
    indirect_only: bool

    @property
    def hidden(self) -> bpy.types.Collection | None:
        """The collection on the way that is switched off in viewports."""
        return next((part for part in self.way if part.hide_viewport), None)

    def holds(self, thing: bpy.types.Object) -> bool:
        """Whether an object is directly in the collection."""
        return thing in self.way[-1].objects[:]


def moving_layers(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.ViewLayer]:
    """The view layers of a scene in which Blender evaluates an object."""
    if thing.hide_viewport:
        return []
    return [layer for layer in scene.view_layers if any(
        not branch.excluded and not branch.hidden and branch.holds(thing) for branch in _branches(scene, layer))]


def check_moves(scene: bpy.types.Scene, thing: bpy.types.Object) -> None:
    """Raises a GatherError that says which switch keeps an object of a scene from moving."""
    if moving_layers(scene, thing):
        return
    if thing.hide_viewport:
        raise GatherError(f"{thing.name!r} is switched off in viewports, so it does not move.",
                          "Switch on its screen icon in the Outliner.")
    homes = [branch for layer in scene.view_layers for branch in _branches(scene, layer) if branch.holds(thing)]
    off = next((branch.hidden for branch in homes if not branch.excluded and branch.hidden), None)
    if off:
        raise GatherError(f"The collection {off.name!r} of {thing.name!r} is switched off in viewports, so it does not "
                          "move.", f"Switch on the screen icon of {off.name!r} in the Outliner.")
    if not homes:
        raise GatherError(f"{thing.name!r} is not in scene {scene.name!r}.", "Choose the scene that holds it.")
    name = homes[0].way[-1].name
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
    found = [thing for layer in scene.view_layers if layer.use for branch in _branches(scene, layer)
             if not (branch.excluded or branch.indirect_only or any(part.hide_render for part in branch.way))
             for thing in branch.way[-1].objects if not thing.hide_render]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Lit:
    """An object of a scene that light meets; `indirect_only`: every ray but the camera's."""

    thing: bpy.types.Object
    indirect_only: bool


def lit(scene: bpy.types.Scene) -> list[Lit]:
    """The objects in any view layer that is rendered, once each. Whether an object itself is rendered is not asked:
    that may be animated."""
    found: dict[bpy.types.Object, bool] = {}
    for layer in scene.view_layers:
        for branch in _branches(scene, layer) if layer.use else ():
            if not (branch.excluded or any(part.hide_render for part in branch.way)):
                for thing in branch.way[-1].objects:
                    found[thing] = found.get(thing, True) and branch.indirect_only
    return [Lit(thing, indirect_only) for thing, indirect_only in found.items()]


def _branches(scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> Iterator[_Branch]:
    """All collections of a view layer. Blender 5.2 makes a layer's tree only when the scene is shown first; until then
    nothing is excluded."""
    top = layer.layer_collection
    waiting = [(scene.collection if top is None else top, ())]
    while waiting:
        one, above = waiting.pop(0)
        if isinstance(one, bpy.types.Collection):
            branch = _Branch((*above, one), False, False)
        else:
            branch = _Branch((*above, one.collection), one.exclude, one.indirect_only)
        yield branch
        waiting += [(child, branch.way) for child in one.children]
