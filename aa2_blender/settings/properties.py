"""What the artist chooses for a shot, kept with the scene whose sequencer holds the plate: `scene.aa2`."""
import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..blender_api import sequencer_scene, strips
from ..gather.presets import PRESETS

SHAPES = (("auto", "Automatic", "The shape in which the character fits best"),
          ("192x352", "Standing", "A tall crop of 192 by 352"),
          ("256x256", "Square", "A crop of 256 by 256"),
          ("352x192", "Lying", "A wide crop of 352 by 192"))
DRIVERS = (("ARMATURE", "Armature", "A rig in the scene, seen through the camera the plate was shot with"),
           ("PERFORMER", "Performer",
            "A person in the plate, whom the character replaces; needs neither rig nor camera"))
MASK_USES = (("JOIN", "Joins", "What is white counts beside the character's own mask"),
             ("OVERRIDE", "Overrides",
              "Only what is white is the mask; the strip has to show all of the plate's frames"),
             ("CHOOSE", "Chooses Performer",
              "The performer is whoever is in the white; the mask is found in the plate"))
REFERENCES = (("FILE", "File", "A picture on the disk"), ("IMAGE", "Image", "An image of this file"),
              ("STRIP", "Strip", "A frame of a strip of this sequencer"))
ENDS = (("head", "Head", "The joint is where the bone begins"), ("tail", "Tail", "The joint is where the bone ends"))
BONE_PRESETS = (("AUTO", "Automatic", "The preset that fits best; what it lacks is guessed"),
                *((name, name, f"Bones as in {name}; what is missing is named") for name in PRESETS))
FORMS = (("png8", "PNG 8 bit", "Straight alpha, sRGB"), ("png16", "PNG 16 bit", "Straight alpha, sRGB"),
         ("exr", "EXR", "Half floats, one layer a file, premultiplied alpha, linear Rec. 709"),
         ("movie", "Movie with Alpha", "ProRes 4444 where this Blender writes it, else QuickTime Animation"))


