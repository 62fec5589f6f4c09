"""The training loop that every stage runs in: batches by index, averaged weights, checkpoints that resume bit-exactly.

    python -m engine train pool FOLDER --clips 2000
    python -m engine train autoencoder|image|motion --pool FOLDER --run FOLDER --minutes 60 [--start WEIGHTS]
    python -m engine train ablations --pool FOLDER --run FOLDER --start WEIGHTS --minutes 20 [--rows ROW ...] [--seeds 2]
"""

import argparse
import copy
import json
import math
import os
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..nets.model import Model, fork_weights, save_weights
from ..nets.sizes import COMPACT, Sizes
from .samples import Sample, SampleMaker

SHAPE_ORDER = ((192, 352), (256, 256), (192, 352), (256, 256), (352, 192))


@dataclass(frozen=True)
class Recipe:
    """How one stage trains."""

    name: str
    trained: tuple[str, ...]  # prefixes of the parameters that learn
    learning_rate: float
    batch: int
    frames: int
    average_over: int  # steps, of the exponential moving average
    warm_up: int = 200  # steps


@dataclass(frozen=True)
class Budget:
    """How long a stage trains, all its runs together: until the first of the two is spent. The learning rate follows it, so
    that only a run measured in steps gives the same bits whatever else the machine does."""

    minutes: float = math.inf
    steps: float = math.inf

    def spent(self, run: "Run") -> float:
        """0 at the start, 1 or more at the end."""
        return max(run.seconds / 60 / self.minutes, run.step / self.steps)


class Batches(Dataset):
    """Batch number -> stacked Sample; everything follows from (seed, number), so a resumed run sees the same data."""

    def __init__(self, pool: Path, recipe: Recipe, seed: int, sizes: Sizes = COMPACT):
        self.makers = {shape: SampleMaker(pool, shape, sizes) for shape in sorted(set(SHAPE_ORDER))}
        self.recipe, self.seed = recipe, seed

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, number))
        maker = self.makers[SHAPE_ORDER[number % len(SHAPE_ORDER)]]
        samples = [maker.make(rng, self.recipe.frames) for _ in range(self.recipe.batch)]
        return {f.name: torch.from_numpy(np.stack([getattr(s, f.name) for s in samples])) for f in fields(Sample)}


class Run:
    """One stage's state on disk: model, averaged model, optimiser, step. A killed run goes on from its checkpoint."""

    def __init__(self, folder: Path, recipe: Recipe, start: Path | None, device: str, sizes: Sizes = COMPACT,
                 parent: Sizes | None = None):
        """`start` holds weights of `parent`'s sizes, which may differ from `sizes` in switches; None: the same sizes."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.recipe, self.device = folder, recipe, device
        torch.manual_seed(0)
        self.model = (fork_weights(parent or sizes, sizes, start) if start else Model(sizes)).to(device)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith(recipe.trained))
        self.average = copy.deepcopy(self.model).eval()
        self.learning = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.learning, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.step, self.seconds = 0, 0.0
        if (folder / "checkpoint.pt").exists():
            self._resume(torch.load(folder / "checkpoint.pt", map_location=device, weights_only=True))

    def _resume(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Atomic: written aside, then renamed, so that a full disk or a kill leaves the last good one."""
        aside = self.folder / "checkpoint.part"
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(), "step": self.step,
                    "optimiser": self.optimiser.state_dict(), "seconds": self.seconds}, aside)
        os.replace(aside, self.folder / "checkpoint.pt")
        aside = self.folder / "weights.part"
        save_weights(self.average.state_dict(), aside)
        os.replace(aside, self.folder / "weights.safetensors")

    def learn(self, loss: Tensor, rate: float) -> None:
        """One optimiser step at `rate` times the recipe's learning rate, then the average."""
        warm = min(1.0, (self.step + 1) / self.recipe.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * warm * rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learning, 1.0)
        self.optimiser.step()
        self.step += 1
        keep = 1 - 1 / min(self.recipe.average_over, self.step / 5 + 1)
        with torch.no_grad():
            for mine, theirs in zip(self.average.parameters(), self.model.parameters()):
                if theirs.requires_grad:
                    mine.lerp_(theirs, 1 - keep)
            for mine, theirs in zip(self.average.buffers(), self.model.buffers()):
                mine.copy_(theirs)


