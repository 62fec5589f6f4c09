"""The messages of the wire as dataclasses, and their conversion to and from JSON objects."""


from typing import Any, TypeVar

from . import files, jobs
from .errors import JobError
from .fields import (
    CheckOf,
    FieldError,
    build,
    checked,
    choice,
    flag,
    list_of,
    number,
    or_none,
    path_name,
    plain,
    record,
    text,
    tuple_of,
    whole,
)
from .skeleton import BODY

T = TypeVar("T")
# With these limits, the longest correct line is shorter than wire.LONGEST_LINE; the sender cuts what is longer (ours:
# an hour of frames; each of twenty log lines whole).
MOST_NAMED = 100_000
LONGEST_TEXT = 20_000
_IS_LAYER: CheckOf[files.Layer] = choice(*files.DELIVERED)
_COUNT = whole(0, 2**53)
_SECONDS = number(0, 1e12)
_PIXEL = number(-1e6, 1e6)
_BOX = tuple_of(_PIXEL, _PIXEL, _PIXEL, _PIXEL)
_JOINT = tuple_of(number(-1e6, 1e6), number(-1e6, 1e6), number(0, 1))


def _numbers(value: Any) -> tuple[int, ...]:
    """Frame numbers (1..N), the first MOST_NAMED."""
    if not isinstance(value, (list, tuple)):
        raise ValueError("a list of frame numbers")
    return tuple(_COUNT(v) for v in value[:MOST_NAMED])


