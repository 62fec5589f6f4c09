"""Every setting of a shot, declared once: from a line here follow its property on the scene (properties.py), its option
on the command line (cli/parser.py), its field of the request (gather/request.py) and its value in the job
(gather/job.py).

To add one, write a line here and draw its name in a panel; a `field` also has to be one of contract/jobs.py, which says
what the engine takes.
"""
from dataclasses import dataclass
from enum import Enum, StrEnum

from ..gather.presets import PRESETS

FORMS = (("png8", "PNG 8 bit", "Straight alpha, sRGB"), ("png16", "PNG 16 bit", "Straight alpha, sRGB"),
         ("exr", "EXR", "Half floats, one layer a file, premultiplied alpha, linear Rec. 709"),
         ("movie", "Movie with Alpha", "ProRes 4444 if this Blender can write it, or else QuickTime Animation"))


# (name, label, tooltip) of every engine (engine/engines/choose.py).
_UNTRIED = "It was tried with tiny random weights on a processor only: not with real ones, and not on a graphics card"
ENGINES = (
    ("compact", "Compact", "Embedded: runs at once, offline, on any processor"),
    ("sd15-aa2", "Animate Anyone 2, SD 1.5", "The paper's networks at full size, with weights that you bring, in a "
     "Python with torch. Nobody has published trained weights of Animate Anyone 2: with those of its family, objects "
     f"and depth change nothing. {_UNTRIED}"),
    ("wan-vace", "Wan VACE", f"Wan2.1-VACE, for a graphics card of 8 GB or more. {_UNTRIED}"),
    ("wan-animate", "Wan Animate", f"Wan2.2-Animate, for a graphics card of 12 to 24 GB. {_UNTRIED}"),
)


_WAN = ("wan-vace", "wan-animate")


class Crop(StrEnum):
    """The form of the crop. Its size is one that the weights were made for (settings/weights.py)."""

    AUTOMATIC = "auto"
    STANDING = "standing"
    SQUARE = "square"
    LYING = "lying"


class DriverKind(StrEnum):
    """What moves the character."""

    ARMATURE = "ARMATURE"
    PERFORMER = "PERFORMER"


class PlateIs(StrEnum):
    """Whether somebody is in the plate."""

    EMPTY = "EMPTY"
    PERFORMED = "PERFORMED"


class ReferenceKind(StrEnum):
    """Where the picture of the character comes from."""

    FILE = "FILE"
    IMAGE = "IMAGE"
    STRIP = "STRIP"


class MaskUse(StrEnum):
    """What the artist's mask does. The property holds the names, a request and a job the values."""

    JOIN = "join"
    OVERRIDE = "override"
    CHOOSE = "choose"


class LightSource(StrEnum):
    """Where the light of the character comes from."""

    AUTOMATIC = "AUTOMATIC"
    GUESSED = "GUESSED"
    BALL = "BALL"
    RENDERED = "RENDERED"
    PICTURE = "PICTURE"
    HDRI = "HDRI"


class PictureFrom(StrEnum):
    """Where the picture of a light is."""

    FILE = "FILE"
    IMAGE = "IMAGE"


class FarmTarget(StrEnum):
    """For which farms a job is written."""

    OPENJD = "OPENJD"
    FLAMENCO = "FLAMENCO"


class Kind(StrEnum):
    """What a setting holds. The last four are datablocks, called as in bpy.types."""

    FLAG = "flag"
    WHOLE = "whole number"
    NUMBER = "number"
    TEXT = "text"
    FILE = "file"
    FOLDER = "folder"
    CHOICE = "choice"
    SCENE = "Scene"
    OBJECT = "Object"
    IMAGE = "Image"
    COLLECTION = "Collection"


class ZeroIs(Enum):
    """What 0 means. NONE: the job leaves it to the weights. NUMBER: the weights' own number, which the job has."""

    ZERO = 0
    NONE = 1
    NUMBER = 2


