"""From a pooled clip to what the networks are trained on: the paper's self-supervision (3.2 to 3.4),
one window at a time."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.conditions.depth import limb_depth, near_and_far
from engine.conditions.environment import environment
from engine.conditions.mask import KINDS, random_region
from engine.conditions.pose import draw_skeleton
from engine.contract.skeleton import BODY, BODY_INDEX, HEAD_HEIGHT
from engine.engines.compact.nets.sizes import Sizes

from .carried import Carried, Frame, Given, from_signed_bytes, in_signed_bytes
from .pooled_clip import (
    BLENDER,
    CLEAN,
    CONTACT,
    FULL,
    MATTE,
    OBJECTS,
    SHADOW,
    SHAPES,
    SHARE,
    BrokenClip,
    PooledClip,
    read,
)

log = logging.getLogger(__name__)
MOST_BROKEN = 20
WEIGHT_STEP = 0.04  # of the loss's weights, so that they fit a byte
# How often (ours; docs/method.md, "Training").
INSERTION = 0.5  # environment from the plate without the character; else from the full picture
KNOWN = 0.75  # of the insertions: the plate may be seen inside M_f
OBJECTS_GIVEN = 0.75
VOLUMES = 0.4  # M_c from the surface, as for a rig without a mesh; else the exact silhouette
LIGHT_KNOWN = 0.4  # of the windows come with the light of the place, as a scene in Blender gives it
SAME_CLIP = 0.15  # the reference is another frame of the clip on a random background (the paper); else drawn separately
RECOLOURED = 0.4  # of the clips; the others keep skin and hair as people have them
MIRRORED = 0.5  # of the clips: other poses and rooms at no cost
CUT_OUT = 0.95  # of the references come with a matte: the pose model nearly always finds one
EXACT_MATTE = 0.25  # of the references are cut out by the artist; the others' mattes are refined, as in use
SCALE_AUGMENTED = 0.3  # M_c shrunk, so that the mask is sometimes smaller than the character (paper 3.2)
NO_REFERENCE = 0.02  # an empty grey picture: what guidance compares with
NO_REFERENCE_JOINTS = 0.05  # reference skeleton and warp left empty: a reference in which no joints are found

ODD_IN_X = [3, 4, 7]  # of the light's coefficients: they change their sign in a mirror (contract/harmonics.py)
OTHER_SIDE = [BODY_INDEX[name.replace("left", "?").replace("right", "left").replace("?", "right")] for name in BODY]


@dataclass(frozen=True)
class Window:
    """F frames of one clip and all their conditions, uint8, channels first; names as in docs/architecture.md.

    Bytes, and every kind of mask, since this is what is kept on disk and on an accelerator; `batch_of` makes the
    networks' inputs of it for any sizes.
    """

    target: np.ndarray  # (F, 3, H, W): picture with the character
    matte: np.ndarray  # (F, 2, H, W): visible matte, shadow factor
    # (F, 3, H, W): what environment and objects are seen in: without the character, or with the performer
    plate: np.ndarray
    regions: np.ndarray  # (F, 3, H, W), 0 or 255: M_f of each of mask.KINDS
    known: np.ndarray  # (), 0 or 255: whether the plate may be seen inside M_f
    skeleton: np.ndarray  # (F, 3, H, W)
    depth: np.ndarray  # (F, 1, H, W)
    warp: np.ndarray  # (F, 4, H, W): the reference's surface, RGB premultiplied by coverage, coverage
    maps: np.ndarray  # (F, MAPS, H, W): of conditions/surface_inputs.py, as carried.in_signed_bytes keeps them
    objects: np.ndarray  # (F, 1, H, W): M_o
    reference: np.ndarray  # (3, H, W): the reference picture
    reference_skeleton: np.ndarray  # (3, H, W)
    weight: np.ndarray  # (F, 1, H, W) of the loss beside the region's own, in WEIGHT_STEPs


@dataclass(frozen=True)
class ReferenceView:
    """A reference picture with its joints and its exact matte."""

    picture: np.ndarray  # (H, W, 3) float32
    matte: np.ndarray  # (H, W) float32
    body: np.ndarray
    hands: np.ndarray
    height_px: float


class SampleMaker:
    """Makes windows from the clips of a folder. State: the list of files, and which are known to be broken; all
    randomness comes from the given generator."""

    def __init__(self, folder: Path, shape: tuple[int, int], share: float = SHARE):
        """Only clips of the shape (width, height) are used; `share` of the windows are of Blender's world where the
        folder has both. Raises ValueError when there are fewer than two."""
        self.broken, self.share = set(), share
        self.files = [f for f in sorted(folder.glob("*.npz")) if SHAPES[int(f.stem) % len(SHAPES)] == shape]
        if len(self.files) < 2:
            raise ValueError(f"{folder}: needs at least two clips of {shape[0]}x{shape[1]}, found {len(self.files)}")
        drawn = [f for f in self.files if int(f.stem) < BLENDER]
        self.worlds = [world for world in (drawn, self.files[len(drawn):]) if world]

    def make(self, rng: np.random.Generator, frames: int) -> Window:
        clip, other = self._read_any(rng, frames), self._read_any(rng, 1)
        return draw_window(rng, clip, frames, other.layers[0, ..., CLEAN])

    def _read_any(self, rng: np.random.Generator, frames: int) -> PooledClip:
        """A clip drawn at random; broken ones are skipped with a warning. Raises ValueError after twenty of them."""
        for _ in range(MOST_BROKEN):
            world = self.worlds[-1] if len(self.worlds) == 1 or rng.random() < self.share else self.worlds[0]
            path = world[rng.integers(len(world))]
            try:
                return read(path, frames if int(path.stem) < BLENDER else 1)
            except BrokenClip as error:
                if path not in self.broken:
                    log.warning("%s: passed over. Remove it, and 'train pool' draws it again.", error)
                self.broken.add(path)
        raise ValueError(f"{path.parent}: {MOST_BROKEN} clips in a row cannot be used, the last is {path.name}. Draw "
                         "the pool "
                         f"again, with at least {frames} frames a clip.")


def draw_window(rng: np.random.Generator, clip: PooledClip, frames: int, other_plate: np.ndarray, *,
                surface: bool = True) -> Window:
    """`frames` consecutive frames of the clip, forwards or backwards; a shorter clip runs to and fro. `other_plate` (H,
    W, 3) uint8 is another room, for the reference. `surface` False: the reference is carried limb by limb; all that is
    drawn at random is the same."""
    clip = mirror(rng, recolour(rng, clip))
    numbers = to_and_fro(rng, len(clip.layers), frames)
    if frames > 1 and rng.random() < 0.5:
        numbers = numbers[::-1]
    return condition(rng, clip, numbers, choose_reference(rng, clip, other_plate), surface=surface)


def to_and_fro(rng: np.random.Generator, count: int, frames: int) -> np.ndarray:
    """`frames` numbers of 0 .. count - 1 in a row, turned at the ends."""
    start = int(rng.integers(0, max(count - frames, 0) + 1))
    around = np.arange(start, start + frames) % max(2 * count - 2, 1)
    return np.minimum(around, 2 * count - 2 - around) if frames > count else np.arange(start, start + frames)


def recolour(rng: np.random.Generator, clip: PooledClip) -> PooledClip:
    """Reorders the colour channels of some clips: more kinds of cloth at no cost."""
    if rng.random() >= RECOLOURED:
        return clip
    order = rng.permutation(3)
    layers, reference = clip.layers.copy(), clip.reference.copy()
    layers[..., 0:3], layers[..., 3:6] = layers[..., order], layers[..., order + 3]
    reference[..., 0:3] = reference[..., order]
    return replace(clip, layers=layers, reference=reference, light=clip.light[..., order])


def mirror(rng: np.random.Generator, clip: PooledClip) -> PooledClip:
    """Mirrors half of the clips: the character's left becomes its right."""
    if rng.random() >= MIRRORED:
        return clip
    width = clip.layers.shape[2]
    layers, reference = np.ascontiguousarray(clip.layers[:, :, ::-1]), np.ascontiguousarray(clip.reference[:, ::-1])
    light = clip.light.copy()
    light[:, ODD_IN_X] *= -1
    return replace(clip, layers=layers, reference=reference, light=light,
                   body=mirrored(clip.body, width)[..., OTHER_SIDE, :], hands=mirrored(clip.hands, width)[:, ::-1],
                   reference_body=mirrored(clip.reference_body, width)[OTHER_SIDE],
                   reference_hands=mirrored(clip.reference_hands, width)[::-1])


