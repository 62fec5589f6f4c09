"""The situations to look at: their pictures are those that the list names, and a shot is cut to a tall plate together
with its joints."""
import hashlib

import numpy as np
import pytest

from engine.conditions.frames import read_colour
from engine.conditions.poses import read_poses
from engine.contract import files
from engine.contract.skeleton import BODY_INDEX
from lab.evaluation.situations import DEMO, PICTURES, SITUATIONS, TALL, prepare
from tests.unit.walker import write_job


def test_each_picture_is_told_with_its_sum_and_used():
    told = (PICTURES / "SOURCES.md").read_text(encoding="utf-8")
    used = {situation.reference for situation in SITUATIONS}
    assert used - {DEMO} == set(PICTURES.iterdir()) - {PICTURES / "SOURCES.md"}
    for path in used - {DEMO}:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in told and f"`{path.name}`" in told


@pytest.mark.parametrize("situation", SITUATIONS[::8], ids=lambda of: of.title)
def test_a_shot_is_cut_to_its_frames_with_its_joints_where_the_picture_has_them(tmp_path, situation):
    shot, folder = tmp_path / "shot", tmp_path / "given"
    job = write_job(str(shot), 6, objects=np.zeros((240, 320), np.uint16))
    clip = prepare(situation, shot, (4, 5, 6), folder)
    assert clip.job.frames == 3 and clip.job.size == (TALL if situation.tall else job.size)
    plate = read_colour(files.picture(folder, files.SOURCE, 1), clip.job.size)
    before, after = (read_poses(of, count)[place][0] for of, count, place in ((shot, 6, 3), (folder, 3, 0)))
    scale = after.height_px / before.height_px
    assert scale == pytest.approx(plate.shape[0] / 240)
    left = before.body[:, 0] * scale - after.body[:, 0]
    assert np.ptp(left) < 1e-6 and 0 <= left[0] <= 320 * scale - clip.job.size[0]
    np.testing.assert_allclose(after.body[:, 1], before.body[:, 1] * scale)
    if situation.tall:
        assert abs(np.mean([read_poses(folder, 3)[k][0].body[BODY_INDEX["neck"], 0] for k in range(3)]) - 540) < 2
