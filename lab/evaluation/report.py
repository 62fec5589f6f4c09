"""Values of all rows, clips and columns -> one JSON object, and the same as a table in markdown."""

import math

import numpy as np

from .bootstrap import interval, mean, paired_p, weights
from .clips import WORLDS, Clip
from .measure import COLUMNS
from .rows import FULL

DECIMALS = {"kernel_distance": 4} | dict.fromkeys(
    ("ssim", "st_lpips", "matte_iou", "flicker_ratio", "falls_back", "st_lpips_tiles", "edge_error", "sharpness",
     "gradient_correlation"), 3)  # others 2
HIGHER_IS_BETTER = {"character_psnr", "unsure_psnr", "band_psnr", "contact_psnr", "shadow_psnr", "object_psnr",
                    "matte_iou", "ssim", "gradient_correlation"}
ONE_IS_BEST = {"flicker_ratio", "sharpness"}


def report(clips: list[Clip], values: dict, notes: dict, names=COLUMNS) -> dict:
    """values: {row: [a dict of measure.measure for each clip]}; names: of its columns. Values that could not be
    measured are null."""
    worlds = [clip.world for clip in clips]
    taken = weights(worlds, [clip.identity for clip in clips])
    table = {row: {column: np.array([one[column] for one in found]) for column in names}
             for row, found in values.items()}
    models = {row: {column: _summary(of, worlds, taken) for column, of in columns.items()}
              for row, columns in table.items()}
    p = {row: {column: number(paired_p(table[FULL][column], of, taken)) for column, of in columns.items()}
         for row, columns in table.items() if row != FULL}
    notes = {**notes,
             "intervals_per_world": {row: {column: _by_world(of, worlds, taken) for column, of in columns.items()}
                                     for row, columns in table.items()},
             **_fewer_clips(table),
             "parts": {row: {world: _parts([one for one, of in zip(found, worlds, strict=True) if of == world])
                             for world in WORLDS}
                       for row, found in values.items()}}
    return {"clips": len(clips), "models": models, "paired_p": p, "notes": notes}


def markdown(told: dict) -> str:
    """A row a column of the report, a column a row of it: mean and interval. Where p < 0.01, * says that `full` is
    better and + that the row is."""
    rows, names = list(told["models"]), list(told["models"][FULL])
    lines = ["| | " + " | ".join(f"`{row}`" for row in rows) + " |", "| --- |" + " --- |" * len(rows)]
    for column in names:
        cells = [_cell(told, row, column) for row in rows]
        arrow = "higher" if column in HIGHER_IS_BETTER else "to 1" if column in ONE_IS_BEST else "lower"
        lines.append(f"| `{column}` ({arrow}) | " + " | ".join(cells) + " |")
    lines += ["", "Fast world / Blender's world:", "", lines[0], lines[1]]
    for column in names:
        cells = [" / ".join(_text(told["models"][row][column][world], column) for world in WORLDS) for row in rows]
        lines.append(f"| `{column}` | " + " | ".join(cells) + " |")
    lines += _parts_table(told["notes"]["parts"][FULL])
    notes = [f"- {name}: {text}" for name, text in told.get("notes", {}).items() if isinstance(text, str)]
    return "\n".join([f"{told['clips']} clips.", "", *lines, "", *notes]).rstrip() + "\n"


def _parts_table(parts) -> list[str]:
    """`full` in detail: CIEDE2000 of body parts, pixels of hands and feet from the rig's joints,
    the autoencoder's decibels."""
    names = dict.fromkeys(name for world in WORLDS for name in parts[world])
    if not names:
        return []
    cells = [[_text(parts[world].get(name), "") for name in names] for world in WORLDS]
    return ["", "`full` in detail:", "", "| | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names),
            *(f"| {world} | " + " | ".join(row) + " |"
              for world, row in zip(("fast world", "Blender's world"), cells, strict=True))]


def _summary(of, worlds, taken) -> dict:
    low, high = interval(of, taken)
    per_world = {world: number(mean(of[[w == world for w in worlds]])) for world in WORLDS}
    return {"mean": number(mean(of)), "low": number(low), "high": number(high), **per_world}


def _by_world(of, worlds, taken) -> dict:
    chosen = {world: [w == world for w in worlds] for world in WORLDS}
    return {world: [number(x) for x in interval(of[where], taken[:, where])]
            for world, where in chosen.items() if any(where)}


def _fewer_clips(table) -> dict:
    """Notes on rows that measure a part of the clips: what `full` has there, column by column,
    for its means are over all."""
    told = {}
    for row, columns in table.items():
        measured = ~np.all([np.isnan(of) for of in columns.values()], axis=0)
        if not measured.all():
            there = {column: _text(number(mean(of[measured])), column) for column, of in table[FULL].items()}
            told[row] = (f"of {measured.sum()} of the {measured.size} clips; over these `full` has "
                         + ", ".join(f"{column} {value}" for column, value in there.items() if value != "-"))
    return told


def by_clip(clips: list[Clip], values: dict) -> dict:
    """{row: {clip: {column: value}}}, of the values that `report` is given: to find what went wrong where."""
    return {row: {f"{clip.name} {clip.variant}": {column: number(value) for column, value in one.items()
                                                  if column != "parts"}
                  for clip, one in zip(clips, found, strict=True)} for row, found in values.items()}


def _parts(found) -> dict:
    names = dict.fromkeys(name for one in found for name in one["parts"])
    return {name: number(mean([one["parts"][name] for one in found if name in one["parts"]])) for name in names}


def number(value):
    return None if math.isnan(value) else round(value, 5)


def _cell(told, row, column) -> str:
    one = told["models"][row][column]
    return (f"{_text(one['mean'], column)}{_mark(told, row, column)} ({_text(one['low'], column)} to "
            f"{_text(one['high'], column)})")


def _mark(told, row, column) -> str:
    p = told["paired_p"].get(row, {}).get(column)
    if p is None or p >= 0.01:
        return ""
    mine, full = told["models"][row][column]["mean"], told["models"][FULL][column]["mean"]
    if column in ONE_IS_BEST:
        mine, full = abs(mine - 1), abs(full - 1)
    return "*" if (full > mine) == (column in HIGHER_IS_BETTER) else "+"


def _text(value, column) -> str:
    return "-" if value is None else f"{value:.{DECIMALS.get(column, 2)}f}"
