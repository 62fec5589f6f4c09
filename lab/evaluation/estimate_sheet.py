"""An estimated job folder in; a contact sheet of its frames with skeleton and mask, as one picture, out.

    python -m lab.evaluation.estimate_sheet JOB SHEET.jpg --frames 104,110,116 --height 200 --crop
"""

import argparse

import cv2
import numpy as np

from engine.conditions.frames import as_bits, as_float, read_colour, read_grey
from engine.conditions.pose import draw_skeleton
from engine.conditions.poses import read_poses
from engine.contract import files, jobs

_OUTLINE = (255, 210, 0)


def drawn(folder, number, job, figure):
    """(h, w, 3) uint8: the frame with the skeleton laid over it and the mask's outline."""
    picture = read_colour(files.picture(folder, files.SOURCE, number), job.size)
    picture = as_float(picture) * 0.75
    if figure is not None:
        skeleton = draw_skeleton(figure.body, figure.hands, job.size, figure.height_px)
        cover = skeleton.max(axis=-1, keepdims=True)
        picture = picture * (1 - cover) + np.minimum(skeleton * 1.3, 1.0) * cover
    picture = as_bits(picture)
    mask = (read_grey(files.picture(folder, files.MASK, number), job.size) > 127).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, _OUTLINE, 1)
    return picture


def sheet(folder, numbers, *, height, crop, columns):
    """(H, W, 3) uint8: the frames `numbers` in rows of `columns`, each `height` high."""
    job = jobs.read(folder)
    figures = [people[0] if people else None for people in read_poses(folder, job.frames)]
    tiles = []
    for number in numbers:
        picture, figure = drawn(folder, number, job, figures[number - 1]), figures[number - 1]
        if crop:
            picture = _about(picture, figure, crop)
        tile = cv2.resize(picture, (round(height * picture.shape[1] / picture.shape[0]), height),
                          interpolation=cv2.INTER_AREA)
        cv2.putText(tile, str(number), (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    wide = max(tile.shape[1] for tile in tiles)
    tiles = [np.pad(tile, ((0, 0), (0, wide - tile.shape[1]), (0, 0))) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i:i + columns]) for i in range(0, len(tiles), columns)])


def _about(picture, figure, side):
    """A square of `side` pixels around the figure; black beyond the frame's edge."""
    padded = np.pad(picture, ((side, side), (side, side), (0, 0)))
    seen = figure.body[figure.body[:, 3] > 0, :2] if figure is not None else np.array([picture.shape[1::-1]]) / 2
    x, y = ((seen.min(axis=0) + seen.max(axis=0)) / 2 + side / 2).astype(int)
    return padded[y:y + side, x:x + side]


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job")
    parser.add_argument("sheet")
    parser.add_argument("--frames", required=True, help="numbers, or FIRST:LAST:STEP")
    parser.add_argument("--height", type=int, default=200)
    parser.add_argument("--crop", type=int, default=0,
                        help="side of a square about the performer, in pixels of the job")
    parser.add_argument("--columns", type=int, default=6)
    options = parser.parse_args(arguments)
    if ":" in options.frames:
        first, last, step = map(int, options.frames.split(":"))
        numbers = range(first, last + 1, step)
    else:
        numbers = map(int, options.frames.split(","))
    picture = sheet(options.job, list(numbers), height=options.height, crop=options.crop, columns=options.columns)
    cv2.imwrite(options.sheet, picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
