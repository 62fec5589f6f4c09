"""Media that are missing, damaged or shorter than their strip are refused, and the message names file and frame;
nothing else is refused."""
import os
import shutil

import bpy
import numpy as np
import pytest
from PIL import Image
from shots import coded, image_strip, number_in, read, set_size, strips, write_sequence
from test_gather_strip import trim

PLACEHOLDERS = [(216, 0, 191), (217, 0, 191)]       # what Blender draws for missing media, by its release


@pytest.fixture
def plate(extension):
    from bl_ext.user_default.aa2_blender.gather import strip
    return strip


@pytest.fixture
def scene(blank):
    set_size(blank, (64, 48))
    return blank


@pytest.fixture(scope="module")
def films(extension, tmp_path_factory):
    """Movies of coded pictures as bytes: {(frames, container): bytes}."""
    folder = tmp_path_factory.mktemp("films")
    bpy.ops.wm.read_homefile(use_empty=True)
    set_size(bpy.context.scene, (64, 48))
    made = {}
    for count, container in ((20, "MPEG4"), (12, "MPEG4"), (20, "MKV")):
        path = folder / f"{count}.{container.lower()}"
        write_movie(bpy.context.scene, folder / "pictures", path, [coded(n) for n in range(1, count + 1)], container)
        made[count, container] = path.read_bytes()
    return made


def write_movie(scene, folder, path, pictures, container="MPEG4"):
    folder.mkdir(exist_ok=True)
    names = [f"{n:04d}.png" for n in range(1, len(pictures) + 1)]
    for name, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture).save(folder / name)
    strip = image_strip(scene, folder, names)
    image, film = scene.render.image_settings, scene.render.ffmpeg
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    film.format, film.codec, film.gopsize, film.constant_rate_factor = container, "H264", 12, "HIGH"
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    scene.frame_start, scene.frame_end = 1, len(pictures)
    bpy.ops.render.render(animation=True)
    strips(scene.sequence_editor).remove(strip)


def movie_strip(scene, path, data, *, then=None, start=1, channel=1, name="film"):
    """A strip of a movie whose file is then replaced by `then`."""
    path.write_bytes(data)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strip = strips(editor).new_movie(name, str(path), channel=channel, frame_start=start)
    if then is not None:
        path.write_bytes(then)
    return strip


def made(plate, scene, strip, folder, first, last):
    plate.check_files(strip, first, last)
    plate.write_plate(scene, strip, folder, first=first, last=last, start=first, bits=8)
    return [read(folder / "source" / name) for name in sorted(os.listdir(folder / "source"))]


def refused(plate, strip, first, last):
    with pytest.raises(Exception) as failure:
        plate.check_files(strip, first, last)
    assert type(failure.value).__name__ == "GatherError" and failure.value.remedy
    return failure.value.message


def test_a_movie_that_became_shorter(plate, scene, films, tmp_path):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"], start=101)
    said = refused(plate, strip, 101, 120)
    assert "film.mp4 (frames 113 to 120) has 12 frames, and the strip was made of 20" in said
    assert "frame 113)" in refused(plate, strip, 105, 113) and "frame 120)" in refused(plate, strip, 120, 120)
    out = made(plate, scene, strip, tmp_path / "job", 101, 112)
    assert [number_in(picture) for picture in out] == list(range(1, 13)), "the frames that are there are a plate"
    trim(strip, 104, 111)
    plate.check_files(strip, 104, 110)


def test_a_movie_that_became_shorter_played_backwards(plate, scene, films, tmp_path):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"])
    strip.use_reverse_frames = True
    assert "(frames 1 to 8)" in refused(plate, strip, 1, 20)
    plate.check_files(strip, 9, 20)


def test_a_movie_that_became_longer(plate, scene, films, tmp_path):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[12, "MPEG4"], then=films[20, "MPEG4"])
    plate.check_files(strip, 1, 12)


def test_a_movie_cut_off_shows_its_last_picture_again_and_again(plate, scene, films, tmp_path):
    whole = films[20, "MKV"]
    strip = movie_strip(scene, tmp_path / "film.mkv", whole, then=whole[:int(0.6 * len(whole))])
    said = refused(plate, strip, 1, 20)
    assert "film.mkv (frames 12 to 20) was cut off: it has" in said
    assert "(frame 15)" in refused(plate, strip, 15, 15), "a single frame, as for the reference"
    out = made(plate, scene, strip, tmp_path / "job", 1, 11)
    assert [number_in(picture) for picture in out] == list(range(1, 12))


@pytest.mark.parametrize("data, why", [(b"no movie" * 999, "is no movie that Blender can read"),
                                       (b"", "is empty (0 bytes)")])
def test_what_is_no_movie(plate, scene, films, tmp_path, data, why):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[12, "MPEG4"], then=data)
    assert f"film.mp4 (frames 3 to 5) {why}" in refused(plate, strip, 3, 5)


def test_a_movie_that_is_gone(plate, scene, films, tmp_path):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[12, "MPEG4"])
    (tmp_path / "film.mp4").unlink()
    said = refused(plate, strip, 3, 5)
    assert "needs files that are not there" in said and "film.mp4 (frames 3 to 5) does not exist" in said


