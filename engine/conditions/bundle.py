"""A job folder -> the networks' inputs: one shot's plan, its reference, and windows of conditions.

docs/architecture.md ("the networks' inputs") says what each input is called and means. The files of a window are read
when the window is built, so that a long shot needs no more memory than a short one.
"""
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract import files, jobs
from .character import Character, carry, frame_maps, frame_picture
from .crop import SHAPES, Crop, CropPlan, joints_to_crop, plan_crops, put_back, reference_crop, shape_of, take
from .depth import limb_depth, near_and_far
from .environment import environment, known_inside, without_performer
from .frames import as_bits, as_float, read_colour, read_grey, read_reference
from .known_light import KnownLight, read_light
from .mask import bounding_box, grown, limb_volume_depth, limb_volumes, region_of, volume_box
from .objects import SCENE_TOLERANCE, depth_in_metres, holdout, object_mask
from .pose import draw_skeleton
from .poses import Figure, read_poses, standing_height
from .region_rule import PAPER, RegionRule
from .retarget import retargeted
from .surface.drawing import Maps
from .surface.matte import of_joints
from .surface_inputs import CHANNELS, surface_inputs

MASK_SEEN = 0.02         # of a painted or rendered mask: soft edges are the character's too
VOLUME_SEEN = 0.5        # of the volumes' antialiased edge; both as in training
# In standing heights: how far the surface's mask is grown where the job has no mask, because hair and hems move (ours)
SURFACE_ROOM = 0.012
VOLUMES_ABOUT = 0.0, 1.5  # clothing of the limb volumes that the reference's person fills at least, and at most (ours)
HEIGHT_OFF = 1.6         # a factor: a height that is further from the one by the limbs is another person's (ours)
GREY = 0.5               # behind a reference that is cut out, as behind the warp in training (ours)
_MASKS_LOOKED_AT = 12    # frames of the shot that show how far the mask goes beyond the limb volumes


@dataclass(frozen=True)
class Shot:
    """What is fixed for the whole shot. figures[i] is the Figure of frame i + 1 in job pixels, or None. rule: how the
    engine wants the region. surface: whether it reads the surface's maps. light: what is known of the light of the
    place. has_front: front/ exists."""
    folder: str
    job: jobs.Job
    figures: tuple
    plan: CropPlan
    near: float
    far: float
    masked: bool
    rule: RegionRule = PAPER
    surface: bool = False
    light: KnownLight = KnownLight()
    has_front: bool = False


@dataclass(frozen=True)
class ReferenceBundle:
    """The reference in the crop's shape: picture and skeleton (H, W, 3) float32 0..1. character: the Character that is
    carried to the frames, or None if no joints are known."""
    picture: np.ndarray
    skeleton: np.ndarray
    character: Character | None


@dataclass(frozen=True)
class Bundle:
    """A window's conditions, (F, H, W, channels) float32 0..1; numbers: its frames, 1..N. maps: as surface_inputs
    returns them, with no channels if the weights do not read them. hole: the grey where the environment is unknown."""
    numbers: tuple
    plate: np.ndarray
    mask: np.ndarray
    region: np.ndarray
    known: np.ndarray
    skeleton: np.ndarray
    depth: np.ndarray
    warp: np.ndarray
    objects: np.ndarray
    maps: np.ndarray
    hole: float = 0.0

    @property
    def environment(self) -> np.ndarray:
        """(F, H, W, 3): what the networks may see of the plate."""
        return environment(self.plate, self.region, self.known, self.hole)

    def padded(self, count: int) -> "Bundle":
        """The same conditions with `count` frames: the last one again as often as needed."""
        more = count - len(self.numbers)
        if more == 0:
            return self
        return replace(self, numbers=self.numbers + self.numbers[-1:] * more,
                       **{name: np.concatenate([layer, layer[-1:].repeat(more, axis=0)])
                          for name, layer in vars(self).items() if isinstance(layer, np.ndarray)})