# Paths that may begin with //; 4.5 began to ask whether they may.
RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if (
    "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties) else set()


def _offered(kind):
    """What makes a pointer offer only objects of one type. Without a window nobody chooses, and the module of 4.2 ends
    with a crash after any `poll`, so nothing; gather/shot.py looks at the type again."""
    return {} if bpy.app.background else {"poll": lambda _settings, thing: thing.type == kind}


def _calls(update):
    """What lets a change call `update`. Not in the module of 4.2, which ends with a crash after any: cli.py and
    settings/request_of.py do without."""
    return {} if bpy.app.background and bpy.app.version < (4, 5) else {"update": update}


class AA2_PG_joint(bpy.types.PropertyGroup):
    """One joint of the reference picture: `name`, its place in pixels (y down) and how sure it is."""

    place: FloatVectorProperty(name="Place", description="Pixels from the left and from the top", size=2)
    confidence: FloatProperty(name="Seen", description="0 where the joint is not in the picture",
                              min=0, max=1, default=1)


class AA2_PG_bone(bpy.types.PropertyGroup):
    """The artist's own bone of a joint, `name` as in gather/rig.py; no bone: it is found."""

    bone: StringProperty(name="Bone", description="The bone of this joint (empty: as the preset or the guess has it)")
    end: EnumProperty(name="End", description="Where on the bone the joint is", items=ENDS, default="head")


class AA2_PG_touched(bpy.types.PropertyGroup):
    """One object, or all of a collection, that the character touches or passes behind."""

    thing: PointerProperty(name="Object", type=bpy.types.Object)
    collection: PointerProperty(name="Collection", type=bpy.types.Collection)


def _add_touched(name):
    """An update that moves what was picked in the field `name` into the list,
    so that the field is free for the next."""
    def update(ours, _context):
        picked = getattr(ours, name)
        if picked is None:
            return
        kind = "collection" if isinstance(picked, bpy.types.Collection) else "thing"
        if picked not in [getattr(one, kind) for one in ours.touched]:
            setattr(ours.touched.add(), kind, picked)
        ours.touched_index = len(ours.touched) - 1
        setattr(ours, name, None)
    return update


def another_armature(ours, _context=None):
    """Of the artist's own bones, those stay that the other armature has too."""
    there = ours.armature.data.bones if ours.armature and ours.armature.type == "ARMATURE" else ()
    for one in ours.bones:
        if one.bone not in there:
            one.bone = ""


def picture_named(ours) -> str:
    """Which picture the settings name as the reference, in words that change with it."""
    named = {"FILE": ours.reference_path, "IMAGE": ours.reference_image.name if ours.reference_image else "",
             "STRIP": f"{ours.reference_frame} {ours.reference_strip}"}
    return f"{ours.reference_kind} {named[ours.reference_kind]}"


def another_reference(ours, _context=None):
    """Joints belong to the picture in which they were found; the same picture chosen again keeps them."""
    if ours.reference_joints_of != picture_named(ours):
        ours.reference_joints.clear()
        ours.reference_height = 0


class AA2_PG_settings(bpy.types.PropertyGroup):
    """One shot. Empty pointers mean what the tooltip says; numbers of 0 mean what the engine's weights say."""

    strip: StringProperty(name="Plate", description="The strip to put the character over (empty: the active strip)")
    use_range: BoolProperty(name="Part of the Strip", description="Only the frames below, not all of the plate's")
    range_first: IntProperty(name="First", description="First frame of the timeline", default=1)
    range_last: IntProperty(name="Last", description="Last frame of the timeline", default=24)
    reference_kind: EnumProperty(
        name="Reference", description="Where the picture of the character comes from", items=REFERENCES, default="FILE",
        **_calls(another_reference))
    reference_path: StringProperty(
        name="Reference", description="A picture of the whole character", subtype="FILE_PATH", options=RELATIVE,
        **_calls(another_reference))
    reference_image: PointerProperty(
        name="Image", description="An image of this file: a picture of the whole character", type=bpy.types.Image,
        **_calls(another_reference))
    reference_strip: StringProperty(
        name="Strip", description="A strip that shows the whole character", **_calls(another_reference))
    reference_frame: IntProperty(name="Frame", description="The frame of the timeline that is the reference", default=1,
        **_calls(another_reference))
    driver: EnumProperty(name="Driver", description="What moves the character", items=DRIVERS, default="ARMATURE")
    performer_box: FloatVectorProperty(
        name="Performer",
        description="Where the performer stands, in parts of the picture: left, top, right, bottom (all 0: the "
        "largest person drives)", size=4, min=0, max=1)
    performer_frame: IntProperty(name="On Frame",
                                 description="The frame of the timeline on which the performer was chosen")
    make_clean: BoolProperty(
        name="Make Clean Plate", default=True,
        description="What the performer covers is put together from the frames in which it "
        "is seen, and lies behind the new character; off: it is made up by the networks")
    retarget: FloatProperty(
        name="Fit to Reference",
        description="How far the pose is brought from the driver's proportions to those of the reference: "
        "0 keeps the driver's, 1 gives the reference's limbs, with the feet where they were", min=0,
        max=1, subtype="FACTOR")
    mask_strip: StringProperty(
        name="Mask",
        description="A strip that is white where the character may be painted and black elsewhere (empty: the mask "
        "is made of the driver)")
    mask_use: EnumProperty(name="Mask Use", description="What the mask strip does", items=MASK_USES, default="JOIN")
    clean_strip: StringProperty(
        name="Clean Plate Strip",
        description="The same shot without its performer: what the performer covers is then known and "
        "not made up (empty: it is made up)")
    armature: PointerProperty(
        name="Armature", description="The rig that drives the character", type=bpy.types.Object,
        **_calls(another_armature),
        **_offered("ARMATURE"))
    driver_scene: PointerProperty(
        name="Rig's Scene", description="The scene of rig and camera (empty: the one with the rig)",
        type=bpy.types.Scene)
    camera: PointerProperty(
        name="Camera", description="The camera the plate was shot with (empty: the scene's, with its markers)",
        type=bpy.types.Object, **_offered("CAMERA"))
    derive_offset: BoolProperty(
        name="Match Scene Strip", default=True,
        description="The rig's frame follows from the scene strip that shows its scene; without one, frames are "
                    "the same")
    frame_offset: IntProperty(
        name="Frame Offset", description="A frame of the rig's scene less the frame of this scene shown with it")
    mesh: PointerProperty(
        name="Mesh", description="The character's mesh, for an exact silhouette (empty: limbs of the rig, inflated)",
        type=bpy.types.Object, **_offered("MESH"))
    meshes: PointerProperty(
        name="Meshes", description="The character's meshes where there are many", type=bpy.types.Collection)
    touched: CollectionProperty(type=AA2_PG_touched)
    touched_index: IntProperty(name="Objects", description="What the character touches, holds or passes behind")
    objects: PointerProperty(
        name="Add Collection",
        description="Adds all of a collection to what the character touches, holds or passes behind",
        type=bpy.types.Collection, **_calls(_add_touched("objects")))
    add_object: PointerProperty(
        name="Add Object", description="Adds an object to what the character touches, holds or passes behind",
        type=bpy.types.Object, **_calls(_add_touched("add_object")))
    holdouts: BoolProperty(
        name="Scene Hides", description="Everything in the rig's scene hides the character where it is nearer")
    clothing: FloatProperty(
        name="Clothing",
        description="How far clothes stand off the limbs: 1 is dressed, a knee-long skirt and long hair lie "
        "inside; 0.5 is close-fitting",
        min=0.1, max=10, default=1)
    clean_plate: BoolProperty(
        name="Clean Plate", description="Nobody is in the plate; off: the performer in it is replaced", default=True)
    seed: IntProperty(name="Seed", description="Another number, another try", min=0)
    seed_lock: BoolProperty(
        name="Lock Seed", default=True,
        description="Every Generate takes this seed; open: every Generate takes another")
    engine: EnumProperty(
        name="Engine", description="The networks that make the frames",
        items=(("compact", "Compact", "Embedded: runs at once, offline, on any processor"),))
    steps: IntProperty(name="Steps", description="Denoising steps (0: as the weights say)", min=0, max=1000)
    guidance: FloatProperty(
        name="Guidance",
        description="How closely the reference is followed: 1 is as the weights say; more costs twice the "
        "time", min=0, max=30, soft_max=5, default=1)
    window: IntProperty(name="Window", description="Frames made together (0: as the weights say)", min=0, max=1000)
    shape: EnumProperty(name="Crop", description="The shape the character is made in", items=SHAPES, default="auto")
    grain: BoolProperty(name="Grain", description="Grain as strong as the plate's, measured on it", default=True)
    blur: BoolProperty(
        name="Blur", description="As soft as the plate where that is out of focus, measured on it", default=True)
    mask_grow: FloatProperty(
        name="Mask Grow", description="Pixels by which the region that may be painted in grows (less than 0: shrinks)",
        min=-200, max=200, default=0, subtype="PIXEL")
    mask_feather: FloatProperty(
        name="Mask Feather", description="Pixels over which the layer fades inside that region's edge", min=0, max=200,
        default=0, subtype="PIXEL")
    shadow: BoolProperty(name="Shadow", description="A second strip darkens the plate under the character",
                         default=True)
    form: EnumProperty(name="Form", description="What Write Output writes", items=FORMS, default="png8")
    fix_first: IntProperty(name="First", description="First frame of the timeline to make again", default=1)
    fix_last: IntProperty(name="Last", description="Last frame of the timeline to make again", default=1)
    output: StringProperty(
        name="Jobs", description="Where job folders are made (// is the folder of this file)", subtype="DIR_PATH",
        options=RELATIVE, default="//aa2_jobs/")
    bone_map: StringProperty(
        name="Bone Map", description="A saved map from joints to bones, under those of the table",
        subtype="FILE_PATH", options=RELATIVE)
    bone_preset: EnumProperty(
        name="Preset", description="Whose names the bones have", items=BONE_PRESETS, default="AUTO")
    bones: CollectionProperty(type=AA2_PG_bone)
    bones_index: IntProperty(name="Joint", description="The joint whose bone is chosen below")
    reference_joints: CollectionProperty(type=AA2_PG_joint)
    reference_joints_of: StringProperty(name="Joints of", description="The picture in which the joints were found")
    reference_height: FloatProperty(
        name="Height", description="The character's standing height in the reference, in pixels", min=0)


def shot_scene(context):
    """The scene whose settings a panel or operator means (an edit is often not the shot): the sequencer's; where it has
    no strips, the one that names it as its rig's scene, else the only one that has strips."""
    scene = sequencer_scene(context)
    if _has_strips(scene):
        return scene
    edits = [other for other in bpy.data.scenes if _has_strips(other)]
    naming = [edit for edit in edits if edit.aa2.driver_scene == scene]
    return naming[0] if naming else edits[0] if len(edits) == 1 else scene


def _has_strips(scene):
    return scene.sequence_editor is not None and len(strips(scene.sequence_editor)) > 0


CLASSES = (AA2_PG_joint, AA2_PG_bone, AA2_PG_touched, AA2_PG_settings)


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.aa2 = PointerProperty(type=AA2_PG_settings)


def unregister():
    del bpy.types.Scene.aa2
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
