"""A finished demo and difficult references -> a sheet to look at: each reference, the character before the body
surface, and now (docs/situations.md).

    python -m lab situations OUT --shot JOB [--pack FOLDER] [--only 2 5]

OUT/situations.webp is the sheet; OUT also keeps the jobs that were run, and a second run reuses their frames. Each
reference is given only as a picture: the product finds the joints itself.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from engine.conditions.frames import as_bits, as_float, read_colour, read_picture, read_reference, write_picture
from engine.conditions.poses import Figure, read_poses
from engine.contract import files, jobs
from engine.contract.errors import JobError
from engine.contract.skeleton import BODY_INDEX
from engine.door.answer import Host
from engine.engines.compact.engine import CompactEngine

from .clips import Clip
from .composite import lay_over
from .generate import REFERENCE, Made, generate
from .weights import open_engine

ROOT = Path(__file__).resolve().parents[2]
PICTURES, DEMO = ROOT / "tests" / "situations", ROOT / "tests" / "demo" / "reference.png"
STRETCHES = {"from the front": (33, 34, 35), "from the side": (7, 8, 9)}    # frames of the demo; the middle is shown
BEFORE, NOW = "before", "now"
COLUMNS = (("from the front", BEFORE), ("from the front", NOW), ("from the side", NOW))
TALL = (1080, 1920)     # width, height
CELL = (190, 390)       # width, height in the job's pixels
ROOM = 0.15             # of the standing height, about the reference's joints: what its cell shows
ENLARGED = 2            # times
LINE = 22               # pixels of the sheet for a line of text
QUALITY = 68            # of the WebP: half a megabyte at most


@dataclass(frozen=True)
class Situation:
    """What is hard, and the reference; tall: the plate is made TALL, and the cells show the character's upper part."""

    title: str
    reference: Path
    tall: bool = False


SITUATIONS = (
    Situation("a dress, hands at the thighs", PICTURES / "dress_1663.png"),
    Situation("long hair, from behind", PICTURES / "from_behind_511.png"),
    Situation("a hat", PICTURES / "cap_127.png"),
    Situation("one hand on the hip, one at the thigh", PICTURES / "hand_on_hip_703.png"),
    Situation("sitting", PICTURES / "sitting_renoir.jpg"),
    Situation("head and shoulders only", PICTURES / "head_and_shoulders_hopper.jpg"),
    Situation("a drawing", PICTURES / "drawing_police_woman.png"),
    Situation("a robe, braids and a head scarf", PICTURES / "robe_jerusalem.jpg"),
    Situation("1080x1920", DEMO, tall=True),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab situations", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--shot", type=Path, required=True, metavar="JOB", help="the job folder of a finished demo")
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="other weights than the embedded ones")
    parser.add_argument("--only", type=int, nargs="+", metavar="N", help="situations by their number, from 1")
    options = parser.parse_args(arguments)
    chosen = options.only or range(1, len(SITUATIONS) + 1)
    if not set(chosen) <= set(range(1, len(SITUATIONS) + 1)):
        parser.error(f"--only: expected numbers from 1 to {len(SITUATIONS)}")
    try:
        host = open_engine(options.pack)
        rows = [row(number, options.shot, host, options.out) for number in chosen]
    except JobError as error:
        print(f"situations: {error}", file=sys.stderr)
        return 1
    path = options.out / "situations.webp"
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    print(path)
    return 0


def row(number: int, shot: Path, host: Host[CompactEngine], out: Path) -> np.ndarray:
    """(h, w, 3) uint8: the situation's reference, then COLUMNS, each under a line that names it."""
    situation = SITUATIONS[number - 1]
    picture = read_reference(situation.reference)
    person = host.find_joints(as_bits(picture))
    cells = [(f"{number}: {situation.title}", _fitted(picture, person))]
    for name, when in COLUMNS:
        folder = out / str(number) / name.split()[-1]
        clip = prepare(situation, shot, STRETCHES[name], folder / "given")
        made = generate(clip, host, folder / when, surface=when == NOW, found=REFERENCE)
        instead = "" if when == BEFORE else _instead(made, person)
        cells.append((f"{name}, {when}{instead}", shown(clip, made, situation.tall)))
    return np.hstack([_titled(*cell) for cell in cells])


