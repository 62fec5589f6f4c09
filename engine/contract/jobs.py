"""job.json <-> Job: everything that a generation depends on. Each field is checked when it is read and when it is
written."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

from . import files, json_reader, version
from .errors import JobError
from .fields import (
    CheckOf,
    FieldError,
    build,
    checked,
    choice,
    file_name,
    flag,
    list_of,
    nested,
    number,
    or_none,
    plain,
    record,
    shown,
    tuple_of,
    whole,
    whole_text,
)
from .skeleton import BODY

Shape = str         # SHAPE_AUTO, or width x height as in "192x352"
EngineName = str    # one of engines/choose.py; a job may name one that this version does not know
MaskUse = Literal["choose", "join", "override"]
Bits = Literal[8, 16]
Joint = tuple[float, float, float]  # x, y, confidence
Box = tuple[float, float, float, float]  # left, top, right, bottom
SHAPE_AUTO = "auto"
COMPACT = "compact"     # the embedded engine
BITS: tuple[Bits, ...] = get_args(Bits)
MASK_USES: tuple[MaskUse, ...] = get_args(MaskUse)
# Fields that people read but no pixel depends on.
INFORMATIONAL = ("name", "first_frame", "fps", "driver")
# How a shot is split. A window's key does not count it, because it counts the windows that came before.
SPLIT = ("parts",)
# Fields of the job, and of its settings, that only the composition depends on. If they change, the networks' latents
# stay.
COMPOSED = ("mask_feather",)
COMPOSED_SETTINGS = ("grain", "blur", "shadow", "exposure", "warmth", "light")
# Fields whose errors have a code of their own; all others are job_invalid.
_CODES = {"size": "size_invalid", "frames": "frames_invalid", "first_frame": "frames_invalid", "fps": "frames_invalid",
          "settings": "settings_invalid", "reference": "reference_invalid"}
# The focal length over the picture's longer side that a performer's depths assume, because a picture does not show its
# lens: a 50 mm lens (ours).
SUPPOSED_LENS = 50 / 36
IS_MASK_USE: CheckOf[MaskUse] = choice(*MASK_USES)
_IS_MASK_USE_OR_NONE: CheckOf[MaskUse | None] = or_none(IS_MASK_USE)
_IS_BITS: CheckOf[Bits] = choice(*BITS)
_SIDE = whole(16, 16384)
_COORDINATE = number(-1e6, 1e6)
_JOINT = tuple_of(_COORDINATE, _COORDINATE, number(0, 1))
_ENGINE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_SIDE = 4096        # of a crop
_LONGEST_OWN = 100_000   # characters of JSON that an engine's own settings may have: a long prompt, a few times over


def engine_name(value: Any) -> EngineName:
    if not isinstance(value, str) or not _ENGINE_NAME.fullmatch(value):
        raise ValueError("an engine's name of lower case letters, digits and hyphens")
    return value


def sides(shape: Shape) -> tuple[int, int]:
    """(width, height) of a shape that is not SHAPE_AUTO. Raises ValueError."""
    width, _, height = shape.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width[:5]) <= _MOST_SIDE
            and 0 < int(height[:5]) <= _MOST_SIDE):
        raise ValueError(f"'{SHAPE_AUTO}', or width x height of at most {_MOST_SIDE}")
    return int(width), int(height)


def _shape(value: Any) -> Shape:
    if not isinstance(value, str):
        raise ValueError(f"'{SHAPE_AUTO}', or width x height")
    if value != SHAPE_AUTO:
        sides(value)
    return value


def _by_engine(value: Any) -> dict[EngineName, dict[str, Any]]:
    """The settings that only one engine knows, by its name. Their fields are checked by that engine's own reader."""
    if not isinstance(value, dict) or not all(isinstance(own, dict) for own in value.values()):
        raise ValueError("an object for each engine")
    if len(json.dumps(value)) > _LONGEST_OWN:
        raise ValueError(f"at most {_LONGEST_OWN} characters of settings")
    return {engine_name(name): own for name, own in value.items()}


@record
class DepthRange:
    """What the values of 16-bit pictures mean: 65535 is `near` metres along the camera's axis, 1 is `far`, 0 is
    nothing."""

    near: float = checked(_COORDINATE)
    far: float = checked(_COORDINATE)


@record
class Reference:
    """The character's picture. `joints`, (x, y, confidence) * 20 in its pixels, and `height_px` are set only if the
    artist gave them; otherwise the engine looks for them. `depths`: one for each joint, in metres in front of an
    assumed 50 mm lens, 0 if not known."""

    file: str = checked(file_name, default=files.REFERENCE)
    joints: tuple[Joint, ...] | None = checked(or_none(tuple_of(*[_JOINT] * len(BODY))), default=None)
    height_px: float | None = checked(or_none(number(1, 1e6)), default=None)
    depths: tuple[float, ...] | None = checked(or_none(tuple_of(*[number(0, 1e6)] * len(BODY))), default=None)


