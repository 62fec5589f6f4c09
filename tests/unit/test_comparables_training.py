"""The trainer of the comparables: equal frames and clips for every row, the autoencoder kept, stops and resumes."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from engine.contract import json_reader
from engine.engines.compact.nets.model import save_weights
from engine.engines.compact.nets.sizes import COMPACT, Sizes
from engine.packs.weights_file import tensors
from lab.comparables import costs, training
from lab.comparables.rows import ROWS
from lab.training import samples
from lab.training.loop import Batches
from tests.unit.tiny import TINY, tiny_model

ONE_STEP = SimpleNamespace(batch=1, all_frames=4, device="cpu", pool=None, windows=None, workers=0, share=0.5)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "weights.safetensors"
    save_weights(tiny_model().state_dict(), path)
    return path


@pytest.fixture
def fed(monkeypatch):
    """Batches of the real shapes, without clips; what each row was fed."""
    given = []

    def feed(run, options, seed):
        while True:
            torch.manual_seed(seed * 1000 + run.step)
            batch = {name: torch.rand_like(tensor) for name, tensor in costs.empty_batch(4, 64).items()}
            whole = {name: torch.rand(1, 4, count, 64, 64) for name, count in
                     (("target", 5), ("weight", 1), ("matte", 1), ("cover", 1), ("surface", 3))}
            given.append(whole["target"].sum().item())
            yield batch | whole
    monkeypatch.setattr(training, "feed", feed)
    return given


@pytest.mark.parametrize("name", ROWS)
def test_a_row_learns_all_but_the_autoencoder(name, start, fed, tmp_path):
    training.train_row(name, 0, tmp_path / "a", SimpleNamespace(**vars(ONE_STEP), start=start), TINY)
    made, begun = tensors(tmp_path / "a" / "weights.safetensors"), tensors(start)
    assert (tmp_path / "a" / "sizes.json").exists() and (tmp_path / "a" / "look_000001.png").exists()
    for key, array in made.items():
        if key.startswith(("encoder.", "decoder.")):
            assert (array == begun[key]).all(), key
    fresh = training.RowRun(name, 0, tmp_path / "b", training.RECIPE, start, "cpu", TINY).model.state_dict()
    assert any((fresh[key].half().numpy() != array).any() for key, array in made.items())
    sizes = Sizes.from_dict(json_reader.read(tmp_path / "a" / "sizes.json"))
    assert ROWS[name](sizes).state_dict().keys() == made.keys(), "the stored sizes make the same networks"


def test_every_row_is_fed_alike_and_a_stopped_one_goes_on(start, fed, tmp_path):
    options = SimpleNamespace(**{**vars(ONE_STEP), "all_frames": 12}, start=start)
    training.train_row("mraa", 1, tmp_path / "m", options, TINY)
    first = fed[:3]
    del fed[:]
    training.train_row("uni_animate", 1, tmp_path / "u", options, TINY)
    assert fed[:3] == first
    whole = tensors(tmp_path / "m" / "weights.safetensors")
    part = SimpleNamespace(**{**vars(options), "all_frames": 8})
    recipe_steps = training.steps_of(8, replace(training.RECIPE, batch=1))
    assert recipe_steps == 2
    training.train_row("mraa", 1, tmp_path / "m2", part, TINY)
    training.train_row("mraa", 1, tmp_path / "m2", options, TINY)
    assert training.RowRun("mraa", 1, tmp_path / "m2", training.RECIPE, start, "cpu", TINY).step == 3
    assert whole.keys() == tensors(tmp_path / "m2" / "weights.safetensors").keys()


def test_6000_frames_are_500_steps_of_the_recipe():
    assert training.FRAMES == 6000 and training.steps_of(training.FRAMES, training.RECIPE) == 500
    assert training.EMBEDDED.exists()


def test_the_rows_are_fed_from_the_same_windows_whatever_their_switches(clips):
    """Sizes change what a batch shows, not which clips it shows."""
    recipe = replace(training.RECIPE, batch=1, frames=2)
    one, other = (Batches(clips, recipe, 3, sizes)[4] for sizes in
                  (COMPACT, replace(COMPACT, matte_and_shadow=False, warp=False)))
    assert torch.equal(one["skeleton"], other["skeleton"]) and torch.equal(one["target"][:, :, :3],
                                                                           other["target"][:, :, :3])
    assert samples.KINDS[0] == COMPACT.mask


def test_the_costs_count_the_trained_and_the_flops():
    model = ROWS["animate_anyone"](TINY).eval()
    every, trained = costs.parameters(model)
    kept = sum(p.numel() for part in (model.encoder, model.decoder) for p in part.parameters())
    assert every - trained == kept > 0
    assert costs.flops_per_frame(model, 64) > 0
