"""What the artist asked for, by names only, so that it outlives undo: the one door to gathering."""

from dataclasses import dataclass, field

from ..embedded.engine.contract.job import Settings


@dataclass(frozen=True)
class ReferenceSource:
    """The character's picture: `kind` FILE (name: a path), IMAGE (name: an image datablock) or STRIP (name: a strip of
    the edit scene, shown at `frame` of its timeline). `joints` and `height_px` only where the artist corrected them."""

    kind: str = "FILE"
    name: str = ""
    frame: int = 0
    joints: tuple | None = None
    height_px: float | None = None


@dataclass(frozen=True)
class Request:
    """One shot to gather.

    `scene` and `strip` name the plate; `frames` (first, last) of the timeline cuts it, None takes the whole strip.
    `driver_scene` ("" = `scene`) holds `rig` and the camera (`camera` "" = the scene's own, with its markers);
    `frame_offset` is (frame of the driver's scene) - (frame of the edit's scene), None derives it.
    `bone_map` is the path of a saved map, `bones` are the artist's own (joint, bone, end), which win over it; for the rest
    `preset` is asked, "" takes the one that fits. `meshes` are the objects whose silhouette is the character; `objects` and
    everything in the `collections` stand in front of or behind it.
    `holdouts`: everything else in the driver's scene may hide the character. `clothing` widens limb volumes.
    `performer`: the driver is a person in the plate, not a rig: whoever stands in `performer_box` (left, top, right, bottom),
    pixels of the job, on the frame `performer_frame` of the timeline; else the largest. `mask_strip` is painted by the artist,
    white on black; `mask_use` says whether it joins the character's mask, overrides it, or only chooses the performer.
    `clean_strip` is the plate without the performer; `make_clean` lets the engine make one where none is given. `retarget` 0..1: how far the
    pose is brought to the reference's proportions.
    """

    name: str
    scene: str
    strip: str
    reference: ReferenceSource = ReferenceSource()
    frames: tuple[int, int] | None = None
    driver_scene: str = ""
    rig: str = ""
    bone_map: str = ""
    bones: tuple = ()
    preset: str = ""
    camera: str = ""
    frame_offset: int | None = None
    meshes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    holdouts: bool = False
    clean_plate: bool = True
    clothing: float = 1.0
    performer: bool = False
    performer_box: tuple | None = None
    performer_frame: int = 0
    mask_strip: str = ""
    mask_use: str = "join"
    clean_strip: str = ""
    make_clean: bool = False
    retarget: float = 0.0
    settings: Settings = field(default_factory=Settings)
