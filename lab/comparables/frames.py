"""A row's weights and a held-out clip -> its frames, as evaluation/generate.py has the product's. The conditions, the
crops and the way to the job's pixels are the product's own; the networks are the row's."""

import functools
import hashlib
import os
from pathlib import Path

import numpy as np
import torch

from engine.conditions.bundle import (
    Bundle,
    ReferenceBundle,
    Shot,
    build_reference,
    build_window,
    frame_holdout,
    frame_region,
    plan_shot,
    plate_maps,
)
from engine.conditions.frames import as_bits, as_float
from engine.contract import json_reader
from engine.door.answer import find_joints
from engine.engines.compact.nets.sizes import Sizes
from engine.engines.windows import spans
from engine.job.subject import find_subject
from engine.layers.compose import blank, canvas_of, compose
from engine.packs.weights_file import tensors

from ..evaluation.clips import Clip, read_clip
from ..evaluation.generate import Made, as_given
from .conditions import batch_of_bundle
from .rows import ROWS
from .sampling import pictures

WEIGHTS, SIZES = "weights.safetensors", "sizes.json"


class Finder:
    """What evaluation/generate.py asks of an engine here: to find the person in the reference."""

    find_joints = staticmethod(functools.partial(find_joints, threads=1))


def made_frames(name: str, folder: Path, clip: Clip, kept: Path) -> list[Made]:
    """The clip's frames by the row `name` with the weights in `folder`; made now, or read from `kept`."""
    path = kept / f"{name}-{_digest(name, folder)}" / f"{clip.name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **_stacked(draw(open_row(name, Path(folder)), clip)))
        unfinished.rename(path)
    with np.load(path) as stored:
        return _read({key: stored[key] for key in stored.files})


@functools.lru_cache(maxsize=2)
def open_row(name: str, folder: Path) -> torch.nn.Module:
    """The row's networks with the trained weights. Raises RuntimeError if these are of other networks."""
    sizes = Sizes.from_dict(json_reader.read(folder / SIZES))
    model = ROWS[name](sizes)
    model.load_state_dict({key: torch.from_numpy(array).float() for key, array in
                           tensors(folder / WEIGHTS).items()})
    return model.eval()


def draw(model, clip: Clip) -> list[Made]:
    """All frames of a clip; where nobody is, the plate stays."""
    torch.set_num_threads(1)
    shot, reference, windows = _told(clip.folder, clip.references, model.sizes.mask)
    has_matte = model.sizes.matte_and_shadow
    made = [_nobody(shot.job, has_matte) for _ in range(shot.job.frames)]
    for span, bundle in windows:
        decoded = pictures(model, batch_of_bundle(bundle, reference), shot.job.settings.seed, span).numpy()
        for place, number in enumerate(span):
            layer = np.moveaxis(decoded[place], 0, -1)
            made[number - 1] = _composed(model, shot, reference, bundle, place, layer)
    return made


@functools.lru_cache(maxsize=1)
def _told(folder: Path, references: str, mask: str) -> tuple[Shot, ReferenceBundle, list[tuple[range, Bundle]]]:
    """What every row is told of a clip, made once for all of them: the body's surface takes longer than their networks.
    The last is of each run of frames with somebody in it."""
    job = as_given(read_clip(folder, references), Finder)
    shot = plan_shot(folder, job, mask, surface=True)
    reference = build_reference(shot, *find_subject(folder, job, find_joints=Finder.find_joints,
                                                    emit=lambda event: None))
    return shot, reference, [(span, build_window(shot, reference, list(span)))
                             for span in spans(list(shot.plan.present))]


def _composed(model, shot: Shot, reference: ReferenceBundle, bundle, place: int, decoded) -> Made:
    number, job = bundle.numbers[place], shot.job
    canvas = canvas_of(job.size, job.bits, shot.plan.crops[number - 1])
    holdout = frame_holdout(shot, number, plate_maps(shot, reference, number, canvas.box), canvas.box)
    has_matte = model.sizes.matte_and_shadow

    def laid(clean, holdout):
        return compose(decoded, plate=bundle.plate[place], region=bundle.region[place], clean_plate=clean, shadow=True,
                       canvas=canvas, holdout=holdout)
    clean = has_matte and (job.clean_plate or not model.environment)
    layers = laid(clean, holdout)
    character = as_float(layers.character)
    visible = as_float(laid(True, holdout).character)[..., 3] if has_matte else None
    region = frame_region(shot, number, bundle.region[place]) > 0.5
    return Made(character, as_float(layers.shadow), as_float(laid(clean, None).character), visible, region=region)


def _nobody(job, has_matte: bool) -> Made:
    layers = blank(job.size, job.bits)
    character = as_float(layers.character)
    return Made(character, as_float(layers.shadow), character, character[..., 3] if has_matte else None)


def _stacked(made: list[Made]) -> dict[str, np.ndarray]:
    """Of each field (frames, ...) uint8; frames without a region, or a row without a matte, have none."""
    size = made[0].character.shape[:2]
    told = {name: np.stack([as_bits(getattr(one, name)) for one in made]) for name in ("character", "shadow", "unheld")}
    if made[0].visible is not None:
        told["visible"] = np.stack([as_bits(one.visible) for one in made])
    told["region"] = np.stack([np.zeros(size, bool) if one.region is None else one.region for one in made])
    told["present"] = np.array([one.region is not None for one in made])
    return told


def _read(stored: dict[str, np.ndarray]) -> list[Made]:
    visible = stored.get("visible")
    return [Made(*(as_float(stored[name][k]) for name in ("character", "shadow", "unheld")),
                 None if visible is None else as_float(visible[k]),
                 region=stored["region"][k] if stored["present"][k] else None)
            for k in range(len(stored["present"]))]


@functools.cache
def _digest(name: str, folder: Path) -> str:
    """Of the weights and of what turns them into pictures here; evaluation/table.py adds the engine's own."""
    digest = hashlib.sha256(name.encode())
    for path in (Path(folder) / WEIGHTS, Path(folder) / SIZES, *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


