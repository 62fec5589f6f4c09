"""The paper's networks at the size of Stable Diffusion 1.5, behind engines/base.py.

Their weights are the public ones of the Animate Anyone family, or trained from them. Nobody has published trained
weights of Animate Anyone 2. So until its parts are trained, the plate enters by blending latents outside of M_f.
Importing this imports no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conditions.styles import STYLES
from ...contract.errors import JobError
from ...packs.store import Pack, check_files
from ..base import NOT_OPEN, DeviceReport, Facts, Made, Needs, Options, Patience, Sampling, Want, Watch, Window
from .nets.sizes import FAMILY, Sizes

if TYPE_CHECKING:
    from ...conditions.bundle import Bundle, ReferenceBundle
    from ...contract.jobs import Settings
    from ...packs.engine_manifest import EngineManifest
    from .networks import Networks

NAME = "sd15-aa2"
SIZE_STEP = 8
_STAGE = "load"
_AGAIN = "Convert the weights again: python -m engine convert."


@dataclasses.dataclass(frozen=True)
class Own:
    """What a pack's manifest says for this engine alone: its networks, and the pose style that they were trained
    with."""

    sizes: Sizes
    pose_style: str

    @classmethod
    def of(cls, manifest: EngineManifest) -> Own:
        """Raises JobError."""
        fields = manifest.own or {}
        try:
            if set(fields) != {"sizes", "pose_style"}:
                raise ValueError(f"own: expected sizes and pose_style, got {', '.join(fields)[:60]}")
            if fields["pose_style"] not in STYLES:
                raise ValueError(f"pose_style: expected one of {', '.join(STYLES)}, got "
                                 f"{str(fields['pose_style'])[:60]!r}")
            return cls(_sizes(fields["sizes"]), fields["pose_style"])
        except (TypeError, ValueError) as error:
            raise JobError("pack_invalid", f"pack.json: {error}.", _AGAIN) from None


class Sd15Engine:
    """engines.base.Engine."""

    # One step of a window of 24 frames may take long on a small card, and so may the first call on a device.
    patience = Patience(silence_s=300.0, cancel_s=120.0)

    def __init__(self, pack: Pack[EngineManifest], options: Options):
        self.pack, self._options, self._own = pack, options, Own.of(pack.manifest)
        self._networks: Networks | None = None

    @classmethod
    def of(cls, pack: Pack[EngineManifest], options: Options) -> Sd15Engine:
        return cls(pack, options)

    @staticmethod
    def facts(manifest: EngineManifest, settings: Settings) -> Facts:
        own, window = Own.of(manifest), settings.window or manifest.window
        if settings.own:
            raise JobError("settings_invalid", f"settings.engines: expected nothing for {NAME}, got "
                                               f"{', '.join(settings.own)[:60]}.")
        if window > own.sizes.longest:
            raise JobError("settings_invalid", f"window: expected at most {own.sizes.longest} frames, got {window}.",
                           "Choose a shorter window.")
        wants = {Want.DEPTH: own.sizes.modulation != "off", Want.OBJECTS: own.sizes.blending != "off"}
        return Facts(manifest.engine, window, manifest.overlap, manifest.shapes_in(SIZE_STEP),
                     manifest.default_steps, manifest.guidance, size_step=SIZE_STEP, pose_style=own.pose_style,
                     wants=frozenset(want for want, is_read in wants.items() if is_read))

    def open(self, settings: Settings, watch: Watch) -> None:
        if self._networks is not None:
            return

        def look(done: int, total: int) -> None:
            watch.tell(_STAGE, done >> 20, (total >> 20) + 1)
            watch.check()
        check_files(self.pack, look=look)
        try:
            from .networks import opened
        except ImportError as error:
            raise JobError("runtime_missing", f"{NAME} needs torch, diffusers, transformers and safetensors: {error}.",
                           "Name a Python that has them in the add-on's preferences.") from None
        if self._options.threads:
            import torch
            torch.set_num_threads(self._options.threads)
        self._networks = opened(self.pack.folder, self.pack.manifest.files, self._own.sizes,
                                self._options.runtime, watch.check)

    def make(self, window: Window, bundle: Bundle, reference: ReferenceBundle, *, before: np.ndarray | None,
             after: np.ndarray | None, sampling: Sampling, watch: Watch) -> Made:
        networks, held = self._opened, {}
        for numbers, latents in ((window.before, before), (window.after, after)):
            if numbers and latents is not None:
                held |= dict(zip(numbers, latents[len(latents) - len(numbers):], strict=True))
        with watch.stage("encode"):
            look = networks.look_of(reference)
            conditions, kept = networks.conditions(bundle, held)
        with watch.stage("denoise"):
            latents = networks.make(window, conditions, look, kept, sampling, watch.stepped)
        known = latents if before is None else np.concatenate([before, latents])
        return Made(latents, known[-max(self.pack.manifest.overlap, 1):])

    def held(self, pictures: np.ndarray) -> np.ndarray:
        return self._opened.encode(pictures[..., :3])

    def show(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        return self._opened.decode(latents)

    def seen(self, handed_on: np.ndarray) -> np.ndarray:
        return np.stack(list(self._opened.decode(handed_on)))

    def needs(self, size: tuple[int, int], frames: int, settings: Settings) -> Needs:
        needs, window = self.pack.manifest.needs, min(settings.window or self.pack.manifest.window, frames)
        return Needs(needs.host(window, size[0] * size[1] / 1e6), needs.device(window))

    def describe(self) -> DeviceReport:
        return DeviceReport("pytorch", "", NOT_OPEN) if self._networks is None else self._networks.describe()

    @property
    def _opened(self) -> Networks:
        if self._networks is None:
            raise RuntimeError(f"{NAME} is used before it is opened")
        return self._networks


def _sizes(value: Any) -> Sizes:
    """Fields of nets/sizes.py, each of its type; a missing field is as in the family."""
    usual = FAMILY.as_dict()
    if not isinstance(value, dict):
        raise ValueError("sizes: expected an object")
    for name, given in value.items():
        if name not in usual or not _is_like(given, usual[name]):
            raise ValueError(f"sizes: expected a size that this engine knows, got {name!r}: {str(given)[:40]}")
    return Sizes.from_dict(value)


def _is_like(given: Any, usual: Any) -> bool:
    if isinstance(usual, tuple):
        return isinstance(given, list) and 1 <= len(given) <= 8 and all(_is_like(one, 1) for one in given)
    return type(given) is type(usual) and (type(given) is not int or 1 <= given <= 4096)
