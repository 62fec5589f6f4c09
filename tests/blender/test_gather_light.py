"""Where the light of a job comes from: balls in the scene, a picture of one, an HDRI."""
import json
import math
from dataclasses import replace
from itertools import pairwise

import bpy
import numpy as np
import pytest
import small_shot
from drawn import drawn
from every_property import changes, snapshot
from one_release import ONE_RELEASE
from PIL import Image
from shots import cube

FRAMES = 24
CHEST = 1.35            # metres above the floor, about
FEW = {"use_range": True, "range_first": 1, "range_last": 2}       # frames with a ball each


@pytest.fixture
def gather(part):
    return part("gather.job").gather


@pytest.fixture
def sphere(part):
    return part("gather.sphere")


@pytest.fixture
def scene(blank, tmp_path):
    """The small shot with 24 frames, whose armature stands still in front of a camera that looks along +Y."""
    blank.view_settings.view_transform = "Standard"
    return small_shot.make(tmp_path / "shot", frames=FRAMES)


@pytest.fixture
def lit(scene, gather, part, tmp_path):
    """lit(Light...) gathers the shot; gives (9, 3) or None a frame, and the numbers of the frames that have a ball."""
    def gathered(source="BALL", **settings):
        for name, value in {"light_source": source, **settings}.items():
            setattr(scene.aa2, name, value)
        folder = tmp_path / "job"
        for _ in gather(part("settings.request_of").request_of(scene), folder):
            pass
        if not (folder / "light.json").is_file():
            return None, []
        told = json.loads((folder / "light.json").read_text())
        assert told["version"] == 1
        return told["frames"], sorted(int(path.stem) for path in (folder / "balls").iterdir())
    return gathered


def lamp(scene, kind="SUN", energy=math.pi, turned=(0, 0, 0), **where):
    data = bpy.data.lights.new("lamp", kind)
    data.energy = energy
    thing = bpy.data.objects.new("lamp", data)
    thing.rotation_euler = turned
    for name, value in where.items():
        setattr(thing, name, value)
    scene.collection.objects.link(thing)
    return thing


def on(sphere, light, *normal):
    """The grey level of a white surface with this normal, in the camera's axes, in one frame's light."""
    return float((sphere.terms_of(np.array([normal], float)) @ np.array(light)).mean())


LEFT, UP, TOWARDS = (-1, 0, 0), (0, -1, 0), (0, 0, -1)


def test_a_sun_from_the_left_is_in_the_cameras_axes(lit, scene, sphere):
    """A sun of pi W/m² from the left: white shows 1 where it faces the sun. Nothing changes: four balls do."""
    lamp(scene, turned=(0, -math.pi / 2, 0))
    frames, balls = lit()
    assert len(frames) == FRAMES and balls == [1, 9, 17, 24]
    half = math.sqrt(0.5)
    assert on(sphere, frames[5], -half, 0, -half) == pytest.approx(half, abs=0.08)
    assert on(sphere, frames[5], half, 0, -half) == pytest.approx(0, abs=0.08)
    assert on(sphere, frames[5], *LEFT) > 0.8 > 0.3 > on(sphere, frames[5], *UP)


@ONE_RELEASE
def test_a_moving_lamp_is_followed(lit, scene, sphere):
    """A sun turns from the left to the right, and so do the bright sides; more balls are rendered."""
    sun = lamp(scene)
    for frame, angle in ((1, -45), (FRAMES, 45)):
        sun.rotation_euler = (math.pi / 2, 0, math.radians(angle))
        sun.keyframe_insert("rotation_euler", frame=frame)
    frames, balls = lit()
    sides = [on(sphere, light, *LEFT) - on(sphere, light, 1, 0, 0) for light in frames]
    assert sides[0] > 0.4 and sides[-1] < -0.4 and all(a > b - 0.05 for a, b in pairwise(sides))
    assert 4 < len(balls) < FRAMES


@ONE_RELEASE
def test_a_flash_of_two_frames_is_caught(lit, scene, sphere):
    """Its keys are constant, between two balls."""
    sun = lamp(scene, energy=1.0, turned=(math.pi / 2, 0, 0))
    for frame, energy in ((1, 1.0), (11, 9.0), (13, 1.0)):
        sun.data.energy = energy
        sun.data.keyframe_insert("energy", frame=frame)
    for curve in bpy.data.actions[0].fcurves if hasattr(bpy.data.actions[0], "fcurves") else \
            bpy.data.actions[0].layers[0].strips[0].channelbags[0].fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "CONSTANT"
    frames, _ = lit()
    bright = [number for number, light in enumerate(frames, 1) if on(sphere, light, *TOWARDS) > 0.5]
    assert bright == [11, 12]


