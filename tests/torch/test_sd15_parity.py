"""The networks of sd15-aa2 against a second implementation, built from diffusers' own U-Nets: the same random weights
must give the same velocity."""

from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DConditionModel, UNetMotionModel
from torch import nn

from tests.torch.sd15_tiny import SHALLOW, TINY, noise, random_model

H, W = 10, 6    # not multiples of 8: the way up has to meet the way down


class Bank:
    """An attention processor that leaves what its block attends to in `bank`, or adds what lies there."""

    def __init__(self, name, bank, writes):
        self.name, self.bank, self.writes = name, bank, writes

    def __call__(self, attention, hidden_states, encoder_hidden_states=None, **_):
        seen = hidden_states
        if self.writes:
            self.bank[self.name] = hidden_states
        elif self.name in self.bank:
            repeated = self.bank[self.name].repeat_interleave(len(seen) // len(self.bank[self.name]), dim=0)
            seen = torch.cat([seen, repeated], dim=1)
        q, k, v = attention.to_q(hidden_states), attention.to_k(seen), attention.to_v(seen)
        q, k, v = (attention.head_to_batch_dim(x) for x in (q, k, v))
        weights = (q @ k.transpose(1, 2) * attention.scale).softmax(dim=-1)
        return attention.to_out[0](attention.batch_to_head_dim(weights @ v))


class PerFrame(nn.Module):
    """diffusers' motion modules norm (clips, c, frames, h, w) over frames; the family's weights want each alone."""

    def __init__(self, norm):
        super().__init__()
        self.norm = norm

    def forward(self, x):
        frames = [self.norm(x[:, :, i]) for i in range(x.shape[2])]
        return torch.stack(frames, dim=2)


def shape_of(sizes):
    return dict(block_out_channels=sizes.widths, layers_per_block=sizes.layers, norm_num_groups=sizes.groups,
                cross_attention_dim=sizes.token_width)


def load(net, weights, left_out=()):
    missing, unexpected = net.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.startswith(left_out) or name.endswith("pos_embed.pe") for name in missing), missing
    return net.eval()


def with_bank(net, bank, writes):
    net.set_attn_processor({name: Bank(name, bank, writes)
                            if name.endswith("attn1.processor") and "motion_modules" not in name else processor
                            for name, processor in net.attn_processors.items()})
    return net


def second(model, bank, per_frame=True):
    """(reference net, denoising net) of diffusers with the weights of ours."""
    sizes = model.sizes
    reference = load(UNet2DConditionModel(**shape_of(sizes), attention_head_dim=sizes.heads),
                     model.reference_net.state_dict(), ("conv_norm_out", "conv_out"))
    denoising = load(UNetMotionModel(**shape_of(sizes), num_attention_heads=sizes.heads,
                                     motion_num_attention_heads=sizes.heads, motion_max_seq_length=sizes.longest),
                     model.denoising_net.state_dict())
    with_bank(reference, bank, writes=True)
    with_bank(denoising, bank, writes=False)
    for name, module in list(denoising.named_modules()):
        if per_frame and name.rpartition(".")[0].endswith("motion_modules"):
            module.norm = PerFrame(module.norm)
    return reference, denoising


def both(model, frames, clips=1, with_reference=True, per_frame=True):
    """The velocities of ours and of the second implementation."""
    bank, n = {}, frames * clips
    noisy, pose = noise(n, 4, H, W), noise(n, TINY.widths[0], H, W, seed=2)
    tokens, looks = noise(clips, 1, TINY.token_width, seed=3), noise(clips, 4, H, W, seed=4)
    reference, denoising = second(model, bank, per_frame)
    denoising.conv_in.register_forward_hook(lambda module, given, made: made + pose)
    with torch.no_grad():
        features = model.reference_net(looks, tokens) if with_reference else None
        ours = model.denoising_net(noisy, torch.full((n,), 437.0), pose, clips=clips, tokens=tokens,
                                   reference=features)
        reference(looks, 0, encoder_hidden_states=tokens)
        if not with_reference:
            bank.clear()
        theirs = denoising(noisy.unflatten(0, (clips, frames)).transpose(1, 2), 437,
                           encoder_hidden_states=tokens.repeat_interleave(frames, dim=0)).sample
    return ours, theirs.transpose(1, 2).flatten(0, 1)


@pytest.mark.parametrize(("frames", "with_reference"), [(1, True), (3, True), (25, True), (3, False)])
def test_same_velocity_as_the_second_implementation(frames, with_reference):
    ours, theirs = both(random_model(TINY), frames, with_reference=with_reference)
    assert ours.std() > 0.1
    assert (ours - theirs).abs().max() < 2e-4 * ours.abs().max()


def test_clips_of_a_batch_do_not_see_each_other():
    ours, theirs = both(random_model(TINY), 3, clips=2)
    assert (ours - theirs).abs().max() < 2e-4 * ours.abs().max()


def test_a_norm_over_all_frames_is_seen_only_in_several_frames():
    """Without the patch, the second implementation is wrong by more than rounding: this comparison would notice."""
    one, three = (both(random_model(TINY), frames, per_frame=False) for frames in (1, 3))
    assert (one[0] - one[1]).abs().max() < 2e-4 * one[0].abs().max()
    assert (three[0] - three[1]).abs().max() > 1e-2 * three[0].abs().max()


def test_the_reference_and_the_token_reach_every_frame():
    with_it, without = (both(random_model(TINY), 3, with_reference=told)[0] for told in (True, False))
    assert ((with_it - without).abs().amax(dim=(1, 2, 3)) > 1e-2).all()


def test_the_papers_blocks_and_networks_without_a_token():
    """Two switches: features for the middle and the way up alone (paper 3.1), and no cross-attention."""
    sizes = replace(SHALLOW, reference_blocks="mid_up", image_attention=False)
    model, pose = random_model(sizes), noise(2, sizes.widths[0], H, W, seed=2)
    assert not [name for name in model.state_dict() if "attentions" in name and "attn2" in name]
    with torch.no_grad():
        features = model.reference_net(noise(1, 4, H, W, seed=4), None)
        made = [model.denoising_net(noise(2, 4, H, W), torch.full((2,), 437), pose, clips=1, reference=told)
                for told in (features, None)]
    assert features and not [name for name in features if name.startswith("down")]
    assert (made[0] - made[1]).abs().mean() > 1e-2
