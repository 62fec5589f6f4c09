"""Rigs as the known makers build them, made by a script: each has its maker's names, hierarchy, twist bones and
helpers, all over the same body.

They are written from the makers' own documentation and well-known exports; no file of theirs is used. `joints_of` gives
the true places of the body's joints, whatever the bones are called.
"""
import json
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).parent / "real_rigs"
ARM, LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
FINGERS = ("thumb", "index", "middle", "ring", "little")
DROP = np.radians(50)                     # of the arms of an A-pose


def recorded(name):
    """bone -> (parent, head, tail) of a rig that others made (real_rigs/README.md)."""
    rows = json.loads((RECORDED / name).with_suffix(".json").read_text())
    return {bone: (parent, tuple(head), tuple(tail)) for bone, parent, head, tail in rows}


def points(a_pose=False):
    """Names -> places of a person 1.8 m tall who faces -Y, in metres; points of a side are those of the left, at +x."""
    at = {"floor": (0, 0, 0), "pelvis": (0, 0, .98), "waist": (0, 0, 1.1), "ribs": (0, 0, 1.22), "chest": (0, 0, 1.34),
          "collar": (0, 0, 1.45), "neck": (0, 0, 1.5), "nape": (0, 0, 1.55), "skull": (0, -.01, 1.6),
          "crown": (0, -.01, 1.8),
          "eye": (.03, -.09, 1.68), "clavicle": (.02, 0, 1.45), "shoulder": (.18, 0, 1.46), "elbow": (.46, .01, 1.46),
          "wrist": (.71, -.01, 1.46), "groin": (.02, 0, .97), "hip": (.1, 0, .95), "knee": (.1, -.02, .51),
          "ankle": (.1, .02, .09), "arch": (.1, -.04, .05), "ball": (.1, -.1, .03), "joint": (.1, -.13, .025),
          "toe": (.1, -.17, .02)}
    for i, finger in enumerate(FINGERS):
        base = np.array((.74, -.05, 1.45) if finger == "thumb" else (.80, -.05 + .022 * i, 1.46))
        way = np.array((.02, -.025, 0) if finger == "thumb" else (.027, 0, 0))
        at[f"palm_{finger}"] = tuple(base - (0 if finger == "thumb" else (.06, 0, 0)))
        for k in range(4):
            at[f"{finger}_{k + 1}"] = tuple(base + k * way)
    at = {name: np.array(place, float) for name, place in at.items()}
    if a_pose:
        turn = np.array([[np.cos(DROP), 0, np.sin(DROP)], [0, 1, 0], [-np.sin(DROP), 0, np.cos(DROP)]])
        for name in at:
            if name in ARM[1:] or name.split("_")[-1] in FINGERS or name.rpartition("_")[0] in FINGERS:
                at[name] = at["shoulder"] + turn @ (at[name] - at["shoulder"])
    for a, b in (ARM[:2], ARM[1:], LEG[:2], LEG[1:]):
        at[f"{a}_twist"] = (at[a] + at[b]) / 2
    return at


def joints_of(a_pose=False):
    """Joint -> its true place, for the required joints."""
    at = points(a_pose)
    found = {"neck": at["neck"], "head": at["skull"]}
    for side, x in (("left", 1), ("right", -1)):
        found |= {f"{side}_{name}": at[name] * (x, 1, 1) for name in (*ARM, *LEG)}
    return found


def build(middle, side, sides, a_pose=False, tails=None):
    """bone -> (parent, head, tail). `middle` and `side`: (name, parent, from, to), with the points of the left; in
    `side`, {S} stands for one of `sides` and {T} for Left or Right. `tails`: a vector that replaces the true places of
    the tails, as in bones from other programs."""
    at, bones = points(a_pose), {}
    every = [(*row, "", "", 1) for row in middle]
    every += [(*row, name, word, x) for name, word, x in zip(sides, ("Left", "Right"), (1, -1), strict=True)
              for row in side]
    for bone, parent, start, end, name, word, x in every:
        head, tail = at[start] * (x, 1, 1), at[end] * (x, 1, 1)
        bones[bone.format(S=name, T=word)] = (parent.format(S=name, T=word), tuple(head),
                                              tuple(tail if tails is None else head + tails))
    return bones


