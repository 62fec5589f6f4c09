"""A whole shot becomes a job folder: an edit scene over a shot scene. Afterwards every property of the .blend is as
before."""
import os

import bpy
import numpy as np
import pytest
from PIL import Image
from shots import (
    armature,
    camera,
    coded,
    cube,
    image_strip,
    metarig_bones,
    number_in,
    poses,
    read,
    set_size,
    strips,
    write_sequence,
)

SIZE = (65, 49)


@pytest.fixture
def job(extension):
    from bl_ext.user_default.aa2_blender.gather import job
    return job


@pytest.fixture
def shot(blank, tmp_path):
    return edited_shot(blank, tmp_path)


def edited_shot(blank, tmp_path):
    """Edit scene 'Schnitt' with 8 coded pictures from frame 101, trimmed to 103..106; shot scene with rig, camera,
    prop."""
    blank.name = "Schnitt"
    shot = bpy.data.scenes.new("shot")
    for scene in (blank, shot):
        set_size(scene, SIZE)
    strip = image_strip(blank, tmp_path / "plate", write_sequence(tmp_path / "plate", 8, SIZE), start=101)
    from bl_ext.user_default.aa2_blender import blender_api
    blender_api.trim(strip, 103, 107)
    strip.strobe = 1                                  # what 4.2 makes of a new strip's 0 when it first draws it
    rig = armature(shot, metarig_bones())
    for frame, x in ((3, -1), (6, 1)):
        rig.location.x = x
        rig.keyframe_insert("location", frame=frame)
    camera(shot)
    body, prop = cube(shot, (0, 0, 1), 0.5, "body"), cube(shot, (1, -1, 0.5), 0.4, "prop")
    body.parent, body.hide_render = rig, True
    cube(shot, (0, 2, 1), 2, "wall")
    props = bpy.data.collections.new("props")
    shot.collection.children.link(props)
    props.objects.link(prop)
    shot.frame_set(4)
    blank.frame_set(104)
    Image.fromarray(coded(9, (40, 60))).save(tmp_path / "reference.png")
    return blank


def request(tmp_path, **more):
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource, Request
    fields = dict(name="Einstellung 1", scene="Schnitt", strip="plate", driver_scene="shot",
                  rig="rig", frame_offset=-100, reference=ReferenceSource(name=str(tmp_path / "reference.png")))
    return Request(**{**fields, **more})


def everything(tmp_path):
    return request(tmp_path, meshes=("body",), collections=("props",), holdouts=True, clothing=1.5)


def written(folder):
    from bl_ext.user_default.aa2_blender.embedded.engine.contract import jobs
    return jobs.read(str(folder))


def test_the_whole_folder(job, shot, tmp_path):
    folder = tmp_path / "job"
    stages = list(job.gather(everything(tmp_path), folder))
    assert [stage for stage, _, _ in stages] == ["reference", "pose", "mask", "objects", "depth", "plate", "job"]
    assert all(step == total for _, step, total in stages)
    made = written(folder)
    assert (made.size, made.frames, made.first_frame, made.bits, made.clothing) == (SIZE, 4, 103, 8, 1.5)
    assert made.driver.frame_offset == -100 and made.driver.preset == "Rigify metarig" and made.driver.scene == "shot"
    assert [number_in(read(folder / "source" / f"000{i}.png")) for i in (1, 2, 3, 4)] == [3, 4, 5, 6]
    necks = [people[0]["body"][1][0] for people in poses(folder)]
    assert necks == sorted(necks) and necks[0] == pytest.approx(SIZE[0] - necks[3], abs=0.01)
    for kind in ("mask", "objects", "depth"):
        assert sorted(os.listdir(folder / kind)) == [f"000{i}.png" for i in (1, 2, 3, 4)]
    middle = [np.nonzero(read(folder / "mask" / f"000{i}.png"))[1].mean() + 0.5 for i in (1, 4)]
    assert middle == pytest.approx([necks[0], necks[3]], abs=1.5)
    assert made.objects.near == pytest.approx(3.8, abs=0.01) and made.objects.near == made.depth.near
    assert made.depth.far == pytest.approx(6.0, abs=0.01)            # the wall's front; the body hides nothing


def test_the_blend_is_as_it_was(job, shot, tmp_path):
    before = dump()
    list(job.gather(everything(tmp_path), tmp_path / "job"))
    compare(before, dump())


def test_the_blend_is_as_it_was_after_every_slice(job, shot, tmp_path):
    """Gathering is stopped half-way, as Cancel does; an unfinished folder is not a job."""
    before = dump()
    steps = job.gather(everything(tmp_path), tmp_path / "job")
    for stage, _, _ in steps:
        compare(before, dump())
        if stage == "objects":
            break
    steps.close()
    compare(before, dump())
    assert not (tmp_path / "job" / "job.json").exists()


def test_the_blend_is_as_it_was_after_a_failure(job, shot, tmp_path, monkeypatch):
    before = dump()
    folder = tmp_path / "job"
    steps = job.gather(everything(tmp_path), folder)
    next(steps)
    os.rmdir(folder / "source")
    (folder / "source").write_text("in the way")
    with pytest.raises(OSError):
        list(steps)
    compare(before, dump())


