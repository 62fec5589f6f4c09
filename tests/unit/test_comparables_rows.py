"""What makes each row the method that it is named after."""

import numpy as np
import pytest
import torch

from engine.conditions.pose import draw_skeleton
from engine.contract.skeleton import BODY_INDEX
from lab.comparables import mraa, sampling
from lab.comparables.body_maps import DEPTH, NORMAL, PARTS
from lab.comparables.costs import empty_batch
from lab.comparables.mimic_motion import HANDS, hand_confidence
from lab.comparables.regions import REGIONS, regions_of, transforms
from lab.comparables.rows import ROWS
from tests.unit.tiny import TINY
from tests.unit.walker import HEIGHT_PX, SIZE, figure

CLIPS, FRAMES, SIDE = 1, 2, 64


def row(name):
    """A tiny row in which no parameter is zero, as after training."""
    torch.manual_seed(5)
    model = ROWS[name](TINY).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def batch(frames=FRAMES):
    generator = torch.Generator().manual_seed(1)
    return {name: torch.rand(tensor.shape, generator=generator)
            for name, tensor in empty_batch(frames, SIDE, CLIPS).items()}


def painted(model, given):
    """x0 from the same noise each time."""
    noise = torch.randn(CLIPS * FRAMES, TINY.latent_channels, SIDE // 4, SIDE // 4,
                        generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return model.predict(given, noise, torch.ones(len(noise)))


def changes(model, name, where=slice(None)):
    """Whether blanking a picture of the batch (its channels `where`) changes what the row paints."""
    given = batch()
    blanked = given[name].clone()
    blanked[..., where, :, :] = 0
    return not torch.equal(painted(model, given), painted(model, {**given, name: blanked}))


PLATE = ("environment", "masks", "objects", "object_mask")


@pytest.mark.parametrize("name", ["magic_animate", "animate_anyone", "champ", "uni_animate", "mimic_motion"])
def test_a_row_without_an_environment_never_sees_the_plate(name):
    model = row(name)
    assert not model.environment and not any(changes(model, one) for one in (*PLATE, "warp"))
    assert changes(model, "reference")


def test_animate_anyone_reads_the_skeleton_and_no_map_of_the_body():
    model = row("animate_anyone")
    assert changes(model, "skeleton") and not changes(model, "maps")
    assert {key.split(".")[1] for key in model.net.state_dict() if key.startswith("temporal.")}, "temporal layers"
    assert len(model.reference_net.blocks) == 5, "everywhere"


def test_magic_animate_reads_the_dense_picture_and_no_skeleton():
    model = row("magic_animate")
    assert changes(model, "maps", PARTS) and changes(model, "maps", NORMAL)
    assert not changes(model, "skeleton") and not changes(model, "maps", slice(10, 15)), "no skeleton, no light"
    assert len(model.reference_net.blocks) == 5, "in all blocks"


def test_each_of_champs_encoders_alone_changes_the_output():
    model = row("champ")
    assert changes(model, "skeleton") and all(changes(model, "maps", where) for where in (DEPTH, NORMAL, PARTS))
    whole = painted(model, batch())
    for guide in model.guides.values():
        kept = guide.merge.weight.detach().clone()
        guide.merge.weight.data.zero_()
        assert not torch.equal(painted(model, batch()), whole)
        guide.merge.weight.data.copy_(kept)
    assert torch.equal(painted(model, batch()), whole)


def test_disco_has_no_reference_net_and_its_branches_know_nothing_of_each_other():
    model = row("disco")
    assert not [key for key in model.state_dict() if "reference" in key]
    assert all(changes(model, name) for name in ("environment", "skeleton", "reference"))
    found = []
    model.pose.register_forward_hook(lambda module, told, made: found.append(made))
    given = batch()
    one = painted(model, given)
    other = painted(model, {**given, "environment": given["environment"].flip(-1)})
    assert torch.equal(*found) and not torch.equal(one, other)


def test_the_reference_enters_disco_by_its_tokens_alone():
    model = row("disco")
    for block in model.net.attention.values():
        block.answer.weight.data.zero_()
    assert not changes(model, "reference")


def test_uni_animates_extra_frame_is_the_only_way_in():
    model = row("uni_animate")
    assert changes(model, "reference") and changes(model, "reference_skeleton")
    for layer in model.net.temporal.values():       # frames no longer see one another
        layer.out.weight.data.zero_()
    assert not changes(model, "reference") and not changes(model, "reference_skeleton") and changes(model, "skeleton")


def test_uni_animates_next_segment_begins_with_the_last_frame():
    assert row("uni_animate").overlap == 1
    seen = []

    def predict(frames, before):
        seen.append((frames, [round(float(one.mean()), 3) for one in before]))
        return torch.stack([torch.full((1, 2, 2), float(k)) for k in frames])[len(before):]
    made = sampling.handed_on(predict, torch.zeros(15, 1, 2, 2), row("uni_animate"))
    assert seen == [(range(0, 8), []), (range(7, 15), [7.0])]
    assert made.mean(dim=(1, 2, 3)).tolist() == list(range(15))


def test_the_papers_row_has_its_parts_and_neither_surface_nor_warp():
    model = row("paper")
    assert model.environment and not model.sizes.matte_and_shadow
    assert not [key for key in model.state_dict() if "warp" in key or "surface" in key or "heads" in key]
    assert all(changes(model, name) for name in ("environment", "masks", "objects", "skeleton", "depth", "reference"))
    assert not any(changes(model, name) for name in ("warp", "maps", "reference_skeleton"))


def test_ours_has_the_surface():
    model = row("ours")
    assert model.sizes.surface and changes(model, "maps") and changes(model, "warp")


def learnable():
    """A batch of three frames, with what only a loss needs."""
    generator = torch.Generator().manual_seed(4)
    shapes = {"target": 5, "weight": 1, "matte": 1, "cover": 1, "surface": 3}
    return batch(3) | {name: torch.rand(CLIPS, 3, count, SIDE, SIDE, generator=generator)
                       for name, count in shapes.items()}


def test_ours_learns_to_go_on_from_frames_already_made_which_do_not_count():
    """As the product's surface stage does, and as the other rows do."""
    model, given, told = row("ours"), learnable(), []
    model.denoising_net.register_forward_pre_hook(lambda module, inputs: told.append(inputs[1].tolist()))

    def loss(seed, changed=None):
        other = given["surface"].clone()
        if changed is not None:
            other[:, changed] = 1 - other[:, changed]
        with torch.no_grad():
            return model.loss_of({**given, "surface": other}, torch.Generator().manual_seed(seed), 0.0)[0]
    before = {seed: loss(seed) for seed in range(8)}
    begun = [seed for seed, levels in enumerate(told) if levels[0] == 0 < levels[2]]
    assert begun and any(levels[0] > 0 for levels in told)
    assert loss(begun[0], changed=0) == before[begun[0]] != loss(begun[0], changed=2)


def drawn(shift=(0, 0), sure=1.0):
    """A skeleton picture (1, 3, 256, 256) of somebody who stands; sure: the right wrist's confidence."""
    body = figure() + np.array([*shift, 0, 0])
    body[BODY_INDEX["right_wrist"], 3] = sure
    return torch.from_numpy(draw_skeleton(body, None, SIZE, HEIGHT_PX)).permute(2, 0, 1)[None]


def test_mimic_motions_confidence_zero_equals_a_joint_left_out():
    left_out = figure()
    left_out[BODY_INDEX["right_wrist"]] = np.nan
    picture = torch.from_numpy(draw_skeleton(left_out, None, SIZE, HEIGHT_PX)).permute(2, 0, 1)[None]
    assert torch.equal(drawn(sure=0.0), picture)
    assert drawn(sure=0.0).sum() < drawn(sure=0.5).sum() < drawn(sure=1.0).sum()


def test_mimic_motion_weighs_hands_by_their_confidence():
    maps = torch.zeros(1, 15, 32, 32)
    maps[:, HANDS, 8:14, 8:14] = 1
    skeleton = torch.zeros(1, 3, 32, 32)
    assert not hand_confidence(skeleton, maps).any(), "a hand whose joints are not drawn counts no more"
    for sure in (0.5, 1.0):
        skeleton[:, 0, 10:12, 10:12] = sure
        weight = hand_confidence(skeleton, maps)
        assert weight[0, 0, 8:14, 8:14].amax() == sure and weight[0, 0, 20:].sum() == 0


def test_windows_are_averaged_or_fused_progressively():
    windows = sampling.overlapping(16, 8, 4)
    assert windows == [range(0, 8), range(4, 12), range(8, 16)]
    assert sampling.overlapping(3, 8, 4) == [range(0, 3)]
    assert sampling.shares(windows[1], 16, 4, progressive=False) == [1.0] * 8
    first, second = (sampling.shares(one, 16, 4, progressive=True) for one in windows[:2])
    assert first[:4] == [1.0] * 4 and first[4:] == pytest.approx([0.8, 0.6, 0.4, 0.2])
    assert second[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8]) and np.allclose(np.add(first[4:], second[:4]), 1)

    def predict(frames, before):
        return torch.full((len(frames), 1, 2, 2), float(frames.start))
    averaged = sampling.fused(predict, torch.zeros(16, 1, 2, 2), row("magic_animate")).mean(dim=(1, 2, 3)).tolist()
    assert averaged == [0] * 4 + [2] * 4 + [6] * 4 + [8] * 4
    fused = sampling.fused(predict, torch.zeros(16, 1, 2, 2), row("mimic_motion")).mean(dim=(1, 2, 3)).tolist()
    assert fused[4:8] == pytest.approx([0.8, 1.6, 2.4, 3.2])