def prepare(situation: Situation, shot: Path, numbers: tuple, folder: Path) -> Clip:
    """A job folder with these frames of the shot, its plate TALL where the situation wants it, and the reference."""
    job = jobs.read(shot)
    poses = [json.loads((shot / files.POSE).read_bytes())["frames"][number - 1] for number in numbers]
    size, scale, left = job.size, 1.0, 0
    if situation.tall:
        size, scale = TALL, TALL[1] / job.size[1]
        left = _left([read_poses(shot, job.frames)[number - 1][0] for number in numbers], scale, job.size[0])
        poses = [_moved(frame, scale, left) for frame in poses]
    for place, number in enumerate(numbers, 1):
        for kind in (files.SOURCE, files.OBJECTS):
            picture = read_picture(files.picture(shot, kind, number))
            way = cv2.INTER_NEAREST if kind == files.OBJECTS else cv2.INTER_CUBIC
            whole = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way)
            write_picture(files.picture(folder, kind, place), whole[:size[1], left:left + size[0]])
    files.write_whole(folder / files.POSE, json.dumps({"version": 1, "frames": poses}).encode())
    name = f"reference{situation.reference.suffix}"
    files.write_whole(folder / name, situation.reference.read_bytes())
    job = replace(job, size=size, frames=len(numbers), reference=jobs.Reference(name))
    return Clip(folder, job, "demo", "insertion", situation.title)


def shown(clip: Clip, made: list[Made], upper: bool) -> np.ndarray:
    """(h, w, 3) uint8: the middle frame's CELL about the character, or its upper part, enlarged."""
    place = len(made) // 2
    plate = as_float(read_colour(files.picture(clip.folder, files.SOURCE, place + 1), clip.job.size))
    laid = as_bits(lay_over(plate, made[place].character, made[place].shadow))
    figure = read_poses(clip.folder, clip.job.frames)[place][0]
    left, top = _corner(figure, clip.job.size, upper)
    cell = np.ascontiguousarray(laid[top:top + CELL[1], left:left + CELL[0]])
    return cv2.resize(cell, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)


def _instead(made: list[Made], person) -> str:
    """What replaced the surface, to be written beside the column's name."""
    if person is None:
        return " (nobody found)"
    return " (limb warp)" if any(one.limb_warp for one in made) else ""


def _corner(figure: Figure, size, upper: bool) -> np.ndarray:
    """Left and top of the CELL."""
    seen = figure.body[figure.body[:, 3] > 0, :2]
    middle = figure.body[BODY_INDEX["neck"], :2] if upper else (seen.min(axis=0) + seen.max(axis=0)) / 2
    return np.clip(middle - np.array(CELL) / 2, 0, np.array(size) - CELL).astype(int)


def _left(figures: list[Figure], scale: float, width: int) -> int:
    """Where the TALL plate is cut out of the enlarged one, so that the character stands in its middle."""
    middle = scale * np.mean([figure.body[BODY_INDEX["neck"], 0] for figure in figures])
    return int(np.clip(middle - TALL[0] / 2, 0, width * scale - TALL[0]))


def _moved(frame: dict, scale: float, left: int) -> dict:
    """A frame of pose.json in the enlarged and cut plate."""
    def joints(given):
        return given and [[x * scale - left, y * scale, *rest] for x, y, *rest in given]

    def person(given):
        lengths = {name: given[name] * scale for name in ("height_px", "focal_px") if given.get(name)}
        return given | lengths | {name: joints(given.get(name)) for name in ("body", "left_hand", "right_hand")}
    return {**frame, "people": [person(given) for given in frame["people"]]}


def _fitted(picture, person) -> np.ndarray:
    """A reference (h, w, 4) 0..1 on grey: the part around the person found, as large as a cell permits."""
    width, height = (side * ENLARGED for side in CELL)
    if person is not None:
        seen, room = person.body[person.body[:, 3] > 0, :2], ROOM * person.height_px
        low, high = (np.clip(ends, 0, picture.shape[1::-1]).astype(int)
                     for ends in (seen.min(axis=0) - room, seen.max(axis=0) + room))
        picture = picture[low[1]:high[1], low[0]:high[0]]
    laid = as_bits(picture[..., :3] * picture[..., 3:] + 0.5 * (1 - picture[..., 3:]))
    scale = min(width / laid.shape[1], height / laid.shape[0])
    small = cv2.resize(laid, (round(laid.shape[1] * scale), round(laid.shape[0] * scale)),
                       interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cell = np.full((height, width, 3), 128, np.uint8)
    cell[:small.shape[0], :small.shape[1]] = small
    return cell


def _titled(text: str, picture: np.ndarray) -> np.ndarray:
    head = np.full((LINE, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(head, text, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.pad(np.vstack([head, picture]), ((0, 6), (0, 6), (0, 0)), constant_values=255)
