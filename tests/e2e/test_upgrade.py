"""The extension is disabled, upgraded or removed while its engine generates: the engine ends, and the job remains."""
import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import BPY, HERE
from test_life import gone

from engine.contract import files
from tests.unit.walker import HEIGHT_PX, figure, moved, write_job

FRAMES = 60     # enough that the engine is still working when the extension goes


def _person(x):
    return {"body": moved(figure(), 0.6, x, 200).tolist(), "left_hand": None, "right_hand": None,
            "height_px": HEIGHT_PX * 0.6}


@pytest.fixture
def after(blender, pack, tmp_path):
    """after("upgrade") returns what Blender printed, and the job's folder."""
    def act(what):
        job = tmp_path / "job é"
        write_job(str(job), FRAMES, people={number: [_person(160 + number)] for number in range(1, FRAMES + 1)})
        own = tmp_path / "resources"
        own.mkdir()
        done = blender(HERE / "keep_and_replace.py", job, pack, what, BLENDER_USER_RESOURCES=str(own))
        assert done.returncode == 0, done.stderr[-3000:]
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["was_at_work"], "the engine was done before anything happened to it"
        assert gone(told["pid"], 8), "the engine outlived its extension"
        assert files.numbers(str(job), files.FRAMES), "the finished frames are the artist's"
        return told, job
    return act


@pytest.fixture
def start_with_copies(surroundings, pack, tmp_path):
    """An engine of the installed extension, started as on Windows; returns (the engine's id, the copies)."""
    copies = tmp_path / "copies é"
    environment = {**surroundings, "AA2_COPIES": str(copies), "BLENDER_USER_RESOURCES": str(tmp_path / "resources")}
    os.mkdir(tmp_path / "resources")
    write_job(str(tmp_path / "job"), 4)
    blender = subprocess.Popen([BPY, HERE / "start_and_wait.py", tmp_path / "job", pack], env=environment, text=True,
                               stdout=subprocess.PIPE)
    try:
        words = next(line for line in blender.stdout if line.split()[:1] and line.split()[0].isdigit()).split()
        assert words[1] == "done"
        yield int(words[0]), copies
    finally:
        blender.kill()
        blender.wait()


def test_disabling_ends_the_engine(after):
    told, _job = after("disable")
    assert not told["enabled"]


def test_an_upgrade_ends_the_engine_and_the_new_one_goes_on(after):
    told, job = after("upgrade")
    assert told["enabled"] and told["state"] == "done", told
    assert told["reused"] > 0 and len(files.numbers(str(job), files.FRAMES)) == FRAMES


def test_removing_leaves_the_jobs_and_nothing_else(after):
    told, _job = after("remove")
    assert not told["enabled"] and told["left"] == []


def test_on_windows_the_engine_loads_copies_only(start_with_copies):
    """Windows locks libraries: all that are mapped lie in the copy."""
    pid, copies = start_with_copies
    mapped = {line.split(maxsplit=5)[5].strip() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
              if len(line.split(maxsplit=5)) == 6}
    ours = [name for name in mapped if "aa2_blender" in name or str(copies) in name]
    assert any("onnxruntime" in name for name in ours) and any("cv2" in name for name in ours)
    assert all(name.startswith(str(copies)) for name in ours), ours