def test_mraas_region_moves_as_its_limb_does():
    still, moved = regions_of(drawn()), regions_of(drawn(shift=(7, -4)))
    assert still.seen.sum() >= 12
    affine = transforms(moved, still)[still.seen]
    assert torch.allclose(affine[:, :, :2], torch.eye(2).expand(len(affine), 2, 2), atol=0.02)
    back = affine[:, :, 2] + (affine[:, :, :2] @ moved.mean[still.seen][..., None])[..., 0]
    assert torch.allclose(back, moved.mean[still.seen] - torch.tensor([7.0, -4.0]), atol=0.05)


def test_mraas_limbs_point_away_from_the_body():
    found = regions_of(drawn())
    forearm, upper = REGIONS.index(("left_elbow", "left_wrist")), REGIONS.index(("left_shoulder", "left_elbow"))
    onwards = found.mean[0, forearm] - found.mean[0, upper]
    assert found.axes[0, forearm, :, 0] @ onwards > 0
    assert torch.det(found.axes[0]).min() > 0, "never mirrored"


def test_shifting_one_regions_affine_shifts_exactly_its_pixels():
    places = mraa.grid_of((8, 8))
    affine = torch.eye(2, 3).expand(1, 2, 2, 3).clone()
    masks = torch.zeros(1, 2, 8, 8)
    masks[:, 0, :, :4] = 1
    masks[:, 1, :, 4:] = 1
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def warped():
        return mraa.warp(picture, mraa.flow_of(mraa.positions(affine, places), masks))
    before = warped()
    assert torch.allclose(before, picture, atol=1e-6)
    affine[:, 1, 1, 2] = mraa.STEP      # the second region, one of the flow's pixels downwards
    after = warped()
    assert torch.equal(after[..., :4], before[..., :4])
    assert torch.allclose(after[:, :, :-1, 4:], picture[:, :, 1:, 4:], atol=1e-5)


def test_mraa_has_no_autoencoder_no_diffusion_and_sees_no_plate():
    model = row("mraa")
    assert not hasattr(model, "encoder") and not hasattr(model, "predict") and not model.environment
    given = empty_batch(FRAMES, SIDE, CLIPS)
    with torch.no_grad():
        before = model.first_guess(given)
        assert torch.equal(model.first_guess({**given, "environment": given["environment"] + 1}), before)
        assert not torch.equal(model.first_guess({**given, "reference": given["reference"] + 1}), before)
