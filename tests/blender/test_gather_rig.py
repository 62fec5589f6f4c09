"""From bones to joints: presets under many spellings, the artist's own map, and errors that name joint and bone."""
import json
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest
import rigs
from shots import armature, blenders_metarig, generated_bones, metarig_bones, mixamo_bones

HERE = Path(__file__).parent


@pytest.fixture
def rig(blank):
    from bl_ext.user_default.aa2_blender.gather import rig
    return rig


def found(rig, bones, **how):
    return rig.find_map(armature(bpy.context.scene, bones), **how)


def test_metarig_by_blender_itself(rig):
    thing = armature(bpy.context.scene, blenders_metarig())
    made = rig.find_map(thing)
    assert len(thing.data.bones) == 159 and made.preset == "Rigify metarig"
    assert set(made.joints) == set(rig.JOINTS) - set(rig.HEAD_POINTS)
    assert made.joints["left_toe"] == ("toe.L", "tail") and made.joints["right_index_4"] == ("f_index.03.R", "tail")


@pytest.mark.parametrize("bones, preset, wrist", [
    (metarig_bones(), "Rigify metarig", "hand.L"),
    (generated_bones(), "Rigify generated", "DEF-hand.L"),
    (mixamo_bones(), "Mixamo", "mixamorig:LeftHand"),
    (mixamo_bones("mixamorig7:"), "Mixamo", "mixamorig7:LeftHand"),
    (mixamo_bones("mixamorig_"), "Mixamo", "mixamorig_LeftHand"),
    (mixamo_bones(""), "Mixamo", "LeftHand"),
    ({name.lower().replace(".", "_"): (parent.lower().replace(".", "_"), *rest)
      for name, (parent, *rest) in metarig_bones().items()}, "Rigify metarig", "hand_l"),
])
def test_presets(rig, bones, preset, wrist):
    made = found(rig, bones)
    assert made.preset == preset and made.joints["left_wrist"] == (wrist, "head")
    assert set(rig.REQUIRED) <= set(made.joints)


# maker -> (the preset that must win, the rig, whether its arms hang in an A-pose, how many joints it has for each hand)
MAKERS = {
    "UE4": ("Unreal mannequin", rigs.unreal(), True, 20), "UE5": ("Unreal mannequin", rigs.unreal(five=True), True, 20),
    "MPFB": ("MakeHuman", rigs.makehuman(), True, 20), "VRoid": ("VRoid", rigs.vroid(), False, 20),
    "VRM 1": ("VRM", rigs.vrm(), False, 20),
    "VRM 0": ("VRM 0", rigs.vrm(("Proximal", "Intermediate", "Distal")), False, 20),
    "CMU ASF": ("CMU ASF", rigs.cmu_asf(), False, 0),
    "Genesis 8": ("Daz Genesis 8", rigs.daz(), True, 20), "MMD": ("MMD", rigs.mmd(), True, 20),
    "MMD, .L": ("MMD", rigs.mmd(suffix=True), True, 20),
    "MMD in English": ("MMD in English", rigs.mmd_english(), True, 20)}


def places(thing, made):
    """joint -> its place at rest."""
    return {joint: tuple(getattr(thing.data.bones[bone], f"{end}_local")) for joint, (bone, end) in made.joints.items()}


@pytest.mark.parametrize("maker", MAKERS)
def test_makers_rigs_by_their_names(rig, maker):
    preset, bones, a_pose, hand = MAKERS[maker]
    thing = armature(bpy.context.scene, bones)
    made = rig.find_map(thing)
    assert made.preset == preset
    at = places(thing, made)
    for joint, place in rigs.joints_of(a_pose).items():
        assert at[joint] == pytest.approx(place, abs=1e-5), joint
    assert sum(joint in made.joints for joint in rig.HAND_JOINTS) == 2 * hand
    assert at["left_toe"][1] < at["left_ankle"][1] - .1


