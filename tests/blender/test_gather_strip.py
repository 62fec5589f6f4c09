"""Plate frames from the sequencer: the right frame, bit for bit, whatever the artist did to the strip."""
import os

import bpy
import numpy as np
import pytest
from PIL import Image
from shots import coded, image_strip, number_in, png_bits, read, read_rgb16, set_size, strips, write_sequence


@pytest.fixture
def plate(extension):
    from bl_ext.user_default.aa2_blender.gather import strip
    return strip


@pytest.fixture
def scene(blank):
    set_size(blank, (64, 48))
    return blank


def made(plate, scene, strip, tmp_path, wanted=None, bits=8):
    """The plate's pictures 1.. as they were written."""
    first, last = plate.frames_of(strip, wanted)
    folder = tmp_path / "job"
    plate.write_plate(scene, strip, folder, first=first, last=last, start=first, bits=bits)
    names = sorted(os.listdir(folder / "source"))
    assert names == [f"{i:04d}.png" for i in range(1, last - first + 2)]
    return [read(folder / "source" / name) for name in names]


def test_every_value_survives(plate, scene, tmp_path):
    ramp = np.zeros((48, 64, 3), np.uint8)
    ramp.reshape(-1, 3)[:768] = [[v if c == k else 0 for k in range(3)] for c in range(3) for v in range(256)]
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    scene.view_settings.exposure = 2.0
    out = made(plate, scene, image_strip(scene, tmp_path, ["ramp.png"]), tmp_path)
    assert np.array_equal(out[0], ramp)


@pytest.mark.parametrize("bits", [8, 16])
def test_pictures_are_compressed(plate, scene, tmp_path, bits):
    """A smooth picture takes less than half of its pixels' bytes. At some values of its compression setting, Blender
    does not compress at all."""
    smooth = np.linspace(0, 255, 64 * 48 * 3).astype(np.uint8).reshape(48, 64, 3)
    Image.fromarray(smooth).save(tmp_path / "smooth.png")
    out = made(plate, scene, image_strip(scene, tmp_path, ["smooth.png"]), tmp_path, bits=bits)
    assert (tmp_path / "job" / "source" / "0001.png").stat().st_size < smooth.size * bits // 8 / 2
    assert np.array_equal(out[0], smooth)


def test_sixteen_bits_stay(plate, scene, tmp_path):
    """Every 16-bit value that a float of the sequencer can represent comes back within one step; with 8 bits, it would
    be 128 off."""
    ramp = np.linspace(0, 65535, 64 * 48 * 3).astype(np.uint16).reshape(48, 64, 3)
    write_png16(tmp_path / "deep.png", ramp)
    strip = image_strip(scene, tmp_path, ["deep.png"])
    assert plate.bits_of(strip) == 16
    made(plate, scene, strip, tmp_path, bits=16)
    path = tmp_path / "job" / "source" / "0001.png"
    assert png_bits(path) == 16
    assert np.abs(read_rgb16(path).astype(int) - ramp).max() <= 1


def test_bits_of_bytes(plate, scene, tmp_path):
    assert plate.bits_of(image_strip(scene, tmp_path, write_sequence(tmp_path, 1))) == 8


def test_trimmed_and_moved(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 20), start=11)
    trim(strip, 14, 20)
    out = made(plate, scene, strip, tmp_path)
    assert [number_in(p) for p in out] == [4, 5, 6, 7, 8, 9]
    assert all(np.array_equal(p, coded(i)) for i, p in enumerate(out, 4))


@pytest.mark.parametrize("start", [-7, -3])
def test_negative_frames(plate, scene, tmp_path, start):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 6), start=start)
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_part_of_the_range(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 10), start=100)
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path, wanted=(103, 105))] == [4, 5, 6]


def test_reversed(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 5), start=1)
    strip.use_reverse_frames = True
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [5, 4, 3, 2, 1]


def test_retimed(plate, scene, tmp_path):
    """Pictures that are repeated by strobe and cropped come out as Blender's own render of the scene shows them."""
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 9), start=3)
    strip.strobe, strip.use_reverse_frames, strip.crop.min_x, strip.transform.scale_x = 3, True, 8, 0.7
    trim(strip, 5, 10)
    out = made(plate, scene, strip, tmp_path)
    assert same(out, bare(scene, 5, 9, tmp_path / "bare")) and len({number_in(p) for p in out}) > 1


