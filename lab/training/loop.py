"""The training loop that every stage runs in: batches by index, averaged weights,
checkpoints that resume bit-exactly."""

import contextlib
import copy
import io
import json
import logging
import math
import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.contract import files, json_reader
from engine.contract.errors import JobError
from engine.engines.compact.nets.model import Model, fork_weights, save_weights
from engine.engines.compact.nets.sizes import COMPACT, Sizes

from .pooled_clip import SHARE
from .samples import SampleMaker, Window, batch_of

log = logging.getLogger(__name__)
CHECKPOINT, PAUSE = "checkpoint.pt", "pause"
SAVE_EVERY, SHOW_EVERY = 240, 300  # seconds
MOST_LOST = 10
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
    """How long a stage trains, all its runs together: until the first of the two limits is reached. The learning rate
    follows this budget, so only a run that is measured in steps gives the same bits on a busy machine."""

    minutes: float = math.inf
    steps: float = math.inf

    def spent(self, run: "Run") -> float:
        """0 at the start, 1 or more at the end."""
        return max(run.seconds / 60 / self.minutes, run.step / self.steps)


class Batches(Dataset):
    """Batch number -> what batch_of makes; everything follows from (seed, number),
    so a resumed run sees the same data."""

    def __init__(self, pool: Path, recipe: Recipe, seed: int, sizes: Sizes = COMPACT, share: float = SHARE):
        self.makers = {shape: SampleMaker(pool, shape, share) for shape in sorted(set(SHAPE_ORDER))}
        self.recipe, self.seed, self.sizes = recipe, seed, sizes

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, number))
        maker = self.makers[SHAPE_ORDER[number % len(SHAPE_ORDER)]]
        drawn = [maker.make(rng, self.recipe.frames) for _ in range(self.recipe.batch)]
        stacked = {field.name: torch.from_numpy(np.stack([getattr(w, field.name) for w in drawn]))
                   for field in fields(Window)}
        return batch_of(stacked, self.sizes)


def batches_of(run: "Run", pool: Path, seed: int, workers: int, share: float = SHARE) -> Iterator[dict[str, Tensor]]:
    """The run's batches from the clips of a pool, from its step on; the same ones in every run of that seed."""
    import cv2
    cv2.setNumThreads(1)
    order = ([number] for number in range(run.step, 2**31))
    loader = DataLoader(Batches(pool, run.recipe, seed, run.told, share), batch_sampler=_Firsts(order),
                        num_workers=workers, prefetch_factor=4 if workers else None, collate_fn=lambda drawn: drawn[0])
    for batch in loader:
        yield {name: tensor.to(run.device) for name, tensor in batch.items()}


