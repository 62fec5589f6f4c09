"""The command-line options of every stage -> the batches that it learns from."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from .loop import Run, batches_of
from .pooled_clip import SHARE
from .windows import bank_of, batches


def add_options(parser) -> None:
    """What every stage is told on the command line."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pool", type=Path, help="folder of clips made by 'train pool'")
    source.add_argument("--windows", type=Path, help="folder of windows made by 'train windows', for an accelerator")
    parser.add_argument("--bank", type=int, default=4000, help="windows to learn from (12 MB each on an accelerator)")
    parser.add_argument("--share", type=float, default=SHARE, help="of Blender's world, where there are clips of both")
    parser.add_argument("--batch", type=int, help="clips a step (the stage's own: what two cores want)")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints, logs and pictures")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of this stage, all its runs together")
    parser.add_argument("--steps", type=float, default=math.inf, help="of this stage, all its runs together")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))


def feed(run: Run, options, seed: int) -> Iterator[dict[str, Tensor]]:
    """The run's batches from the pool, or from the prepared windows if those are given; nothing is read before the
    first batch."""
    if options.windows:
        bank = bank_of(options.windows, run.device, options.bank, options.share)
        yield from batches(bank, run.recipe, seed, run.step, run.told)
    else:
        yield from batches_of(run, options.pool, seed, options.workers, options.share)


def prepare_torch(threads: int) -> None:
    torch.set_flush_denormal(True)  # gradients behind zeroed layers are denormal, and a processor crawls through those
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