@dataclass(frozen=True)
class Setting:
    """One setting: `name` is its property (settings/properties.py), saved in .blend files.

    `low`, `high` and `soft_high` are ranges of numbers; `choices` are (identifier, label, tooltip), the first being the
    default unless `default` names another. `only`: the type of object that is offered. `option`: its name on the
    command line, with `--` and hyphens, and as a keyword of cli.generate. `field`: where the value goes in the job,
    `settings.steps`, `clothing`, or `own.prompt` for what only some `engines` know; "" for what only says where to
    look. `is_keyed`: the job has one value a frame, since the setting may have keyframes. `zero_is`: what 0, which
    panels show as automatic, means in the job (settings/automatic.py).
    """

    name: str
    kind: Kind
    label: str
    tooltip: str
    default: bool | float | str | None = None
    low: float | None = None
    high: float | None = None
    soft_high: float | None = None
    subtype: str = "NONE"
    choices: tuple[tuple[str, str, str], ...] = ()
    only: str = ""
    option: str = ""
    field: str = ""
    is_keyed: bool = False
    zero_is: ZeroIs = ZeroIs.ZERO
    engines: tuple[str, ...] = ()


_SHOT = (
    Setting("strip", Kind.TEXT, "Plate", "The strip to put the character over (empty: the active strip)",
            option="strip"),
    Setting("use_range", Kind.FLAG, "Part of the Strip",
            "Generate only the frames below, not all frames of the plate"),
    Setting("range_first", Kind.WHOLE, "First", "First frame of the timeline", 1),
    Setting("range_last", Kind.WHOLE, "Last", "Last frame of the timeline", 24),
    Setting("mask_strip", Kind.TEXT, "Mask",
            "A strip that is white where the character may be painted and black elsewhere (empty: the mask follows "
            "from the driver)", option="mask_strip"),
    Setting("mask_use", Kind.CHOICE, "Mask Use", "What the mask strip does", choices=(
        (MaskUse.JOIN.name, "Joins", "White areas are added to the character's own mask"),
        (MaskUse.OVERRIDE.name, "Overrides",
         "Only white areas are the mask; the strip has to show all frames of the plate"),
        (MaskUse.CHOOSE.name, "Chooses Performer",
         "The performer is the person in the white area; the mask is found in the plate")), option="mask_use"),
    Setting("clean_strip", Kind.TEXT, "Clean Plate Strip",
            "The same shot without its performer, so that what the performer covers is known (empty: the networks make "
            "it up)", option="clean_strip"),
    Setting("front_strip", Kind.TEXT, "In Front",
            "A strip that is white where the plate stays in front of the character: over what the performer holds, or "
            "what passes between the character and the camera (empty: nothing, or what the objects say)",
            option="front_strip"),
    Setting("plate_is", Kind.CHOICE, "Plate Is", "Whether somebody is in the plate", choices=(
        (PlateIs.EMPTY, "Empty", "Nobody is in the plate; the character is put into it"),
        (PlateIs.PERFORMED, "Holds the Performer", "A performer is in the plate, whom the character replaces"))),
    Setting("fix_own", Kind.FLAG, "Own Frames",
            "Fix the frames below instead of those in the preview range, or without one the frame under the playhead"),
    Setting("fix_first", Kind.WHOLE, "First", "First frame of the timeline to generate again", 1),
    Setting("fix_last", Kind.WHOLE, "Last", "Last frame of the timeline to generate again", 1),
)

_CHARACTER = (
    Setting("reference_kind", Kind.CHOICE, "Reference", "Where the picture of the character comes from", choices=(
        (ReferenceKind.FILE, "File", "A picture on the disk"), (ReferenceKind.IMAGE, "Image", "An image of this file"),
        (ReferenceKind.STRIP, "Strip", "A frame of a strip of this sequencer"))),
    Setting("reference_path", Kind.FILE, "Reference", "A picture of the whole character", option="reference"),
    Setting("reference_image", Kind.IMAGE, "Image", "An image of this file that shows the whole character"),
    Setting("reference_strip", Kind.TEXT, "Strip", "A strip that shows the whole character"),
    Setting("reference_frame", Kind.WHOLE, "Frame", "The frame of the timeline to use as the reference", 1),
)

