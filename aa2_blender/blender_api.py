"""Blender's API from 4.2 to 5.2 -> one way to say each thing. This is the only file that knows the differences. It
looks for features, not for release numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import bpy

if TYPE_CHECKING:
    Strip: TypeAlias = bpy.types.Strip
else:
    Strip = bpy.types.Strip if hasattr(bpy.types, "Strip") else bpy.types.Sequence  # up to 4.3

StripOwner: TypeAlias = bpy.types.SequenceEditor | Strip  # a meta strip
Sockets = tuple[bpy.types.NodeSocket, bpy.types.NodeSocket, bpy.types.NodeSocket, bpy.types.NodeSocket]
_CACHES = ("use_prefetch", "use_cache_raw", "use_cache_preprocessed", "use_cache_composite", "use_cache_final")


def strips(owner: StripOwner) -> bpy.types.bpy_prop_collection:
    """The strips of a sequence editor or meta strip (an empty collection is falsy, so hasattr and never `or`)."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def all_strips(editor: bpy.types.SequenceEditor) -> bpy.types.bpy_prop_collection:
    """The strips of a sequence editor with those inside metas."""
    return getattr(editor, all_strips_name(editor))


def all_strips_name(editor: bpy.types.SequenceEditor) -> str:
    """What all_strips is called in this Blender, for a search field of a panel."""
    return "strips_all" if hasattr(editor, "strips_all") else "sequences_all"


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the artist sees: from 5.0 the workspace's own, before that the window's."""
    return getattr(context, "sequencer_scene", None) or context.scene


def strip_range(strip: Strip) -> tuple[int, int]:
    """(first frame, frame after the last) that a strip shows on the timeline."""
    if hasattr(strip, "left_handle"):
        return int(strip.left_handle), int(strip.right_handle)
    return int(strip.frame_final_start), int(strip.frame_final_end)


def shown_range(strip: Strip) -> tuple[int, int]:
    """(first frame, frame after the last) that a strip shows inside the metas around it, which may be trimmed."""
    first, end = strip_range(strip)
    meta = strip.parent_meta()
    while meta:
        begins, ends = strip_range(meta)
        first, end = max(first, begins), min(end, ends)
        meta = meta.parent_meta()
    return first, end


def content_start(strip: Strip) -> float:
    """The timeline's frame on which a strip's untrimmed content begins."""
    return strip.content_start if hasattr(strip, "content_start") else strip.frame_start


def content_trimmed(strip: Strip) -> int:
    """How many frames of a strip's content were cut off at its start for good (Blender's Hold Split, Trim)."""
    return strip.content_trim_start if hasattr(strip, "content_trim_start") else strip.animation_offset_start


def content_length(strip: Strip) -> int:
    """How many frames a strip's content had when it was made, less what was cut off for good at either end."""
    return strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration


def is_retimed(strip: Strip) -> bool:
    """Whether a strip has retiming keys; in 4.2, strips of scenes can have none."""
    return bool(len(getattr(strip, "retiming_keys", ())))


def show_missing_media(editor: bpy.types.SequenceEditor, shown: bool) -> None:
    """Sets whether media that cannot be read is drawn as a placeholder or as nothing."""
    editor.show_missing_media = shown


def trim(strip: Strip, first: int, end: int) -> None:
    """Trim a strip to the frames first..end-1 of the timeline."""
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = first, end
    else:
        strip.frame_final_start, strip.frame_final_end = first, end


@contextmanager
def selection_kept(editor: bpy.types.SequenceEditor) -> Iterator[None]:
    """Leaves the artist's selection and active strip as they were, however many strips are added."""
    selected = {strip.name for strip in all_strips(editor) if strip.select}
    active = editor.active_strip.name if editor.active_strip else ""
    try:
        yield
    finally:
        for strip in all_strips(editor):
            strip.select = strip.name in selected
        editor.active_strip = all_strips(editor).get(active)


def connect(scene: bpy.types.Scene, several: Sequence[Strip]) -> None:
    """Connect strips, so that Blender selects and moves them together. Up to 4.3 they stay apart, as do strips of
    different metas. What they were connected with before stays connected."""
    if "connect" not in dir(bpy.ops.sequencer) or len({strip.parent_meta() for strip in several}) > 1:
        return
    together = [*several, *_sounds_of(several)]
    with selection_kept(scene.sequence_editor):
        for strip in all_strips(scene.sequence_editor):
            strip.select = strip in together
        known = {"sequencer_scene": scene} if hasattr(bpy.context, "sequencer_scene") else {}
        with bpy.context.temp_override(scene=scene, **known):
            bpy.ops.sequencer.connect()