def test_twice_the_same_bytes_and_frames_stay(job, shot, tmp_path):
    folder = tmp_path / "job"
    list(job.gather(everything(tmp_path), folder))
    first = contents(folder)
    (folder / "frames").mkdir()
    (folder / "frames" / "0001.png").write_bytes(b"made")
    list(job.gather(everything(tmp_path), folder))
    again = contents(folder)
    assert again.pop("frames/0001.png") == b"made" and again == first


def test_what_is_no_longer_asked_for_goes(job, shot, tmp_path):
    folder = tmp_path / "job"
    list(job.gather(everything(tmp_path), folder))
    list(job.gather(request(tmp_path, frames=(103, 104)), folder))
    assert sorted(contents(folder)) == ["job.json", "pose.json", "reference.png", "source/0001.png", "source/0002.png"]
    assert written(folder).objects is None


def test_offset_and_camera_of_a_scene_strip(job, shot, tmp_path):
    """The plate is the shot itself: scene, offset and camera come from the strip."""
    other = bpy.data.scenes["shot"]
    other.render.engine, other.cycles.samples = "CYCLES", 1
    other.frame_start, other.frame_end = 3, 6
    far = camera(other, (0, -10, 1), name="far")
    strip = strips(shot.sequence_editor).new_scene("film", scene=other, channel=5, frame_start=50)
    strip.scene_camera = far
    list(job.gather(request(tmp_path, strip="film", driver_scene="", frame_offset=None, frames=(50, 51)),
                    tmp_path / "job"))
    made = written(tmp_path / "job")
    assert (made.driver.frame_offset, made.driver.camera, made.first_frame, made.bits) == (-47, "far", 50, 16)
    assert poses(tmp_path / "job")[0][0]["body"][1][2] == pytest.approx(10, abs=0.05)


def test_slices_of_a_window_give_the_same_bytes(job, shot, tmp_path, monkeypatch):
    """Background mode uses longer slices."""
    list(job.gather(everything(tmp_path), tmp_path / "long"))
    monkeypatch.setattr(job, "_DEPTH_SLICE", 1)
    monkeypatch.setattr(job, "_PLATE_SLICE", 3)
    before = dump()
    for _slice in job.gather(everything(tmp_path), tmp_path / "short"):
        compare(before, dump())
    assert contents(tmp_path / "short") == contents(tmp_path / "long")


def test_the_only_scene_with_the_rig_is_the_drivers(job, shot, tmp_path):
    asked = request(tmp_path, driver_scene="", frames=(104, 104))
    assert job.problems(asked) == []
    list(job.gather(asked, tmp_path / "job"))
    assert written(tmp_path / "job").driver.scene == "shot"
    bpy.data.scenes.new("twin").collection.objects.link(bpy.data.objects["rig"])
    (said,) = messages(job, asked)
    assert "not in scene 'Schnitt'" in said and "Choose the scene of rig and camera." in said
    (said,) = messages(job, request(tmp_path, driver_scene="twin"))
    assert "'twin' has no camera. Choose the scene of rig and camera" in said


def test_one_frame(job, shot, tmp_path):
    list(job.gather(request(tmp_path, frames=(104, 104)), tmp_path / "job"))
    assert written(tmp_path / "job").frames == 1


@pytest.mark.parametrize("size", [(1919, 1081), (100, 2000)])
def test_odd_sizes(job, shot, tmp_path, size):
    for scene in bpy.data.scenes:
        set_size(scene, size)
    list(job.gather(request(tmp_path, frames=(104, 104)), tmp_path / "job"))
    assert written(tmp_path / "job").size == size
    assert Image.open(tmp_path / "job" / "source" / "0001.png").size == size


def test_behind_the_camera_on_some_frames_and_on_all(job, shot, tmp_path):
    rig = bpy.data.objects["rig"]
    for frame, y in ((4, 0), (5, -20), (6, -20)):
        rig.location.y = y
        rig.keyframe_insert("location", index=1, frame=frame)
    list(job.gather(request(tmp_path), tmp_path / "job"))
    assert [len(people) for people in poses(tmp_path / "job")] == [1, 1, 0, 0]
    with pytest.raises(Exception, match="behind the camera.*every frame"):
        list(job.gather(request(tmp_path, frames=(105, 106)), tmp_path / "job"))


def test_a_folder_that_cannot_be_written(job, shot, tmp_path):
    (tmp_path / "job").write_text("a file")
    with pytest.raises(Exception, match="job"):
        list(job.gather(request(tmp_path), tmp_path / "job" / "inside"))


def messages(job, asked):
    return [f"{problem.message} {problem.remedy}" for problem in job.problems(asked)]


def test_no_problems(job, shot, tmp_path):
    assert job.problems(everything(tmp_path)) == []


