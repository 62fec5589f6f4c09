"""A performer's pose becomes a rig, and this rig drives again: it gives the same joints for any lens, with gaps and
jitter."""
import json

import bpy
import numpy as np
import pytest
import shots
import small_shot

SIZE, FRAMES = (640, 480), 8
LENS_PX = 50 / 36 * 640                                             # the focal length that a performer's depths assume


@pytest.fixture
def shot(blank, tmp_path):
    """A plate, a performer and a camera that moves; no rig."""
    scene = small_shot.make(tmp_path / "shot", FRAMES, SIZE)
    bpy.data.objects.remove(scene.aa2.armature)
    scene.aa2.driver = "PERFORMER"
    camera = scene.camera
    for frame, x in ((1, -0.5), (FRAMES, 0.7)):
        camera.location.x, camera.rotation_euler.y = x, 0.02 * x
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    return scene


def performer(part, frame, rng, hands=True):
    """Somebody 1.75 m tall who walks, waves and turns, 5 m from the assumed lens, with an estimator's jitter in every
    length."""
    skeleton, bones = part("embedded.engine.contract.skeleton"), part("place.bones")
    height, turn = 1.75, 0.5 * np.sin(frame / 3)
    places = dict(zip(bones.POINTS, height * bones.TEMPLATE, strict=True))
    for side, way in (("left", 1), ("right", -1)):
        swing = 0.25 * np.sin(frame / 2) * way
        for name, part_of in (("knee", 0.5), ("ankle", 1.0), ("toe", 1.0)):
            places[f"{side}_{name}"] = places[f"{side}_{name}"] + (0, swing * part_of, 0.05 * abs(swing))
        lift = np.array([0.1 * way, -0.2, 0.45]) * (0.5 + 0.5 * np.sin(frame / 2 + way))
        for name in ["elbow", "wrist", *skeleton.HAND[1:]]:
            places[f"{side}_{name}"] = places[f"{side}_{name}"] + lift * (0.4 if name == "elbow" else 1)
    spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])

    def joint(name):
        x, y, z = spin @ places[name] + rng.normal(0, 0.012, 3) + (0.05 * frame, 0, 0)
        depth = 5 + y
        return [SIZE[0] / 2 + LENS_PX * x / depth, SIZE[1] / 2 - LENS_PX * (z - 0.9) / depth, depth, 0.9]

    body = [joint(name) for name in skeleton.BODY]
    found = {side: [joint(f"{side}_wrist"), *(joint(f"{side}_{point}") for point in skeleton.HAND[1:])] if hands
             else None
             for side in ("left", "right")}
    for side in found:
        if found[side]:
            found[side][0] = body[skeleton.BODY_INDEX[f"{side}_wrist"]]
    return {"body": body, "left_hand": found["left"], "right_hand": found["right"], "height_px": LENS_PX * height / 5}


@pytest.fixture
def job(part, shot, tmp_path):
    """job(people): a folder as the engine leaves it."""
    def make(people):
        folder = tmp_path / "jobs" / "plate" / "v001"
        contract = part("embedded.engine.contract.jobs")
        contract.write(str(folder), contract.Job(
            name="plate", size=SIZE, frames=FRAMES, clean_plate=False,
            driver=contract.Driver(performer=contract.Performer())))
        text = json.dumps({"version": 1, "frames": [{"people": [one] if one else []} for one in people]})
        (folder / "pose.json").write_text(text)
        return folder
    return make


def driven_again(part, scene, rig, tmp_path):
    """The people in pose.json when the rig drives, gathered as the add-on does it."""
    scene.aa2.driver, scene.aa2.armature, scene.aa2.plate_is = "ARMATURE", rig, "PERFORMED"
    list(part("gather.job").gather(part("settings.request_of").request_of(scene), tmp_path / "again"))
    return shots.poses(tmp_path / "again")


def apart(people, again, part):
    """The distances in pixels between the joints of two poses, for joints that are certain in the first: body,
    hands."""
    rows = []
    for before, after in zip(people, again, strict=True):
        if not before:
            continue
        for kind in ("body", "left_hand", "right_hand"):
            if before[kind]:
                a, b = np.array(before[kind]), np.array(after[0][kind])
                sure = (a[:, 3] > 0.5) & (b[:, 3] > 0)
                rows += np.hypot(*(a - b)[sure, :2].T).tolist()
    return np.array(rows)


def test_the_rig_gives_the_pose_back(part, shot, job, tmp_path):
    rng = np.random.default_rng(1)
    people = [performer(part, frame, rng) for frame in range(FRAMES)]
    rig = part("place.rig").make(shot, job(people))
    assert part("gather.rig").find_map(rig).preset == "Performer"
    again = driven_again(part, shot, rig, tmp_path)
    away = apart(people, again, part)
    assert len(away) > FRAMES * 55 and away.max() < 0.01, (away.max(), np.median(away))
    assert not any("turns" in person[0] for person in again), "nobody saw how its bones are twisted"
    heights = np.array([person[0]["height_px"] for person in again])
    before = np.array([person["height_px"] for person in people])
    assert np.abs(heights / before - 1).max() < 0.15
    depths = np.array([[joint[2] for joint in person[0]["body"]] for person in again])
    wanted = np.array([[joint[2] for joint in person["body"]] for person in people])
    # an ear that faces away has no depth
    relative = np.where(depths > 0, (depths - depths[:, 8:9]) - (wanted - wanted[:, 8:9]), 0)
    assert np.abs(relative).max() < 0.01, "what lies between joints stays, whatever the lens"


