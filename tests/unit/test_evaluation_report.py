"""Bootstrap and report: what is resampled, what NaN does, and the shape of the JSON."""
import json
import math
from pathlib import Path

import numpy as np
import pytest

from lab.evaluation.bootstrap import interval, mean, paired_p, weights
from lab.evaluation.clips import Clip
from lab.evaluation.measure import COLUMNS
from lab.evaluation.report import by_clip, markdown, report

NAN = float("nan")


def test_every_resample_takes_as_many_of_each_world_and_identities_whole():
    worlds, people = ["fast"] * 3 + ["blender"] * 4, ["a", "b", "c", "d", "d", "e", "e"]
    taken = weights(worlds, people, 200)
    assert (taken[:, :3].sum(axis=1) == 3).all() and (taken[:, 3:].sum(axis=1) == 4).all()
    assert (taken[:, 3] == taken[:, 4]).all() and (taken[:, 5] == taken[:, 6]).all()
    assert taken[:, 0].min() == 0 and taken[:, 0].max() > 1


def test_means_and_intervals_leave_nan_out():
    taken = weights(["fast"] * 4, list("abcd"))
    assert mean([1, NAN, 3, 2]) == 2
    low, high = interval([1, NAN, 3, 2], taken)
    assert 1 <= low < 2 < high <= 3
    assert all(map(math.isnan, interval([NAN] * 4, taken))) and math.isnan(mean([NAN]))


def test_the_interval_is_that_of_the_mean():
    """For 400 normal values, the standard error of the mean is a twentieth of their deviation."""
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = interval(values, weights(["fast"] * 400, map(str, range(400)), 2000))
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.12) and low < values.mean() < high


def test_one_identity_in_all_clips_tells_nothing_of_others():
    assert interval([1, 2, 3], weights(["fast"] * 3, ["a"] * 3)) == (2, 2)


def test_paired_p():
    rng = np.random.default_rng(1)
    scenes = rng.normal(20, 5, 32)
    taken = weights(["fast"] * 32, map(str, range(32)))
    better = scenes - rng.uniform(0.1, 0.3, 32)  # far less than the differences between scenes: only pairing reveals it
    assert paired_p(scenes, better, taken) < 0.001 and paired_p(better, scenes, taken) < 0.001
    assert paired_p(scenes, scenes, taken) == 1
    assert paired_p(scenes, scenes + rng.normal(0, 1, 32), taken) > 0.01
    gaps = np.where(np.arange(32) < 8, NAN, better)
    assert paired_p(scenes, gaps, taken) < 0.001
    assert math.isnan(paired_p(scenes, np.full(32, NAN), taken))


def told(full, other, notes=None):
    clips = [Clip(None, None, world, "insertion", str(k)) for k, world in enumerate(["fast", "blender"] * 8)]
    rows = {name: [{**dict.fromkeys(COLUMNS, value + 0.01 * k), "contact_psnr": NAN if k else value,
                    "parts": {"face": 2.0}}
                   for k in range(16)] for name, value in (("full", full), ("pasted_exact", other))}
    return report(clips, rows, notes or {})


def test_the_json_has_the_agreed_shape():
    made = json.loads(json.dumps(told(20.0, 19.0), allow_nan=False))
    assert made["clips"] == 16 and set(made) == {"clips", "models", "paired_p", "notes"}
    assert set(made["models"]) == {"full", "pasted_exact"} and set(made["paired_p"]) == {"pasted_exact"}
    assert set(made["models"]["full"]) == set(made["paired_p"]["pasted_exact"]) == set(COLUMNS)
    one = made["models"]["full"]["ssim"]
    assert set(one) == {"mean", "low", "high", "fast", "blender"}
    assert one["mean"] == pytest.approx(20.075) and one["blender"] - one["fast"] == pytest.approx(0.01)
    assert made["models"]["full"]["contact_psnr"] == {"mean": 20.0, "low": 20.0, "high": 20.0,
                                                      "fast": 20.0, "blender": None}


def test_the_table_marks_who_is_better():
    table = markdown(told(20.0, 19.0, {"a": "note"}))
    assert "19.07*" in table and "19.07+" in table  # worse by PSNR, better by a distance
    assert "- a: note" in table
    assert not set("*+") & set(markdown(told(20.0, 20.0)))
    assert "| fast world | 2.00 |" in table


def test_a_row_of_fewer_clips_says_what_full_has_there():
    clips = [Clip(None, None, "fast", "insertion", str(k)) for k in range(4)]
    rows = {"full": [{**dict.fromkeys(COLUMNS, float(k)), "parts": {}} for k in range(4)],
            "performer_estimated": [{**dict.fromkeys(COLUMNS, 9.0 if k > 1 else NAN), "parts": {}} for k in range(4)]}
    notes = report(clips, rows, {})["notes"]
    assert "2 of the 4 clips" in notes["performer_estimated"] and "character_psnr 2.50" in notes["performer_estimated"]
    assert "full" not in notes and "performer_estimated" in markdown(report(clips, rows, {}))


def test_every_clips_own_values_are_told():
    clips = [Clip(Path(str(k)), None, "fast", "insertion", str(k)) for k in range(2)]
    values = {"full": [{**dict.fromkeys(COLUMNS, float(k)), "ssim": NAN, "parts": {"face": 1.0}} for k in range(2)]}
    told = by_clip(clips, values)["full"]
    assert list(told) == ["fast-0 insertion", "fast-1 insertion"] and set(told["fast-1 insertion"]) == set(COLUMNS)
    assert told["fast-1 insertion"]["matte_iou"] == 1 and told["fast-1 insertion"]["ssim"] is None
