"""How limbs are turned: found only from the bones' movement, whatever their rolls and axes, and only if the rest pose
is a person."""
import math
from pathlib import Path

import bpy
import numpy as np
import pytest
import rigs
from mathutils import Matrix, Quaternion, Vector
from shots import armature, camera, metarig_bones, mixamo_bones, set_size

LIMBS = [f"{side}_{limb}" for side in ("left", "right") for limb in ("thigh", "shin", "upper_arm", "forearm")]
METARIG = {"thigh": "thigh.L", "shin": "shin.L", "upper_arm": "upper_arm.L", "forearm": "forearm.L"}
INTO_CAMERA = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])          # of a camera that looks along +y
FLIPPED = np.diag([-1, 1, 1])
MAKERS = {"UE4": rigs.unreal(), "UE5": rigs.unreal(five=True), "MPFB": rigs.makehuman(), "VRoid": rigs.vroid(),
          "VRM": rigs.vrm(), "CMU ASF": rigs.cmu_asf(), "Genesis 8": rigs.daz(), "MMD": rigs.mmd()}


@pytest.fixture
def scene(blank):
    set_size(blank, (320, 180))
    camera(blank)
    return blank


@pytest.fixture
def people(extension, scene):
    from bl_ext.user_default.aa2_blender.gather import pose, rig

    def gather(thing, frames=(1,)):
        skeleton = pose.skeleton_of(thing, rig.find_map(thing).joints)
        return [frame[0] for frame in pose.people(scene, thing, skeleton, frames=frames, size=(320, 180))]
    return gather


@pytest.fixture
def turns(people):
    return lambda thing: {limb: rotation(told) for limb, told in people(thing)[0]["turns"].items()}


def rotation(quaternion):
    assert abs(np.linalg.norm(quaternion) - 1) < 1e-5
    return np.array(Quaternion(quaternion).to_matrix())


def turn(thing, bone, axis, degrees, frame=None):
    """Turn a bone about an axis of the armature, whatever the bone's roll."""
    posed = thing.pose.bones[bone]
    rest = posed.bone.matrix_local.to_3x3()
    posed.rotation_mode = "QUATERNION"
    about = Matrix.Rotation(math.radians(degrees), 3, Vector(axis))
    posed.rotation_quaternion = (rest.inverted() @ about @ rest).to_quaternion() @ posed.rotation_quaternion
    if frame is not None:
        posed.keyframe_insert("rotation_quaternion", frame=frame)


def way(thing, bone):
    bone = thing.data.bones[bone]
    return (bone.tail_local - bone.head_local).normalized()


def twisted(axis, degrees):
    """A rotation about an axis of the scene, in the camera's axes."""
    return INTO_CAMERA @ np.array(Matrix.Rotation(math.radians(degrees), 3, Vector(axis))) @ INTO_CAMERA.T


def roll(thing, seed):
    """Give every bone another roll, drawn at random."""
    rng = np.random.default_rng(seed)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in thing.data.edit_bones:
        bone.roll = rng.uniform(-np.pi, np.pi)
    bpy.ops.object.mode_set(mode="OBJECT")


def moved(scene, bones, seed=None):
    """A rig in some pose on three frames, with Blender's own rolls or with random ones."""
    thing = armature(scene, bones, name=f"rig {seed}")
    if seed is not None:
        roll(thing, seed)
    rng = np.random.default_rng(3)
    for frame in (1, 2, 3):
        for bone in bones:
            thing.pose.bones[bone].rotation_quaternion = (1, 0, 0, 0)
            axis = rng.normal(size=3)
            turn(thing, bone, axis / np.linalg.norm(axis), rng.uniform(-25, 25), frame)
    return thing


@pytest.mark.parametrize("seed", [1, 2])
def test_a_rig_whose_rolls_are_random_gives_the_same_pose(people, scene, seed):
    bones = mixamo_bones()
    usual, random = (people(moved(scene, bones, roll), (1, 2, 3)) for roll in (None, seed))
    for one, other in zip(usual, random, strict=True):
        assert set(one["turns"]) == set(LIMBS) == set(other["turns"])
        for limb in LIMBS:
            np.testing.assert_allclose(rotation(one["turns"][limb]), rotation(other["turns"][limb]), atol=1e-4)
            assert np.degrees(np.arccos((np.trace(rotation(one["turns"][limb])) - 1) / 2)) > 3, "it moved"
        for name in ("body", "left_hand", "right_hand", "height_px", "focal_px"):
            np.testing.assert_allclose(one[name], other[name], atol=2e-3)


