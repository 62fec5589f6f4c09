"""What a rig carries: every object that moves because the rig does, through whatever relations Blender has.

Ours. Ownership is followed all the way: a hat on the body's mesh, a sword on an empty, hair on a skull, the mesh of a
second rig that follows the first. What only looks at the rig, or is touched by it, stays scenery.
"""

from collections.abc import Iterable, Iterator

import bpy

from ..blender_api import node_inputs

# Constraints that move their owner with the target; others aim, limit or keep a distance.
_CARRYING = {"CHILD_OF", "COPY_TRANSFORMS", "COPY_LOCATION", "ARMATURE", "FOLLOW_PATH"}
# Modifiers that move an object's points with another object -> the name of that other.
_DEFORMING = {"ARMATURE": "object", "LATTICE": "object", "CURVE": "object", "MESH_DEFORM": "object", "HOOK": "object",
              "SURFACE_DEFORM": "target", "SHRINKWRAP": "target"}
# A rig that has at least this part of its bones moved by another one follows it: holding hands is less (ours).
_FOLLOWS = 0.5


def carried_by(rig: bpy.types.Object | None, also: Iterable[bpy.types.Object] = ()) -> set[bpy.types.Object]:
    """The armature object, `also` (the character's own meshes), and all objects of the .blend that they carry."""
    owned = {thing for thing in (rig, *also) if thing is not None}
    if not owned:
        return owned
    leads = {thing: set(_leads(thing)) for thing in bpy.data.objects}
    waiting = True
    while waiting:
        more = {thing for thing, leaders in leads.items() if thing not in owned and leaders & owned}
        more |= {thing for thing in bpy.data.objects
                 if thing.type == "ARMATURE" and thing not in owned and _follows(thing, owned)}
        more |= {leader for thing in owned if thing.type == "ARMATURE" for leader in _deformers(thing)} - owned
        owned |= more
        waiting = bool(more)
    return owned


def _leads(thing: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The objects that move the whole of an object, or its points."""
    if thing.parent:
        yield thing.parent
    yield from _targets(thing.constraints)
    for modifier in thing.modifiers:
        leader = getattr(modifier, _DEFORMING.get(modifier.type, ""), None)
        if leader:
            yield leader
        if modifier.type == "NODES" and modifier.node_group and _shows_inputs(thing, modifier.node_group):
            yield from _inputs(modifier)
    data = thing.data
    for name in ("surface", "follow_curve"):                        # of hair, of text
        leader = getattr(data, name, None)
        if isinstance(leader, bpy.types.Object):
            yield leader
    yield from _drivers(thing)


def _targets(constraints: Iterable[bpy.types.Constraint]) -> Iterator[bpy.types.Object]:
    for one in constraints:
        if one.type in _CARRYING and not one.mute:
            yield from (target.target for target in one.targets if target.target) if one.type == "ARMATURE" else \
                filter(None, [one.target])


def _shows_inputs(thing: bpy.types.Object, nodes: bpy.types.NodeTree) -> bool:
    """Whether geometry nodes show what other objects bring: they are hair's, or do not use the object's own points.
    Else they only react to others, as snow does to feet."""
    if thing.type == "CURVES":
        return True
    own = [socket for node in nodes.nodes if node.type == "GROUP_INPUT"
           for socket in node.outputs if socket.type == "GEOMETRY"]
    return not any(socket.is_linked for socket in own)


def _inputs(modifier: bpy.types.Modifier) -> Iterator[bpy.types.Object]:
    """The objects among the inputs of a geometry nodes modifier, and those that its nodes name themselves."""
    given = node_inputs(modifier)
    given += [socket.default_value for node in modifier.node_group.nodes for socket in node.inputs
              if socket.type in ("OBJECT", "COLLECTION")]
    for one in given:
        if isinstance(one, bpy.types.Object):
            yield one
        elif isinstance(one, bpy.types.Collection):
            yield from one.all_objects


def _drivers(thing: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The objects that drive all three axes of a location: one driven axis is a door or a dial."""
    curves = [curve for curve in (thing.animation_data.drivers if thing.animation_data else ())
              if curve.data_path == "location" and not curve.mute]
    sources = [{target.id for variable in curve.driver.variables for target in variable.targets} for curve in curves]
    if len({curve.array_index for curve in curves}) == 3:
        yield from (source for source in set.intersection(*sources) if isinstance(source, bpy.types.Object))


def _follows(rig: bpy.types.Object, owned: set[bpy.types.Object]) -> bool:
    """Whether most bones of an armature are moved by the objects `owned`, each with all that hang from it."""
    moved = set()
    for bone in rig.pose.bones:                                     # parents come before their children
        above = bone.parent
        if above and above.name in moved or any(target in owned for target in _targets(bone.constraints)):
            moved.add(bone.name)
    return len(moved) >= max(1, _FOLLOWS * len(rig.pose.bones))


def _deformers(rig: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The armatures whose bones move most bones of this one: a control rig is the character's as well."""
    leaders = {target for bone in rig.pose.bones for target in _targets(bone.constraints)
               if target.type == "ARMATURE" and target != rig}
    yield from (leader for leader in leaders if _follows(rig, {leader}))
