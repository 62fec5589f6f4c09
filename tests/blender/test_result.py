"""The result: versions of a shot that are compared, varied, made again, found again, and shown while they grow."""
import json
import shutil
from importlib import import_module
from pathlib import Path

import bpy
import pytest
import shots
import small_shot
from shots import folder_of, placed


def setting(folder, name):
    return json.loads((folder / "job.json").read_text())["settings"][name]


def test_the_strip_tells_what_made_it(made, shot):
    for strip in placed(shot).values():
        assert strip["aa2_seed"] == "0" and strip["aa2_pack"] == "0" and strip["aa2_engine"] == "0.1.0"
        assert strip["aa2_version"] == "v001" and json.loads(strip["aa2_settings"])["shape"] == "auto"


def test_vary_seed_makes_a_version_of_the_same_inputs(made, shot):
    before = {path: path.stat().st_mtime_ns for path in (made / "frames").iterdir()}
    assert bpy.ops.aa2.vary_seed() == {"FINISHED"}
    varied = folder_of(shot)
    assert varied.name == "v002" and setting(varied, "seed") == 1 and setting(made, "seed") == 0
    assert {path: path.stat().st_mtime_ns for path in (made / "frames").iterdir()} == before
    for name in ("pose.json", "reference.png", "source/0001.png"):
        assert (varied / name).read_bytes() == (made / name).read_bytes()
    bpy.ops.aa2.vary_seed()
    assert setting(folder_of(shot), "seed") == 2


def test_the_copy_of_a_version_outlives_the_first_gathered_anew(made, shot):
    """Versions may share inputs on the disk, so gathering must not write through the link."""
    bpy.ops.aa2.vary_seed()
    varied = folder_of(shot)
    before = (varied / "pose.json").read_bytes()
    (made / "pose.json").unlink()
    (made / "pose.json").write_text("{}")
    assert (varied / "pose.json").read_bytes() == before


def test_versions_are_shown_in_the_same_channels(made, shot):
    channels = {strip["aa2_kind"]: strip.channel for strip in placed(shot).values()}
    bpy.ops.aa2.vary_seed()
    assert bpy.ops.aa2.show_version(by=-1) == {"FINISHED"} and folder_of(shot) == made
    assert {strip["aa2_kind"]: strip.channel for strip in placed(shot).values()} == channels
    assert {strip["aa2_pack"] for strip in placed(shot).values()} == {"0"}, "known from the disk"
    with pytest.raises(RuntimeError, match="oldest"):
        bpy.ops.aa2.show_version(by=-1)
    bpy.ops.aa2.show_version(by=1)
    assert folder_of(shot).name == "v002"


def test_a_b_mutes_both_strips_and_nothing_else(made, shot):
    plate = next(strip for strip in shots.strips(shot.sequence_editor) if strip.name == "plate")
    for wanted in (True, False):
        assert bpy.ops.aa2.compare() == {"FINISHED"}
        assert {strip.mute for strip in placed(shot).values()} == {wanted} and not plate.mute


def test_generate_as_shown_takes_the_versions_settings_and_the_scene_as_it_is(made, shot):
    shots.ours(shot).seed = 99
    shot.aa2.armature.location.x += 0.2
    bpy.context.view_layer.update()
    assert bpy.ops.aa2.generate_as_shown() == {"FINISHED"}
    again = folder_of(shot)
    assert again.name == "v002" and setting(again, "seed") == 0
    assert (again / "pose.json").read_bytes() != (made / "pose.json").read_bytes()


def test_generate_as_shown_without_a_request(made, shot):
    (made / "request.json").unlink()
    with pytest.raises(RuntimeError, match="doesn't say"):
        bpy.ops.aa2.generate_as_shown()


def test_fix_range_holds_all_other_frames(made, shot, queue):
    before = {path: path.read_bytes() for path in (made / "frames").iterdir()}
    assert bpy.ops.aa2.fix_range(first=2, last=3) == {"FINISHED"}
    fixed = folder_of(shot)
    job = json.loads((fixed / "job.json").read_text())
    assert fixed.name == "v002" and job["fix"] == {"first": 2, "last": 3} and job["settings"]["seed"] == 1
    assert {path: path.read_bytes() for path in (made / "frames").iterdir()} == before
    assert len(list((fixed / "frames").glob("0*.png"))) == small_shot.FRAMES


@pytest.mark.parametrize("first, last", [(0, 2), (3, 2), (2, 9)])
def test_fix_range_outside_of_the_shot(made, first, last):
    with pytest.raises(RuntimeError, match="Expected frames within 1 to 4"):
        bpy.ops.aa2.fix_range(first=first, last=last)


def test_fix_range_needs_the_frames_it_holds(made):
    (made / "frames" / "0004.png").unlink()
    with pytest.raises(RuntimeError, match="Frame 4"):
        bpy.ops.aa2.fix_range(first=1, last=2)


def test_relink_when_the_folder_moved(made, shot, tmp_path, extension):
    strip_room = import_module(extension.__name__ + ".place.strip")
    moved = tmp_path / "elsewhere"
    shutil.move(made, moved / "v001")
    assert strip_room.lost(shot) == [str(made)]
    with pytest.raises(RuntimeError, match="no finished frame"):
        bpy.ops.aa2.relink(directory=str(tmp_path))
    assert bpy.ops.aa2.relink(directory=str(moved)) == {"FINISHED"}
    assert strip_room.lost(shot) == []
    for strip in placed(shot).values():
        assert (Path(strip.directory) / strip.elements[0].filename).is_file() and folder_of(shot) == moved / "v001"


def test_without_any_version_the_buttons_say_so(shot):
    for name in ("place_again", "vary_seed", "generate_as_shown", "fix_range", "show_version"):
        assert not getattr(bpy.ops.aa2, name).poll()
    assert not bpy.ops.aa2.compare.poll()


def test_finished_frames_appear_while_the_rest_runs(made, shot, extension, tmp_path):
    """The strip was placed when frame 1 was finished; the later frames are shown without a new strip."""
    strip_room = import_module(extension.__name__ + ".place.strip")
    for number in (2, 3, 4):
        for kind in ("frames", "shadow"):
            (made / kind / f"000{number}.png").rename(tmp_path / f"{kind}{number}.png")
    strip_room.lay_frames(shot, made, "plate")
    assert [element.filename for element in placed(shot)["character Scene plate"].elements] == \
        ["0001.png", "blank.png", "blank.png", "blank.png"]
    shot.frame_set(2)
    before = picture(shot, tmp_path)
    for kind in ("frames", "shadow"):
        (tmp_path / f"{kind}2.png").rename(made / kind / "0002.png")
    names = set(placed(shot))
    assert strip_room.refresh(shot, made) == 2 and strip_room.refresh(shot, made) == 0
    assert set(placed(shot)) == names
    after = picture(shot, tmp_path)
    assert (before != after).any() and tuple(after[24, 32]) == (255, 0, 0)


def picture(scene, folder):
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(folder / "out.png")
    bpy.ops.render.render(write_still=True)
    return shots.read(folder / "out.png")


def test_after_undo_the_strip_shows_what_is_on_the_disk(made, shot, extension, session):
    for strip in placed(shot).values():
        strip.elements[2].filename = "blank.png"
    session._stepped_back(None)
    assert all(strip.elements[2].filename == "0003.png" for strip in placed(shot).values())
