"""`python -m lab train comparables`: every row learns from the same clips, in the same order, for as many frames.

    python -m lab train comparables --windows W --run FOLDER [--rows mraa disco ...] [--seeds 1]
    python -m lab train comparables --costs

Each row begins with the autoencoder of --start and nothing else, and trains 6,000 frames: 500 steps of three spans of
four frames. Rows are trained one after the other. Leaves FOLDER/ROW-SEED/{weights.safetensors, sizes.json, log.jsonl,
look_*.png}; sizes.json is written last and says that a row is finished. If you start it again, it continues. A file
`pause` in a row's folder halts it until it is removed.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.engines.compact.nets.sizes import COMPACT, Sizes
from engine.packs.weights_file import tensors

from ..training.ablations import write_json
from ..training.loop import Budget, Recipe, Run, train
from ..training.options import add_options, feed, prepare_torch
from .costs import table_of_costs
from .idea import AUTOENCODER
from .rows import ROWS

FRAMES = 6000
EMBEDDED = Path(__file__).resolve().parents[2] / "engine" / "packs" / "compact" / "weights.safetensors"
# One recipe for all rows (ours): spans, as the temporal layers need; short, since a step's time is better spent on more
# characters; the image stage's rate, since all but the autoencoder begins anew.
RECIPE = Recipe("comparable", trained=(), learning_rate=5e-4, batch=3, frames=4, average_over=100, warm_up=50)


class RowRun(Run):
    """A row's state on disk, as Run keeps a stage's."""

    def __init__(self, name: str, seed: int, folder: Path, recipe: Recipe, start: Path | None, device: str,
                 sizes: Sizes = COMPACT):
        """`seed`: of the weights that it begins with."""
        self._name, self._seed = name, seed
        with torch.device("meta"):
            parts = [f"{part}." for part, _ in ROWS[name](sizes).named_children()]
        trained = tuple(part for part in parts if part not in AUTOENCODER)
        super().__init__(folder, replace(recipe, trained=trained), start, device, sizes)

    def _begun(self, start: Path | None, sizes: Sizes, parent: Sizes | None) -> torch.nn.Module:
        """The row's networks with the autoencoder of `start`, where the row has one."""
        torch.manual_seed(self._seed)
        model = ROWS[self._name](sizes)
        if start is not None and hasattr(model, "encoder"):
            stored = tensors(start)
            for part in AUTOENCODER:
                mine = {key.removeprefix(part): torch.from_numpy(array).float()
                        for key, array in stored.items() if key.startswith(part)}
                getattr(model, part.rstrip(".")).load_state_dict(mine)
        return model


def train_row(name: str, seed: int, folder: Path, options, sizes: Sizes = COMPACT) -> float:
    """One row in its own folder, from its beginning or from where it was stopped; returns the seconds it trained."""
    recipe = replace(RECIPE, batch=options.batch or RECIPE.batch)
    run = RowRun(name, seed, folder, recipe, options.start, options.device, sizes)
    steps = steps_of(options.all_frames, recipe)
    train(run, feed(run, options, seed), Budget(steps=steps), loss_of, picture_of, seed)
    write_json(folder / "sizes.json", run.model.sizes.as_dict())
    return run.seconds


def steps_of(frames: int, recipe: Recipe) -> int:
    """How many steps show a row that many frames; at least one."""
    return max(1, round(frames / (recipe.batch * recipe.frames)))


def loss_of(model, batch, generator, progress):
    return model.loss_of(batch, generator, progress)


def picture_of(model, batch) -> np.ndarray:
    """A row a clip: reference, skeleton, and of the first three frames the generated and the true one."""
    made = model.first_guess(batch).unflatten(0, batch["target"].shape[:2])
    rows = []
    for k, clip in enumerate(made):
        pictures = [batch["reference"][k, :3], batch["skeleton"][k, 0]]
        for f in range(min(len(clip), 3)):
            pictures += [clip[f, :3], batch["target"][k, f, :3]]
        rows.append(torch.cat(pictures, dim=2))
    return (torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1) * 255).byte().cpu().numpy()


def main(arguments: list[str]) -> int:
    if "--costs" in arguments:
        print(table_of_costs())
        return 0
    parser = argparse.ArgumentParser(prog="lab train comparables", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--start", type=Path, default=EMBEDDED,
                        help="weights.safetensors whose autoencoder all rows have (the embedded pack's)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=1, help="how many times each of these rows is trained")
    parser.add_argument("--all-frames", type=int, default=FRAMES, help="that each row learns from")
    parser.add_argument("--costs", action="store_true", help="instead, show each row's parameters and operations")
    options = parser.parse_args(arguments)
    prepare_torch(options.threads)
    for seed in range(options.seeds):
        for name in options.rows:
            folder = options.run / f"{name}-{seed}"
            if not (folder / "sizes.json").exists():
                print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
                train_row(name, seed, folder, options)
    return 0
