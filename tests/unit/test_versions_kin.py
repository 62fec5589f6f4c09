"""A version that differs from an earlier one only in its composition takes that version's latents."""
import numpy as np
import pytest

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, jobs
from tests.unit.add_on import part
from tests.unit.fake_runtime import FakeRuntime
from tests.unit.test_run import generate, written
from tests.unit.walker import write_job

folders = part("versions.folders")


def ended(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


@pytest.fixture
def shot(tmp_path):
    """A shot in which v001 is made."""
    write_job(str(tmp_path / "v001"), 8)
    generate(tmp_path / "v001")
    return tmp_path


def brightness(folder):
    picture = read_picture(files.picture(str(folder), files.FRAMES, 3))
    return picture[picture[..., 3] > 200][:, :3].mean()


def test_another_exposure_is_composed_alone_and_the_first_version_stays(shot):
    before, second = written(shot / "v001"), shot / "v002"
    write_job(str(second), 8, settings=jobs.Settings(exposure=0.5))
    assert ended(folders.twin(second)) is None and ended(folders.kin(second)) == shot / "v001"
    folders.take_latents(second, shot / "v001")
    runtime = FakeRuntime()
    finished, _ = generate(second, runtime=runtime)
    assert finished.made == 8 and runtime.steps == 0
    assert brightness(second) > brightness(shot / "v001") + 5 and written(shot / "v001") == before


def test_another_mask_of_what_stays_in_front_is_composed_alone(shot):
    second = shot / "v002"
    write_job(str(second), 8)
    for number in range(1, 9):
        write_picture(files.picture(str(second), files.FRONT, number), np.full((240, 320), 255, np.uint8))
    assert ended(folders.twin(second)) is None and ended(folders.kin(second)) == shot / "v001"
    folders.take_latents(second, shot / "v001")
    runtime = FakeRuntime()
    assert generate(second, runtime=runtime)[0].made == 8 and runtime.steps == 0
    copied = shot / "v003"
    assert [*folders.copied(second, copied)] and files.numbers(str(copied), files.FRONT) == list(range(1, 9))


@pytest.mark.parametrize("fields", [{"settings": jobs.Settings(seed=1, exposure=0.5)},
                                    {"settings": jobs.Settings(exposure=0.5), "clothing": 0.5}])
def test_other_latents_make_no_kin(shot, fields):
    write_job(str(shot / "v002"), 8, **fields)
    assert ended(folders.kin(shot / "v002")) is None


def test_another_plate_makes_no_kin(shot):
    write_job(str(shot / "v002"), 8, settings=jobs.Settings(warmth=1.0))
    (shot / "v002" / "source" / "0004.png").write_bytes(b"another")
    assert ended(folders.kin(shot / "v002")) is None


def test_another_light_is_composed_without_denoising(shot):
    """The look at the scene differs. What the scene rendered comes along, but not into a version that asks for none."""
    for number in range(1, 9):
        write_picture(files.picture(str(shot / "v001"), files.CAST, number), np.full((240, 320), 255, np.uint8))
    write_picture(files.picture(str(shot / "v001"), files.SCENE, 1), np.zeros((4, 6, 3), np.uint8))
    for name, light in (("v002", True), ("v003", False)):
        second = shot / name
        write_job(str(second), 8)
        if light:
            write_picture(files.picture(str(second), files.SCENE, 1), np.ones((4, 6, 3), np.uint8))
        assert ended(folders.twin(second)) is None and ended(folders.kin(second)) is not None
        folders.take_latents(second, shot / "v001")
        assert files.has(str(second), files.CAST) is light
        runtime = FakeRuntime()
        finished, _ = generate(second, runtime=runtime)
        assert finished.made == 8 and runtime.steps == 0


def test_a_copy_has_what_the_scene_rendered(shot):
    made = {"surface/mesh.npz": b"mesh", "surface/0001.npy": b"points", "surface/0001.light": b"key",
            "cast/0001.png": b"cast", "irradiance/0001.png": b"light", "scene/0001.png": b"look"}
    for name, data in made.items():
        (shot / "v001" / name).parent.mkdir(exist_ok=True)
        (shot / "v001" / name).write_bytes(data)
    ended(folders.copied(shot / "v001", shot / "v002"))
    assert {name: (shot / "v002" / name).read_bytes() for name in made} == made
    folders.discard(shot / "v002")
    assert not (shot / "v002").exists()
