"""A figure -> its armature (the game engine's 52 bones, named as Unreal's mannequin) and the points of its face."""

import bpy
import numpy as np
from mathutils import Vector

SIDES = ("left", "right")
FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def build_armature(scene, figure):
    """The armature object, in rest pose, without the figure's Root, which carries nothing."""
    rig = bpy.data.objects.new("Performer", bpy.data.armatures.new("Performer"))
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = {name: rig.data.edit_bones.new(name) for name in figure.rig if name != "Root"}
    for name, bone in bones.items():
        bone.head, bone.tail = Vector(figure.joint(name)), Vector(figure.joint(name, "tail"))
        bone.parent = bones.get(figure.rig[name]["parent"])
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def bind(rig, thing, weights, vertices):
    """Skin an object whose vertex k is the figure's vertex vertices[k]."""
    number = {vertex: k for k, vertex in enumerate(vertices)}
    for bone, rows in weights.items():
        group = thing.vertex_groups.new(name=bone)
        for vertex, weight in rows:
            if vertex in number:
                group.add([number[vertex]], weight, "REPLACE")
    follow(rig, thing)


def follow(rig, thing):
    """The armature's modifier, last."""
    modifier = thing.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    thing.parent = rig


def carry(rig, thing, bone):
    """Everything of an object moves with one bone."""
    group = thing.vertex_groups.new(name=bone)
    group.add(range(len(thing.data.vertices)), 1.0, "REPLACE")
    follow(rig, thing)


def face_points(figure):
    """The face's points at rest: nose's tip, middles of the eyeballs, ears; {name: (3,) metres}."""
    eyes = {side: figure.points[figure.groups[f"joint-{side[0]}-eye"]].mean(axis=0) for side in SIDES}
    body = figure.points[figure.groups["body"]]
    level = eyes["left"][2]
    size = figure.joint("head", "tail")[2] - figure.joint("head")[2]
    middle = body[(abs(body[:, 0]) < 0.1 * size) & (body[:, 2] < level) & (body[:, 2] > level - 0.4 * size)]
    found = {"nose": middle[middle[:, 1].argmin()], **{f"{side}_eye": place for side, place in eyes.items()}}
    around = body[(abs(body[:, 2] - level + 0.1 * size) < 0.25 * size) & (abs(body[:, 0]) < size)]
    for side, out in (("left", 1), ("right", -1)):
        widest = around[np.argsort(out * around[:, 0])[-8:]]
        found[f"{side}_ear"] = widest.mean(axis=0) * (0.92, 1, 1)
    return found


def joint_bones():
    """Contract's names of body and hands -> (bone, "head" or "tail"); the face's points are not bones."""
    found = {"neck": ("neck_01", "head")}
    for side in SIDES:
        s = side[0]
        found |= {f"{side}_{joint}": (f"{bone}_{s}", "head") for joint, bone in (
            ("shoulder", "upperarm"), ("elbow", "lowerarm"), ("wrist", "hand"), ("hip", "thigh"),
            ("knee", "calf"), ("ankle", "foot"))}
        found[f"{side}_toe"] = (f"ball_{s}", "tail")
        for finger in FINGERS:
            name = "little" if finger == "pinky" else finger
            found |= {f"{side}_{name}_{k}": (f"{finger}_0{k}_{s}", "head") for k in (1, 2, 3)}
            found[f"{side}_{name}_4"] = (f"{finger}_03_{s}", "tail")
    return found