def _told(value: Any) -> str:
    """A text for people that every panel and log can show: cut to LONGEST_TEXT, with halves of characters written
    out."""
    return text(value)[:LONGEST_TEXT].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _seconds_by_stage(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError("seconds by stage")
    return {_told(name): _SECONDS(v) for name, v in value.items()}


def _pack(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != {"name", "hash"}:
        raise ValueError("{name, hash}")
    return {name: _told(v) for name, v in value.items()}


# Requests: add-on -> engine

@record
class Run:
    """Generate the frames of the job in this folder, or only part `part` (1, 2 ...) of a long shot, in parts/."""
    job: str = checked(path_name)
    part: int | None = checked(or_none(whole(1, 1_000_000)), default=None)


@record
class Assemble:
    """Bring the frames of all parts of a long shot together. Ends with `finished`."""
    job: str = checked(path_name)


@record
class Preview:
    """Write the conditions of the job in this folder to its preview/; needs no weights."""
    job: str = checked(path_name)


@record
class Check:
    """Read the job in this folder and all its files. Ends with finished or failed; nothing is generated."""
    job: str = checked(path_name)


@record
class Deliver:
    """Write layers of a finished job to its output/ in one form; needs no weights."""
    job: str = checked(path_name)
    form: files.Form = checked(choice(*files.FORMS))
    layers: tuple[files.Layer, ...] = checked(list_of(_IS_LAYER))


@record
class FindJoints:
    """Look for the person in a picture; answered by `joints`."""
    picture: str = checked(path_name)


@record
class FindPeople:
    """Look for everybody in a picture, so that a performer can be chosen; answered by `people`. Needs no weights."""
    picture: str = checked(path_name)


@record
class FindSubject:
    """Look for the person in the reference of the job in this folder, and store the result in its estimate/. It is for
    an engine that can run the networks but cannot look. Needs no weights. Ends with `finished`."""
    job: str = checked(path_name)


@record
class Estimate:
    """Find the performer in the job's source/, or in `video` (a file or a folder, which becomes source/ and job.json),
    and write pose.json and mask/. Who the performer is: the person in `box` (left, top, right, bottom; pixels in frame
    `frame`), or the one in `mask` (a video or a folder of pictures as long as the shot, best files.GIVEN_MASK, because
    mask/ itself is written), else the largest. `mask_use`: whether the artist's mask only chooses the performer, joins
    the estimated mask or overrides it. `hands`: also find hands and faces. `clean`: also write clean/, the plate
    without the performer. `depth_model`: an ONNX file of the form of Depth Anything V2 or 3. Needs no weights. Ends
    with `finished`: made = frames with the performer, passed = those without."""
    job: str = checked(path_name)
    video: str | None = checked(or_none(path_name), default=None)
    frame: int = checked(whole(1, 1_000_000), default=1)
    box: jobs.Box | None = checked(or_none(_BOX), default=None)
    mask: str | None = checked(or_none(path_name), default=None)
    mask_use: jobs.MaskUse = checked(jobs.IS_MASK_USE, default="join")
    hands: bool = checked(flag, default=True)
    clean: bool = checked(flag, default=False)
    depth_model: str | None = checked(or_none(path_name), default=None)


@record
class Surface:
    """Write the surface that the job in this folder carries, posed for every frame, to its surface/, so that the
    driver's scene can light it. Needs no weights. Ends with `finished`."""
    job: str = checked(path_name)


@record
class Cancel:
    """Stop the running job after the denoising step it is in; answered by `cancelled`."""


@record
class Shutdown:
    """End the engine; a running job is cancelled first."""


# Events: engine -> add-on

@record
class Hello:
    """The first line: the engine is there. Small weights are open by now, and large ones will be by the first job:
    until then, `device` is "none". `kind`: the engine's name as in a job's settings. `silence_s`, `cancel_s`: how long
    to bear with it without a line, and after a request to stop; null: as long as usual."""
    protocol: int = checked(_COUNT)
    engine: str = checked(_told)
    runtime: str = checked(_told)
    device: str = checked(_told)
    pack: dict[str, str] = checked(_pack)
    kind: str = checked(_told, default=jobs.COMPACT)
    silence_s: float | None = checked(or_none(number(1, 86_400)), default=None)
    cancel_s: float | None = checked(or_none(number(1, 86_400)), default=None)


@record
class Progress:
    """`step` of `total` of a stage; `eta_s`: seconds to the end of the job, null while unknown."""
    job: str = checked(text)
    stage: str = checked(_told)
    step: int = checked(_COUNT)
    total: int = checked(_COUNT)
    eta_s: float | None = checked(or_none(_SECONDS), default=None)


@record
class Frame:
    """Frame `number` (1..N) is in frames/ and shadow/ and will not change."""
    job: str = checked(text)
    number: int = checked(whole(1, 1_000_000))


@record
class Warned:
    """A warning; it does not end the job. `code` is one of errors.WARNINGS; `frames` (1..N) are those it concerns, at
    most MOST_NAMED."""
    job: str = checked(text)
    code: str = checked(_told)
    message: str = checked(_told)
    frames: tuple[int, ...] = checked(_numbers, default=())


@record
class Joints:
    """The person found in `picture`: (x, y, confidence) * 20 in its pixels; `body` is null if nobody was found.
    `missing`: which of hips, legs and arms the picture does not show. `others`: how many more people were found, who
    are not as near."""
    picture: str = checked(text)
    body: tuple[jobs.Joint, ...] | None = checked(or_none(tuple_of(*[_JOINT] * len(BODY))), default=None)
    height_px: float | None = checked(or_none(number(0, 1e6)), default=None)
    missing: tuple[str, ...] = checked(list_of(_told), default=())
    others: int = checked(_COUNT, default=0)


@record
class People:
    """Everybody found in `picture`, the nearest first: a box (left, top, right, bottom) in its pixels around what is
    seen of each person."""
    picture: str = checked(text)
    boxes: tuple[jobs.Box, ...] = checked(list_of(_BOX), default=())


@record
class Failed:
    """The request failed; `code` is one of errors.CODES. `job` is the folder or picture of the request, null for
    none."""
    job: str | None = checked(or_none(text))
    code: str = checked(_told)
    message: str = checked(_told)
    hint: str = checked(_told, default="")


@record
class Cancelled:
    """The job stopped as requested; `frames` are finished and stay."""
    job: str = checked(text)
    frames: int = checked(_COUNT)


@record
class Finished:
    """The job is done. Of its `frames`, this run `made` some, `reused` some from an earlier run, and `passed` those
    with nobody in them. `peak_mb` is the most memory that the engine has needed, null if the system doesn't say.
    `device`: what ran the networks, "" if none did; `peak_device_mb`: the most of its memory that they have needed,
    null if it has none of its own."""
    job: str = checked(text)
    frames: int = checked(_COUNT)
    made: int = checked(_COUNT)
    reused: int = checked(_COUNT)
    passed: int = checked(_COUNT)
    seconds: float = checked(_SECONDS)
    stages: dict[str, float] = checked(_seconds_by_stage)
    peak_mb: float | None = checked(or_none(_SECONDS), default=None)
    device: str = checked(_told, default="")
    peak_device_mb: float | None = checked(or_none(_SECONDS), default=None)


@record
class Heartbeat:
    """Sent every second: the engine is alive; `busy` while a request runs."""
    busy: bool = checked(flag, default=False)


REQUESTS: dict[str, type] = {
    "run": Run, "assemble": Assemble, "preview": Preview, "check": Check, "deliver": Deliver, "joints": FindJoints,
    "people": FindPeople, "subject": FindSubject, "surface": Surface, "estimate": Estimate,
    "cancel": Cancel, "shutdown": Shutdown}
EVENTS: dict[str, type] = {
    "hello": Hello, "progress": Progress, "frame": Frame, "warning": Warned, "joints": Joints, "people": People,
    "failed": Failed, "cancelled": Cancelled, "finished": Finished, "heartbeat": Heartbeat}
_TYPES = {cls: name for table in (REQUESTS, EVENTS) for name, cls in table.items()}


def to_json(message: object) -> dict[str, Any]:
    """A message as a JSON object with its `type`. Raises JobError(protocol_garbage) if the other end would refuse
    it."""
    kind = _TYPES[type(message)]
    return {"type": kind, **plain(_built(kind, type(message), plain(message)))}


def subject(message: object) -> str | None:
    """The job's folder or the picture that a message is about; None for those about neither."""
    return getattr(message, "job", None) or getattr(message, "picture", None)


def request(value: object) -> Any:
    """The request in a JSON object. Raises JobError(protocol_garbage), which says what is wrong with it."""
    return _message(REQUESTS, value)


def event(value: object) -> Any:
    """The event in a JSON object. Raises JobError(protocol_garbage), which says what is wrong with it."""
    return _message(EVENTS, value)


def _message(table: dict[str, type], value: object) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in table:
        raise JobError("protocol_garbage", f"Expected a message of type {', '.join(table)}; got {str(value)[:200]!r}.")
    return _built(kind, table[kind], {name: v for name, v in value.items() if name != "type"})


def _built(kind: str, cls: type[T], fields: dict[str, Any]) -> T:
    try:
        return build(cls, fields)
    except FieldError as error:
        raise JobError("protocol_garbage", f"A message of type {kind!r} is wrong: {error}.") from None