def bare(scene, first, last, folder):
    """What Blender's own render of the scene gives, without copying anything."""
    scene.view_settings.view_transform, scene.frame_start, scene.frame_end = "Standard", first, last
    scene.render.image_settings.color_mode = "RGB"
    scene.render.dither_intensity, scene.render.filepath = 0, str(folder / "####")
    bpy.ops.render.render(animation=True)
    return [read(folder / f"{frame:04d}.png") for frame in range(first, last + 1)]


def same(some, others):
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.skipif(bpy.app.version < (5, 1), reason="before 5.1 keys can be set by hand only: Python's add crashes")
def test_retiming_keys(plate, scene, tmp_path):
    """The first half is slow, the second fast, and both ends are trimmed."""
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 16), start=1)
    key = strip.retiming_keys.add(timeline_frame=6)
    key.timeline_frame = 11
    trim(strip, 4, 15)
    out = made(plate, scene, strip, tmp_path)
    assert same(out, bare(scene, 4, 14, tmp_path / "bare")) and len({number_in(p) for p in out}) < len(out)


def test_movie_frame_by_frame_and_in_slices(plate, scene, tmp_path):
    """Starting between two key frames gives the same frames as one run over all of them."""
    write_movie(scene, tmp_path, 30)
    strip = strips(scene.sequence_editor).new_movie("film", str(tmp_path / "film.mp4"), channel=1, frame_start=-4)
    whole = made(plate, scene, strip, tmp_path)
    assert [number_in(p) for p in whole] == list(range(1, 31))
    part = made(plate, scene, strip, tmp_path / "part", wanted=(9, 17))
    assert same(part, whole[13:22]) and plate.bits_of(strip) == 8


def write_movie(scene, folder, count):
    """film.mp4 of coded pictures, with a key frame every 12."""
    names = write_sequence(folder, count)
    strip = image_strip(scene, folder, names)
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    film = scene.render.ffmpeg
    film.format, film.codec, film.gopsize, film.constant_rate_factor = "MPEG4", "H264", 12, "HIGH"
    scene.render.filepath, scene.render.use_file_extension = str(folder / "film.mp4"), False
    scene.frame_start, scene.frame_end = 1, count
    bpy.ops.render.render(animation=True)
    strips(scene.sequence_editor).remove(strip)


def test_exr_becomes_sixteen_bits(plate, scene, tmp_path):
    """Linear light becomes sRGB, and what is brighter than white becomes white."""
    from bl_ext.user_default.aa2_blender import blender_api
    light = np.repeat(np.linspace(0, 1.5, 64, dtype=np.float32)[None], 48, axis=0)
    image = bpy.data.images.new("light", 64, 48, float_buffer=True)
    image.pixels.foreach_set(np.stack([light, light, light, np.ones_like(light)], axis=2).ravel())
    blender_api.set_picture_format(scene.render.image_settings, "OPEN_EXR", color_mode="RGB", color_depth="32")
    image.save_render(str(tmp_path / "light.exr"), scene=scene)
    strip = image_strip(scene, tmp_path, ["light.exr"])
    strip.colorspace_settings.name = "Linear Rec.709"          # before 5.0, Python gets sRGB for a new strip
    assert plate.bits_of(strip) == 16
    made(plate, scene, strip, tmp_path, bits=16)
    got = read_rgb16(tmp_path / "job" / "source" / "0001.png")[0, :, 0] / 65535
    clipped = np.minimum(light[0].astype(float), 1)
    wanted = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    assert np.abs(got - wanted).max() < 2e-3


def test_speed_effect(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 12), start=1)
    from bl_ext.user_default.aa2_blender import blender_api
    speed = blender_api.new_effect(scene.sequence_editor, name="faster", kind="SPEED", channel=5, first=1, end=13,
                                inputs=(strip,))
    speed.speed_control = "MULTIPLY"
    speed.speed_factor = 2.0
    out = made(plate, scene, speed, tmp_path, wanted=(1, 5))
    assert number_in(out[0]) == 1 and number_in(out[4]) == 9
    assert same(out, bare(scene, 1, 5, tmp_path / "bare"))
    assert plate.bits_of(speed) == 8


def test_only_the_strip(plate, scene, tmp_path):
    """Other strips, a muted plate, half opacity and the artist's view settings change nothing."""
    names = write_sequence(tmp_path, 3)
    strip = image_strip(scene, tmp_path, names)
    image_strip(scene, tmp_path, names[::-1], channel=7, name="above")
    strip.mute, strip.blend_alpha = True, 0.5
    out = made(plate, scene, strip, tmp_path)
    assert all(np.array_equal(p, coded(i)) for i, p in enumerate(out, 1))
    assert strip.mute and strip.blend_alpha == 0.5


