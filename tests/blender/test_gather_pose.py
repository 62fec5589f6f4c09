"""The rig through the camera, compared with Blender's own projection; which face points are seen; frames without the
character."""
import math

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from shots import armature, camera, metarig_bones, mixamo_bones, set_size

BODY = ["nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
        "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
        "left_eye", "right_ear", "left_ear", "right_toe", "left_toe"]


@pytest.fixture
def pose(extension):
    from bl_ext.user_default.aa2_blender.gather import pose
    return pose


@pytest.fixture
def scene(blank):
    set_size(blank, (320, 180))
    return blank


def skeleton(pose, thing):
    from bl_ext.user_default.aa2_blender.gather import rig
    return pose.skeleton_of(thing, rig.find_map(thing).joints)


def people(pose, scene, thing, frames=(1,), size=None, **how):
    size = size or (scene.render.resolution_x, scene.render.resolution_y)
    return pose.people(scene, thing, skeleton(pose, thing), frames=frames, size=size, **how)


def lens(**settings):
    def change(data, render):
        for name, value in settings.items():
            setattr(render if hasattr(render, name) else data, name, value)
    return change


@pytest.mark.parametrize("change", [
    lens(), lens(shift_x=0.2, shift_y=-0.1), lens(sensor_fit="VERTICAL", sensor_height=30),
    lens(type="ORTHO", ortho_scale=4),
    lens(resolution_x=100, resolution_y=200), lens(pixel_aspect_x=1.5), lens(pixel_aspect_y=2.0, shift_y=0.3),
    lens(sensor_fit="HORIZONTAL", resolution_x=90, resolution_y=201)])
def test_projection_is_blenders(pose, scene, change):
    thing, seen = armature(scene, mixamo_bones()), camera(scene, (1.5, -4, 2), (1.3, 0.1, 0.4))
    change(seen.data, scene.render)
    thing.location, thing.rotation_euler, thing.scale = (0.3, 0.2, -0.1), (0.1, 0, 0.5), (1.1,) * 3
    thing.pose.bones["mixamorig:LeftArm"].rotation_mode = "XYZ"
    thing.pose.bones["mixamorig:LeftArm"].rotation_euler = (0.4, 0.2, 0.9)
    person, = people(pose, scene, thing)[0]
    ends = {"left_elbow": ("mixamorig:LeftForeArm", "head"), "right_toe": ("mixamorig:RightToeBase", "tail"),
            "neck": ("mixamorig:Neck", "head"), "left_wrist": ("mixamorig:LeftHand", "head")}
    for joint, (bone, end) in ends.items():
        expect(scene, seen, thing, bone, end, person["body"][BODY.index(joint)])
    expect(scene, seen, thing, "mixamorig:LeftHandIndex2", "head", person["left_hand"][6])
    expect(scene, seen, thing, "mixamorig:RightHandPinky3", "tail", person["right_hand"][20])
    assert person["left_hand"][0] == person["body"][BODY.index("left_wrist")]


def expect(scene, seen, thing, bone, end, joint):
    place = thing.matrix_world @ getattr(thing.pose.bones[bone], end)
    x, y, depth = world_to_camera_view(scene, seen, Vector(place))
    wanted = (x * scene.render.resolution_x, (1 - y) * scene.render.resolution_y, depth, 1)
    assert joint == pytest.approx(wanted, abs=2e-3)


def test_another_size_of_the_same_shape(pose, scene):
    """An edit at half the shot's resolution: the same places, in half the pixels."""
    thing = armature(scene, metarig_bones())
    camera(scene)
    whole, half = (people(pose, scene, thing, size=size)[0][0] for size in ((320, 180), (160, 90)))
    assert np.allclose(np.array(whole["body"])[:, :2] / 2, np.array(half["body"])[:, :2], atol=1e-3)
    assert whole["height_px"] == pytest.approx(2 * half["height_px"], abs=2e-3)


def test_no_fingers_no_hands(pose, scene):
    thing = armature(scene, metarig_bones())
    camera(scene)
    person = people(pose, scene, thing)[0][0]
    assert person["left_hand"] is None and person["right_hand"] is None
    assert len(person["body"]) == 20


def seen_face(person):
    return {name for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
            if person["body"][BODY.index(name)][3] == 1}


