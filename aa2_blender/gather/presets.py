"""Where the joints lie in rigs of known makers: joint -> (bone, head or tail); `{S}` stands for the bone's side.

Joints are named as in contract/skeleton.py; hand points are `left_index_1` and so on, and `head` is the skull's bone.
"""

FINGERS = ("thumb", "index", "middle", "ring", "little")


def _preset(sides, *, neck, head, limbs, fingers):
    """Both sides written out. `limbs`: joint -> (bone, end); `fingers`: bone name with {finger} and {k} of each finger."""
    joints = {"neck": (neck, "head"), "head": (head, "head")}
    for side, name in sides.items():
        for joint, (bone, end) in limbs.items():
            joints[f"{side}_{joint}"] = (bone.format(S=name), end)
        for finger, bone in fingers.items():
            for k in (1, 2, 3):
                joints[f"{side}_{finger}_{k}"] = (bone.format(S=name, k=k), "head")
            joints[f"{side}_{finger}_4"] = (bone.format(S=name, k=3), "tail")
    return joints


def _rigify(prefix):
    return _preset(
        {"left": "L", "right": "R"}, neck=f"{prefix}spine.004", head=f"{prefix}spine.006",
        limbs={"shoulder": (prefix + "upper_arm.{S}", "head"), "elbow": (prefix + "forearm.{S}", "head"),
               "wrist": (prefix + "hand.{S}", "head"), "hip": (prefix + "thigh.{S}", "head"),
               "knee": (prefix + "shin.{S}", "head"), "ankle": (prefix + "foot.{S}", "head"),
               "toe": (prefix + "toe.{S}", "tail")},
        fingers={finger: prefix + bone + ".0{k}.{S}" for finger, bone in zip(
            FINGERS, ("thumb", "f_index", "f_middle", "f_ring", "f_pinky"))})


# Rigify's generated rig splits its limbs (DEF-upper_arm.L, DEF-upper_arm.L.001): the first piece begins at the joint.
PRESETS = {
    "Rigify metarig": _rigify(""),
    "Rigify generated": _rigify("DEF-"),
    "Mixamo": _preset(
        {"left": "Left", "right": "Right"}, neck="mixamorig:Neck", head="mixamorig:Head",
        limbs={"shoulder": ("mixamorig:{S}Arm", "head"), "elbow": ("mixamorig:{S}ForeArm", "head"),
               "wrist": ("mixamorig:{S}Hand", "head"), "hip": ("mixamorig:{S}UpLeg", "head"),
               "knee": ("mixamorig:{S}Leg", "head"), "ankle": ("mixamorig:{S}Foot", "head"),
               "toe": ("mixamorig:{S}ToeBase", "tail")},
        fingers={finger: "mixamorig:{S}Hand" + bone + "{k}" for finger, bone in zip(
            FINGERS, ("Thumb", "Index", "Middle", "Ring", "Pinky"))}),
}