@record
class Performer:
    """The performer in source/ who drives. The add-on makes the request messages.Estimate from these fields, which are
    named as in the request. `mask_use` is null if the artist gave no mask (files.GIVEN_MASK)."""

    frame: int = checked(whole(1, 1_000_000), default=1)
    box: Box | None = checked(or_none(tuple_of(_COORDINATE, _COORDINATE, _COORDINATE, _COORDINATE)), default=None)
    mask_use: MaskUse | None = checked(_IS_MASK_USE_OR_NONE, default=None)
    clean: bool = checked(flag, default=False)


@record
class Driver:
    """Where the pose came from, for people to read: the names of the scene, camera and rig, the bone preset, and
    `frame_offset` = (frame of the shot's scene) - (frame of the edit's scene). Or the `performer` in the plate, who has
    to be estimated before a run."""

    scene: str = checked(whole_text, default="")
    camera: str = checked(whole_text, default="")
    rig: str = checked(whole_text, default="")
    preset: str = checked(whole_text, default="")
    frame_offset: int = checked(whole(-2**31, 2**31), default=0)
    performer: Performer | None = checked(nested(Performer, optional=True), default=None)


@record
class Settings:
    """How to generate; None means what the pack says. `shape` is the crop's (width x height), one of those that the
    engine's facts name. `engines`: what only one engine knows (a prompt, a variant of its weights), by its name; only
    what the job's own engine knows counts. `grain` and `blur`: as measured on the plate. `exposure` (stops), `warmth`
    (-1 cold .. 1 warm) and `light` (0 the reference's colours .. 1 in the light of the place) are applied to the
    character when its frames are composed."""

    engine: EngineName = checked(engine_name, default=COMPACT)
    steps: int | None = checked(or_none(whole(1, 1000)), default=None)
    guidance: float | None = checked(or_none(number(0, 30)), default=1.0)
    seed: int = checked(whole(0, 2**63 - 1), default=0)
    window: int | None = checked(or_none(whole(1, 1000)), default=None)
    grain: bool = checked(flag, default=True)
    blur: bool = checked(flag, default=True)
    shadow: bool = checked(flag, default=True)
    shape: Shape = checked(_shape, default=SHAPE_AUTO)
    exposure: float = checked(number(-5, 5), default=0.0)
    warmth: float = checked(number(-1, 1), default=0.0)
    light: float = checked(number(0, 1), default=1.0)
    engines: dict[EngineName, dict[str, Any]] | None = checked(or_none(_by_engine), default=None)

    @property
    def own(self) -> dict[str, Any]:
        """What only this job's engine knows."""
        return (self.engines or {}).get(self.engine, {})


@record
class FixRange:
    """Only the frames `first`..`last` (1..N) are generated. All others are finished in the folder already and are kept.
    The networks see the kept frames beside the range, so that the range joins them."""

    first: int = checked(whole(1, 1_000_000))
    last: int = checked(whole(1, 1_000_000))


@record
class Parts:
    """How a long shot is split for several machines (job/parts.py): a part makes `windows` windows, and begins `run_in`
    windows early."""

    windows: int = checked(whole(1, 10_000), default=8)
    run_in: int = checked(whole(0, 1000), default=16)


@record
class Job:
    """One shot: `frames` pictures of `size` (width, height), numbered 1..frames. Picture 1 is the scene's frame
    `first_frame` (may be negative). `clean_plate` is False if the plate shows a performer who is replaced. `clothing`
    inflates limb volumes to what the character wears (1 = dressed: a knee-long skirt and long hair lie inside; 0.5 =
    close-fitting). `mask_grow` and `mask_feather`: a number for each frame, or null for none. `mask_grow` is by how
    many pixels of the job the painted region grows (below 0: shrinks), and `mask_feather` is over how many pixels the
    layer fades inside its edge. `clean_pictures`: clean/ shows each frame without the performer who is replaced, so
    that what he covers is known (given, or made by messages.Estimate before the run). `mask_joins`: the limb volumes
    count as well as mask/. `retarget` 0..1: how far the skeleton's proportions move from the driver's to the
    reference's."""

    name: str = checked(whole_text)
    size: tuple[int, int] = checked(tuple_of(_SIDE, _SIDE))
    frames: int = checked(whole(1, 1_000_000))
    first_frame: int = checked(whole(-2**31, 2**31), default=1)
    fps: float = checked(number(0.001, 1000), default=24.0)
    bits: Bits = checked(_IS_BITS, default=8)
    clean_plate: bool = checked(flag, default=True)
    reference: Reference = checked(nested(Reference), default=Reference())
    objects: DepthRange | None = checked(nested(DepthRange, optional=True), default=None)
    depth: DepthRange | None = checked(nested(DepthRange, optional=True), default=None)
    clothing: float = checked(number(0.1, 10), default=1.0)
    mask_grow: tuple[float, ...] | None = checked(or_none(list_of(number(-10000, 10000))), default=None)
    mask_feather: tuple[float, ...] | None = checked(or_none(list_of(number(0, 10000))), default=None)
    retarget: float = checked(number(0, 1), default=0.0)
    clean_pictures: bool = checked(flag, default=False)
    mask_joins: bool = checked(flag, default=False)
    fix: FixRange | None = checked(nested(FixRange, optional=True), default=None)
    parts: Parts | None = checked(nested(Parts, optional=True), default=None)
    driver: Driver = checked(nested(Driver), default=Driver())
    settings: Settings = checked(nested(Settings), default=Settings())


