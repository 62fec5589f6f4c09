"""Bad references and bad frames that no other test of the surface has: each gives a picture, and no vertex is ever
NaN."""
import dataclasses

import numpy as np
import pytest

from engine.conditions.bundle import build_reference, plan_shot
from engine.conditions.character import carry, frame_maps, worth_of_depth
from engine.conditions.frames import as_bits, write_picture
from engine.conditions.poses import Figure
from engine.conditions.surface import drawing
from engine.conditions.surface.avatar import WORKING_SIDE, build_avatar
from engine.conditions.surface.template import Limb
from engine.contract import files
from engine.contract.skeleton import BODY_INDEX
from engine.job.subject import find_subject
from tests.unit import dressed, walker
from tests.unit import surface_person as person
from tests.unit.dressed import SHIRT, SKIN, TEMPLATE, TROUSERS
from tests.unit.fake_runtime import whole_person_in

LEGS = tuple(f"{side}_{name}" for side in ("left", "right") for name in ("knee", "ankle", "toe"))
POSES = {
    "a hand on the hip": (("left", "elbow", (0, 0, 1), 90), ("left", "shoulder", (1, 0, 0), -8)),
    "arms crossing": (("left", "elbow", (0, 0, 1), 105), ("left", "shoulder", (0, 0, 1), 28),
                      ("left", "shoulder", (1, 0, 0), -30), ("right", "elbow", (0, 0, 1), -105),
                      ("right", "shoulder", (0, 0, 1), -28), ("right", "shoulder", (1, 0, 0), -38)),
    "legs crossing": (("left", "hip", (0, 0, 1), 20), ("right", "hip", (0, 0, 1), -20)),
}


def without(figure, *names):
    body = figure.body.copy()
    body[[BODY_INDEX[name] for name in names]] = 0
    return dataclasses.replace(figure, body=body)


def shown(avatar, figure, k=1.0):
    """The Maps of a figure that is drawn; the test fails if a vertex or a pixel is NaN."""
    placed = drawing.place(avatar, figure, k)
    assert np.isfinite(placed.places).all() and np.isfinite(placed.normals).all()
    maps = drawing.draw(avatar, figure, person.SIZE, k)
    assert all(np.isfinite(of).all() for of in (maps.colour, maps.coverage, maps.confidence, maps.normal))
    return maps


def colour_of(maps, *limbs):
    return np.median(maps.colour[np.isin(maps.part, limbs) & (maps.coverage == 1)], axis=0)


def standing(**how):
    return person.figure(person.joints(*dressed.STANDING), **how)


@pytest.mark.parametrize("pose", POSES)
def test_a_reference_in_any_pose_gives_the_clothes_back_when_it_stands(pose):
    picture, matte, figure = dressed.drawn(dressed.painted(), turns=POSES[pose])[:3]
    maps = shown(build_avatar(picture, matte, figure, TEMPLATE), standing())
    np.testing.assert_allclose(colour_of(maps, Limb.TORSO), SHIRT, atol=0.15)
    np.testing.assert_allclose(colour_of(maps, Limb.LEFT_THIGH, Limb.RIGHT_THIGH), TROUSERS, atol=0.15)
    clothed = np.isin(maps.part, (Limb.TORSO, Limb.LEFT_THIGH, Limb.RIGHT_THIGH)) & (maps.coverage == 1)
    assert (np.abs(maps.colour[clothed] - SKIN).max(axis=1) < 0.12).mean() < 0.02      # no third hand


def test_a_reference_from_behind_is_worn_in_front_too():
    picture, matte, figure = dressed.drawn(dressed.painted(), degrees=180)[:3]
    unseen = without(figure, "nose", "left_eye", "right_eye")
    maps = shown(build_avatar(picture, matte, unseen, TEMPLATE), standing())
    np.testing.assert_allclose(colour_of(maps, Limb.TORSO), SHIRT, atol=0.15)
    np.testing.assert_allclose(colour_of(maps, Limb.LEFT_SHIN, Limb.RIGHT_SHIN), TROUSERS, atol=0.15)


def test_a_reference_without_legs_or_their_joints_has_legs(reference):
    picture, matte, figure = reference
    waist = int(figure.body[BODY_INDEX["left_hip"], 1]) + 12
    avatar = build_avatar(picture[:waist], matte[:waist], without(figure, *LEGS), TEMPLATE)
    assert {Limb.LEFT_SHIN, Limb.RIGHT_SHIN, Limb.LEFT_FOOT, Limb.RIGHT_FOOT} <= set(avatar.invented)
    maps = shown(avatar, standing())
    assert np.isin(maps.part, (Limb.LEFT_SHIN, Limb.RIGHT_SHIN)).sum() > 500


def test_a_picture_of_6000_by_4000_is_worked_on_small(reference):
    picture, matte, figure = reference
    large = [np.zeros((4000, 6000, *of.shape[2:]), np.float32) for of in (picture, matte)]
    for whole, part in zip(large, (picture, matte), strict=True):
        whole[400:400 + 10 * len(part), 1500:1500 + 10 * part.shape[1]] = part.repeat(10, 0).repeat(10, 1)
    body = figure.body.copy()
    body[:, :2] = body[:, :2] * 10 + (1500, 400)
    avatar = build_avatar(*large, Figure(body, figure.hands, figure.height_px * 10), TEMPLATE)
    assert 0.6 * WORKING_SIDE < avatar.height_px <= WORKING_SIDE
    np.testing.assert_allclose(colour_of(shown(avatar, standing()), Limb.TORSO), SHIRT, atol=0.15)


