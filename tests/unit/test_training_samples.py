"""The self-supervised samples are what the paper says."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.conditions.depth import limb_depth
from engine.contract.skeleton import BODY_INDEX
from lab.training import pooled_clip, samples
from lab.training.samples import SampleMaker, batch_of
from tests.unit.tiny import TINY


def sample(maker, seed, frames=1, **switches):
    """The networks' inputs of one window, by name, as numpy."""
    window = maker.make(np.random.default_rng(seed), frames)
    assert all(value.dtype == np.uint8 for value in vars(window).values())
    batch = batch_of({name: torch.from_numpy(np.asarray(value)[None]) for name, value in vars(window).items()},
                     replace(TINY, **switches))
    return SimpleNamespace(**{name: tensor[0].numpy() for name, tensor in batch.items()})


def test_samples_are_in_range_and_repeatable(clips):
    made, again = (sample(SampleMaker(clips, (256, 256)), 5, 2) for _ in range(2))
    for name, value in vars(made).items():
        assert value.dtype == np.float32 and np.isfinite(value).all(), name
        assert np.array_equal(value, getattr(again, name)), name
        if name != "weight":
            least, most = (-1.28, 1.27) if name == "maps" else (0, 1)
            assert least <= value.min() and value.max() <= most, name
    assert made.target.shape == (2, 5, 256, 256) and made.reference.shape == (5, 256, 256)


def test_what_the_net_may_not_see_is_not_in_the_environment(clips):
    """Outside M_f, the environment is the target's picture or the clean plate; inside, it is empty unless it is
    known."""
    maker = SampleMaker(clips, (192, 352))
    kinds = set()
    for seed in range(12):
        made = sample(maker, seed)
        region, known = made.masks[0]
        hidden = (region > 0) & (known == 0)
        assert not made.environment[0, :3][:, hidden].any()
        if not known.any() and np.array_equal(made.environment[0, :3][:, region == 0],
                                              made.target[0, :3][:, region == 0]):
            kinds.add("replacement")
            # no part of the performer remains outside the mask
            assert not (made.target[0, 3] > 0.05)[region == 0].any()
        elif known.any():
            kinds.add("insertion")
    assert kinds == {"replacement", "insertion"}


def test_other_masks_and_no_matte_are_drawn_from_the_same_chances(clips):
    """The ablations' samples differ only in the region and in the matte and shadow, not in anything that was drawn at
    random."""
    maker = SampleMaker(clips, (256, 256))
    for seed in range(6):
        paper, exact, box = sample(maker, seed), sample(maker, seed, mask="exact"), sample(maker, seed, mask="box")
        for name in ("skeleton", "depth", "warp", "target", "reference", "object_mask"):
            assert np.array_equal(getattr(paper, name), getattr(box, name)), name
            assert np.array_equal(getattr(paper, name), getattr(exact, name)), name
        areas = [s.masks[0, 0].sum() for s in (exact, paper, box)]
        assert areas == sorted(areas) and areas[0] < areas[2]
        bare = sample(maker, seed, matte_and_shadow=False)
        assert np.array_equal(bare.target[:, :3], paper.target[:, :3]) and np.array_equal(bare.masks, paper.masks)
        assert not bare.target[:, 3].any() and (bare.target[:, 4] == 1).all()


def test_the_loss_counts_the_character_most_and_the_rest_a_tenth(clips):
    made = sample(SampleMaker(clips, (256, 256)), 1)
    region, character, weight = made.masks[0, 0] > 0, made.target[0, 3] == 1, made.weight[0, 0]
    assert weight[~region].min() == pytest.approx(0.1) and weight[region].min() >= 1
    assert weight[character].min() >= 2.4 > weight[~region].mean()


def test_a_mirrored_clip_is_what_a_mirror_shows(clips, monkeypatch):
    """Pictures are mirrored, the left hand becomes the right one, and the joints still lie on the character."""
    clip = pooled_clip.read(sorted(clips.glob("*.npz"))[0])
    monkeypatch.setattr(samples, "MIRRORED", 1.0)
    turned = samples.mirror(np.random.default_rng(0), clip)
    width, height = clip.layers.shape[2], clip.layers.shape[1]
    assert np.array_equal(turned.layers, clip.layers[:, :, ::-1]) and np.array_equal(turned.reference,
                                                                                     clip.reference[:, ::-1])
    left, right = BODY_INDEX["left_wrist"], BODY_INDEX["right_wrist"]
    assert np.allclose(turned.body[:, left, 0], width - clip.body[:, right, 0]) and np.array_equal(
        turned.body[:, left, 1:], clip.body[:, right, 1:])
    assert np.array_equal(turned.hands[:, 0, :, 1:], clip.hands[:, 1, :, 1:])
    tall, size = float(clip.height_px[0]), (width, height)
    before, after = (limb_depth(c.body[0], tuple(c.hands[0]), size, tall, near=1.0, far=20.0)[..., 0]
                     for c in (clip, turned))
    assert np.abs(before[:, ::-1] - after).mean() < 0.02 * before.mean()
    again = samples.mirror(np.random.default_rng(0), turned)
    for name, value in vars(again).items():
        assert np.allclose(value, getattr(clip, name), atol=1e-3), name
