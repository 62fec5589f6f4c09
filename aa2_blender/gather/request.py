"""What the artist asked for, by names only, so that it survives undo. Gathering starts from nothing else. Each field is
checked when a kept request is read (versions/folders.py)."""

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Any, TypeVar

from ..embedded.engine.contract.fields import (
    checked,
    choice,
    flag,
    list_of,
    nested,
    number,
    or_none,
    path_name,
    tuple_of,
    whole,
    whole_text,
)
from ..embedded.engine.contract.jobs import Job, Parts, Settings
from ..embedded.engine.contract.skeleton import BODY
from ..settings.table import PASSED, LightSource, MaskUse, PictureFrom, ReferenceKind
from .names import Name, checked_name

K = TypeVar("K", bound=StrEnum)
_FRAME = whole(-2**31, 2**31)
_PIXEL = number(-1e6, 1e6)
_NAMES = list_of(checked_name)
# The settings that go into the job as they are, with the types and checks that they have there.
_Passed: Any = make_dataclass("_Passed", [(one.name, one.type, checked(one.metadata["check"], one.default))
                                          for one in fields_of(Job) if one.name in PASSED], frozen=True, kw_only=True)


def _file(value: Any) -> str:
    """A path, or "" for none."""
    return value if value == "" else path_name(value)


def _one_of(kinds: type[K]) -> Callable[[Any], K]:
    """The check of a field that holds one of `kinds`."""
    is_one = choice(*(kind.value for kind in kinds))
    return lambda value: kinds(is_one(value))


@dataclass(frozen=True)
class ReferenceSource:
    """The character's picture: `kind` FILE (name: a path), IMAGE (name: an image datablock, `library` if it is linked)
    or STRIP (name: a strip of the edit scene, shown at `frame` of its timeline). `joints` and `height_px` only where
    the artist corrected them."""

    kind: ReferenceKind = checked(_one_of(ReferenceKind), ReferenceKind.FILE)
    name: str = checked(_file, "")
    library: str = checked(whole_text, "")
    frame: int = checked(_FRAME, 0)
    joints: tuple | None = checked(or_none(tuple_of(*[tuple_of(_PIXEL, _PIXEL, number(0, 1))] * len(BODY))), None)
    height_px: float | None = checked(or_none(number(1, 1e6)), None)


@dataclass(frozen=True)
class LightPicture:
    """A picture of a grey ball of this `albedo`, or an HDRI that is turned by `rotation` (radians) and has a
    `strength`. `name`: a path, or an image datablock, `library` if it is linked; "" for none."""

    kind: PictureFrom = checked(_one_of(PictureFrom), PictureFrom.FILE)
    name: str = checked(_file, "")
    library: str = checked(whole_text, "")
    albedo: float = checked(number(1e-3, 1), 0.18)
    rotation: float = checked(number(-1e6, 1e6), 0.0)
    strength: float = checked(number(0, 1e6), 1.0)


@dataclass(frozen=True)
class Request(_Passed):
    """One shot to gather, and the settings of table.PASSED as the job has them, such as `clothing` and `retarget`.

    `scene` and `strip` name the plate, `plate` is its mark (place/marks.py), `starts` the frame of the timeline on
    which its content began; `frames` (first, last) of the timeline cuts it, None takes the whole strip.
    `driver_scene` ("" = `scene`) holds `rig` and the camera (`camera` "" = the scene's own, with its markers);
    `frame_offset` is (frame of the driver's scene) - (frame of the edit's scene), None derives it.
    `bone_map` is the path of a saved map, `bones` are the artist's own (joint, bone, end), which win over it; for the
    rest `preset` is asked, "" takes the one that fits. `meshes` are the objects whose silhouette is the character;
    `objects` and everything in the `collections` stand in front of or behind it.
    `holdouts`: everything else in the driver's scene may hide the character. Scene, rig, camera, objects and
    collections that are linked are named with their library (gather/names.py); the edit's own scene is local.
    `performer`: the driver is a person in the plate, not a rig: whoever stands in `performer_box` (left, top, right,
    bottom), pixels of the job, on the frame `performer_frame` of the timeline; else the nearest. `mask_strip` is
    painted by the artist, white on black; `mask_use` says whether it joins the character's mask, overrides it, or only
    chooses the performer. `clean_strip` is the plate without the performer; `make_clean` lets the engine make one where
    none is given. `front_strip` is white where the plate stays in front of the character. `parts`: how a long shot is
    split for several machines, None for one.
    """

    name: str = checked(whole_text)
    scene: str = checked(whole_text)
    strip: str = checked(whole_text)
    plate: str = checked(whole_text, "")
    starts: int | None = checked(or_none(_FRAME), None)
    reference: ReferenceSource = checked(nested(ReferenceSource), ReferenceSource())
    frames: tuple[int, int] | None = checked(or_none(tuple_of(_FRAME, _FRAME)), None)
    driver_scene: Name = checked(checked_name, "")
    rig: Name = checked(checked_name, "")
    bone_map: str = checked(_file, "")
    bones: tuple = checked(list_of(tuple_of(whole_text, whole_text, choice("head", "tail"))), ())
    preset: str = checked(whole_text, "")
    camera: Name = checked(checked_name, "")
    frame_offset: int | None = checked(or_none(_FRAME), None)
    meshes: tuple[Name, ...] = checked(_NAMES, ())
    objects: tuple[Name, ...] = checked(_NAMES, ())
    collections: tuple[Name, ...] = checked(_NAMES, ())
    holdouts: bool = checked(flag, False)
    clean_plate: bool = checked(flag, True)
    performer: bool = checked(flag, False)
    performer_box: tuple | None = checked(or_none(tuple_of(*[_PIXEL] * 4)), None)
    performer_frame: int = checked(_FRAME, 0)
    mask_strip: str = checked(whole_text, "")
    mask_use: MaskUse = checked(_one_of(MaskUse), MaskUse.JOIN)
    clean_strip: str = checked(whole_text, "")
    front_strip: str = checked(whole_text, "")
    make_clean: bool = checked(flag, False)
    light_source: LightSource = checked(_one_of(LightSource), LightSource.GUESSED)
    light_picture: LightPicture = checked(nested(LightPicture), LightPicture())
    settings: Settings = checked(nested(Settings), Settings())
    parts: Parts | None = checked(nested(Parts, optional=True), None)

    @property
    def is_lit(self) -> bool:
        """Whether the driver's scene renders the light of the character and its shadow."""
        return self.light_source is LightSource.RENDERED

    @property
    def scene_hides(self) -> bool:
        """Whether everything in the driver's scene may hide the character: as chosen, and always if the scene renders
        the light, because the shadow then falls on all of it."""
        return self.holdouts or self.is_lit
