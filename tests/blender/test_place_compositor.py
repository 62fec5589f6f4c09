"""The result in the compositor: linear light, the artist's nodes untouched, and the same after a second time."""
import bpy
import numpy as np
import pytest
from shots import camera, set_size
from test_place_strip import SIZE, job_folder, layer, shadow

GREY = 0.2                     # linear; the brightness of the render's world


@pytest.fixture
def placing(extension):
    from bl_ext.user_default.aa2_blender.place import compositor
    return compositor


@pytest.fixture
def scene(blank):
    """A render of only a grey world, in Cycles with one sample."""
    set_size(blank, SIZE)
    camera(blank)
    blank.world = bpy.data.worlds.new("grey")
    blank.world.use_nodes = True
    next(n for n in blank.world.node_tree.nodes if n.type == "BACKGROUND").inputs[0].default_value = (GREY,) * 3 + (1,)
    blank.render.engine, blank.cycles.samples, blank.cycles.use_denoising = "CYCLES", 1, False
    blank.render.dither_intensity = 0
    return blank


def linear(value):
    value = value / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def over(number):
    """The formula in linear light."""
    rgba = layer(number).astype(float)
    alpha = rgba[..., 3:] / 255
    return GREY * linear(shadow()) * (1 - alpha) + linear(rgba[..., :3]) * alpha


def render(scene, tmp_path, frame):
    """(height, width, 3) float32 of the composite."""
    from bl_ext.user_default.aa2_blender import blender_api
    blender_api.set_picture_format(scene.render.image_settings, "OPEN_EXR", color_mode="RGBA", color_depth="32")
    scene.frame_set(frame)
    scene.render.filepath = str(tmp_path / "out.exr")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.empty(SIZE[0] * SIZE[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIZE[1], SIZE[0], 4)[::-1, :, :3]


def test_linear_formula_on_the_jobs_frames_only(placing, scene, tmp_path):
    placing.lay_nodes(scene, job_folder(tmp_path / "job", first_frame=-1, made=[1, 3]))
    for frame, number in ((-1, 1), (1, 3)):
        assert np.abs(render(scene, tmp_path, frame) - over(number)).max() < 1e-3
    for frame in (-2, 0, 2, 50):
        assert np.abs(render(scene, tmp_path, frame) - GREY).max() < 1e-4


def nodes(tree):
    return sorted((n.name, n.bl_idname) for n in tree.nodes)


def test_again_replaces_its_own_and_nothing_else(placing, scene, tmp_path):
    from bl_ext.user_default.aa2_blender import blender_api
    tree = blender_api.compositor(scene)
    target = blender_api.composite_input(tree)
    foreign = tree.nodes.new("CompositorNodeInvert")
    layers = next((n for n in tree.nodes if n.bl_idname == "CompositorNodeRLayers"), None) or \
        tree.nodes.new("CompositorNodeRLayers")
    tree.links.new(layers.outputs["Image"], foreign.inputs["Color"])
    tree.links.new(foreign.outputs[0], target)
    before = nodes(tree)
    one, two = (job_folder(tmp_path / name, name=name) for name in ("one", "two"))
    for folder in (one, two, one):
        placing.lay_nodes(scene, folder)
    assert len(nodes(tree)) == len(before) + 2
    assert foreign.outputs[0].links[0].to_node.name in ("one", "two")
    groups = len(bpy.data.node_groups)
    placing.lay_nodes(scene, two)
    assert len(bpy.data.node_groups) == groups
    for folder in (one, two):
        placing.remove(scene, folder)
    assert nodes(tree) == before and target.links[0].from_node == foreign


def test_nothing_made_yet(placing, scene, tmp_path):
    folder = job_folder(tmp_path / "job", frames=1)
    (folder / "frames" / "0001.png").unlink()
    with pytest.raises(Exception, match="no finished frame"):
        placing.lay_nodes(scene, folder)
