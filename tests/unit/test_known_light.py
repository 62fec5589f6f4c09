"""The light that a job knows is read, turned into the colour of white, and applied to the character."""
import json

import numpy as np
import pytest

from engine.conditions import known_light
from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, harmonics
from engine.contract.errors import JobError
from tests.unit.fake_runtime import whole_person_in
from tests.unit.test_run import generate
from tests.unit.test_surface_heads import disc
from tests.unit.walker import write_job

GREY = [[0.8 * harmonics.AMBIENT] * 3] + [[0.0] * 3] * 8


def from_the_left(strength=1.0):
    terms = harmonics.basis(-1.0, 0.0, 0.0)
    return [[strength * harmonics.LAMBERT[k] * term] * 3 for k, term in zip(harmonics.DEGREES, terms, strict=True)]


def write_light(folder, frames, version=1):
    (folder / files.LIGHT).write_text(json.dumps({"version": version, "frames": frames}))


def test_white_shows_the_light_by_its_normal():
    normals = np.float32([[-1, 0, 0], [1, 0, 0], [0, 0, -1]])
    left, right, front = known_light.shade_of(normals, from_the_left())[:, 0]
    assert left == pytest.approx(1, abs=0.06) and right < 0.4 and right < front < left
    assert np.allclose(known_light.shade_of(normals, GREY), 0.8 ** (1 / 2.2), atol=1e-4)


def test_a_job_without_a_light_knows_none(tmp_path):
    found = known_light.read_light(str(tmp_path), 3, (32, 32))
    assert found.in_crop(1, disc(), None) is None and found.in_box(1, disc(), (0, 0, 8, 8)) is None


def test_frames_may_know_no_light(tmp_path):
    write_light(tmp_path, [None, GREY])
    found = known_light.read_light(str(tmp_path), 2, (64, 64))
    maps = disc()
    assert found.in_crop(1, maps, None) is None
    white = found.in_crop(2, maps, None)
    assert np.allclose(white[maps.coverage > 0], 0.8 ** (1 / 2.2), atol=1e-3) and not white[maps.coverage == 0].any()


@pytest.mark.parametrize("text", [
    "", "[]", '{"version": 2, "frames": [null]}', '{"version": 1, "frames": []}', '{"version": 1, "frames": [[1, 2]]}',
    '{"version": 1, "frames": ["warm"]}', json.dumps({"version": 1, "frames": [[[1e9] * 3] * 9]}),
    '{"version": 1, "frames": [[[1, 2, 3], [1, 2]]]}'])
def test_a_light_that_is_none_is_told(tmp_path, text):
    (tmp_path / files.LIGHT).write_text(text)
    with pytest.raises(JobError) as caught:
        known_light.read_light(str(tmp_path), 1, (32, 32))
    assert caught.value.code == "light_invalid" and caught.value.remedy


def character(folder):
    picture = read_picture(files.picture(str(folder), files.FRAMES, 1))
    return picture[picture[..., 3] > 200][:, :3].mean()


def test_light_and_irradiance_change_what_is_made(tmp_path):
    """The same frame in no known light, in a bright one, in a dark one, and in bright pictures, which come first."""
    write_job(str(tmp_path), 1)
    made = []
    for strength in (None, 3, 0.1, "pictures"):
        if strength == "pictures":
            write_picture(files.picture(str(tmp_path), files.IRRADIANCE, 1), np.full((240, 320, 3), 255, np.uint8))
        elif strength:
            write_light(tmp_path, [[[value * strength for value in row] for row in GREY]])
        assert generate(tmp_path, find_joints=whole_person_in)[0].made == 1, "another light is another picture"
        made.append(character(tmp_path))
    none, bright, dark, pictures = made
    assert dark < none < bright and none < pictures
