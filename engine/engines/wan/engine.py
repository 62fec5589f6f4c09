"""What both Wan engines share behind engines/base.py: their weights, prompts, segments, stops and memory."""

import contextlib
import gc
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...conditions.bundle import Bundle, ReferenceBundle
from ...contract.errors import JobError
from ...contract.jobs import SHAPE_AUTO, Settings, sides
from ...packs.engine_manifest import EngineManifest
from ...packs.store import Pack, check_files
from ...packs.weights_file import count
from ..base import (
    NOT_OPEN,
    DeviceReport,
    Facts,
    Gives,
    Made,
    Needs,
    Options,
    Patience,
    RegionRule,
    Sampling,
    Want,
    Watch,
    Window,
)
from ..device import report_of
from . import memory
from .load import config_of
from .own_settings import OwnSettings, read_own
from .prompt import ENCODER, embedding_of
from .segments import STEP, Segment, packed, segment_of, unpacked

log = logging.getLogger(__name__)
SIZE_STEP = 16          # pixels: the VAE's eight, and the transformer folds two of its latents
FADE = 5 / 192          # of the crop's shorter side, over which a patch fades inside M_f: as in the embedded engine
_FRAME_DONE_S = 600.0   # patience: a step of a large model with its weights on the processor takes minutes
Form = tuple[str, str]  # the pack's variant, "" if it has only one form; and the form, a key of memory.SHARES
_MOTIONLESS = ("text_encoder", "tokenizer", "prompts")      # never on the device during a run