def harm(path, how):
    data = path.read_bytes()
    if how == "missing":
        return path.unlink()
    if how == "pipe":
        path.unlink()
        return os.mkfifo(path)
    if how == "folder":
        path.unlink()
        return path.mkdir()
    if how == "flipped":
        harmed = bytearray(data)
        harmed[len(data) // 2] ^= 0xFF
        return path.write_bytes(harmed)
    return path.write_bytes({"cut": data[:len(data) // 2], "junk": b"junk" * 99, "empty": b""}[how])


HARMS = {"missing": "does not exist", "pipe": "is a pipe", "folder": "is a folder", "cut": "ends in the middle",
         "empty": "is empty", "flipped": "is damaged", "junk": "is no picture that Blender can read"}


@pytest.mark.parametrize("how", HARMS)
def test_a_picture_in_the_middle(plate, scene, tmp_path, how):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 6), start=11)
    harm(tmp_path / "0004.png", how)
    with pytest.raises(Exception, match=r"0004.png \(frame 14\) " + HARMS[how]):
        made(plate, scene, strip, tmp_path / "job", 11, 16)
    assert not os.path.exists(tmp_path / "job" / "source" / "0004.png")
    assert len(made(plate, scene, strip, tmp_path / "other", 15, 16)) == 2


def test_half_a_jpeg(plate, scene, tmp_path):
    """Blender draws the part that exists, and reports nothing."""
    Image.fromarray(coded(1)).save(tmp_path / "1.jpg", quality=95)
    plate.check_files(image_strip(scene, tmp_path, ["1.jpg"]), 1, 1)
    harm(tmp_path / "1.jpg", "cut")
    strip = image_strip(scene, tmp_path, ["1.jpg"], channel=3)
    assert "1.jpg (frame 1) ends in the middle" in refused(plate, strip, 1, 1)


@pytest.mark.parametrize("colour", PLACEHOLDERS)
def test_a_plate_of_the_placeholders_colour_is_a_plate(plate, scene, tmp_path, colour):
    """An artist may film a magenta wall, in pictures and in a movie, even in one that became shorter."""
    wall = np.full((48, 64, 3), colour, np.uint8)
    write_movie(scene, tmp_path / "pictures", tmp_path / "long.mp4", [wall] * 20)
    write_movie(scene, tmp_path / "pictures", tmp_path / "short.mp4", [wall] * 12)
    pictures = image_strip(scene, tmp_path / "pictures", ["0001.png"] * 4, channel=5)
    assert all((picture == wall).all() for picture in made(plate, scene, pictures, tmp_path / "job", 1, 4))
    film = movie_strip(scene, tmp_path / "film.mp4", (tmp_path / "long.mp4").read_bytes(),
                       then=(tmp_path / "short.mp4").read_bytes())
    plate.check_files(film, 1, 12)


def in_meta(scene, strip, end):
    meta = strips(scene.sequence_editor).new_meta("meta", channel=3, frame_start=1)
    strip.move_to_meta(meta)
    for frame in (2, 1):
        strip.frame_start = frame                     # only a change inside updates a metastrip's length
    trim(meta, 1, end)
    return meta


def in_scene(scene, strip, end):
    """The strip's scene as a strip of another scene, ten frames later."""
    other = bpy.data.scenes.new("edit")
    set_size(other, (64, 48))
    scene.frame_start, scene.frame_end = 1, end - 1
    shown = strips(other.sequence_editor_create()).new_scene("shown", scene=scene, channel=1, frame_start=11)
    shown.scene_input = "SEQUENCER"
    return shown


def test_inside_metas(plate, scene, films, tmp_path):
    film = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"])
    meta = in_meta(scene, film, 21)
    assert "film.mp4 (frames 13 to 15)" in refused(plate, meta, 1, 15)
    plate.check_files(meta, 1, 12)
    film.mute = True
    plate.check_files(meta, 1, 15)


def test_inside_a_scene_strip(plate, scene, films, tmp_path):
    film = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"])
    pictures = image_strip(scene, tmp_path, write_sequence(tmp_path, 20), channel=4)
    shown = in_scene(scene, film, 21)
    assert "film.mp4 (frames 13 to 15)" in refused(plate, shown, 11, 25), "numbers of the scene that is shown"
    plate.check_files(shown, 11, 22)
    harm(tmp_path / "0003.png", "cut")
    assert "0003.png (frame 3)" in refused(plate, shown, 11, 22)
    pictures.mute = True
    plate.check_files(shown, 11, 22)


def test_below_a_speed_effect(plate, scene, films, tmp_path):
    from bl_ext.user_default.aa2_blender import blender_api
    film = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"])
    speed = blender_api.new_effect(scene.sequence_editor, name="faster", kind="SPEED", channel=5, first=1, end=21,
                                inputs=(film,))
    speed.speed_control, speed.speed_factor = "MULTIPLY", 2.0
    assert "film.mp4 (frames 13 to 20)" in refused(plate, speed, 1, 8), "it may ask for any of them"


def test_masks_clean_plates_and_references_of_strips(plate, scene, films, tmp_path):
    from bl_ext.user_default.aa2_blender.gather import companions, reference
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource
    film = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"], start=5)
    with pytest.raises(Exception, match=r"film.mp4 \(frames 17 to 20\)"):
        companions.check_files(film, (1, 20))
    (tmp_path / "job").mkdir()
    for frame, fine in ((16, True), (17, False)):
        source = ReferenceSource(kind="STRIP", name=film.name, frame=frame)
        if fine:
            reference.write(source, scene, str(tmp_path / "job"))
            shutil.rmtree(tmp_path / "job")
            (tmp_path / "job").mkdir()
            continue
        with pytest.raises(Exception, match=r"film.mp4 \(frame 17\)"):
            reference.write(source, scene, str(tmp_path / "job"))
        assert not os.listdir(tmp_path / "job")


def test_nothing_stays_in_the_file(plate, scene, films, tmp_path):
    strip = movie_strip(scene, tmp_path / "film.mp4", films[20, "MPEG4"], then=films[12, "MPEG4"])
    before = {name: len(getattr(bpy.data, name)) for name in ("scenes", "movieclips", "images")}
    refused(plate, strip, 1, 20)
    assert {name: len(getattr(bpy.data, name)) for name in before} == before
    assert scene.sequence_editor.show_missing_media