_DRIVER = (
    Setting("driver", Kind.CHOICE, "Driver", "What moves the character", choices=(
        (DriverKind.ARMATURE, "Armature", "A rig in the scene, seen through the camera that the plate was shot with"),
        (DriverKind.PERFORMER, "Performer",
         "A person in the plate, whom the character replaces; needs no rig and no camera"))),
    Setting("make_clean", Kind.FLAG, "Make Clean Plate",
            "Build what the performer covers from the frames in which it can be seen, and show it behind the "
            "character; off: the networks make it up", True, option="make_clean"),
    Setting("retarget", Kind.NUMBER, "Fit to Reference",
            "How far the pose is changed from the proportions of the driver to those of the reference: 0 keeps the "
            "driver's, 1 uses the reference's limbs and leaves the feet where they are", 0.0, 0, 1, subtype="FACTOR",
            option="retarget", field="retarget"),
    Setting("armature", Kind.OBJECT, "Armature", "The rig that drives the character", only="ARMATURE", option="rig"),
    Setting("driver_scene", Kind.SCENE, "Rig's Scene",
            "The scene with the rig and the camera (empty: the scene that holds the rig)", option="driver_scene"),
    Setting("camera", Kind.OBJECT, "Camera",
            "The camera that the plate was shot with (empty: the scene's camera and its markers)", only="CAMERA",
            option="camera"),
    Setting("derive_offset", Kind.FLAG, "Match Scene Strip",
            "Take the rig's frame from the scene strip that shows its scene; without such a strip the frames are the "
            "same", True),
    Setting("frame_offset", Kind.WHOLE, "Frame Offset",
            "Frame of the rig's scene minus the frame of this scene that it is shown with", option="frame_offset"),
    Setting("bone_map", Kind.FILE, "Bone Map", "A saved map from joints to bones; bones of the table come first",
            option="bone_map"),
    Setting("bone_preset", Kind.CHOICE, "Preset", "The rig whose bone names are used", choices=(
        ("AUTO", "Automatic", "The preset that fits best; bones that it lacks are guessed"),
        *((name, name, f"Bones named as in {name}; missing bones are reported") for name in PRESETS))),
    Setting("mesh", Kind.OBJECT, "Mesh",
            "The character's mesh, for an exact silhouette (empty: the limbs of the rig, inflated)", only="MESH"),
    Setting("meshes", Kind.COLLECTION, "Meshes", "A collection with the character's meshes, if there are several"),
    Setting("clothing", Kind.NUMBER, "Clothing",
            "How far clothes stand off the limbs: 1 is dressed and leaves room for a knee-long skirt and long hair; "
            "0.5 is close-fitting", 1.0, 0.1, 10, option="clothing", field="clothing"),
    Setting("holdouts", Kind.FLAG, "Scene Hides",
            "Everything in the rig's scene hides the character where it is closer to the camera"),
)

_LIGHT = (
    Setting("light_source", Kind.CHOICE, "Light Source", "Where the light on the character comes from", choices=(
        (LightSource.AUTOMATIC, "Automatic",
         "Ball where an armature drives and its scene has light of its own, or else Guessed"),
        (LightSource.GUESSED, "Guessed", "The networks guess the light from the plate"),
        (LightSource.BALL, "Ball", "The light of the rig's scene is measured where the character stands"),
        (LightSource.RENDERED, "Rendered",
         "The character's surface is rendered in the rig's scene, with the shadow that it casts there; takes longer"),
        (LightSource.PICTURE, "Picture of a Ball", "A picture of a gray ball, taken where the character stands"),
        (LightSource.HDRI, "HDRI", "A panorama of the light, taken where the character stands")),
            option="light_source"),
    Setting("light_from", Kind.CHOICE, "From", "Where the picture of the ball or the HDRI is", choices=(
        (PictureFrom.FILE, "File", "A picture on the disk"), (PictureFrom.IMAGE, "Image", "An image of this file"))),
    Setting("ball_path", Kind.FILE, "Picture", "A picture of a matte gray ball", option="ball"),
    Setting("ball_image", Kind.IMAGE, "Ball Image", "An image of this file that shows a matte gray ball"),
    Setting("ball_albedo", Kind.NUMBER, "Albedo",
            "How much light the ball gives back: 0.18 for a photographer's gray, about 0.8 for white", 0.18, 0.01, 1,
            option="ball_albedo"),
    Setting("hdri_path", Kind.FILE, "HDRI", "A panorama in which all directions are seen (equirectangular)",
            option="hdri"),
    Setting("hdri_image", Kind.IMAGE, "HDRI Image", "A panorama of this file in which all directions are seen"),
    Setting("hdri_rotation", Kind.NUMBER, "Rotation",
            "How far the panorama is turned around the vertical, as by the Mapping node of a world. Where a performer "
            "drives, the camera looks along the Y axis", 0.0, subtype="ANGLE", option="hdri_rotation"),
    Setting("hdri_strength", Kind.NUMBER, "Strength", "How bright the panorama is; 1 shows its values as they are",
            1.0, 0, 1000, 10, option="hdri_strength"),
)