@pytest.mark.parametrize("turn, seen", [
    (0, {"nose", "left_eye", "right_eye", "left_ear", "right_ear"}),
    (180, {"left_ear", "right_ear"}),
    (90, {"nose", "right_eye", "right_ear"}),
    (-90, {"nose", "left_eye", "left_ear"})])
@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_face_from_all_sides(pose, scene, turn, seen, kind):
    """The rig faces -y, the camera looks along +y. Turned by 90 degrees it looks to +x and shows its right side."""
    thing, eye = armature(scene, metarig_bones()), camera(scene)
    eye.data.type, eye.data.ortho_scale = kind, 4
    thing.rotation_euler.z = math.radians(turn)
    assert seen_face(people(pose, scene, thing)[0][0]) == seen


def test_face_follows_the_head_bone(pose, scene):
    thing = armature(scene, metarig_bones())
    camera(scene)
    head = thing.pose.bones["spine.006"]
    head.rotation_mode = "XYZ"
    head.rotation_euler.y = math.pi          # about the bone's axis, which points up
    assert seen_face(people(pose, scene, thing)[0][0]) == {"left_ear", "right_ear"}


def test_height_in_pixels(pose, scene):
    """A person 1.8 m tall at 5 m: compared with the projection of the soles and the crown."""
    thing, seen = armature(scene, metarig_bones()), camera(scene)
    bpy.context.view_layer.update()
    top, bottom = (world_to_camera_view(scene, seen, Vector((0, 0, z))).y for z in (1.8, 0.02))
    assert people(pose, scene, thing)[0][0]["height_px"] == pytest.approx(180 * (top - bottom), rel=0.02)


def test_frames_without_the_character(pose, scene):
    """The character walks from behind the camera through the picture and leaves it at the side."""
    thing = armature(scene, metarig_bones())
    camera(scene)
    for frame, place in ((1, (0, -9, 0)), (2, (0, 0, 0)), (3, (40, 0, 0))):
        thing.location = place
        thing.keyframe_insert("location", frame=frame)
    assert [len(p) for p in people(pose, scene, thing, frames=(1, 2, 3))] == [0, 1, 0]


def test_joints_behind_the_camera_are_not_there(pose, scene):
    """The camera is between the hands: one arm is in front of it, the other behind; no value is infinite."""
    thing = armature(scene, metarig_bones())
    camera(scene, (0, 0, 1.46), (math.pi / 2, 0, -math.pi / 2))       # looks to +x, along the left arm
    person, = people(pose, scene, thing)[0]
    assert person["body"][BODY.index("left_wrist")][3] == 1
    assert person["body"][BODY.index("right_wrist")] == [0, 0, 0, 0]
    assert np.isfinite(np.array(person["body"])).all() and np.isfinite(person["height_px"])


def test_cameras_switched_by_markers(pose, scene):
    thing = armature(scene, metarig_bones())
    near, far = camera(scene, name="near"), camera(scene, (0, -10, 1), name="far")
    for frame, eye in ((1, near), (5, far)):
        scene.timeline_markers.new("cut", frame=frame).camera = eye
    scene.camera, scene.frame_current = far, 3
    depths = [p[0]["body"][1][2] for p in people(pose, scene, thing, frames=(-2, 1, 4, 5, 9))]
    assert depths == pytest.approx([5, 5, 5, 10, 10], abs=0.05)
    assert scene.camera == far and scene.frame_current == 3
    assert people(pose, scene, thing, frames=(1,), camera="far")[0][0]["body"][1][2] == pytest.approx(10, abs=0.05)


def test_a_scene_that_is_not_the_windows(pose, scene):
    """Edit scene in the window, rig and animated camera in another."""
    shot = bpy.data.scenes.new("shot")
    set_size(shot, (320, 180))
    thing, eye = armature(shot, metarig_bones()), camera(shot)
    for frame, y in ((1, -5), (11, -15)):
        eye.location.y = y
        eye.keyframe_insert("location", frame=frame)
    shot.frame_set(7)
    depths = [p[0]["body"][1][2] for p in people(pose, shot, thing, frames=(1, 11))]
    assert depths == pytest.approx([5, 15], abs=0.05) and shot.frame_current == 7


def test_a_rig_switched_off(pose, scene):
    thing = armature(scene, metarig_bones())
    camera(scene)
    thing.hide_viewport = True
    with pytest.raises(Exception, match="switched off"):
        people(pose, scene, thing)
