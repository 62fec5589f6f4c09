"""A job's frames -> one node group over the render, in linear light: (1 - a) * plate * shadow + a * foreground."""

import os
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..blender_api import alpha_over, composite_input, compositor, fit_to_render, multiply, number
from ..embedded.engine.contract import files, jobs
from ..gather.display import exact
from .strip import JOB, PlaceError, path_in_blend, same_shot


def lay_nodes(scene: bpy.types.Scene, folder: str | Path, offset: int = 0) -> str:
    """Put the job's node group before the composite's input; returns the group node's name.

    `offset`: the scene's frame less the edit's. A group that an earlier call made for this job, or another version of
    it, is replaced; other nodes and what they are linked to stay.
    """
    if bpy.app.is_job_running("RENDER"):
        raise PlaceError("Nodes cannot be added while Blender renders.", "Wait for the render's end and place again.")
    folder = os.path.abspath(os.fspath(folder))
    job = jobs.read(folder)
    if not files.numbers(folder, files.FRAMES):
        raise PlaceError(f"{folder} holds no finished frame.", "Generate first.")
    tree = compositor(scene)
    remove(scene, folder)
    target = composite_input(tree)
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = _group(job, folder, offset)
    node.name = node.label = job.name
    node[JOB] = path_in_blend(folder)
    _insert(tree, node, target)
    return node.name


def remove(scene: bpy.types.Scene, folder: str | Path) -> None:
    """Take out this job's group and link what it lay between."""
    tree = compositor(scene)
    for node in [node for node in tree.nodes if node.get(JOB) and same_shot(node[JOB], folder)]:
        source = node.inputs[0].links[0].from_socket if node.inputs[0].links else None
        targets = [link.to_socket for link in node.outputs[0].links]
        group = node.node_tree
        tree.nodes.remove(node)
        for target in targets if source else []:
            tree.links.new(source, target)
        if group and not group.users:
            bpy.data.node_groups.remove(group)


def _insert(tree: bpy.types.NodeTree, node: bpy.types.Node, target: bpy.types.NodeSocket) -> None:
    """Between the composite's input and what feeds it, or the render layers where nothing does."""
    if target.links:
        source = target.links[0].from_socket
    else:
        layers = next((n for n in tree.nodes if n.bl_idname == "CompositorNodeRLayers"), None)
        source = (layers or tree.nodes.new("CompositorNodeRLayers")).outputs["Image"]
    node.location = (target.node.location[0] - 200, target.node.location[1] - 200)
    tree.links.new(source, node.inputs[0])
    tree.links.new(node.outputs[0], target)


def _group(job: jobs.Job, folder: str, offset: int) -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new(f"{job.name} over", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    picture = tree.nodes.new("NodeGroupInput").outputs[0]
    for kind, combine in ((files.SHADOW, multiply), (files.FRAMES, alpha_over)):
        made = files.numbers(folder, kind)
        if made:
            factor, below, above, result = combine(tree)
            tree.links.new(_presence(tree, job, made, offset), factor)
            tree.links.new(picture, below)
            tree.links.new(_pictures(tree, job, folder, kind, offset), above)
            picture = result
    tree.links.new(picture, tree.nodes.new("NodeGroupOutput").inputs[0])
    return tree


def _pictures(tree: bpy.types.NodeTree, job: jobs.Job, folder: str, kind: str, offset: int) -> bpy.types.NodeSocket:
    """The image sequence of one kind, linear and premultiplied as the compositor reads it, at the render's size."""
    first = files.picture(folder, kind, files.numbers(folder, kind)[0])
    image = bpy.data.images.load(path_in_blend(first), check_existing=True)
    image.source, image.alpha_mode = "SEQUENCE", "STRAIGHT"
    image.colorspace_settings.name = exact().space
    node = tree.nodes.new("CompositorNodeImage")
    node.image, node.use_auto_refresh = image, True
    node.frame_start, node.frame_duration, node.frame_offset = job.first_frame + offset, job.frames, 0
    small, fitted = fit_to_render(tree)
    tree.links.new(node.outputs["Image"], small)
    return fitted


def _presence(tree: bpy.types.NodeTree, job: jobs.Job, made: list[int], offset: int) -> bpy.types.NodeSocket:
    """A number that is 1 on the frames that are made and 0 elsewhere. Without it a sequence would repeat its last
    picture for ever, and some Blender releases show black for a missing one."""
    shown = number(tree)
    for first, last in _runs(made):
        start, end = (job.first_frame + offset + number - 1 for number in (first, last))
        for frame, value in ((start - 1, 0.0), (start, 1.0), (end, 1.0), (end + 1, 0.0)):
            shown.default_value = value
            shown.keyframe_insert("default_value", frame=frame)
    return shown


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers -> (first, last) of each unbroken run."""
    starts = [n for i, n in enumerate(numbers) if i == 0 or numbers[i - 1] != n - 1]
    ends = [n for i, n in enumerate(numbers) if i == len(numbers) - 1 or numbers[i + 1] != n + 1]
    return zip(starts, ends, strict=True)