def test_the_rig_stands_as_large_as_the_performer_at_the_cameras_distance(part, shot, job):
    people = [performer(part, frame, np.random.default_rng(frame)) for frame in range(FRAMES)]
    sizes = {}
    for lens in (35.0, 70.0):
        shot.camera.data.lens = lens
        rig = part("place.rig").make(shot, job(people))
        at = {bone.name: bone for bone in rig.data.bones}
        tall = (at["head"].tail_local.z - at["toe.L"].head_local.z)
        away = (rig.matrix_world.translation - shot.camera.location).length
        sizes[lens] = tall, away
    assert all(1.5 < tall < 1.9 for tall, _ in sizes.values()), sizes
    assert sizes[70.0][1] == pytest.approx(2 * sizes[35.0][1], rel=0.15), "a longer lens is further away"


def test_holes_and_people_who_leave(part, shot, job, tmp_path):
    """A wrist that is never seen, a foot that is hidden for a while, two frames without anybody, no hands."""
    index = part("embedded.engine.contract.skeleton").BODY_INDEX
    people = [performer(part, frame, np.random.default_rng(frame), hands=False) for frame in range(FRAMES)]
    people[3] = people[4] = None
    for frame, person in enumerate(people):
        if person:
            person["body"][index["left_wrist"]] = [0.0, 0.0, 0.0, 0.0]
            if frame in (1, 2):
                person["body"][index["right_ankle"]] = [0.0, 0.0, 0.0, 0.0]
    rig = part("place.rig").make(shot, job(people))
    again = driven_again(part, shot, rig, tmp_path)
    assert apart(people, again, part).max() < 1.0
    keyed = {curve.data_path for curve in _curves(rig)}
    assert 'pose.bones["hand.L"].location' not in keyed and 'pose.bones["hand.R"].location' in keyed
    frames = sorted({point.co[0] for curve in _curves(rig) for point in curve.keyframe_points})
    assert frames == [1, 2, 3, 6, 7, 8]


def test_nobody_or_no_camera_is_said(part, shot, job):
    with pytest.raises(Exception, match="Nobody is on any frame"):
        part("place.rig").make(shot, job([None] * FRAMES))
    folder = job([performer(part, 0, np.random.default_rng(0))] * FRAMES)
    bpy.data.objects.remove(shot.camera)
    with pytest.raises(Exception, match="no perspective or orthographic camera"):
        part("place.rig").make(shot, folder)
    assert not [thing for thing in bpy.data.objects if thing.type == "ARMATURE"], "nothing is left half made"
    (folder / "pose.json").write_text("{")
    with pytest.raises(Exception, match="pose .* cannot be read"):
        part("place.rig").make(shot, folder)


def test_turns_become_quaternions_that_do_not_jump(part):
    rotations = part("gather.rotations")
    angles = np.linspace(0, 4 * np.pi, 50)
    turns = np.array([[[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]] for a in angles])
    found = rotations.quaternions(turns)
    assert np.allclose(found[:, 0], np.cos(angles / 2), atol=1e-9) and np.allclose(found[:, 3],
                                                                                   np.sin(angles / 2), atol=1e-9)
    a, b = np.eye(3), -np.eye(3)
    turned = np.einsum("fij,fj->fi", rotations.arc(a, b), a)
    assert np.allclose(turned, b, atol=1e-6), "half a turn too"


def _curves(rig):
    action = rig.animation_data.action
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return list(action.layers[0].strips[0].channelbag(rig.animation_data.action_slot).fcurves)


def test_the_button_makes_a_rig_that_drives_in_one_undo_step(shot, engine, session):
    """From a performer's shot to the same shot driven by the rig, with the buttons that an artist presses."""
    engine("paints")
    assert not bpy.ops.aa2.make_rig_from_pose.poll()
    bpy.ops.aa2.generate()
    performed = session.queue.rows[0].folder
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.aa2.make_rig_from_pose() == {"FINISHED"}
    rig = shots.ours(shot).armature
    assert rig.name == f"{json.loads((performed / 'job.json').read_text())['name']} performer" \
        and shots.ours(shot).driver == "ARMATURE"
    assert shots.ours(shot).plate_is == "PERFORMED", "the performer is still to be replaced"
    bpy.ops.aa2.generate()
    row = session.queue.rows[-1]
    assert row.state == "done" and row.folder.name == "v002"
    away = [np.hypot(*(np.array(a[0]["body"]) - np.array(b[0]["body"]))[:, :2].T)[np.array(b[0]["body"])[:, 3] > 0]
            for a, b in zip(shots.poses(performed), shots.poses(row.folder), strict=True)]
    assert max(found.max() for found in away) < 1.0


def test_a_rig_in_a_scene_of_its_own(shot, engine, session):
    """The edit shows another scene with other frame numbers: the keys are where that scene shows the plate."""
    engine("paints")
    other = bpy.data.scenes.new("Shot")
    shots.set_size(other, SIZE)
    camera = shots.camera(other)
    bpy.ops.aa2.generate()
    shots.ours(shot).driver_scene, shots.ours(shot).derive_offset, shots.ours(shot).frame_offset = other, False, 100
    bpy.ops.aa2.make_rig_from_pose()
    rig = shots.ours(shot).armature
    assert rig.name in other.objects and rig.name not in shot.objects and other.camera == camera
    assert sorted({point.co[0] for curve in _curves(rig) for point in curve.keyframe_points}) == list(
        range(101, 101 + FRAMES))
    assert shots.ours(shot).driver_scene == other and bpy.context.window.scene == shot
