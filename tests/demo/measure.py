"""A finished job folder -> how recognisable its character is, in numbers: colours, joints, holes, noise.

All four measures are ours, as a test for the first pack to pass; docs/evaluation.md measures likeness better:
- colour: of each body part, the CIEDE2000 between the reference's median colour and the frame's, median over frames;
- joints: the share of seen, unhidden joints that lie inside the matte;
- holes: the largest share, in any frame, of the limbs' cores that the matte leaves open;
- noise: the median over frames of the mean distance, in the limbs' cores, of luminance to its 3x3 median (8-bit steps).
"""
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from engine.contract import files
from lab.evaluation.body_parts import CORE, CORE_LINES, PARTS, SEEN, band, tone
from lab.evaluation.colour import delta_e_2000

COLOUR_MOST, JOINTS_LEAST, HOLES_MOST, NOISE_MOST = 15.0, 0.95, 0.02, 6.0
SOLID = 0.5                 # the least matte of a pixel that counts as the character's


@dataclass(frozen=True)
class Likeness:
    """`colours`: CIEDE2000 by body part; parts that are never seen are missing."""

    colours: dict = field(default_factory=dict)
    joints: float = 0.0
    holes: float = 1.0
    noise: float = 0.0

    def faults(self):
        """What misses its limit, one sentence each."""
        found = [f"{part}: colour is {value:.1f} from the reference's (CIEDE2000), at most {COLOUR_MOST:g} expected"
                 for part, value in self.colours.items() if value > COLOUR_MOST]
        if self.joints < JOINTS_LEAST:
            found.append(f"{self.joints:.1%} of the joints lie inside the matte, at least {JOINTS_LEAST:.0%} expected")
        if self.holes > HOLES_MOST:
            found.append(f"a frame's limbs are open on {self.holes:.1%}, at most {HOLES_MOST:.0%} expected")
        if self.noise > NOISE_MOST:
            found.append(f"noise is {self.noise:.1f} of 255, at most {NOISE_MOST:g} expected")
        return found


def measure(job_folder, reference_joints, reference_height):
    """The Likeness of a job's frames; reference joints (20, 3) x, y, confidence in the reference's pixels."""
    job_folder = Path(job_folder)
    job = json.loads((job_folder / files.JOB).read_text())
    poses = json.loads((job_folder / files.POSE).read_text())["frames"]
    reference = picture(job_folder / files.REFERENCE, "RGB")
    wanted = {part: tone(reference, np.ones(reference.shape[:2], bool), lines, np.asarray(reference_joints, float),
                         reference_height) for part, lines in PARTS.items()}
    distances, inside, open_shares, noises = {part: [] for part in PARTS}, [], [], []
    for number, pose in enumerate(poses, 1):
        if not pose["people"]:
            continue
        body = np.asarray(pose["people"][0]["body"], float)
        height = pose["people"][0]["height_px"]
        frame = picture(files.picture(job_folder, files.FRAMES, number), "RGBA")
        matte, free = frame[..., 3] >= SOLID, unhidden(job_folder, job, number, body)
        points = np.delete(body, 2, axis=1)
        for part, lines in PARTS.items():
            seen = tone(frame[..., :3], matte & free, lines, points, height)
            if seen is not None and wanted[part] is not None:
                distances[part].append(float(delta_e_2000(wanted[part], seen)))
        inside += joints_inside(matte, free, points)
        core = band(CORE_LINES, points, CORE * height / 2, matte.shape) & free
        open_shares += [float((core & ~matte).sum() / core.sum())] if core.any() else []
        noises += [noise(frame[..., :3], core & matte)] if (core & matte).any() else []
    colours = {part: float(np.median(values)) for part, values in distances.items() if values}
    return Likeness(colours, float(np.mean(inside)) if inside else 0.0, max(open_shares, default=1.0),
                    float(np.median(noises)) if noises else 0.0)


def picture(path, mode):
    """(h, w, channels) float 0..1."""
    with Image.open(path) as opened:
        return np.asarray(opened.convert(mode), np.float32) / 255


def unhidden(job_folder, job, number, body):
    """(h, w) bool: where no object is nearer than the nearest of the body's joints (a cautious hold-out)."""
    path = Path(files.picture(job_folder, files.OBJECTS, number))
    width, height = job["size"]
    if not job.get("objects") or not path.exists():
        return np.ones((height, width), bool)
    with Image.open(path) as opened:
        codes = np.asarray(opened, np.float32)
    near, far = job["objects"]["near"], job["objects"]["far"]
    depth = far + (codes - 1) / 65534 * (near - far)
    seen = body[:, 3] >= SEEN
    farthest = body[seen, 2].max() if seen.any() else 0.0
    return (codes == 0) | (depth > farthest)


def joints_inside(matte, free, joints):
    """For each seen, unhidden joint in the picture: whether a pixel of the matte is at most one pixel away."""
    height, width = matte.shape
    found = []
    for x, y, confidence in joints:
        column, row = int(x), int(y)
        if confidence < SEEN or not (0 <= x < width and 0 <= y < height) or not free[row, column]:
            continue
        found.append(bool(matte[max(row - 1, 0):row + 2, max(column - 1, 0):column + 2].any()))
    return found


def noise(rgb, where):
    """The mean distance of luminance to its 3x3 median, in 8-bit steps, over the given pixels (at least one)."""
    rows, columns = np.where(where.any(1))[0], np.where(where.any(0))[0]
    box = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
    light, chosen = rgb[box] @ np.array((0.2126, 0.7152, 0.0722), np.float32), where[box]
    around = np.pad(light, 1, mode="edge")
    height, width = light.shape
    middle = np.median([around[y:y + height, x:x + width] for y in range(3) for x in range(3)], axis=0)
    return float(np.abs(light - middle)[chosen].mean() * 255)


def table(likeness):
    """The numbers as lines of text."""
    lines = [f"  colour of {part:<12} {value:6.1f}   at most {COLOUR_MOST:g}"
             for part, value in likeness.colours.items()]
    lines.append(f"  joints inside matte    {likeness.joints:6.1%}   at least {JOINTS_LEAST:.0%}")
    lines.append(f"  open limbs, worst      {likeness.holes:6.1%}   at most {HOLES_MOST:.0%}")
    lines.append(f"  noise                  {likeness.noise:6.2f}   at most {NOISE_MOST:g}")
    return "\n".join(lines)