def fingers(pattern, hand, names, numbers=(1, 2, 3), palm="", of=FINGERS):
    """The rows of the fingers `of`: `pattern` has {finger} and {k}, and {S} is kept; `palm`: a pattern of the
    metacarpals before them."""
    rows = []
    for name, finger in zip(names, of, strict=True):
        parent = hand
        if palm and finger != "thumb":
            rows.append((palm.format(S="{S}", finger=name), hand, f"palm_{finger}", f"{finger}_1"))
            parent = rows[-1][0]
        for k, number in enumerate(numbers, 1):
            rows.append((pattern.format(S="{S}", finger=name, k=number), parent, f"{finger}_{k}", f"{finger}_{k + 1}"))
            parent = rows[-1][0]
    return rows


def spine(names, stops, root="", parent=""):
    """Rows of a chain of bones through the stops; `root` begins at the floor."""
    rows = [(root, "", "floor", "waist")] if root else []
    parent = parent or root
    for name, start, end in zip(names, stops, stops[1:], strict=False):
        rows.append((name, parent, start, end))
        parent = name
    return rows


def limb(names, stops, parent):
    return spine(names, stops, parent=parent)


def unreal(five=False):
    """The mannequins: root, twist bones, IK helpers, bones along X (so their tails are arbitrary), A-pose."""
    backs = [f"spine_0{k}" for k in range(1, 6 if five else 4)]
    top = backs[-1]
    middle = [("root", "", "floor", "waist"), ("pelvis", "root", "pelvis", "waist"),
              *spine(backs, [*(["pelvis", "pelvis"] if five else []), "waist", "ribs", "chest", "collar"],
                     parent="pelvis"),
              ("neck_01", top, "neck", "nape"), *([("neck_02", "neck_01", "nape", "skull")] if five else []),
              ("head", "neck_02" if five else "neck_01", "skull", "crown"),
              ("ik_foot_root", "root", "floor", "waist"), ("ik_hand_root", "root", "floor", "waist")]
    side = [("clavicle_{S}", top, "clavicle", "shoulder"), ("upperarm_{S}", "clavicle_{S}", "shoulder", "elbow"),
            ("upperarm_twist_01_{S}", "upperarm_{S}", "shoulder", "elbow"),
            ("lowerarm_{S}", "upperarm_{S}", "elbow", "wrist"),
            ("lowerarm_twist_01_{S}", "lowerarm_{S}", "elbow_twist", "wrist"),
            ("hand_{S}", "lowerarm_{S}", "wrist", "middle_1"),
            ("thigh_{S}", "pelvis", "hip", "knee"), ("thigh_twist_01_{S}", "thigh_{S}", "hip_twist", "knee"),
            ("calf_{S}", "thigh_{S}", "knee", "ankle"), ("foot_{S}", "calf_{S}", "ankle", "ball"),
            ("ball_{S}", "foot_{S}", "ball", "toe"), ("ik_foot_{S}", "ik_foot_root", "ankle", "ball"),
            ("ik_hand_{S}", "ik_hand_root", "wrist", "middle_1"),
            *fingers("{finger}_0{k}_{S}", "hand_{S}", ("thumb", "index", "middle", "ring", "pinky"),
                     palm="{finger}_metacarpal_{S}" if five else "")]
    return build(middle, side, ("l", "r"), a_pose=True, tails=np.array((.05, 0, 0)))


def makehuman():
    """MPFB's and MakeHuman's default rig: spine counted downwards, split limbs, five toes."""
    middle = [("root", "", "floor", "pelvis"), *spine(["spine05", "spine04", "spine03", "spine02", "spine01"],
                                                     ["pelvis", "waist", "ribs", "chest", "collar", "neck"],
                                                      parent="root"),
              *spine(["neck01", "neck02", "head"], ["neck", "nape", "skull", "crown"], parent="spine01"),
              ("jaw", "head", "skull", "nape")]
    side = [("clavicle.{S}", "spine01", "clavicle", "shoulder"),
            *limb(["upperarm01.{S}", "upperarm02.{S}", "lowerarm01.{S}", "lowerarm02.{S}", "wrist.{S}"],
                  ["shoulder", "shoulder_twist", "elbow", "elbow_twist", "wrist", "palm_middle"], "clavicle.{S}"),
            ("eye.{S}", "head", "eye", "skull"), ("pelvis.{S}", "root", "groin", "hip"),
            *limb(["upperleg01.{S}", "upperleg02.{S}", "lowerleg01.{S}", "lowerleg02.{S}", "foot.{S}",
                   "toe1-1.{S}", "toe1-2.{S}"],
                  ["hip", "hip_twist", "knee", "knee_twist", "ankle", "ball", "joint", "toe"], "pelvis.{S}"),
            *fingers("finger{finger}-{k}.{S}", "wrist.{S}", "12345", palm="metacarpal{finger}.{S}")]
    return build(middle, side, ("L", "R"), a_pose=True)


