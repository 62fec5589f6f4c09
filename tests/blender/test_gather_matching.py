"""Names that a preset half knows, and rigs that only structure tells: joint by joint, the right bone or a doubt."""
import math

import bpy
import numpy as np
import pytest
import rigs
from shots import armature, mixamo_bones

FINGERS = dict(zip(rigs.FINGERS, ("thumb", "index", "middle", "ring", "pinky"), strict=True))
LIMBS = {"clavicle": "clavicle", "upperarm": "shoulder", "lowerarm": "elbow", "hand": "wrist", "thigh": "hip",
         "calf": "knee", "foot": "ankle", "ball": "toe"}
MIDDLE = ("pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head")


@pytest.fixture
def rig(blank):
    from bl_ext.user_default.aa2_blender.gather import rig
    return rig


def named(middle, side, words, fingers=None):
    """The body of MakeHuman's game_engine rig under other names. `middle`: those of MIDDLE; `side`: those of LIMBS with
    {S}; `words`: how the sides are called; `fingers`(finger, k): a bone's name with {S}; None leaves the fingers
    out."""
    names = dict(zip(MIDDLE, middle, strict=True))
    for short, word in zip("lr", words, strict=True):
        names |= {f"{bone}_{short}": pattern.format(S=word) for bone, pattern in zip(LIMBS, side, strict=True)}
        for own, finger in FINGERS.items():
            names |= {f"{finger}_0{k}_{short}": fingers(own, k).format(S=word) for k in (1, 2, 3) if fingers}
    body = rigs.recorded("makehuman_game_engine")
    kept = {bone: row for bone, row in body.items()
            if fingers or not any(bone.startswith(f"{finger}_") for finger in FINGERS.values())}
    return {names.get(bone, bone): (names.get(parent, parent), head, tail)
            for bone, (parent, head, tail) in kept.items()}


def numbered(pattern, words):
    return lambda finger, k: pattern.format(S="{S}", f=words[rigs.FINGERS.index(finger)], k=k)


