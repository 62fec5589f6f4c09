"""Bones to joints: presets under many spellings, the artist's own map, and errors that name joint and bone."""
import json

import bpy
import numpy as np
import pytest
from shots import armature, blenders_metarig, generated_bones, metarig_bones, mixamo_bones


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
    assert set(made.joints) == set(rig.JOINTS)
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