def vroid():
    """VRoid Studio's export: J_Bip for the body, J_Sec for hair and skirt, a root in the floor."""
    c = "J_Bip_C_"
    middle = [*spine([c + "Hips", c + "Spine", c + "Chest", c + "UpperChest", c + "Neck", c + "Head"],
                     ["pelvis", "waist", "ribs", "chest", "neck", "skull", "crown"], root="Root"),
              ("J_Sec_Hair1_01", c + "Head", "crown", "skull")]
    side = [*limb(["J_Bip_{S}_Shoulder", "J_Bip_{S}_UpperArm", "J_Bip_{S}_LowerArm", "J_Bip_{S}_Hand"],
                  ["clavicle", "shoulder", "elbow", "wrist", "middle_1"], c + "UpperChest"),
            *limb(["J_Bip_{S}_UpperLeg", "J_Bip_{S}_LowerLeg", "J_Bip_{S}_Foot", "J_Bip_{S}_ToeBase"],
                  ["hip", "knee", "ankle", "ball", "toe"], c + "Hips"),
            ("J_Sec_{S}_Bust1", c + "UpperChest", "clavicle", "eye"),
            *fingers("J_Bip_{S}_{finger}{k}", "J_Bip_{S}_Hand", ("Thumb", "Index", "Middle", "Ring", "Little"))]
    return build(middle, side, ("L", "R"))


def vrm(thumb=("Metacarpal", "Proximal", "Distal")):
    """A rig whose bones are called as VRM's humanoid calls them."""
    middle = spine(["hips", "spine", "chest", "upperChest", "neck", "head"],
                   ["pelvis", "waist", "ribs", "chest", "neck", "skull", "crown"])
    side = [*limb(["{S}Shoulder", "{S}UpperArm", "{S}LowerArm", "{S}Hand"],
                  ["clavicle", "shoulder", "elbow", "wrist", "middle_1"], "upperChest"),
            *limb(["{S}UpperLeg", "{S}LowerLeg", "{S}Foot", "{S}Toes"],
                  ["hip", "knee", "ankle", "ball", "toe"], "hips"),
            *fingers("{S}Thumb{k}", "{S}Hand", ("thumb",), thumb, of=("thumb",)),
            *fingers("{S}{finger}{k}", "{S}Hand", ("Index", "Middle", "Ring", "Little"),
                     ("Proximal", "Intermediate", "Distal"), of=FINGERS[1:])]
    return build(middle, side, ("left", "right"))


def cmu_asf():
    """The CMU laboratory's own names."""
    middle = [("root", "", "pelvis", "waist"), *spine(["lowerback", "upperback", "thorax"],
                                                     ["pelvis", "waist", "chest", "collar"], parent="root"),
              *spine(["lowerneck", "upperneck", "head"], ["neck", "nape", "skull", "crown"], parent="thorax")]
    side = [("{S}hipjoint", "root", "groin", "hip"),
            *limb(["{S}femur", "{S}tibia", "{S}foot", "{S}toes"], ["hip", "knee", "ankle", "ball", "toe"],
                  "{S}hipjoint"),
            *limb(["{S}clavicle", "{S}humerus", "{S}radius", "{S}wrist", "{S}hand", "{S}fingers"],
                  ["clavicle", "shoulder", "elbow", "wrist", "palm_index", "index_1", "index_4"], "thorax"),
            ("{S}thumb", "{S}wrist", "thumb_1", "thumb_4")]
    return build(middle, side, ("l", "r"))


