"""An artist's own Python runs only the networks: which request goes to which process."""
import json
import sys
from pathlib import Path

import bpy
import pytest
import small_shot

SIZE = small_shot.SIZE


@pytest.fixture
def told(engine, preferred_python, tmp_path):
    """Both engines paint and note their requests; told() -> {"own": [...], "preferred": [...]}, and then empties the
    notes."""
    notes = {name: tmp_path / f"{name}.txt" for name in ("own", "preferred")}
    engine("paints", "--notes", str(notes["own"]))
    preferred_python("paints", "--notes", str(notes["preferred"]))

    def read():
        said = {name: path.read_text().split() if path.exists() else [] for name, path in notes.items()}
        for path in notes.values():
            path.unlink(missing_ok=True)
        return said
    return read


@pytest.fixture
def shot(blank, tmp_path):
    return small_shot.make(tmp_path / "shot")


def test_every_request_has_its_process(part):
    """A new kind of request goes to Blender's own Python, unless somebody decides otherwise here."""
    interpreter, messages = part("link.interpreter"), part("embedded.engine.contract.messages")
    own = interpreter.Launch(("own",), ())
    both = interpreter.Launch(("preferred",), (), own)
    of = {name: both.of(kind.__new__(kind)).command[0] for name, kind in messages.REQUESTS.items()}
    assert {name for name, command in of.items() if command == "preferred"} == {"run", "assemble"}
    assert all(own.of(kind.__new__(kind)) is own for kind in messages.REQUESTS.values())


def test_the_two_launches(part, preferred_python, monkeypatch):
    """The preferred Python gets the engine but none of the packages; Blender's own gets both."""
    preferred_python("paints")
    launch = part("settings.preferences").engine_launch(threads=3)
    assert launch.command[0].endswith("python for paints") and launch.embedded.command[0] == sys.executable
    assert launch.command[1:] == launch.embedded.command[1:] and launch.command[-2:] == ("--threads", "3")
    paths = [dict(one.environment)["PYTHONPATH"] for one in (launch, launch.embedded)]
    assert "packages" not in paths[0] and "packages" in paths[1]
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    assert part("settings.preferences").engine_launch().embedded is None, \
        "no packages for this Python: the other one does all"


def test_the_embedded_engine_never_leaves_blenders_own_python(part, preferred_python, monkeypatch):
    """A Python with torch is for engines that need it. Only where the extension has no packages for Blender's Python,
    the other one does all."""
    preferred_python("paints")
    preferences = part("settings.preferences")
    monkeypatch.setattr(preferences, "WITHOUT_TORCH", {"compact"})
    launch = preferences.engine_launch()
    assert launch.command[0] == sys.executable and launch.embedded is None
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    assert preferences.engine_launch().command[0].endswith("python for paints")


def test_an_engine_that_needs_torch_says_what_it_lacks(part, preferred_python, monkeypatch):
    preferences, error = part("settings.preferences"), part("embedded.engine.contract.errors").JobError
    monkeypatch.setattr(preferences, "WITHOUT_TORCH", {"compact"})
    with pytest.raises(error, match="No folder of weights is named for the engine wan-vace"):
        preferences.engine_launch("wan-vace")
    with pytest.raises(error, match="needs a Python with torch"):
        preferences.engine_launch("wan-vace", pack="/weights")
    preferred_python("paints")
    launch = preferences.engine_launch("wan-vace", pack="/weights")
    assert launch.command[0].endswith("python for paints") and launch.embedded.command[0] == sys.executable
    assert all(one.command[-2:] == ("--pack", "/weights") for one in (launch, launch.embedded))


def test_generate_looks_in_its_own_process_and_runs_in_the_preferred_one(shot, told, session):
    bpy.ops.aa2.generate()
    task = session.current()
    assert task.state == "done" and len(task.placed) == 2 and task.summary()["frames"] == small_shot.FRAMES
    assert told() == {"own": ["subject"], "preferred": ["run"]}


def test_joints_preview_and_passes_never_reach_the_preferred_python(shot, told, session):
    bpy.ops.aa2.find_reference_joints()
    assert session.current().state == "done" and len(shot.aa2.reference_joints) == 20
    with pytest.raises(RuntimeError, match="holds no drawn conditions"):  # this engine draws none
        bpy.ops.aa2.preview_conditions()
    assert told() == {"own": ["joints", "preview"], "preferred": []}
    bpy.ops.aa2.generate()
    told()
    bpy.ops.aa2.add_passes()
    assert session.current().state == "done", session.current().error
    assert told() == {"own": ["deliver"], "preferred": []}


def test_a_performer_is_found_in_our_own_process(shot, told, session, part):
    shot.aa2.driver = "PERFORMER"
    bpy.ops.aa2.choose_performer()
    assert told() == {"own": ["people"], "preferred": []}
    bpy.ops.aa2.generate()
    assert session.current().state == "done", session.current().error
    assert told() == {"own": ["estimate", "subject"], "preferred": ["run"]}


def test_a_preferred_python_that_cannot_do_more_is_not_asked_for_more(shot, engine, preferred_python, session):
    """It dies at the first request. Joints are found anyway, and Generate reports what is wrong with it."""
    engine("paints")
    preferred_python("dies_at_start")
    assert bpy.ops.aa2.find_reference_joints() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="libsomething.so.1"):
        bpy.ops.aa2.generate()
    job = session.current().folder / "job.json"
    assert json.loads(Path(job).read_text())["reference"]["joints"] is not None


def test_cancelled_while_the_reference_is_looked_at(shot, told, session, part):
    generation, asking = part("tasks.generation"), part("settings.request_of")
    version = part("tasks.gathering").Gathered(asking.request_of(shot), asking.job_folder(shot))
    task = generation.Generation(version, link=session.link, launch=part("settings.preferences").engine_launch())
    while task.engine_job is None:
        task.advance()
    assert type(task.engine_job.request).__name__ == "FindSubject"
    task.cancel()
    assert task.run().state == "cancelled" and task.summary()["frames"] == 0
    assert told()["preferred"] == []
