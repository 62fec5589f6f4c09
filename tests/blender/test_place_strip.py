"""Frames over the plate: exact beside the character, free of hidden colour, and the same after a second time."""
import bpy
import numpy as np
import pytest
from PIL import Image
from shots import coded, image_strip, read, set_size, strips, write_sequence

SIZE = (64, 48)
# Bytes are rounded twice, after the shadow and after the figure.
ROUNDING = 1.5


@pytest.fixture
def placing(extension):
    from bl_ext.user_default.aa2_blender.place import strip
    return strip


@pytest.fixture
def scene(blank):
    set_size(blank, SIZE)
    blank.view_settings.view_transform = "Standard"
    blank.render.dither_intensity = 0
    return blank


def job_folder(folder, *, frames=3, first_frame=1, size=SIZE, made=None, name="shot one"):
    """A finished job: a ramp of colours in a soft disc, with a shadow to its left; `made`: which frames exist."""
    from bl_ext.user_default.aa2_blender.embedded.engine.contract import jobs
    jobs.write(str(folder), jobs.Job(name=name, size=size, frames=frames, first_frame=first_frame,
                                   settings=jobs.Settings(seed=7)))
    for kind in ("frames", "shadow"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for number in made or range(1, frames + 1):
        Image.fromarray(layer(number, size)).save(folder / "frames" / f"{number:04d}.png")
        Image.fromarray(shadow(size)).save(folder / "shadow" / f"{number:04d}.png")
    return folder


def layer(number, size=SIZE):
    """RGBA: alpha is a soft disc, and colour is everywhere (colour under alpha 0 is conspicuous on purpose)."""
    y, x = np.mgrid[:size[1], :size[0]]
    away = np.hypot(x - size[0] / 2, y - size[1] / 2) / min(size)
    alpha = np.clip((0.35 - away) * 8, 0, 1)
    rgb = np.stack([x * 255 / size[0], y * 255 / size[1], np.full(x.shape, 40 * number)], axis=2)
    return np.concatenate([rgb, alpha[..., None] * 255], axis=2).round().astype(np.uint8)


def shadow(size=SIZE):
    grey = np.full((size[1], size[0], 3), 255, np.uint8)
    grey[:, :size[0] // 3] = np.linspace(90, 254, size[1]).astype(np.uint8)[:, None, None]
    return grey


def over(plate, number, size=SIZE):
    """The sequencer's formula, in sRGB: plate * shadow, then straight alpha over; float 0..255."""
    rgba = layer(number, size).astype(float)
    alpha = rgba[..., 3:] / 255
    return plate * (shadow(size) / 255) * (1 - alpha) + rgba[..., :3] * alpha


def render(scene, tmp_path, frame=1):
    scene.frame_set(frame)
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(tmp_path / "out.png")
    bpy.ops.render.render(write_still=True)
    return read(tmp_path / "out.png").astype(float)


def worst(got, wanted):
    """The largest difference between two pictures, 0..255."""
    return float(np.abs(got - wanted).max())


def plate_of(scene, tmp_path, count=3, start=1, **how):
    return image_strip(scene, tmp_path / "plate", write_sequence(tmp_path / "plate", count, SIZE), start=start, **how)


def test_exact_where_nothing_was_made_and_by_the_formula_elsewhere(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    names = placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate")
    assert names == ("shadow shot one", "character shot one")
    for frame in (1, 2, 3):
        out = render(scene, tmp_path, frame)
        assert worst(out, over(coded(frame), frame)) <= ROUNDING
        untouched = (layer(frame)[..., 3] == 0) & (shadow()[..., 0] == 255)
        assert np.array_equal(out[untouched], coded(frame)[untouched])


def test_every_value_passes_back_and_forth(placing, scene, tmp_path):
    """The plate is read out and an empty layer laid over it: all 256 values of each channel stay."""
    ramp = np.arange(64 * 48) % 256
    ramp = np.stack([ramp, ramp[::-1], np.roll(ramp, 100)], axis=1).reshape(48, 64, 3).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    strip = image_strip(scene, tmp_path, ["ramp.png"])
    from bl_ext.user_default.aa2_blender.gather import strip as plate
    folder = job_folder(tmp_path / "job", frames=1)
    plate.write_plate(scene, strip, folder, first=1, last=1, start=1, bits=8)
    assert np.array_equal(read(folder / "source" / "0001.png"), ramp)
    Image.fromarray(np.dstack([ramp[::-1], np.zeros((48, 64), np.uint8)])).save(folder / "frames" / "0001.png")
    Image.fromarray(np.full((48, 64, 3), 255, np.uint8)).save(folder / "shadow" / "0001.png")
    placing.lay_frames(scene, folder, "plate")
    assert np.array_equal(render(scene, tmp_path), ramp)


def test_over_a_plate_that_moves(placing, scene, tmp_path):
    """The plate slides and grows by keys. The layer made from its pictures does not move and fits on every frame."""
    from bl_ext.user_default.aa2_blender.gather import strip as plate
    strip = plate_of(scene, tmp_path)
    for frame, offset, scale in ((1, 0, 1.0), (3, 9, 1.3)):
        strip.transform.offset_x, strip.transform.scale_x = offset, scale
        strip.transform.keyframe_insert("offset_x", frame=frame)
        strip.transform.keyframe_insert("scale_x", frame=frame)
    folder = job_folder(tmp_path / "job")
    plate.write_plate(scene, strip, folder, first=1, last=3, start=1, bits=8)
    placing.lay_frames(scene, folder, "plate")
    for frame in (1, 2, 3):
        source = read(folder / "source" / f"000{frame}.png").astype(float)
        assert worst(render(scene, tmp_path, frame), over(source, frame)) <= ROUNDING


def test_channels_frames_and_what_is_told(placing, scene, tmp_path):
    plate_of(scene, tmp_path, start=-4)
    other = image_strip(scene, tmp_path / "plate", ["0001.png"] * 9, start=-6, channel=3, name="title")
    folder = job_folder(tmp_path / "job", first_frame=-4)
    names = placing.lay_frames(scene, folder, "plate", pack="abc")
    shade, figure = (strips(scene.sequence_editor)[name] for name in names)
    assert (shade.channel, figure.channel) == (3, 4) and other.channel == 5
    from bl_ext.user_default.aa2_blender.blender_api import strip_range
    assert strip_range(figure) == strip_range(shade) == (-4, -1)
    assert (figure.blend_type, shade.blend_type) == ("ALPHA_OVER", "MULTIPLY")
    assert figure["aa2_seed"] == "7" and figure["aa2_pack"] == "abc" and figure["aa2_job"] == str(folder)
    assert figure["aa2_engine"] and figure.alpha_mode == "STRAIGHT"
    again = strips(scene.sequence_editor)[placing.lay_frames(scene, folder, "plate")[1]]
    assert again["aa2_pack"] == "abc" and again.channel == 4


def test_again_replaces_its_own_only(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    one, two = (job_folder(tmp_path / name, name=name) for name in ("one", "two"))
    placing.lay_frames(scene, one, "plate")
    placing.lay_frames(scene, two, "plate")
    before = {s.name: s.channel for s in strips(scene.sequence_editor)}
    for _ in range(2):
        placing.lay_frames(scene, one, "plate")
    assert {s.name: s.channel for s in strips(scene.sequence_editor)} == before and len(before) == 5


def test_caches_are_as_before(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    editor = scene.sequence_editor
    editor.use_prefetch = True
    placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate")
    assert editor.use_prefetch
    editor.use_prefetch = False


@pytest.mark.parametrize("made", [[2], [1, 3], [3]])
def test_part_of_the_frames(placing, scene, tmp_path, made):
    """Frames that are not made show the plate; when they are made, placing again adds them."""
    plate_of(scene, tmp_path)
    folder = job_folder(tmp_path / "job", made=made)
    placing.lay_frames(scene, folder, "plate")
    for frame in (1, 2, 3):
        wanted = over(coded(frame), frame) if frame in made else coded(frame)
        assert worst(render(scene, tmp_path, frame), wanted) <= (ROUNDING if frame in made else 0)
    job_folder(tmp_path / "job")
    placing.lay_frames(scene, folder, "plate")
    assert worst(render(scene, tmp_path, 1), over(coded(1), 1)) <= ROUNDING


def test_no_frames_no_strips(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    folder = job_folder(tmp_path / "job", frames=1)
    for kind in ("frames", "shadow"):
        (folder / kind / "0001.png").unlink()
    assert placing.lay_frames(scene, folder, "plate") == ()


def test_no_shadow(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    folder = job_folder(tmp_path / "job")
    for path in (folder / "shadow").iterdir():
        path.unlink()
    name, = placing.lay_frames(scene, folder, "plate")
    assert strips(scene.sequence_editor)[name].channel == 3


def test_saved_files_keep_relative_paths(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    folder = job_folder(tmp_path / "Straße – été" / "-job 1")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    names = placing.lay_frames(scene, folder, "plate")
    figure = strips(scene.sequence_editor)[names[1]]
    assert figure.directory.startswith("//") and figure["aa2_job"].startswith("//")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene = bpy.context.scene
    assert worst(render(scene, tmp_path, 2), over(coded(2), 2)) <= ROUNDING
    assert placing.lay_frames(scene, folder, "plate") == names
    assert len(strips(scene.sequence_editor)) == 3


def test_half_size_lies_pixel_on_pixel(placing, scene, tmp_path):
    """A job made at 50 %: at 50 % the layer is exact again, although the sequencer shrinks pictures by the
    percentage."""
    set_size(scene, (128, 96), 50)
    editor = scene.sequence_editor_create()
    Image.fromarray(np.kron(coded(1), np.ones((2, 2, 1), np.uint8))).save(tmp_path / "big.png")
    image_strip(scene, tmp_path, ["big.png"])
    bare = render(scene, tmp_path)
    placing.lay_frames(scene, job_folder(tmp_path / "job", frames=1), "plate")
    assert len(strips(editor)) == 3
    assert worst(render(scene, tmp_path), over(bare, 1)) <= ROUNDING


def test_scaled_strip_leaks_no_hidden_colour(placing, scene, tmp_path):
    """Scaled by 1.5, the layer's edge stays between plate and figure: the colour under alpha 0 is never seen.

    The engine extends the figure's own colour outwards. A layer made like this here must have the edge that the formula
    gives for the figure's one colour, whatever alpha the filter makes.
    """
    white = np.full((48, 64, 3), 255, np.uint8)
    Image.fromarray(white).save(tmp_path / "white.png")
    image_strip(scene, tmp_path, ["white.png"])
    folder = job_folder(tmp_path / "job", frames=1)
    rgba = np.dstack([np.full((48, 64, 3), (200, 30, 60), np.uint8), np.where(layer(1)[..., 3] > 127, 255, 0)])
    Image.fromarray(rgba.astype(np.uint8)).save(folder / "frames" / "0001.png")
    (folder / "shadow" / "0001.png").unlink()
    name, = placing.lay_frames(scene, folder, "plate")
    transform = strips(scene.sequence_editor)[name].transform
    transform.scale_x = transform.scale_y = 1.5
    out = render(scene, tmp_path)
    alpha = (255 - out[..., 1]) / (255 - 30)                          # the filtered alpha, computed from green
    wanted = 255 + alpha[..., None] * (np.array([200, 30, 60]) - 255.0)
    assert ((alpha > 0.1) & (alpha < 0.9)).sum() > 20
    assert worst(out, wanted) <= 2.0


def new_effect(editor, **how):
    from bl_ext.user_default.aa2_blender import blender_api
    return blender_api.new_effect(editor, **how)


def channels_of(scene):
    return {strip.name: strip.channel for strip in strips(scene.sequence_editor)}


def test_what_lies_above_is_moved_up_and_stays_above(placing, scene, tmp_path):
    """A title and a grade over the plate, on channels with names, one of them muted and one locked."""
    plate_of(scene, tmp_path)
    editor = scene.sequence_editor
    base = channels_of(scene)["plate"]
    new_effect(editor, name="title", kind="COLOR", channel=base + 1, first=1, end=4)
    new_effect(editor, name="hidden", kind="COLOR", channel=base + 2, first=40, end=44)
    new_effect(editor, name="grade", kind="ADJUSTMENT", channel=base + 3, first=1, end=4)
    editor.channels[base + 1].name, editor.channels[base + 2].mute = "titles", True
    editor.channels[base + 3].lock = True
    for name in ("title", "grade"):
        strips(editor)[name].select = False
    names = placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate")
    now = channels_of(scene)
    assert [now[name] for name in names] == [base + 1, base + 2]
    assert (now["title"], now["hidden"], now["grade"]) == (base + 3, base + 4, base + 5)
    assert editor.channels[base + 3].name == "titles" and editor.channels[base + 4].mute
    assert editor.channels[base + 5].lock and not editor.channels[base + 1].mute and not editor.channels[base + 3].lock
    placing.lay_frames(scene, tmp_path / "job", "plate")
    assert channels_of(scene) == now, "the second time, nothing moves"


@pytest.mark.parametrize("what", ["mute", "lock"])
def test_never_on_a_muted_or_locked_channel(placing, scene, tmp_path, what):
    plate_of(scene, tmp_path)
    base = channels_of(scene)["plate"]
    setattr(scene.sequence_editor.channels[base + 1], what, True)
    for name in placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate"):
        channel = scene.sequence_editor.channels[channels_of(scene)[name]]
        assert not channel.mute and not channel.lock and channels_of(scene)[name] in (base + 1, base + 2)


def test_a_plate_in_the_top_channel(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    strips(scene.sequence_editor)["plate"].channel = 127
    before = channels_of(scene)
    with pytest.raises(placing.PlaceError, match="no free channel above channel 127"):
        placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate")
    assert channels_of(scene) == before


def test_the_selection_stays(placing, scene, tmp_path):
    plate_of(scene, tmp_path)
    editor = scene.sequence_editor
    other = new_effect(editor, name="title", kind="COLOR", channel=30, first=1, end=4)
    for strip in strips(editor):
        strip.select = strip == other
    editor.active_strip = other
    placing.lay_frames(scene, job_folder(tmp_path / "job"), "plate")
    assert {strip.name for strip in strips(editor) if strip.select} == {"title"} and editor.active_strip == other