@pytest.mark.parametrize("maker", MAKERS)
def test_the_same_rigs_under_other_spellings(rig, maker):
    preset, bones, _, _ = MAKERS[maker]

    def other(name):
        return f"hero:{name.upper()}" if name and "_" in name else name
    made = found(rig, {other(name): (other(parent), *ends) for name, (parent, *ends) in bones.items()})
    assert made.preset == preset and set(rig.REQUIRED) <= set(made.joints)


def turned(place, matrix):
    return tuple(matrix @ np.array(place))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("facing", ["-y", "+x", "y up"])
def test_rigs_of_nobody_are_guessed_by_structure(rig, maker, facing):
    """The same bodies, but their bones' names say nothing; also facing +X, and lying down as in other programs."""
    matrix = {"-y": np.eye(3), "+x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
              "y up": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])}[facing]
    _, bones, a_pose, _ = MAKERS[maker]
    names = {name: f"bone{i:03}" for i, name in enumerate(bones)} | {"": ""}
    thing = armature(bpy.context.scene, {names[name]: (names[parent], turned(head, matrix), turned(tail, matrix))
                                         for name, (parent, head, tail) in bones.items()})
    made = rig.find_map(thing)
    assert made.preset == rig.GUESSED
    at = places(thing, made)
    for joint, place in rigs.joints_of(a_pose).items():
        # it is a matter of taste where a neck of two bones begins
        near = 0.06 if joint in ("neck", "head") else 1e-5
        assert at[joint] == pytest.approx(turned(place, matrix), abs=near), joint


# Rigs that others made (real_rigs/README.md): (file, the preset that must win, its left wrist, how many joints it has
# for each hand)
REAL = {"makehuman_default": ("MakeHuman", "wrist.L", 20), "makehuman_mixamo": ("Mixamo", "mixamorig:LeftHand", 20),
        "makehuman_game_engine": ("Unreal mannequin", "hand_l", 20),
        "makehuman_rigify_human": ("Rigify metarig", "hand.L", 20),
        "makehuman_cmu_mb": ("CMU BVH", "LeftHand", 0), "cmu_01_01": ("CMU BVH", "LeftHand", 0)}