PLAIN = ("thumb", "index", "middle", "ring", "pinky")
CAPITAL = ("Thumb", "Index", "Middle", "Ring", "Pinky")
SPINES = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
MAKERS = {
    "SMPL-X": named(SPINES, ("{S}_collar", "{S}_shoulder", "{S}_elbow", "{S}_wrist", "{S}_hip", "{S}_knee", "{S}_ankle",
                             "{S}_foot"), ("left", "right"), numbered("{S}_{f}{k}", PLAIN)),
    "Advanced Skeleton": named(("Root_M", "Spine1_M", "Spine2_M", "Chest_M", "Neck_M", "Head_M"),
                               ("Scapula_{S}", "Shoulder_{S}", "Elbow_{S}", "Wrist_{S}", "Hip_{S}", "Knee_{S}",
                                "Ankle_{S}", "Toes_{S}"), ("L", "R"), numbered("{f}Finger{k}_{S}", CAPITAL)),
    "Unity": named(("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"),
                   ("Shoulder.{S}", "UpperArm.{S}", "LowerArm.{S}", "Hand.{S}", "UpperLeg.{S}", "LowerLeg.{S}",
                    "Foot.{S}", "Toe.{S}"), ("L", "R"),
                   lambda finger, k: f"{finger.capitalize()}{('Proximal', 'Middle', 'Distal')[k - 1]}.{{S}}"),
    "CATS": named(("Hips", "Spine", "Chest", "Upper Chest", "Neck", "Head"),
                  ("{S} shoulder", "{S} arm", "{S} elbow", "{S} wrist", "{S} leg", "{S} knee", "{S} ankle", "{S} toe"),
                  ("Left", "Right"), lambda finger, k: f"Thumb{k - 1}_{{S}}" if finger == "thumb"
                  else f"{finger.capitalize()}Finger{k}_{{S}}"),
    "Biped": named([f"Bip001 {name}" for name in ("Pelvis", "Spine", "Spine1", "Spine2", "Neck", "Head")],
                   [f"Bip001 {{S}} {name}" for name in ("Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf",
                                                        "Foot", "Toe0")], ("L", "R"),
                   lambda finger, k: f"Bip001 {{S}} Finger{rigs.FINGERS.index(finger)}{'' if k == 1 else k - 1}"),
    "Character Creator": named([f"CC_Base_{name}" for name in ("Hip", "Waist", "Spine01", "Spine02", "NeckTwist01",
                                                               "Head")],
                               [f"CC_Base_{{S}}_{name}" for name in ("Clavicle", "Upperarm", "Forearm", "Hand",
                                                                     "Thigh", "Calf", "Foot", "ToeBase")], ("L", "R"),
                               numbered("CC_Base_{S}_{f}{k}", ("Thumb", "Index", "Mid", "Ring", "Pinky"))),
    "Auto-Rig Pro": named(("root.x", "spine_01.x", "spine_02.x", "spine_03.x", "neck.x", "head.x"),
                          ("shoulder.{S}", "arm_stretch.{S}", "forearm_stretch.{S}", "hand.{S}", "thigh_stretch.{S}",
                           "leg_stretch.{S}", "foot.{S}", "toes_01.{S}"), ("l", "r"), numbered("{f}{k}.{S}", PLAIN)),
    "Xsens": named(("Hips", "Chest", "Chest2", "Chest3", "Neck", "Head"),
                   ("{S}Collar", "{S}Shoulder", "{S}Elbow", "{S}Wrist", "{S}Hip", "{S}Knee", "{S}Ankle", "{S}Toe"),
                   ("Left", "Right")),
    "LAFAN1": named(("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"),
                    ("{S}Shoulder", "{S}Arm", "{S}ForeArm", "{S}Hand", "{S}UpLeg", "{S}Leg", "{S}Foot", "{S}Toe"),
                    ("Left", "Right")),
    "Valve": named([f"ValveBiped.Bip01_{name}" for name in ("Pelvis", "Spine", "Spine2", "Spine4", "Neck1", "Head1")],
                   [f"ValveBiped.Bip01_{{S}}_{name}" for name in ("Clavicle", "UpperArm", "Forearm", "Hand", "Thigh",
                                                                  "Calf", "Foot", "Toe0")], ("L", "R")),
    "Cascadeur": named(("pelvis", "stomach", "chest", "chest2", "neck", "head"),
                       ("clavicle_{S}", "arm_{S}", "forearm_{S}", "hand_{S}", "thigh_{S}", "calf_{S}", "foot_{S}",
                        "toe_{S}"), ("l", "r")),
    "Chinese": named(("骨盆", "脊椎1", "脊椎2", "脊椎3", "脖子", "头部"),
                     ("{S}锁骨", "{S}上臂", "{S}前臂", "{S}手", "{S}大腿", "{S}小腿", "{S}脚", "{S}脚趾"), ("左", "右"),
                     numbered("{S}{f}{k}", ("拇指", "食指", "中指", "无名指", "小指"))),
    "German": named(("Becken", "Wirbel1", "Wirbel2", "Wirbel3", "Hals", "Kopf"),
                    ("Schluessel_{S}", "Oberarm_{S}", "Unterarm_{S}", "Hand_{S}", "Oberschenkel_{S}",
                     "Unterschenkel_{S}", "Fuss_{S}", "Zehen_{S}"), ("L", "R")),
    # its chest is called as a metarig's neck is
    "neck on the chest": named(("hips", "spine_1", "spine_2", "spine_4", "nape", "skull"),
                               ("collar_{S}", "upper_arm_{S}", "forearm_{S}", "hand_{S}", "thigh_{S}", "calf_{S}",
                                "foot_{S}", "toe_{S}"), ("L", "R"))}


