"""A job folder and an engine -> frames/ and shadow/, window by window. Sends events while it works."""

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..conditions.bundle import (
    Bundle,
    build_reference,
    build_window,
    frame_front,
    frame_holdout,
    mask_feather,
    mask_grow,
    plate_maps,
)
from ..conditions.frames import as_float, encoded, read_colour, read_grey
from ..conditions.surface.drawing import Maps
from ..contract import files, jobs
from ..contract.errors import JobError, writing_failed
from ..contract.messages import Finished, Frame, Warned
from ..engines.base import Engine, Made, Window, padded_count
from ..layers.compose import Layers, blank, canvas_of, compose, five_channels
from ..layers.grain import Grain
from ..layers.heads import Heads
from ..layers.look import Look
from ..layers.patches import settled
from ..layers.surface import Shown
from .fix_range import KEY as KEPT
from .fix_range import kept_numbers, kept_pictures, look_for
from .keys import absent_key, composed_kinds, frame_keys, picture_kinds, window_keys
from .lock import locked
from .memory import peak_mb
from .parts import chosen, parts_of
from .plan import facts_of, plan_job
from .plates import Plates
from .progress import Watch
from .resume import FinishedFrames, load_latents, remove_other_latents, save_latents
from .subject import FindJoints, find_subject, warn_of_unseen

log = logging.getLogger(__name__)
_BLURS_MEASURED = 8  # frames in a shot
G = TypeVar("G", bound="Generation")


