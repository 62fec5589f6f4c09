"""What an engine is: one set of weights that makes a character's frames, window by window, from the shared conditions.

Common to all engines, and none of their business: crops, conditions, regions, windows, keys, state/, hold-outs, grain,
events, a stop, and ranges to fix (engine/job). Per engine: how pictures become what it works on and come back, how it
samples, how finished frames enter, and how its weights lie in memory. Only numpy is needed to read this file.

Shapes: F frames of a window; (H, W) the crop; pictures are float32 0..1, sRGB. Frames have numbers 1..N.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from numpy import ndarray

from ..conditions.region_rule import PAPER, RegionRule
from .device import NOT_OPEN, DeviceReport
from .windows import Window

if TYPE_CHECKING:       # conditions and packs need more than numpy
    from ..conditions.bundle import Bundle, ReferenceBundle
    from ..contract.jobs import Settings
    from ..packs.manifest import Manifest
    from ..packs.store import Pack

__all__ = ("NOT_OPEN", "DeviceReport", "Engine", "Facts", "Gives", "Made", "Needs", "Options", "Patience",
           "RegionRule", "Sampling", "Want", "Watch", "Window", "padded_count")


class Gives(Enum):
    """What counts in a picture of an engine. MATTE_AND_SHADOW: five channels, RGB, the character's matte and the shadow
    factor (1 = lit). PATCH: RGB, and everything inside M_f covers the plate there; two more channels may follow."""

    MATTE_AND_SHADOW = "matte and shadow"
    PATCH = "patch"


class Want(Enum):
    """A condition that not every engine reads. What no engine wants is not made (MAPS), or costs too little to be left
    out."""

    WARP = "warp"           # the reference on the body surface
    MAPS = "maps"           # conditions/surface_inputs.py
    DEPTH = "depth"
    OBJECTS = "objects"
    FACE = "face"
    PROMPT = "prompt"       # a text, in the engine's own settings


@dataclass(frozen=True)
class Facts:
    """What is known of an engine from its manifest and a job's settings, before any weight is opened.

    window, overlap: frames of a window, and how many made frames the next one is told of. frame_step: windows have
    k * frame_step + 1 frames (1: any number). Where a window has fewer, its bundle is padded at its end with its last
    frame (padded_count). shapes: the crops (width, height) that a job may choose, their sides multiples of size_step.
    holds_after: whether finished frames after a window may be given, too, for a range to fix. pose_style: the style of
    the skeleton's picture. lays_surface: whether the composition lays the body surface over what the engine paints.
    steps, guidance: where the job says none (guidance 1: none).
    """

    name: str
    window: int
    overlap: int
    shapes: tuple[tuple[int, int], ...]
    steps: int
    guidance: float = 1.0
    frame_step: int = 1
    size_step: int = 1
    holds_after: bool = True
    gives: Gives = Gives.PATCH
    pose_style: str = "compact"
    region: RegionRule = PAPER
    wants: frozenset[Want] = frozenset()
    lays_surface: bool = False

    @property
    def has_matte(self) -> bool:
        return self.gives is Gives.MATTE_AND_SHADOW


@dataclass(frozen=True)
class Sampling:
    """How a job wants its frames sampled. guidance 1: none. own: the job's settings for this engine alone, as the
    engine's own reader has checked them."""

    steps: int
    seed: int
    guidance: float = 1.0
    own: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """What an engine made of a window; state/ keeps it as float32, so that a resumed run continues to the same bits.

    latents: of the frames that this window makes, in whatever form `show` reads. handed_on (m, ...): what the next
    window gets as `before`, always as float: through 8-bit pictures, a resumed run would differ. heads (made frames,
    h', w', c): what layers/heads.py reads, or None.
    """

    latents: ndarray
    handed_on: ndarray
    heads: ndarray | None = None


@dataclass(frozen=True)
class Needs:
    """Memory in MB that a run is reckoned to take at its peak: of the process, and of the device (0: it uses none of
    its own)."""

    host_mb: float
    device_mb: float = 0.0


@dataclass(frozen=True)
class Patience:
    """How long whoever waits for an engine should bear with it, in seconds: without any line, because a library may
    keep all threads of the process waiting; and after a request to stop, which is heard between two steps. None: as
    long as with any program."""

    silence_s: float | None = None
    cancel_s: float | None = None


@dataclass(frozen=True)
class Options:
    """How this machine runs an engine. runtime: one of the engine's own names, None for the first that works; threads:
    None for one a core."""

    runtime: str | None = None
    threads: int | None = None


class Watch(Protocol):
    """What an engine tells while it works, and where it looks for a stop (job/progress.py)."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time a block as "load", "encode", "denoise" or "decode"; looks for a stop first."""
        ...

    def check(self) -> None:
        """Look for a stop, between any two pieces of work: raises job.progress.Stopped, which must pass through."""
        ...

    def tell(self, stage: str, step: int, total: int) -> None:
        """Say how far a stage is that the job's time does not count, such as "load"."""
        ...

    def stepped(self) -> None:
        """A denoising step is done: count it, and look for a stop. A window has exactly `sampling.steps` of them."""
        ...


class Engine(Protocol):
    """One set of weights, for all jobs of a process. All calls come from one thread, one at a time.

    Only open() reads weights, and only then the packages that they need are imported. choose.py names the classes.
    """

    pack: Pack
    patience: Patience

    @classmethod
    def of(cls, pack: Pack, options: Options) -> Engine:
        """An engine that has opened nothing, or little: `hello` must not wait. Raises JobError if the pack is wrong as
        far as it was looked at."""
        ...

    @staticmethod
    def facts(manifest: Manifest, settings: Settings) -> Facts:
        """Raises JobError(settings_invalid) for settings that the engine does not take, and JobError(pack_invalid)."""
        ...

    def open(self, settings: Settings, watch: Watch) -> None:
        """Check and open what these settings need; nothing, if it is open. Called once a job, before its first window
        and inside the stage "load". Looks for a stop between two pieces of work. Raises JobError."""
        ...

    def make(self, window: Window, bundle: Bundle, reference: ReferenceBundle, *, before: ndarray | None,
             after: ndarray | None, sampling: Sampling, watch: Watch) -> Made:
        """Make the frames `window.made`.

        bundle: the conditions of window.frames, padded to padded_count. before: what the window before handed on, or
        held() of window.before; its last len(window.before) are those frames. after: held() of window.after. Both are
        None if there are no such frames.
        """
        ...

    def held(self, pictures: ndarray) -> ndarray:
        """Finished frames (n, H, W, 5), whatever the engine gives -> (n, ...) what `before` and `after` are made of.
        The fourth channel is the matte, or for a patch the character's mask; the fifth the shadow factor."""
        ...

    def show(self, latents: ndarray) -> Iterator[ndarray]:
        """Made.latents -> the picture of each made frame in order, (H, W, 5 or 3), about 0..1, not clipped. It is
        an iterator, so that the first frame may come before the last is decoded."""
        ...

    def seen(self, handed_on: ndarray) -> ndarray:
        """Made.handed_on -> (m, H, W, 5 or 3) the pictures of its frames, to compare two of them."""
        ...

    def needs(self, size: tuple[int, int], frames: int, settings: Settings) -> Needs:
        """What a job of so many frames of `size` (w, h) takes, reckoned without opening anything."""
        ...

    def describe(self) -> DeviceReport:
        """Of what is open."""
        ...


def padded_count(frames: int, step: int) -> int:
    """The smallest k * step + 1 that is at least `frames`."""
    return -(-(frames - 1) // step) * step + 1
