"""How the comparables are scored: the kernel distance, Holm's correction, the rows, and one clip from end to end."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from engine.engines.compact.nets.model import save_weights
from lab.comparables import frames, titles
from lab.comparables.rows import ROWS
from lab.evaluation import comparable_sheet, comparables, held_out, quick, table
from lab.evaluation.bootstrap import holm, weights
from lab.evaluation.clips import Clip, ClipError, read_clip
from lab.evaluation.kernel_distance import clip_features, discrepancies, kernel_distance
from lab.evaluation.regions import away_from
from lab.evaluation.report import report
from lab.evaluation.rows import FULL, Row, made_by
from lab.training.ablations import write_json
from tests.unit.tiny import TINY


def once(pairs):
    return kernel_distance(pairs, np.ones((1, len(pairs))))[0]


def test_the_kernel_distance_is_zero_for_equal_sets_and_unbiased_for_equal_kinds():
    rng = np.random.default_rng(0)
    same = rng.normal(size=(9, 4))
    assert abs(once(discrepancies(same, same))) < 1e-12
    found = [once(discrepancies(*rng.normal(size=(2, 6, 4)))) for _ in range(4000)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found)) and min(found) < 0
    assert once(discrepancies(rng.normal(size=(60, 4)) + 1, rng.normal(size=(60, 4)))) > 1


def test_the_kernel_distance_is_the_plain_sum_over_other_clips():
    rng = np.random.default_rng(1)
    made, true = rng.normal(size=(2, 3, 5))
    k = lambda x, y: (x @ y / 5 + 1) ** 3  # noqa: E731
    wanted = [k(made[i], made[j]) + k(true[i], true[j]) - k(made[i], true[j]) - k(made[j], true[i])
              for i in range(3) for j in range(3) if i != j]
    assert once(discrepancies(made, true)) == pytest.approx(np.mean(wanted))


def test_a_clip_that_is_taken_twice_is_not_compared_with_itself():
    pairs = np.array([[100.0, 1, 2], [1, 100, 3], [2, 3, 100]])
    assert kernel_distance(pairs, np.array([[2.0, 1, 0], [3, 0, 0]]))[0] == 1
    assert np.isnan(kernel_distance(pairs, np.array([[3.0, 0, 0]]))[0])


def test_a_clips_features_are_of_its_frames_and_of_their_changes():
    pictures = [np.full((2, 2, 3), value) for value in (0.2, 0.4, 0.6, 0.6)]
    found = clip_features(pictures, lambda some: np.array([[one.mean()] for one in some]))
    assert found == pytest.approx([0.4, (0.6 + 0.5) / 2])


def test_holm_multiplies_the_smallest_most_and_never_turns_the_order():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    corrected = holm({"a": 0.4, "b": float("nan"), "c": 0.9})
    assert corrected["a"] == pytest.approx(0.8) and corrected["c"] == 0.9 and np.isnan(corrected["b"])


def finished(folder, names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "sizes.json").write_text("{}")
    return folder


def test_ours_comes_first_and_what_sees_no_plate_is_pasted(tmp_path):
    rows, notes = comparables.choose_rows(finished(tmp_path, ["ours-0", "ours-1", "paper-0", "champ-0", "disco-0"]))
    assert [row.name for row in rows] == [FULL, "the paper's parts", "idea of DisCo", "idea of Champ"]
    assert rows[0].idea is None and len(rows[0].weights) == 2
    assert [(row.alone, row.plate) for row in rows[1:]] == [(False, "source"), (False, "source"), (True, "inpainted")]
    assert notes["idea of MRAA"] == "not trained yet" and "None of these is the published system" in str(notes)


def test_without_ours_there_is_nothing_to_compare_with(tmp_path):
    with pytest.raises(ClipError, match="no finished ours"):
        comparables.choose_rows(finished(tmp_path, ["mraa-0"]))


def test_the_titles_are_the_rows_and_say_what_sees_the_plate():
    assert list(titles.TITLES) == list(ROWS)
    assert set(titles.IN_THE_PLATE) == {name for name, kind in ROWS.items() if kind.environment}


def test_neighbouring_frames_are_pairs_inside_the_clip():
    assert comparables.neighbours(16) == [2, 3, 6, 7, 10, 11, 14, 15]
    assert comparables.neighbours(2) == [1, 2] and comparables.neighbours(1) == [1, 1]


def test_the_table_gets_the_kernel_distance_and_corrected_p():
    clips = [Clip(Path(f"{k}"), None, "fast" if k % 2 else "blender", "insertion", f"{k}") for k in range(8)]
    rng, names = np.random.default_rng(3), (FULL, "idea of A", "idea of B")
    measured = []
    for _ in clips:
        true = rng.normal(size=6)
        measured.append({name: {"ssim": 0.9 - 0.1 * place + 0.01 * rng.random(), "parts": {},
                                "features": (true + place + 0.01 * rng.normal(size=6))[None], "featurestrue": true}
                         for place, name in enumerate(names)})
    values = {name: [one[name] for one in comparables.without_features(measured)] for name in names}
    told = report(clips, values, {}, ("ssim",))
    raw = told["paired_p"]["idea of A"]["ssim"]
    comparables.complete(told, clips, measured)
    distance = [told["models"][name]["kernel_distance"] for name in names]
    assert distance[0]["mean"] < distance[1]["mean"] < distance[2]["mean"]
    assert all(one["low"] <= one["mean"] <= one["high"] for one in distance[1:])
    assert told["paired_p"]["idea of A"]["ssim"] == pytest.approx(2 * raw, abs=1e-5)
    assert told["paired_p"]["idea of B"]["kernel_distance"] < 0.05
    assert weights(["fast"], ["a"], 3).shape == (3, 1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return read_clip(held_out.draw_fast(tmp_path_factory.mktemp("clips"), 1, frames=2)[0])


def test_ideas_are_chosen_by_clips_that_are_not_scored(clip, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(quick, "draw_fast", lambda *told, set_: asked.append((*told, set_)) or [clip.folder])
    options = SimpleNamespace(blender=None, cache=tmp_path, references="first")
    assert [one.folder for one in table.quick_set(options)] == [clip.folder]
    assert asked == [(tmp_path / "quick", quick.COUNT, quick.FRAMES, 1)]
    options.blender = clip.folder.parent
    assert [one.folder for one in table.quick_set(options)] == [clip.folder] * 2


@pytest.mark.parametrize("name", ["mraa", "paper"])
def test_a_clips_frames_come_from_a_rows_weights_and_are_kept(clip, tmp_path, monkeypatch, name):
    """On the product's own conditions, crops and layers."""
    monkeypatch.setattr(frames.Finder, "find_joints", staticmethod(lambda picture: None))
    torch.manual_seed(0)
    model = ROWS[name](TINY)
    (tmp_path / "w").mkdir()
    save_weights(model.state_dict(), tmp_path / "w" / "weights.safetensors")
    write_json(tmp_path / "w" / "sizes.json", model.sizes.as_dict())
    row = Row(name, (tmp_path / "w",), alone=name == "mraa", surface=False, idea=name)
    made = made_by(row, tmp_path / "w", clip, tmp_path / "kept")
    assert len(made) == 2 and made[0].character.shape == (*clip.job.size[::-1], 4)
    assert (made[0].visible is None) == (name == "paper") and made[0].region.any()
    assert made[0].character[..., 3].max() > 0 and not made[0].character[..., 3][away_from(made[0].region)].any()
    monkeypatch.setattr(frames, "draw", lambda *_: pytest.fail("kept frames are made again"))
    again = made_by(row, tmp_path / "w", clip, tmp_path / "kept")
    assert np.array_equal(again[1].character, made[1].character) and np.array_equal(again[1].region, made[1].region)
    monkeypatch.setattr(cv2, "putText", lambda *_: None)
    sheet = comparable_sheet.draw([clip], [row], tmp_path / "kept")
    assert sheet.shape == (comparable_sheet.HEAD + comparable_sheet.SIDE, 3 * comparable_sheet.SIDE, 3)
