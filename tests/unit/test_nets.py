"""Each of the paper's parts does its work: it changes nothing at the start, and later has the intended influence."""

from dataclasses import replace

import pytest
import torch

from tests.unit.tiny import TINY, tiny_model, window


def features(model, frames, side=64, clips=1):
    """Reference, pose and object features for a window."""
    generator = torch.Generator().manual_seed(5)
    n = clips * frames

    def rand(*shape):
        return torch.rand(shape, generator=generator)
    return {"reference": model.reference_net(rand(clips, 8, side // 4, side // 4), rand(clips, 3, side, side)),
            "pose": model.pose_guider(rand(n, 3, side, side), rand(n, 1, side, side), clips),
            "objects": model.object_guider(rand(n, 8, side // 4, side // 4), torch.ones(n, 1, side, side))}


def predict(model, inputs, parts, clips=1):
    with torch.no_grad():
        return model.denoising_net(**inputs, **parts, clips=clips)[0]


def without_objects(parts):
    masked = [torch.zeros_like(x) if k % 2 else x for k, x in enumerate(parts["objects"])]
    return {**parts, "objects": masked}


def test_gated_blending_is_the_identity_at_the_start():
    model = tiny_model(stirred=False)
    parts = features(model, 3)
    assert torch.equal(predict(model, window(), parts), predict(model, window(), {**parts, "objects": None}))


def test_gated_blending_has_no_influence_without_objects():
    model = tiny_model()
    parts = features(model, 3)
    assert not torch.allclose(predict(model, window(), parts), predict(model, window(), without_objects(parts)))
    assert torch.equal(predict(model, window(), without_objects(parts)),
                       predict(model, window(), {**parts, "objects": None}))


def test_gated_blending_stays_in_the_mask():
    """One layer of it changes nothing where the mask is 0, and something where it is 1."""
    blending = tiny_model().denoising_net.blending["mid"]
    noise, objects, mask = torch.randn(1, 32, 6, 6), torch.randn(1, 32, 6, 6), torch.zeros(1, 1, 6, 6)
    mask[..., 2:4, 2:4] = 1
    with torch.no_grad():
        changed = (blending(noise, objects, mask) != noise).any(dim=1, keepdim=True)
    assert torch.equal(changed, mask > 0)


def test_objects_far_apart_are_each_blended():
    """Two objects are in the mask: removing one changes its own place and leaves the other's."""
    blending = tiny_model().denoising_net.blending["mid"]
    noise, objects = torch.randn(1, 32, 6, 12), torch.randn(1, 32, 6, 12)
    both, left = torch.zeros(1, 1, 6, 12), torch.zeros(1, 1, 6, 12)
    both[..., 2:4, 1:3] = left[..., 2:4, 1:3] = both[..., 2:4, 9:11] = 1
    with torch.no_grad():
        with_both, with_left = blending(noise, objects, both), blending(noise, objects, left)
    assert torch.equal(with_both[..., :6], with_left[..., :6]) and torch.equal(with_left[..., 6:], noise[..., 6:])
    assert not torch.equal(with_both[..., 6:], noise[..., 6:])


def test_literal_blending_starts_at_one_half():
    blending = tiny_model(replace(TINY, blending="literal"), stirred=False).denoising_net.blending["mid"]
    noise, objects = torch.randn(1, 32, 4, 4), torch.randn(1, 32, 4, 4)
    assert torch.allclose(blending(noise, objects, torch.zeros(1, 1, 4, 4)), (noise + objects) / 2)


def test_environment_and_warp_enter_as_the_identity():
    net = tiny_model(stirred=False).denoising_net
    assert not net.environment_in.weight.any() and not net.warp_in.weight.any()


@pytest.mark.parametrize("switch, name", [("environment", "environment"), ("warp", "warp")])
def test_a_switched_off_input_is_never_read(switch, name):
    model = tiny_model(replace(TINY, **{switch: False}))
    parts, inputs = features(model, 3), window()
    other = {**inputs, name: inputs[name] + 1}
    assert torch.equal(predict(model, inputs, parts), predict(model, other, parts))
    whole = tiny_model()
    parts = features(whole, 3)
    assert not torch.allclose(predict(whole, inputs, parts), predict(whole, other, parts))


def test_likeness_trusts_the_warp_where_one_lies_and_changes_nothing_elsewhere():
    asked, strong = tiny_model(), tiny_model(replace(TINY, likeness=40.0))
    parts, inputs = features(asked, 3), window()
    inputs["coverage"] = torch.zeros_like(inputs["coverage"])
    inputs["coverage"][..., :32] = 1.0
    learnt, led = predict(asked, inputs, parts), predict(strong, inputs, parts)
    assert torch.allclose(led[..., :8], inputs["warp"][..., :8], atol=1e-3)
    assert not torch.allclose(learnt[..., :8], inputs["warp"][..., :8], atol=1e-1)
    assert torch.allclose(led[..., 8:], learnt[..., 8:], atol=1e-5)


def test_pose_modulation_is_the_identity_at_the_start_and_reads_depth_after():
    skeleton, near, far = torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64), torch.full((2, 1, 64, 64), 0.2)
    fresh, stirred = tiny_model(stirred=False).pose_guider, tiny_model().pose_guider
    torch.nn.init.normal_(fresh.merge.weight)
    assert torch.equal(fresh(skeleton, near, 1), fresh(skeleton, far, 1))
    assert not torch.allclose(stirred(skeleton, near, 1), stirred(skeleton, far, 1))
    off = tiny_model(replace(TINY, pose_modulation=False)).pose_guider
    assert torch.equal(off(skeleton, near, 1), off(skeleton, far, 1))


def test_temporal_layers_start_as_the_identity_and_then_join_frames():
    for stirred in (False, True):
        model = tiny_model(stirred=stirred)
        layer, x = model.denoising_net.temporal["mid"], torch.randn(4, 32, 4, 4)
        together, alone = layer(x, 1), layer(x[:1], 1)
        assert torch.allclose(together[:1], alone) != stirred


def test_norms_are_per_frame():
    """A frame's residual block must not see its neighbours: pooling over frames is silently wrong (method notes 3)."""
    block = tiny_model().denoising_net.residual["mid"]
    x, level = torch.randn(3, 32, 4, 4), torch.randn(3, 16)
    loud = torch.cat([x[:1], 100 * x[1:]])
    assert torch.allclose(block(x, level)[:1], block(loud, level)[:1], atol=1e-6)


def test_clips_of_a_batch_do_not_mix():
    model = tiny_model()
    inputs, parts = window(3, clips=2), features(model, 3, clips=2)
    both = predict(model, inputs, parts, clips=2)
    one = {"reference": [x[:1] for x in parts["reference"]], "pose": parts["pose"][:3],
           "objects": [x[:3] for x in parts["objects"]]}
    assert torch.allclose(both[:3], predict(model, {k: v[:3] for k, v in inputs.items()}, one), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5])
def test_windows_of_any_length(frames):
    model = tiny_model()
    assert predict(model, window(frames), features(model, frames)).shape == (frames, 8, 16, 16)


@pytest.mark.parametrize("where, count", [("mid_up", 3), ("everywhere", 5)])
def test_reference_features_where_the_sizes_say(where, count):
    model = tiny_model(replace(TINY, reference_blocks=where))
    parts = features(model, 3)
    assert len(parts["reference"]) == count
    other = {**parts, "reference": [x + 1 for x in parts["reference"]]}
    assert not torch.allclose(predict(model, window(), parts), predict(model, window(), other))


def test_latents_are_a_quarter_of_the_size():
    model = tiny_model()
    latents = model.encoder(torch.rand(2, 5, 48, 64))
    assert latents.shape == (2, 8, 12, 16) and model.decoder(latents).shape == (2, 5, 48, 64)


def test_the_compact_model_has_the_size_it_says():
    from engine.engines.compact.nets.model import Model
    from engine.engines.compact.nets.sizes import COMPACT
    millions = sum(p.numel() for p in Model(COMPACT).parameters()) / 1e6
    assert 10 <= millions <= 16