def _sounds_of(several: Sequence[Strip]) -> list[Strip]:
    """The sounds that Blender added and connected with movies."""
    files = {(strip.filepath, content_start(strip)) for strip in several if strip.type == "MOVIE"}
    editor = several[0].id_data.sequence_editor
    return [strip for strip in all_strips(editor) if strip.type == "SOUND" and strip.sound
            and (strip.sound.filepath, content_start(strip)) in files]


def new_effect(owner: StripOwner, *, name: str, kind: str, channel: int, first: int, end: int,
               inputs: Sequence[Strip] = ()) -> Strip:
    """A new effect strip over the frames first..end-1."""
    function = strips(owner).new_effect
    known = {p.identifier for p in strips(owner).bl_rna.functions["new_effect"].parameters}
    names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
    length = {"length": end - first} if "length" in known else {"frame_end": end}
    return function(name=name, type=kind, channel=channel, frame_start=first, **length,
                    **dict(zip(names, inputs, strict=False)))


@contextmanager
def quiet_sequencer(editor: bpy.types.SequenceEditor) -> Iterator[None]:
    """Switches prefetch and caches off while strips are added or removed, because Blender crashes there otherwise."""
    before = {name: getattr(editor, name) for name in _CACHES if hasattr(editor, name)}
    try:
        for name in before:
            setattr(editor, name, False)
        yield
    finally:
        for name, value in before.items():
            setattr(editor, name, value)


def curve(block: bpy.types.Scene, path: str) -> bpy.types.FCurve | None:
    """The F-curve of a datablock's property, or None; from 5.0 actions have layers and no curves of their own."""
    animation = block.animation_data
    action = animation.action if animation else None
    if action is None:
        return None
    if hasattr(action, "fcurves"):
        return action.fcurves.find(path)
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot) if animation.action_slot else None
            found = bag.fcurves.find(path) if bag else None
            if found:
                return found
    return None


def keep_animation(scene: bpy.types.Scene, is_kept: Callable[[str], bool]) -> None:
    """Remove the F-curves and drivers of a temporary scene whose data path is not kept. Its action is copied first,
    because scenes share actions."""
    animation = scene.animation_data
    if animation is None:
        return
    for driver in [driver for driver in animation.drivers if not is_kept(driver.data_path)]:
        animation.drivers.remove(driver)
    if animation.action is None:
        return
    slot = getattr(animation, "action_slot", None)
    animation.action = animation.action.copy()
    if slot is not None:
        animation.action_slot = animation.action.slots[slot.identifier]
    for curves in _curves_of(animation.action):
        for found in [one for one in curves if not is_kept(one.data_path)]:
            curves.remove(found)


def nodes_of(block: bpy.types.World | bpy.types.Material) -> bpy.types.NodeTree | None:
    """The nodes of a world or material, None if they are switched off; from 5.0 they cannot be."""
    is_always = getattr(block.bl_rna.properties["use_nodes"], "is_deprecated", False)
    return block.node_tree if is_always or block.use_nodes else None


def curves_of(block: bpy.types.ID) -> list[bpy.types.FCurve]:
    """The F-curves that move a datablock, those in its NLA strips included."""
    animation = block.animation_data
    actions = [animation.action, *(strip.action for track in animation.nla_tracks for strip in track.strips)]
    return [curve for action in dict.fromkeys(filter(None, actions)) for curves in _curves_of(action)
            for curve in curves]


