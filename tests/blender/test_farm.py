"""Jobs for render farms: how many parts and tasks, what is written, what is refused, and what the panel says."""
import dataclasses
import json
from pathlib import Path

import bpy
import pytest
import shots
import small_shot
from drawn import drawn


@pytest.fixture
def saved(shot, tmp_path):
    """The small shot in a saved file, with another folder for farm jobs in the project."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    shot.aa2.output = "//aa2_jobs/"
    yield shot
    bpy.ops.wm.read_homefile(use_empty=True)


@pytest.fixture
def farm_shot(part, saved, asked):
    """The small shot as a farm makes it, with these fields changed."""
    found = part("farm.shots")
    return lambda **fields: dataclasses.replace(found.farm_shot(asked(saved), found.wish_of(saved)), **fields)


@pytest.fixture
def work(part):
    """The work of so many frames with windows of 8 that overlap by 2."""
    return lambda frames: part("cost").Work(frames, 1.0, 1, min(8, frames), min(2, frames - 1))


def read(folder, name):
    return json.loads((Path(folder) / name).read_text("ascii"))


@pytest.mark.parametrize("frames", [1, 2, 8, 9, 100, 101, 102, 149, 150, 500, 1001])
def test_parts_are_counted_as_the_engine_splits(part, work, frames):
    plan = part("embedded.engine.contract.jobs").Parts(8, 4)
    windows = part("embedded.engine.engines.windows").plan(
        range(1, frames + 1), work(frames).window, work(frames).overlap)
    there = part("embedded.engine.job.parts").parts_of((tuple(windows),), plan)
    assert part("farm.division").parts_in(work(frames), plan) == len(there)
    assert work(frames).windows == len(windows)


def test_frames_a_part_become_windows(part, work):
    plan_of = part("farm.division").plan_of
    assert [plan_of(frames, 4, work(500)).windows for frames in (1, 36, 48, 50, 96)] == [1, 6, 8, 8, 16]


def test_tasks_take_parts_in_turn_and_the_last_all_that_are_left(part):
    tasks = part("farm.division").part_tasks
    assert tasks(1, 1) == tasks(1, 3) == ()
    assert tasks(3, 1) == ("1-1", "2-2", "3-") and tasks(5, 2) == ("1-2", "3-4", "5-") and tasks(3, 5) == ("1-",)
    assert len(tasks(5000, 1)) <= 1024 and tasks(5000, 1)[0] == "1-5"
    assert part("farm.division").light_tasks(30) == ("1-24", "25-30")


def test_more_parts_cost_more_core_hours(part, work):
    hours, rate = part("farm.core_hours").core_hours, part("cost").reckoned(4)
    plan = part("embedded.engine.contract.jobs").Parts(8, 4)
    one, ten = (hours(work(500), rate, 4, plan=plan, parts=parts) for parts in (1, 10))
    assert part("cost").cost_of(work(500), rate).seconds * 4 / 3600 == pytest.approx(one) and one < ten < 2 * one


def test_other_networks_are_given_no_hours_before_their_first_run(saved, farm_shot, part, own_rates, monkeypatch,
                                                                  tmp_path):
    """As in the panel Look: what is reckoned is the embedded networks' time."""
    launch, in_all = part("settings.preferences").engine_launch("compact"), part("farm.core_hours").in_all
    ours = farm_shot().core_hours
    (tmp_path / "pack.json").write_text(json.dumps({"default_steps": 20, "window": 81, "overlap": 5}))
    monkeypatch.setattr(part("farm.shots"), "pack_folder", lambda launch: tmp_path)
    assert farm_shot().core_hours is None
    assert in_all([ours, ours]) == 2 * ours > 0 and in_all([ours, None]) is None
    said = drawn(part("panels.farm").Farm, saved).all_of("label")
    assert "How long is known after the first run here" in said and "core hours" not in " ".join(said)
    own_rates._keep(launch, own_rates.Rate(denoise_s=1.0, runs=1))
    assert farm_shot().core_hours > ours


def test_the_light_is_a_step_between(part, farm_shot):
    openjd, wish = part("farm.openjd"), part("farm.job").Wish(gpu=True)
    made = openjd.template("{{x}}\n", [farm_shot(light=("1-24", "25-30"), parts=("1-1", "2-"))], wish, has_pack=False)
    steps = {step["name"]: step for step in made["steps"]}
    assert list(steps) == ["Gather", "Light", "Generate", "Assemble", "Place"] and "{{" not in made["name"]
    assert steps["Generate"]["dependencies"] == [{"dependsOn": "Light"}]
    (frames,) = steps["Light"]["parameterSpace"]["taskParameterDefinitions"]
    assert (frames["name"], frames["type"], frames["range"]) == ("Frames", "STRING", ["1-24", "25-30"])
    amounts = {one["name"]: one["min"] for one in steps["Assemble"]["hostRequirements"]["amounts"]}
    assert amounts["amount.worker.gpu"] == 1 and amounts["amount.worker.memory"] % 512 == 0