def real(name, skirt=0):
    """An armature from a file of real_rigs/, with a skirt of so many bones; motions are imported by Blender's own
    importer."""
    file = HERE / "real_rigs" / name
    if name.startswith("cmu"):
        bpy.ops.preferences.addon_enable(module="io_anim_bvh")
        bpy.ops.import_anim.bvh(filepath=str(file.with_suffix(".bvh")))
        return bpy.context.object
    bones = {bone: (parent, head, tail)
             for bone, parent, head, tail in json.loads(file.with_suffix(".json").read_text())}
    for k in range(skirt):
        chain, link = divmod(k, 6)
        turn = 2 * np.pi * (chain + .5) / (skirt // 6)
        x, y = .2 * np.sin(turn), .2 * np.cos(turn)
        bones[f"skirt{k}"] = (f"skirt{k - 1}" if link else "root", (x, y, -.05 * link), (x, y, -.05 * (link + 1)))
    return armature(bpy.context.scene, bones)


@pytest.mark.parametrize("name", REAL)
def test_real_rigs_by_their_names(rig, name):
    preset, wrist, hand = REAL[name]
    made = rig.find_map(real(name))
    assert made.preset == preset and made.joints["left_wrist"] == (wrist, "head")
    assert sum(joint in made.joints for joint in rig.HAND_JOINTS) == 2 * hand
    assert {"left_toe", "right_toe"} <= set(made.joints)


@pytest.mark.parametrize("name", REAL)
def test_real_rigs_are_guessed_as_their_names_say(rig, name):
    thing = real(name)
    named = places(thing, rig.find_map(thing))
    for i, bone in enumerate(list(thing.data.bones)):
        bone.name = f"bone{i:03}"
    made = rig.find_map(thing)
    assert made.preset == rig.GUESSED
    guessed, size = places(thing, made), max(thing.dimensions)
    for joint in rig.REQUIRED:
        near = 0.1 * size if joint in ("neck", "head") else 1e-5 * size
        assert guessed[joint] == pytest.approx(named[joint], abs=near), joint
    for joint in set(named) & set(guessed) & set(rig.HAND_JOINTS):
        assert guessed[joint] == pytest.approx(named[joint], abs=0.05 * size), joint


def test_a_great_rig_of_nobody_keeps_no_window_waiting(rig):
    """A panel asks at each redraw. The rig is guessed the first time; after that, the result is remembered."""
    thing = real("makehuman_default", skirt=600)
    for i, bone in enumerate(list(thing.data.bones)):
        bone.name = f"bone{i:03}"
    first, second = (calls_of(lambda: rig.rows_of(thing)) for _ in range(2))
    assert rig.rows_of(thing)[0] == rig.GUESSED
    bones = len(thing.data.bones)
    assert second < first / 5 and first < 100 * bones, (first, second, bones)


def calls_of(work):
    """How many functions of Python and of C the work calls: a measure of cost that is the same on every machine."""
    count = 0

    def counted(frame, event, what):
        nonlocal count
        count += event in ("call", "c_call")
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_what_a_preset_lacks_is_guessed(rig):
    bones = {name.replace("shin.L", "lower"): (parent.replace("shin.L", "lower"), *ends)
             for name, (parent, *ends) in metarig_bones().items()}
    thing = armature(bpy.context.scene, bones)
    made = rig.find_map(thing)
    assert made.preset == "Rigify metarig" and made.joints["left_knee"] == ("lower", "head")
    states = {row.joint: row.state for row in rig.rows_of(thing)[1]}
    assert states["left_knee"] == rig.JointState.GUESS and states["right_knee"] == rig.JointState.PRESET
    with pytest.raises(Exception, match="left knee"):
        rig.find_map(thing, preset="Rigify metarig")


def test_no_body_is_guessed_nowhere(rig):
    """A dog's legs, a chain and a sign are not a person: the error names the missing joints, and none is invented."""
    chain = {f"c{i}": (f"c{i - 1}" if i else "", (0, 0, i), (0, 0, i + 1)) for i in range(30)}
    for bones in (chain, {"only": ("", (0, 0, 0), (0, 0, 1))}):
        with pytest.raises(Exception, match="left wrist"):
            found(rig, bones)


def test_rows_for_the_table(rig):
    bones = {("Tatze" if name == "hand.L" else name): value for name, value in metarig_bones().items()}
    del bones["toe.R"], bones["shin.R"], bones["foot.R"]
    thing = armature(bpy.context.scene, bones)
    name, rows = rig.rows_of(thing, entries=[("left_wrist", "Tatze", "head"), ("left_elbow", "nowhere", "head")])
    states = {row.joint: (row.bone, row.state) for row in rows}
    assert name == "Rigify metarig" and list(states) == list(rig.JOINTS)
    assert states["left_wrist"] == ("Tatze", rig.JointState.OWN)
    assert states["left_elbow"] == ("nowhere", rig.JointState.WRONG)
    assert states["right_knee"] == ("", rig.JointState.MISSING) and states["right_toe"] == ("", "")
    assert states["neck"] == ("spine.004", rig.JointState.PRESET)


def test_split_limbs_begin_at_the_joint(rig):
    joints = found(rig, generated_bones()).joints
    assert joints["right_elbow"] == ("DEF-forearm.R", "head") and joints["right_knee"] == ("DEF-shin.R", "head")


def test_fingers_only_where_they_are(rig):
    assert "left_thumb_1" in found(rig, mixamo_bones()).joints
    assert not set(rig.HAND_JOINTS) & set(found(rig, mixamo_bones(fingers=False)).joints)


def test_missing_joints_are_named(rig):
    bones = metarig_bones()
    del bones["hand.L"], bones["shin.R"], bones["foot.R"], bones["toe.R"]
    with pytest.raises(Exception, match="left wrist.*") as error:
        found(rig, bones)
    assert "right knee" in str(error.value) and "right ankle" in str(error.value) and "'rig'" in str(error.value)
    assert "elbow" not in str(error.value)


def test_own_entries_complete_a_preset(rig):
    bones = {("Tatze" if name == "hand.L" else name): value for name, value in metarig_bones().items()}
    made = found(rig, bones, entries=[("left_wrist", "Tatze", "head")])
    assert made.preset == "Rigify metarig" and made.joints["left_wrist"] == ("Tatze", "head")


@pytest.mark.parametrize("entry, words", [
    (("left_wrist", "nowhere", "head"), ["left wrist", "nowhere"]),
    (("left_paw", "hand.L", "head"), ["left_paw"]),
    (("left_wrist", "hand.L", "middle"), ["left wrist", "hand.L", "middle"]),
    (("left_wrist", "foot.L", "head"), ["left wrist", "foot.L", "forearm.L"]),
])
def test_wrong_entries(rig, entry, words):
    with pytest.raises(Exception) as error:
        found(rig, metarig_bones(), entries=[entry])
    assert all(word in str(error.value) for word in words), error.value


def test_map_saved_and_loaded(rig, tmp_path):
    entries = (("left_wrist", "Hand – links", "head"), ("right_toe", "toe.R", "tail"))
    rig.write_map(tmp_path / "été.json", entries)
    assert rig.read_map(tmp_path / "été.json") == entries


@pytest.mark.parametrize("content", ["", "[]", '{"version": 9, "joints": {}}', '{"version": 1, "joints": {"neck": 3}}',
                                     '{"version": 1, "joints": {"paw": {"bone": "x"}}}'])
def test_broken_maps(rig, tmp_path, content):
    (tmp_path / "map.json").write_text(content)
    with pytest.raises(Exception) as error:
        rig.read_map(tmp_path / "map.json")
    assert "map" in str(error.value) and "Gather" in type(error.value).__name__


def test_unknown_preset(rig):
    with pytest.raises(Exception, match="Mixamo"):
        found(rig, metarig_bones(), preset="Biped")


@pytest.mark.parametrize("turn", [0, 90, 180, 215])
def test_face_is_in_front_whatever_way_the_rig_was_built(rig, turn):
    from bl_ext.user_default.aa2_blender.gather.head import measure
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))

    def turned(p):
        return (cos * p[0] - sin * p[1], sin * p[0] + cos * p[1], p[2])
    bones = {name: (parent, turned(head), turned(tail)) for name, (parent, head, tail) in metarig_bones().items()}
    thing = armature(bpy.context.scene, bones)
    head = measure(thing, rig.find_map(thing).joints)
    matrix = np.array(thing.data.bones["spine.006"].matrix_local)
    nose, left_eye, centre = (matrix[:3, :3] @ p + matrix[:3, 3] for p in (head.points[0], head.points[2], head.centre))
    assert (nose - centre) @ turned((0, -1, 0)) > 0.08
    assert (left_eye - centre) @ turned((1, 0, 0)) > 0.02
    assert head.height == pytest.approx(1.8, abs=0.03)


def test_swapped_sides_are_noticed(rig):
    from bl_ext.user_default.aa2_blender.gather.head import measure
    swapped = {name: (parent, (-head[0], *head[1:]), (-tail[0], *tail[1:]))
               for name, (parent, head, tail) in metarig_bones().items()}
    thing = armature(bpy.context.scene, swapped)
    with pytest.raises(Exception, match="swapped"):
        measure(thing, rig.find_map(thing).joints)


def test_a_helper_of_a_head_bone_does_not_make_a_giant(rig):
    from bl_ext.user_default.aa2_blender.gather.head import measure
    bones = metarig_bones()
    parent, head, _ = bones["spine.006"]
    bones["spine.006"] = (parent, head, (0, 0, 4.0))
    thing = armature(bpy.context.scene, bones)
    assert measure(thing, rig.find_map(thing).joints).height == pytest.approx(1.8, abs=0.06)


def test_saved_map_is_plain_json(rig, tmp_path):
    rig.write_map(tmp_path / "m.json", [("neck", "spine.004", "head")])
    assert json.loads((tmp_path / "m.json").read_text())["joints"]["neck"]["bone"] == "spine.004"
