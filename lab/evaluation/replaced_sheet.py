"""A generated job folder with a performer in; its plate, skeleton, mask, clean plate and result as one picture out.

python -m lab.evaluation.replaced_sheet JOB SHEET.jpg --frames 13,17,22 --side 240
"""

import argparse

import cv2
import numpy as np

from engine.conditions.frames import as_bits, as_float, read_colour, read_grey, read_reference
from engine.conditions.pose import draw_skeleton
from engine.conditions.poses import read_poses
from engine.contract import files, jobs

from .composite import lay_over


def layers(folder, number, job, figure):
    """The five pictures of a frame, each (h, w, 3) uint8."""

    def colour(kind):
        return as_float(read_colour(files.picture(folder, kind, number), job.size))

    plate, clean = colour(files.SOURCE), colour(files.CLEAN)
    mask = as_float(read_grey(files.picture(folder, files.MASK, number), job.size))
    skeleton = (
        np.zeros_like(plate) if figure is None else draw_skeleton(figure.body, figure.hands, job.size, figure.height_px)
    )
    result = lay_over(plate, read_reference(files.picture(folder, files.FRAMES, number)), colour(files.SHADOW))
    return [as_bits(picture) for picture in (plate, skeleton, np.repeat(mask[..., None], 3, axis=-1), clean, result)]


def sheet(folder, numbers, *, side, height):
    """(H, W, 3) uint8: a row `height` high for each of the frames, of squares of `side` pixels about the performer."""
    job = jobs.read(folder)
    figures = [people[0] if people else None for people in read_poses(folder, job.frames)]
    rows = []
    for number in numbers:
        corner = _corner(figures[number - 1], side, job.size)
        tiles = [
            picture[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
            for picture in layers(folder, number, job, figures[number - 1])
        ]
        rows.append(np.hstack([cv2.resize(tile, (height, height), interpolation=cv2.INTER_CUBIC) for tile in tiles]))
    return np.vstack(rows)


def _corner(figure, side, size):
    """(left, top) of a square within the frame, as nearly about the figure's joints as the frame's edge lets it be."""
    seen = figure.body[figure.body[:, 3] > 0, :2] if figure is not None else np.array([size]) / 2
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    return np.clip(middle - side / 2, 0, np.maximum(np.array(size) - side, 0)).astype(int)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job")
    parser.add_argument("sheet")
    parser.add_argument("--frames", required=True, help="numbers, such as 13,17,22")
    parser.add_argument("--side", type=int, default=240, help="of the square about the performer, in pixels of the job")
    parser.add_argument("--height", type=int, default=220, help="of a row, in pixels of the sheet")
    options = parser.parse_args(arguments)
    picture = sheet(
        options.job, [int(number) for number in options.frames.split(",")], side=options.side, height=options.height
    )
    cv2.imwrite(options.sheet, picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
