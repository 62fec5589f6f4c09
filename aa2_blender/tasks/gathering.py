"""How a version of a shot is made, in slices: gathered from the scene, copied from another version, or there
already."""
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import stalls
from ..cost import learn_balls
from ..embedded.engine.contract import files
from ..embedded.engine.contract.jobs import Job
from ..gather import scene_light
from ..gather.doubts import doubts
from ..gather.job import empty, gather
from ..gather.light import STAGE as LIGHT
from ..gather.problem import GatherError
from ..gather.request import Request
from ..place.strip import PREVIEW_FRAME
from ..versions import folders
from .task import Progress, Slices, Task

Reserved = Callable[[], tuple[Path, ...]]  # the folders that a queue waits for; called when gathering begins


class Version:
    """A version that exists already. After `made`, `folder` is the version's own; `scene` and `strip` name its plate,
    and `plate` is the plate's mark ("" for a plate without one); `shot` is the folder of all versions of its shot;
    `doubts` are sentences about what was gathered."""

    doubts: tuple[str, ...] = ()

    def __init__(self, folder: Path, *, scene: str, strip: str, plate: str = "") -> None:
        self.folder, self.scene, self.strip, self.plate = folder, scene, strip, plate
        self.shot = folder.parent

    def made(self) -> Slices:
        """Make what does not exist yet."""
        yield from ()


class Gathered(Version):
    """The next version of the shot in the folder `shot`, gathered as `request` asks.

    If an earlier version was gathered from the very same inputs, that one is used with its finished frames, and the new
    one is removed. If an earlier version differs only in what is composed, its latents are used.
    """

    def __init__(self, request: Request, shot: Path, reserved: Reserved = tuple) -> None:
        super().__init__(shot, scene=request.scene, strip=request.strip, plate=request.plate)
        self.shot, self._request, self._reserved = shot, request, reserved

    def made(self) -> Slices:
        self.folder = folders.vacant(self.shot, self._reserved())
        self.doubts = tuple(doubts(self._request))
        with _whole_or_gone(self.folder):
            yield from in_slices(gather(self._request, self.folder))
            twin = yield from folders.twin(self.folder)
            kin = None if twin else (yield from folders.kin(self.folder))
            if kin:
                folders.take_latents(self.folder, kin)
        if twin:
            folders.discard(self.folder)
            self.folder = twin
        folders.write_request(self.folder, self._request)


class GatheredInto(Version):
    """Exactly the folder `folder`, gathered as `request` asks, for a farm whose other tasks name it too.

    If the folder was gathered from the very same inputs, all stays that was made there. If it was gathered from others,
    it is gathered anew, unless something was generated in it. A folder with files of which none says that it was
    gathered is not touched. made() raises GatherError where it refuses.
    """

    def __init__(self, request: Request, folder: Path) -> None:
        super().__init__(folder, scene=request.scene, strip=request.strip, plate=request.plate)
        self._request = request

    def made(self) -> Slices:
        _refuse_others(self.folder)
        self.doubts = tuple(doubts(self._request))
        is_new = not self.folder.exists()
        beside = self.folder / files.own_name("gathering")
        try:
            yield from in_slices(gather(self._request, beside))
            is_there = (self.folder / files.JOB).is_file() and (
                yield from folders.have_the_same_inputs(self.folder, beside))
            if not is_there and folders.has_results(self.folder):
                raise GatherError(f"Frames were generated in {self.folder} from other inputs than the shot has now.",
                                  "Choose another folder for the job.")
            folders.write_request(self.folder, self._request)   # first: it says whose folder this is
            if not is_there:
                yield from self._replace(beside)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            if is_new:
                with suppress(OSError):     # it holds something
                    self.folder.rmdir()

    def _replace(self, beside: Path) -> Slices:
        empty(str(self.folder))
        if not self._request.is_lit:
            scene_light.remove(str(self.folder))
        yield from folders.move_inputs(beside, self.folder)


class Copied(Version):
    """A new version made from the version `source`: it has the job that `change` makes of the source's job, and the
    source's finished frames `kept_frames` (1..N). Nothing is gathered."""

    def __init__(self, source: Path, change: Callable[[Job], Job], *, scene: str, strip: str, plate: str = "",
                 reserved: Reserved = tuple, kept_frames=()) -> None:
        super().__init__(source.parent, scene=scene, strip=strip, plate=plate)
        self.shot = source.parent
        self._source, self._change, self._reserved, self._kept_frames = source, change, reserved, kept_frames

    def made(self) -> Slices:
        self.folder = folders.vacant(self.shot, (*self._reserved(), self._source))
        with _whole_or_gone(self.folder):
            for step in folders.copied(self._source, self.folder):
                yield Progress(*step)
            yield from folders.copied_frames(self._source, self.folder, self._kept_frames)
            folders.write_changed(self._source, self.folder, self._change)


class TriedFrame(Version):
    """One frame, gathered as `request` asks into its own folder beside the versions. The folder is written again each
    time."""

    def __init__(self, request: Request, shot: Path) -> None:
        super().__init__(shot / PREVIEW_FRAME, scene=request.scene, strip=request.strip, plate=request.plate)
        self._request = request

    def made(self) -> Slices:
        self.doubts = tuple(doubts(self._request))
        yield from in_slices(gather(self._request, self.folder))
        folders.write_request(self.folder, self._request)


class Gathering(Task):
    """Makes a version, which is generated later."""

    def __init__(self, version: Version) -> None:
        super().__init__(version.folder)
        self.version = version

    @property
    def folder(self) -> Path:
        return self.version.folder

    def _work(self) -> Slices:
        yield from self.version.made()

    def achieved(self) -> str:
        return "Gathered"


def in_slices(steps: Iterator[tuple]) -> Iterator[Progress]:
    """The Progress of gathering or rendering after each slice, from its first fields. Of our code, only these may keep
    the window waiting. How long the balls of the light took is remembered."""
    seconds, balls = 0.0, 0
    while True:
        began = time.monotonic()
        with stalls.slice("gather"):
            step = next(steps, None)
        if step is None:
            break
        if step[0] == LIGHT:
            seconds, balls = seconds + time.monotonic() - began, balls + 1
        yield Progress(*step)
    if balls:
        learn_balls(seconds, balls)


def _refuse_others(folder: Path) -> None:
    """Raise GatherError if a folder has files, and none that says that the add-on gathered it."""
    files.refuse_links(folder)
    if not folder.exists() or (folder / files.REQUEST).is_file():
        return
    others = sorted(path.name for path in folder.iterdir() if path.name != files.FARM and path.name[0] != ".")
    if others:
        raise GatherError(f"{folder} holds {others[0]!r}, and no {files.REQUEST}: it is no job of this add-on.",
                          "Choose a new or an empty folder for the job.")


@contextmanager
def _whole_or_gone(folder: Path) -> Iterator[None]:
    """If a version was not gathered completely, remove it, unless an engine has written to it."""
    try:
        yield
    except BaseException:
        if not (folder / files.JOB).exists() and not files.has(folder, files.FRAMES):
            folders.discard(folder)
        raise