def cut_out(folder, alpha):
    """The character of a job whose reference is the walker's, with this alpha (h, w) 0..1; magenta where it is 0."""
    job = walker.write_job(folder, 1)
    picture = walker.drawn_reference()
    picture[alpha == 0] = (1, 0, 1)
    write_picture(files.path(folder, files.REFERENCE), as_bits(np.dstack([picture, alpha.astype(np.float32)])))
    shot = plan_shot(folder, job)
    return shot, build_reference(shot, *find_subject(folder, job, find_joints=whole_person_in, emit=None)).character


def test_what_a_transparent_png_hides_is_never_painted(tmp_path):
    shot, character = cut_out(str(tmp_path), (np.ptp(walker.drawn_reference(), axis=2) > 0).astype(float))
    maps = frame_maps(character, character.figures[0], shot.job.size)
    whole = maps.colour[maps.coverage == 1]
    assert len(whole) > 1000 and (np.abs(whole - (1, 0, 1)).sum(axis=1) < 0.6).mean() < 0.005


@pytest.mark.parametrize("opacity", [0.0, 1 / 255, 0.5])
def test_a_png_that_is_transparent_all_over_ends_in_a_picture_or_the_limb_warp(tmp_path, opacity):
    shot, character = cut_out(str(tmp_path), np.full((256, 256), opacity))
    maps = frame_maps(character, character.figures[0], shot.job.size)
    assert maps is None or np.isfinite(maps.colour).all() and maps.coverage.any()


def swapped(figure):
    """The figure whose left and right legs are exchanged, as an estimate does when the legs cross."""
    body, sides = figure.body.copy(), [[BODY_INDEX[f"{side}_{name}"] for name in ("knee", "ankle", "toe")]
                                       for side in ("left", "right")]
    body[sum(sides, [])] = body[sum(sides[::-1], [])]
    return dataclasses.replace(figure, body=body)


@pytest.mark.parametrize("degrees", [0, 60, 180])
def test_legs_that_change_their_names_in_a_frame_keep_their_place(avatar, degrees):
    figure = person.figure(person.turned(person.joints(), degrees), hands=False)
    before, after = shown(avatar, figure), shown(avatar, swapped(figure))
    assert (before.mask * after.mask).sum() > 0.8 * before.mask.sum()


@pytest.mark.parametrize("degrees", [170, 200, 350])
def test_a_hand_that_twists_beyond_half_a_turn_from_one_frame_to_the_next_keeps_its_size(avatar, degrees):
    axis = np.subtract(*(person.joints()[f"left_{name}"] for name in ("wrist", "elbow")))
    axis /= np.linalg.norm(axis)
    hands = [shown(avatar, person.figure(person.joints(("left", "wrist", axis, turn)))).part == Limb.LEFT_HAND
             for turn in (0, degrees)]
    assert 0.5 < hands[1].sum() / hands[0].sum() < 2


@pytest.mark.parametrize("units", [0.01, 100.0])
def test_a_rig_in_any_unit_gives_the_same_picture(avatar, units):
    at = person.turned(person.joints(*dressed.STANDING), 35)
    plain, scaled = (dataclasses.replace(person.figure(at, units=of, hands=False), focal=person.FOCAL)
                     for of in (1.0, units))
    one, other = (shown(avatar, figure, worth_of_depth((figure,), TEMPLATE)) for figure in (plain, scaled))
    np.testing.assert_allclose(other.coverage, one.coverage, atol=0.26)
    assert np.abs(other.colour - one.colour).mean() < 0.002


def test_a_mirrored_rig_gives_the_same_picture(reference, avatar):
    picture, matte, figure = reference
    at = person.joints(*dressed.STANDING)
    rig = person.figure({name: place * (-1, 1, 1) for name, place in at.items()}, hands=False)
    character = carry(picture, matte, figure, (rig,), cut_out=np.dstack([picture, matte]), limbs=figure, refine=False)
    plain = shown(avatar, person.figure(at, hands=False), character.depth_worth)
    maps = frame_maps(character, character.figures[0], person.SIZE)
    assert (plain.mask * maps.mask).sum() > 0.97 * plain.mask.sum()
    np.testing.assert_allclose(colour_of(maps, Limb.HEAD), colour_of(plain, Limb.HEAD), atol=0.03)


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_figure_cut_by_the_frame_is_drawn_to_its_edge(avatar, edge):
    middle = {"left": (0.0, 165.0), "right": (256.0, 165.0), "top": (128.0, 0.0), "bottom": (128.0, 320.0)}[edge]
    maps = shown(avatar, standing(middle=middle))
    at = {"left": maps.coverage[:, 0], "right": maps.coverage[:, -1], "top": maps.coverage[0],
          "bottom": maps.coverage[-1]}[edge]
    assert (at == 1).sum() > 5
