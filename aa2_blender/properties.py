"""What the artist chooses for a shot, kept with the scene whose sequencer holds the plate: `scene.aa2`."""
import bpy
from bpy.props import (BoolProperty, CollectionProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty,
                       PointerProperty, StringProperty)

SHAPES = (("auto", "Automatic", "The shape in which the character fits best"),
          ("192x352", "Standing", "A tall crop of 192 by 352"),
          ("256x256", "Square", "A crop of 256 by 256"),
          ("352x192", "Lying", "A wide crop of 352 by 192"))


def _is_armature(_settings, thing):
    return thing.type == "ARMATURE"


def _is_camera(_settings, thing):
    return thing.type == "CAMERA"


def _is_mesh(_settings, thing):
    return thing.type == "MESH"


class AA2_PG_bone(bpy.types.PropertyGroup):
    """One line of the bone map: `name` is a joint of contract/skeleton.py, `bone` the bone that shows where it is."""

    bone: StringProperty(name="Bone", description="The bone that stands for this joint")
    at_tail: BoolProperty(name="Tail", description="The joint lies at the bone's tail and not at its head")


class AA2_PG_joint(bpy.types.PropertyGroup):
    """One joint of the reference picture: `name`, its place in pixels (y down) and how sure it is."""

    place: FloatVectorProperty(name="Place", description="Pixels from the left and from the top", size=2)
    confidence: FloatProperty(name="Seen", description="0 where the joint is not in the picture", min=0, max=1, default=1)


class AA2_PG_settings(bpy.types.PropertyGroup):
    """One shot. Empty pointers mean what the tooltip says; numbers of 0 mean what the engine's weights say."""

    strip: StringProperty(name="Plate", description="The strip to put the character over (empty: the active strip)")
    reference_path: StringProperty(name="Reference", description="A picture of the whole character", subtype="FILE_PATH")
    reference_image: PointerProperty(
        name="Image", description="An image of this file instead of the reference file", type=bpy.types.Image)
    armature: PointerProperty(
        name="Armature", description="The rig that drives the character", type=bpy.types.Object, poll=_is_armature)
    driver_scene: PointerProperty(
        name="Scene", description="The scene of rig and camera (empty: this scene)", type=bpy.types.Scene)
    camera: PointerProperty(
        name="Camera", description="The camera the plate was shot with (empty: the scene's, with its markers)",
        type=bpy.types.Object, poll=_is_camera)
    frame_offset: IntProperty(
        name="Frame Offset", description="A frame of the rig's scene less the frame of this scene shown with it")
    mesh: PointerProperty(
        name="Mesh", description="The character's mesh, for an exact silhouette (empty: limbs of the rig, inflated)",
        type=bpy.types.Object, poll=_is_mesh)
    meshes: PointerProperty(
        name="Meshes", description="The character's meshes where there are many", type=bpy.types.Collection)
    objects: PointerProperty(
        name="Objects", description="What the character touches, holds or stands behind", type=bpy.types.Collection)
    scene_depth: BoolProperty(
        name="Scene Hides", description="Everything in the rig's scene hides the character where it is nearer")
    clothing: FloatProperty(
        name="Clothing", description="How far clothes stand off the limbs: 1 is close-fitting, 2 a skirt or a coat",
        min=0.1, max=10, default=1)
    clean_plate: BoolProperty(
        name="Clean Plate", description="Nobody is in the plate; off: the performer in it is replaced", default=True)
    seed: IntProperty(name="Seed", description="Another number, another try", min=0)
    steps: IntProperty(name="Steps", description="Denoising steps (0: as the weights say)", min=0, max=1000)
    window: IntProperty(name="Window", description="Frames made together (0: as the weights say)", min=0, max=1000)
    shape: EnumProperty(name="Crop", description="The shape the character is made in", items=SHAPES, default="auto")
    grain: BoolProperty(name="Match Grain", description="Grain and blur like the plate's", default=True)
    shadow: BoolProperty(name="Shadow", description="A second strip darkens the plate under the character", default=True)
    output: StringProperty(
        name="Jobs", description="Where job folders are made (// is the folder of this file)", subtype="DIR_PATH",
        default="//aa2_jobs/")
    preset: StringProperty(name="Preset", description="The bone preset (empty: the one that fits best)")
    bone_map: CollectionProperty(type=AA2_PG_bone)
    bone_map_index: IntProperty()
    reference_joints: CollectionProperty(type=AA2_PG_joint)
    reference_joints_index: IntProperty()
    reference_height: FloatProperty(
        name="Height", description="The character's standing height in the reference, in pixels", min=0)


CLASSES = (AA2_PG_bone, AA2_PG_joint, AA2_PG_settings)


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.aa2 = PointerProperty(type=AA2_PG_settings)


def unregister():
    del bpy.types.Scene.aa2
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
