"""Which rows and clips a score consists of, and what is said about those that are missing."""
import json
import pickle
from argparse import Namespace
from pathlib import Path

import pytest

from engine.contract.errors import JobError
from lab.evaluation import table
from lab.evaluation.clips import Clip, ClipError
from lab.evaluation.measure import COLUMNS
from lab.evaluation.rows import ABLATIONS
from lab.evaluation.score import main
from lab.evaluation.weights import open_engine

ALWAYS = ["full", "surface_only", "shipped", "oracle_gain", "oracle_light"]
FOUND = ["reference_estimated", "performer_estimated"]


def options(**given):
    usual = {"pack": [], "ablations": None, "all": False, "blender": None, "cache": Path("nowhere"), "clips": 4}
    return Namespace(**{**usual, "references": "first", **given})


def forks(folder, names=("full", *ABLATIONS), seeds=2):
    for name in names:
        for seed in range(seeds):
            (folder / f"{name}-{seed}").mkdir(parents=True)
            (folder / f"{name}-{seed}" / "sizes.json").write_text("{}")
    return folder


def test_full_is_compared_with_the_bare_surface_the_limb_warp_and_the_ceilings():
    rows, notes = table.choose_rows(options())
    assert [row.name for row in rows] == ALWAYS and not notes
    full, bare, shipped, *oracles = rows
    assert full.surface and full.light is None and bare.light == "as it is" and not shipped.surface
    assert [row.light for row in oracles] == ["gain", "light"] and all(row.weights == (None,) for row in rows)


def test_all_adds_the_pasted_rows_and_they_say_whose_weights_they_use():
    rows, notes = table.choose_rows(options(all=True))
    assert [row.name for row in rows] == [*ALWAYS, *FOUND, "pasted_inpainted", "pasted_exact"]
    assert all(row.weights == (None,) for row in rows) and "empty environment" in notes["pasted rows"]


def test_with_ablations_every_row_is_a_fork_of_equal_steps(tmp_path):
    rows, notes = table.choose_rows(options(ablations=forks(tmp_path), all=True, pack=[Path("packs/compact")]))
    assert [row.name for row in rows] == [*ALWAYS, *FOUND, "pasted_inpainted", "pasted_exact", *ABLATIONS, "compact"]
    found = {row.name: row for row in rows}
    assert found["full"].weights == found["shipped"].weights == (tmp_path / "full-0", tmp_path / "full-1")
    assert found["pasted_exact"].weights == (tmp_path / "without_environment-0", tmp_path / "without_environment-1")
    assert not found["without_ours"].surface and found["without_blending"].surface
    assert "pasted rows" not in notes and "fork" in notes["full"]
    assert [row.name for row in table.choose_rows(options(ablations=tmp_path))[0]] == [*ALWAYS, "pack"]


def test_an_unfinished_ablation_is_named(tmp_path):
    forks(tmp_path)
    for seed in range(2):
        (tmp_path / f"box_mask-{seed}" / "sizes.json").unlink()
    with pytest.raises(ClipError, match="box_mask"):
        table.choose_rows(options(ablations=tmp_path, all=True))


def test_ablations_that_were_not_asked_for_are_left_out_and_named(tmp_path):
    rows, notes = table.choose_rows(options(
        ablations=forks(tmp_path, ("full", "without_environment", "without_blending")), all=True))
    assert [row.name for row in rows][-3:] == ["without_blending", "without_environment", "pack"]
    assert "box_mask" in notes["rows that were not trained"]


def test_without_all_only_what_is_measured_has_to_be_there(tmp_path):
    assert len(table.choose_rows(options(ablations=forks(tmp_path, ("full",))))[0]) == len(ALWAYS) + 1


def test_two_rows_of_one_name_are_refused():
    with pytest.raises(ClipError, match="rename"):
        table.choose_rows(options(pack=[Path("a"), Path("x/b"), Path("y/b")]))


def clip(world, number):
    return Clip(Path(f"{number}"), None, world, "insertion", f"{world} {number}")


def test_worlds_take_turns_and_a_missing_one_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "draw_fast", lambda folder, count: range(count))
    monkeypatch.setattr(table, "read_clip", lambda number, references: clip("fast", number))
    monkeypatch.setattr(table, "clips_in", lambda folder, references: [clip("blender", number) for number in range(40)])
    notes = {}
    chosen = table.choose_clips(options(clips=64), notes)
    assert [one.name for one in chosen[:3]] == ["fast-0", "blender-0", "fast-1"] and len(chosen) == 64 and not notes
    monkeypatch.setattr(table, "clips_in", lambda folder, references: [])
    chosen = table.choose_clips(options(clips=64), notes)
    assert len(chosen) == 32 and "32 held-out clips" in notes["blender's world is missing"]


def test_the_second_references_are_asked_of_both_worlds_and_noted(monkeypatch):
    asked = []
    monkeypatch.setattr(table, "draw_fast", lambda folder, count: range(count))
    monkeypatch.setattr(table, "read_clip", lambda number, references: asked.append(references) or clip("fast", number))
    monkeypatch.setattr(table, "clips_in", lambda folder, references: asked.append(references) or [clip("blender", 0)])
    notes = {}
    table.choose_clips(options(clips=2, references="second"), notes)
    assert asked == ["second", "second"] and "second version" in notes["references"]


def test_seeds_of_a_row_are_averaged_without_what_they_did_not_measure():
    one = {**dict.fromkeys(COLUMNS, 1.0), "parts": {"face": 2.0}}
    other = {**dict.fromkeys(COLUMNS, 2.0), "pose_error_px": float("nan"), "parts": {"face": 4.0, "feet": 1.0}}
    made = table._mean_of([one, other])
    assert made["ssim"] == 1.5 and made["pose_error_px"] == 1.0 and made["parts"] == {"face": 3.0, "feet": 1.0}


@pytest.mark.parametrize("wrong", [["--clips", "0"], ["--workers", "0"], ["--quick-set"]])
def test_a_command_line_that_means_nothing_is_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        main(wrong)
    assert "--" in capsys.readouterr().err


def test_quick_names_what_is_no_weights(tmp_path, capsys):
    (tmp_path / "clips").mkdir()
    assert main(["--quick", str(tmp_path), "--blender", str(tmp_path / "clips")]) == 1
    assert "holds no finished clip" in capsys.readouterr().err


def test_weights_that_are_none_are_named(tmp_path):
    with pytest.raises(JobError, match="weights.safetensors"):
        open_engine(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"no")
    (tmp_path / "sizes.json").write_text(json.dumps({"no_such_field": 1}))
    with pytest.raises(JobError) as told:
        open_engine(tmp_path)
    assert told.value.code == "pack_invalid"


def test_a_fault_in_a_worker_travels_between_processes(tmp_path):
    with pytest.raises(ClipError) as told:
        table.measure_clip(tmp_path, [], tmp_path)
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value) and str(tmp_path) in str(told.value)