def truth():
    """joint -> its place in MakeHuman's game_engine rig."""
    body = rigs.recorded("makehuman_game_engine")
    at = {"neck": body["neck_01"][1], "head": body["head"][1]}
    for side, short in (("left", "l"), ("right", "r")):
        at |= {f"{side}_{joint}": body[f"{bone}_{short}"][1] for bone, joint in LIMBS.items() if joint in rigs.ARM
               or joint in rigs.LEG}
        at |= {f"{side}_{own}_{k}": body[f"{finger}_0{k}_{short}"][1] for own, finger in FINGERS.items()
               for k in (1, 2, 3)}
    return at


def places(thing, rows):
    return {row.joint: tuple(getattr(thing.data.bones[row.bone], f"{row.end}_local")) for row in rows if row.bone}


@pytest.mark.parametrize("maker", MAKERS)
def test_other_makers_names(rig, maker):
    """All joints are there and right, toes and fingers too; what names do not tell has a question mark."""
    bones = MAKERS[maker]
    thing = armature(bpy.context.scene, bones)
    _, rows = rig.rows_of(thing)
    at, fingers = places(thing, rows), len(bones) > 40
    for joint, place in truth().items():
        if fingers or joint not in rig.HAND_JOINTS:
            assert at[joint] == pytest.approx(place, abs=1e-5), joint
    for side in ("left", "right"):
        assert at[f"{side}_toe"][1] < at[f"{side}_ankle"][1] - .08
    assert rig.find_map(thing).joints == {row.joint: (row.bone, row.end) for row in rows if row.bone}


def test_what_the_structure_contradicts_is_doubtful(rig):
    """A clavicle that is called as a metarig's upper arm is, on a rig whose knees are called otherwise."""
    thing = armature(bpy.context.scene, named(
        ("hips", "spine_1", "spine_2", "spine_3", "spine.004", "spine.006"),
        ("upper_arm.{S}", "humerus.{S}", "forearm.{S}", "hand.{S}", "thigh.{S}", "lower.{S}", "foot.{S}", "toe.{S}"),
        ("L", "R")))
    name, rows = rig.rows_of(thing)
    found = {row.joint: (row.bone, row.state) for row in rows}
    assert name == "Rigify metarig"
    assert found["left_shoulder"] == ("humerus.L", rig.JointState.DOUBT)
    assert found["left_knee"] == ("lower.L", rig.JointState.GUESS)
    assert found["left_elbow"] == ("forearm.L", rig.JointState.PRESET)


def test_a_chest_is_no_neck(rig):
    """Names put the neck on the bone that the arms hang from, and know no head."""
    rows = {row.joint: row for row in rig.rows_of(armature(bpy.context.scene, MAKERS["neck on the chest"]))[1]}
    assert (rows["neck"].bone, rows["neck"].state) == ("nape", rig.JointState.GUESS)
    assert rows["left_shoulder"].state == rig.JointState.PRESET and rows["left_knee"].state == rig.JointState.GUESS


def test_a_neck_that_structure_puts_elsewhere(rig):
    """The same names, and a head as in the preset: the chest is no neck, and the row says so."""
    bones = {("spine_6" if bone == "skull" else bone): ("spine_6" if parent == "skull" else parent, head, tail)
             for bone, (parent, head, tail) in MAKERS["neck on the chest"].items()}
    thing = armature(bpy.context.scene, bones)
    rows = {row.joint: row for row in rig.rows_of(thing)[1]}
    assert rows["neck"].bone == "nape" and rows["head"].bone == "spine_6"


def test_a_finger_counts_only_whole(rig):
    """A thumb with two of a preset's three bones is no thumb where the structure tells nothing."""
    bones = {bone: row for bone, row in mixamo_bones().items() if "Thumb1" not in bone}
    bones = {bone: ("mixamorig:LeftHand" if parent == "mixamorig:LeftHandThumb1" else
                    "mixamorig:RightHand" if parent == "mixamorig:RightHandThumb1" else parent, head, tail)
             for bone, (parent, head, tail) in bones.items()}
    made = rig.find_map(armature(bpy.context.scene, bones))
    assert not [joint for joint in made.joints if "thumb" in joint] and "left_index_1" in made.joints