def daz():
    """Genesis 8: bend and twist bones, carpals, metatarsals and toes, A-pose."""
    middle = [("hip", "", "pelvis", "waist"), ("pelvis", "hip", "waist", "pelvis"),
              *spine(["abdomenLower", "abdomenUpper", "chestLower", "chestUpper", "neckLower", "neckUpper", "head"],
                     ["pelvis", "waist", "ribs", "chest", "neck", "nape", "skull", "crown"], parent="hip")]
    side = [("{S}Collar", "chestUpper", "clavicle", "shoulder"),
            *limb(["{S}ShldrBend", "{S}ShldrTwist", "{S}ForearmBend", "{S}ForearmTwist", "{S}Hand"],
                  ["shoulder", "shoulder_twist", "elbow", "elbow_twist", "wrist", "middle_1"], "{S}Collar"),
            ("{S}Pectoral", "chestUpper", "clavicle", "eye"),
            *limb(["{S}ThighBend", "{S}ThighTwist", "{S}Shin", "{S}Foot", "{S}Metatarsals", "{S}Toe"],
                  ["hip", "hip_twist", "knee", "ankle", "arch", "ball", "toe"], "pelvis"),
            *fingers("{S}{finger}{k}", "{S}Hand", ("Thumb", "Index", "Mid", "Ring", "Pinky"), palm="{S}Carpal{finger}")]
    return build(middle, side, ("l", "r"), a_pose=True)


def mmd(suffix=False):
    """A standard MMD model after import: legs hang from the lower body, arms from the upper; twist, IK and D bones.
    `suffix`: 腕.L, as the importer may rename them, instead of 左腕."""
    name = "{name}.{S}" if suffix else "{S}{name}"

    def n(text):
        return name.replace("{name}", text)
    middle = [("全ての親", "", "floor", "waist"), ("センター", "全ての親", "waist", "ribs"),
              *spine(["上半身", "上半身2", "首", "頭"], ["waist", "chest", "neck", "skull", "crown"],
                     parent="センター"),
              ("下半身", "センター", "waist", "pelvis")]
    side = [*limb([n("肩"), n("腕"), n("腕捩"), n("ひじ"), n("手捩"), n("手首")],
                  ["clavicle", "shoulder", "shoulder_twist", "elbow", "elbow_twist", "wrist", "middle_1"], "上半身2"),
            *limb([n("足"), n("ひざ"), n("足首"), n("つま先")], ["hip", "knee", "ankle", "ball", "toe"], "下半身"),
            *limb([n("足D"), n("ひざD"), n("足首D")], ["hip", "knee", "ankle", "ball"], "下半身"),
            (n("足ＩＫ"), "全ての親", "ankle", "ball"), (n("つま先ＩＫ"), n("足ＩＫ"), "ball", "toe"),
            (n("目"), "頭", "eye", "skull"),
            *fingers(n("{finger}{k}"), n("手首"), ("親指",), "０１２", of=("thumb",)),
            *fingers(n("{finger}{k}"), n("手首"), ("人指", "中指", "薬指", "小指"), "１２３", of=FINGERS[1:])]
    return build(middle, side, ("L", "R") if suffix else ("左", "右"), a_pose=True)


def mmd_english():
    """The English names that a standard MMD model has beside the Japanese ones."""
    middle = [("master", "", "floor", "waist"), ("center", "master", "waist", "ribs"),
              *spine(["upper body", "upper body2", "neck", "head"],
                     ["waist", "chest", "neck", "skull", "crown"], parent="center"),
              ("lower body", "center", "waist", "pelvis")]
    side = [*limb(["shoulder_{S}", "arm_{S}", "arm twist_{S}", "elbow_{S}", "wrist_{S}"],
                  ["clavicle", "shoulder", "shoulder_twist", "elbow", "wrist", "middle_1"], "upper body2"),
            *limb(["leg_{S}", "knee_{S}", "ankle_{S}", "toe_{S}"], ["hip", "knee", "ankle", "ball", "toe"],
                  "lower body"),
            ("leg IK_{S}", "master", "ankle", "ball"),
            *fingers("thumb{k}_{S}", "wrist_{S}", ("thumb",), "012", of=("thumb",)),
            *fingers("{finger}{k}_{S}", "wrist_{S}", ("fore", "middle", "third", "little"), of=FINGERS[1:])]
    return build(middle, side, ("L", "R"), a_pose=True)
