"""The self-supervised samples are what the paper says, and a run that is cut goes on as if it had not been."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.training import pool, stage_autoencoder, stage_image, stage_motion
from engine.training.loop import Batches, Run
from engine.training.samples import SampleMaker
from tests.unit.tiny import TINY


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips of every shape, two frames each."""
    folder = tmp_path_factory.mktemp("pool")
    pool.fill(folder, count=12, frames=2)
    return folder


def test_a_clip_survives_the_disk_and_is_not_drawn_twice(clips):
    path = sorted(clips.glob("*.npz"))[0]
    before = path.stat().st_mtime_ns
    pool.fill(clips, count=1, frames=2)
    assert path.stat().st_mtime_ns == before
    drawn, stored = pool.draw(0, 2), pool.read(path)
    for name, value in vars(drawn).items():
        assert np.array_equal(value, getattr(stored, name)), name


def test_held_out_identities_are_not_drawn(tmp_path):
    pool.fill(tmp_path, count=1, frames=1, first_seed=63)
    assert not list(tmp_path.glob("*.npz"))


def test_samples_are_in_range_and_repeatable(clips):
    maker = SampleMaker(clips, (256, 256))
    sample, again = (maker.make(np.random.default_rng(5), 2) for _ in range(2))
    for name, value in vars(sample).items():
        assert value.dtype == np.float32 and np.isfinite(value).all(), name
        assert np.array_equal(value, getattr(again, name)), name
        if name != "weight":
            assert 0 <= value.min() and value.max() <= 1, name
    assert sample.target.shape == (2, 5, 256, 256) and sample.reference.shape == (5, 256, 256)


def test_what_the_net_may_not_see_is_not_in_the_environment(clips):
    """Outside M_f the environment is the target's picture or the clean plate; inside it is empty unless it is known."""
    maker = SampleMaker(clips, (192, 352))
    kinds = set()
    for seed in range(12):
        sample = maker.make(np.random.default_rng(seed), 1)
        region, known = sample.masks[0]
        hidden = (region > 0) & (known == 0)
        assert not sample.environment[0, :3][:, hidden].any()
        if not known.any() and np.array_equal(sample.environment[0, :3][:, region == 0], sample.target[0, :3][:, region == 0]):
            kinds.add("replacement")
            # nothing of the performer is left standing outside the mask
            assert not (sample.target[0, 3] > 0.05)[region == 0].any()
        elif known.any():
            kinds.add("insertion")
    assert kinds == {"replacement", "insertion"}


def test_too_small_a_pool_is_said(tmp_path):
    with pytest.raises(ValueError, match="found 0"):
        SampleMaker(tmp_path, (256, 256))


@pytest.mark.parametrize("stage", [stage_autoencoder, stage_image, stage_motion])
def test_a_cut_run_resumes_bit_exactly(stage, clips, tmp_path):
    recipe = replace(stage.RECIPE, batch=2, frames=min(stage.RECIPE.frames, 2))
    batches = Batches(clips, recipe, seed=0)

    def steps(run, count):
        for _ in range(count):
            generator = torch.Generator().manual_seed(run.step)
            loss, _ = stage.loss_of(run.model, batches[run.step], generator, 0.9)
            run.learn(loss, 1.0)

    straight = Run(tmp_path / "straight", recipe, None, "cpu", TINY)
    steps(straight, 2)
    cut = Run(tmp_path / "cut", recipe, None, "cpu", TINY)
    steps(cut, 1)
    cut.save()
    resumed = Run(tmp_path / "cut", recipe, None, "cpu", TINY)
    steps(resumed, 1)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in straight.average.state_dict().items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name


def test_averaged_weights_start_another_run(clips, tmp_path):
    run = Run(tmp_path / "a", stage_image.RECIPE, None, "cpu", TINY)
    run.save()
    other = Run(tmp_path / "b", stage_image.RECIPE, tmp_path / "a" / "weights.safetensors", "cpu", TINY)
    for name, value in run.average.state_dict().items():
        assert torch.allclose(value, other.model.state_dict()[name], atol=2e-3), name


def test_the_autoencoder_starts_at_the_principal_components(clips):
    """Before any training, pictures survive at 24 dB or better and a flat shadow exactly."""
    from engine.nets.model import Model
    from engine.nets.sizes import COMPACT
    from engine.nets.vae import start_from_components
    model = Model(COMPACT).eval()
    pictures = torch.cat([Batches(clips, replace(stage_image.RECIPE, batch=2), 0)[k]["target"][:, 0] for k in (0, 2)])
    start_from_components(model.encoder, model.decoder, pictures)
    with torch.no_grad():
        made = model.decoder(model.encoder(pictures))
        assert -10 * torch.log10(((made - pictures)[:, :3] ** 2).mean()) > 24
        pictures[:, 4] = 0.4
        assert (model.decoder(model.encoder(pictures))[:, 4] - 0.4).abs().mean() < 0.02