_LOOK = (
    Setting("engine", Kind.CHOICE, "Engine", "The networks that make the frames", choices=ENGINES,
            field="settings.engine"),
    Setting("seed", Kind.WHOLE, "Seed", "Another number gives another result", 0, 0, option="seed",
            field="settings.seed"),
    Setting("seed_lock", Kind.FLAG, "Lock Seed",
            "Generate uses this seed each time; unlocked: Generate uses another seed each time", True),
    Setting("steps", Kind.WHOLE, "Steps", "Denoising steps; the automatic value is what the weights were made for",
            0, 0, 1000, option="steps", field="settings.steps", zero_is=ZeroIs.NONE),
    Setting("guidance", Kind.NUMBER, "Guidance",
            "How closely the reference is followed, or with Wan's weights the prompt; any value but 1 takes twice the "
            "time; the automatic value is what the weights were made for", 0.0, 0, 30, 10, field="settings.guidance",
            zero_is=ZeroIs.NUMBER),
    Setting("window", Kind.WHOLE, "Window",
            "Frames made together; the automatic value is what the weights were made for", 0, 0, 1000, option="window",
            field="settings.window", zero_is=ZeroIs.NONE),
    Setting("shape", Kind.CHOICE, "Crop", "The shape of the crop in which the character is made; its size is one that "
            "the weights were made for", choices=(
        (Crop.AUTOMATIC, "Automatic", "The shape in which the character fits best"),
        (Crop.STANDING, "Standing", "The tallest crop of the weights"),
        (Crop.SQUARE, "Square", "The crop of the weights that is nearest to a square"),
        (Crop.LYING, "Lying", "The widest crop of the weights")), field="settings.shape"),
    Setting("prompt", Kind.TEXT, "Prompt",
            "What the frames show, in English (empty: \"A person moves in the scene.\"). A new prompt is encoded once, "
            "which takes the text encoder and its memory. Prompts were not tried with real weights",
            field="own.prompt", engines=_WAN),
    Setting("negative_prompt", Kind.TEXT, "Negative",
            "What the frames must not show; read only with a guidance of more than 1 (empty: nothing)",
            field="own.negative", engines=_WAN),
    Setting("variant", Kind.TEXT, "Weights Form",
            "The form of the weights: bf16 is 16 bits; fp8 needs about half the memory; others are GGUF files of the "
            "folder (empty: the first that the folder has). No form was tried on a graphics card",
            field="own.variant", engines=_WAN),
    Setting("shows_surface", Kind.FLAG, "Show Surface",
            "The networks see the reference on the body surface, under the skeleton, and as a second reference. They "
            "were trained with the skeleton alone, so this may help or not: it was not tried with real weights", True,
            field="own.surface", engines=("wan-vace",)),
    Setting("grain", Kind.FLAG, "Grain", "Give the character as much grain as the plate has, which is measured", True,
            field="settings.grain"),
    Setting("blur", Kind.FLAG, "Blur", "Make the character as soft as a plate that is out of focus, which is measured",
            True, field="settings.blur"),
    Setting("shadow", Kind.FLAG, "Shadow", "Add a second strip that darkens the plate under the character", True,
            field="settings.shadow"),
    Setting("exposure", Kind.NUMBER, "Exposure",
            "How many stops brighter the character is; Generate only composes the frames again", 0.0, -5, 5,
            option="exposure", field="settings.exposure"),
    Setting("warmth", Kind.NUMBER, "Warmth",
            "White balance of the character: less than 0 is colder, more is warmer; Generate only composes the frames "
            "again", 0.0, -1, 1, subtype="FACTOR", option="warmth", field="settings.warmth"),
    Setting("light", Kind.NUMBER, "Light",
            "How far the character is lit as the plate: 0 keeps the colors of the reference; Generate only composes "
            "the frames again", 1.0, 0, 1, subtype="FACTOR", option="light", field="settings.light"),
    Setting("mask_grow", Kind.NUMBER, "Mask Grow",
            "Grow the region that may be painted by so many pixels (less than 0: shrink it)", 0.0, -200, 200,
            subtype="PIXEL", field="mask_grow", is_keyed=True),
    Setting("mask_feather", Kind.NUMBER, "Mask Feather",
            "Fade the layer over so many pixels inside the edge of that region", 0.0, 0, 200, subtype="PIXEL",
            field="mask_feather", is_keyed=True),
    Setting("output", Kind.FOLDER, "Jobs", "Where job folders are made (// is the folder of this file)",
            "//aa2_jobs/", option="output"),
    Setting("form", Kind.CHOICE, "Form", "What Write Output writes", choices=FORMS),
)

