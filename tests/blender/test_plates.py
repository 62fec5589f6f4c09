"""Settings, versions and results belong to the plate: whatever its strip is called, wherever it lies, in whichever file
and scene."""
import os
from importlib import import_module
from pathlib import Path

import bpy
import pytest
import shots
import small_shot
from drawn import drawn
from shots import placed

LATER = 20
MODULE = "bl_ext.user_default.aa2_blender"


def room(name):
    return import_module(f"{MODULE}.{name}")


def strip_named(scene, name):
    return {strip.name: strip for strip in room("blender_api").all_strips(scene.sequence_editor)}[name]


def starts(strip):
    return room("blender_api").strip_range(strip)[0]


def move(strip, by):
    strip.frame_start += by


def duplicate(scene, *names):
    """What Shift D does to these strips; the copies are then selected."""
    for strip in shots.strips(scene.sequence_editor):
        strip.select = strip.name in names
    before = {strip.name for strip in shots.strips(scene.sequence_editor)}
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    sees = {"sequencer_scene": scene} if hasattr(bpy.context, "sequencer_scene") else {}
    with bpy.context.temp_override(window=window, area=area, region=area.regions[-1], scene=scene, **sees):
        bpy.ops.sequencer.duplicate()
    return [strip for strip in shots.strips(scene.sequence_editor) if strip.name not in before]


@pytest.fixture
def followed(made, shot):
    """A generated shot whose plate is the active strip's."""
    shot.aa2.strip = ""
    shot.sequence_editor.active_strip = strip_named(shot, "plate")
    return made


def shown(scene):
    return {Path(room("place.strip").folder_of(strip)).name for strip in placed(scene).values()}


def test_a_renamed_plate_keeps_its_versions_and_settings(followed, shot):
    strip_named(shot, "plate").name = "sh010"
    shots.ours(shot).seed = 7
    assert bpy.ops.aa2.generate() == {"FINISHED"}
    assert sorted(path.name for path in followed.parent.iterdir()) == ["v001", "v002"] and len(placed(shot)) == 2
    assert room("versions.shown").folder_of_shot(shot) == followed.parent / "v002"


def test_a_chosen_plate_is_known_after_it_was_renamed(made, shot):
    strip_named(shot, "plate").name = "sh010"
    assert shot.aa2.strip == "plate" and room("settings.plates").plate_of(shot).name == "sh010"
    assert bpy.ops.aa2.place_again() == {"FINISHED"}


def test_another_plate_of_a_name_that_is_free_again_gets_its_own_folder(followed, shot, tmp_path):
    strip_named(shot, "plate").name = "sh010"
    names = shots.write_sequence(tmp_path / "other", small_shot.FRAMES, small_shot.SIZE, "plate_{:04d}.png")
    other = shots.image_strip(shot, tmp_path / "other", names, channel=8)
    other.name = "plate"
    shot.sequence_editor.active_strip = other
    bpy.ops.aa2.generate()
    folder = room("versions.shown").folder_of_shot(shot)
    assert folder.name == "v001" and folder.parent.name == f"{followed.parent.name} 2"
    assert len(placed(shot)) == 4


@pytest.mark.parametrize("press", [lambda: bpy.ops.aa2.place_again(), lambda: bpy.ops.aa2.vary_seed(),
                                   lambda: bpy.ops.aa2.generate_as_shown()])
def test_a_moved_plate_takes_its_character_with_it(followed, shot, press):
    plate = strip_named(shot, "plate")
    for strip in placed(shot).values():
        room("blender_api").strips(shot.sequence_editor).remove(strip)
    move(plate, LATER)
    if "generate_as_shown" in press.__code__.co_names:
        shots.ours(shot).derive_offset, shots.ours(shot).frame_offset = False, -LATER
    shot.sequence_editor.active_strip = plate
    assert press() == {"FINISHED"}
    assert {starts(strip) for strip in placed(shot).values()} == {1 + LATER}


def test_fix_range_counts_on_the_timeline_of_now(followed, shot):
    move(strip_named(shot, "plate"), LATER)
    with pytest.raises(RuntimeError, match=f"{1 + LATER} to {small_shot.FRAMES + LATER}"):
        bpy.ops.aa2.fix_range(first=2, last=3)
    assert bpy.ops.aa2.fix_range(first=2 + LATER, last=3 + LATER) == {"FINISHED"}
    assert {starts(strip) for strip in placed(shot).values()} == {1 + LATER} and shown(shot) == {"v002"}