def mirrored(joints: np.ndarray, width: int) -> np.ndarray:
    """(..., 4) joints in pixels, mirrored in a picture of this width."""
    return joints * np.float32([-1, 1, 1, 1]) + np.float32([width, 0, 0, 0])


def choose_reference(rng: np.random.Generator, clip: PooledClip, plate: np.ndarray) -> ReferenceView:
    """A random frame of the clip put on a random plate (the paper), or the picture that was drawn separately."""
    if rng.random() >= SAME_CLIP:
        layers = clip.reference / np.float32(255)
        return ReferenceView(layers[..., :3], layers[..., 3], clip.reference_body, tuple(clip.reference_hands),
                             clip.reference_height_px)
    k = int(rng.integers(len(clip.layers)))
    layers = clip.layers[k] / np.float32(255)
    matte = layers[..., MATTE, None]
    picture = matte * layers[..., FULL] + (1 - matte) * (plate / np.float32(255))
    return ReferenceView(picture, matte[..., 0], clip.body[k], tuple(clip.hands[k]), float(clip.height_px[k]))


@dataclass(frozen=True)
class Chances:
    """All random choices for a whole window, with the shares above; the same for all kinds of mask. block_seed: of the
    paper's blocks, the same for every frame: blocks that flicker would tell frames apart."""

    insertion: bool
    known: bool
    volumes: bool
    with_objects: bool
    has_joints: bool
    has_picture: bool
    light_known: bool
    clothing: float
    shrink: float
    block_seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Chances":
        insertion, known = rng.random() < INSERTION, rng.random() < KNOWN
        volumes, with_objects = rng.random() < VOLUMES, rng.random() < OBJECTS_GIVEN
        chance, light_known = rng.random(), rng.random() < LIGHT_KNOWN
        clothing, shrink = rng.uniform(0.8, 1.4), rng.uniform(0.6, 1.0) if rng.random() < SCALE_AUGMENTED else 1.0
        return cls(insertion, known, volumes, with_objects, chance >= NO_REFERENCE + NO_REFERENCE_JOINTS,
                   chance >= NO_REFERENCE, light_known, clothing, shrink, int(rng.integers(2**32)))


