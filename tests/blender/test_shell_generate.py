"""Generate, Cancel, Place Again and the rest, started as operators, with engines that are complete except for the
networks."""
import json
import os
from importlib import import_module
from types import SimpleNamespace

import bpy
import pytest
import shots
import small_shot


def strips(scene):
    editor = scene.sequence_editor
    return {strip.name: strip for strip in (editor.strips if hasattr(editor, "strips") else editor.sequences)}


def generate():
    """Presses Generate; the message of its error report, or ""."""
    try:
        bpy.ops.aa2.generate()
    except RuntimeError as error:
        return str(error)
    return ""


def test_generate_places_the_frames_twice_in_a_row(shot, engine, session):
    engine("paints")
    for _press in range(2):
        assert generate() == ""
        task = session.current()
        assert task.state == "done" and len(task.placed) == 2
        assert sorted(strips(shot)) == sorted(["plate", *task.placed])
    job = json.loads((task.folder / "job.json").read_text())
    assert job["frames"] == small_shot.FRAMES and tuple(job["size"]) == small_shot.SIZE
    assert task.folder.name == "v001" and task.folder.parents[2].name == "a shot é"
    assert task.summary()["frames"] == small_shot.FRAMES and task.summary()["longest_pump_ms"] >= 0


def test_no_timer_is_left_in_background_mode(shot, engine, session):
    engine("paints")
    generate()
    assert not bpy.app.timers.is_registered(session._tick)


def test_the_engine_dies_and_generate_works_again(shot, engine, session):
    engine("paints", "--one")
    assert "The engine was ended by signal 6" in generate()
    failed = session.current()
    assert failed.state == "failed" and failed.error.code == "engine_died"
    assert len(failed.placed) == 2, "the finished frame is placed"
    engine("paints")
    assert generate() == "" and session.current().state == "done"


def test_no_engine_at_all(shot, engine, session, extension, preferred_python, tmp_path):
    engine("dies_at_start")
    assert "libsomething.so.1" in generate()
    engine("paints")
    preferred_python("dies_at_start")
    assert "libsomething.so.1" in generate()
    bpy.context.preferences.addons[extension.__name__].preferences.python = str(tmp_path / "gone")
    assert "gone" in generate()


def test_missing_things_are_named_before_anything_runs(shot, engine, session):
    session.forget()
    shot.aa2.reference_path = "/nowhere/reference.png"
    shot.aa2.armature = None
    message = generate()
    assert "/nowhere/reference.png" in message and "armature" in message
    assert session.current() is None


def test_the_strip_is_gone(shot, engine):
    shot.aa2.strip = "renamed"
    assert "renamed" in generate()


