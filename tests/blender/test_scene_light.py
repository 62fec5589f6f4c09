"""The scene lights the character's surface and gets its shadow: sides, values, what stays, what is rendered again."""
import dataclasses
import math

import bpy
import numpy as np
import pytest
from every_property import changes, snapshot
from shots import armature, camera, cube, image_strip, metarig_bones, read, read_rgb16, set_size, write_sequence

SIZE = (64, 48)
BOX = (20, 2, 44, 46)
CORNERS = [(x, y, z) for x, y in ((-.3, 0), (0, -.3), (0, .3), (.3, 0)) for z in (0, 1.7)]
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


@pytest.fixture
def shot(blank, tmp_path):
    """A floor, a sun from the left, and a rig that carries a black box as large as its person."""
    set_size(blank, SIZE)
    camera(blank, (0, -5, 3), (math.radians(65), 0, 0)).data.lens = 32
    floor = cube(blank, (0, 0, -5), 10, name="floor")
    floor.data.materials.append(matt("floor", 0.4))
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = 3.0, 0.02
    sun.rotation_euler = (0, math.radians(-50), 0)                       # it comes from the left
    blank.collection.objects.link(sun)
    blank.world = bpy.data.worlds.new("sky")
    rig = armature(blank, metarig_bones())
    hat = cube(blank, (0, 0, 1), 1.0, name="hat")
    hat.data.materials.append(matt("black", 0.0))
    hat.parent = rig
    image_strip(blank, tmp_path, write_sequence(tmp_path, 2, SIZE))
    blank.view_settings.view_transform = "Standard"
    blank.frame_set(1)
    return blank


def matt(name, albedo):
    made = bpy.data.materials.new(name)
    if not made.node_tree:
        made.use_nodes = True
    made.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (albedo, albedo, albedo, 1)
    made.node_tree.nodes["Principled BSDF"].inputs["Specular IOR Level"].default_value = 0
    return made


def in_camera(scene, points):
    """Points of the world in the camera's axes: x right, y down, z away."""
    bpy.context.view_layer.update()
    local = np.linalg.inv(np.array(scene.camera.matrix_world)) @ np.column_stack([points, np.ones(len(points))]).T
    return (local[:3].T * (1, -1, -1)).astype(np.float32)


def write_job(part, scene, folder, frames=1):
    """A gathered job with the surface of a pillar at the rig's place, with an edge to the camera; returns its
    request."""
    jobs, files = part("embedded.engine.contract.jobs"), part("embedded.engine.contract.files")
    faces = np.array([half for a, b, c, d in QUADS for half in ((a, b, c), (a, c, d))], np.int32)
    # every face has corners of its own, so that it is flat
    places = in_camera(scene, np.array(CORNERS))[faces.ravel()]
    faces = np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    (folder / "surface").mkdir(parents=True)
    np.savez(folder / "surface/mesh.npz", faces=faces, uvs=np.zeros((len(faces), 3, 2), np.float32),
             atlas=np.full((4, 4, 3), 128, np.uint8), confidence=np.ones(len(faces), np.float32),
             boxes=np.array([BOX] * frames, np.int32))
    for number in range(1, frames + 1):
        np.save(files.vertices(folder, number), places)
    jobs.write(folder, jobs.Job(name="shot", size=SIZE, frames=frames))
    return part("gather.request").Request(name="shot", scene=scene.name, strip="plate", rig="rig")


def rendered(part, request, folder):
    return list(part("gather.scene_light").render_light(request, str(folder)))


@pytest.fixture
def quick(part, monkeypatch):
    """One sample and no denoiser; the small pictures that look for a shadow are as large as the shot."""
    light = part("gather.scene_light")
    for name, value in (("SAMPLES", 1), ("SHADOW_SAMPLES", 1), ("SEARCH_SAMPLES", 1), ("_SMALLER", 1)):
        monkeypatch.setattr(light, name, value)
    monkeypatch.setattr(light, "_denoise", lambda cycles: None)
    return light


