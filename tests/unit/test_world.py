"""The synthetic world: exact joints, exact layers, the same for the same seed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.contract import harmonics
from engine.contract.skeleton import BODY, BODY_INDEX, HEAD_POINTS
from lab.training.world import draw_clip, draw_reference, held_out
from lab.training.world.character import FABRIC, FABRICS, draw_character
from lab.training.world.cones import Primitives, render
from lab.training.world.fabric import row
from lab.training.world.light import coefficients
from lab.training.world.motion import draw_motion
from lab.training.world.rig import solve, two_bone
from lab.training.world.room import draw_light
from lab.training.world.seeds import generator
from lab.training.world.shade import shade

SHAPE = (96, 128)


@pytest.fixture(scope="module")
def clips():
    torch.set_num_threads(1)
    return [draw_clip(seed, 2, SHAPE) for seed in range(16)]


def test_layers_have_their_shapes_and_ranges(clips):
    for clip in clips:
        for name in ("full", "clean", "foreground"):
            assert getattr(clip, name).shape == (2, 128, 96, 3), name
        for name in ("matte", "visible", "shadow", "objects", "contact"):
            assert getattr(clip, name).shape == (2, 128, 96, 1), name
        assert clip.objects_depth.shape == (2, 128, 96)
        assert clip.body.shape == (2, 20, 4) and clip.hands.shape == (2, 2, 21, 4) and clip.height_px.shape == (2,)
        for name, layer in vars(clip).items():
            assert torch.isfinite(layer).all() and layer.dtype == torch.float32, name
            if name not in ("body", "hands", "height_px", "objects_depth", "exposure", "focal", "centre", "light"):
                assert layer.min() >= 0 and layer.max() <= 1, name


def test_a_seed_gives_the_same_clip_again(clips):
    again = draw_clip(3, 2, SHAPE)
    for name, layer in vars(clips[3]).items():
        assert torch.equal(layer, getattr(again, name)), name
    assert not torch.equal(clips[4].full, clips[3].full)


def test_the_picture_is_its_layers_put_together(clips):
    for clip in clips:
        made = clip.visible * clip.foreground + (1 - clip.visible) * clip.clean * clip.shadow
        assert (made - clip.full).abs().mean() < 0.01


def test_joints_lie_inside_the_matte(clips):
    inside = []
    for clip in clips:
        for frame in range(2):
            for name in (n for n in BODY if n not in HEAD_POINTS):
                x, y, depth, confidence = clip.body[frame, BODY_INDEX[name]].tolist()
                assert depth > 0.1
                if confidence:
                    inside.append(float(clip.matte[frame, int(y), int(x), 0]) > 0.4)
    assert len(inside) > 300 and np.mean(inside) > 0.97


def test_a_nose_turned_away_is_not_seen(clips):
    seen = set()
    for clip in clips:
        nose, ears = clip.body[0, BODY_INDEX["nose"]], clip.body[0, [BODY_INDEX["left_ear"], BODY_INDEX["right_ear"]]]
        farther = float(nose[2] - ears[:, 2].mean())
        if abs(farther) > 0.06 and 0 <= nose[0] < 96 and 0 <= nose[1] < 128:
            assert bool(nose[3]) == (farther < 0)
            seen.add(bool(nose[3]))
    assert seen == {True, False}


def test_only_objects_hide_the_character(clips):
    hidden = torch.cat([(c.matte - c.visible)[..., 0].flatten() for c in clips]) > 0.9
    objects = torch.cat([c.objects[..., 0].flatten() for c in clips])
    assert hidden.sum() > 100
    assert (objects[hidden] > 0.5).float().mean() > 0.95


def test_shadow_lies_off_the_character_and_touching_is_frequent(clips):
    assert np.mean([float((c.shadow < 0.9).sum()) > 20 for c in clips]) > 0.6
    assert np.mean([float(c.contact.sum()) > 10 for c in clips]) > 0.8


def test_a_planted_foot_stays_where_it_is():
    slid = []
    for seed in range(40):
        person = draw_character(generator(seed, "character"))
        want, _, _ = draw_motion(generator(seed, "motion"), person, 12)
        joints = solve(person, want).joints
        for k, name in enumerate(("left_ankle", "right_ankle")):
            both = (want.contact[1:, 2 + k] > 0) & (want.contact[:-1, 2 + k] > 0)
            step = np.linalg.norm(np.diff(joints[name], axis=0)[..., :2], axis=-1)
            slid += list(step[both])
    assert len(slid) > 300 and np.quantile(slid, 0.95) < 0.02


def test_two_bones_reach_their_target():
    joint, end = two_bone(np.zeros((1, 3)), np.array([[0.3, 0.2, -0.1]]), np.array([[0.0, 1, 0]]), 0.3, 0.25)
    assert np.allclose(end, [[0.3, 0.2, -0.1]])
    assert np.isclose(np.linalg.norm(joint), 0.3) and np.isclose(np.linalg.norm(end - joint), 0.25)


def ball(radius, z):
    """A ball of skin on the camera's axis."""
    return Primitives(
        to_local=np.concatenate([np.eye(3), [[0], [0], [-z]]], -1)[None, None].astype(np.float32),
        shape=np.array([[[0, radius, radius]]], np.float32), reach=np.array([[[[0, 0, z, radius]] * 2]]),
        surface=np.full(1, FABRIC["skin"]), origin_v=np.zeros(1), wrap=np.zeros(1, int), flat=np.zeros(1))