def plan_shot(folder: str, job: jobs.Job, joints: np.ndarray | None = None, height_px: float | None = None, *,
              rule: RegionRule = PAPER, surface: bool = False,
              shapes: Sequence[tuple[int, int]] | None = None) -> Shot:
    """Read pose.json and plan the shot's crops. The first person of a frame is the character. rule, surface: as in
    Shot. shapes: the crops that the engine knows; None: whichever the job names. joints and height_px: the reference's,
    as for build_reference; they are used if the job retargets to them. Raises JobError."""
    figures = tuple(people[0] if people else None for people in read_poses(folder, job.frames))
    if job.retarget > 0:
        reference = _reference_figure(job.reference, joints, height_px)
        if reference is not None:
            figures = retargeted(figures, reference.body[:, [0, 1, 3]], reference.height_px,
                                 strength=job.retarget, fps=job.fps)
    masked = files.has(folder, files.MASK)
    boxes = [_volume_box(figure, job) for figure in figures]
    if masked:
        boxes = _grown_to_masks(boxes, folder, job)
    boxes = [None if box is None else _wider(box, mask_grow(job, number)) for number, box in enumerate(boxes, 1)]
    plan = plan_crops(boxes, job.size, shape_of(job.settings.shape, shapes), shapes or SHAPES)
    near, far = near_and_far((figure.body, figure.hands)
                             for figure, seen in zip(figures, plan.present, strict=True) if seen and figure is not None)
    light = read_light(folder, job.frames, job.size)
    return Shot(folder, job, figures, plan, near, far, masked, rule, surface, light, files.has(folder, files.FRONT))


def build_reference(shot: Shot, joints: np.ndarray | None = None, height_px: float | None = None,
                    matte: np.ndarray | None = None, depths: np.ndarray | None = None) -> ReferenceBundle:
    """The job's reference picture fitted into the shot's shape, and its character's surface fitted to it.

    joints (20, 3) x, y, confidence in the picture's pixels, matte (h, w) float32 0..1 and depths (20,) metres, as
    estimated. If the job itself has joints and depths, these are used instead. Without a matte, the person is found
    from the joints and the colours. Without joints, the whole picture counts as the person.
    """
    path = files.path(shot.folder, shot.job.reference.file)
    picture = read_reference(path)
    figure = _reference_figure(shot.job.reference, joints, height_px, depths)
    crop = reference_crop(picture.shape[1::-1], _reference_box(picture, figure), shot.plan.shape)
    colour = np.ascontiguousarray(picture[..., :3] * picture[..., 3:] + GREY * (1 - picture[..., 3:]))
    colour = np.clip(take(colour, crop), 0.0, 1.0)
    if figure is None:
        return ReferenceBundle(colour, np.zeros_like(colour), None)
    small = _in_crop(figure, crop)
    skeleton = draw_skeleton(small.body, small.hands, crop.shape, small.height_px)
    is_cut_out = bool((picture[..., 3] < 1).any())
    refine = matte is not None and not is_cut_out
    matte = _matte_of_joints(picture, figure) if matte is None else np.ascontiguousarray(matte, np.float32)
    cut_out = np.dstack([colour, np.clip(take(matte, crop), 0.0, 1.0)])
    return ReferenceBundle(colour, skeleton,
                           carry(picture[..., :3], matte, figure, shot.figures, cut_out=cut_out, limbs=small,
                                 refine=refine))


def build_window(shot: Shot, reference: ReferenceBundle, numbers: Sequence[int],
                 plate_of: Callable[[int], np.ndarray] | None = None) -> Bundle:
    """The conditions of the frames `numbers` (1..N); frames without the character have an empty region.

    plate_of(number) -> (H, W, 3) float32 0..1, the frame's plate in its crop, from a caller that has read it already.
    """
    plate_of = plate_of or functools.partial(_plate_in_crop, shot)
    layers = [_conditions(shot, reference, number, plate_of(number)) for number in numbers]
    return Bundle(tuple(numbers), *(np.stack(layer) for layer in zip(*layers, strict=True)), hole=shot.rule.hole)


def frame_holdout(shot: Shot, number: int, maps: Maps | None = None,
                  box: Sequence[int] | None = None) -> np.ndarray | None:
    """(h, w) float32 0..1 in job pixels: what lies in front of the character in this frame;
    None where the job has no depths.

    maps: the character's surface in the `box` (left, top, right, bottom) of the frame; without them, the limb volumes
    are used instead. The result is placed with alpha = min(matte, 1 - holdout). The matte is already the visible part
    of the character.
    """
    figure, size = shot.figures[number - 1], shot.job.size
    layers = [(kind, span, tolerance) for kind, span, *tolerance in
              ((files.OBJECTS, shot.job.objects), (files.DEPTH, shot.job.depth, SCENE_TOLERANCE)) if span is not None]
    if figure is None or not layers:
        return None
    if maps is None or box is None:
        character = limb_volume_depth(figure.body, figure.hands, figure.height_px, size, shot.job.clothing)
    else:
        character = _laid_in(maps.depth, box, size)
    return np.maximum.reduce([holdout(_depth_picture(shot, kind, span, number), character, *tolerance)
                              for kind, span, tolerance in layers])


