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
    `bone_map` is the path of a saved map, "" takes the preset that fits. `meshes` are the objects whose silhouette is the
    character; `objects` and everything in the collection `objects_collection` stand in front of or behind it.
    `holdouts`: everything else in the driver's scene may hide the character. `clothing` widens limb volumes.
    """

    name: str
    scene: str
    strip: str
    reference: ReferenceSource = ReferenceSource()
    frames: tuple[int, int] | None = None
    driver_scene: str = ""
    rig: str = ""
    bone_map: str = ""
    camera: str = ""
    frame_offset: int | None = None
    meshes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    objects_collection: str = ""
    holdouts: bool = False
    clean_plate: bool = True
    clothing: float = 1.0
    settings: Settings = field(default_factory=Settings)