@pytest.mark.parametrize("maker", MAKERS)
def test_at_rest_towards_the_camera_nothing_is_turned(turns, scene, maker):
    found = turns(armature(scene, MAKERS[maker]))
    assert set(found) == set(LIMBS)
    for limb in LIMBS:
        np.testing.assert_allclose(found[limb], np.eye(3), atol=1e-4)


@pytest.mark.parametrize("limb", METARIG)
def test_a_bone_twisted_by_a_quarter_about_itself(turns, scene, limb):
    thing = armature(scene, metarig_bones())
    axis = way(thing, METARIG[limb])
    turn(thing, METARIG[limb], axis, 90)
    found = turns(thing)
    np.testing.assert_allclose(found[f"left_{limb}"], twisted(axis, 90), atol=1e-4)
    np.testing.assert_allclose(found[f"right_{limb}"], np.eye(3), atol=1e-4)


@pytest.mark.parametrize("maker, bone, limb", [
    ("MPFB", "lowerarm02.L", "left_forearm"), ("MPFB", "upperarm02.L", "left_upper_arm"),
    ("MPFB", "wrist.L", "left_forearm"), ("MMD", "左手捩", "left_forearm"), ("Genesis 8", "lThighTwist", "left_thigh"),
    ("UE4", "hand_l", "left_forearm")])
def test_twist_bones_count(turns, scene, maker, bone, limb):
    """They also count if a rig leaves the forearm's twist to the hand."""
    thing = armature(scene, MAKERS[maker])
    start, end = {"left_forearm": ("elbow", "wrist"), "left_upper_arm": ("shoulder", "elbow"),
                  "left_thigh": ("hip", "knee")}[limb]
    axis = rigs.points(a_pose=True)[end] - rigs.points(a_pose=True)[start]
    axis /= np.linalg.norm(axis)
    turn(thing, bone, axis, 90)
    np.testing.assert_allclose(turns(thing)[limb], twisted(axis, 90), atol=1e-3)


def test_a_wrist_that_bends_twists_no_forearm(turns, scene):
    thing = armature(scene, metarig_bones())
    axis = np.cross(way(thing, "forearm.L"), (0, 0.6, 0.8))
    turn(thing, "hand.L", axis / np.linalg.norm(axis), 60)
    np.testing.assert_allclose(turns(thing)["left_forearm"], np.eye(3), atol=1e-4)


def test_a_forearm_turned_all_round_never_jumps(people, scene):
    thing = armature(scene, metarig_bones())
    for bone in ("forearm.L", "thigh.R"):
        axis = way(thing, bone)
        for frame in range(25):
            thing.pose.bones[bone].rotation_quaternion = (1, 0, 0, 0)
            turn(thing, bone, axis, 15 * frame, frame)
    found = people(thing, range(25))
    for limb in ("left_forearm", "right_thigh"):
        told = np.array([person["turns"][limb] for person in found])
        np.testing.assert_allclose((told[1:] * told[:-1]).sum(axis=1), math.cos(math.radians(7.5)), atol=1e-4)
        np.testing.assert_allclose(rotation(told[24]), np.eye(3), atol=1e-4)


def test_where_the_person_faces_is_part_of_the_turn(turns, scene):
    thing = armature(scene, metarig_bones())
    thing.rotation_euler.z = math.radians(40)
    for found in turns(thing).values():
        np.testing.assert_allclose(found, twisted((0, 0, 1), 40), atol=1e-4)


def posed(thing):
    for bone, axis, degrees in (("forearm.L", (0.6, 0, 0.8), 70), ("thigh.R", (1, 0, 0), -50),
                                ("shin.R", (0.96, 0, 0.28), 60), ("upper_arm.L", (0, 0.8, 0.6), 45)):
        turn(thing, bone, axis, degrees)
    return thing


def test_a_rig_of_centimetres_that_lies_on_its_back(turns, scene):
    """FBX imports it like this: y is up in the armature, and its object is turned and scaled."""
    def lying(place):
        x, y, z = place
        return 100 * x, 100 * z, -100 * y
    bones = metarig_bones()
    usual = turns(posed(armature(scene, bones)))
    thing = armature(scene, {bone: (above, lying(head), lying(tail)) for bone, (above, head, tail) in bones.items()})
    for bone, axis, degrees in (("forearm.L", (0.6, 0.8, 0), 70), ("thigh.R", (1, 0, 0), -50),
                                ("shin.R", (0.96, 0.28, 0), 60), ("upper_arm.L", (0, 0.6, -0.8), 45)):
        turn(thing, bone, axis, degrees)
    thing.scale, thing.rotation_euler.x = (0.01,) * 3, math.pi / 2
    for limb, found in turns(thing).items():
        np.testing.assert_allclose(found, usual[limb], atol=1e-4)


