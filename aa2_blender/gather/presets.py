"""Where the joints lie in rigs of known makers: joint -> (bone, head or tail); `{S}` stands for the bone's side.

Joints are named as in contract/skeleton.py; hand points are `left_index_1` and so on, and `head` is the skull's bone.
Names are compared without case, separators and namespace (matching.canonical), so one spelling of each is
enough. How each maker's rig is tested stands in docs/presets.md.
"""

from collections.abc import Sequence

BoneEnds = dict[str, tuple[str, str]]  # joint -> (bone, "head" or "tail")
FINGERS = ("thumb", "index", "middle", "ring", "little")
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def _preset(sides: dict[str, str], *, neck: str, head: str, limbs: list[str], toe: tuple[str, str],
            fingers: list[list[str]]) -> BoneEnds:
    """Both sides written out. `limbs`: the bones that begin at shoulder, elbow, wrist, hip, knee, ankle; `toe`: (bone,
    end); `fingers`: three bones of each of FINGERS, a fourth where one begins at the tip, [] where a rig has none."""
    joints = {"neck": (neck, "head"), "head": (head, "head")}
    for side, name in sides.items():
        for joint, bone in zip(_LIMBS, limbs, strict=True):
            joints[f"{side}_{joint}"] = (bone.format(S=name), "head")
        joints[f"{side}_toe"] = (toe[0].format(S=name), toe[1])
        for finger, bones in zip(FINGERS, fingers, strict=False):
            for k, bone in enumerate(bones, 1):
                joints[f"{side}_{finger}_{k}"] = (bone.format(S=name), "head")
            joints.setdefault(f"{side}_{finger}_4", (bones[2].format(S=name), "tail"))
    return joints


def _numbered(pattern: str, names: Sequence[int | str], numbers: Sequence[int] = (1, 2, 3)) -> list[list[str]]:
    """Three bones of each finger, from a pattern with {finger} and {k} (and {S}, kept)."""
    return [[pattern.format(S="{S}", finger=name, k=k) for k in numbers] for name in names]


