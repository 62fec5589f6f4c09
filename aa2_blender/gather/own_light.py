"""A scene -> whether it has light of its own, and the frames on which its light may change at once.

The lamp and the grey world of Blender's startup file are nobody's light: they are in every scene that was never lit.
"""

from collections.abc import Iterable, Iterator

import bpy

from ..blender_api import curves_of, nodes_of
from .layers import lit

_GREY = (0.049, 0.052)                          # of the startup file's world: 0.0509, or 0.05 where it was made anew
_LAMP = (1000.0, (4.076, 1.005, 5.904))         # watts and place of the startup file's lamp
_SAME = 0.01
_SURFACES = {"MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD", "VOLUME"}
_DENSE = 4              # a curve with a key on more than every so many-th frame is baked: its keys say nothing (ours)


def has_own_light(scene: bpy.types.Scene) -> bool:
    """Whether Cycles would find anything in the scene that shines, besides what the startup file has."""
    if _world_shines(scene.world):
        return True
    things = [one.thing for one in lit(scene) if not one.thing.hide_render]
    things += [inside for thing in things if thing.instance_collection
               for inside in thing.instance_collection.all_objects if not inside.hide_render]
    if any(_lamp_shines(thing) for thing in things if thing.type == "LIGHT"):
        return True
    return any(_glows(material.node_tree) for material in _materials(things))


def turning_points(scene: bpy.types.Scene) -> set[int]:
    """The frames with keys of lamps, worlds, glowing materials, and of what is shown at all; where a value jumps, the
    frame before as well. Baked curves have none."""
    things, found = [one.thing for one in lit(scene)], set()
    lamps = [thing for thing in things if thing.type == "LIGHT"]
    trees = [material.node_tree for material in _materials(things) if _glows(material.node_tree)]
    blocks = [*lamps, *(lamp.data for lamp in lamps), *(lamp.data.node_tree for lamp in lamps), scene.world,
              scene.world.node_tree if scene.world else None, *trees]
    for block in dict.fromkeys(blocks):
        found |= _keys(block, lambda path: True)
    for thing in things:
        found |= _keys(thing, lambda path: path == "hide_render")
    return found


def _keys(block: bpy.types.ID | None, is_light) -> set[int]:
    found = set()
    for curve in curves_of(block) if block and block.animation_data else ():
        keys = [] if not is_light(curve.data_path) else [
            (round(key.co.x), key.interpolation == "CONSTANT") for key in curve.keyframe_points]
        if not keys or len(keys) * _DENSE > keys[-1][0] - keys[0][0] + 2 * _DENSE:
            continue
        found |= {frame for frame, _ in keys}
        found |= {frame - 1 for (frame, _), (_, jumps) in zip(keys[1:], keys, strict=False) if jumps}
    return found


def _lamp_shines(thing: bpy.types.Object) -> bool:
    lamp = thing.data
    if lamp.animation_data or lamp.node_tree and lamp.node_tree.animation_data:
        return True
    if lamp.energy == 0 or max(lamp.color) == 0:
        return False
    energy, place = _LAMP
    return not (lamp.type == "POINT" and lamp.energy == energy and min(lamp.color) == 1
                and all(abs(a - b) < _SAME for a, b in zip(thing.matrix_world.translation, place, strict=True)))


def _world_shines(world: bpy.types.World | None) -> bool:
    if world is None:
        return False
    tree = nodes_of(world)
    if tree is None:
        return max(world.color) > 0 and not _is_grey(world.color)
    output = tree.get_output_node("CYCLES") or tree.get_output_node("ALL")
    sources = [link.from_node for socket in output.inputs[:1] for link in socket.links] if output else []
    return any(_background_shines(node) for node in sources)


def _background_shines(node: bpy.types.Node) -> bool:
    if node.type != "BACKGROUND" or any(node.inputs[name].is_linked for name in ("Color", "Strength")):
        return True
    colour, strength = node.inputs["Color"].default_value[:3], node.inputs["Strength"].default_value
    return strength * max(colour) > 0 and not (strength == 1 and _is_grey(colour))


def _is_grey(colour: Iterable[float]) -> bool:
    return all(_GREY[0] <= value <= _GREY[1] for value in colour)


def _materials(things: Iterable[bpy.types.Object]) -> list[bpy.types.Material]:
    found = (slot.material for thing in things if thing.type in _SURFACES for slot in thing.material_slots)
    return list(dict.fromkeys(material for material in found if material and nodes_of(material)))


def _glows(tree: bpy.types.NodeTree | None) -> bool:
    return tree is not None and any(_shines(node, "Color", "Strength") if node.type == "EMISSION" else
                                    _shines(node, "Emission Color", "Emission Strength") for node in _shaders(tree))


def _shaders(tree: bpy.types.NodeTree) -> Iterator[bpy.types.Node]:
    """The nodes that may shine and are connected, those inside of groups too."""
    for node in tree.nodes:
        if node.mute:
            continue
        if node.type == "GROUP" and node.node_tree:
            yield from _shaders(node.node_tree)
        elif node.type in ("EMISSION", "BSDF_PRINCIPLED") and node.outputs[0].is_linked:
            yield node


def _shines(node: bpy.types.Node, colour: str, strength: str) -> bool:
    values = [node.inputs[name] for name in (colour, strength)]
    if values[1].is_linked:
        return True
    return values[1].default_value > 0 and (values[0].is_linked or max(values[0].default_value[:3]) > 0)
