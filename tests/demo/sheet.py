"""A finished demo -> one contact sheet: a row for each shown frame, from the reference to the composite (Pillow)."""
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.contract import files

COLUMNS = ("reference", "plate", "skeleton", "depth", "mask", "generated layer", "composite")
HEIGHT, GAP, HEAD, EDGE, SIDE = 270, 8, 34, 16, 64
PAPER, INK, CHECKS = (24, 25, 28), (232, 232, 228), ((96, 96, 98), (128, 128, 130))


def shown(frames, rows):
    """The numbers (1..frames) of `rows` frames spread over the shot, including the first and the last."""
    return sorted({round(1 + (frames - 1) * k / max(rows - 1, 1)) for k in range(rows)})


def contact_sheet(job_folder, composites, target, *, first_frame, rows=6):
    """Write the sheet to `target`; composites: their files in order; `first_frame`: the edit's frame of picture 1."""
    job_folder, font = Path(job_folder), ImageFont.load_default(14)
    numbers = shown(len(composites), rows)
    reference = Image.open(job_folder / files.REFERENCE).convert("RGB")
    table = [[reference, *cells(job_folder, number), Image.open(composites[number - 1]).convert("RGB")]
             for number in numbers]
    widths = [round(HEIGHT * picture.width / picture.height) for picture in table[0]]
    lefts = [EDGE + SIDE + sum(widths[:k]) + GAP * k for k in range(len(widths))]
    sheet = Image.new("RGB", (lefts[-1] + widths[-1] + EDGE, HEAD + (HEIGHT + GAP) * len(numbers) + EDGE), PAPER)
    draw = ImageDraw.Draw(sheet)
    for left, title in zip(lefts, COLUMNS, strict=True):
        draw.text((left, 10), title, INK, font)
    for row, (number, pictures) in enumerate(zip(numbers, table, strict=True)):
        top = HEAD + row * (HEIGHT + GAP)
        draw.text((EDGE, top + HEIGHT / 2 - 16), f"frame\n{first_frame + number - 1}", INK, font)
        for left, width, picture in zip(lefts, widths, pictures, strict=True):
            sheet.paste(fitted(picture, (width, HEIGHT)), (left, top))
    sheet.save(target)


def cells(job_folder, number):
    """Plate, skeleton, depth, mask, and the layer over a checkerboard, all around the character, for one frame."""
    def picture(kind):
        return Image.open(files.picture(job_folder, kind, number))
    layer = picture(files.FRAMES).convert("RGBA")
    previews = [picture(f"{files.PREVIEW}/{kind}").convert("RGB") for kind in ("skeleton", "depth", "mask")]
    layer = layer.crop(around(job_folder, number, layer.size, previews[0].width / previews[0].height))
    return [picture(files.SOURCE).convert("RGB"), *previews, Image.alpha_composite(checkerboard(layer.size), layer)]


def around(job_folder, number, size, shape):
    """A box (left, top, right, bottom) around the character, with width / height `shape`; the whole picture if there is
    no character."""
    people = json.loads((job_folder / files.POSE).read_text())["frames"][number - 1]["people"]
    seen = [joint for joint in people[0]["body"] if joint[3] > 0] if people else []
    if not seen:
        return (0, 0, *size)
    middle = [(min(values) + max(values)) / 2 for values in ([joint[k] for joint in seen] for k in (0, 1))]
    half = 0.62 * people[0]["height_px"]
    (x, y), wide = middle, half * shape
    return round(x - wide), round(y - half), round(x + wide), round(y + half)


def checkerboard(size, square=15):
    y, x = np.mgrid[:size[1], :size[0]] // square
    return Image.fromarray(np.array(CHECKS, np.uint8)[(x + y) % 2]).convert("RGBA")


def fitted(picture, size):
    """The whole picture scaled to fit into `size`, centred on black."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    small = picture.convert("RGB").resize((max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)),
                                          Image.Resampling.LANCZOS)
    framed = Image.new("RGB", size)
    framed.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
    return framed
