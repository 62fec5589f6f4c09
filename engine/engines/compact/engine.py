"""The embedded engine behind engines/base.py: small networks, onnxruntime or torch, any processor.

Its weights are a few dozen MB. So they are checked and opened with the engine, and `hello` can say on which device they
run.
"""

import weakref
from collections.abc import Callable, Iterator

import numpy as np

from ...conditions.bundle import Bundle, ReferenceBundle
from ...conditions.crop import SHAPES
from ...conditions.depth import CONVENTION
from ...conditions.mask import KINDS
from ...contract.errors import JobError
from ...contract.jobs import Settings
from ...contract.reckoning import Reckoning
from ...packs.manifest import Manifest
from ...packs.store import Pack, check_pack
from ..base import DeviceReport, Facts, Gives, Made, Needs, Options, Patience, RegionRule, Sampling, Want, Watch, Window
from .denoise import clip
from .denoise.schedule import named
from .denoise.steady import joined, parted, steadied
from .nets.sizes import Sizes
from .runtimes.base import Runtime
from .runtimes.choose import choose

SIZE_STEP = 32      # latents are at a quarter; the denoiser folds them once and halves them twice
_ANOTHER = "Use weights made for this engine."


class CompactEngine:
    """engines.base.Engine on a Runtime."""

    patience = Patience()

    def __init__(self, pack: Pack, runtime: Runtime):
        self.pack, self.runtime = pack, runtime
        self._channels = Sizes.from_dict(pack.manifest.sizes).latent_channels
        self._encoded_of: tuple[Callable[[], ReferenceBundle | None], bool] = (lambda: None, False)
        self._appearance: clip.Appearance | None = None

    @classmethod
    def of(cls, pack: Pack, options: Options) -> "CompactEngine":
        check_pack(pack)
        manifest = pack.manifest
        if manifest.depth_convention != CONVENTION:
            raise JobError("pack_invalid", f"{pack.folder}: depth_convention: expected {CONVENTION!r}, got "
                           f"{manifest.depth_convention!r}.", _ANOTHER)
        if manifest.mask not in KINDS:
            raise JobError("pack_invalid", f"{pack.folder}: sizes.mask: expected one of {', '.join(KINDS)}, got "
                           f"{manifest.mask!r}.", _ANOTHER)
        return cls(pack, choose(pack, options.runtime, options.threads))

    @staticmethod
    def facts(manifest: Manifest, settings: Settings) -> Facts:
        if settings.own:
            raise JobError("settings_invalid", f"settings.engines: expected nothing for {settings.engine}, got "
                           f"{', '.join(settings.own)[:60]}.")
        named(manifest.schedule)
        return Facts(settings.engine, settings.window or manifest.window, manifest.overlap, SHAPES,
                     manifest.default_steps, size_step=SIZE_STEP,
                     gives=Gives.MATTE_AND_SHADOW if manifest.matte_and_shadow else Gives.PATCH,
                     region=RegionRule(manifest.mask),
                     wants=frozenset({Want.WARP, Want.DEPTH, Want.OBJECTS, *[Want.MAPS] * manifest.surface}),
                     lays_surface=True)

    def open(self, settings: Settings, watch: Watch) -> None:
        """It is open already."""

    def make(self, window: Window, bundle: Bundle, reference: ReferenceBundle, *, before: np.ndarray | None,
             after: np.ndarray | None, sampling: Sampling, watch: Watch) -> Made:
        with watch.stage("encode"):
            appearance = self._encoded(reference, sampling.guidance)
            conditions = clip.encode_conditions(self.runtime, bundle)
        count = len(window.before)
        ahead, told = None, None
        if before is not None and count:
            ahead, told = parted(before[len(before) - count:], self._channels)
        wanted = clip.Sampling(named(self.pack.manifest.schedule), sampling.steps, sampling.seed, sampling.guidance)
        with watch.stage("denoise"):
            latents, heads = clip.denoise_window(self.runtime, window, conditions, appearance, wanted,
                                                 after_step=watch.stepped, before=ahead, after=after)
        known = latents if ahead is None else np.concatenate([ahead, latents])
        if heads is not None:
            said, heads = heads[:count] if told is None else told, heads[count:]
            if told is not None:
                pair = slice(count - 1, count + 1)
                heads = steadied(heads, told[-1], self.runtime.decode(known[pair]), bundle.warp[pair],
                                 bundle.maps[pair])
            known = joined(known, np.concatenate([said, heads]))
        return Made(latents, known[-max(self.pack.manifest.overlap, 1):], heads)

    def held(self, pictures: np.ndarray) -> np.ndarray:
        return self.runtime.encode(pictures)

    def show(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        for one in latents:
            yield self.runtime.decode(one[None])[0]

    def seen(self, handed_on: np.ndarray) -> np.ndarray:
        return self.runtime.decode(parted(handed_on, self._channels)[0])

    def needs(self, size: tuple[int, int], frames: int, settings: Settings) -> Needs:
        window = min(settings.window or self.pack.manifest.window, frames)
        return Needs(Reckoning().host(window, size[0] * size[1] / 1e6))

    def describe(self) -> DeviceReport:
        return self.runtime.describe()

    def _encoded(self, reference: ReferenceBundle, guidance: float) -> clip.Appearance:
        """Features of the reference, made when the first window needs them: a job with all frames finished needs
        none. Those of the last reference are kept."""
        of, is_guided = self._encoded_of
        if self._appearance is None or of() is not reference or is_guided != (guidance != 1.0):
            self._appearance = clip.encode_reference(self.runtime, reference.picture, reference.skeleton, guidance)
            self._encoded_of = weakref.ref(reference), guidance != 1.0
        return self._appearance
