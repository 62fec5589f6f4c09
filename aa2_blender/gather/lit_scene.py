"""The driver's scene without its character -> a temporary scene for Cycles in which a frame has the same light.

Whatever Cycles would render in the driver's scene is in it, but nothing that the rig carries: neither rays nor the
camera meet it. Lamps that the rig carries stay, because they are light and no body. The driver's scene may be made for
another engine.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import bpy

from ..blender_api import keep_animation
from . import rendering
from .layers import Lit, lit
from .problem import GatherError
from .restore import animated_values_kept, temporary_scene

# What may be animated in the scene itself and is light or how it is shown.
_KEPT = ("view_settings.", "display_settings.", "cycles.film_exposure", "cycles.sample_clamp", "cycles.light_sampling",
         "render.film")
# Pixels in which Cycles looks for what is bright in a panorama. It would take at least 4096, which is most of the time
# of a small render (ours: 8 s of 8.1); with this, a sun still has a pixel of its own.
_MAP = 1024
_LINKING = ("receiver_collection", "blocker_collection")


@contextmanager
def lit_scene(driver: bpy.types.Scene, character: Collection[bpy.types.Object]) -> Iterator[bpy.types.Scene]:
    """A temporary scene that is lit as `driver`, without the objects of `character` (carried_by(rig, meshes)).

    The caller adds what is to be lit, links new objects to `scene.collection`, and sets camera, size, samples and
    output; `render` then renders a frame. Everything else is in a collection of its own (around). Whatever was made
    inside is removed afterwards, and nothing of the blend is changed, also if the block raises or is closed. Raises
    GatherError without Cycles.
    """
    if not hasattr(driver, "cycles"):
        raise GatherError("Cycles is switched off, which renders the light of the scene.",
                          "Switch on the add-on 'Cycles Render Engine' in the preferences.")
    things = [thing for thing in lit(driver) if thing.thing not in character or thing.thing.type == "LIGHT"]
    with animated_values_kept(), temporary_scene(driver) as scene:
        scene.name = "AA2 lit"
        set_up(scene)
        _fill(scene, things)
        try:
            yield scene
        finally:
            # After a render, Blender evaluates its frame here too, which writes animated values of the world into the
            # blend. Objects are not in the idle layer, so they are as they were.
            scene.frame_float = driver.frame_float
            scene.view_layers[1].update()


def render(scene: bpy.types.Scene, frame: int, what: str) -> None:
    """Renders a frame of a scene that was set up here to its output path. Cycles evaluates the frame by itself."""
    scene.frame_current = frame
    rendering.render(scene, what, idle=scene.view_layers[1])


def around(scene: bpy.types.Scene) -> bpy.types.LayerCollection:
    """The objects of the driver's scene in a lit scene, as its view layer has them."""
    layer = scene.view_layers[0]
    layer.update()
    return layer.layer_collection.children[0]


@contextmanager
def stands_in(thing: bpy.types.Object, character: Collection[bpy.types.Object]) -> Iterator[None]:
    """Lets a new object be lit, and cast shadows, where light linking says so for the character's objects. Without an
    object of the character in a lamp's collection, the lamp treats the new object as it treats everything else."""
    joined = []
    try:
        for group in _linked_to(character):
            group.objects.link(thing)
            joined.append(group)
            _like(group, thing, character)
        yield
    finally:
        for group in joined:
            group.objects.unlink(thing)


def _linked_to(character: Collection[bpy.types.Object]) -> list[bpy.types.Collection]:
    """The collections of light linking that name an object of the character themselves."""
    groups = [getattr(lamp.light_linking, name) for lamp in bpy.data.objects for name in _LINKING]
    return [group for group in dict.fromkeys(filter(None, groups)) if not group.library
            and any(one in character for one in group.objects)]


def _like(group: bpy.types.Collection, thing: bpy.types.Object, character: Collection[bpy.types.Object]) -> None:
    """The new member of a collection is included or excluded as the character's objects there are."""
    states = {one: member.light_linking for one, member in zip(group.objects, group.collection_objects, strict=True)}
    before = next(state.link_state for one, state in states.items() if one in character)
    states[thing].link_state = before


def _fill(scene: bpy.types.Scene, things: list[Lit]) -> None:
    """Links the objects, in a collection that the idle layer leaves out. Those that the camera does not meet are in
    another one inside."""
    group = bpy.data.collections.new("AA2 around")
    scene.collection.children.link(group)
    idle = scene.view_layers[1]
    idle.update()
    idle.layer_collection.children[0].exclude = True
    unseen = [one.thing for one in things if one.indirect_only]
    for one in things:
        if not one.indirect_only:
            group.objects.link(one.thing)
    if unseen:
        hidden = bpy.data.collections.new("AA2 indirect only")
        for thing in unseen:
            hidden.objects.link(thing)
        group.children.link(hidden)
        around(scene).children[0].indirect_only = True


def set_up(scene: bpy.types.Scene) -> None:
    """Lets a temporary scene be rendered by Cycles, without what is not light: overrides, borders, stamps, markers,
    animation of the scene's own settings. Its first view layer is rendered. Its second one is idle: Blender evaluates
    that one before and after a render, which would take as long as the start of a small render."""
    for layer in list(scene.view_layers)[::-1]:
        if len(scene.view_layers) > 1 and not layer.use:
            scene.view_layers.remove(layer)
    for layer in list(scene.view_layers)[1:]:
        scene.view_layers.remove(layer)
    layer = scene.view_layers[0]
    layer.use, layer.material_override, layer.samples = True, None, 0
    scene.view_layers.new("AA2 idle").use = False
    keep_animation(scene, lambda path: path.startswith(_KEPT))
    scene.timeline_markers.clear()                                    # they would switch the camera
    scene.world = _quick(scene.world)
    _set_up_render(scene.render)
    _set_up_cycles(scene.cycles)


def _quick(world: bpy.types.World | None) -> bpy.types.World | None:
    """A copy of a world with a panorama, for whose bright parts Cycles looks in less time; other worlds themselves."""
    if world is None:
        return None
    kinds = {node.type for node in world.node_tree.nodes} if world.node_tree else set()
    if "TEX_ENVIRONMENT" not in kinds or "TEX_SKY" in kinds or world.cycles.sampling_method != "AUTOMATIC":
        return world                                                  # a sky tells Cycles where its sun is
    quick = world.copy()
    quick.cycles.sampling_method, quick.cycles.sample_map_resolution = "MANUAL", _MAP
    return quick


def _set_up_render(render: bpy.types.RenderSettings) -> None:
    render.engine, render.resolution_percentage = "CYCLES", 100
    # Persistent data would spare rebuilding the scene, but 4.5 crashes in frame_set once this scene has been removed.
    for switch in ("use_persistent_data", "use_motion_blur", "use_compositing", "use_sequencer", "use_border",
                   "use_stamp", "use_multiview", "use_freestyle", "use_single_layer", "use_placeholder"):
        if hasattr(render, switch):
            setattr(render, switch, False)
    render.use_overwrite = render.use_file_extension = True
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0


def _set_up_cycles(cycles: bpy.types.PropertyGroup) -> None:
    cycles.device, cycles.time_limit = "CPU", 0.0
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_animated_seed = False
    if hasattr(cycles, "use_sample_subset"):                          # from 4.5
        cycles.use_sample_subset = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
