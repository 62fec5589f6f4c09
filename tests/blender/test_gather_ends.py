"""Rigs whose tails, rest pose or scale mislead: the joints and the height come from heads, lengths and poses."""
import math
from pathlib import Path

import bpy
import numpy as np
import pytest
import rigs
from bpy_extras.object_utils import world_to_camera_view
from shots import armature, camera, cube, mixamo_bones, set_size

RIGS = Path(__file__).parent / "real_rigs"
BODY = ["nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
        "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
        "left_eye", "right_ear", "left_ear", "right_toe", "left_toe"]
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
INDEX_TIP = 8


@pytest.fixture
def rig(extension):
    from bl_ext.user_default.aa2_blender.gather import rig
    return rig


@pytest.fixture
def look(extension, rig):
    """look(scene, thing) -> the person of one frame at 480 x 480."""
    from bl_ext.user_default.aa2_blender.gather import pose

    def person(scene, thing, frame=1, told=()):
        skeleton = pose.skeleton_of(thing, rig.find_map(thing).joints, *told)
        return pose.people(scene, thing, skeleton, frames=[frame], size=(480, 480))[0][0]
    return person


def studio(scene):
    set_size(scene, (480, 480))
    return camera(scene, (1.8, -3.2, 1.1), (math.radians(87), 0, math.radians(30)))


def joint(person, name):
    return np.array(person["body"][BODY.index(name)])


def seen(scene, thing, place):
    """The pixels and the depth of a place of the armature's space, by Blender's own projection."""
    x, y, depth = world_to_camera_view(scene, scene.camera, thing.matrix_world @ place)
    return np.array((x * 480, (1 - y) * 480, depth))


def mixamo(scene):
    """MakeHuman's body with Mixamo's names, in centimetres as their files are, with a mesh that carries weights."""
    bones = rigs.recorded("makehuman_mixamo")
    thing = armature(scene, {bone: (parent, np.multiply(head, 100), np.multiply(tail, 100))
                             for bone, (parent, head, tail) in bones.items()}, "Armature")
    thing.scale = (.01,) * 3
    skin = cube(scene, (0, 0, 1), name="skin")
    skin.parent = thing
    for bone in bones:
        skin.vertex_groups.new(name=bone).add([0, 1, 2], .5, "ADD")
    skin.modifiers.new("skin", "ARMATURE").object = thing
    return thing


def through_gltf(path, **how):
    bpy.ops.export_scene.gltf(filepath=str(path.with_suffix(".glb")), export_animations=False)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path.with_suffix(".glb")), **how)


def through_fbx(path, axis, importer):
    bpy.ops.export_scene.fbx(filepath=str(path.with_suffix(".fbx")), add_leaf_bones=False, primary_bone_axis=axis,
                             secondary_bone_axis="Y" if axis == "Z" else "X")
    bpy.ops.wm.read_homefile(use_empty=True)
    importer(filepath=str(path.with_suffix(".fbx")))


TRIPS = {"FBX along Y": lambda path: through_fbx(path, "Y", bpy.ops.import_scene.fbx),
         "FBX along Z": lambda path: through_fbx(path, "Z", bpy.ops.import_scene.fbx)}
if bpy.app.version >= (4, 5):  # 4.2's module crashes at exit once its glTF add-on has run
    TRIPS |= {"glTF": through_gltf, "glTF, temperance": lambda path: through_gltf(path, bone_heuristic="TEMPERANCE")}
if "fbx_import" in dir(bpy.ops.wm):
    TRIPS["FBX along Z, Blender's own importer"] = lambda path: through_fbx(path, "Z", bpy.ops.wm.fbx_import)


@pytest.mark.parametrize("trip", TRIPS)
def test_a_rig_comes_through_other_programs_as_it_was(blank, look, tmp_path, trip):
    """Tails are lost on the way. The joints stay within a few pixels, and the height to a hundredth of a pixel."""
    thing = mixamo(blank)
    studio(blank)
    truth = look(blank, thing)
    TRIPS[trip](tmp_path / "there and back")
    scene = bpy.context.scene
    thing = next(one for one in scene.objects if one.type == "ARMATURE")
    scene.camera = None
    studio(scene)
    got = look(scene, thing)
    assert got["height_px"] == pytest.approx(truth["height_px"], abs=.1)
    for name in set(BODY) - {"left_toe", "right_toe", *FACE}:
        assert joint(got, name) == pytest.approx(joint(truth, name), abs=.05), name
    for name in ("left_toe", "right_toe"):
        assert math.dist(joint(got, name)[:2], joint(truth, name)[:2]) < 5, name
    for side in ("left_hand", "right_hand"):
        for point in range(21):
            assert math.dist(got[side][point][:2], truth[side][point][:2]) < 5, (side, point)


def test_the_next_bone_is_where_a_limb_ends(blank, rig):
    """Toe_End, Index4 and HeadTop_End tell what the tails of the bones before them do not."""
    ends = {f"mixamorig:{side}{last}": (f"mixamorig:{side}{bone}", place, (0, 0, 9)) for side, x in
            (("Left", 1), ("Right", -1)) for last, bone, place in
            (("Toe_End", "ToeBase", (.1 * x, -.17, .02)), ("HandIndex4", "HandIndex3", (.87 * x, -.04, 1.46)))}
    ends["mixamorig:HeadTop_End"] = ("mixamorig:Head", (0, 0, 1.8), (0, 9, 9))
    bones = {bone: (parent, head, (0, 0, 9)) for bone, (parent, head, _) in mixamo_bones().items()}
    thing = armature(blank, bones | ends)
    made = rig.find_map(thing)
    assert made.joints["left_toe"] == ("mixamorig:LeftToe_End", "head")
    assert made.joints["right_index_4"] == ("mixamorig:RightHandIndex4", "head")
    assert made.preset == "Mixamo"
    from bl_ext.user_default.aa2_blender.gather.head import measure
    assert measure(thing, made.joints).height == pytest.approx(1.8, abs=.03)


