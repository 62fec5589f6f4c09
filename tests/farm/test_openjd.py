"""A bundle of Open Job Description, run by `openjd`: from a .blend to the strips in it, in parts, stopped, killed,
moved."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BPY, FRAMES, PATIENCE_S, ROOT, pictures

PARTS = ["1-1", "2-2", "3-"]


def test_the_template_passes_the_check_and_names_all_tasks(made, openjd_program):
    template = made.folder / "template.json"
    for words in (["check", template], ["summary", template, "-p", f"file://{made.folder / 'parameters.json'}"]):
        done = subprocess.run([openjd_program, *words], capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Total steps: 4" in done.stdout and "Total tasks: 6" in done.stdout
    assert made.summary["tasks"] == 3 and made.summary["warnings"] == []


def test_paths_are_parameters_and_no_step_is_a_shell_line(made):
    template, values = made.read("template.json"), made.read("parameters.json")
    assert template["specificationVersion"] == "jobtemplate-2023-09"
    paths = {one["name"]: one for one in template["parameterDefinitions"] if one["type"] == "PATH"}
    assert paths.keys() == values.keys() == {"Blend", "Placed", "Job", "Pack"}
    assert all({"objectType", "dataFlow"} <= one.keys() for one in paths.values())
    assert made.read("parameter_values.json")["parameterValues"] == [
        {"name": name, "value": value} for name, value in values.items()]
    for step in template["steps"]:
        action = step["script"]["actions"]["onRun"]
        assert action["command"] == "{{Param.Blender}}" and isinstance(action["args"], list)
        assert action["cancelation"] == {"mode": "NOTIFY_THEN_TERMINATE"} and "embeddedFiles" not in step["script"]
        assert not [word for word in action["args"] if "/" in word], "a path is not a parameter"
    generate = next(step for step in template["steps"] if step["name"] == "Generate")
    assert generate["parameterSpace"]["taskParameterDefinitions"][0]["range"] == PARTS
    assert [one["name"] for one in generate["hostRequirements"]["amounts"]] == ["amount.worker.memory"]


def test_what_the_shot_reads_is_listed_for_farms_without_a_shared_disk(made, show):
    told = made.read("asset_references.json")["assetReferences"]
    names = {Path(path).relative_to(show).as_posix() for path in told["inputs"]["filenames"]}
    plate = {f"Edit/plate_{number:04d}.png" for number in range(1, FRAMES + 1)}
    assert names >= {"shot.blend", "Edit/-reference é.png", *plate}
    assert told["outputs"]["directories"] == [str(made.job)]


def test_the_strips_lie_in_the_placed_file(made, surroundings, show):
    done = subprocess.run([BPY, ROOT / "tests" / "e2e" / "look.py", made.summary["placed"]], env=surroundings,
                          text=True, capture_output=True, timeout=PATIENCE_S)
    strips = json.loads(done.stdout.splitlines()[-1])
    assert sorted(name for name in strips if name != "plate") == ["character Edit plate", "shadow Edit plate"]
    assert strips["character Edit plate"]["frames"] == FRAMES
    assert made.summary["placed"] == str(show / "openjd.blend")


@pytest.mark.usefixtures("alone", "lighting")      # they work meanwhile
def test_interrupted_then_killed_a_part_goes_on_to_the_same_pictures(made, gathered, start, openjd):
    told = ("--step", "Generate", "--task-param", "Part=2-2", "-p", f"Job={gathered}")
    part = gathered / "parts" / "0002"
    assert "exited with code: 130" in stopped(start(made, *told), part, 8, ask_to_stop)
    assert "Process pid" in stopped(start(made, *told), part, 16, kill)
    assert not (part / "part.json").exists()
    code, said = openjd(made, *told)
    made_now, reused = map(int, re.search(r"openjd_status: (\d+) frames made, (\d+) reused", said).groups())
    assert code == 0 and reused >= 12 and made_now + reused == 36, said
    assert pictures(part) == pictures(made.job / "parts" / "0002")


def stopped(running, part, frames, stop):
    """What `openjd run` said, which was stopped when a part had so many frames."""
    end = time.monotonic() + PATIENCE_S
    while len(list((part / "frames").glob("[0-9]*.png"))) < frames:
        assert running.poll() is None and time.monotonic() < end, running.communicate()[0]
        time.sleep(0.02)
    began = time.monotonic()
    stop(running)
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - began < 5 and running.returncode != 0, said
    return said


def ask_to_stop(running):
    running.send_signal(signal.SIGINT)


def kill(running):
    """Kill the engine, as a node that loses its power does."""
    for process in Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().split(b"\0") if (process / "cmdline").exists() else []
        if b"engine" in words and b"2-2" in words and belongs_to(int(process.name), running.pid):
            os.kill(int(process.name), signal.SIGKILL)


def belongs_to(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


@pytest.mark.parametrize("harm, said", [
    (lambda part: shutil.rmtree(part), "part_missing: Part 2 of 3 is not finished"),
    (lambda part: change(part / "part.json", weights="of another pack"),
     "part_differs: Part 2 of 3 was made with other weights")])
def test_a_part_that_is_missing_or_of_another_pack_is_named(made, with_parts, openjd, harm, said):
    harm(with_parts / "parts" / "0002")
    code, log = openjd(made, "--step", "Assemble", "-p", f"Job={with_parts}")
    assert code != 0 and f"openjd_fail: {said}" in log and "exited with code: 1" in log
    assert not pictures(with_parts)


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_paths_are_mapped(made, with_parts, openjd, tmp_path):
    """The submitter's disk is at /mnt/show; the machine's elsewhere."""
    rules = {"version": "pathmapping-1.0", "path_mapping_rules": [
        {"source_path_format": "POSIX", "source_path": "/mnt/show", "destination_path": str(tmp_path)}]}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    code, said = openjd(made, "--step", "Assemble", "-p", "Job=/mnt/show/job", "--path-mapping-rules",
                        f"file://{tmp_path / 'rules.json'}")
    assert code == 0, said
    assert pictures(with_parts) == pictures(made.job)


def test_one_engine_makes_the_same_pictures(made, alone):
    folder, running = alone
    _, said = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, said
    assert len(pictures(made.job)) == 2 * FRAMES and pictures(folder) == pictures(made.job)


def test_several_shots_are_one_job(write, openjd_program):
    written = write("both", "--target", "openjd", "--all", "--gpu", "--parts-a-task", 3)
    done = subprocess.run([openjd_program, "check", written.folder / "template.json"], capture_output=True, text=True,
                          timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout
    steps = {step["name"]: step for step in written.read("template.json")["steps"]}
    assert list(steps) == ["Gather 1", "Generate 1", "Assemble 1", "Gather 2", "Generate 2", "Place"]
    assert [one["dependsOn"] for one in steps["Place"]["dependencies"]] == ["Assemble 1", "Generate 2"]
    assert steps["Generate 1"]["parameterSpace"]["taskParameterDefinitions"][0]["range"] == ["1-"]
    assert "parameterSpace" not in steps["Generate 2"], "four frames stay whole"
    amounts = steps["Generate 2"]["hostRequirements"]["amounts"]
    assert {"name": "amount.worker.gpu", "min": 1} in amounts
    place = steps["Place"]["script"]["actions"]["onRun"]["args"]
    assert place[place.index("--job") + 1:place.index("--save")] == ["{{Param.Job1}}", "{{Param.Job2}}"]


def test_what_is_outside_of_the_project_is_named(aa2, show, pack):
    done = aa2("farm", "--bundle", show / "narrow", "--pack", pack, "--scene", "Edit", "--project", show / "Edit")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert [line.rpartition(": ")[2] for line in summary["warnings"]] == [
        f"{show}/", f"{show}/Other/", summary["jobs"][0]]
    assert all(f"aa2: {line}" in done.stderr for line in summary["warnings"])