@ONE_RELEASE
def test_under_a_tree_the_shadow_is_found_by_halving(lit, scene, sphere):
    """A branch passes between sun and chest in 9 frames: these are dark, to the frame."""
    lamp(scene, turned=(math.pi / 2, 0, 0))                 # from behind the camera
    leaf = cube(scene, (0, -1, CHEST), 1, name="leaf")
    leaf.scale = (4, 0.05, 1)
    for frame, x in ((1, -4.0), (FRAMES, 4.0)):
        leaf.location.x = x
        leaf.keyframe_insert("location", frame=frame)
    frames, balls = lit()
    level = [on(sphere, light, *TOWARDS) for light in frames]
    assert level[0] > 0.8 and level[-1] > 0.8 and min(level) < 0.1 and len(balls) < FRAMES
    dark = [number for number, one in enumerate(level, 1) if one < 0.4]
    assert dark == list(range(dark[0], dark[-1] + 1)) and len(dark) == pytest.approx(FRAMES / 3, abs=2)


@ONE_RELEASE
def test_nobody_in_the_picture_has_no_light(lit, scene, part):
    lamp(scene)
    rig = scene.aa2.armature
    for frame, x in ((1, 0.0), (12, 0.0), (13, 50.0)):
        rig.location.x = x
        rig.keyframe_insert("location", frame=frame)
        rig.keyframe_insert("location", frame=frame)
    scene.frame_set(1)
    frames, balls = lit()
    assert [light is None for light in frames] == [False] * 12 + [True] * 12
    assert balls[0] == 1 and balls[-1] == 12


def world_of(image):
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    tree = world.node_tree
    sky = tree.nodes.new("ShaderNodeTexEnvironment")
    sky.image = image
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    tree.links.new(sky.outputs[0], background.inputs["Color"])
    return world


def panorama(folder):
    """An image file of linear floats: 1 in the half around +X (u = 0.5), 0 in the other."""
    image = bpy.data.images.new("panorama", 64, 32, float_buffer=True)
    rows = np.zeros((32, 64, 4), np.float32)
    rows[:, 16:48, :3], rows[..., 3] = 1, 1
    image.pixels.foreach_set(rows.ravel())
    image.filepath_raw, image.file_format = str(folder / "panorama.exr"), "OPEN_EXR"
    image.save()
    bpy.data.images.remove(image)
    return folder / "panorama.exr"


def test_an_hdri_world_alone(lit, scene, sphere, tmp_path):
    """Half of the sky shines, on the right of a camera that looks along +Y: by half of the cosine more than a half."""
    scene.world = world_of(bpy.data.images.load(str(panorama(tmp_path))))
    frames, balls = lit("AUTOMATIC", **FEW)
    for x, level in ((-0.8, 0.1), (0, 0.5), (0.8, 0.9)):
        assert on(sphere, frames[0], x, 0, -math.sqrt(1 - x * x)) == pytest.approx(level, abs=0.06)
    assert balls == [1, 2]


def test_emission_alone(lit, scene, sphere):
    """A large panel that glows red, over the head."""
    panel = cube(scene, (0, 0, 4), 2, name="panel")
    material = bpy.data.materials.new("glow")
    material.use_nodes = True
    principled = material.node_tree.nodes["Principled BSDF"]
    principled.inputs["Emission Color"].default_value, principled.inputs["Emission Strength"].default_value = (
        1, 0, 0, 1), 5.0
    panel.data.materials.append(material)
    frames, _ = lit("AUTOMATIC", **FEW)
    red, green, blue = (sphere.terms_of(np.array([UP], float)) @ np.array(frames[0]))[0]
    assert red > 0.3 and abs(green) + abs(blue) < 0.01


def test_the_startup_files_light_is_none(lit, scene, part):
    """Automatic guesses, and Ball says why it cannot know."""
    lamp(scene, "POINT", 1000.0, location=(4.0762, 1.0055, 5.9039))
    scene.world = bpy.data.worlds.new("World")
    assert lit("AUTOMATIC") == (None, [])
    with pytest.raises(part("gather.problem").GatherError, match="no light but that of Blender's startup file"):
        lit("BALL")


def eevee(scene):
    scene.render.engine = next(name for name in ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE")
                               if name in scene.render.bl_rna.properties["engine"].enum_items)


