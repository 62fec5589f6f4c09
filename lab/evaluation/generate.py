"""A clip and weights -> the frames that the product makes of it,
in a job folder of their own that a second run reuses."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.conditions.bundle import frame_holdout, frame_region, plate_maps
from engine.conditions.frames import as_bits, as_float, read_picture, read_reference, write_picture
from engine.conditions.poses import read_poses
from engine.contract import files, jobs, messages
from engine.contract.skeleton import BODY_INDEX
from engine.door.answer import Host
from engine.engines.compact.denoise.clip import five_channels as with_nobody
from engine.engines.compact.engine import CompactEngine
from engine.estimate.performer import estimate
from engine.job.lock import locked
from engine.job.progress import Watch
from engine.job.run import Generation, shown_of
from engine.layers.compose import canvas_of, compose, five_channels
from engine.layers.surface import lit_surface

from .clips import Clip

# Kept beside the product's own frames: the layer before hold-outs, the part of a patch that is the character, M_f.
UNHELD, VISIBLE, REGION = "unheld", "visible", "region"
PAINTED = "painted"         # a folder with a file for each frame: how many of the character's pixels a network painted
LIMB_WARP = "limb_warp"     # a folder with a file for each frame in which the limb warp stood in for the surface
REFERENCE, PERFORMER = "reference", "performer"     # what the product finds itself; the second is both
BALL, RENDERED = "ball", "rendered"         # what the product knows of the scene's light
_KNOWN = {None: (), BALL: (files.LIGHT,), RENDERED: (files.IRRADIANCE, files.CAST)}


@dataclass(frozen=True)
class Made:
    """One frame, 0..1 in the job's pixels: character (h, w, 4) and shadow (h, w, 3) as the product wrote them; unheld
    (h, w, 4), the character's layer without hold-outs; visible (h, w), the alpha of the visible character itself, as it
    is or would be on a clean plate, None if the weights learned no matte; limb_warp: whether the limb warp replaced the
    surface; region (h, w) bool, the M_f that the frame was made in, None if there was nobody or no network;
    painted: how many of the character's pixels show the network's own picture and not the surface, and how many it has;
    None without a surface."""

    character: np.ndarray
    shadow: np.ndarray
    unheld: np.ndarray
    visible: np.ndarray | None
    limb_warp: bool = False
    region: np.ndarray | None = None
    painted: tuple[float, float] | None = None


def generate(clip: Clip, host: Host[CompactEngine], folder: Path, *, alone: bool = False, surface: bool = True,
             found: str | None = None, known: str | None = None) -> list[Made]:
    """The clip's frames, made by the product's own generation; finished ones are reused.

    alone: the paper's pasted baseline (table 3): the character is made for the clean plate but with an empty
    environment. surface False: the product as it was before the body surface, with the limb warp in its place. found:
    with REFERENCE, the reference is given only as a picture; with PERFORMER, the frames are, too. known: with
    BALL or RENDERED, the job has the light that the clip's folder has.
    """
    job = prepare_job(clip, host, folder, alone, found)
    for name in _KNOWN[known]:
        (_link_all if (clip.folder / name).is_dir() else _link)(clip.folder / name, folder / name)
    engine = CompactEngine(host.engine.pack, EmptyEnvironment(host.engine.runtime)) if alone else host.engine
    watch = Watch(str(folder), _unheard, lambda: False)
    with locked(str(folder), watch.check):
        generation = Recorded(str(folder), job, engine, watch, surface)
        generation.prepare(host.find_joints)
        generation.pass_through()
        for windows in generation.spans:
            generation.make_span(windows)
    has_matte = engine.pack.manifest.matte_and_shadow
    return [_read(folder, job, number, has_matte) for number in range(1, job.frames + 1)]


def prepare_job(clip: Clip, host: Host[CompactEngine], folder: Path, alone: bool = False,
                found: str | None = None) -> jobs.Job:
    """A job folder with what an artist would give, linked."""
    job = replace(as_given(clip, host), clean_plate=clip.job.clean_plate or alone)
    if found is not None:
        job = replace(job, reference=jobs.Reference(job.reference.file))
    for kind in (files.OBJECTS, files.DEPTH) if found == PERFORMER else (files.MASK, files.OBJECTS, files.DEPTH):
        _link_all(clip.folder / kind, folder / kind)
    _link_all(clip.folder / ("clean" if alone else files.SOURCE), folder / files.SOURCE)
    for name in (job.reference.file,) if found == PERFORMER else (files.POSE, job.reference.file):
        _link(clip.folder / name, folder / name)
    jobs.write(folder, job)
    if found == PERFORMER:
        estimate(messages.Estimate(str(folder)), emit=_unheard, threads=1)
        job = _placed_about(job, _farther(folder, clip))
        jobs.write(folder, job)
    return job


def _placed_about(job: jobs.Job, farther: float) -> jobs.Job:
    """The job with the objects where an artist would place their stand-ins: around the estimated performer, at the
    distance that the assumed lens gives (ours)."""
    def moved(span):
        return span and jobs.DepthRange(span.near * farther, span.far * farther)
    return replace(job, objects=moved(job.objects), depth=moved(job.depth))


def _farther(folder: Path, clip: Clip) -> float:
    """The performer's estimated distance divided by the true one; 1 if nobody was found."""
    hips = [BODY_INDEX["left_hip"], BODY_INDEX["right_hip"]]
    both = zip(read_poses(folder, clip.job.frames), read_poses(clip.folder, clip.job.frames), strict=True)
    found = [mine[0].body[hips, 2].mean() / true[0].body[hips, 2].mean() for mine, true in both if mine and true]
    return float(np.median(found)) if found else 1.0