def test_passes_conditions_and_plates_follow_a_moved_plate(followed, shot, engine):
    move(strip_named(shot, "plate"), LATER)
    plate = strip_named(shot, "plate")
    engine("paints", "--draws")
    assert bpy.ops.aa2.add_passes() == {"FINISHED"}
    found = [strip for strip in placed(shot).values() if strip["aa2_kind"].startswith("output/")]
    assert found and {starts(strip) for strip in found} == {1 + LATER}
    assert {room("place.marks").of_laid(strip) for strip in found} == {plate}


def test_a_trimmed_plate_trims_its_character(followed, shot):
    api, plate = room("blender_api"), strip_named(shot, "plate")
    api.trim(plate, 2, 4)
    bpy.ops.aa2.place_again()
    assert {api.strip_range(strip) for strip in placed(shot).values()} == {(2, 4)}
    assert {strip.elements[0].filename for strip in placed(shot).values()} == {"0001.png"}
    move(plate, 0)
    api.trim(plate, 1, 1 + small_shot.FRAMES)
    bpy.ops.aa2.place_again()
    assert {api.strip_range(strip) for strip in placed(shot).values()} == {(1, 1 + small_shot.FRAMES)}


def test_saving_in_another_folder_keeps_the_result(followed, shot, tmp_path):
    shots.ours(shot).output = shot.aa2.output = "//aa2_jobs/"
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.aa2.generate()
    first = room("versions.shown").folder_of_shot(shot)
    assert first.parent.parent == tmp_path / "aa2_jobs"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere" / "deep" / "shot.blend"))
    for _again in range(2):
        scene = bpy.context.scene
        assert room("place.strip").lost(scene) == [] and room("versions.shown").folder_of_shot(scene) == first
        bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    shots.ours(scene).seed = 9
    bpy.ops.aa2.generate()
    assert len(placed(scene)) == 2 and room("versions.shown").folder_of_shot(scene) == first.parent / "v002"


def test_a_project_that_is_moved_as_a_whole_keeps_the_result(followed, shot, tmp_path):
    shots.ours(shot).output = shot.aa2.output = "//aa2_jobs/"
    (tmp_path / "a").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a" / "shot.blend"))
    bpy.ops.aa2.generate()
    bpy.ops.wm.save_mainfile()
    (tmp_path / "a").rename(tmp_path / "b")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "b" / "shot.blend"))
    assert room("versions.shown").folder_of_shot(bpy.context.scene).parent.parent == tmp_path / "b" / "aa2_jobs"


def test_the_settings_of_two_plates_are_two(followed, shot, tmp_path):
    names = shots.write_sequence(tmp_path / "other", small_shot.FRAMES, small_shot.SIZE, "other_{:04d}.png")
    other = shots.image_strip(shot, tmp_path / "other", names, channel=8)
    shot.sequence_editor.active_strip = other
    assert shots.ours(shot) == shot.aa2, "the next plate begins with the scene's"
    shots.ours(shot).seed = 5
    bpy.ops.aa2.generate()
    shots.ours(shot).seed = 6
    shot.sequence_editor.active_strip = strip_named(shot, "plate")
    assert shots.ours(shot).seed == 0
    shot.sequence_editor.active_strip = other
    assert shots.ours(shot).seed == 6 and len(placed(shot)) == 4
    shot.sequence_editor.active_strip = next(iter(placed(shot).values()))
    assert shots.ours(shot).seed in (0, 6) and room("settings.plates").plate_name(shot) in ("plate", other.name)


def test_a_copied_plate_becomes_a_shot_of_its_own(followed, shot):
    was = sorted(placed(shot))
    copies = duplicate(shot, "plate", *was)
    copied = next(strip for strip in copies if strip.name.startswith("plate"))
    for strip in copies:
        strip.frame_start += LATER
    of_laid = room("place.marks").of_laid
    assert {of_laid(strip) for strip in copies if strip != copied} == {copied}
    shot.sequence_editor.active_strip = copied
    shots.ours(shot).seed = 3
    shots.ours(shot).derive_offset, shots.ours(shot).frame_offset = False, -LATER
    bpy.ops.aa2.generate()
    folder = room("versions.shown").folder_of_shot(shot)
    assert folder.parent != followed.parent and folder.name == "v001"
    assert len(placed(shot)) == 4 and {starts(placed(shot)[name]) for name in was} == {1}
    shot.sequence_editor.active_strip = strip_named(shot, "plate")
    assert shots.ours(shot).seed == 0 and room("versions.shown").folder_of_shot(shot) == followed