def read(folder: files.Folder) -> Job:
    """The Job of a folder; raises JobError if job.json is missing, newer, or has a wrong field."""
    path = files.path(folder, files.JOB)
    try:
        value = json_reader.read(path)
    except (FileNotFoundError, NotADirectoryError):
        raise JobError("job_missing", f"{path} does not exist.", "Choose the folder that holds job.json.") from None
    except OSError as error:
        raise JobError("job_invalid", f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None
    except json_reader.Unreadable as error:
        raise JobError("job_invalid", f"{path}: {error}.", "Press Generate to write it again.") from None
    return _from_json(value)


def write(folder: files.Folder, job: Job) -> None:
    """Check `job` as `read` does, then write job.json (whole or not at all); makes the folder."""
    value = {"version": version.JOB, **plain(job)}
    if not value["settings"]["engines"]:        # a job without them is the same file as before engines had their own
        del value["settings"]["engines"]
    _from_json(value)
    files.write_whole(files.path(folder, files.JOB), json.dumps(value, indent=1, ensure_ascii=False).encode())


def key(job: Job, inputs: Iterable[str], pack_hash: str) -> str:
    """What the latents of a window were made from, as 32 hex digits.

    `inputs`: digests (hex) of every file that the window depends on, in order; `pack_hash` (hex) of the weights. All
    fields of the job count, except INFORMATIONAL and those that only the composition depends on. The engine's version
    counts too.
    """
    return _hashed([version.ENGINE, _denoised(job), list(inputs), pack_hash])


def have_the_same_latents(one: Job, other: Job) -> bool:
    """Whether the same inputs give the same latents in both jobs: they differ in the composition, or not at all."""
    return _denoised(one) == _denoised(other)


def frame_key(job: Job, window_key: str, composed: Iterable[str] = ()) -> str:
    """What the frames of a window were composed from, as 32 hex digits: the window's key, the rest of the job, and
    `composed`, digests (hex) of the files that only the composition reads."""
    values = plain(job)
    return _hashed([window_key, [values[name] for name in COMPOSED],
                    [values["settings"][name] for name in COMPOSED_SETTINGS], *composed])


def chained_key(window_key: str, earlier: Iterable[str]) -> str:
    """What a window's latents were made from, as 32 hex digits, if they continue from other parts' windows: its own key
    and the keys of those, in order."""
    return _hashed(["continued", window_key, *earlier])


def _denoised(job: Job) -> dict[str, Any]:
    """The fields of a job that latents depend on."""
    counted = {name: value for name, value in plain(job).items() if name not in (*INFORMATIONAL, *SPLIT, *COMPOSED)}
    counted["settings"] = {name: value for name, value in counted["settings"].items()
                           if name not in (*COMPOSED_SETTINGS, "engines")}
    if job.settings.own:
        counted["settings"]["own"] = job.settings.own
    return counted


def _hashed(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


def _from_json(value: dict[str, Any]) -> Job:
    value = dict(value)
    written = value.pop("version", None)
    if isinstance(written, bool) or not isinstance(written, int) or written < 1:
        raise JobError("job_invalid", f"job.json: version: expected a whole number from 1, got {shown(written)}.")
    if written > version.JOB:
        raise JobError("job_newer", f"job.json: version: expected at most {version.JOB}, got {shown(written)}.",
                       "Update the extension or the engine to the version that wrote it.")
    try:
        job = build(Job, value)
        _check_ranges(job)
    except FieldError as error:
        raise JobError(_CODES.get(error.path.split(".")[0], "job_invalid"), f"job.json: {error}.") from None
    return job


def _check_ranges(job: Job) -> None:
    for name in ("objects", "depth"):
        span = getattr(job, name)
        if span is not None and not span.near < span.far:
            raise FieldError(name, f"{name}: expected near < far, got near {span.near:g} and far {span.far:g}")
    for name in ("mask_grow", "mask_feather"):
        values = getattr(job, name)
        if values is not None and len(values) != job.frames:
            raise FieldError(name, f"{name}: expected a number for each of {job.frames} frames, got {len(values)}")
    if job.fix is not None and not job.fix.first <= job.fix.last <= job.frames:
        raise FieldError("fix", f"fix: expected first <= last <= {job.frames}, got {job.fix.first} and {job.fix.last}")