def frame_front(shot: Shot, number: int) -> np.ndarray | None:
    """(h, w) float32 0..1 in job pixels: where the artist's mask keeps the plate in front of the character; None if
    there is no such mask."""
    if not shot.has_front:
        return None
    return as_float(read_grey(files.picture(shot.folder, files.FRONT, number), shot.job.size))


def plate_maps(shot: Shot, reference: ReferenceBundle, number: int, box: Sequence[int]) -> Maps | None:
    """The surface in the `box` (left, top, right, bottom) of a frame, in job pixels; None where the limb warp is used
    instead."""
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return None
    return frame_maps(reference.character, _carrying(reference, number), shot.job.size,
                      (left, top, right - left, bottom - top))


def frame_region(shot: Shot, number: int, region: np.ndarray) -> np.ndarray:
    """The region M_f (H, W, 1) of one frame of a window -> the same in job pixels (h, w)."""
    return put_back(np.ascontiguousarray(region[..., 0]), shot.plan.crops[number - 1], shot.job.size)


def draw_previews(shot: Shot, reference: ReferenceBundle, number: int) -> dict:
    """The networks' inputs for one frame, as pictures to look at: {name of files.PREVIEWS: (H, W, 3) uint8}."""
    window = build_window(shot, reference, [number])
    mask = 0.5 * window.region[0] + 0.5 * window.mask[0]
    pictures = {"skeleton": window.skeleton[0], "depth": window.depth[0], "surface": window.warp[0, ..., :3],
                "mask": mask, "environment": window.environment[0], "objects": window.plate[0] * window.objects[0]}
    return {name: as_bits(np.broadcast_to(picture, (*picture.shape[:2], 3))) for name, picture in pictures.items()}


def _plate_in_crop(shot: Shot, number: int) -> np.ndarray:
    stored = read_colour(files.picture(shot.folder, files.SOURCE, number), shot.job.size)
    return as_float(take(stored, shot.plan.crops[number - 1]))


def _conditions(shot: Shot, reference: ReferenceBundle, number: int, plate: np.ndarray) -> tuple:
    """One frame's plate, mask, region, known, skeleton, depth, warp, objects and maps, each (H, W, channels)."""
    crop, figure = shot.plan.crops[number - 1], _figure_in_crop(shot, number)
    width, height = size = crop.shape
    maps = _crop_maps(shot, reference, number)
    mask = _character_mask(shot, number, figure, maps)
    region = region_of(mask, shot.rule)[..., None]
    surface = _surface_maps(shot, reference, number, maps, plate)
    if shot.job.clean_pictures:
        clean = read_colour(files.picture(shot.folder, files.CLEAN, number), shot.job.size)
        plate = without_performer(plate, as_float(take(clean, crop)), region)
    known = known_inside(region, shot.job.clean_plate or shot.job.clean_pictures)
    objects = _objects_in_crop(shot, number)[..., None]
    if figure is None:
        blank = np.zeros((height, width, 4), np.float32)
        return plate, mask[..., None], region, known, blank[..., :3], blank[..., :1], blank, objects, surface
    joints = figure.body, figure.hands, size, figure.height_px
    warp = frame_picture(reference.character, maps, figure, size)
    return (plate, mask[..., None], region, known, draw_skeleton(*joints),
            limb_depth(*joints, near=shot.near, far=shot.far), warp, objects, surface)


def _surface_maps(shot: Shot, reference: ReferenceBundle, number: int, maps: Maps | None,
                  plate: np.ndarray) -> np.ndarray:
    """The surface's maps as the networks read them. plate: the original one, with whoever stands in it."""
    character, carrying = reference.character, _carrying(reference, number)
    if not shot.surface or maps is None or character is None or character.avatar is None or carrying is None:
        return np.zeros((*plate.shape[:2], CHANNELS * shot.surface), np.float32)
    performed = None if shot.job.clean_plate else plate
    figure = _in_crop(carrying, shot.plan.crops[number - 1])
    return surface_inputs(maps, figure, character.depth_worth, plate=performed, performer=maps.mask > 0,
                          reference_light=character.avatar.light,
                          white=shot.light.in_crop(number, maps, shot.plan.crops[number - 1]))


