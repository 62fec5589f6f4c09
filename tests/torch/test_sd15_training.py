"""`lab train sd15` at tiny size: the loss falls, only what should learn does, and the result is a pack."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.contract import jobs
from engine.engines.base import Want
from engine.engines.compact.nets.sizes import Sizes as WindowSizes
from engine.engines.sd15.engine import Sd15Engine
from engine.engines.sd15.nets.model import ADDED, forked
from engine.engines.sd15.networks import read_weights
from engine.packs.store import read_pack
from lab.training.loop import Budget
from lab.training.pool import draw
from lab.training.pooled_clip import CLEAN, SHAPES
from lab.training.samples import Window, batch_of, draw_window
from lab.training.stage_sd15 import RECIPES, Family, PackRun, learn, whole
from tests.torch.sd15_pack import make_pack
from tests.torch.sd15_tiny import SHALLOW, noise, random_model

SMALLER = 8     # than a real window, so that the test is quick


@pytest.fixture(scope="module")
def batch():
    """One of our windows with two frames, made small."""
    clip = draw(SHAPES.index((256, 256)), 2)
    window = draw_window(np.random.default_rng(1), clip, 2, clip.layers[0, ..., CLEAN])
    stacked = {field.name: torch.from_numpy(np.asarray(getattr(window, field.name)))[None] for field in fields(Window)}
    made = batch_of(stacked, WindowSizes(matte_and_shadow=False))
    return {name: F.avg_pool2d(value.flatten(0, -4), SMALLER).unflatten(0, value.shape[:-3])
            for name, value in made.items() if name not in ("maps", "surface", "cover", "warp", "matte", "weight")}


@pytest.fixture
def start(tmp_path):
    return make_pack(tmp_path / "start")


def recipe(stage):
    return replace(RECIPES[stage], batch=1, frames=2, learning_rate=3e-3, warm_up=5, average_over=10)


def loss(run, batch, draws=6):
    """The mean over the same steps and the same noise."""
    family, model = Family(run.encoders), run.average
    with torch.no_grad():
        return float(np.mean([family.loss_of(model, batch, torch.Generator().manual_seed(k), 0.0)[0]
                              for k in range(draws)]))


@pytest.mark.parametrize("stage", RECIPES)
def test_the_loss_falls(start, tmp_path, batch, stage):
    run = PackRun(tmp_path / "run", recipe(stage), start, "cpu")
    before = loss(run, batch)
    folder = learn(run, itertools.repeat(batch), Budget(steps=25), seed=0)
    assert loss(run, batch) < 0.9 * before
    given, made = (read_weights(pack, read_pack(pack).manifest.files) for pack in (start, folder))
    changed = {name for name, weight in given.items() if not torch.equal(weight, made[name])}
    assert changed and all(run.learns(name) for name in changed)
    assert any("motion_modules" in name for name in changed) == (stage == "motion")
    assert all(made[name].any() for name in made if name.startswith(ADDED) and name.endswith("gate"))
    facts = Sd15Engine.facts(read_pack(folder).manifest, jobs.Settings(engine="sd15-aa2"))
    assert facts.wants == {Want.DEPTH, Want.OBJECTS} and facts.pose_style == "compact", "that of our windows"


def test_a_run_goes_on_from_its_checkpoint_and_no_other(start, tmp_path, batch):
    """A checkpoint holds only what learns."""
    run = PackRun(tmp_path / "run", recipe("image"), start, "cpu")
    learn(run, itertools.repeat(batch), Budget(steps=1), seed=0)
    again = PackRun(tmp_path / "run", recipe("image"), start, "cpu")
    assert again.step == 1
    for name in ("model", "average"):
        one, other = (getattr(each, name).state_dict() for each in (run, again))
        assert all(torch.equal(weight, other[weight_name]) for weight_name, weight in one.items())
    with pytest.raises(ValueError, match="of another stage"):
        PackRun(tmp_path / "run", recipe("motion"), start, "cpu")


def test_untrained_parts_change_nothing():
    """"gated" and "residual" begin as identity; the paper's own forms do not."""
    family = random_model()
    given = dict(tokens=noise(1, 1, SHALLOW.token_width), reference=family.reference_net(
        noise(1, 4, 8, 8), noise(1, 1, SHALLOW.token_width)))
    skeleton, depth = noise(3, 3, 64, 64).abs(), noise(3, 1, 64, 64).abs()
    environment, masks, mask = noise(3, 4, 8, 8), torch.ones(3, 2, 8, 8), torch.ones(3, 1, 8, 8)

    def velocity(model):
        pose = model.pose_guider(skeleton, depth, 1)
        objects = model.object_guider(environment, mask) if model.sizes.blending != "off" else None
        return model.denoising_net(noise(3, 4, 8, 8), torch.full((3,), 500), pose, clips=1, environment=environment,
                                   masks=masks, objects=objects, **given)
    with torch.no_grad():
        plain = velocity(family)
        same = velocity(forked(whole(SHALLOW), family.state_dict()))
        blended = velocity(forked(replace(whole(SHALLOW), blending="literal"), family.state_dict()))
        modulated = velocity(forked(replace(whole(SHALLOW), modulation="literal"), family.state_dict()))
    assert torch.equal(plain, same)
    assert (plain - blended).abs().mean() > 1e-2 and (plain - modulated).abs().mean() > 1e-2