def test_a_plate_in_a_copied_scene_is_a_shot_of_its_own(followed, shot):
    other = shot.copy()
    plate = strip_named(other, "plate")
    assert room("place.marks").is_copy(plate) and room("place.marks").find(
        plate.aa2.uid, shot.name, "plate") == (shot, strip_named(shot, "plate"))
    assert {room("place.marks").of_laid(strip) for strip in placed(other).values()} == {plate}


def test_an_appended_scene_brings_its_result(followed, shot, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    name = shot.name
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    with bpy.data.libraries.load(str(tmp_path / "shot.blend")) as (_there, here):
        here.scenes = [name]
    scene = here.scenes[0]
    assert room("versions.shown").folder_of_shot(scene) == followed
    assert room("place.strip").lost(scene) == [] and shots.ours(scene).armature is not None


def test_where_the_plate_is_gone_nothing_is_laid(followed, shot):
    result = next(iter(placed(shot).values()))
    shots.strips(shot.sequence_editor).remove(strip_named(shot, "plate"))
    shot.sequence_editor.active_strip = result
    with pytest.raises(RuntimeError, match="not in this scene any more"):
        bpy.ops.aa2.place_again()
    assert len(placed(shot)) == 2


def test_the_plate_is_deleted_while_its_character_is_made(followed, shot, session, extension):
    shots.ours(shot).seed = 4
    before = sorted(placed(shot))
    asking = room("settings.request_of")
    version = room("tasks.gathering").Gathered(asking.request_of(shot), asking.job_folder(shot))
    task = room("tasks.generation").Generation(version, link=session.link,
                                               launch=room("settings.preferences").engine_launch())
    while not task.engine_job:
        task.advance()
    shots.strips(shot.sequence_editor).remove(strip_named(shot, "plate"))
    task.run()
    assert task.state == "done" and task.placed == () and "gone" in task.warnings[-1]
    assert sorted(placed(shot)) == before


def test_the_older_version_stays_until_the_new_one_is_whole(followed, shot, session, engine):
    engine("dies_midway")
    shots.ours(shot).seed = 4
    with pytest.raises(RuntimeError):
        bpy.ops.aa2.generate()
    row = session.queue.rows[-1]
    assert row.folder.name == "v002" and row.task.engine_job.frames and shown(shot) == {"v001"}
    engine("paints")
    bpy.ops.aa2.queue_resume(row=session.queue.rows.index(row))
    assert row.state == "done" and shown(shot) == {"v002"}


def test_plate_and_character_move_together(followed, shot):
    if "connect" not in dir(bpy.ops.sequencer):
        pytest.skip("Blender connects strips from 4.4 on")
    plate = strip_named(shot, "plate")
    connected = getattr(plate, "connections", None)
    if connected is not None:
        assert {strip.name for strip in connected} >= set(placed(shot))


def test_what_lies_over_a_plate_that_no_longer_shows_it(followed, shot):
    api, plate = room("blender_api"), strip_named(shot, "plate")
    shots.ours(shot).use_range, shots.ours(shot).range_first, shots.ours(shot).range_last = True, 1, 2
    bpy.ops.aa2.generate()
    api.trim(plate, 3, 5)
    with pytest.raises(RuntimeError, match="does not show the frames of v002"):
        bpy.ops.aa2.place_again()


def test_another_reference_is_said_before_it_is_generated(followed, shot, tmp_path):
    differs, version = room("versions.shown").differs_in_reference, followed
    assert not differs(shot, version)
    shots.ours(shot).reference_path = str(tmp_path / "another.png")
    assert differs(shot, version)
    shots.ours(shot).reference_path = shot.aa2.reference_path
    os.utime(shot.aa2.reference_path, (2**31, 2**31))
    assert differs(shot, version), "the same file with another picture"
    result = room("panels.result")
    said = " ".join(drawn(result.Result, shot).all_of("label"))
    assert "differs from that of v001" in said and result.as_shown(list(placed(shot).values())) == "Generate as v001"
