"""What the networks see of the surface, and what their heads make of it."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.conditions import surface_inputs
from engine.conditions.crop import Crop
from engine.conditions.known_light import white_in_light
from engine.conditions.surface import drawing, light
from engine.conditions.surface.avatar import build_avatar
from engine.conditions.surface_inputs import LIGHT_SCALE
from engine.contract import harmonics
from engine.engines.compact.nets import surface_heads
from engine.engines.compact.nets.model import fork_weights, save_weights
from engine.layers import heads
from engine.layers.heads import Heads
from engine.layers.surface import Shown, head_gain, light_gain, lit_surface, moved_edge
from lab.training import stage_surface
from lab.training.carried import from_signed_bytes, in_signed_bytes
from tests.unit import dressed
from tests.unit import surface_person as person
from tests.unit.dressed import TEMPLATE
from tests.unit.test_nets import features
from tests.unit.tiny import TINY, tiny_model, window

SIDE = 64


@pytest.fixture(scope="module")
def drawn():
    """(maps, figure) of the painted template, small."""
    picture, matte, figure, *_ = dressed.drawn(dressed.painted())
    avatar = build_avatar(picture, matte, figure, TEMPLATE)
    return drawing.draw(avatar, figure, person.SIZE, 1.0), figure


def raw(light=0.0, turn=(0, 0, 0), edge=0.0, gate=0.0, side=SIDE // 8):
    values = np.concatenate([[light], turn, np.full(heads.EDGE, edge), [gate]])
    return np.broadcast_to(values.astype(np.float32), (side, side, heads.CHANNELS))


def disc(radius=16):
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    coverage = np.clip(radius - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)
    normal = np.broadcast_to(np.float32([0, 0, -1]), (SIDE, SIDE, 3)) * coverage[..., None]
    colour = np.float32([0.4, 0.3, 0.2]) * coverage[..., None]
    return drawing.Maps(colour, coverage, coverage.copy(), normal, np.where(coverage > 0, 4, np.inf),
                        np.where(coverage > 0, 0, -1))


def crop(step=1.0):
    return Crop(centre=(SIDE / 2, SIDE / 2), step=step, shape=(round(SIDE / step), round(SIDE / step)))


def shown(values):
    maps = disc()
    return Shown(maps, np.dstack([maps.colour, maps.coverage]), maps.mask, Heads.of(values))


def test_channels_are_what_they_are_called(drawn):
    maps, figure = drawn
    found = surface_inputs.surface_inputs(maps, figure, 1.0, reference_light=np.array([1, 0, 0, 0, 0]),
                                          white=white_in_light(maps, [[harmonics.AMBIENT * 0.5] * 3] + [[0] * 3] * 8))
    whole = maps.coverage == 1
    assert found.shape == (*maps.coverage.shape, surface_inputs.CHANNELS) and not found[maps.coverage == 0].any()
    assert np.allclose(found[whole, 1:4], maps.normal[whole], atol=1e-6)
    assert np.array_equal(found[whole, 5:10].sum(axis=1), np.ones(whole.sum())) and (np.abs(found) <= 1.01).all()
    assert np.allclose(found[whole, 10:13], 0.8 * 0.5 ** (1 / 2.2), atol=1e-3)
    assert np.allclose(found[whole, 13], maps.normal[whole, 0], atol=1e-5) and not found[..., 14].any()
    assert not surface_inputs.surface_inputs(maps, figure, 1.0)[..., 10:].any()


def test_the_performers_light_is_read_off_the_plate(drawn):
    maps, figure = drawn
    whole = (maps.coverage == 1)
    normal = np.where(whole[..., None], maps.normal, 0)
    plate = np.where(whole[..., None], 0.4 * np.exp(0.5 * normal[..., :1]), 0.2).astype(np.float32)
    found = surface_inputs.performers_light(maps, np.broadcast_to(plate, (*whole.shape, 3)), whole)
    assert found[0] == pytest.approx(0.5, abs=0.1) and np.abs(found[1:]).max() < 0.1
    assert not surface_inputs.performers_light(maps, plate.repeat(3, axis=2), np.zeros_like(whole)).any()
    assert len(found) == light.TERMS


def test_bytes_keep_maps_to_a_hundredth():
    maps = np.linspace(-1.2, 1.2, 200).astype(np.float32)
    assert np.abs(from_signed_bytes(torch.from_numpy(in_signed_bytes(maps))).numpy() - maps).max() <= 0.0051
    assert from_signed_bytes(torch.from_numpy(in_signed_bytes(np.zeros(3)))).abs().max() == 0


def test_heads_of_nothing_leave_the_surface_as_it_is():
    one = shown(raw())
    painted = np.broadcast_to(np.float32([0.4, 0.3, 0.2, 1, 1]), (SIDE, SIDE, 5))
    colour, alpha, known = lit_surface(one, painted, crop())
    assert np.array_equal(alpha, one.maps.coverage)
    inside = one.maps.coverage == 1
    assert np.allclose(colour[inside], (0.4, 0.3, 0.2), atol=1e-5) and np.allclose(known[inside], 1)


@pytest.mark.parametrize("gate, confidence, wanted", [
    (-9, 1, 1), (9, 1, 1), (-9, 0.25, 0), (0, 0.25, 0.5), (9, 0.25, 1), (9, 0, 1), (-9, 0, 0)])
def test_the_gate_counts_only_where_the_surface_is_not_sure(gate, confidence, wanted):
    one = shown(raw(gate=gate))
    one = replace(one, maps=replace(one.maps, confidence=confidence * one.maps.coverage))
    _, _, known = lit_surface(one, np.full((SIDE, SIDE, 5), 0.5, np.float32), crop())
    assert np.allclose(known[one.maps.coverage == 1], wanted, atol=1e-3)


def test_light_and_turn_are_a_gain():
    gain = head_gain(Heads.of(raw(light=0.5, turn=(0, 0, -0.3))), disc(), crop())
    wanted = np.exp(heads.MOST_LIGHT * (np.tanh(0.5) + np.tanh(0.3)))
    assert np.allclose(gain[SIDE // 2, SIDE // 2], wanted, rtol=1e-4)


def test_light_has_detail_in_brightness_and_little_in_hue():
    """A patch of light falls on the surface as a patch, and a patch of another hue spreads."""
    maps = disc(28)
    warp, near = np.dstack([maps.colour, maps.coverage]), np.s_[SIDE // 8, SIDE // 8]
    painted = np.dstack([maps.colour, np.ones((SIDE, SIDE, 2), np.float32)])
    brighter, redder = painted.copy(), painted.copy()
    brighter[24:40, 24:40, :3] *= 1.5
    redder[24:40, 24:40, :3] *= (1.5, 1.0, 0.5)
    gain, hue = light_gain(brighter, warp), light_gain(redder, warp)
    assert np.ptp(gain / gain[..., :1], axis=-1).max() < 1e-2 and gain[near].min() > 1.1
    assert np.log(hue[near][0] / hue[near][1]) < 0.6 * np.log(gain[near][1])
    assert np.allclose(light_gain(painted, warp)[near], 1, atol=1e-2)


@pytest.mark.parametrize("step", [1.0, 0.5])
@pytest.mark.parametrize("edge", [0.4, -0.4, 9])
def test_an_outline_moves_by_crop_pixels_and_stays_sharp(edge, step):
    """At twice the crop's resolution, it moves by twice as many pixels."""
    move = heads.EDGE_REACH * np.tanh(edge) / step
    alpha = moved_edge(Heads.of(raw(edge=edge, side=round(SIDE / step / 8))), disc(12), crop(step))
    assert np.sqrt(alpha.sum() / np.pi) == pytest.approx(12 + move, abs=0.6)
    soft = (alpha > 0.1) & (alpha < 0.9)
    assert soft.sum() < 2.5 * 2 * np.pi * (12 + max(move, 0))