def condition(rng: np.random.Generator, clip: PooledClip, numbers: np.ndarray, reference: ReferenceView, *,
              surface: bool = True) -> Window:
    """The conditions of the frames `numbers`; `surface` as draw_window has it."""
    height, width = clip.layers.shape[1:3]
    size, layers = (width, height), clip.layers[numbers]
    chances = Chances.drawn(rng)
    span = near_and_far([(clip.body[k], tuple(clip.hands[k])) for k in range(len(clip.body))])
    matte = reference.matte if rng.random() < EXACT_MATTE else as_estimated(rng, reference.matte)
    refine = matte is not reference.matte and matte.min() < 1
    carried = (Carried(rng, np.dstack([reference.picture, matte]), reference, clip, chances.clothing, refine=refine,
                       surface=surface) if chances.has_joints else None)
    told = [_told(clip, k, layer, chances, carried, span) for k, layer in zip(numbers, layers, strict=True)]
    regions, skeleton, depth, warp, maps = (np.stack(kind) for kind in zip(*told, strict=True))
    picture = reference.picture if chances.has_picture else np.full_like(reference.picture, 0.5)
    drawn = (draw_skeleton(reference.body, reference.hands, size, reference.height_px) if chances.has_joints
             else np.zeros((height, width, 3), np.float32))
    objects = (layers[..., OBJECTS, None] > 127) & chances.with_objects
    return Window(
        target=first(layers[..., FULL]), matte=first(layers[..., [MATTE, SHADOW]]),
        plate=first(layers[..., CLEAN] if chances.insertion else layers[..., FULL]),
        regions=in_bytes(regions), known=np.uint8(255 * (chances.insertion and chances.known)),
        skeleton=in_bytes(skeleton), depth=in_bytes(depth), warp=in_bytes(warp),
        maps=first(in_signed_bytes(maps)), objects=in_bytes(objects), reference=in_bytes(picture),
        reference_skeleton=in_bytes(drawn),
        weight=first(loss_weight(layers, clip.body[numbers], clip.height_px[numbers])))


