"""job.json: what is written is read; every wrong field is named with what was expected and found."""

import json
import os
from dataclasses import replace

import pytest

from engine.contract import files, jobs, version
from engine.contract.errors import CODES, JobError
from engine.contract.jobs import DepthRange, Driver, Job, Performer, Reference, Settings, key, read, write

JOINTS = tuple((float(i), 2.5, 1.0) for i in range(20))
PLAIN = Job(name="shot", size=(64, 48), frames=3)
FULL = Job(name="Schuß 影", size=(1919, 1081), frames=250, first_frame=-12, fps=23.976, bits=16, clean_plate=False,
           reference=Reference("mein bild.png", JOINTS, 412.5), objects=DepthRange(1.5, 9.0),
           depth=DepthRange(0.1, 100.0), clothing=1.4, retarget=0.5, clean_pictures=True, mask_joins=True,
           driver=Driver("Shot", "Camera", "-rig", "rigify", -7, Performer(12, (1.5, 2.0, 30.0, 48.0), "join", True)),
           settings=Settings(steps=10, guidance=2.0, seed=2**63 - 1, window=16, grain=False,
                             shape="192x352", shadow=False))


def raw(folder, **changes):
    """job.json of PLAIN with changed fields; `...` removes a field."""
    write(str(folder), PLAIN)
    path = folder / "job.json"
    value = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: v for name, v in value.items() if v is not ...}))
    return str(folder)


@pytest.mark.parametrize("job", [PLAIN, FULL])
def test_what_is_written_is_read(tmp_path, job):
    write(str(tmp_path / "new folder"), job)
    assert read(str(tmp_path / "new folder")) == job
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["job.json"]


def test_only_name_size_and_frames_are_required(tmp_path):
    (tmp_path / "job.json").write_text(json.dumps({"version": 1, "name": "shot", "size": [64, 48], "frames": 3}))
    assert read(str(tmp_path)) == PLAIN


@pytest.mark.parametrize("changes, code, message", [
    (dict(size=[8, 48]), "size_invalid", "size: expected a whole number from 16 to 16384 at place 0, got [8, 48]"),
    (dict(size=[64]), "size_invalid", "size: expected a list of 2, got [64]"),
    (dict(size=...), "size_invalid", "size: missing"),
    (dict(frames=0), "frames_invalid", "frames: expected a whole number from 1 to 1000000, got 0"),
    (dict(frames=True), "frames_invalid", "got True"),
    (dict(frames=2.0), "frames_invalid", "got 2.0"),
    (dict(fps=0), "frames_invalid", "fps: expected a number from 0.001 to 1000, got 0"),
    (dict(first_frame=None), "frames_invalid", "first_frame: expected a whole number"),
    (dict(bits=12), "job_invalid", "bits: expected one of 8, 16, got 12"),
    (dict(bits=8.0), "job_invalid", "bits: expected one of 8, 16, got 8.0"),
    (dict(fps=10**400), "frames_invalid", "fps: expected a number from 0.001 to 1000, got 1000"),
    (dict(frames=10**400), "frames_invalid", "frames: expected a whole number"),
    (dict(reference={"joints": [[0, -10**400, 1]] * 20}), "reference_invalid", "reference.joints: expected a number"),
    (dict(name="half \ud83d"), "job_invalid", "name: expected a text without halves of characters, got 'half \\ud83d'"),
    (dict(driver={"performer": {"box": [1, 2, 3]}}), "job_invalid", "driver.performer.box: expected a list of 4"),
    (dict(driver={"performer": {"mask_use": "joins"}}), "job_invalid", "driver.performer.mask_use: expected "),
    (dict(driver={"rig": "\udce4"}), "job_invalid", "driver.rig: expected a text without halves"),
    (dict(reference={"file": "\udce4.png"}), "reference_invalid", "reference.file: expected the name of a file"),
    (dict(reference={"file": "a\0.png"}), "reference_invalid", "reference.file: expected the name of a file"),
    (dict(clean_plate=1), "job_invalid", "clean_plate: expected true or false, got 1"),
    (dict(name=None), "job_invalid", "name: expected a text, got None"),
    (dict(reference={"file": "../../secret.png"}), "reference_invalid", "reference.file: expected the name of a file"),
    (dict(reference={"file": "a\\b.png"}), "reference_invalid", "reference.file"),
    (dict(reference={"joints": [[0, 0, 1]] * 19}), "reference_invalid", "reference.joints: expected a list of 20"),
    (dict(reference={"joints": [[0, 0, 2]] * 20}), "reference_invalid",
     "reference.joints: expected a number from 0 to 1"),
    (dict(objects={"near": 3, "far": 2}), "job_invalid", "objects: expected near < far, got near 3 and far 2"),
    (dict(objects={"near": 3}), "job_invalid", "objects.far: missing"),
    (dict(depth=[1, 2]), "job_invalid", "depth: expected an object, got [1, 2]"),
    (dict(settings={"steps": 0}), "settings_invalid", "settings.steps: expected a whole number from 1 to 1000, got 0"),
    (dict(settings={"guidance": float("nan")}), "job_invalid", "expected a number, got NaN"),
    (dict(settings={"guidance": 31}), "settings_invalid", "settings.guidance: expected a number from 0 to 30"),
    (dict(driver={"rig": "a\0b"}), "job_invalid", "driver.rig: expected a text without NUL"),
    (dict(reference={"file": "a\0.png"}), "reference_invalid", "reference.file: expected the name of a file"),
    (dict(settings={"seed": -1}), "settings_invalid", "settings.seed"),
    (dict(settings=None), "settings_invalid", "settings: expected an object, got None"),
    (dict(colour="red"), "job_invalid", "colour: unknown field"),
    (dict(version=...), "job_invalid", "version: expected a whole number"),
    (dict(version=version.JOB + 1), "job_newer", f"version: expected at most {version.JOB}, got {version.JOB + 1}"),
])
def test_wrong_fields_are_named(tmp_path, changes, code, message):
    with pytest.raises(JobError) as error:
        read(raw(tmp_path, **changes))
    assert error.value.code == code and message in error.value.message