def _rigify(prefix: str) -> BoneEnds:
    return _preset(
        {"left": "L", "right": "R"}, neck=f"{prefix}spine.004", head=f"{prefix}spine.006",
        limbs=[prefix + bone + ".{S}" for bone in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")],
        toe=(prefix + "toe.{S}", "tail"),
        fingers=_numbered(prefix + "{finger}.0{k}.{S}", ("thumb", "f_index", "f_middle", "f_ring", "f_pinky")))


# VRM names the thumb's bones otherwise than the other fingers', and 0.x otherwise than 1.0:
# the bones of both are tried.
def _vrm(thumb: tuple[str, str, str]) -> BoneEnds:
    names = ("Index", "Middle", "Ring", "Little")
    return _preset(
        {"left": "left", "right": "right"}, neck="neck", head="head",
        limbs=["{S}" + bone for bone in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")],
        toe=("{S}Toes", "head"),
        fingers=[["{S}Thumb" + part for part in thumb],
                 *([f"{{S}}{name}{part}" for part in ("Proximal", "Intermediate", "Distal")] for name in names)])


# What place/rig.py makes of a performer's pose: each joint is the head of a bone, those of the face too.
def _performer() -> BoneEnds:
    joints = _preset(
        {"left": "L", "right": "R"}, neck="neck", head="head",
        limbs=[bone + ".{S}" for bone in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")],
        toe=("toe.{S}", "head"),
        fingers=_numbered("{finger}.0{k}.{S}", ("thumb", "f_index", "f_middle", "f_ring", "f_pinky"), (1, 2, 3, 4)))
    face = {"nose": "face.nose"} | {f"{side}_{part}": f"face.{part}.{name}" for part in ("eye", "ear")
                                    for side, name in (("left", "L"), ("right", "R"))}
    return joints | {joint: (bone, "head") for joint, bone in face.items()}


# Rigify's generated rig splits its limbs (DEF-upper_arm.L, DEF-upper_arm.L.001): the first piece begins at the joint.
PRESETS = {
    "Rigify metarig": _rigify(""),
    "Performer": _performer(),
    "Rigify generated": _rigify("DEF-"),
    "Mixamo": _preset(
        {"left": "Left", "right": "Right"}, neck="mixamorig:Neck", head="mixamorig:Head",
        limbs=["mixamorig:{S}" + bone for bone in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")],
        toe=("mixamorig:{S}ToeBase", "tail"),
        fingers=_numbered("mixamorig:{S}Hand{finger}{k}", ("Thumb", "Index", "Middle", "Ring", "Pinky"))),
    # The mannequins' bones point along X, so that their tails lie anywhere in Blender: only heads are taken.
    "Unreal mannequin": _preset(
        {"left": "l", "right": "r"}, neck="neck_01", head="head",
        limbs=[bone + "_{S}" for bone in ("upperarm", "lowerarm", "hand", "thigh", "calf", "foot")],
        toe=("ball_{S}", "head"),
        fingers=_numbered("{finger}_0{k}_{S}", ("thumb", "index", "middle", "ring", "pinky"))),
    "MakeHuman": _preset(
        {"left": "L", "right": "R"}, neck="neck01", head="head",
        limbs=[bone + ".{S}" for bone in ("upperarm01", "lowerarm01", "wrist", "upperleg01", "lowerleg01", "foot")],
        toe=("toe1-2.{S}", "tail"), fingers=_numbered("finger{finger}-{k}.{S}", (1, 2, 3, 4, 5))),
    "VRoid": _preset(
        {"left": "L", "right": "R"}, neck="J_Bip_C_Neck", head="J_Bip_C_Head",
        limbs=["J_Bip_{S}_" + bone for bone in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")],
        toe=("J_Bip_{S}_ToeBase", "head"),
        fingers=_numbered("J_Bip_{S}_{finger}{k}", ("Thumb", "Index", "Middle", "Ring", "Little"))),
    "VRM": _vrm(("Metacarpal", "Proximal", "Distal")),
    "VRM 0": _vrm(("Proximal", "Intermediate", "Distal")),
    # cgspeed's files for MotionBuilder: Mixamo's body without fingers (a thumb and a mitten that begin at the wrist).
    "CMU BVH": _preset(
        {"left": "Left", "right": "Right"}, neck="Neck", head="Head",
        limbs=["{S}" + bone for bone in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")], toe=("{S}ToeBase", "tail"),
        fingers=[]),
    # The laboratory's own names, as in its ASF files and BVH files made of them.
    "CMU ASF": _preset(
        {"left": "l", "right": "r"}, neck="lowerneck", head="head",
        limbs=["{S}" + bone for bone in ("humerus", "radius", "wrist", "femur", "tibia", "foot")],
        toe=("{S}toes", "tail"), fingers=[]),
    "Daz Genesis 8": _preset(
        {"left": "l", "right": "r"}, neck="neckLower", head="head",
        limbs=["{S}" + bone for bone in ("ShldrBend", "ForearmBend", "Hand", "ThighBend", "Shin", "Foot")],
        toe=("{S}Toe", "tail"), fingers=_numbered("{S}{finger}{k}", ("Thumb", "Index", "Mid", "Ring", "Pinky"))),
    # Japanese names, 左 and 右 before them or .L and .R after them; the thumb's first bone has the number 0.
    "MMD": _preset(
        {"left": "左", "right": "右"}, neck="首", head="頭",
        limbs=["{S}" + bone for bone in ("腕", "ひじ", "手首", "足", "ひざ", "足首")], toe=("{S}つま先", "head"),
        fingers=[*_numbered("{S}{finger}{k}", ("親指",), (0, 1, 2)),
                 *_numbered("{S}{finger}{k}", ("人指", "中指", "薬指", "小指"))]),
    "MMD in English": _preset(
        {"left": "L", "right": "R"}, neck="neck", head="head",
        limbs=[bone + "_{S}" for bone in ("arm", "elbow", "wrist", "leg", "knee", "ankle")], toe=("toe_{S}", "head"),
        fingers=[*_numbered("{finger}{k}_{S}", ("thumb",), (0, 1, 2)),
                 *_numbered("{finger}{k}_{S}", ("fore", "middle", "third", "little"))]),
}