def test_problems_are_named(job, shot, tmp_path):
    from bl_ext.user_default.aa2_blender import blender_api
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource
    bare = armature(bpy.data.scenes["shot"], {"bone": ("", (0, 0, 0), (0, 0, 1))}, "stick")
    blender_api.new_effect(shot.sequence_editor, name="grey", kind="COLOR", channel=6, first=1, end=9)
    for change, word in ((dict(strip=""), "No strip is active"), (dict(strip="gone"), "'gone'"),
                         (dict(strip="grey"), "plain color"), (dict(frames=(500, 600)), "shows no frame"),
                         (dict(reference=ReferenceSource()), "No reference"), (dict(rig=""), "No armature"),
                         (dict(reference=ReferenceSource(name="/no.png")), "no.png"), (dict(rig="body"), "mesh"),
                         (dict(rig=bare.name), "left wrist"), (dict(camera="nobody"), "no camera"),
                         (dict(driver_scene="Schnitt"), "not in scene 'Schnitt'"), (dict(meshes=("x",)), "'x'"),
                         (dict(collections=("y",)), "'y'"), (dict(bone_map="/no.json"), "no.json")):
        said = messages(job, request(tmp_path, **change))
        assert len(said) == 1 and word in said[0], (change, said)
        with pytest.raises(Exception, match=word[:12]):
            list(job.gather(request(tmp_path, **change), tmp_path / "job"))


def test_no_camera_and_other_shapes(job, shot, tmp_path):
    set_size(bpy.data.scenes["shot"], (100, 100))
    assert "different shapes" in messages(job, request(tmp_path))[0]
    set_size(bpy.data.scenes["shot"], SIZE)
    bpy.data.objects.remove(bpy.data.objects["camera"])
    assert "no camera" in messages(job, request(tmp_path))[0]


def test_missing_frames_stop_before_anything_is_written(job, shot, tmp_path):
    (tmp_path / "plate" / "0005.png").unlink()
    with pytest.raises(Exception, match="0005.png"):
        next(job.gather(request(tmp_path), tmp_path / "job"))
    assert not (tmp_path / "job").exists()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def compare(before, after):
    changed = [f"{key}: {before.get(key)} -> {after.get(key)}" for key in sorted(before.keys() | after.keys())
               if before.get(key) != after.get(key)]
    assert not changed, "\n".join(changed)


def dump():
    """path -> value: the names of all datablocks, and every property of scenes, their parts and strips, and of
    objects."""
    from bl_ext.user_default.aa2_blender import blender_api
    out = {}
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            out[kind.identifier] = [block.name for block in getattr(bpy.data, kind.identifier)]
    for scene in bpy.data.scenes:
        for part in (scene, scene.render, scene.render.image_settings, scene.view_settings, scene.display_settings,
                     scene.cycles, *scene.view_layers, *([scene.sequence_editor] if scene.sequence_editor else [])):
            _dump(f"{scene.name}/{part.bl_rna.identifier}", part, out)
        for strip in blender_api.all_strips(scene.sequence_editor) if scene.sequence_editor else ():
            for part in (strip, getattr(strip, "transform", None), getattr(strip, "crop", None)):
                if part:
                    _dump(f"{scene.name}/{strip.name}/{part.bl_rna.identifier}", part, out)
    for thing in (*bpy.data.objects, *bpy.data.collections, *bpy.data.images):
        _dump(f"{thing.bl_rna.identifier}/{thing.name}", thing, out)
    return out


# These change whenever anything is evaluated, and nobody sets them.
_IDLE = {"is_evaluated", "tag", "is_updated", "is_updated_data", "session_uid", "statistics"}


def _dump(path, thing, out):
    for prop in thing.bl_rna.properties:
        value = getattr(thing, prop.identifier) if prop.identifier not in _IDLE else None
        if prop.type == "COLLECTION":
            out[f"{path}.{prop.identifier}"] = [getattr(item, "name", "") for item in value]
        elif prop.type == "POINTER":
            out[f"{path}.{prop.identifier}"] = getattr(value, "name", value is None)
        else:
            is_array = getattr(prop, "is_array", False)
            out[f"{path}.{prop.identifier}"] = np.array(value).ravel().tolist() if is_array else str(value)


@pytest.mark.parametrize("keyed, wanted", [((), (5.0,) * 3), (((1, 0.0), (3, 8.0)), (0.0, 4.0, 8.0))])
def test_mask_grow_is_a_number_for_each_frame(extension, shot, tmp_path, keyed, wanted):
    from bl_ext.user_default.aa2_blender import blender_api
    from bl_ext.user_default.aa2_blender.gather import keyframes as room
    from bl_ext.user_default.aa2_blender.settings.table import KEYED
    scene = bpy.context.scene
    scene.aa2.mask_grow = 5.0
    for frame, value in keyed:
        scene.aa2.mask_grow = value
        scene.keyframe_insert("aa2.mask_grow", frame=frame)
    if keyed:
        for point in blender_api.curve(
                scene, "aa2.mask_grow").keyframe_points:
            point.interpolation = "LINEAR"
    assert room.values(scene, KEYED["mask_grow"], range(1, 4)) == pytest.approx(wanted)
    assert room.values(scene, KEYED["mask_feather"], range(1, 4)) is None