def test_light_and_shadow_fall_on_their_sides(part, shot, tmp_path, monkeypatch):
    """The pillar is lit on the left and casts its shadow to the right, where it touches the floor and beyond the crop.
    A grey pillar of the scene's own looks within 4 levels as grey does in this light. Nothing else has changed."""
    shot.view_settings.view_transform = "AgX"
    monkeypatch.setattr(part("gather.scene_light"), "_SMALLER", 2)                            # the shot is small itself
    folder, before = tmp_path / "job", snapshot()
    steps = rendered(part, write_job(part, shot, folder), folder)
    assert changes(before, snapshot()) == []
    assert [step[:3] for step in steps] == [("render", 0, 1)] * 5 + [("render", 1, 1)]
    cast, white = read(folder / "cast/0001.png") / 65535, read_rgb16(folder / "irradiance/0001.png") / 65535
    assert cast.shape == SIZE[::-1] and cast[:28].min() > 0.97 and cast[32:].min() > 0.97
    assert cast[29:32, :28].min() > 0.97 and cast[30, 33:53].max() < 0.4
    left, right = white[18:24, 29:31].mean(axis=(0, 1)), white[18:24, 33:35].mean(axis=(0, 1))
    assert (left > 1.8 * right).all() and not white[:, :BOX[0]].any()
    card(shot, part("gather.grey").material())
    shown = photographed(shot, tmp_path / "card.png")
    for got, seen in ((left, shown[18:24, 29:31]), (right, shown[18:24, 33:35])):
        assert np.abs(encoded(0.18 * decoded(2 * got)) * 255 - seen.mean(axis=(0, 1))).max() < 4


def card(scene, material):
    mesh = bpy.data.meshes.new("card")
    mesh.from_pydata(CORNERS, [], QUADS)
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("card", mesh))
    bpy.data.objects["hat"].hide_render = True


def photographed(scene, path):
    """(h, w, 3) 0..255: the scene as Cycles shows it."""
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 64, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 1.0
    scene.render.use_sequencer, scene.render.filepath = False, str(path)
    scene.render.image_settings.file_format = "PNG"
    bpy.ops.render.render(write_still=True)
    return read(path)[..., :3].astype(float)


def decoded(shown):
    return ((shown + 0.055) / 1.055) ** 2.4


def encoded(light):
    return 1.055 * light ** (1 / 2.4) - 0.055


def test_frames_are_rendered_again_only_in_another_light(part, quick, shot, tmp_path):
    folder, frames = tmp_path / "job", range(1, 4)
    request = write_job(part, shot, folder, 3)
    np.save(folder / "surface/0002.npy", np.load(folder / "surface/0001.npy"))
    (folder / "surface/0003.npy").unlink()
    looks = list(quick.looks(request, str(folder), frames))
    assert looks == [("scene", 1, 2), ("scene", 2, 2)]
    steps = quick.render_light(request, str(folder))
    for _ in range(6):
        next(steps)
    steps.close()                                                      # Escape, after the first frame
    assert not (folder / "cast/0002.png").exists()
    assert [step[1] for step in rendered(part, request, folder)] == [1, 1, 1, 1, 1, 3]
    assert read(folder / "cast/0003.png").min() == 65535               # nobody is there
    assert [step[1] for step in rendered(part, request, folder)] == [3]
    list(quick.looks(request, str(folder), frames))
    assert [step[1] for step in rendered(part, request, folder)] == [3]
    bpy.data.lights["sun"].energy = 1.0
    list(quick.looks(request, str(folder), frames))
    assert len(rendered(part, request, folder)) == 11


