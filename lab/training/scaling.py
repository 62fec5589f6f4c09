"""Which size of the networks learns most in a given time: each starts from nothing but the same trained autoencoder.

    python -m lab train scaling --windows FOLDER --run FOLDER --start WEIGHTS --marks 3 6 12 --threads 1
        [--surface] [--sizes small]

Marks are minutes of processor time, turned into steps by timing a few, so that other work on the machine favours no
size. Leaves FOLDER/SIZE-MINUTES/{weights.safetensors, sizes.json}, which `score --quick` measures. If you start it
again, it continues.
"""

import argparse
import shutil
import time
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from engine.contract import json_reader
from engine.engines.compact.nets.sizes import COMPACT, Sizes

from . import stage_image, stage_surface
from .ablations import write_json
from .loop import Budget, Run, train
from .options import add_options, feed, prepare_torch

# Widths of the three levels; the objects' and the pose guider's go along.
WIDTHS = {"small": (32, 96, 128), "compact": COMPACT.widths, "wide": (96, 224, 320)}
TIMED_STEPS = 12


def sizes_of(name: str, surface: bool) -> Sizes:
    widths = WIDTHS[name]
    return replace(COMPACT, widths=widths, object_widths=(COMPACT.object_widths[0], *widths), surface=surface)


def stage_of(sizes: Sizes):
    return stage_surface if sizes.surface else stage_image


def begin(folder: Path, sizes: Sizes, options) -> Run:
    """A run whose autoencoder is that of options.start and whose other weights are random."""
    recipe = stage_of(sizes).RECIPE
    run = Run(folder, replace(recipe, batch=options.batch or recipe.batch), None, options.device, sizes)
    if run.step == 0:
        stored = load_file(options.start)
        for model in (run.model, run.average):
            for part in ("encoder", "decoder"):
                getattr(model, part).load_state_dict(
                    {key.partition(".")[2]: value.float() for key, value in stored.items()
                     if key.startswith(f"{part}.")})
    return run


def seconds_a_step(folder: Path, sizes: Sizes, options) -> float:
    """Of processor time, measured once for each size and kept."""
    kept = folder / "step.json"
    if not kept.exists():
        run, stage = begin(folder / "timed", sizes, options), stage_of(sizes)
        batches = feed(run, options, seed=1)
        for steps in (2, TIMED_STEPS):          # what is done once is not counted
            began = time.process_time()
            train(run, batches, Budget(steps=run.step + steps), stage.loss_of, stage.picture_of, seed=1)
        write_json(kept, {"seconds": (time.process_time() - began) / TIMED_STEPS})
        shutil.rmtree(folder / "timed")
    return json_reader.read(kept)["seconds"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train scaling", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--start", type=Path, required=True,
                        help="weights.safetensors whose autoencoder all sizes share")
    parser.add_argument("--marks", type=float, nargs="+", default=[3, 6, 12],
                        help="minutes of one core at which weights are kept")
    parser.add_argument("--surface", action="store_true", help="learn the surface stage instead of the image stage")
    parser.add_argument("--sizes", nargs="+", choices=WIDTHS, default=list(WIDTHS))
    options = parser.parse_args(arguments)
    prepare_torch(options.threads)
    for name in options.sizes:
        folder, sizes = options.run / name, sizes_of(name, options.surface)
        stage, step = stage_of(sizes), seconds_a_step(folder, sizes, options)
        for mark in sorted(options.marks):
            kept = options.run / f"{name}-{mark:g}"
            if (kept / "sizes.json").exists():
                continue
            run = begin(folder, sizes, options)
            budget = Budget(steps=max(1, round(mark * 60 / step)))
            train(run, feed(run, options, seed=0), budget, stage.loss_of, stage.picture_of, seed=0)
            run.save()
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "weights.safetensors", kept / "weights.safetensors")
            write_json(kept / "sizes.json", sizes.as_dict())
    return 0
