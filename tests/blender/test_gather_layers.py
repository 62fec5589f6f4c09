"""Rigs in view layers and collections that are switched off: told before the button, or gathered as Blender moves
them. And what is only doubtful."""
import json

import bpy
import numpy as np
import pytest
import rigs
from bpy_extras.object_utils import world_to_camera_view
from PIL import Image
from shots import armature, camera, cube, image_strip, metarig_bones, set_size, write_sequence

WRIST = 7  # of skeleton.BODY: left_wrist


@pytest.fixture
def gather(extension):
    from bl_ext.user_default.aa2_blender.gather import doubts, job, shot
    return type("gather", (), {"job": job, "doubts": staticmethod(doubts.doubts), "Shot": shot.Shot})


@pytest.fixture
def shot(blank, tmp_path):
    """(scene, rig, request): a rig that moves its arm, over three frames of a plate."""
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource, Request
    set_size(blank, (64, 48))
    thing = armature(blank, metarig_bones(), "rig")
    camera(blank)
    arm = thing.pose.bones["upper_arm.L"]
    arm.rotation_mode = "XYZ"
    for frame, turn in ((1, 0), (3, 1)):
        arm.rotation_euler = (turn,) * 3
        arm.keyframe_insert("rotation_euler", frame=frame)
    image_strip(blank, tmp_path / "plate", write_sequence(tmp_path / "plate", 3))
    Image.new("RGB", (64, 64), (90, 120, 200)).save(tmp_path / "face.png")
    blank.frame_set(1)
    return blank, thing, Request(name="x", scene=blank.name, strip="plate", rig="rig",
                                 reference=ReferenceSource(name=str(tmp_path / "face.png")))


def wrists(folder):
    people = [frame["people"] for frame in json.loads((folder / "pose.json").read_text())["frames"]]
    return [tuple(one[0]["body"][WRIST][:2]) for one in people]


def truth(scene, thing, frames=(1, 2, 3)):
    """Where Blender itself sees the left wrist, in pixels."""
    found = []
    for frame in frames:
        scene.frame_set(frame)
        posed = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
        x, y, _ = world_to_camera_view(scene, scene.camera, posed.matrix_world @ posed.pose.bones["hand.L"].head)
        found.append((x * 64, (1 - y) * 48))
    scene.frame_set(1)
    return found


def moved_into(scene, thing, name="character"):
    """A new collection of the scene that holds the object."""
    home = bpy.data.collections.new(name)
    scene.collection.children.link(home)
    home.objects.link(thing)
    scene.collection.objects.unlink(thing)
    return home


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_a_rig_in_the_second_view_layer_only(shot, gather, tmp_path, touched, apart):
    """As in shots with a layer for the character; `apart`: a camera that is named stays in the first layer alone."""
    scene, thing, request = shot
    right = truth(scene, thing)
    moved_into(scene, thing)
    scene.view_layers.new("character")
    scene.view_layers[0].layer_collection.children["character"].exclude = True
    if apart:
        moved_into(scene, scene.camera, "set")
        scene.view_layers[1].layer_collection.children["set"].exclude = True
        request = type(request)(**{**vars(request), "camera": scene.camera.name})
        scene.camera = None
    if touched:
        bpy.context.view_layer.update()
        scene.frame_set(2)
        scene.frame_set(1)
    assert not gather.job.problems(request)
    list(gather.job.gather(request, tmp_path / "job"))
    assert np.allclose(wrists(tmp_path / "job"), right, atol=.02)


def switched_off(scene, thing):
    thing.hide_viewport = True


def in_a_hidden_collection(scene, thing):
    moved_into(scene, thing).hide_viewport = True


def below_a_hidden_collection(scene, thing):
    outer = bpy.data.collections.new("outer")
    scene.collection.children.link(outer)
    home = moved_into(scene, thing)
    scene.collection.children.unlink(home)
    outer.children.link(home)
    outer.hide_viewport = True


def excluded(scene, thing):
    moved_into(scene, thing)
    bpy.context.view_layer.layer_collection.children["character"].exclude = True


STILL = {switched_off: ("'rig' is switched off", "its screen icon"),
         in_a_hidden_collection: ("'character' of 'rig' is switched off", "screen icon of 'character'"),
         below_a_hidden_collection: ("'outer' of 'rig' is switched off", "screen icon of 'outer'"),
         excluded: ("'character' of 'rig' is excluded", "check box of 'character'")}


@pytest.mark.parametrize("how", STILL, ids=lambda how: how.__name__)
@pytest.mark.parametrize("touched", [False, True])
def test_a_rig_that_blender_does_not_move_is_told_before(shot, gather, tmp_path, how, touched):
    scene, thing, request = shot
    how(scene, thing)
    if touched:
        scene.frame_set(2)
        scene.frame_set(1)
    problem, = gather.job.problems(request)
    message, remedy = STILL[how]
    assert message in problem.message and remedy in problem.remedy
    with pytest.raises(type(problem), match=message):
        list(gather.job.gather(request, tmp_path / "job"))