def run(folder: str, engine: Engine, *, emit: Callable[[object], None], find_joints: FindJoints,
        stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Generate a job's frames; frames that an earlier run finished stay.

    emit(event) of contract.messages; find_joints((h, w, 4) uint8) -> estimate.people.Person or None, called unless the
    artist gave joints and a reference that is cut out; stop_asked() is called between any two pieces of work. Raises
    JobError, or progress.Stopped.
    """
    with begun(Generation, folder, engine, emit=emit, stop_asked=stop_asked) as generation:
        generation.prepare(find_joints)
        generation.keep()
        generation.pass_through()
        for windows in generation.spans:
            generation.make_span(windows)
        return generation.finished()


class Generation:
    """One run of one job, or of a part of it. Its state: what is decided for the shot, with every window's key, and
    counts. `out`: the folder for frames, shadows and latents."""

    def __init__(self, folder: str, job: jobs.Job, engine: Engine, *, emit: Callable[[object], None], watch: Watch,
                 part: int | None = None):
        self.folder, self.job, self.engine = folder, job, engine
        self._is_open = False
        self.emit, self.watch = emit, watch
        self.out = folder if part is None else files.part_folder(folder, part)
        self._number = part
        self._nobody = absent_key(job)
        self.made = self.reused = self.passed = 0

    def prepare(self, find_joints: FindJoints) -> None:
        """Decide everything for the shot, and find every error that can be known before the first frame."""
        with self.watch.stage("prepare"):
            self.watch.begin("prepare", 1)
            make_folders(self.out)
            self.finished_frames = FinishedFrames(self.out)
            _look_for_pictures(self.folder, self.job)
            look_for(self.folder, kept_numbers(self.job))
        with self.watch.stage("reference"):
            look = functools.partial(find_subject, self.folder, self.job, find_joints=find_joints, emit=self.emit)
            self.plan = plan_job(self.folder, self.job, look, facts_of(self.engine, self.engine.pack, self.job))
            self._plan_part()
            self.shot, self.spans = self.plan.shot, self.plan.spans
            self.sampling = self.plan.sampling
            self.reference = build_reference(self.shot, *self.plan.subject)
            if self.spans:
                warn_of_unseen(self.reference.character, self.folder, self.emit)
        with self.watch.stage("hash"):
            self.hash_inputs()
        self.grain = Grain(self.job.settings.seed) if self.job.settings.grain else None
        with self.watch.stage("measure"):
            self.plates, self.blurs = self._measured_plates()
        self.watch.begin("denoise", sum(map(len, self.spans)) * self.sampling.steps)

    def hash_inputs(self) -> None:
        """Find the key of each window and of its frames."""
        self.keys = window_keys(self.plan, self.engine.pack.hash, self.watch.check)
        self.frame_keys = frame_keys(self.plan, self.keys, self.watch.check)

    def _plan_part(self) -> None:
        """Plan only the part that is asked for, if one is. `leading`: the windows that are denoised and not shown."""
        self.parts, self.leading = parts_of(self.plan.spans, self.job.parts), frozenset[Window]()
        if self._number is not None:
            self.part = chosen(self.parts, self._number, self.folder)
            self.plan, self.leading = replace(self.plan, spans=self.part.spans), frozenset(self.part.leading)

    def keep(self) -> None:
        """Record and report the frames that a range to fix does not touch: they exist and stay."""
        self.finished_frames.add(self.plan.kept, KEPT)
        self.reused += len(self.plan.kept)
        for number in self.plan.kept:
            self.emit(Frame(self.folder, number))

    def pass_through(self) -> None:
        """Write the frames with nobody in them: transparent, no shadow. One warning names them."""
        numbers = self._empty_frames()
        if not numbers:
            return
        self._remove_other_takes()
        self.emit(Warned(self.folder, "frames_passed", f"Nobody is in {len(numbers)} of {self.job.frames} frames; "
                         "these frames show the plate unchanged.", tuple(numbers)))
        for number in numbers:
            with self.watch.stage("write"):
                if not self.finished_frames.has([number], self._nobody):
                    self.finished_frames.forget([number])
                    self._write(number, blank(self.job.size, self.job.bits))
                self.passed += 1
                self.emit(Frame(self.folder, number))
        self.finished_frames.add(numbers, self._nobody)

    def make_span(self, windows: Sequence[Window]) -> None:
        """Make one run of frames with somebody in them, window after window."""
        before = None
        for window in windows:
            key, is_last = self.keys[window], window is windows[-1]
            latents = load_latents(self.out, window, key)
            is_finished = window in self.leading or self.finished_frames.has(window.made, self.frame_keys[window])
            if is_finished and (is_last or latents is not None):
                self._reuse(window)
            elif latents is not None:
                self._compose_again(window, latents)
            else:
                latents = self._make_window(window, key, before)
            before = None if latents is None else latents.handed_on

    def finished(self) -> Finished:
        with self.watch.stage("write"):
            remove_other_latents(self.out, [window for windows in self.spans for window in windows])
        stages = {name: round(seconds, 3) for name, seconds in self.watch.stages.items()}
        report = self.engine.describe() if self._is_open else None
        return Finished(self.folder, self.job.frames, self.made, self.reused, self.passed,
                        round(self.watch.seconds, 3), stages, peak_mb(), report.device if report else "",
                        report.peak_mb if report else None)

    def _empty_frames(self) -> list[int]:
        kept = set(self.plan.kept)
        return [number for number in self.plan.absent if number not in kept]

    def _measured_plates(self) -> tuple:
        """The plates, and (numbers, sigmas) of the blur in some frames of the shot. Between these frames, the blur is
        assumed to change evenly (ours)."""
        there = self.plan.made if self._number is None else self.plan.present
        numbers = there[::max(len(there) // _BLURS_MEASURED, 1)] if self.job.settings.blur else []
        plates = Plates(self.shot, most=self.plan.window, blurs=numbers, kept=self.plan.kept,
                        has_grain=self.job.settings.grain)
        return plates, (numbers or [1], [plates.of(number).blur for number in numbers] or [0.0])

    def _remove_other_takes(self) -> None:
        """Call this before this run writes its first frame: then no frame of another seed or plate remains among this
        run's frames, however it ends. It is not called earlier, so that a run that is stopped in its first window
        leaves the earlier take whole (ours)."""
        wanted = dict.fromkeys(self._empty_frames(), self._nobody)
        wanted.update(dict.fromkeys(self.plan.kept, KEPT))
        wanted.update((number, key) for window, key in self.frame_keys.items() if window not in self.leading
                      for number in window.made)
        with self.watch.stage("write"):
            self.finished_frames.keep_only(wanted)

    def _reuse(self, window: Window) -> None:
        """Count and report a window that is finished."""
        self._remove_other_takes()
        if window not in self.leading:
            self.reused += len(window.made)
            self._tell(window.made)
        self.watch.advance("denoise", self.sampling.steps, reused=True)

    def _compose_again(self, window: Window, kept: Made) -> None:
        """Compose a window whose frames are lost, or were composed with other settings. Its latents exist."""
        self.open_engine()
        self.watch.work_begins()
        with self.watch.stage("read"):
            bundle = build_window(self.shot, self.reference, window.frames, self.plates.in_crop)
        self._compose_window(window, kept, bundle)
        self.watch.advance("denoise", self.sampling.steps)

    def open_engine(self) -> None:
        """Call this before the engine works on pictures. Weights may be many: a job with all frames finished needs
        none."""
        if not self._is_open:
            with self.watch.stage("load"):
                self.engine.open(self.job.settings, self.watch)
            self._is_open = True

    def _make_window(self, window: Window, key: str, before: np.ndarray | None) -> Made:
        """Read, make, compose and write a window; returns what the engine made, which the next window needs."""
        watch = self.watch
        self.open_engine()
        watch.work_begins()
        with watch.stage("read"):
            bundle = build_window(self.shot, self.reference, window.frames, self.plates.in_crop)
        if before is None:
            before = self._held(window.before)
        made = self.engine.make(window, bundle.padded(padded_count(len(window.frames), self.plan.facts.frame_step)),
                                self.reference, before=before, after=self._held(window.after), sampling=self.sampling,
                                watch=watch)
        with watch.stage("write"):
            save_latents(self.out, window, key, made)
        if window not in self.leading:
            self._compose_window(window, made, bundle)
        return made

    def _compose_window(self, window: Window, made: Made, bundle: Bundle) -> None:
        self._remove_other_takes()
        self.finished_frames.forget(window.made)
        pictures, has_matte = self.painted(window, made, bundle)
        for i, number in enumerate(window.made):
            with self.watch.stage("decode"):
                picture = next(pictures)
            self._finish_frame(number, picture, bundle, len(window.before) + i,
                               heads=None if made.heads is None else made.heads[i], has_matte=has_matte)
        self.finished_frames.add(window.made, self.frame_keys[window])
        self.made += len(window.made)

    def painted(self, window: Window, made: Made, bundle: Bundle) -> tuple[Iterator[np.ndarray], bool]:
        """The picture of each made frame, and whether its fourth channel is the matte. Patches are brought to the
        plate's colours, which needs all of a window."""
        pictures, is_known = of_numbers(self.engine.show(made.latents), window), self._is_background_known
        if self.plan.facts.has_matte:
            return pictures, is_known
        with self.watch.stage("decode"):
            patches = np.stack(list(pictures))
        with self.watch.stage("compose"):
            here = slice(len(window.before), len(window.before) + len(window.made))
            patches, has_matte = settled(patches, plates=bundle.plate[here], regions=bundle.region[here],
                                         masks=bundle.mask[here], is_known=is_known)
        return iter(patches), has_matte

    @property
    def _is_background_known(self) -> bool:
        """Whether it is known what the character covers."""
        return self.job.clean_plate or self.job.clean_pictures

    def _held(self, numbers: Sequence[int]) -> np.ndarray | None:
        """What the engine is given of frames that are kept; None if there are no numbers."""
        if not numbers:
            return None
        with self.watch.stage("encode"):
            plates = {number: self.plates.of(number).whole for number in numbers}
            return self.engine.held(kept_pictures(self.shot, self.reference, plates,
                                                  self.job.clean_plate and self.plan.facts.has_matte))

    def _finish_frame(self, number: int, picture: np.ndarray, bundle: Bundle, place: int, *,
                      heads: np.ndarray | None, has_matte: bool) -> None:
        """picture (H, W, 5 or 3), as `painted` gives it; `place` is the frame's index in the bundle; heads: what the
        net says of its surface, or None. Frames are finished one by one, so that the first comes soon."""
        job, facts = self.job, self.plan.facts
        with self.watch.stage("compose"):
            canvas = canvas_of(job.size, job.bits, self.shot.plan.crops[number - 1])
            maps = plate_maps(self.shot, self.reference, number, canvas.box)
            shown = shown_of(maps if facts.lays_surface else None, bundle, place, heads,
                             self.white_of(number, maps, canvas.box))
            layers = compose(five_channels(picture, bundle.mask[place]), plate=bundle.plate[place],
                             region=bundle.region[place], clean_plate=has_matte and job.clean_plate,
                             shadow=job.settings.shadow, canvas=canvas, shown=shown,
                             holdout=frame_holdout(self.shot, number, maps, canvas.box),
                             front=frame_front(self.shot, number),
                             grain=self._grain_of(number, canvas.box), feather=mask_feather(job, number),
                             grow=mask_grow(job, number), fade=facts.region.fade,
                             blur=float(np.interp(number, *self.blurs)),
                             behind=self._behind(number, canvas.box) if has_matte else None,
                             look=Look.of(job.settings), cast=self.cast_of(number) if job.settings.shadow else None)
        with self.watch.stage("write"):
            self._write(number, layers)
        self._tell([number])

    def _tell(self, numbers: Iterable[int]) -> None:
        """Say that frames are in the job's frames/; those of a part come there when all parts are there."""
        for number in numbers if self._number is None else ():
            self.emit(Frame(self.folder, number))

    def white_of(self, number: int, maps: Maps | None, box: tuple[int, int, int, int]) -> np.ndarray | None:
        """The colour of white in a box of job pixels; None if the light is not known, or no surface is lit."""
        return None if maps is None else self.shot.light.in_box(number, maps, box)

    def cast_of(self, number: int) -> np.ndarray | None:
        """The factor by which the character darkens the plate (h, w) 0..1; None if the job does not know it."""
        if not files.has(self.folder, files.CAST):
            return None
        return as_float(read_grey(files.picture(self.folder, files.CAST, number), self.job.size))

    def _grain_of(self, number: int, box: tuple[int, int, int, int]) -> np.ndarray | None:
        """Grain (h, w, 3) for a box of job pixels, as strong as the plate's there; None if there is none."""
        left, top, right, bottom = box
        if self.grain is None or right <= left or bottom <= top:
            return None
        sigma = self.plates.of(number).grain
        return sigma * self.grain.of(number, (right - left, bottom - top)) if sigma.any() else None

    def _behind(self, number: int, box: tuple[int, int, int, int]) -> np.ndarray | None:
        """What the performer covers (h, w, 3) in a box of job pixels; None if it is not known."""
        if not self.job.clean_pictures or self.job.clean_plate:
            return None
        left, top, right, bottom = box
        stored = read_colour(files.picture(self.folder, files.CLEAN, number), self.job.size)
        return as_float(stored[top:bottom, left:right])

    def _write(self, number: int, layers: Layers) -> None:
        self.finished_frames.write(number,
                                   {files.FRAMES: encoded(layers.character), files.SHADOW: encoded(layers.shadow)})


@contextlib.contextmanager
def begun(kind: type[G], folder: str, engine: Engine, *, emit: Callable[[object], None],
          stop_asked: Callable[[], bool], part: int | None = None) -> Iterator[G]:
    """A Generation of this kind that is not prepared yet. Inside the block, it has the lock of the folder that it
    writes to: the job's own, or that of a part. Raises JobError."""
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
    generation = kind(folder, job, engine, emit=emit, watch=watch, part=part)
    if part is not None:
        _make_part_folder(folder, generation.out)
    with locked(generation.out, watch.check) as lock:
        watch.also(lock.look)
        yield generation


def of_numbers(pictures: Iterable[np.ndarray], window: Window) -> Iterator[np.ndarray]:
    """The pictures of the window's made frames. Raises JobError at one that is not made of numbers."""
    for number, picture in zip(window.made, pictures, strict=True):
        if not np.isfinite(picture).all():
            raise JobError("internal", f"The engine's result for frame {number} is not made of numbers.",
                           "Choose another seed or number of steps; if it happens again, send the job's folder.")
        yield picture


def _make_part_folder(folder: str, own: str) -> None:
    files.refuse_links(folder)
    try:
        os.makedirs(own, exist_ok=True)
    except OSError as error:
        raise writing_failed(error, own) from None


def shown_of(maps: Maps | None, bundle: Bundle, place: int, heads: np.ndarray | None,
             white: np.ndarray | None) -> Shown | None:
    """What is composed of a frame's surface; heads as the net gives them, or None; white as Shown has it."""
    if maps is None:
        return None
    parts = None if heads is None else Heads.of(heads)
    return Shown(maps, bundle.warp[place], bundle.mask[place, ..., 0], parts, white)


def _look_for_pictures(folder: str, job: jobs.Job) -> None:
    """Check that every picture's file exists before the first frame is made, not when the last one is reached."""
    composed = ((kind, "mask_missing", True) for kind in composed_kinds(folder))
    for kind, code, is_read in (*picture_kinds(folder, job), *composed):
        missing = files.missing(folder, kind, job.frames) if is_read else []
        if missing:
            raise JobError(code, f"{files.picture(folder, kind, missing[0])} does not exist. {len(missing)} "
                                 f"of the {job.frames} pictures in {kind}/ are missing.",
                           "Press Generate to write the job again.")


def make_folders(folder: str) -> None:
    """Make the folders that the engine writes to. It finds out before the first window whether it may write there."""
    for kind in (files.FRAMES, files.SHADOW, files.STATE):
        path = files.path(folder, kind)
        try:
            os.makedirs(path, exist_ok=True)
            probe = os.path.join(path, files.own_name("probe"))
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            os.remove(probe)
        except OSError as error:
            raise writing_failed(error, path) from None