@pytest.mark.parametrize("end", ["whole", "escape", "error"])
def test_nothing_in_the_file_has_changed(scene, gather, part, tmp_path, monkeypatch, end):
    """A scene of EEVEE, with an animated lamp that is off in viewports, markers and a part of the body."""
    eevee(scene)
    sun = lamp(scene, turned=(math.pi / 2, 0, 0))
    for frame, energy in ((1, 1.0), (9, 9.0)):
        sun.data.energy = energy
        sun.data.keyframe_insert("energy", frame=frame)
    sun.hide_viewport = True
    cube(scene, (0, 0, CHEST), 0.3, name="body").parent = scene.aa2.armature
    scene.timeline_markers.new("cut", frame=5).camera = scene.camera
    scene.aa2.light_source, scene.aa2.use_range, scene.aa2.range_first, scene.aa2.range_last = "BALL", True, 1, 9
    scene.frame_set(7)
    request, before = part("settings.request_of").request_of(scene), snapshot()
    steps = gather(request, tmp_path / "job")
    if end == "error":
        monkeypatch.setattr(part("gather.grey"), "read", lambda path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(steps)
    elif end == "escape":
        assert next(step for step in steps if step[0] == "light")
        assert changes(before, snapshot()) == []            # also between two slices
        steps.close()
    else:
        assert [step[0] for step in steps].count("light") >= 3
    assert changes(before, snapshot()) == []


def test_the_rig_and_what_it_carries_is_not_in_the_light(lit, scene, sphere):
    """A closed box around the chest would leave the ball black."""
    lamp(scene, turned=(math.pi / 2, 0, 0))
    cube(scene, (0, 0, CHEST), 1, name="body").parent = scene.aa2.armature
    frames, _ = lit(**FEW)
    assert on(sphere, frames[0], *TOWARDS) == pytest.approx(1, abs=0.05)


def ball_picture(folder, mode="RGB"):
    """A ball of albedo 0.18 under a light of 1 from the left, and a fill of 0.2, in front of a wall."""
    x, y = np.meshgrid((np.arange(300) - 149.5) / 70, (np.arange(200) - 99.5) / 70)
    away = np.hypot(x, y)
    light = 0.18 * (np.maximum(-x, 0) + 0.2)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)
    inside = away < 1
    rows = np.where(inside, shown, 0.7 + 0.1 * np.sin(6 * x))
    picture = np.rint(255 * np.stack([rows] * 3 + [inside] * (mode == "RGBA"), axis=2)).astype(np.uint8)
    Image.fromarray(picture).save(folder / "ball.png")
    return str(folder / "ball.png")


@ONE_RELEASE
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_picture_of_a_ball(lit, scene, sphere, tmp_path, mode):
    frames, balls = lit("PICTURE", ball_path=ball_picture(tmp_path, mode))
    assert balls == [1] and frames[0] == frames[-1]
    assert on(sphere, frames[0], *LEFT) == pytest.approx(1.2, abs=0.12)
    assert on(sphere, frames[0], *TOWARDS) == pytest.approx(0.2, abs=0.12)
    darker, _ = lit("PICTURE", ball_albedo=0.36)
    assert on(sphere, darker[0], *LEFT) == pytest.approx(on(sphere, frames[0], *LEFT) / 2, rel=0.03)


@ONE_RELEASE
def test_an_image_of_the_file_works_as_a_file_does(lit, scene, sphere, tmp_path):
    from_file, _ = lit("PICTURE", ball_path=ball_picture(tmp_path))
    image = bpy.data.images.load(scene.aa2.ball_path)
    assert lit("PICTURE", light_from="IMAGE", ball_image=image)[0] == from_file
    assert image.name in bpy.data.images


@ONE_RELEASE
def test_a_picture_without_a_ball_says_so(lit, scene, part, tmp_path):
    rows = np.repeat(np.linspace(0, 255, 200).astype(np.uint8)[None], 120, 0)
    Image.fromarray(rows).convert("RGB").save(tmp_path / "wall.png")
    (tmp_path / "note.hdr").write_text("no picture")
    for settings, message in (
            (dict(source="PICTURE", ball_path=str(tmp_path / "wall.png")), "No ball is found in the picture"),
            (dict(source="PICTURE", ball_path=str(tmp_path / "gone.png")), "does not exist"),
            (dict(source="PICTURE", ball_path=""), "No picture of the ball is chosen"),
            (dict(source="HDRI", hdri_path=str(tmp_path / "note.hdr")), "HDRI .*(not a picture|cannot be read|is no)"),
            (dict(source="HDRI", hdri_path=str(tmp_path)), "is a folder")):
        with pytest.raises(part("gather.problem").GatherError, match=message):
            lit(**settings)


def test_an_hdri_with_its_rotation_where_a_performer_drives(lit, scene, sphere, tmp_path):
    """The camera looks along +Y: the panorama's middle, at +X, is on the right, and half a turn later on the left."""
    scene.aa2.driver = "PERFORMER"
    right, balls = lit("HDRI", hdri_path=str(panorama(tmp_path)))
    left, _ = lit("HDRI", hdri_rotation=math.pi, hdri_strength=0.5)
    assert balls == [1] and len(right) == FRAMES and right[0] == right[-1]
    assert on(sphere, right[0], 0.8, 0, -0.6) == pytest.approx(0.9, abs=0.06)
    assert on(sphere, left[0], -0.8, 0, -0.6) == pytest.approx(0.45, abs=0.03)