def character_mask(shot: Shot, number: int, reference: ReferenceBundle | None = None) -> np.ndarray:
    """M_c (H, W) float32 0 or 1 of one frame in its crop; with the reference, its surface counts."""
    maps = None if reference is None else _crop_maps(shot, reference, number)
    return _character_mask(shot, number, _figure_in_crop(shot, number), maps)


def mask_grow(job: jobs.Job, number: int) -> float:
    """By how many pixels of the job the mask of a frame (1..N) grows; below 0 it shrinks."""
    return job.mask_grow[number - 1] if job.mask_grow else 0.0


def mask_feather(job: jobs.Job, number: int) -> float:
    """Over how many pixels of the job a frame's layer fades inside the region's edge."""
    return job.mask_feather[number - 1] if job.mask_feather else 0.0


def _character_mask(shot: Shot, number: int, figure: Figure | None, maps: Maps | None = None) -> np.ndarray:
    """M_c (H, W) float32 0 or 1 in the crop: the job's mask. If the job has none, the surface's `maps` with some room
    for cloth and hair; if there is no surface either, the limb volumes. Both are joined if the job asks for it, or if
    it retargets: the limbs then have other lengths than in the mask. The covered pixels of the surface always count.
    The result is grown as the job says."""
    crop = shot.plan.crops[number - 1]
    mask = np.zeros(crop.shape[::-1], bool)
    if figure is None:
        return mask.astype(np.float32)
    if shot.masked:
        mask |= as_float(take(read_grey(files.picture(shot.folder, files.MASK, number), shot.job.size),
                              crop)) > MASK_SEEN
    if not shot.masked or shot.job.mask_joins or shot.job.retarget > 0:
        mask |= _volume(shot, figure, maps, crop.shape)
    if maps is not None:
        mask |= maps.coverage > 0          # every drawn pixel of the surface lies inside M_f
    return grown(mask.astype(np.float32), mask_grow(shot.job, number) / crop.step)


def _carrying(reference: ReferenceBundle, number: int) -> Figure | None:
    """The frame's Figure that carries the reference's surface, in job pixels; None without one."""
    return None if reference.character is None else reference.character.figures[number - 1]


def _crop_maps(shot: Shot, reference: ReferenceBundle, number: int) -> Maps | None:
    """The surface in a frame's crop; None where the limb warp is used instead, and where the character is not in the
    frame."""
    character, figure, crop = reference.character, _carrying(reference, number), shot.plan.crops[number - 1]
    if character is None or figure is None or not shot.plan.present[number - 1]:
        return None
    return character.once((number, crop), lambda: frame_maps(character, _in_crop(figure, crop), crop.shape))


def _volume(shot: Shot, figure: Figure, maps: Maps | None, size: Sequence[int]) -> np.ndarray:
    """(H, W) bool: what the character fills in a frame without a mask."""
    if maps is None:
        return limb_volumes(figure.body, figure.hands, figure.height_px, size, shot.job.clothing) > VOLUME_SEEN
    return grown(maps.mask, SURFACE_ROOM * shot.job.clothing * figure.height_px) > 0


def _laid_in(part: np.ndarray, box: Sequence[int], size: Sequence[int]) -> np.ndarray:
    """(h, w) of the picture's `size` (w, h): the depths of its box, and infinity around it."""
    whole = np.full(size[::-1], np.inf, np.float32)
    whole[box[1]:box[3], box[0]:box[2]] = part
    return whole


def _objects_in_crop(shot: Shot, number: int) -> np.ndarray:
    crop = shot.plan.crops[number - 1]
    if shot.job.objects is None:
        return np.zeros(crop.shape[::-1], np.float32)
    stored = read_grey(files.picture(shot.folder, files.OBJECTS, number), shot.job.size)
    return (take(object_mask(stored), crop) > 0.5).astype(np.float32)