def _told(clip, k, layer, chances, carried, span) -> tuple:
    """One frame's regions, skeleton, depth, warp and maps, each (H, W, channels); layer: its own of the clip."""
    height, width = layer.shape[:2]
    size, visible = (width, height), (layer[..., MATTE] > 5).astype(np.float32)
    joints = clip.body[k], tuple(clip.hands[k]), float(clip.height_px[k])
    mask, frame = visible, Frame.nothing(size)
    if carried:
        plate = None if chances.insertion else layer[..., FULL] / np.float32(255)
        frame = carried.frame(k, size, Given(clip.light[k] if chances.light_known else None, plate, visible > 0))
        joints = carried.joints(k)
        mask = frame.room if chances.volumes else visible
    if mask is visible and chances.shrink < 1:
        mask = scaled_about_its_centre(mask, chances.shrink)
    mask = np.maximum(mask, frame.warp[..., 3] > 0)     # the laid surface lies inside M_f, as in use
    blocks = [random_region(mask > 0.5, np.random.default_rng(chances.block_seed), kind) for kind in KINDS]
    if not chances.insertion:  # nothing of the performer may remain in the environment
        blocks = [np.maximum(block, visible) for block in blocks]
    body, hands, tall = joints
    return (np.stack(blocks, axis=-1), draw_skeleton(body, hands, size, tall),
            limb_depth(body, hands, size, tall, near=span[0], far=span[1]), frame.warp, frame.maps)


def batch_of(windows: dict[str, Tensor], sizes: Sizes) -> dict[str, Tensor]:
    """Stacked Windows (n, ...) -> the networks' inputs and targets for these sizes, float32 0..1,
    on the windows' device.

    target, environment, warp, objects (n, F, 5, H, W): RGB, matte, shadow factor; masks (n, F, 2, H, W): region M_f,
    known; skeleton (n, F, 3, H, W); maps (n, F, MAPS, H, W); surface (n, F, 3, H, W), premultiplied by its cover
    (n, F, 1, H, W); matte (the visible one, for the loss), depth, object_mask, weight (n, F, 1, H, W);
    reference (n, 5, H, W); reference_skeleton (n, 3, H, W).
    """
    shown = {name: tensor.float() / 255 for name, tensor in windows.items() if name not in ("weight", "maps")}
    kind = KINDS.index(sizes.mask)
    region, plate = shown["regions"][:, :, kind:kind + 1], shown["plate"]
    known = region * shown["known"][:, None, None, None, None]
    cover = shown["warp"][:, :, 3:]
    target = torch.cat([shown["target"], shown["matte"]], dim=2) if sizes.matte_and_shadow else five(shown["target"])
    return {
        "target": target, "matte": shown["matte"][:, :, :1],
        "environment": five(environment(plate, region, known)), "masks": torch.cat([region, known], dim=2),
        "skeleton": shown["skeleton"], "depth": shown["depth"],
        "warp": five(shown["warp"][:, :, :3] + 0.5 * (1 - cover), cover),
        "maps": from_signed_bytes(windows["maps"]), "cover": cover, "surface": shown["warp"][:, :, :3],
        "objects": five(plate * shown["objects"]), "object_mask": shown["objects"],
        "reference": five(shown["reference"]), "reference_skeleton": shown["reference_skeleton"],
        "weight": region.clamp(min=0.1) + windows["weight"].float() * WEIGHT_STEP}