@pytest.mark.parametrize("eye", ["object", "collection"])
def test_the_eye_keeps_nothing_still(shot, gather, tmp_path, eye):
    scene, thing, request = shot
    right = truth(scene, thing)
    moved_into(scene, thing)
    if eye == "object":
        thing.hide_set(True)
    else:
        bpy.context.view_layer.layer_collection.children["character"].hide_viewport = True
    assert not gather.job.problems(request)
    list(gather.job.gather(request, tmp_path / "job"))
    assert np.allclose(wrists(tmp_path / "job"), right, atol=.02)


def test_what_hides_is_what_is_rendered(shot, gather):
    """In any layer that is rendered: but nothing excluded, hidden from render, or seen indirectly only."""
    scene, _, request = shot
    scene.view_layers.new("set")
    for name in ("wall", "second", "hidden", "excluded", "indirect"):
        moved_into(scene, cube(scene, (0, 3, 1), name=name), name)
    first, other = (layer.layer_collection.children for layer in scene.view_layers)
    bpy.data.collections["hidden"].hide_render = True
    first["second"].exclude = first["excluded"].exclude = other["excluded"].exclude = True
    first["indirect"].indirect_only = other["indirect"].indirect_only = True
    asked = type(request)(**{**vars(request), "holdouts": True})
    assert {thing.name for thing in gather.Shot(asked).holdouts} == {"wall", "second"}
    scene.view_layers[1].use = False
    assert {thing.name for thing in gather.Shot(asked).holdouts} == {"wall"}


def test_nothing_is_doubtful(shot, gather):
    assert gather.doubts(shot[2]) == []


def test_two_frame_rates(shot, gather):
    """An edit at 30 frames per second over a shot at 24."""
    scene, thing, request = shot
    set_scene = bpy.data.scenes.new("set")
    set_size(set_scene, (64, 48))
    set_scene.collection.objects.link(thing)
    camera(set_scene, name="set camera")
    scene.collection.objects.unlink(thing)
    scene.render.fps, set_scene.render.fps = 30, 24
    doubt, = gather.doubts(request)
    assert "30 frames per second" in doubt and "'set' at 24" in doubt and not gather.job.problems(request)
    set_scene.render.fps, set_scene.render.fps_base = 30000, 1000
    assert gather.doubts(request) == []


def test_a_doubt_is_in_the_summary(shot, engine, part, tmp_path):
    engine("paints")
    scene, thing, request = shot
    thing.data.pose_position = "REST"
    scene.aa2.armature, scene.aa2.strip, scene.aa2.output = thing, "plate", str(tmp_path / "jobs")
    code, summary = part("cli").generate(reference=request.reference.name, save="")
    assert code == 0 and "rest position" in summary["warnings"][0]


def test_the_rest_position(shot, gather):
    _, thing, request = shot
    thing.data.pose_position = "REST"
    doubt, = gather.doubts(request)
    assert "rest position" in doubt and "Pose Position" in doubt


def dog():
    """A metarig's names on four legs: a level spine, and arms that reach the ground."""
    bones = {"spine": ("", (0, .5, .6), (0, .3, .6)), "spine.003": ("spine", (0, .3, .6), (0, -.3, .6)),
             "spine.004": ("spine.003", (0, -.35, .62), (0, -.5, .75)),
             "spine.006": ("spine.004", (0, -.5, .75), (0, -.7, .75))}
    for side, x in (("L", .1), ("R", -.1)):
        for limb, parent, y in ((("upper_arm", "forearm", "hand"), "spine.003", -.3),
                                (("thigh", "shin", "foot"), "spine", .5)):
            for k, bone in enumerate(limb):
                z = .55 - .25 * k
                bones[f"{bone}.{side}"] = (parent, (x, y + .01 * k, z), (x, y + .01 * k + .01, z - .05))
                parent = f"{bone}.{side}"
    return bones


def test_an_animal(shot, gather):
    scene, thing, request = shot
    bpy.data.objects.remove(thing)
    armature(scene, dog(), "rig")
    doubt, = gather.doubts(request)
    assert "hands and feet" in doubt


@pytest.mark.parametrize("maker", ["unreal", "makehuman", "vroid", "daz", "mmd"])
def test_people_are_no_animals(shot, gather, maker):
    scene, thing, request = shot
    bpy.data.objects.remove(thing)
    armature(scene, getattr(rigs, maker)(), "rig")
    assert gather.doubts(request) == []


def test_somebody_who_sits_is_no_animal(shot, gather):
    """A rest pose on a chair, with hanging arms."""
    scene, thing, request = shot
    bones = metarig_bones()
    for side, x in (("L", 1), ("R", -1)):
        for bone, start, end in (("upper_arm", (.18, 0, 1.46), (.18, 0, 1.2)),
                                 ("forearm", (.18, 0, 1.2), (.18, 0, .95)), ("hand", (.18, 0, .95), (.18, 0, .87)),
                                 ("thigh", (.1, 0, 1), (.1, -.46, 1)),
                                 ("shin", (.1, -.46, 1), (.1, -.46, .55)), ("foot", (.1, -.46, .55), (.1, -.6, .5)),
                                 ("toe", (.1, -.6, .5), (.1, -.67, .5))):
            parent = bones[f"{bone}.{side}"][0]
            bones[f"{bone}.{side}"] = (parent, (x * start[0], *start[1:]), (x * end[0], *end[1:]))
    bpy.data.objects.remove(thing)
    armature(scene, bones, "rig")
    assert gather.doubts(request) == []
