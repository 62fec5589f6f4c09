"""What the stages minimise: a sharp picture that is a little off beats a blurred one, and weights count."""
import pytest

torch = pytest.importorskip("torch")

from lab.training.losses import detail_loss, latent_loss, seen_loss


def stripes(phase=0):
    rows = ((torch.arange(64) + phase) // 4 % 2).float()
    return rows[None, None, :, None].expand(1, 5, 64, 64).contiguous()


ALL = torch.ones(1, 1, 64, 64)


def test_grey_instead_of_stripes_loses_detail_and_shifted_stripes_do_not():
    grey, ratio = detail_loss(torch.full((1, 5, 64, 64), 0.5), stripes(), ALL)
    shifted, kept = detail_loss(stripes(2), stripes(), ALL)
    assert grey > 5 * shifted and ratio < 0.1 and kept == pytest.approx(1, abs=0.1)


def test_detail_counts_inside_the_matte_only():
    left = ALL.clone()
    left[..., 32:] = 0
    made = stripes()
    made[..., 40:] = 0.5
    assert detail_loss(made, stripes(), left)[0] == pytest.approx(0, abs=1e-6)
    assert detail_loss(made, stripes(), ALL)[0] > 0.01


def test_nobody_to_be_seen_costs_nothing():
    loss, _ = detail_loss(torch.rand(1, 5, 64, 64), stripes(), torch.zeros_like(ALL))
    assert loss == 0


def test_errors_count_where_the_weight_is():
    made, weight = stripes(), torch.zeros_like(ALL)
    weight[..., :32] = 1
    made[..., 40:] += 0.3
    assert seen_loss(made, stripes(), weight) == 0 and seen_loss(made, stripes(), ALL) > 0.05


def test_latents_count_where_the_weight_is():
    made = torch.zeros(1, 12, 16, 16)
    made[..., 8:] = 1
    weight = torch.zeros_like(ALL)
    weight[..., :32] = 1
    scale = torch.ones(12)
    assert latent_loss(made, torch.zeros_like(made), weight, scale) == 0
    assert latent_loss(made, torch.zeros_like(made), 1 - weight, scale) == pytest.approx(1)
