"""The opened networks of a pack on a device: pictures in numpy in, latents and pictures in numpy out."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from ...contract.errors import JobError
from ..base import DeviceReport, Sampling, Window
from ..device import report_of
from ..noise import window_noise
from .encoders import IMAGE_ENCODER, SCALE, VAE, Encoders, first, last
from .nets.model import MOTION, Model, with_weights
from .nets.sizes import Sizes
from .sampling import Appearance, Conditions, Kept, denoise

if TYPE_CHECKING:
    from ...conditions.bundle import Bundle, ReferenceBundle

DEVICES = ("cuda", "mps", "cpu")    # tried in this order
MOTION_FILE = "motion_modules.safetensors"
FILES = tuple(f"{name}.safetensors" for name in ("reference_net", "denoising_net", "pose_guider", "object_guider"))


class Networks:
    """One pack's networks. Calls come from one thread."""

    def __init__(self, model: Model, encoders: Encoders, device: torch.device):
        self.model, self.encoders, self.device = model, encoders, device
        self.kind = model.denoising_net.conv_in.weight.dtype
        self._look_of: Callable[[], ReferenceBundle | None] = lambda: None
        self._look: Appearance | None = None

    def look_of(self, reference: ReferenceBundle) -> Appearance:
        """What is kept of the last reference, or its look, found now."""
        if self._look is None or self._look_of() is not reference:
            with self._at_work():
                picture = first(reference.picture[None], self.device)
                token = self.encoders.token(picture)
                tokens = None if token is None else token.to(self.kind)
                features = self.model.reference_net(self.encoders.encode(picture).to(self.kind), tokens)
            self._look, self._look_of = Appearance(features, tokens), weakref.ref(reference)
        return self._look

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """(n, H, W, 3) 0..1 -> latents (n, h, w, 4)."""
        with self._at_work():
            return last(self.encoders.encode(first(pictures, self.device)))

    def decode(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        """(n, h, w, 4) -> pictures (H, W, 3), one after the other."""
        for one in latents:
            with self._at_work():
                picture = last(self.encoders.decode(first(one[None], self.device))[0])
            yield picture

    def conditions(self, bundle: Bundle, held: dict[int, np.ndarray]) -> tuple[Conditions, Kept]:
        """What the networks read of a window, and what of it stays. held: latents (h, w, 4) of the finished frames
        (1..N) in it."""
        sizes = self.model.sizes
        with self._at_work():
            region, known = (first(one, self.device) for one in (bundle.region, bundle.known))
            pose = self.model.pose_guider(*(first(one, self.device).to(self.kind)
                                            for one in (bundle.skeleton, bundle.depth)), 1)
            environment = masks = None
            if sizes.environment:
                environment = self.encoders.encode(first(bundle.environment, self.device)).to(self.kind)
                masks = F.avg_pool2d(torch.cat([region, known], dim=1), SCALE).to(self.kind)
                kept = Kept(torch.zeros_like(environment, dtype=torch.float32), torch.zeros_like(masks[:, :1].float()))
            else:
                kept = Kept(self.encoders.encode(first(bundle.plate, self.device)), 1 - F.max_pool2d(region, SCALE))
            for place, number in enumerate(bundle.numbers):
                if number in held:
                    kept.latents[place] = first(held[number][None], self.device)[0]
                    kept.share[place] = 1
            return Conditions(pose, environment, masks, self._objects(bundle)), kept

    def make(self, window: Window, conditions: Conditions, look: Appearance, kept: Kept, sampling: Sampling,
             stepped: Callable[[], None]) -> np.ndarray:
        """Latents (made frames, h, w, 4). stepped() is called after every step, and may raise to stop."""
        with self._at_work():
            shape = (*kept.latents.shape[2:], kept.latents.shape[1])
            noise = first(window_noise(sampling.seed, window.frames, shape), self.device)
            made = denoise(self.model.denoising_net, noise, conditions, look, kept, steps=sampling.steps,
                           guidance=sampling.guidance, stepped=stepped)
        start = len(window.before)
        return last(made[start:start + len(window.made)])

    def describe(self) -> DeviceReport:
        return report_of(torch, self.device.type)

    def _objects(self, bundle: Bundle) -> list[tuple[Tensor, Tensor]] | None:
        """Features of what the character touches (paper 3.3); None if the weights do not read them, or there is
        nothing."""
        if self.model.sizes.blending == "off" or not bundle.objects.any():
            return None
        latents = self.encoders.encode(first(bundle.plate * bundle.objects, self.device))
        mask = F.max_pool2d(first(bundle.objects, self.device), SCALE)
        return self.model.object_guider(latents.to(self.kind), mask.to(self.kind))

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        try:
            with torch.inference_mode():
                yield
        except torch.OutOfMemoryError as error:
            raise JobError("out_of_memory", f"{self.device.type}: {str(error).partition(chr(10))[0][:200]}",
                           "Choose a smaller shape of the crop or a shorter window, or close other programs that use "
                           "the graphics card.") from None


def device_of(wanted: str | None) -> torch.device:
    """One of DEVICES, or the first that this machine has. Raises JobError."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}
    if wanted is None:
        return torch.device(next(name for name in DEVICES if there[name]()))
    if wanted not in there or not there[wanted]():
        raise JobError("settings_invalid", f"runtime: expected one of {', '.join(DEVICES)} that this machine has, got "
                                           f"{wanted!r}.")
    return torch.device(wanted)


def file_of(weight: str) -> str:
    """The file of a pack in which a weight lies."""
    return MOTION_FILE if MOTION in weight else f"{weight.partition('.')[0]}.safetensors"


def read_weights(folder: Path, listed: Collection[str]) -> dict[str, Tensor]:
    """Every weight in a pack's own files (not of its encoders), if the manifest lists them. Raises JobError."""
    weights: dict[str, Tensor] = {}
    for name in (*FILES, MOTION_FILE):
        try:
            weights |= load_file(folder / name) if name in listed else {}
        except (OSError, SafetensorError) as error:
            raise JobError("pack_corrupt", f"{folder / name}: {error}.", "Install the weights again.") from None
    return weights


def opened(folder: Path, listed: Collection[str], sizes: Sizes, wanted: str | None,
           look: Callable[[], None]) -> Networks:
    """The networks of a pack's folder on a device. listed: the files that its manifest lists. Half precision on CUDA,
    as the family's own inference, and single precision elsewhere. look() is called between two pieces of work, and may
    raise to stop. Raises JobError."""
    device = device_of(wanted)
    encoders = Encoders.opened(folder / VAE, folder / IMAGE_ENCODER if sizes.image_attention else None, look)
    if encoders.token_width not in (None, sizes.token_width):
        raise JobError("pack_invalid", f"{folder / IMAGE_ENCODER}: expected tokens of {sizes.token_width}, got "
                                       f"{encoders.token_width}.")
    look()
    try:
        model = with_weights(sizes, read_weights(folder, listed))
    except ValueError as error:
        raise JobError("pack_invalid", f"{folder}: {error}.", "Install the weights again.") from None
    look()
    kind = torch.float16 if device.type == "cuda" else torch.float32
    torch.backends.cudnn.deterministic = True   # a stopped run that goes on gives the same frames
    return Networks(model.to(device, kind).eval(), encoders.to(device), device)