def train(run: Run, pool: Path, budget: Budget, loss_of, picture_of, seed: int, workers: int) -> None:
    """Trains until the stage's budget is spent, in all its runs together; the rate falls as a cosine over it.

    `loss_of(model, batch, generator, progress 0..1) -> (loss, figures)`; `picture_of(averaged model, batch)` -> uint8 sheet.
    """
    import cv2
    cv2.setNumThreads(1)
    order = ([number] for number in range(run.step, 2**31))
    loader = iter(DataLoader(Batches(pool, run.recipe, seed, run.model.sizes), batch_sampler=_Firsts(order), num_workers=workers,
                             prefetch_factor=4 if workers else None, collate_fn=lambda batches: batches[0]))
    log = (run.folder / "log.jsonl").open("a")
    began, recent = time.monotonic() - run.seconds, []
    saved = shown = time.monotonic()
    while (progress := budget.spent(run)) < 1:
        batch = {name: tensor.to(run.device) for name, tensor in next(loader).items()}
        generator = torch.Generator().manual_seed(seed * 1_000_003 + run.step)
        with torch.autocast(run.device, torch.bfloat16):
            loss, figures = loss_of(run.model, batch, generator, progress)
        run.learn(loss, 0.5 * (1 + math.cos(math.pi * progress)) * 0.95 + 0.05)
        run.seconds = time.monotonic() - began
        recent.append(figures)
        if run.step % 50 == 0:
            means = {key: round(float(np.mean([f[key] for f in recent])), 4) for key in recent[0]}
            recent = []
            samples = run.step * run.recipe.batch * run.recipe.frames
            line = {"stage": run.recipe.name, "step": run.step, "frames": samples, "minutes": round(run.seconds / 60, 1),
                    **means}
            log.write(json.dumps(line) + "\n")
            log.flush()
            print(line, flush=True)
        if time.monotonic() - saved > 240:
            run.save()
            saved = time.monotonic()
        if time.monotonic() - shown > 300:
            show(run, batch, picture_of)
            shown = time.monotonic()
    run.save()
    show(run, batch, picture_of)


class _Firsts:
    """A batch sampler over any iterable of index lists."""

    def __init__(self, lists):
        self.lists = lists

    def __iter__(self):
        return iter(self.lists)


def show(run: Run, batch: dict, picture_of) -> None:
    import cv2
    with torch.no_grad():
        sheet = picture_of(run.average, batch)
    cv2.imwrite(str(run.folder / f"look_{run.step:06d}.png"), sheet[..., ::-1])


def main(arguments: list[str]) -> int:
    from . import ablations, pool, stage_autoencoder, stage_image, stage_motion
    stages = {"autoencoder": stage_autoencoder, "image": stage_image, "motion": stage_motion}
    if arguments[:1] == ["pool"]:
        return pool.main(arguments[1:])
    if arguments[:1] == ["ablations"]:
        return ablations.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="engine train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=stages)
    add_options(parser)
    parser.add_argument("--start", type=Path, help="weights.safetensors to begin with")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    prepare_torch(options.threads)
    stage = stages[options.stage]
    run = Run(options.run, stage.RECIPE, options.start, options.device)
    if run.step == 0 and not options.start:
        stage.prepare(run, options.pool)
    train(run, options.pool, Budget(options.minutes, options.steps), stage.loss_of, stage.picture_of, options.seed,
          options.workers)
    stage.finish(run, options.pool)
    return 0


def add_options(parser) -> None:
    """What every stage is told on the command line."""
    parser.add_argument("--pool", type=Path, required=True, help="folder of clips made by 'train pool'")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints, logs and pictures")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of this stage, all its runs together")
    parser.add_argument("--steps", type=float, default=math.inf, help="of this stage, all its runs together")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))


def prepare_torch(threads: int) -> None:
    torch.set_flush_denormal(True)  # gradients behind zeroed layers are denormal, and a processor crawls through those
    torch.set_num_threads(threads)
