"""The template in painted clothes, drawn as a reference: the colour under every pixel is known."""
import numpy as np

from engine.conditions.surface import template as templates
from engine.conditions.surface.garment import Skirt, worn_faces
from engine.conditions.surface.hair import scalp
from engine.conditions.surface.space import Space
from engine.conditions.surface.stance import pose_of, stand
from engine.conditions.surface.template import Limb, Tag
from tests.unit import surface_person as person

TEMPLATE = templates.load()
SHIRT, TROUSERS, SKIN, HAIR, SHOES, BACKDROP = (
    (0.75, 0.2, 0.15),
    (0.15, 0.2, 0.5),
    (0.85, 0.62, 0.5),
    (0.25, 0.15, 0.08),
    (0.1, 0.35, 0.2),
    (0.6, 0.62, 0.6),
)
STANDING = (("left", "shoulder", (0, 0, 1), 25), ("right", "shoulder", (0, 0, 1), -25))


def painted() -> np.ndarray:
    """(V, 3): each vertex's own colour, with long sleeves, trousers, shoes, a face and hair."""
    limbs = TEMPLATE.limbs
    colours = np.full((len(limbs), 3), SHIRT)
    colours[
        (limbs >= Limb.LEFT_THIGH)
        | ((limbs == Limb.TORSO) & (TEMPLATE.points[:, 1] > TEMPLATE.joints["left_hip"][1] - 0.08))
    ] = TROUSERS
    colours[np.isin(limbs, (Limb.LEFT_FOOT, Limb.RIGHT_FOOT))] = SHOES
    colours[(limbs == Limb.HEAD) | (TEMPLATE.tags == Tag.HAND)] = SKIN
    fringe = (TEMPLATE.tags == Tag.HEAD) & (TEMPLATE.points[:, 1] < TEMPLATE.joints["left_eye"][1] - 0.045)
    colours[scalp(TEMPLATE) | fringe] = HAIR
    colours[TEMPLATE.tags == Tag.SKIRT] = TROUSERS
    return colours


def drawn(colours, *, turns=STANDING, degrees=0, girth=0.0, hem=None, size=person.SIZE):
    """(picture (h, w, 3), matte (h, w), figure, pose, stance), drawn from vertices with colours (V, 3) and girth metres
    thicker."""
    figure = person.figure(person.turned(person.joints(*turns), degrees), hands=False)
    pose = pose_of(Space.of(figure, TEMPLATE), TEMPLATE, size)
    if hem is not None:
        pose = pose.wearing(worn_faces(TEMPLATE, Skirt(hem - 0.04, np.zeros((1, 3)))), hem)
    displacement = np.full(len(TEMPLATE.points), girth) * np.isin(TEMPLATE.tags, (Tag.BODY, Tag.SKIRT))
    stance = stand(pose, displacement)
    matte = (stance.hit >= 0).astype(np.float32)
    picture = np.where(matte[..., None] > 0, stance.across(colours), np.array(BACKDROP)).astype(np.float32)
    return picture, matte, figure, pose, stance


def overlap(a, b):
    """Intersection over union of two masks (h, w) bool."""
    return (a & b).sum() / (a | b).sum()
