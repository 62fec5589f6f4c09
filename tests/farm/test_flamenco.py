"""A job for Flamenco: its script is run by node with only what Flamenco gives to scripts, and the commands that it
authored are then run here, as a worker would."""
import json
import shlex
import subprocess
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from conftest import BPY, HERE, PATIENCE_S, pictures

KEYS = {"key", "type", "subtype", "choices", "propargs", "description", "label", "default", "eval", "evalInfo",
        "visible", "required", "editable"}


@pytest.fixture(scope="module")
def written(begun, write):
    """Both shots of the file; two parts of the long one are made by one task. OpenJD makes the long one, too, at the
    same time and in another folder, with a part a task."""
    return write("flamenco", "--target", "flamenco", "--all", "--parts-a-task", 2)


@pytest.fixture(scope="module")
def compiled(written, node, show, tmp_path_factory):
    """What the Manager makes of the submitted job. Its settings begin with the name of a two-way variable where they
    began with the project's folder, as the Manager stores them."""
    job = written.read("flamenco_job.json")
    job["settings"] = {key: "{project}" + value.removeprefix(str(show)) if value.startswith(str(show)) else value
                       for key, value in job["settings"].items()}
    submitted = tmp_path_factory.mktemp("manager") / "job.json"
    submitted.write_text(json.dumps(job))
    done = subprocess.run([node, HERE / "manager.mjs", written.folder / "aa2_character.js", submitted],
                          capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_job_is_what_flamenco_takes(written, show):
    job = written.read("flamenco_job.json")
    assert (job["type"], job["priority"], job["submitter_platform"]) == ("aa2-character", 50, "linux")
    assert job["settings"]["blendfile"] == str(show / "shot.blend")
    assert all(isinstance(value, str) for value in job["settings"].values())
    assert written.summary["command"].startswith("curl ") and "/api/v3/jobs" in written.summary["command"]


def test_the_job_type_has_settings_as_flamenco_knows_them(written, compiled):
    settings = {one["key"]: one for one in compiled["type"]["settings"]}
    assert settings.keys() == written.read("flamenco_job.json")["settings"].keys()
    for one in settings.values():
        assert one.keys() <= KEYS and one["type"] in ("string", "int32", "float", "bool")
        assert one.get("subtype", "file_path") in ("file_path", "dir_path", "file_name", "hashed_file_path")
        assert one.get("visible", "visible") in ("visible", "hidden", "submission", "web")


def test_tasks_wait_for_those_that_they_need(compiled):
    names = {task["uuid"]: task["name"] for task in compiled["tasks"]}
    waits = {task["name"]: [names[one] for one in task["dependencies"]] for task in compiled["tasks"]}
    assert waits == {
        "gather Edit plate": [], "generate Edit plate 1-2": ["gather Edit plate"],
        "generate Edit plate 3-": ["gather Edit plate"],
        "assemble Edit plate": ["generate Edit plate 1-2", "generate Edit plate 3-"], "gather Other plate": [],
        "generate Other plate": ["gather Other plate"], "place": ["assemble Edit plate", "generate Other plate"]}
    assert {task["type"] for task in compiled["tasks"]} == {"blender"}
    assert [len(task["commands"]) for task in compiled["tasks"]] == [1] * 7


def test_flamenco_s_own_add_on_fills_the_same_settings(written, compiled, surroundings, show, pack, tmp_path):
    asked = {one["key"]: one["eval"] for one in compiled["type"]["settings"] if "eval" in one}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run([BPY, HERE / "submit.py", show / "shot.blend", tmp_path / "asked.json", pack],
                          env=surroundings, text=True, capture_output=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    found, given = json.loads(done.stdout.splitlines()[-1]), written.read("flamenco_job.json")["settings"]
    assert found == {key: given[key] for key in asked} and given.keys() - asked == {"blendfile"}


def test_the_authored_commands_make_the_shots(compiled, written, request, blender, surroundings, show):
    """Two workers take the tasks, each after those that it waits for, and the last one first. {project} and {blender}
    are what the workers have."""
    variables = {"project": str(show), "blender": str(blender), "blenderArgs": "-b -y"}
    waiting, at_work, done = list(compiled["tasks"]), {}, set()
    with ThreadPoolExecutor(2) as workers:
        while waiting or at_work:
            ready = [one for one in waiting if set(one["dependencies"]) <= done]
            for task in ready[::-1][:2 - len(at_work)]:
                waiting.remove(task)
                at_work[workers.submit(work_on, task, variables, surroundings)] = task["uuid"]
            for ended in wait(at_work, return_when=FIRST_COMPLETED).done:
                ended.result()
                done.add(at_work.pop(ended))
    long, short = written.summary["jobs"]
    assert pictures(long) == pictures(request.getfixturevalue("made").job), "as by OpenJD"
    assert len(pictures(short)) == 8 and (show / "shot placed.blend").exists()


def work_on(task, variables, surroundings):
    for command in task["commands"]:
        run(command, variables, surroundings)


def run(command, variables, surroundings):
    """Run a command as a worker does: blender-render or exec."""
    def expanded(text):
        for name, value in variables.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    given = command["parameters"]
    words = [given["exe"]]
    if command["name"] == "blender-render":
        words += [*shlex.split(expanded(given["exeArgs"])), *given["argsBefore"], given["blendfile"]]
    else:
        assert command["name"] == "exec"
    done = subprocess.run([expanded(word) for word in (*words, *given["args"])], env=surroundings, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout
