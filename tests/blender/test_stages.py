"""The stages of a shot as a farm runs them, each in a process of its own: gather, engine, place; what they refuse, and
how they are stopped."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
import shots
import small_shot
from drawn import drawn

HERE = Path(__file__).resolve().parent


@pytest.fixture
def blend(extension, tmp_path):
    """A saved small shot, in a folder with an apostrophe, a space and an umlaut in its name."""
    bpy.ops.wm.read_homefile(use_empty=True)
    folder = tmp_path / "it's a shot ä"
    small_shot.make(folder)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    return folder / "shot.blend"


@pytest.fixture
def job(blend):
    return blend.parent / "jobs" / "shot" / "v001"


def started(*words, file="") -> subprocess.Popen:
    command = [sys.executable, str(HERE / "blender_command.py"), "-b", *filter(None, [str(file)]), "--command", "aa2"]
    return subprocess.Popen([*command, *map(str, words)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "PYTHONPATH": ""}, cwd=HERE)


def ran(*words, file=""):
    """(exit code, stdout, stderr) of a command in a process of its own."""
    running = started(*words, file=file)
    out, told = running.communicate(timeout=120)
    return running.returncode, out, told


@pytest.fixture
def command(part, capfd):
    """command("gather", ...) runs a command in this process: (exit code, its summary)."""
    def run(*words):
        stdout = os.dup(1)
        try:
            code = part("cli").command(list(map(str, words)))
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)
        return code, json.loads(capfd.readouterr().out.splitlines()[-1])
    return run


def contents(folder: Path) -> dict:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file()}


def test_a_shot_is_gathered_made_and_placed_in_processes_of_their_own(blend, job, part):
    before = blend.read_bytes()
    code, out, told = ran("gather", "--job", job, "--run-in", 3, "--progress", "openjd", file=blend)
    assert code == 0, told
    summary = json.loads(out.splitlines()[-1])
    assert (summary["state"], summary["job"], summary["frames"]) == ("done", str(job), small_shot.FRAMES)
    assert "openjd_status: Gathering the plate 4 of 4" in out and "openjd_progress: 100.0" in out
    assert json.loads((job / "job.json").read_text())["parts"] == {"windows": 8, "run_in": 3}
    assert (job / "estimate/reference.json").is_file(), "no part has to look for the person again"
    assert [path.name for path in job.iterdir() if path.name.startswith(".")] == []

    running = started("engine", "run", job, "--progress", "openjd")
    next(line for line in running.stdout if line.startswith("openjd_status"))
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 130, "the process that the farm started is the engine itself"
    code, out, told = ran("engine", "run", job, "--progress", "openjd")
    assert code == 0 and "openjd_status: 4 frames made, 0 reused" in out, told
    assert blend.read_bytes() == before, "nothing has been saved so far"

    code, out, told = ran("place", "--job", job, "--save", blend.parent / "placed.blend", file=blend)
    assert code == 0 and len(json.loads(out.splitlines()[-1])["strips"]) == 2, told
    assert blend.read_bytes() == before
    bpy.ops.wm.open_mainfile(filepath=str(blend.parent / "placed.blend"))
    scene = bpy.context.scene
    assert len(shots.placed(scene)) == 2 and part("versions.shown").folder_of_shot(scene) == job
    plate = part("settings.plates").plate_of(scene)
    assert part("settings.plates").kept_folder(plate) == job.parent, "the next version will lie beside"


def test_gathering_again_keeps_what_was_made_and_refuses_another_shot(shot, engine, command, tmp_path):
    engine("paints")
    job = tmp_path / "jobs" / "v001"
    assert command("gather", "--job", job)[0] == 0
    (job / "frames").mkdir()
    (job / "frames/0001.png").write_bytes(b"painted by the artist")
    before = contents(job)
    code, summary = command("gather", "--job", job)
    assert code == 0 and contents(job).keys() >= before.keys()
    assert {name: data for name, data in contents(job).items() if name in before and "engine.log" not in name} == {
        name: data for name, data in before.items() if "engine.log" not in name}
    code, summary = command("gather", "--job", job, "--seed", 9)
    assert code == 3 and "other inputs" in summary["error"]["message"]
    assert json.loads((job / "job.json").read_text())["settings"]["seed"] == 0


def test_a_job_with_nothing_generated_is_gathered_anew(shot, engine, command, tmp_path):
    engine("paints")
    job = tmp_path / "v001"
    assert command("gather", "--job", job)[0] == 0
    (job / "notes.txt").write_text("the artist's")
    assert command("gather", "--job", job, "--seed", 9, "--part-windows", 5)[0] == 0
    value = json.loads((job / "job.json").read_text())
    assert value["settings"]["seed"] == 9 and value["parts"]["windows"] == 5
    assert (job / "notes.txt").read_text() == "the artist's" and (job / "source/0004.png").is_file()


def test_a_folder_of_the_artists_is_not_touched(shot, engine, command, tmp_path):
    engine("paints")
    (tmp_path / "mine/source").mkdir(parents=True)
    (tmp_path / "mine/source/0001.png").write_bytes(b"a plate of mine")
    code, summary = command("gather", "--job", tmp_path / "mine")
    assert code == 3 and "'source'" in summary["error"]["message"]
    assert contents(tmp_path / "mine") == {"source/0001.png": b"a plate of mine"}


@pytest.mark.parametrize("options, said", [
    (["--strip", "gone"], "gone"), (["--reference", "/nowhere/é.png"], "/nowhere"),
    (["--scene", "none such"], "none such")])
def test_what_is_missing_is_told_to_a_farm_and_no_folder_is_made(shot, engine, part, capfd, tmp_path, options, said):
    engine("paints")
    stdout = os.dup(1)
    code = part("cli").command(["gather", "--progress", "openjd", "--job", str(tmp_path / "v001"), *options])
    os.dup2(stdout, 1)
    lines = capfd.readouterr().out.splitlines()
    assert code == 3 and any(line.startswith("openjd_fail: ") and said in line for line in lines)
    assert not (tmp_path / "v001").exists()


def test_a_gathering_that_was_stopped_leaves_nothing_and_goes_on(shot, engine, part, session, tmp_path):
    """It is stopped after different numbers of slices, also while its files are moved."""
    engine("paints")

    def begun():
        version = part("tasks.gathering").GatheredInto(part("settings.request_of").request_of(shot), tmp_path / "v001")
        return part("tasks.preparation").Preparation(version, link=session.link,
                                                     launch=part("settings.preferences").engine_launch())
    states = set()
    for slices in range(0, 24):
        task = begun()
        for _slice in range(slices):
            task.advance()
        task.cancel()
        task.run()
        states.add(str(task.state))
        assert task.state in ("cancelled", "done"), task.error
        there = tmp_path / "v001"
        assert not there.exists() or not [path for path in there.iterdir() if path.name.startswith(".")]
    task = begun().run()
    assert "cancelled" in states and task.state == "done"
    assert (tmp_path / "v001/source/0004.png").is_file() and {scene.name for scene in bpy.data.scenes} == {shot.name}


def test_the_engine_runs_in_its_own_process_with_the_preferences(blank, part, monkeypatch, preferred_python):
    """Only what runs the networks goes to the Python that the artist chose."""
    started_with = []
    module = part("cli.engine_command")
    monkeypatch.setattr(module.os, "execve", lambda *words: started_with.append(words))
    monkeypatch.setattr(module, "_leave", lambda: None)
    monkeypatch.setattr(module, "_run_below", lambda *words: 7)
    preferred_python("paints")
    bpy.context.preferences.addons[part("settings.preferences").ADD_ON].preferences.threads = 3
    try:
        for words in (["run", "a job ä", "--part", "2-3"], ["deliver", "a job", "--form", "exr"]):
            assert part("cli").command(["engine", *words]) == 7
    finally:
        bpy.context.preferences.addons[part("settings.preferences").ADD_ON].preferences.threads = 0
    (own, made, surroundings), (_own, delivered, _surroundings) = started_with
    assert own == made[0] and own.endswith("python for paints")
    assert surroundings["PYTHONPATH"] == str(part("link.interpreter").EMBEDDED)
    assert made[-6:] == ("run", "--threads", "3", "a job ä", "--part", "2-3")
    assert delivered[0] == sys.executable and delivered[-4:] == ("deliver", "a job", "--form", "exr")


def test_an_engine_that_cannot_be_started_is_told_apart_from_a_wrong_command(blank, part, capsys, tmp_path,
                                                                             preferred_python):
    preferred_python("paints")
    preferences = bpy.context.preferences.addons[part("settings.preferences").ADD_ON].preferences
    assert part("cli").command(["engine"]) == 2 and "name a command" in capsys.readouterr().err
    preferences.python = str(tmp_path / "gone")
    try:
        assert part("cli").command(["engine", "run", "a job"]) == 4 and "gone" in capsys.readouterr().err
    finally:
        preferences.python = ""


def test_placing_needs_the_job_its_frames_and_its_plate(made, shot, command, part, tmp_path):
    assert command("place", "--job", tmp_path / "nothing", "--save", "")[0] == 3
    code, summary = command("place", "--job", made, "--save", tmp_path / "other.blend")
    assert code == 0 and len(summary["strips"]) == 2 and Path(summary["saved"]) == tmp_path / "other.blend"
    picture = (made / "frames/0002.png").read_bytes()
    (made / "frames/0002.png").unlink()
    code, summary = command("place", "--job", made, "--save", "")
    assert code == 4 and summary["error"]["code"] == "frames_missing" and "is 2" in summary["error"]["message"]
    (made / "frames/0002.png").write_bytes(picture)
    blender_api = part("blender_api")
    blender_api.strips(shot.sequence_editor).remove(part("settings.plates").plate_of(shot))
    code, summary = command("place", "--job", made, "--save", "")
    assert code == 3 and "plate" in summary["error"]["message"]


def test_a_job_of_a_plate_without_a_mark_is_placed_by_its_names(shot, engine, command, tmp_path):
    engine("paints")
    assert command("gather", "--job", tmp_path / "v001")[0] == 0
    assert json.loads((tmp_path / "v001/request.json").read_text())["plate"] == ""
    assert not shots.strips(shot.sequence_editor)[0].aa2.uid, "gathering changes no plate"


def test_a_farms_job_is_shown_and_left_alone_until_it_is_home(made, shot, queue, part, session):
    """The row follows the files of the farm's machines; nothing of ours runs for it, and no lock is taken."""
    farm, panel = part("versions.farm"), part("panels.queue")
    frames = {path: path.read_bytes() for kind in ("frames", "shadow") for path in (made / kind).glob("0*.png")}
    for path in frames:
        path.unlink()
    farm.write_mark(made, "openjd", 2)
    row = queue.hand_over(made, scene=shot.name, strip="plate", plate=shots.ours(shot).uid)
    assert row.state == "farm" and row in queue.rows and not queue.busy() and not queue.advance()
    queue.resume(row)
    assert row.state == "farm" and made in queue.reserved()
    assert panel.of_farm(row.farm, 0.0) == "On a farm: nothing is there yet"

    (made / "parts/0001").mkdir(parents=True)
    (made / "parts/0001/part.json").write_text("{}")
    (made / "parts/0001/events.jsonl").write_text("")
    queue.look_at_farms()
    queue.farms.wait()
    assert queue.look_at_farms() and row.state == "farm" and row.last_frame is None
    assert panel.of_farm(row.farm, row.farm.heard + 120) == "On a farm: 1 of 2 parts, 2 min 00 s ago"

    layout = drawn(panel.Queue, shot)
    name, state, said = layout.all_of("label")[:3]
    assert (name, state) == ("plate v001", "Farm") and said.startswith("On a farm: 1 of 2 parts")
    assert layout.all_of("operator") == ["aa2.queue_remove", "aa2.clear_finished"]
    queue.rows.clear()
    session.restore()
    row, = queue.rows
    assert row.state == "farm", "opening the file again shows it again"
    for path, data in frames.items():
        path.write_bytes(data)
    queue.farms.wait()
    queue.look_at_farms()
    queue.farms.wait()
    assert not queue.look_at_farms() and row.state == "done" and row.frames == small_shot.FRAMES
    assert bpy.ops.aa2.queue_place(row=0) == {"FINISHED"} and len(shots.placed(shot)) == 2
    assert bpy.ops.aa2.place_again() == {"FINISHED"}


def test_a_shot_that_is_gathered_for_a_farm_keeps_its_mark(shot, engine, command, part, tmp_path):
    engine("paints")
    part("versions.farm").write_mark(tmp_path / "v001", "flamenco", 1)
    assert command("gather", "--job", tmp_path / "v001")[0] == 0
    assert part("versions.farm").mark_of(tmp_path / "v001").target == "flamenco"
    assert part("versions.farm").is_at_work(tmp_path / "v001")