def test_training_reads_the_heads_as_the_product_does():
    values = np.random.default_rng(0).normal(size=(4, 6, heads.CHANNELS)).astype(np.float32)
    ours, theirs = Heads.of(values), surface_heads.Heads.of(torch.from_numpy(values).permute(2, 0, 1)[None])
    assert np.allclose(ours.turn, theirs.turn[0].permute(1, 2, 0), atol=1e-6)
    for name, near in (("light", 1e-6), ("edge", 1e-5), ("gate", 1e-6)):
        assert np.allclose(getattr(ours, name), getattr(theirs, name)[0, 0], atol=near)


@pytest.mark.parametrize("white", [None, 0.7])
def test_training_composes_as_the_product_does(white):
    rng = np.random.default_rng(1)
    values = 0.4 * rng.normal(size=(SIDE // 8, SIDE // 8, heads.CHANNELS)).astype(np.float32)
    values[..., -1] = 0      # the gate: compose.py mixes
    one, painted = shown(values), rng.random((SIDE, SIDE, 5)).astype(np.float32)
    painted[..., :3] *= np.linspace(0.1, 0.8, SIDE)[:, None, None]
    one = replace(one, white=None if white is None else np.full((SIDE, SIDE, 3), white, np.float32))
    ours, _, _ = lit_surface(one, painted, crop())
    lit = LIGHT_SCALE * (white or 0) * one.maps.coverage[..., None].repeat(3, axis=2)
    colour = one.maps.colour / np.maximum(one.maps.coverage, 1e-3)[..., None]
    maps = np.dstack([one.maps.confidence, one.maps.normal, np.zeros((SIDE, SIDE, 6), np.float32), lit])
    given = colour, maps, one.maps.coverage[..., None], painted
    theirs = stage_surface.composite(surface_heads.Heads.of(tensor(values)), *map(tensor, given))[0].permute(1, 2, 0)
    inside = one.maps.coverage == 1
    assert np.allclose(ours[inside], theirs.numpy()[inside], atol=2e-3) and ours[inside].std() > 0.05


def tensor(picture):
    """(h, w, c) -> (1, c, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


def test_nets_begun_at_weights_without_a_surface_say_the_same(tmp_path):
    parent = tiny_model()
    save_weights(parent.state_dict(), tmp_path / "weights.safetensors")
    model = fork_weights(TINY, replace(TINY, surface=True), tmp_path / "weights.safetensors").eval()
    parts, inputs = features(parent, 3), window()
    maps = torch.rand(3, surface_heads.MAPS, SIDE, SIDE)
    with torch.no_grad():
        x0, told = model.denoising_net(**inputs, **parts, clips=1, maps=maps)
        before, none = parent.half().float().denoising_net(**inputs, **parts, clips=1)
    assert none is None and torch.allclose(x0, before, atol=1e-5) and not told.any()
    assert told.shape == (3, heads.CHANNELS, SIDE // 8, SIDE // 8)


def test_the_surfaces_maps_count():
    model = tiny_model(replace(TINY, surface=True))
    parts, inputs, maps = features(model, 3), window(), torch.rand(3, surface_heads.MAPS, SIDE, SIDE)
    with torch.no_grad():
        one, other = (model.denoising_net(**inputs, **parts, clips=1, maps=m) for m in (maps, torch.zeros_like(maps)))
    assert not torch.allclose(one[0], other[0]) and not torch.allclose(one[1], other[1])


def test_an_outlines_error_pulls_it_to_the_truth():
    cover, matte = (torch.from_numpy(disc(radius).coverage)[None, None] for radius in (12, 14))
    flat = {"cover": cover, "matte": matte, "object_mask": torch.zeros_like(cover)}
    values = torch.zeros(1, heads.CHANNELS, SIDE // 8, SIDE // 8, requires_grad=True)
    loss, without = stage_surface.edge_loss(surface_heads.Heads.of(values), flat)
    loss.backward()
    assert values.grad[:, 6:22].sum() < 0 < without         # outwards
    with torch.no_grad():
        better = torch.zeros_like(values)
        better[:, 6:22] = np.arctanh(2 / heads.EDGE_REACH)
        assert stage_surface.edge_loss(surface_heads.Heads.of(better), flat)[0] < loss


def test_an_object_says_nothing_about_the_outline():
    """What hides the character is cut out when frames are composed."""
    cover = torch.from_numpy(disc(12).coverage)[None, None]
    objects = torch.zeros_like(cover)
    objects[..., SIDE // 2:, :] = 1
    flat = {"cover": cover, "matte": cover * (1 - objects), "object_mask": objects}
    values = torch.zeros(1, heads.CHANNELS, SIDE // 8, SIDE // 8)
    _loss, without = stage_surface.edge_loss(surface_heads.Heads.of(values), flat)
    assert without == 0 < stage_surface.edge_loss(surface_heads.Heads.of(values),
                                                  flat | {"object_mask": torch.zeros_like(cover)})[1]