def test_a_rig_stretched_by_its_object_keeps_rotations(turns, scene):
    thing = posed(armature(scene, metarig_bones()))
    thing.scale = (1.2, 1, 0.9)
    for limb, found in turns(thing).items():
        np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-4)
        assert np.linalg.det(found) == pytest.approx(1, abs=1e-4), limb


def test_a_mirrored_rig_turns_as_its_mirror_image(turns, scene):
    """A rotation with the rig's own names: the engine exchanges left and right."""
    thing = posed(armature(scene, metarig_bones()))
    usual = turns(thing)
    thing.scale.x = -1
    for limb, found in turns(thing).items():
        np.testing.assert_allclose(found, FLIPPED @ usual[limb] @ FLIPPED, atol=1e-4)


def test_a_bone_that_is_flat_or_mirrored_tells_nothing(turns, scene):
    thing = armature(scene, metarig_bones())
    thing.pose.bones["shin.L"].scale = (0, 1, 1)
    thing.pose.bones["thigh.R"].scale = (-1, 1, 1)
    assert set(turns(thing)) == set(LIMBS) - {"left_shin", "right_thigh", "right_shin"}




def about_shoulder(turned):
    """Arms whose points beyond the shoulder are where `turned` moves them, (outwards, forwards, up) of each."""
    def change(place):
        side = math.copysign(1, place[0])
        out, ahead, up = turned(abs(place[0]) - 0.18)
        return side * (0.18 + out), -ahead, 1.46 + up
    bones = metarig_bones()
    for bone, (above, head, tail) in list(bones.items()):
        if bone.startswith(("upper_arm", "forearm", "hand")):
            bones[bone] = above, change(head), change(tail)
    return bones


def _along_x():
    bones, k = {}, {}
    for bone, (above, _, _) in metarig_bones().items():
        k[bone] = k.get(above, -1) + 1
        aside = 0.02 * (bone.endswith(".L") - bone.endswith(".R"))
        bones[bone] = above, (0.2 * k[bone], aside, 1), (0.2 * k[bone] + 0.2, aside, 1)
    return bones


def _sitting():
    bones = metarig_bones()
    for bone, (above, head, tail) in list(bones.items()):
        if bone.startswith(("shin", "foot", "toe", "thigh")):
            bones[bone] = above, *((x, min(z, 1) - 1, 1 + y) if z < 1 else (x, y, z) for x, y, z in (head, tail))
    return bones


@pytest.mark.parametrize("bones", [
    _along_x(), _sitting(), about_shoulder(lambda far: (0, far, 0)), about_shoulder(lambda far: (0, 0, far)),
    about_shoulder(lambda far: (-far, 0, 0))], ids=["along x", "sitting", "arms ahead", "arms up", "arms crossed"])
def test_rest_poses_that_are_no_person_tell_nothing(people, scene, bones):
    assert "turns" not in people(armature(scene, bones))[0]


@pytest.mark.parametrize("bones", [
    about_shoulder(lambda far: (0.05 * far, 0, -far)), about_shoulder(lambda far: (0.7 * far, 0, -0.7 * far)),
    metarig_bones(), about_shoulder(lambda far: (0.6 * far, 0.3 * far, -0.6 * far))],
    ids=["hanging", "A", "T", "A, elbows ahead"])
def test_arms_from_hanging_to_t_pose_are_a_persons(turns, scene, bones):
    assert set(turns(armature(scene, bones))) == set(LIMBS)


def test_a_rig_made_from_joints_alone_tells_no_twist(people, scene):
    thing = armature(scene, metarig_bones())
    thing["aa2_from_joints"] = True
    assert "turns" not in people(thing)[0]


def test_a_motion_of_a_laboratory(people, scene):
    """Its rest pose is a T pose, so its bones give the twists."""
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(Path(__file__).parent / "real_rigs" / "cmu_01_01.bvh"), global_scale=0.05)
    thing = bpy.context.object
    thing.location.y = 4
    for person in people(thing, (1, 5)):
        assert set(person["turns"]) == set(LIMBS)