_FARM = (
    Setting("farm_target", Kind.CHOICE, "Farm", "For which kind of farm a job is written", choices=(
        (FarmTarget.OPENJD, "OpenJD", "An Open Job Description bundle, for AWS Deadline Cloud and for openjd run"),
        (FarmTarget.FLAMENCO, "Flamenco", "A job type and a job for Blender's own Flamenco"))),
    Setting("farm_folder", Kind.FOLDER, "Farm Folder",
            "Where farm jobs are written, each in a folder of its own (// is the folder of this file)", "//farm/"),
    Setting("farm_project", Kind.FOLDER, "Project",
            "The folder that all machines of the farm have; files outside are named (// is the folder of this file)",
            "//"),
    Setting("farm_all", Kind.FLAG, "All Shots",
            "Write one job for all plates of this file that have settings of their own, not only for this one"),
    Setting("farm_frames", Kind.WHOLE, "Frames a Part",
            "About how many frames of a long shot one machine makes; shots of up to 100 frames stay whole", 48, 1,
            10000, 1000),
    Setting("farm_run_in", Kind.WHOLE, "Run-In",
            "How many windows earlier a part begins, so that it continues the one before; their frames are thrown away",
            16, 0, 100, 32),
    Setting("farm_each", Kind.WHOLE, "Parts a Task", "How many parts a machine makes one after another", 1, 1, 1000,
            16),
    Setting("farm_gpu", Kind.FLAG, "Needs GPU", "Only machines with a GPU generate (OpenJD)"),
)

SETTINGS = (*_SHOT, *_CHARACTER, *_DRIVER, *_LIGHT, *_LOOK, *_FARM)
OPTIONS = {one.option: one for one in SETTINGS if one.option}
# By the field of the job: those of its `settings`, those there that only some engines know, its own, and its own with
# a value for each frame.
GENERATION = {one.field.removeprefix("settings."): one for one in SETTINGS if one.field.startswith("settings.")}
OF_ENGINES = {one.field.removeprefix("own."): one for one in SETTINGS if one.engines}
PASSED = {one.field: one for one in SETTINGS if one.field and "." not in one.field and not one.is_keyed}
# Settings of the scene and not of its plates: which strip is the plate, the farm, and what has keyframes, because
# Blender cannot animate a strip's groups of properties.
OF_SCENE = ("strip", *(one.name for one in _FARM), *(one.name for one in SETTINGS if one.is_keyed))
KEYED = {one.field: one for one in SETTINGS if one.is_keyed}
