"""`python -m lab train ...`: one stage, the ablations or what they learn from.

    python -m lab train pool FOLDER --clips 2000
    python -m lab train windows FOLDER [--first-seed N --stride N]
    python -m lab train autoencoder|image|motion|surface --pool FOLDER|--windows FOLDER --run FOLDER --minutes 60
                                                         [--start WEIGHTS]
    python -m lab train ablations --pool FOLDER --run FOLDER --start WEIGHTS --minutes 20 [--rows ROW ...] [--seeds 2]
    python -m lab train scaling --pool FOLDER --run FOLDER --start WEIGHTS [--marks 3 6 12]
    python -m lab train comparables --windows FOLDER --run FOLDER [--rows ROW ...] [--seeds 2]
    python -m lab train mean WEIGHTS SHARE WEIGHTS SHARE --to WEIGHTS
    python -m lab train sd15 image|motion --pool FOLDER|--windows FOLDER --run FOLDER --start PACK --minutes 600

A file `pause` in a run's folder halts it until it is removed.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

from engine.contract.errors import JobError
from engine.engines.compact.nets.sizes import COMPACT

from . import ablations, mean, pool, scaling, stage_autoencoder, stage_image, stage_motion, stage_surface, windows
from .ablations import sizes_beside, write_json
from .loop import Budget, Run, train
from .options import add_options, feed, prepare_torch

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    try:
        return run_command(arguments)
    except JobError as error:
        reason = f"{error.message} What was saved before stays: free some space and give the same command again."
    except (OSError, ValueError) as error:
        reason = str(error)
    log.debug("train", exc_info=True)
    print(f"train: {reason}", file=sys.stderr)
    return 1


def run_command(arguments: list[str]) -> int:
    """One stage, the ablations or the pool. Raises JobError, ValueError and OSError with what is wrong."""
    stages = {"autoencoder": stage_autoencoder, "image": stage_image, "motion": stage_motion,
              "surface": stage_surface}
    if arguments[:1] == ["sd15"]:
        from . import stage_sd15  # needs packages that the other stages do without
        return stage_sd15.main(arguments[1:])
    if arguments and arguments[0] == "comparables":
        from ..comparables import training  # which learns by this room's loop

        return training.main(arguments[1:])
    others = {"pool": pool, "windows": windows, "ablations": ablations, "scaling": scaling, "mean": mean}
    if arguments and arguments[0] in others:
        return others[arguments[0]].main(arguments[1:])
    parser = argparse.ArgumentParser(prog="engine train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=stages)
    add_options(parser)
    parser.add_argument("--start", type=Path, help="weights.safetensors to begin with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, help="in a row of each clip (the stage's own)")
    parser.add_argument("--rate", type=float,
                        help="learning rate (the stage's own; going on from trained weights wants less)")
    options = parser.parse_args(arguments)
    prepare_torch(options.threads)
    stage = stages[options.stage]
    recipe = replace(stage.RECIPE, batch=options.batch or stage.RECIPE.batch,
                     frames=options.frames or stage.RECIPE.frames,
                     learning_rate=options.rate or stage.RECIPE.learning_rate)
    sizes = stage_surface.SIZES if stage is stage_surface else COMPACT
    run = Run(options.run, recipe, options.start, options.device, sizes,
              sizes_beside(options.start) if options.start else None)
    if sizes.surface:
        write_json(options.run / "sizes.json", sizes.as_dict())
    if run.step == 0 and not options.start:
        stage.prepare(run, feed(run, options, seed=2))
    train(run, feed(run, options, options.seed), Budget(options.minutes, options.steps),
          stage.loss_of, stage.picture_of, options.seed)
    stage.finish(run, feed(run, options, seed=1))
    return 0
