"""Which pixels belong to what: hands, hair and skirts are recognised by their colours; rows of a chart continue around
a limb."""
import numpy as np
import pytest

from engine.conditions.surface import charts, drawing, garment, hair, hands, rows
from engine.conditions.surface.avatar import build_avatar
from engine.conditions.surface.layers import SEEN
from engine.conditions.surface.stance import NOBODY, NOTHING, stand
from engine.conditions.surface.template import Limb, Tag
from engine.contract.skeleton import BODY
from tests.unit import dressed
from tests.unit import surface_person as person
from tests.unit.dressed import HAIR, SHIRT, SKIN, TEMPLATE, TROUSERS

EVERYTHING = set(BODY)


def reference(**changes):
    picture, matte, _, pose, stance = dressed.drawn(dressed.painted(), **changes)
    return picture, matte, pose, stance


def test_hands_before_trousers_are_the_hands_own():
    picture, matte, pose, stance = reference(
        turns=(("left", "shoulder", (0, 0, 1), 35), ("right", "shoulder", (0, 0, 1), -35))
    )
    found = hands.find_hands(picture, matte, pose, stance, np.array(SKIN))
    assert found.seen == (True, True)
    for limb, colour in zip(hands.SIDES, found.colours, strict=True):
        own = found.claims == limb
        np.testing.assert_allclose(colour, SKIN, atol=0.05)
        assert own.sum() > 0.6 * (stance.limbs == limb).sum()
        assert np.abs(picture[own] - SKIN).max(axis=1).mean() < 0.1
        assert (found.claims[(stance.limbs == limb)] != NOTHING).mean() > 0.8
    assert (found.claims[np.isin(stance.limbs, (Limb.LEFT_SHIN, Limb.RIGHT_SHIN, Limb.HEAD))] == NOTHING).all()
    assert (found.claims == NOBODY).any()


def test_a_sweater_that_hangs_over_the_thighs_is_no_hand():
    """Its yellow is nearer to skin than to the trousers that the surface shows there."""
    yellow, limbs = (0.86, 0.66, 0.25), TEMPLATE.limbs
    colours = dressed.painted()
    colours[np.isin(limbs, (Limb.TORSO, *range(Limb.LEFT_UPPER_ARM, Limb.RIGHT_FOREARM + 1)))] = yellow
    colours[np.isin(limbs, (Limb.LEFT_THIGH, Limb.RIGHT_THIGH))
            & (TEMPLATE.points[:, 1] < TEMPLATE.joints["left_hip"][1] + 0.04)] = yellow
    picture, matte, _, pose, stance = dressed.drawn(
        colours, turns=(("left", "shoulder", (0, 0, 1), 35), ("right", "shoulder", (0, 0, 1), -35))
    )
    found = hands.find_hands(picture, matte, pose, stance, np.array(SKIN))
    sweater = (np.abs(picture - yellow).max(axis=2) < 0.02) & np.isin(
        stance.limbs, (Limb.TORSO, Limb.LEFT_THIGH, Limb.RIGHT_THIGH)
    )
    assert sweater.sum() > 1000
    assert not np.isin(found.claims[sweater], hands.SIDES).any()
    assert all((found.claims == limb).sum() > 0.6 * (stance.limbs == limb).sum() for limb in hands.SIDES)


def test_from_behind_a_hand_before_the_chest_is_hidden_and_the_back_is_seen():
    """Joints say where the hand is in the picture, not that it is seen there."""
    turns = (("left", "shoulder", (1, 0, 0), -60), ("left", "elbow", (0, 1, 0), 60),
             ("right", "shoulder", (0, 0, 1), -25))
    picture, matte, figure, pose, stance = dressed.drawn(dressed.painted(), turns=turns, degrees=180)
    found = hands.find_hands(picture, matte, pose, stance, None)
    assert found.seen == (False, True) and not (found.claims == Limb.LEFT_HAND).any()
    avatar = build_avatar(picture, matte, figure, TEMPLATE)
    torso = TEMPLATE.limbs[avatar.faces[:, 0]] == Limb.TORSO
    assert (avatar.source[torso] == SEEN).mean() > 0.3
    maps = drawing.draw(avatar, figure, person.SIZE, 1.0)
    back = (maps.part == Limb.TORSO) & (maps.coverage == 1)
    back &= np.arange(person.SIZE[1])[:, None] < pose.axes[Limb.TORSO, 1, 1] - 0.1 * pose.metre     # above the belt
    assert (np.abs(maps.colour[back] - SHIRT).max(axis=1) > 0.25).mean() < 0.03