def as_given(clip: Clip, host: Host[CompactEngine]) -> jobs.Job:
    """What an artist would give: the reference's opaque picture and its joints in two dimensions, with the height that
    Find Joints stores with them. Grain and blur, which match the plate's film and lens, stay off: networks and surface
    are measured."""
    reference = clip.job.reference
    if reference.joints is not None:
        person = host.find_joints(as_bits(read_reference(files.path(clip.folder, reference.file))))
        height = None if person is None else round(float(person.height_px), 1)
        reference = replace(reference, height_px=height, depths=None)
    return replace(clip.job, settings=replace(clip.job.settings, grain=False, blur=False), reference=reference)


def without_surface(reference):
    """The ReferenceBundle with the limb warp in the surface's place, as before the body surface."""
    character = reference.character
    return reference if character is None else replace(reference, character=replace(character, avatar=None))


def _link_all(source: Path, target: Path) -> None:
    for path in sorted(source.glob("*.png")) if source.is_dir() else ():
        _link(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy if the disk supports no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _read(folder: Path, job, number: int, has_matte: bool) -> Made:
    def stored(kind):
        return as_float(read_picture(files.picture(folder, kind, number)))
    character, shadow = stored(files.FRAMES), stored(files.SHADOW)
    if not os.path.exists(files.picture(folder, UNHELD, number)):  # nobody is in the frame
        return Made(character, shadow, character, character[..., 3] if has_matte else None)
    visible = character[..., 3] if job.clean_plate else stored(VISIBLE) if has_matte else None
    by_warp = (Path(folder) / LIMB_WARP / str(number)).exists()
    return Made(character, shadow, stored(UNHELD), visible if has_matte else None, by_warp, stored(REGION) > 0.5,
                _painted(Path(folder) / PAINTED / str(number)))


def _painted(note: Path) -> tuple[float, float] | None:
    if not note.exists():
        return None
    own, all_ = map(float, note.read_text(encoding="ascii").split())
    return own, all_


def _unheard(event) -> None:
    """What a run tells its artist."""


class Recorded(Generation):
    """The product's generation, which also writes UNHELD, VISIBLE,
    REGION and LIMB_WARP of every frame that it makes."""

    def __init__(self, folder, job, engine, watch, surface: bool):
        super().__init__(folder, job, engine, emit=_unheard, watch=watch)
        self._surface = surface

    def prepare(self, find_joints) -> None:
        super().prepare(find_joints)
        if not self._surface:
            self.reference = without_surface(self.reference)

    def _finish_frame(self, number, picture, bundle, place, *, heads, has_matte) -> None:
        super()._finish_frame(number, picture, bundle, place, heads=heads, has_matte=has_matte)
        job, picture = self.job, five_channels(picture, bundle.mask[place])
        has_matte = self.plan.facts.has_matte       # of the weights: a difference from the plate is not theirs
        canvas = canvas_of(job.size, job.bits, self.shot.plan.crops[number - 1])
        maps = plate_maps(self.shot, self.reference, number, canvas.box)
        shown = shown_of(maps, bundle, place, heads, self.white_of(number, maps, canvas.box))

        def composed(clean_plate, holdout):
            return compose(picture, plate=bundle.plate[place],
                           region=bundle.region[place], canvas=canvas,
                           clean_plate=clean_plate, shadow=job.settings.shadow, shown=shown, holdout=holdout).character
        write_picture(files.picture(self.folder, UNHELD, number), composed(job.clean_plate and has_matte, None))
        if has_matte and not job.clean_plate:
            holdout = frame_holdout(self.shot, number, maps, canvas.box)
            write_picture(files.picture(self.folder, VISIBLE, number), composed(True, holdout)[..., 3])
        region = frame_region(self.shot, number, bundle.region[place]) > 0.5
        write_picture(files.picture(self.folder, REGION, number), as_bits(region.astype(np.float32)))
        self._note_warp(number, maps is None)
        if shown is not None:
            _, alpha, known = lit_surface(shown, np.clip(picture, 0, 1), canvas.crop)
            self._note(PAINTED, number, f"{((1 - known) * alpha).sum()} {alpha.sum()}")

    def _note_warp(self, number, is_warp) -> None:
        (Path(self.folder) / LIMB_WARP / str(number)).unlink(missing_ok=True)
        if is_warp:
            self._note(LIMB_WARP, number, "")

    def _note(self, kind, number, text) -> None:
        note = Path(self.folder) / kind / str(number)
        note.parent.mkdir(exist_ok=True)
        note.write_text(text, encoding="ascii")


class EmptyEnvironment:
    """A runtime whose networks see nothing of the plate: all of the crop is to be painted, and nothing is known."""

    def __init__(self, runtime):
        self._runtime, self._empty = runtime, None

    def __getattr__(self, name):
        return getattr(self._runtime, name)

    def denoise(self, noisy, levels, environment, masks, **told):
        if self._empty is None or self._empty.shape[1:] != environment.shape[1:]:
            height, width = masks.shape[1:3]
            self._empty = self._runtime.encode(with_nobody(np.zeros((1, height, width, 3), np.float32)))
        nothing = np.stack([np.ones_like(masks[..., 0]), np.zeros_like(masks[..., 1])], axis=-1)
        return self._runtime.denoise(noisy, levels, np.repeat(self._empty, len(environment), axis=0), nothing, **told)