def test_too_many_shots_for_one_template_are_refused(part, farm_shot, tmp_path):
    job, bundle = part("farm.job"), part("farm.bundle")
    several = job.Job("many", (farm_shot(),) * 16, job.Wish(), "shot.blend", "placed.blend", "")
    with pytest.raises(Exception, match="at most 15 shots, and these are 16"):
        bundle._openjd(several, part("farm.paths").Needed((), ()))


def test_a_file_that_is_not_saved_has_a_remedy(shot, part):
    layout = drawn(part("panels.farm").Farm, shot)
    assert "wm.save_mainfile" in layout.all_of("operator") and "it is not saved" in " ".join(layout.all_of("label"))
    with pytest.raises(RuntimeError, match="it is not saved"):
        bpy.ops.aa2.write_farm_job()


def test_what_the_shot_lacks_is_said_as_elsewhere(saved, part):
    saved.aa2.armature = None
    layout = drawn(part("panels.farm").Farm, saved)
    assert "aa2.use_armature" in layout.all_of("operator") and "core hours" not in " ".join(layout.all_of("label"))


@pytest.mark.parametrize("target, names", [
    ("OPENJD", {"template.json", "parameter_values.json", "parameters.json", "asset_references.json"}),
    ("FLAMENCO", {"flamenco_job.json", "aa2_character.js"})])
def test_a_job_is_written_and_handed_over(saved, part, session, tmp_path, target, names):
    saved.aa2.farm_target = target
    assert not bpy.ops.aa2.copy_farm_command.poll()
    bpy.ops.aa2.write_farm_job()
    (folder,) = (tmp_path / "farm").iterdir()
    assert {path.name for path in folder.iterdir()} == names
    plate = shots.strips(saved.sequence_editor)["plate"]
    (row,) = session.queue.rows
    assert (row.state, row.plate, row.folder.name) == ("farm", plate.aa2.uid, "v001") and plate.aa2.uid
    assert part("versions.farm").mark_of(row.folder).target == target.lower()
    assert bpy.ops.aa2.copy_farm_command.poll()
    uid = plate.aa2.uid
    bpy.ops.wm.revert_mainfile()
    assert shots.strips(bpy.context.scene.sequence_editor)["plate"].aa2.uid == uid, "the farm opens what was saved"
    session.forget()


def test_a_job_may_be_written_again_until_a_machine_begins(saved, session, tmp_path):
    for wanted in ("v001", "v001"):
        bpy.ops.aa2.write_farm_job()
        assert Path(read(tmp_path / "farm" / f"{saved.name} plate", "parameters.json")["Job"]).name == wanted
    (tmp_path / "aa2_jobs" / f"{saved.name} plate" / "v001" / "request.json").write_text("{}")
    bpy.ops.aa2.write_farm_job()
    assert Path(read(tmp_path / "farm" / f"{saved.name} plate", "parameters.json")["Job"]).name == "v002"
    session.forget()


def test_all_shots_are_those_with_a_mark_and_this_one(saved, part):
    chosen, plates = part("farm.shots").chosen, part("settings.plates")
    other = bpy.data.scenes.new("Other")
    small_shot.make(Path(bpy.data.filepath).parent / "other", scene=other)
    assert [one.plate.id_data.name for one in chosen(saved, True)] == [saved.name]
    plates.adopt(shots.strips(other.sequence_editor)["plate"])
    assert [one.folder.name for one in chosen(saved, True)] == [f"{saved.name} plate", "Other plate"]


def test_the_panel_says_the_cost_and_names_what_is_outside(saved, part, tmp_path):
    said = " ".join(drawn(part("panels.farm").Farm, saved).all_of("label"))
    assert "Frames: 4, tasks that generate: 1, about" in said and "core hours" in said and "Outside" not in said
    (tmp_path / "narrow").mkdir()
    saved.aa2.farm_project = "//narrow"
    said = " ".join(drawn(part("panels.farm").Farm, saved).all_of("label")).replace(" ", "")
    folders = [f"{tmp_path}/,", f"{tmp_path}/ashoté/,", f"{tmp_path}/aa2_jobs/{saved.name}plate/v001"]
    assert "Outsideoftheproject" in said and said.endswith("".join(folders)), "files of one folder are one name"