@ONE_RELEASE
def test_halving_measures_few_and_finds_a_step(part, sphere):
    """Of a light that steps between frames 10 and 11: the grid of 8, and three between."""
    light = part("gather.light")
    known, bright = {}, np.zeros((9, 3))
    bright[0] = 2 * math.sqrt(math.pi)
    for i in light.refined([0, 8, 16, 24], known):
        known[i] = bright * (0.2 if i <= 10 else 1.0)
    assert sorted(known) == [0, 8, 10, 11, 12, 16, 24]


@ONE_RELEASE
def test_requests_of_before_guess(part):
    records, request = part("versions.records"), part("gather.request")
    old = replace(request.Request(name="x", scene="s", strip="p"))
    assert old.light_source == "GUESSED" and records.plain(old)["light_picture"]["albedo"] == 0.18


def test_the_panel_says_what_automatic_means_and_shows_the_balls(made, shot, part):
    """`made` has no light of its own; then it is lit, and generated again."""
    light = part("panels.light").Light
    assert "Automatic: Guessed, the rig's scene is not lit" in drawn(light, shot).all_of("label")
    lamp(shot, turned=(math.pi / 2, 0, 0))
    assert "Automatic: Ball, the rig's scene is lit" in drawn(light, shot).all_of("label")
    assert bpy.ops.aa2.generate() == {"FINISHED"}
    said = drawn(light, shot).all_of("label")
    assert "2 balls were measured" in said and said[-2:] == ["1", "4"]
    part("settings.plates").settings_of(shot).driver = "PERFORMER"
    assert "Automatic: Guessed, a performer drives" in drawn(light, shot).all_of("label")
    part("settings.plates").settings_of(shot).light_source = "HDRI"
    assert {"hdri_path", "hdri_rotation", "hdri_strength"} <= set(drawn(light, shot).all_of("prop"))


def test_the_balls_are_counted_in_the_cost_and_learnt(shot, part, engine):
    """Two balls of four frames; after a shot they take what they took."""
    engine("paints")
    cost = part("cost")
    lamp(shot, turned=(math.pi / 2, 0, 0))
    request = part("settings.request_of").request_of(shot)
    balls_of, source = part("gather.light").balls_of, part("settings.request_of").Asked(shot).light
    assert [balls_of(source, frames, performed=False) for frames in (4, 48)] == [2, 7]
    rate = cost.reckoned(1)
    with_balls, without = (cost.cost_of(cost.work(4, (64, 48), request.settings, cost.EMBEDDED_PACK, balls=balls),
                                        rate).seconds for balls in (2, 0))
    assert with_balls - without == pytest.approx(2 * cost.ball_seconds())
    cost.learn_balls(60.0, 2)
    before = cost.ball_seconds()
    assert bpy.ops.aa2.generate() == {"FINISHED"} and before / 2 < cost.ball_seconds() < before / 2 + 10


def test_a_version_with_another_light_is_another_version(made, shot, part):
    """light.json is an input: the same scene gives the same version, a brighter lamp another one."""
    folders = part("versions.folders")
    sun = lamp(shot, turned=(math.pi / 2, 0, 0))
    for energy, count in ((1.0, 2), (1.0, 2), (2.0, 3)):
        sun.data.energy = energy
        bpy.ops.aa2.generate()
        assert len(folders.versions(made.parent)) == count
    copy = made.parent / "v009"
    for _ in folders.copied(folders.versions(made.parent)[-1], copy):
        pass
    assert (copy / "light.json").is_file() and (copy / "balls" / "0001.png").is_file()


def test_the_command_takes_the_light(shot, part, engine, tmp_path):
    """An HDRI by name, for one generation: the choice is stored with the plate."""
    engine("paints")
    code, summary = part("cli").generate(light_source="hdri", hdri=str(panorama(tmp_path)), hdri_rotation=1.5, save="")
    assert code == 0, summary
    ours = part("settings.plates").settings_of(shot)
    assert (ours.light_source, ours.light_from) == ("HDRI", "FILE") and ours.hdri_rotation == pytest.approx(1.5)
    assert list(part("settings.request_of").job_folder(shot).glob("*/light.json"))


def test_automatic_guesses_where_cycles_is_switched_off(lit, scene):
    """A lit scene, but nothing that could render a ball."""
    lamp(scene, turned=(math.pi / 2, 0, 0))
    bpy.ops.preferences.addon_disable(module="cycles")
    try:
        assert lit("AUTOMATIC") == (None, [])
    finally:
        bpy.ops.preferences.addon_enable(module="cycles")