@pytest.mark.parametrize("seed", range(4))
def test_the_light_of_a_seed_foretells_a_white_ball(seed):
    """The ball is drawn by the world's own shading; its darker rim, which is not light, is removed again."""
    light, rotation = draw_light(np.random.default_rng(seed)), np.array([[0.8, 0.6, 0], [0, 0, -1], [-0.6, 0.8, 0]])
    white = ball(0.02, 4.0)
    hits, _ = render(white, np.array([9000.0]), np.array([[60.0, 60.0]]), (120, 120))
    person = draw_character(generator(seed, "character"))
    grey = np.stack([row(np.array([0.5] * 3))] * len(FABRICS))
    shown = shade(person, hits, white, grey, light, rotation=rotation, wraps=None, lit=None)
    x, y, z = (hits.normal / hits.normal.norm(dim=0)).double().numpy()
    bare = 2 * shown.double().numpy() / np.sqrt(1 - 0.25 * (1 + z) ** 2)
    gain = np.array([1.2, 1.0, 0.9])
    picture = bare * gain[:, None]
    linear = ((picture + 0.055) / 1.055) ** 2.4
    found = np.stack(harmonics.basis(x, y, z), -1) @ coefficients(light, rotation, gain).double().numpy()
    error = np.abs(found.T - linear)
    assert len(x) > 4000 and error.max() < 0.07 * linear.max() and error.mean() < 0.015 * linear.max()


def test_a_clip_tells_its_light_and_its_optics(clips):
    clip = clips[3]
    assert clip.light.shape == (2, 9, 3) and clip.exposure.shape == (3,)
    assert 0.6 < clip.exposure.min() < clip.exposure.max() < 2.4
    assert torch.equal(clip.light[0], clip.light[1]) and (clip.light[0, 0] > 0.5).all()
    a, b = (BODY_INDEX[name] for name in ("left_hip", "left_knee"))
    flat = (clip.body[..., :2] - clip.centre[:, None]) / clip.focal[:, None, None]
    places = torch.cat([flat, torch.ones_like(flat[..., :1])], -1) * clip.body[..., 2:3]
    thighs = (places[:, a] - places[:, b]).norm(dim=-1)
    person = draw_character(generator(3, "character"))
    assert thighs.tolist() == pytest.approx([person.thigh] * 2, rel=0.01)
    reference = draw_reference(3, SHAPE)
    assert reference.exposure.tolist() == [1, 1, 1] and reference.light.shape == (9, 3)
    assert not torch.allclose(reference.light, clip.light[0], atol=0.05), "a light of its own"


def test_a_ball_is_drawn_where_geometry_puts_it():
    radius, z, focal = 0.5, 4.0, 100.0
    hits, depth = render(ball(radius, z), np.array([focal]), np.array([[32.5, 32.5]]), (65, 65))
    assert float(depth[0, 32, 32]) == pytest.approx(z - radius, abs=1e-4)
    silhouette = np.pi * (focal * radius / np.sqrt(z ** 2 - radius ** 2)) ** 2
    assert len(hits.pixel) == pytest.approx(silhouette, rel=0.05)
    assert hits.normal[2].max() < 0.15


def test_references_show_the_whole_character_in_all_shapes():
    for shape in ((96, 96), (72, 132), (132, 72)):
        reference = draw_reference(5, shape)
        assert reference.picture.shape == (shape[1], shape[0], 3)
        assert reference.hands.shape == (2, 21, 4) and reference.height_px > 30
        limbs = reference.body[[BODY_INDEX[n] for n in BODY if n not in HEAD_POINTS]]
        assert (limbs[:, 3] == 1).all()
        assert reference.matte.sum() > 300


def test_one_identity_in_64_is_held_out():
    assert [seed for seed in range(130) if held_out(seed)] == [63, 127]