def _curves_of(action: bpy.types.Action) -> list[bpy.types.bpy_prop_collection]:
    if not hasattr(action, "layers"):
        return [action.fcurves]
    bags = [bag.fcurves for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return bags or [action.fcurves] * hasattr(action, "fcurves")


def curve_maker(thing: bpy.types.Object, name: str) -> Callable[[str, int, str], bpy.types.FCurve]:
    """A new action `name` of an object -> make(path, index, group): its new F-curve;
    from 4.4 actions have slots and layers."""
    action = bpy.data.actions.new(name)
    animation = thing.animation_data_create()
    animation.action = action
    if not hasattr(action, "slots"):
        return lambda path, index, group: action.fcurves.new(path, index=index, action_group=group)
    animation.action_slot = slot = action.slots.new(id_type="OBJECT", name=thing.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)

    def make(path: str, index: int, group: str) -> bpy.types.FCurve:
        made = bag.fcurves.new(path, index=index)
        made.group = bag.groups.get(group) or bag.groups.new(group)
        return made
    return make


def set_picture_format(settings: bpy.types.ImageFormatSettings, file_format: str, *, color_mode: str,
                       color_depth: str) -> None:
    """Image settings of a render; from 5.0 the media type has to be said first."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = file_format
    settings.color_mode = color_mode
    settings.color_depth = color_depth


def render_path(path: str) -> str:
    """A path as a render's output wants it: from 4.5 braces are template variables and have to be doubled."""
    output = bpy.types.RenderSettings.bl_rna.properties["filepath"]
    templates = getattr(output, "is_path_supports_templates", False)
    return path.replace("{", "{{").replace("}", "}}") if templates else path


def compositor(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositing tree, made where it has none."""
    if hasattr(scene, "compositing_node_group"):
        if scene.compositing_node_group is None:
            scene.compositing_node_group = _new_compositor(scene.name)
        return scene.compositing_node_group
    scene.use_nodes = True
    return scene.node_tree


def compositor_or_none(scene: bpy.types.Scene) -> bpy.types.NodeTree | None:
    """The scene's compositing tree, or None."""
    if hasattr(scene, "compositing_node_group"):
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def composite_input(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """The socket whose picture becomes the render. It is made with its node if there is none."""
    kind = "CompositorNodeComposite" if hasattr(bpy.types, "CompositorNodeComposite") else "NodeGroupOutput"
    node = next((n for n in tree.nodes if n.bl_idname == kind), None) or tree.nodes.new(kind)
    return node.inputs[0]


def _new_compositor(name: str) -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new(name, "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    layers, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
    output.location = (400, 0)
    tree.links.new(layers.outputs["Image"], output.inputs[0])
    return tree


def alpha_over(tree: bpy.types.NodeTree) -> Sockets:
    """An Alpha Over node for premultiplied pictures -> its sockets (factor, background, foreground, output)."""
    node = tree.nodes.new("CompositorNodeAlphaOver")
    named = "Background" in node.inputs
    order = ("Factor", "Background", "Foreground") if named else (0, 1, 2)
    return *(node.inputs[key] for key in order), node.outputs[0]


def multiply(tree: bpy.types.NodeTree) -> Sockets:
    """A node that multiplies two colours -> its sockets (factor, a, b, output)."""
    if hasattr(bpy.types, "CompositorNodeMixRGB"):
        node = tree.nodes.new("CompositorNodeMixRGB")
        node.blend_type = "MULTIPLY"
        return *node.inputs, node.outputs[0]
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type, node.blend_type, node.clamp_result = "RGBA", "MULTIPLY", False
    sockets = {socket.identifier: socket for socket in (*node.inputs, *node.outputs)}
    return tuple(sockets[name] for name in ("Factor_Float", "A_Color", "B_Color", "Result_Color"))


def number(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """A node that gives one number -> its output socket, whose default_value can be keyed."""
    kind = "CompositorNodeValue" if hasattr(bpy.types, "CompositorNodeValue") else "ShaderNodeValue"
    return tree.nodes.new(kind).outputs[0]


def fit_to_render(tree: bpy.types.NodeTree) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """A node that stretches a picture to the render's size -> its sockets (input, output)."""
    node = tree.nodes.new("CompositorNodeScale")
    if hasattr(node, "space"):
        node.space, node.frame_method = "RENDER_SIZE", "STRETCH"
    else:
        node.inputs["Type"].default_value, node.inputs["Frame Type"].default_value = "Render Size", "Stretch"
    return node.inputs[0], node.outputs[0]


def node_inputs(modifier: bpy.types.Modifier) -> list[Any]:
    """The values that a geometry nodes modifier gives its nodes; from 5.2 they are properties of their own."""
    interface = getattr(modifier, "properties", None)
    if interface is None:
        return [modifier[name] for name in modifier.keys()]  # noqa: SIM118 - a modifier is no dictionary
    given = [getattr(interface.inputs, name) for name in interface.inputs.bl_rna.properties.keys()  # noqa: SIM118
             if name not in ("rna_type", "name")]
    return [one.value for one in given if hasattr(one, "value")]