def test_machines_that_render_different_frames_give_the_same_light(part, quick, shot, tmp_path):
    request = dataclasses.replace(write_job(part, shot, tmp_path / "whole", 2),
                                  light_source=part("settings.table").LightSource.RENDERED)
    write_job(part, shot, tmp_path / "split", 2)
    rendered(part, request, tmp_path / "whole")
    part("versions.folders").write_request(tmp_path / "split", request)
    preparation = part("tasks.preparation")
    for frames in ((2, 2), (1, 1), None):
        task = preparation.LightRendering(tmp_path / "split", frames)
        steps = []
        task.run(lambda progress, steps=steps: steps.append(progress.step))
        assert task.state == "done" and (frames or len(steps) <= 2), "all frames are there after the second"
    for name in ("irradiance/0001.png", "cast/0001.png", "irradiance/0002.png", "cast/0002.png"):
        assert (tmp_path / "split" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    task = preparation.LightRendering(tmp_path / "split", (2, 3)).run()
    assert task.state == "failed" and "within 1 to 2" in task.error.message


def test_what_goes_wrong_is_told_and_changes_nothing(part, quick, shot, tmp_path, monkeypatch):
    folder = tmp_path / "job"
    request, problem = write_job(part, shot, folder), part("gather.problem").GatherError
    bpy.data.objects["floor"].is_shadow_catcher = True
    before = snapshot()

    def breaks(*_):
        raise ZeroDivisionError
    with monkeypatch.context() as patch:
        patch.setattr(quick, "render", breaks)
        with pytest.raises(ZeroDivisionError):
            rendered(part, request, folder)
    steps = quick.render_light(request, str(folder))
    next(steps)
    steps.close()
    assert changes(before, snapshot()) == []
    bpy.data.objects.remove(bpy.data.objects["rig"])
    with pytest.raises(problem) as caught:
        rendered(part, request, folder)
    assert "rig" in caught.value.message and caught.value.remedy
    (folder / "surface/mesh.npz").write_bytes(b"PK")
    with pytest.raises(problem) as caught:
        rendered(part, request, folder)
    assert "mesh.npz" in caught.value.message and caught.value.remedy


def test_a_large_shadow_is_rendered_smaller(part):
    """A quarter of the picture's pixels give the same shadow to a few levels; small shadows lose nothing."""
    pictures, whole = part("gather.light_pictures"), (160, 120)
    assert pictures.resized((40, 30, 60, 50), whole, 400) == (whole, (40, 30, 60, 50))
    box = (37, 20, 137, 90)
    size, small = pictures.resized(box, whole, 1750)
    assert size == (80, 60) and small == (18, 10, 69, 45)

    def seen(width, height, left, top, right, bottom):
        x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
        lit = 0.8 - 0.6 * np.exp(-((x[None] - 0.55) ** 2 + (y[:, None] - 0.45) ** 2) / 0.02)
        return np.repeat(lit[top:bottom, left:right, None], 4, axis=-1)
    bare = [np.full((*part_of.shape[:2], 4), 0.8) for part_of in (seen(*whole, *box), seen(*size, *small))]
    exact = pictures.cast_of(seen(*whole, *box), bare[0], box, whole, size=whole, part=box)
    coarse = pictures.cast_of(seen(*size, *small), bare[1], box, whole, size=size, part=small)
    assert exact.shape == coarse.shape == (70, 100) and exact.min() < 0.3 * 65535
    assert np.abs(exact.astype(int) - coarse).max() < 0.02 * 65535


def test_the_scene_hides_and_only_a_perspective_camera_will_do(part, shot, tmp_path):
    request = write_job(part, shot, tmp_path / "job")
    lit = dataclasses.replace(request, light_source=part("settings.table").LightSource.RENDERED)
    wanted = {thing.name for thing in part("gather.shot").Shot(lit).holdouts}
    assert "floor" in wanted and "hat" not in wanted and not part("gather.shot").Shot(request).holdouts
    told = [str(one) for one in part("gather.shot").problems(lit)]
    shot.camera.data.type = "ORTHO"
    more = [str(one) for one in part("gather.shot").problems(lit) if str(one) not in told]
    assert len(more) == 1 and "perspective" in more[0]
    assert not any("perspective" in str(one) for one in part("gather.shot").problems(request))


def test_another_light_removes_what_was_rendered(part, quick, shot, tmp_path):
    folder = tmp_path / "job"
    rendered(part, write_job(part, shot, folder), folder)
    (folder / "cast/mine.png").write_bytes(b"the artist's")
    quick.remove(str(folder))
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["job.json", "mine.png"]


def test_rendering_is_part_of_the_cost_and_is_learnt(part):
    room = part("cost")
    one, rate = room.Work(frames=10, megapixels=1, steps=1, window=8, overlap=2), room.Rate(light_s=3.0)
    more = room.cost_of(room.replace(one, lit=True), rate).seconds - room.cost_of(one, rate).seconds
    assert more == pytest.approx(30.0)
    launch = part("settings.preferences").engine_launch()
    for seconds, kept in ((2.0, 2.0), (4.0, 3.0)):
        room.learn_light(seconds, launch)
        assert room.rate_of(launch).light_s == pytest.approx(kept)