class Run:
    """One stage's state on disk: model, averaged model, optimiser, step. A killed run continues from its checkpoint."""

    def __init__(self, folder: Path, recipe: Recipe, start: Path | None, device: str, sizes: Sizes = COMPACT,
                 parent: Sizes | None = None):
        """`start` holds weights of `parent`'s sizes, which may differ from `sizes` in switches; None:
        the same sizes."""
        folder.mkdir(parents=True, exist_ok=True)
        files.remove_unfinished(folder)
        self.folder, self.recipe, self.device = folder, recipe, device
        torch.manual_seed(0)
        self.model = self._begun(start, sizes, parent).to(device)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(self.learns(name))
        self.average = copy.deepcopy(self.model).eval()
        self.learning = [p for p in self.model.parameters() if p.requires_grad]
        self.averaged = [mine for mine, theirs in zip(self.average.parameters(), self.model.parameters(), strict=True)
                         if theirs.requires_grad]
        self.optimiser = torch.optim.AdamW(self.learning, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01,
                                           fused=device != "cpu")
        self.step, self.seconds, self.lost = 0, 0.0, 0
        self.saved_step = -1
        if (folder / CHECKPOINT).exists():
            self._resume(folder / CHECKPOINT)

    def _begun(self, start: Path | None, sizes: Sizes, parent: Sizes | None) -> torch.nn.Module:
        """The model that the run begins with."""
        return fork_weights(parent or sizes, sizes, start) if start else Model(sizes)

    def learns(self, name: str) -> bool:
        """Whether the parameter of this name learns."""
        return name.startswith(self.recipe.trained)

    @property
    def told(self) -> Sizes:
        """What batch_of is told of the networks."""
        return self.model.sizes

    def stored(self, model: torch.nn.Module) -> dict[str, Tensor]:
        """The weights of a model that a checkpoint keeps."""
        return model.state_dict()

    def restore(self, model: torch.nn.Module, weights: dict[str, Tensor]) -> None:
        """Give a model the weights of a checkpoint. Raises RuntimeError if they are not the model's."""
        model.load_state_dict(weights)

    def _resume(self, path: Path) -> None:
        """Raises ValueError where the file is no checkpoint of this stage at these sizes."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.restore(self.model, state["model"])
            self.restore(self.average, state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
            self.saved_step = self.step
        except (RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
            raise ValueError(f"{path}: cannot go on from this checkpoint ({type(error).__name__}: "
                             f"{str(error).partition(chr(10))[0]}). Remove it, and begin "
                             "with --start and the weights.safetensors beside it.") from None

    def save(self) -> None:
        """Atomic: written aside, then renamed, so that a full disk or a kill leaves the last good one. The checkpoint
        comes last: after it, a run that is finished writes nothing more. Raises JobError."""
        state = io.BytesIO()  # in memory first: torch reports a full disk as an assertion of its own
        torch.save({"model": self.stored(self.model), "average": self.stored(self.average), "step": self.step,
                    "optimiser": self.optimiser.state_dict(), "seconds": self.seconds}, state)
        save_weights(self.stored(self.average), self.folder / "weights.safetensors")
        files.write_whole(self.folder / CHECKPOINT, state.getbuffer())
        self.saved_step = self.step

    def save_if_there_is_room(self) -> None:
        """In the middle of a run, a checkpoint that cannot be written does not stop the training; the last good one
        stays."""
        try:
            self.save()
        except JobError as error:
            log.warning("step %d: %s The checkpoint before it stays and training goes on; free some space before "
                        "the next.",
                        self.step, error.message)

    def learn(self, loss: Tensor, rate: float) -> None:
        """One optimiser step at `rate` times the recipe's learning rate, then the average. If the loss is not a number,
        the step is left out; the tenth in a row raises ValueError."""
        warm = min(1.0, (self.step + 1) / self.recipe.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * warm * rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if torch.nn.utils.clip_grad_norm_(self.learning, 1.0).isfinite():
            self.optimiser.step()
            self.lost = 0
        else:
            self.lost += 1
            log.warning("step %d: the gradient is no number; the step is left out", self.step)
            if self.lost == MOST_LOST:
                raise ValueError(f"{self.folder}: {MOST_LOST} steps in a row without a finite gradient, the last is "
                                 f"{self.step}. "
                                 "Go on from an earlier checkpoint, or with a smaller learning rate.")
        self.step += 1
        keep = 1 - 1 / min(self.recipe.average_over, self.step / 5 + 1)
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, self.learning, 1 - keep)
            for mine, theirs in zip(self.average.buffers(), self.model.buffers(), strict=True):
                mine.copy_(theirs)


def train(run: Run, batches: Iterator[dict[str, Tensor]], budget: Budget, loss_of, picture_of, seed: int) -> None:
    """Trains until the stage's budget is spent, in all its runs together; the rate falls as a cosine over it.

    `loss_of(model, batch, generator, progress 0..1) -> (loss, figures)`;
    `picture_of(averaged model, batch)` -> uint8 sheet.
    """
    lines = open_log(run.folder / "log.jsonl", run.step)
    began, recent = time.monotonic() - run.seconds, []
    saved = shown = time.monotonic()
    while (progress := budget.spent(run)) < 1:
        began += wait_while_paused(run.folder)
        batch = next(batches)
        generator = torch.Generator(run.device).manual_seed(seed * 1_000_003 + run.step)
        with torch.autocast(run.device, torch.bfloat16, enabled=in_half(run.device, run.recipe.frames)):
            loss, figures = loss_of(run.model, batch, generator, progress)
        run.learn(loss, 0.5 * (1 + math.cos(math.pi * progress)) * 0.95 + 0.05)
        run.seconds = time.monotonic() - began
        recent.append(figures)
        if run.step % 50 == 0:
            means = {key: round(torch.stack([f[key] for f in recent]).mean().item(), 4) for key in recent[0]}
            recent = []
            samples = run.step * run.recipe.batch * run.recipe.frames
            line = {"stage": run.recipe.name, "step": run.step, "frames": samples,
                    "minutes": round(run.seconds / 60, 1),
                    **means}
            with _if_there_is_room(run.step):
                lines.write(json.dumps(line) + "\n")
                lines.flush()
            print(line, flush=True)
        if time.monotonic() - saved > SAVE_EVERY:
            run.save_if_there_is_room()
            saved = time.monotonic()
        if time.monotonic() - shown > SHOW_EVERY:
            show(run, batch, picture_of)
            shown = time.monotonic()
    if run.saved_step != run.step:
        run.save()
        show(run, next(batches), picture_of)


def wait_while_paused(folder: Path) -> float:
    """Seconds waited: a file `pause` in the run's folder pauses it, for a benchmark or other work on the machine."""
    began = time.monotonic()
    if (folder / PAUSE).exists():
        print(f"paused until {folder / PAUSE} is removed", flush=True)
    while (folder / PAUSE).exists():
        time.sleep(1)
    return time.monotonic() - began


def open_log(path: Path, step: int):
    """The log to append to, without the lines of steps after the checkpoint, which are trained again, and without what
    a kill or a full disk cut off."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    kept = [line for line in lines if _step_of(line) <= step]
    files.write_whole(path, b"".join(line + b"\n" for line in kept))
    return path.open("a")


def _step_of(line: bytes) -> float:
    try:
        return json_reader.parse(line)["step"]
    except (json_reader.Unreadable, KeyError):
        return math.inf


@contextlib.contextmanager
def _if_there_is_room(step: int) -> Iterator[None]:
    """A line of the log that cannot be written does not stop the training."""
    try:
        yield
    except OSError as error:
        log.warning("step %d: the log could not be written: %s", step, error)


class _Firsts:
    """A batch sampler over any iterable of index lists."""

    def __init__(self, lists):
        self.lists = lists

    def __iter__(self):
        return iter(self.lists)


def show(run: Run, batch: dict, picture_of) -> None:
    import cv2
    with torch.no_grad():
        sheet = picture_of(run.average, {name: tensor[:8] for name, tensor in batch.items()})
    cv2.imwrite(str(run.folder / f"look_{run.step:06d}.png"), sheet[..., ::-1])


def in_half(device: str, frames: int) -> bool:
    """Whether to train in bfloat16: on accelerators, and on processors that multiply such numbers, where a step takes
    half the time (matrix units) or two thirds of it (AVX-512); on others it takes twice as long (measured).

    Never with windows of two frames on a processor: PyTorch 2.13 leaves the weights' gradient of a three frames deep
    Conv3d unwritten there (measured: whatever was in that memory, up to 1e38; right with one, three and four frames).
    """
    can_multiply = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()     # no public way
    return device != "cpu" or (can_multiply and frames != 2)