def test_inside_a_meta(plate, scene, tmp_path):
    names = write_sequence(tmp_path, 4)
    meta = strips(scene.sequence_editor_create()).new_meta("meta", channel=3, frame_start=1)
    strip = image_strip(scene, tmp_path, names, channel=1)
    cover = image_strip(scene, tmp_path, names[::-1], channel=5, name="cover")
    strip.move_to_meta(meta)
    cover.move_to_meta(meta)
    for frame in (2, 1):
        cover.frame_start = frame                     # only a change inside updates a metastrip's length
    trim(meta, 1, 5)
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [1, 2, 3, 4]
    assert [number_in(p) for p in made(plate, scene, meta, tmp_path, wanted=(1, 4))] == [4, 3, 2, 1]


def test_animated_transform(plate, scene, tmp_path):
    """The strip slides one pixel a frame: the copy that is rendered has the same keys."""
    strip = image_strip(scene, tmp_path, ["one.png"] * 4)
    Image.fromarray(coded(1)).save(tmp_path / "one.png")
    for frame in (1, 4):
        strip.transform.offset_x = frame - 1
        strip.transform.keyframe_insert("offset_x", frame=frame)
    set_linear(scene)
    out = made(plate, scene, strip, tmp_path)
    for i, picture in enumerate(out):
        assert np.array_equal(picture[:, i:], coded(1)[:, :64 - i])


def test_odd_size_and_percentage(plate, scene, tmp_path):
    set_size(scene, (101, 35), 50)
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 1, size=(101, 35)))
    assert made(plate, scene, strip, tmp_path)[0].shape == (17, 50, 3)


def test_names_of_every_kind(plate, scene, tmp_path):
    folder = tmp_path / "Straße – été {x} #1"
    names = write_sequence(folder, 3, name="-plåt {:04d}.png")
    strip = image_strip(scene, folder, names, name="-Plåt 1")
    assert [number_in(p) for p in made(plate, scene, strip, folder)] == [1, 2, 3]


def test_same_bytes_again(plate, scene, tmp_path):
    """The engine compares digests of its inputs when it resumes, so the pictures may contain nothing about the day or
    the file."""
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 1))
    made(plate, scene, strip, tmp_path)
    before = (tmp_path / "job/source/0001.png").read_bytes()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "named.blend"))
    made(plate, scene, strip, tmp_path)
    assert (tmp_path / "job/source/0001.png").read_bytes() == before


def test_a_scene_strip(plate, scene, tmp_path):
    other = bpy.data.scenes.new("other")
    set_size(other, (64, 48))
    image_strip(other, tmp_path, write_sequence(tmp_path, 5), start=1)
    other.frame_start, other.frame_end = 1, 5
    strip = strips(scene.sequence_editor_create()).new_scene("film", scene=other, channel=1, frame_start=10)
    strip.scene_input = "SEQUENCER"
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["SOUND", "COLOR"])
def test_no_plate(plate, scene, tmp_path, kind):
    from bl_ext.user_default.aa2_blender import blender_api
    editor = scene.sequence_editor_create()
    if kind == "COLOR":
        strip = blender_api.new_effect(editor, name="grey", kind="COLOR", channel=1, first=1, end=10)
    else:
        if not bpy.app.build_options.audaspace:
            pytest.skip(f"bpy {bpy.app.version_string} is built without sound")
        write_wave(tmp_path / "beep.wav")
        strip = strips(editor).new_sound("beep", filepath=str(tmp_path / "beep.wav"), channel=1, frame_start=1)
    message = plate.why_no_plate(strip)
    assert strip.name in message and ("sound" if kind == "SOUND" else "color") in message


def test_missing_pictures_are_named(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 6))
    (tmp_path / "0004.png").unlink()
    plate.check_files(strip, 1, 3)
    with pytest.raises(Exception, match="0004.png"):
        plate.check_files(strip, 1, 6)


def test_range_beside_the_strip(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 3))
    with pytest.raises(Exception, match="shows no frame from 50 to 60"):
        plate.frames_of(strip, (50, 60))


def trim(strip, first, end):
    from bl_ext.user_default.aa2_blender import blender_api
    blender_api.trim(strip, first, end)


def set_linear(scene):
    action = scene.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves
    for curve in curves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def write_wave(path):
    import wave
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


def write_png16(path, picture):
    import struct
    import zlib
    height, width, _ = picture.shape
    rows = np.pad(picture.astype(">u2").view(np.uint8).reshape(height, -1), ((0, 0), (1, 0))).tobytes()

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