def test_a_hidden_hand_takes_skin_and_never_cloth():
    colours = dressed.painted()
    colours[TEMPLATE.limbs == Limb.LEFT_HAND] = TROUSERS
    picture, matte, _, pose, stance = dressed.drawn(
        colours, turns=(("left", "shoulder", (0, 0, 1), 45), ("right", "shoulder", (0, 0, 1), -25))
    )
    found = hands.find_hands(picture, matte, pose, stance, np.array(SKIN))
    assert found.seen == (False, True) and not (found.claims == Limb.LEFT_HAND).any()
    np.testing.assert_allclose(found.colours[0], SKIN, atol=0.08)
    colours[TEMPLATE.limbs == Limb.RIGHT_HAND] = TROUSERS
    picture, *_ = dressed.drawn(
        colours, turns=(("left", "shoulder", (0, 0, 1), 45), ("right", "shoulder", (0, 0, 1), -45))
    )
    pose, stance = dressed.drawn(
        colours, turns=(("left", "shoulder", (0, 0, 1), 45), ("right", "shoulder", (0, 0, 1), -45))
    )[3:]
    found = hands.find_hands(picture, matte, pose, stance, np.array(SKIN))
    assert found.seen == (False, False)
    assert all(np.abs(colour - SKIN).max() < 0.1 for colour in found.colours)


def test_the_face_is_skin_and_hair_is_about_it():
    picture, matte, pose, stance = reference()
    skin = hair.face_colour(picture, matte, pose, EVERYTHING)
    np.testing.assert_allclose(skin, SKIN, atol=0.03)
    assert hair.face_colour(picture, matte, pose, EVERYTHING - {"nose"}) is None
    found = hair.find_hair(picture, matte, pose, stance, skin)
    np.testing.assert_allclose(found.colour, HAIR, atol=0.05)
    assert not found.is_long and np.abs(picture[found.mask] - HAIR).max(axis=1).mean() < 0.1
    assert (stance.limbs[found.mask] == Limb.HEAD).mean() > 0.95


def test_hair_beside_a_face_is_no_darker_than_hair_in_the_shade():
    picture, matte, pose, stance = reference()
    skin = hair.face_colour(picture, matte, pose, EVERYTHING)
    whole = hair.find_hair(picture, matte, pose, stance, skin)
    beside = whole.mask & (np.arange(picture.shape[0])[:, None] > np.quantile(np.nonzero(whole.mask)[0], 0.6))
    picture[beside] *= 0.2
    found = hair.find_hair(picture, matte, pose, stance, skin)
    np.testing.assert_allclose(found.colour, whole.colour, atol=0.02)
    lit = hair.out_of_shade(picture, found)
    assert (lit[beside & found.mask].mean(axis=1) > 0.5 * found.colour.mean()).all()
    assert (lit[~found.mask] == picture[~found.mask]).all()


def test_black_hair_with_something_bright_in_it_stays_black():
    picture, matte, pose, stance = reference()
    skin = hair.face_colour(picture, matte, pose, EVERYTHING)
    whole = hair.find_hair(picture, matte, pose, stance, skin).mask
    bright = whole & (np.arange(picture.shape[0])[:, None] > np.quantile(np.nonzero(whole)[0], 0.6))
    picture[whole & ~bright] = 0.02
    found = hair.find_hair(picture, matte, pose, stance, skin)
    assert found.colour.max() < 0.05
    assert hair.out_of_shade(picture, found)[whole & ~bright & found.mask].max() < 0.05


def test_a_dark_face_that_is_taken_for_hair_keeps_its_colour():
    mask = np.ones((4, 4), bool)
    face = np.full((4, 4, 3), (0.2, 0.12, 0.09), np.float32)
    np.testing.assert_array_equal(hair.out_of_shade(face, hair.Hair(mask, 0.0, np.full(3, 0.9))), face)


def test_who_has_no_hair_has_none():
    colours = dressed.painted()
    colours[TEMPLATE.limbs == Limb.HEAD] = SKIN
    picture, matte, _, pose, stance = dressed.drawn(colours)
    assert hair.find_hair(picture, matte, pose, stance, np.array(SKIN)) is None