@pytest.mark.parametrize("settings, message", [
    ({"shape": "512x0"}, "settings.shape: expected 'auto', or width x height of"),
    ({"shape": "512x99999999"}, "settings.shape: expected 'auto', or width x"),
    ({"shape": "tall"}, "settings.shape: expected 'auto', or width x height of"),
    ({"shape": 512}, "settings.shape: expected 'auto', or width x height, got 512"),
    ({"engine": "../huge"}, "settings.engine: expected an engine's name of lower"),
    ({"engines": {"compact": 3}}, "settings.engines: expected an object for each"),
    ({"engines": {"a b": {}}}, "settings.engines: expected an engine's name"),
    ({"engines": {"wan-vace": {"prompt": "x" * 100_000}}}, "at most 100000")])
def test_sizes_and_engines_are_open_but_not_any_text(tmp_path, settings, message):
    with pytest.raises(JobError) as error:
        read(raw(tmp_path, settings=settings))
    assert error.value.code == "settings_invalid" and message in error.value.message


def test_a_job_of_an_engine_that_is_not_known_here_is_read(tmp_path):
    """Which engines and sizes there are, only their code says."""
    own = {"huge": {"prompt": "a dancer", "parts": [1, 2]}, "other": {}}
    settings = read(raw(tmp_path, settings={"engine": "huge", "shape": "480x832", "guidance": None, "engines": own})
                    ).settings
    assert (settings.engine, settings.shape, settings.guidance, settings.own) == ("huge", "480x832", None, own["huge"])
    write(str(tmp_path / "again"), replace(PLAIN, settings=settings))
    assert read(str(tmp_path / "again")).settings == settings


def test_a_job_without_such_settings_is_the_same_file_and_has_the_same_key_as_before(tmp_path, monkeypatch):
    """The key is that of a job of the release before engines had settings of their own."""
    monkeypatch.setattr(version, "ENGINE", "0.1.0")
    write(str(tmp_path), PLAIN)
    assert "engines" not in json.loads((tmp_path / "job.json").read_text())["settings"]
    assert key(PLAIN, ["a", "b"], "c") == "d445bb64b0c57ec0c5da79fc10bffd72"
    own = replace(PLAIN, settings=Settings(engines={"wan-vace": {"prompt": ""}}))
    assert key(own, ["a", "b"], "c") == key(PLAIN, ["a", "b"], "c")
    own = replace(PLAIN, settings=Settings(engine="wan-vace", engines={"wan-vace": {"prompt": ""}}))
    assert key(own, ["a"], "c") != key(replace(PLAIN, settings=Settings(engine="wan-vace")), ["a"], "c")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_job(tmp_path, content):
    (tmp_path / "job.json").write_bytes(content)
    with pytest.raises(JobError) as error:
        read(str(tmp_path))
    assert error.value.code == "job_invalid" and "job.json" in error.value.message