def test_sides_are_the_names_sides(rig):
    """A rig without toes that looks along +Y: structure cannot tell left from right, but half of its names can."""
    bones = {bone: (parent, (-head[0], -head[1], head[2]), (-tail[0], -tail[1], tail[2]))
             for bone, (parent, head, tail) in MAKERS["Cascadeur"].items() if not bone.startswith("toe")}
    thing = armature(bpy.context.scene, bones)
    made = rig.find_map(thing)
    assert made.joints["left_shoulder"] == ("arm_l", "head") and made.joints["right_knee"] == ("calf_r", "head")


@pytest.mark.parametrize("turned", [False, True])
def test_bones_that_only_mark_an_end(rig, turned):
    """Leaf bones as FBX export adds them, on a rig of unknown names; `turned`: mirrored by turning, as Maya's joints
    are, so that the right side's point the other way."""
    bones = named(("Becken", "Wirbel1", "Wirbel2", "Wirbel3", "Hals", "Kopf"),
                  ("Schluessel_{S}", "Oberarm_{S}", "Unterarm_{S}", "Hand_{S}", "Oberschenkel_{S}",
                   "Unterschenkel_{S}", "Fuss_{S}", "Zehen_{S}"), ("L", "R"), numbered("f{f}_{k}_{S}", "abcde"))
    parents = {parent for parent, _, _ in bones.values()}
    for bone in [bone for bone in bones if bone not in parents]:
        parent, head, tail = bones[bone]
        way = np.subtract(tail, head) * (-1 if turned and bone.endswith("_R") else 1)
        end = tuple(np.add(head, way))
        bones |= {bone: (parent, head, end), f"{bone}_end": (bone, end, tuple(np.add(end, way)))}
    thing = armature(bpy.context.scene, bones)
    name, rows = rig.rows_of(thing)
    at = places(thing, rows)
    assert name == rig.GUESSED
    for joint, place in truth().items():
        assert at[joint] == pytest.approx(place, abs=1e-5), joint
    found = {row.joint: (row.bone, row.end) for row in rows}
    assert found["left_index_4"] == ("fb_3_L_end", "head") and found["left_toe"] == ("Zehen_L_end", "head")


def test_ends_without_a_name(rig):
    """Leaf bones of a rig whose names say nothing: a thumb has three bones, so the fourth of each finger is an end."""
    bones = rigs.recorded("makehuman_game_engine")
    for bone in [bone for bone in bones if bone.rpartition("_")[0].endswith("_03") and "spine" not in bone]:
        _, head, tail = bones[bone]
        bones[f"{bone}_more"] = (bone, tail, tuple(np.add(tail, np.subtract(tail, head))))
    names = {bone: f"b{i:03}" for i, bone in enumerate(bones)} | {"": ""}
    thing = armature(bpy.context.scene, {names[bone]: (names[parent], head, tail)
                                         for bone, (parent, head, tail) in bones.items()})
    at = places(thing, rig.rows_of(thing)[1])
    for joint, place in truth().items():
        assert at[joint] == pytest.approx(place, abs=1e-5), joint


def nameless(bones):
    """The bones called b000, b001 ... in their order."""
    names = {bone: f"b{i:03}" for i, bone in enumerate(bones)} | {"": ""}
    return {names[bone]: (names[parent], head, tail) for bone, (parent, head, tail) in bones.items()}


def changed(change):
    """MakeHuman's game_engine rig without names, after change(bone, head) -> head."""
    bones = rigs.recorded("makehuman_game_engine")
    moved = {bone: (parent, change(bone, np.array(head)), change(bone, np.array(tail)))
             for bone, (parent, head, tail) in bones.items()}
    return {bone: (parent, tuple(head), tuple(tail)) for bone, (parent, head, tail) in moved.items()}


