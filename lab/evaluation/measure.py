"""One clip's frames by one row -> its value in every column."""

from dataclasses import dataclass

import numpy as np

from engine.conditions.frames import read_grey
from engine.conditions.poses import read_poses
from engine.contract import files
from engine.door.answer import Host
from engine.engines.compact.engine import CompactEngine

from . import perceptual
from .bare import COVERED, laid_frames
from .body_parts import part_differences
from .clips import Clip
from .composite import lay_over
from .generate import Made
from .motion import flicker_ratio
from .pictures import greatest_difference, overlap, psnr_over, psnr_relit, ssim
from .pose_score import end_distances, found_joints, pose_error
from .regions import CHARACTER, Regions, away_from, regions_of
from .rows import Row, composite

COLUMNS = ("character_psnr", "unsure_psnr", "band_psnr", "contact_psnr", "shadow_psnr", "outside_max_diff",
           "object_psnr", "matte_iou", "ssim", "st_lpips", "pose_error_px", "flicker_ratio", "identity_error",
           "falls_back")
UNSURE = 0.5   # of the surface's confidence: below it, the reference does not show what is there
LOOKED_AT = 4  # frames of a clip, evenly spaced, by the two measures that cost a network


@dataclass(frozen=True)
class Truth:
    """What is read of a clip once for all rows. target (frames, h, w, 3); objects and unsure (frames, h, w) bool, the
    latter: the character's pixels of which the surface is not sure; joints: what the pose model finds in the true
    frames `looked_at`; figures: the rig's own."""

    clip: Clip
    regions: list[Regions]
    target: np.ndarray
    objects: np.ndarray
    unsure: np.ndarray
    figures: tuple
    looked_at: tuple
    joints: dict


def read_truth(clip: Clip, host: Host[CompactEngine]) -> Truth:
    """host: whose pose model finds the reference's joints, as for bare.bare."""
    numbers, regions = range(1, clip.job.frames + 1), regions_of(clip)
    target = np.stack([clip.colour("target", number) for number in numbers])
    looked_at = tuple(sorted({int((k + 0.5) * len(numbers) / LOOKED_AT) for k in range(LOOKED_AT)}))
    people = read_poses(clip.folder, clip.job.frames)
    unsure = np.stack([r.character & (one.alpha > COVERED) & (one.confidence < UNSURE)
                       for r, one in zip(regions, laid_frames(clip.folder, clip.references, host), strict=True)])
    return Truth(clip, regions, target, np.stack([_objects(clip, number) for number in numbers]), unsure,
                 tuple(entry[0] if entry else None for entry in people), looked_at,
                 {k: found_joints(target[k]) for k in looked_at})


def measure(truth: Truth, row: Row, made: list[Made]) -> dict:
    """{column: value}, NaN where the clip has nothing to measure, and "parts": {body part: CIEDE2000; "made wrist" and
    so on: pixels from the rig's joint to where the pose model finds it in the made frames, "true wrist" in the true
    ones; "relit": character_psnr as it would be with the right light; "painted %": how much of the character is the
    network's own picture and not the surface}."""
    clip, regions, target = truth.clip, truth.regions, truth.target
    numbered = list(enumerate(zip(made, regions, strict=True), 1))
    laid = [composite(row, clip, number, one, r.region) for number, (one, r) in numbered]
    shown, plates = np.stack([picture for picture, _ in laid]), [plate for _, plate in laid]
    over = lambda name: psnr_over(zip(shown, target, (getattr(r, name) for r in regions), strict=True))  # noqa: E731
    outside = [r.outside if one.region is None else away_from(one.region) for one, r in zip(made, regions, strict=True)]
    untouched = [where & (row.alone | (one.shadow.min(axis=-1) == 1)) for where, one in zip(outside, made, strict=True)]
    parts = _part_differences(truth, shown)
    joints = {k: found_joints(shown[k]) for k in truth.looked_at}
    return {
        "character_psnr": over("character"),
        "unsure_psnr": psnr_over(zip(shown, target, truth.unsure, strict=True)),
        "band_psnr": over("band"), "contact_psnr": over("contact"),
        "shadow_psnr": over("shadow"),
        "outside_max_diff": max(map(greatest_difference, shown, plates, untouched)),
        "object_psnr": psnr_over(zip(_before_holdout(row, made, plates), target,
                                     (o & r.region for o, r in zip(truth.objects, regions, strict=True)), strict=True)),
        "matte_iou": _matte_iou(made, regions),
        "ssim": _mean([ssim(a, b, r.around) for a, b, r in zip(shown, target, regions, strict=True)]),
        "st_lpips": perceptual.st_lpips([shown[k] for k in truth.looked_at], [target[k] for k in truth.looked_at])
        if perceptual.available() else float("nan"),
        "pose_error_px": _mean([pose_error(joints[k], truth.joints[k]) for k in truth.looked_at]),
        "flicker_ratio": flicker_ratio(shown, target, np.stack([r.character for r in regions])),
        "identity_error": _mean(parts.values()),
        "falls_back": float(any(one.limb_warp for one in made)) if row.surface else float("nan"),
        "parts": {**parts, **_end_distances(truth, "made", joints), **_end_distances(truth, "true", truth.joints),
                  "relit": psnr_relit(zip(shown, target, (r.character for r in regions), strict=True)),
                  **_painted(made)}}


def _objects(clip: Clip, number: int) -> np.ndarray:
    """M_o (h, w) bool; nothing where the job has no objects."""
    if clip.job.objects is None:
        return np.zeros(clip.job.size[::-1], bool)
    return read_grey(files.picture(clip.folder, files.OBJECTS, number), clip.job.size) > 0


def _before_holdout(row: Row, made, plates) -> list:
    """What the row would show without hold-outs."""
    return [lay_over(plate, one.unheld, None if row.alone else one.shadow)
            for one, plate in zip(made, plates, strict=True)]


def _matte_iou(made, regions) -> float:
    """Of the row's visible character; NaN for weights that learned no matte."""
    if any(one.visible is None for one in made):
        return float("nan")
    return overlap([(one.visible > CHARACTER, r.character) for one, r in zip(made, regions, strict=True)])


def _painted(made) -> dict:
    """{"painted %": of the clip's character}; nothing where there is no surface."""
    counts = np.array([one.painted for one in made if one.painted is not None]).reshape(-1, 2).sum(axis=0)
    return {"painted %": 100 * counts[0] / counts[1]} if counts[1] else {}


def _part_differences(truth: Truth, shown) -> dict:
    """{part: median over frames of the CIEDE2000 to the true frame, in which the light is the same}."""
    found: dict[str, list] = {}
    for picture, true, regions, figure in zip(shown, truth.target, truth.regions, truth.figures, strict=True):
        if figure is None:
            continue
        joints = figure.body[:, [0, 1, 3]]
        for part, value in part_differences(picture, true, regions.character, joints, figure.height_px).items():
            found.setdefault(part, []).append(value)
    return {part: float(np.median(values)) for part, values in found.items()}


def _end_distances(truth: Truth, name: str, joints: dict) -> dict:
    """{"NAME wrist" and so on: pixels}, over the frames looked at."""
    found: dict[str, list] = {}
    for k, one in joints.items():
        figure = truth.figures[k]
        for end, apart in end_distances(one, None if figure is None else figure.body[:, [0, 1, 3]]).items():
            found.setdefault(f"{name} {end}", []).append(apart)
    return {end: _mean(values) for end, values in found.items()}


def _mean(values) -> float:
    """Of the values that are numbers; NaN where there is none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