def _depth_picture(shot: Shot, kind: str, span: jobs.DepthRange, number: int) -> np.ndarray:
    stored = read_grey(files.picture(shot.folder, kind, number), shot.job.size)
    return depth_in_metres(stored, span.near, span.far)


def _figure_in_crop(shot: Shot, number: int) -> Figure | None:
    """The frame's Figure in its crop's pixels; None where the character is not in the frame."""
    figure = shot.figures[number - 1]
    return _in_crop(figure, shot.plan.crops[number - 1]) if shot.plan.present[number - 1] else None


def _in_crop(figure: Figure, crop: Crop) -> Figure:
    hands = tuple(None if hand is None else joints_to_crop(hand, crop) for hand in figure.hands)
    return replace(figure, body=joints_to_crop(figure.body, crop), hands=hands, height_px=figure.height_px / crop.step,
                   focal=figure.focal and figure.focal / crop.step)


def _volume_box(figure: Figure | None, job: jobs.Job) -> jobs.Box | None:
    return None if figure is None else volume_box(figure.body, figure.hands, figure.height_px, job.clothing)


def _grown_to_masks(boxes: Sequence[jobs.Box | None], folder: str, job: jobs.Job) -> list:
    """The boxes, grown as far as the masks of a few frames go beyond them, measured in box sides (ours: reading every
    mask of a shot before its first frame would cost seconds)."""
    known = [(i, box) for i, box in enumerate(boxes) if box is not None]
    beyond = np.zeros(4)
    for i, box in known[::max(len(known) // _MASKS_LOOKED_AT, 1)]:
        mask = read_grey(files.picture(folder, files.MASK, i + 1), job.size)
        mask = bounding_box(mask > MASK_SEEN * np.iinfo(mask.dtype).max)
        if mask is not None:
            low, high = np.array(box[:2]), np.array(box[2:])
            more = np.concatenate([low - mask[:2], np.array(mask[2:]) - high]) / np.tile(high - low, 2)
            beyond = np.maximum(beyond, np.minimum(more, 1.0))
    return [None if box is None else _grown(np.array(box), beyond) for box in boxes]


def _wider(box: jobs.Box, pixels: float) -> tuple:
    """A box with room for a mask that grows by so many pixels. If the mask shrinks, the box stays, so that the crops
    stay calm."""
    more = max(pixels, 0.0)
    return box[0] - more, box[1] - more, box[2] + more, box[3] + more


def _grown(box: np.ndarray, beyond: np.ndarray) -> tuple:
    side = box[2:] - box[:2]
    return (*(box[:2] - beyond[:2] * side).tolist(), *(box[2:] + beyond[2:] * side).tolist())


def _reference_figure(reference: jobs.Reference, joints: np.ndarray | tuple[jobs.Joint, ...] | None,
                      height_px: float | None, depths: np.ndarray | tuple[float, ...] | None = None) -> Figure | None:
    if reference.joints is not None:
        joints, height_px = reference.joints, reference.height_px
    depths = depths if reference.depths is None else reference.depths
    if joints is None:
        return None
    joints = np.array(joints, np.float64)
    body = np.column_stack([joints[:, :2], np.zeros(len(joints)) if depths is None else depths, joints[:, 2]])
    by_limbs = standing_height(body)
    if not height_px or by_limbs > 0 and not 1 / HEIGHT_OFF < height_px / by_limbs < HEIGHT_OFF:
        height_px = by_limbs        # the given height was found before the joints were corrected
    return Figure(body, (None, None), height_px) if height_px > 0 else None


def _matte_of_joints(picture: np.ndarray, figure: Figure) -> np.ndarray:
    def volumes(share: float) -> list[np.ndarray]:
        size = tuple(max(round(side * share), 2) for side in picture.shape[1::-1])
        body = figure.body * (share, share, 1, 1)
        return [limb_volumes(body, (None, None), figure.height_px * share, size, room) for room in VOLUMES_ABOUT]
    return of_joints(np.ascontiguousarray(picture[..., :3]), volumes)


def _reference_box(picture: np.ndarray, figure: Figure | None) -> jobs.Box | None:
    """The character's box: from the picture's alpha, else from the limb volumes, else None."""
    seen = picture[..., 3] > 0.5
    if not seen.all() and seen.any():
        return bounding_box(seen)
    return None if figure is None else volume_box(figure.body, figure.hands, figure.height_px)