class WanEngine:
    """engines.base.Engine on one of diffusers' pipelines. Subclasses say which, and how conditions enter."""

    patience = Patience(silence_s=_FRAME_DONE_S, cancel_s=_FRAME_DONE_S)
    name: ClassVar[str]
    pose_style: ClassVar[str]
    wants: ClassVar[frozenset[Want]]
    rule: ClassVar[RegionRule]
    least: ClassVar[int] = 1        # frames that the pipeline makes at least

    def __init__(self, pack: Pack[EngineManifest], options: Options):
        self.pack, self._options = pack, options
        self.pipeline: Any = None
        self._opened: Form | None = None
        self._too_large: set[tuple[Form, memory.Lying]] = set()     # what ran out of the device's memory
        self._watch: Watch | None = None
        self._plan: memory.Plan | None = None
        self._embeddings: dict[str, Any] = {}
        self._shown: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def of(cls, pack: Pack[EngineManifest], options: Options) -> "WanEngine":
        if pack.manifest.engine != cls.name:
            raise JobError("pack_invalid", f"{pack.folder}: expected weights for {cls.name}, got some for "
                           f"{pack.manifest.engine}.", "Choose another folder of weights.")
        return cls(pack, options)

    @classmethod
    def facts(cls, manifest: EngineManifest, settings: Settings) -> Facts:
        own = read_own(settings.own)
        variant_of(manifest, own)
        shapes = manifest.shapes_in(SIZE_STEP)
        window = settings.window or manifest.window
        rule = RegionRule(cls.rule.kind, cls.rule.grow, SIZE_STEP, cls.rule.hole, FADE * min(map(min, shapes)))
        return Facts(cls.name, window, min(manifest.overlap, window - 1), shapes, manifest.default_steps,
                     manifest.guidance, frame_step=STEP, size_step=SIZE_STEP, gives=Gives.PATCH,
                     pose_style=cls.pose_style, region=rule, wants=cls.wants)

    def open(self, settings: Settings, watch: Watch) -> None:
        own = read_own(settings.own)
        variant, form = variant_of(self.pack.manifest, own)
        wanted = (variant or "", form)
        if self._opened == wanted:
            return
        self.close()
        check_files(self.pack, variant, look=lambda done, total: self._looked(watch, done, total))
        import torch
        if self._options.threads:
            torch.set_num_threads(self._options.threads)
        device = _device(torch)
        free = _free_mb(torch) if device == "cuda" else None
        ways = tuple(plan for plan in self._plans(settings) if (wanted, plan.lying) not in self._too_large)
        self._plan = memory.chosen(ways, free)
        log.info("%s: the weights as %s, %s; about %.0f MB of the device", self.name, form, self._plan.lying.value,
                 self._plan.device_mb)
        with self._out_of_memory(wanted):
            self.pipeline = self._load(variant, form, watch)
            _lay(self.pipeline, self._plan.lying, device)
        self._opened = wanted

    def close(self) -> None:
        """Free what is open."""
        self.pipeline, self._opened, self._shown = None, None, None
        self._embeddings.clear()
        gc.collect()

    def make(self, window: Window, bundle: Bundle, reference: ReferenceBundle, *, before: np.ndarray | None,
             after: np.ndarray | None, sampling: Sampling, watch: Watch) -> Made:
        segment = segment_of(window, self.least)
        self._watch = watch
        try:
            with self._out_of_memory(self._opened):
                prompts = self._prompts(sampling, watch)
                with watch.stage("denoise"):
                    latents = self._sample(segment, bundle.padded(segment.count), reference, before, after, sampling,
                                           prompts)
                kept = packed(latents, segment)
                with watch.stage("decode"):
                    pictures = self._pictures(kept)
        finally:
            self._watch = None
            if self.pipeline is not None:
                self.pipeline.maybe_free_model_hooks()
        known = pictures if before is None else np.concatenate([before, pictures])
        return Made(kept, np.ascontiguousarray(known[-max(self.pack.manifest.overlap, 1):]))

    def held(self, pictures: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(pictures[..., :3], np.float32)

    def show(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        yield from self._pictures(latents)

    def seen(self, handed_on: np.ndarray) -> np.ndarray:
        return handed_on

    def needs(self, size: tuple[int, int], frames: int, settings: Settings) -> Needs:
        lying = memory.Lying.WHOLE if self._plan is None else self._plan.lying
        plan = next(one for one in self._plans(settings) if one.lying is lying)
        return Needs(plan.host_mb, plan.device_mb)

    def describe(self) -> DeviceReport:
        if self.pipeline is None or self._plan is None:
            return DeviceReport("pytorch", "", NOT_OPEN)
        import torch
        kind = self.pipeline._execution_device.type
        lying = "" if self._plan.lying is memory.Lying.WHOLE else f", {self._plan.lying.value}"
        return report_of(torch, kind, lying)

    def _load(self, variant: str | None, form: str, watch: Watch) -> Any:
        """The pipeline, with hooks that look for a stop."""
        raise NotImplementedError

    def _sample(self, segment: Segment, bundle: Bundle, reference: ReferenceBundle, before: np.ndarray | None,
                after: np.ndarray | None, sampling: Sampling, prompts: dict[str, Any]) -> np.ndarray:
        """Latents (channels, latents, h, w) float32 of the segment, without those of references."""
        raise NotImplementedError

    def _looked(self, watch: Watch, done: int, total: int) -> None:
        watch.check()
        watch.tell("load", round(done / memory.MB), max(round(total / memory.MB), 1))

    def _stop_asked(self) -> None:
        if self._watch is not None:
            self._watch.check()

    def _stepped(self, pipeline: Any, step: int, time: Any, values: dict) -> dict:
        """Called by the pipeline after each step."""
        if self._watch is not None:
            self._watch.stepped()
        return values

    def _prompts(self, sampling: Sampling, watch: Watch) -> dict[str, Any]:
        own = read_own(dict(sampling.own))
        with watch.stage("encode"):
            given = {"prompt_embeds": self._embedding(own.prompt)}
            if sampling.guidance > 1.0:
                given["negative_prompt_embeds"] = self._embedding(own.negative)
        return given

    def _embedding(self, prompt: str) -> Any:
        if prompt not in self._embeddings:
            dtype = self.pipeline.transformer.dtype
            self._embeddings[prompt] = embedding_of(self.pack.folder, prompt, self.pack.hash, dtype)
        return self._embeddings[prompt].to(self.pipeline._execution_device)

    def _pictures(self, latents: np.ndarray) -> np.ndarray:
        """Made.latents -> (n, H, W, 3) float32 0..1 of the frames that were made. The last result is kept, because
        make() and show() want the same."""
        if self._shown is None or self._shown[0] is not latents:
            given, frames = unpacked(latents)
            self._shown = latents, decoded(self.pipeline, given)[frames]
        return self._shown[1]

    def _plans(self, settings: Settings) -> tuple[memory.Plan, ...]:
        manifest = self.pack.manifest
        variant, form = variant_of(manifest, read_own(settings.own))
        shapes = manifest.shapes_in(SIZE_STEP) if settings.shape == SHAPE_AUTO else (sides(settings.shape),)
        parts = parts_of(self.pack.folder, manifest.files_of(variant))
        return memory.plans(parts, form, largest(shapes), settings.window or manifest.window)

    @contextlib.contextmanager
    def _out_of_memory(self, form: Form | None) -> Iterator[None]:
        """What runs out of the device's memory is closed. The next run opens it with the next smaller plan."""
        import torch
        try:
            yield
        except torch.OutOfMemoryError as error:
            advice = ""
            if self._plan is not None:
                advice = memory.smaller(self._plan)
                if form is not None and self._plan.lying is not memory.Lying.BLOCKS:
                    self._too_large.add((form, self._plan.lying))
            self.close()
            raise JobError("out_of_memory", f"{self.name}: the device has too little memory: {str(error)[:160]}",
                           advice) from None


def parts_of(folder: Path, names: Iterable[str]) -> memory.Parts:
    """The parts that lie on the device, by the files of a form of the weights. Their numbers are counted, because the
    published files have 32 bits for each, or 16, or both in one. Raises JobError."""
    transformer, vae = (config_of(folder, part) for part in ("transformer", "vae"))
    found: dict[str, float] = {}
    for name in names:
        part = "transformer" if name.endswith(".gguf") else name.partition("/")[0]
        if part not in _MOTIONLESS and name.endswith((".gguf", ".safetensors")):
            found[part] = found.get(part, 0.0) + _size_of(folder / name, 2 if part == "transformer" else 4)
    try:
        width = transformer["num_attention_heads"] * transformer["attention_head_dim"]
        return memory.Parts(found.pop("transformer", 0.0), found, transformer["num_layers"], width, vae["base_dim"])
    except (KeyError, TypeError) as error:
        raise JobError("pack_invalid", f"{folder}: the config.json of transformer or vae: {error} is missing.",
                       "Install the weights again.") from None


def _size_of(path: Path, width: int) -> float:
    """MB that a file of a part takes in memory, with so many bytes for each number. Raises JobError."""
    try:
        if path.suffix == ".gguf":
            return path.stat().st_size / memory.MB
        return count(path) * width / memory.MB
    except ValueError as error:
        raise JobError("pack_corrupt", f"{path}: {error}.", "Install the weights again.") from None
    except OSError as error:
        raise JobError("pack_missing", f"{path} cannot be read: {error.strerror}.",
                       "Install the weights again.") from None


def largest(shapes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return max(shapes, key=lambda shape: shape[0] * shape[1])


def variant_of(manifest: EngineManifest, own: OwnSettings) -> tuple[str | None, str]:
    """The pack's variant that the job wants, None if it has only one form; and the form, a key of memory.SHARES.
    Raises JobError."""
    if not manifest.variants:
        if own.variant not in (None, "bf16"):
            raise JobError("settings_invalid", f"settings.engines: variant: expected none, got {own.variant[:60]!r}.")
        return None, "bf16"
    name = own.variant or next(iter(manifest.variants))
    manifest.files_of(name)
    if any(file.endswith(".gguf") for file in manifest.variants[name].files):
        return name, "gguf"
    if name not in memory.SHARES:
        raise JobError("pack_invalid", f"variants: expected {', '.join(memory.SHARES)}, or one with a .gguf file, got "
                       f"{name!r}.")
    return name, name


def decoded(pipeline: Any, latents: np.ndarray) -> np.ndarray:
    """Normalised latents (channels, latents, h, w) -> pictures (frames, H, W, 3) float32 0..1, as the pipelines decode
    them."""
    import torch
    vae = pipeline.vae
    given = torch.from_numpy(latents)[None].to(pipeline._execution_device, vae.dtype)
    mean, deviation = (torch.tensor(values, dtype=given.dtype, device=given.device).view(1, -1, 1, 1, 1)
                       for values in (vae.config.latents_mean, vae.config.latents_std))
    with torch.no_grad():
        shown = vae.decode(given / (1.0 / deviation) + mean, return_dict=False)[0]
    shown = (shown[0].permute(1, 2, 3, 0).float() * 0.5 + 0.5).clamp(0.0, 1.0)
    return np.ascontiguousarray(shown.cpu().numpy())


def _free_mb(torch: Any) -> float:
    """Of the device, with what torch keeps for later and does not need now."""
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info()[0] / memory.MB


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _lay(pipeline: Any, lying: memory.Lying, device: str) -> None:
    """Put a pipeline's parts where the plan says."""
    import torch
    pipeline.set_progress_bar_config(disable=True)
    if lying is memory.Lying.PARTS:
        pipeline.enable_model_cpu_offload(device=device)
    elif lying is memory.Lying.BLOCKS:
        for name, part in pipeline.components.items():
            if isinstance(part, torch.nn.Module) and name not in ("transformer", ENCODER):
                part.to(device)
        pipeline.transformer.enable_group_offload(torch.device(device), torch.device("cpu"), "block_level",
                                                  num_blocks_per_group=1)
    else:
        pipeline.to(device)