@pytest.mark.parametrize("lift", [0, .06, .1, .14])
def test_heels(rig, lift):
    """All but the balls of the feet is lifted: the ankle stays the ankle."""
    bones = changed(lambda bone, at: at + (0, 0, 0 if bone.startswith("ball") or bone == "Root" else lift))
    check_limbs(rig, bones)


@pytest.mark.parametrize("further", [.05, .08, .1])
def test_broad_chests(rig, further):
    """Clavicles that begin far outside: the shoulder is where the arm begins."""
    bones = dict(rigs.recorded("makehuman_game_engine"))
    for bone, x in (("clavicle_l", further), ("clavicle_r", -further)):
        parent, head, tail = bones[bone]
        bones[bone] = (parent, (head[0] + x, *head[1:]), tail)
    check_limbs(rig, bones)


def check_limbs(rig, bones):
    names = list(bones)
    thing = armature(bpy.context.scene, nameless(bones))
    name, rows = rig.rows_of(thing)
    found = {row.joint: names[int(row.bone[1:])] for row in rows if row.bone}
    assert name == rig.GUESSED
    for side, short in (("left", "l"), ("right", "r")):
        for bone, joint in LIMBS.items():
            if joint in rigs.ARM or joint in rigs.LEG or joint == "toe":
                assert found[f"{side}_{joint}"] == f"{bone}_{short}", (side, joint)


@pytest.mark.parametrize("degrees", [0, 3, 5, 8, 12, 30])
def test_an_arm_off_the_mirror(rig, degrees):
    """The right arm hangs lower than the left. The names of no preset say which bones are a pair."""
    words = {"upperarm": "B_UpperArm", "lowerarm": "B_ForeArm", "hand": "B_Hand", "thigh": "B_Hip", "calf": "B_Knee",
             "foot": "B_Ankle", "ball": "B_Toe", "clavicle": "B_Clavicle"}
    body = rigs.recorded("makehuman_game_engine")
    start = np.array(body["upperarm_r"][1])
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
    arm = {"upperarm_r"}
    for bone, (parent, _, _) in body.items():
        arm |= {bone} if parent in arm else set()

    def name(bone):
        base, _, side = bone.rpartition("_")
        return f"{words.get(base, 'B_' + base)}_{'Left' if side == 'l' else 'Right'}" if side in ("l", "r") else \
            bone and f"B_{bone}"

    def place(bone, at):
        return tuple(start + turn @ (np.array(at) - start)) if bone in arm else at
    thing = armature(bpy.context.scene, {name(bone): (name(parent), place(bone, head), place(bone, tail))
                                         for bone, (parent, head, tail) in body.items()})
    _, rows = rig.rows_of(thing)
    found = {row.joint: row.bone for row in rows}
    for bone, joint in LIMBS.items():
        if joint in rigs.ARM or joint in rigs.LEG or joint == "toe":
            for side, short in (("left", "l"), ("right", "r")):
                assert found[f"{side}_{joint}"] == name(f"{bone}_{short}"), (side, joint)
    assert found["right_index_1"] == name("index_01_r")


@pytest.mark.parametrize("facing", ["-y", "+z"])
def test_sides_that_nothing_tells(rig, facing):
    """bone_0 and so on, without toes: left is where Blender's convention has it, and every joint is a guess."""
    turn = np.eye(3) if facing == "-y" else np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    bones = {bone: (parent, tuple(turn @ np.array(head)), tuple(turn @ np.array(tail)))
             for bone, (parent, head, tail) in rigs.recorded("unirig_tira").items()}
    thing = armature(bpy.context.scene, bones)
    name, rows = rig.rows_of(thing)
    at = places(thing, rows)
    assert name == rig.GUESSED and not [row.joint for row in rows if row.state == rig.JointState.MISSING]
    assert all(row.state == rig.JointState.GUESS for row in rows if row.bone)
    for limb in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert at[f"left_{limb}"][0] > .01 > at[f"right_{limb}"][0]
