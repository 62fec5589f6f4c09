"""The rows of the paper's ablation table: one checkpoint forked once a row, each with the same extra training.

    python -m lab train ablations --windows W --run FOLDER --start WEIGHTS --minutes 20 [--limb-windows V]
        [--rows ROW ...] [--seeds 2]

Every row gets the same number of steps, data order, noise and learning rate, the full model too: --minutes are turned
into steps once, by timing a few of `full`, so that other work on the machine favours no row. Leaves FOLDER/steps.json
and FOLDER/ROW-SEED/{weights.safetensors, sizes.json, log.jsonl}; sizes.json is written last and says that a row is
finished. If you start it again, it continues.

Weights with a sizes.json beside them that says `surface` are trained with the surface's loss. Rows without a surface
learn from the same windows with limbs (`train windows V --limbs`), with the loss of spans. If outlines are the
surface's coverage in the weights that all begin with, they are in every row.
"""

import argparse
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path

from engine.contract import files, json_reader
from engine.engines.compact.nets.model import load_weights, save_weights
from engine.engines.compact.nets.sizes import COMPACT, Sizes

from . import stage_motion, stage_surface
from .loop import Budget, Run, train
from .options import add_options, feed, prepare_torch
from .stage_surface import keep_coverage, keeps_coverage

# Row -> what is switched off (or otherwise) in it; the paper's tables 3 and 4, and ours.
ROWS = {
    "full": {},
    "without_environment": {"environment": False},
    "without_blending": {"blending": "off"},
    "without_pose_modulation": {"pose_modulation": False},
    "exact_mask": {"mask": "exact"},
    "box_mask": {"mask": "box"},
    "without_surface": {"surface": False},
    "without_ours": {"surface": False, "reference_skeleton": False, "warp": False, "matte_and_shadow": False},
}
# Spans, not single frames: pose modulation's 3D convolution and the temporal layers take part. Short ones, since the
# frames of a span are alike and a step's time is better spent on more characters (ours).
RECIPE = replace(stage_motion.RECIPE, name="ablation", learning_rate=1.5e-4, batch=3, frames=3,
                 average_over=100, warm_up=50)
TIMED_STEPS = 20


def train_row(row: str, seed: int, steps: int, folder: Path, options, parent: Sizes = COMPACT) -> float:
    """One row in its own folder, from options.start or from where it was stopped; returns the seconds it trained."""
    sizes = replace(parent, **ROWS[row])
    stage = stage_surface if sizes.surface else stage_motion
    run = Run(folder, replace(RECIPE, batch=options.batch or RECIPE.batch), options.start,
              options.device, sizes, parent)
    if parent.surface and not sizes.surface:
        options = argparse.Namespace(**vars(options) | {"windows": options.limb_windows})
    covered = sizes.surface and keeps_coverage(load_weights(parent, options.start))
    train(run, feed(run, options, seed), Budget(steps=steps), stage.loss_of, stage.picture_of, seed)
    if covered:
        keep_coverage(run.average)
        save_weights(run.average.state_dict(), folder / "weights.safetensors")
    write_json(folder / "sizes.json", sizes.as_dict())
    return run.seconds


def sizes_beside(weights: Path) -> Sizes:
    """Of a run's or a row's weights (sizes.json beside them) or of a pack's (pack.json), whose likeness is left out: it
    belongs to use, not to training. The compact ones if neither is there."""
    told, pack = weights.with_name("sizes.json"), weights.with_name("pack.json")
    if told.exists():
        return Sizes.from_dict(json_reader.read(told))
    if pack.exists():
        return replace(Sizes.from_dict(json_reader.read(pack)["sizes"]), likeness=COMPACT.likeness)
    return COMPACT


def steps_in(minutes: float, folder: Path, options, parent: Sizes) -> int:
    """How many steps of `full` fit into the minutes here and now; measured once and kept in the folder."""
    kept = folder / "steps.json"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as aside:
            seconds = train_row("full", 0, TIMED_STEPS, Path(aside), options, parent)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(kept, {"minutes": minutes, "steps": max(1, round(minutes * 60 * TIMED_STEPS / seconds))})
    return json_reader.read(kept)["steps"]


def write_json(path: Path, value: dict) -> None:
    files.write_whole(path, json.dumps(value).encode() + b"\n")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train ablations", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--start", type=Path, required=True, help="weights.safetensors that every row begins with")
    parser.add_argument("--limb-windows", type=Path, help="what rows without a surface learn from")
    parser.add_argument("--rows", nargs="+", choices=ROWS)
    parser.add_argument("--seeds", type=int, default=2, help="how many times every row is trained")
    options = parser.parse_args(arguments)
    if math.isinf(options.minutes) == math.isinf(options.steps):
        parser.error("one of --minutes and --steps is needed")
    parent = sizes_beside(options.start)
    rows = options.rows or [row for row in ROWS if parent.surface or row != "without_surface"]
    if parent.surface and not options.limb_windows and any("surface" in ROWS[row] for row in rows):
        parser.error("rows without a surface need --limb-windows")
    if not parent.surface and "without_surface" in rows:
        parser.error(f"{options.start} has no surface to leave out")
    prepare_torch(options.threads)
    steps = options.steps if math.isinf(options.minutes) else steps_in(options.minutes, options.run, options, parent)
    for seed in range(options.seeds):
        for row in rows:
            folder = options.run / f"{row}-{seed}"
            if not (folder / "sizes.json").exists():
                train_row(row, seed, steps, folder, options, parent)
    return 0