def loss_weight(layers: np.ndarray, bodies: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """(F, H, W, 1) uint8, in WEIGHT_STEPs: what is added to a pixel's weight, which is 1 where the net may paint and a
    tenth elsewhere: more on the character, most at its contacts, head and hands (ours; docs/method.md, "Training").
    """
    shares = layers[..., [MATTE, CONTACT]] / np.float32(255)
    weight = 0.7 * (layers[..., SHADOW, None] < 247) + 1.5 * shares.sum(axis=-1, keepdims=True)
    weight = np.ascontiguousarray(weight, dtype=np.float32)
    for picture, body, height in zip(weight, bodies, heights, strict=True):
        for names, radius in ((("right_ear", "left_ear", "nose", "right_eye", "left_eye"), HEAD_HEIGHT * 0.65),
                              (("right_wrist",), 0.05), (("left_wrist",), 0.05)):
            joints = body[[BODY_INDEX[name] for name in names]]
            joints = joints[joints[:, 3] > 0.05]
            if len(joints):
                disc = np.zeros(picture.shape[:2], np.float32)
                cv2.circle(disc, joints[:, :2].mean(axis=0).round().astype(int).tolist(),
                           round(radius * height), 1.0, -1)
                picture += 2.0 * disc[..., None]
    return (weight / WEIGHT_STEP).round().clip(0, 255).astype(np.uint8)


def as_estimated(rng: np.random.Generator, matte: np.ndarray) -> np.ndarray:
    """(H, W) exact matte -> one as a pose model gives it: too wide or too narrow by up to three pixels, and soft;
    or none."""
    grow, soft, given = int(rng.integers(-2, 4)), rng.uniform(0.3, 2.5), rng.random() < CUT_OUT
    if not given:
        return np.ones_like(matte)
    change = cv2.dilate if grow > 0 else cv2.erode
    return cv2.GaussianBlur(change(matte, np.ones((3, 3), np.uint8), iterations=abs(grow)), (0, 0), soft)


def scaled_about_its_centre(mask: np.ndarray, factor: float) -> np.ndarray:
    """(H, W) mask shrunk about its centre of mass: the paper's random scale augmentation."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return mask
    cx, cy = columns.mean(), rows.mean()
    move = np.float32([[factor, 0, cx * (1 - factor)], [0, factor, cy * (1 - factor)]])
    return (cv2.warpAffine(mask, move, mask.shape[::-1], flags=cv2.INTER_LINEAR) > 0.5).astype(np.float32)


def first(pictures: np.ndarray) -> np.ndarray:
    """(..., H, W, C) -> (..., C, H, W)."""
    return np.ascontiguousarray(np.moveaxis(pictures, -1, -3))


def in_bytes(pictures: np.ndarray) -> np.ndarray:
    """(..., H, W, C) 0..1 -> (..., C, H, W) uint8."""
    return first((pictures * np.float32(255) + np.float32(0.5)).clip(0, 255).astype(np.uint8))


def five(pictures: Tensor, matte: Tensor | None = None) -> Tensor:
    """(..., 3, H, W) -> (..., 5, H, W) with the matte given (none: 0) and shadow 1."""
    matte = torch.zeros_like(pictures[..., :1, :, :]) if matte is None else matte
    return torch.cat([pictures, matte, torch.ones_like(matte)], dim=-3)