def test_a_folder_that_is_none(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(JobError) as error:
            read(str(path))
        assert error.value.code == "job_missing"


def test_a_wrong_job_is_not_written(tmp_path):
    for job in (Job(name="shot", size=(0, 0), frames=1), Job(name="half \ud83d", size=(64, 48), frames=1)):
        with pytest.raises(JobError):
            write(str(tmp_path), job)
    assert not list(tmp_path.iterdir())


def test_a_job_that_cannot_be_put_in_place_leaves_nothing(tmp_path):
    (tmp_path / "job.json").mkdir()
    with pytest.raises(JobError) as error:
        write(str(tmp_path), PLAIN)
    assert error.value.code == "job_not_writable" and [path.name for path in tmp_path.iterdir()] == ["job.json"]


@pytest.mark.parametrize("refusals, written", [(3, True), (10**6, False)])
def test_a_file_that_somebody_looks_at_is_replaced_when_they_let_go(tmp_path, monkeypatch, refusals, written):
    """This simulates Windows, where an open file cannot be replaced."""
    replace, left = os.replace, iter(range(refusals))

    def held(source, target):
        if next(left, None) is not None:
            raise PermissionError(13, "Access is denied", target)
        replace(source, target)
    monkeypatch.setattr(files, "PATIENCE_S", 60 if written else 0.2)
    monkeypatch.setattr(files.os, "replace", held)
    path = tmp_path / "new" / "0001.png"
    if written:
        files.write_whole(str(path), b"picture")
        assert path.read_bytes() == b"picture"
    else:
        with pytest.raises(JobError) as error:
            files.write_whole(str(path), b"picture")
        assert error.value.code == "job_not_writable" and "Access is denied" in error.value.message
    assert len(list(path.parent.iterdir())) == written


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JobError) as error:
        write(str(tmp_path / "file" / "job"), PLAIN)
    assert error.value.code == "job_not_writable"


def test_the_key_counts_everything_that_makes_pixels():
    same = key(PLAIN, ["a", "b"], "c")
    assert key(PLAIN, ["a", "b"], "c") == same and len(same) == 32
    assert key(Job(name="other", size=(64, 48), frames=3, first_frame=9, fps=50.0, driver=Driver(rig="x")),
               ["a", "b"], "c") == same
    others = [key(FULL, ["a", "b"], "c"), key(PLAIN, ["b", "a"], "c"), key(PLAIN, ["ab"], "c"),
              key(PLAIN, ["a", "b"], "d"),
              key(Job(name="shot", size=(64, 48), frames=3, settings=Settings(seed=1)), ["a", "b"], "c")]
    assert len({same, *others}) == 6


def test_numbering(tmp_path):
    folder = str(tmp_path)
    assert files.picture(folder, files.FRAMES, 7).endswith("0007.png") \
        and files.picture(folder, "source", 12345).endswith("12345.png")
    assert not files.has(folder, files.MASK) and files.numbers(folder, files.MASK) == []
    (tmp_path / "mask").mkdir()
    (tmp_path / "mask" / "0002.png").touch()
    assert files.has(folder, files.MASK)
    for name in ("0001.png", "0010.png", ".99-0002.png", "notes.txt", "12345.png"):
        (tmp_path / "mask" / name).touch()
    assert files.has(folder, files.MASK) and files.numbers(folder, files.MASK) == [1, 2, 10, 12345]


def test_codes_are_closed():
    with pytest.raises(AssertionError):
        JobError("no_such_code", "")
    assert all(meaning and meaning[-1] != "." for meaning in CODES.values())


def test_every_code_that_the_engine_raises_is_known():
    import re
    from pathlib import Path
    for path in Path(jobs.__file__).parents[1].rglob("*.py"):
        for code in re.findall(r'(?:JobError|Failed)\(\s*(?:\w+, )?"(\w+)"', path.read_text(encoding="utf-8")):
            assert code in CODES, f"{path}: {code}"