@pytest.mark.parametrize("hem", [0.8, 1.4])
def test_a_skirt_ends_where_its_cloth_does(hem):
    colours = dressed.painted()
    legs = np.isin(TEMPLATE.limbs, (Limb.LEFT_THIGH, Limb.RIGHT_THIGH, Limb.LEFT_SHIN, Limb.RIGHT_SHIN))
    colours[legs] = SKIN
    picture, matte, _, pose, _ = dressed.drawn(colours, hem=hem)
    bare = pose.wearing(garment.worn_faces(TEMPLATE, None), None)
    found = garment.find_skirt(picture, matte, bare, stand(bare, np.zeros(len(TEMPLATE.points))))
    assert found is not None and found.hem == pytest.approx(hem, abs=0.15)
    faces = garment.worn_faces(TEMPLATE, found)
    skirt = TEMPLATE.tags[faces[:, 0]] == Tag.SKIRT
    assert skirt.any() and TEMPLATE.leg_t[faces[skirt]].max() < hem + 0.4
    worn = pose.wearing(faces, found.hem)
    claims = garment.skirt_claims(picture, matte, worn, stand(worn, np.zeros(len(TEMPLATE.points))), found)
    assert np.abs(picture[claims == Limb.SKIRT] - TROUSERS).mean() < 0.05
    assert np.abs(picture[np.isin(claims, (Limb.LEFT_SHIN, Limb.RIGHT_SHIN))] - SKIN).mean() < 0.05


def test_trousers_are_no_skirt():
    picture, matte, pose, _ = reference()
    assert garment.find_skirt(picture, matte, pose, stand(pose, np.zeros(len(TEMPLATE.points)))) is None


def test_trousers_that_hang_over_shoes_are_the_shins_own():
    feet = np.isin(TEMPLATE.limbs, (Limb.LEFT_FOOT, Limb.RIGHT_FOOT))
    cuff = feet & (TEMPLATE.points[:, 1] < TEMPLATE.joints["left_ankle"][1] + 0.03)
    colours = dressed.painted()
    colours[cuff] = TROUSERS
    picture, matte, _, pose, stance = dressed.drawn(colours)
    shows = stance.across(cuff[:, None].astype(np.float32))[..., 0]
    on_foot = np.isin(stance.limbs, (Limb.LEFT_FOOT, Limb.RIGHT_FOOT))
    nothing = np.full(matte.shape, NOTHING, np.uint8)
    claims = garment.cuff_claims(nothing, picture, matte, pose, stance)
    assert (on_foot & (shows > 0.9)).sum() > 20
    assert (claims != NOTHING)[on_foot & (shows > 0.9)].mean() > 0.8 > 0.05 > (claims != NOTHING)[shows < 0.1].mean()
    assert set(claims[claims != NOTHING]) == {Limb.LEFT_SHIN, Limb.RIGHT_SHIN}
    colours[feet] = TROUSERS                                # boots of the trousers' colour: nothing distinguishes them
    picture, matte, _, pose, stance = dressed.drawn(colours)
    assert (garment.cuff_claims(nothing, picture, matte, pose, stance) == NOTHING).all()


def half_seen(colours):
    known = np.zeros(colours.shape[:2], np.float32)
    known[:, 60:140] = 1
    return rows.around(colours, known, 200.0, 400.0)


def test_stripes_go_round_and_dots_do_not_become_stripes():
    stripes = np.full((80, 206, 3), 0.2, np.float32)
    stripes[20:40] = 0.8
    base, trust = half_seen(stripes)
    assert trust.min() > 0.99 and np.abs(base[30, :] - 0.8).max() < 0.1 and np.abs(base[60, :] - 0.2).max() < 0.1
    y, x = np.mgrid[:80, :206]
    dots = np.where(((y % 16 - 8) ** 2 + (x % 16 - 8) ** 2 < 16)[..., None], 0.8, 0.2) * np.ones(3, np.float32)
    base, _ = half_seen(dots.astype(np.float32))
    assert base[20:60, 0].std(axis=0).max() < 0.03


def test_a_row_that_shows_nothing_says_so_and_both_ends_meet():
    colours = np.full((80, 206, 3), 0.5, np.float32)
    known = np.zeros((80, 206), np.float32)
    known[:40, 60:140] = 1
    base, trust = rows.around(colours, known, 200.0, 400.0)
    assert trust[60:].max() < 0.01 and trust[:30].min() > 0.99 and np.isfinite(base).all()
    np.testing.assert_allclose(base[:, 200:], base[:, :6])


def test_every_face_has_its_own_place_in_the_atlas():
    layout = charts.laid_out(300.0)
    low, high = layout.uv.min(axis=(0, 1)), layout.uv.max(axis=(0, 1))
    assert (low >= 0).all() and (high <= layout.size).all()
    boxes = layout.boxes
    for i in range(charts.CHARTS):
        for j in range(i):
            apart = (boxes[i, :2] >= boxes[j, 2:]).any() or (boxes[j, :2] >= boxes[i, 2:]).any()
            assert apart, f"charts {i} and {j} overlap"
    edges = np.linalg.norm(layout.uv - np.roll(layout.uv, 1, axis=1), axis=2)
    assert np.quantile(edges, 0.99) < 0.08 * 300                      # no face of the mesh is torn across its chart