def test_job_folder_not_writable(shot, engine, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("not a folder")
    shots.ours(shot).output = str(blocked)
    engine("paints")
    assert "a file" in generate()
    shots.ours(shot).output = str(tmp_path / "jobs")
    assert generate() == ""


def test_cancel_at_every_stage(shot, extension, engine, session):
    """Advances a task slice by slice as the timer does, cancels it after different numbers of slices, and ends it."""
    engine("paints")
    asking, preferences = (import_module(f"{extension.__name__}.settings.{name}")
                           for name in ("request_of", "preferences"))
    gathering, generation = (import_module(f"{extension.__name__}.tasks.{name}")
                             for name in ("gathering", "generation"))
    states = set()
    for slices in range(0, 60, 3):
        version = gathering.Gathered(asking.request_of(shot), asking.job_folder(shot))
        task = generation.Generation(version, link=session.link, launch=preferences.engine_launch())
        for _slice in range(slices):
            task.advance()
        task.cancel()
        task.run()
        states.add(task.state)
        assert task.state in ("cancelled", "done"), task.error
        assert not task.advance()
    assert "cancelled" in states
    assert {scene.name for scene in bpy.data.scenes} == {shot.name}, "gathering left a scene behind"
    assert generate() == ""


def test_progress_is_told_in_the_artists_words(shot, extension, engine, session):
    told = []
    engine("paints")
    asking, preferences = (import_module(f"{extension.__name__}.settings.{name}")
                           for name in ("request_of", "preferences"))
    gathering, generation, task = (import_module(f"{extension.__name__}.tasks.{name}")
                                   for name in ("gathering", "generation", "task"))
    version = gathering.Gathered(asking.request_of(shot), asking.job_folder(shot))
    ended = generation.Generation(version, link=session.link, launch=preferences.engine_launch()).run(
        lambda progress: told.append(str(progress)))
    count = small_shot.FRAMES
    assert f"Gathering the plate {count} of {count} frames" in told and "Starting the engine" in told
    assert ended.undo_name == "Generate" and ended.achieved().startswith(f"{count} frames in ")
    assert ended._counted(SimpleNamespace(stage="denoise")) == (count, count)
    assert ended._counted(SimpleNamespace(stage="prepare")) is None
    assert str(task.Progress("denoise", 4, 8, 190.0, (12, 54))) == "Generating 12 of 54 frames, 3 min 10 s left"
    assert str(task.Progress("deliver", 4, 8)) == "Writing output" and str(task.Progress("strange")) == "Working"
    assert [task.duration(seconds) for seconds in (0.4, 89, 90)] == ["0 s", "89 s", "1 min 30 s"]


def test_the_panel_tells_which_frames_meet(shot, asked, extension):
    driver = import_module(extension.__name__ + ".panels.driver")
    assert driver.frames_text(asked(shot)) == ""
    shot.aa2.derive_offset, shot.aa2.frame_offset = False, 100
    last = small_shot.FRAMES
    assert driver.frames_text(asked(shot)) == f"1-{last} is 101-{100 + last} of {shot.name}"
    shot.aa2.armature = None
    assert driver.frames_text(asked(shot)) == ""


def test_place_again_after_the_strips_were_deleted(shot, engine, session):
    engine("paints")
    generate()
    editor = shot.sequence_editor
    for name in session.current().placed:
        (editor.strips if hasattr(editor, "strips") else editor.sequences).remove(strips(shot)[name])
    assert bpy.ops.aa2.place_again() == {"FINISHED"}
    assert len(strips(shot)) == 3


def test_place_again_without_a_job(shot):
    assert not bpy.ops.aa2.place_again.poll()
    with pytest.raises(RuntimeError, match="Nothing is generated yet"):
        bpy.ops.aa2.place_again()


def test_find_reference_joints_fills_the_settings_and_the_job(shot, engine, session):
    engine("paints")
    assert bpy.ops.aa2.find_reference_joints() == {"FINISHED"}
    assert [joint.name for joint in shot.aa2.reference_joints][:2] == ["nose", "neck"]
    assert tuple(shot.aa2.reference_joints[3].place) == (30.0, 5.0)
    shot.aa2.reference_joints[0].place = (7, 8)
    assert generate() == ""
    job = json.loads((session.current().folder / "job.json").read_text())
    assert job["reference"]["joints"][0] == [7.0, 8.0, 1.0] and job["reference"]["height_px"] == 40.0


def test_use_active_strip(shot):
    shot.aa2.strip = ""
    shot.sequence_editor.active_strip = strips(shot)["plate"]
    assert bpy.ops.aa2.use_active_strip() == {"FINISHED"} and shot.aa2.strip == "plate"


def test_bone_map_is_saved_and_loaded(shot, tmp_path):
    file = tmp_path / "-a map é.json"
    assert bpy.ops.aa2.save_bone_map(filepath=str(file)) == {"FINISHED"}
    assert json.loads(file.read_text())["joints"]["left_wrist"]["bone"].endswith("LeftHand")
    assert bpy.ops.aa2.load_bone_map(filepath=str(file)) == {"FINISHED"}
    assert {one.name: one.bone for one in shot.aa2.bones}["left_wrist"] == "mixamorig:LeftHand"
    file.write_text("{}")
    with pytest.raises(RuntimeError, match="bone map"):
        bpy.ops.aa2.load_bone_map(filepath=str(file))


def test_a_strange_rig_gets_a_map_to_fill_in(shot, tmp_path):
    shot.aa2.armature = shots.armature(shot, {"only": ("", (0, 0, 0), (0, 0, 1))}, "pole")
    file = tmp_path / "map.json"
    bpy.ops.aa2.save_bone_map(filepath=str(file))
    value = json.loads(file.read_text())
    assert value["joints"]["left_wrist"]["bone"] == ""


def test_file_names_of_jobs_are_safe(shot, extension):
    asking = import_module(extension.__name__ + ".settings.request_of")
    shot.name = '-a/b:"c" é'
    assert asking.job_folder(shot).name == "-a_b__c_ é plate"
    assert asking.job_folder(shot).parent == asking.jobs_root(shot), "a separator would have made a folder more"


def test_an_unsaved_file_is_saved_first(shot, engine, extension, tmp_path):
    engine("paints")
    shot.aa2.output = "//aa2_jobs/"
    asking = import_module(extension.__name__ + ".settings.request_of")
    assert os.environ["BLENDER_USER_RESOURCES"] not in str(asking.job_folder(shot)), "removed with the extension"
    found = asking.problems_of(shot, asking.request_of(shot))
    assert [problem.action for problem in found] == ["save_file"] and "not saved" in generate()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert generate() == "" and len(list((tmp_path / "aa2_jobs").glob("*/v001/frames/0*.png"))) == small_shot.FRAMES


def test_opening_another_file_stops_the_engine(shot, engine, session):
    engine("paints")
    generate()
    child = session.link._process._child
    bpy.ops.wm.read_homefile(use_empty=True)
    assert child.poll() is not None and session.current() is None