@pytest.mark.parametrize("tail", [(0, 0, 9), (0, 3, 0), (-1, 0, 0), (0, 0, .01)])
def test_no_tail_decides_a_height(blank, rig, tail):
    from bl_ext.user_default.aa2_blender.gather.head import measure
    bones = mixamo_bones()
    plain, odd = armature(blank, bones), armature(blank, {bone: (parent, head, tuple(np.add(head, tail)))
                                                          for bone, (parent, head, _) in bones.items()})
    heights = [measure(thing, rig.find_map(thing).joints).height for thing in (plain, odd)]
    assert heights[1] == pytest.approx(heights[0], abs=1e-6) and heights[0] == pytest.approx(1.8, abs=.04)


def test_a_worked_out_fingertip_follows_its_bone(blank, look):
    """A last finger bone whose tail lies elsewhere: the tip goes on from it, and turns with it."""
    bones = mixamo_bones()
    last = "mixamorig:LeftHandIndex3"
    parent, head, _ = bones[last]
    thing = armature(blank, bones | {last: (parent, head, (0, 0, 9))})
    studio(blank)
    thing.pose.bones[last].rotation_mode = "XYZ"
    before = look(blank, thing)["left_hand"]
    thing.pose.bones[last].rotation_euler.y = math.pi
    after = look(blank, thing)["left_hand"]
    straight = np.array(before[INDEX_TIP][:2]) - before[INDEX_TIP - 1][:2]
    step = np.array(before[INDEX_TIP - 1][:2]) - before[INDEX_TIP - 2][:2]
    assert straight == pytest.approx(.8 * step, abs=.3)
    assert np.linalg.norm(np.array(after[INDEX_TIP][:2]) - before[INDEX_TIP][:2]) > 3
    assert after[INDEX_TIP - 1] == pytest.approx(before[INDEX_TIP - 1], abs=1e-3)


def test_a_rest_pose_that_is_no_person(blank, look):
    """Motion capture with all bones along X at rest: a dancer 1.8 m tall who faces the camera."""
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(RIGS / "rokoko_2frames.bvh"), global_scale=.01)
    thing = bpy.context.object
    set_size(blank, (480, 480))
    eye = camera(blank, (-.3, -4, 1.2))
    person = look(blank, thing, told=(blank, [1, 2]))
    depth = (joint(person, "left_hip")[2] + joint(person, "right_hip")[2]) / 2
    metres = person["height_px"] * depth / (480 * eye.data.lens / eye.data.sensor_width)
    assert metres == pytest.approx(1.8, abs=.05)
    shown = {name for name in FACE if joint(person, name)[3]}
    toes = joint(person, "left_ankle")[2] - joint(person, "left_toe")[2]
    assert ({"nose", "left_eye", "right_eye"} <= shown) == (toes > 0), (shown, toes)
    assert joint(person, "nose")[1] < joint(person, "neck")[1]


def test_no_pose_is_a_person(blank, rig):
    """All on one line, at rest and posed: the message says what can be done."""
    from bl_ext.user_default.aa2_blender.gather import pose
    bones = {bone: (parent, (sum(map(abs, head)) + i * .01, 0, 0), (sum(map(abs, head)) + i * .01 + .1, 0, 0))
             for i, (bone, (parent, head, _)) in enumerate(mixamo_bones(fingers=False).items())}
    thing = armature(blank, bones)
    with pytest.raises(Exception, match="no person's") as error:
        pose.skeleton_of(thing, rig.find_map(thing).joints, blank, [1, 2, 3])
    assert "Apply Pose as Rest Pose" in error.value.remedy and "bone map" in error.value.remedy


@pytest.mark.parametrize("by", ["root", "every limb"])
@pytest.mark.parametrize("factor", [.5, 2])
def test_scale_inside_the_pose(blank, look, by, factor):
    """A character sized by its root bone, or by the joints themselves, is as tall as it looks."""
    thing = armature(blank, rigs.recorded("makehuman_game_engine"))
    set_size(blank, (480, 480))
    camera(blank, (0, -5, 0)).data.type = "ORTHO"
    blank.camera.data.ortho_scale = 4
    before = look(blank, thing)
    root = next(bone for bone in thing.pose.bones if not bone.parent)
    if by == "root":
        root.scale = (factor,) * 3
    else:
        for bone in root.children:
            bone.scale = (factor,) * 3
    bpy.context.view_layer.update()
    after = look(blank, thing)

    def arm(person):
        return np.linalg.norm((joint(person, "left_wrist") - joint(person, "left_elbow"))[:2])
    assert after["height_px"] / before["height_px"] == pytest.approx(factor, rel=.01)
    assert arm(after) / arm(before) == pytest.approx(factor, rel=.01)


def test_a_stretched_limb_makes_nobody_taller(blank, look):
    thing = armature(blank, rigs.recorded("makehuman_game_engine"))
    studio(blank)
    before = look(blank, thing)["height_px"]
    thing.pose.bones["upperarm_l"].scale.y = 3
    bpy.context.view_layer.update()
    assert look(blank, thing)["height_px"] == pytest.approx(before, rel=1e-4)
