"""Masks and object depth, compared pixel by pixel with Blender's own ray casts."""
import math

import bpy
import numpy as np
import pytest
from mathutils import Vector
from shots import armature, camera, cube, metarig_bones, read, set_size


@pytest.fixture
def depth(extension):
    from bl_ext.user_default.aa2_blender.gather import depth
    return depth


@pytest.fixture
def objects(extension):
    from bl_ext.user_default.aa2_blender.gather import objects
    return objects


@pytest.fixture
def scene(blank):
    set_size(blank, (41, 31))
    camera(blank, (0.3, -5, 1.4), (math.radians(82), 0.05, 0.02)).data.lens = 35
    return blank


def rays(scene, size, things):
    """(height, width) planar depth by scene.ray_cast through the centre of each pixel; inf if nothing is hit."""
    eye = scene.camera
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    corners = [eye.matrix_world.normalized() @ corner for corner in eye.data.view_frame(scene=scene)]
    right, down = corners[0] - corners[3], corners[2] - corners[3]
    origin, ahead = eye.matrix_world.translation, eye.matrix_world.normalized().to_3x3() @ Vector((0, 0, -1))
    ortho = eye.data.type == "ORTHO"
    out = np.full((size[1], size[0]), np.inf)
    for y in range(size[1]):
        for x in range(size[0]):
            through = corners[3] + right * ((x + 0.5) / size[0]) + down * ((y + 0.5) / size[1])
            start = through - ahead * 10 if ortho else origin
            hit, place, _, _, thing, _ = scene.ray_cast(graph, start, ahead if ortho else through - origin)
            if hit and thing.name in things:
                out[y, x] = (place - origin).dot(ahead)
    return out


def agree(got, wanted):
    """Silhouettes differ in at most a few pixels, which lie exactly on an edge; inside, depth is the same."""
    both = np.isfinite(got) & np.isfinite(wanted)
    assert both.sum() > 50 and (np.isfinite(got) != np.isfinite(wanted)).sum() <= 3
    assert np.abs(got[both] - wanted[both]).max() < 2e-3


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_depth_is_what_rays_hit(depth, scene, kind):
    scene.camera.data.type, scene.camera.data.ortho_scale = kind, 4
    thing = cube(scene)
    thing.rotation_euler = (0.4, 0.3, 0.6)
    got, = depth.render([thing], scene, frames=(1,), size=(41, 31))
    agree(got, rays(scene, (41, 31), {"cube"}))


def test_only_the_named_objects(depth, scene):
    """A wall in front that is not named hides nothing; an object that is disabled in renders appears and stays
    disabled."""
    thing, wall = cube(scene), cube(scene, (0, -3, 1), 2, name="wall")
    thing.hide_render = True
    got, = depth.render([thing], scene, frames=(1,), size=(41, 31))
    wall.hide_viewport = True
    agree(got, rays(scene, (41, 31), {"cube"}))
    assert thing.hide_render


def test_posed_mesh_frame_by_frame(depth, scene):
    """A rig carries a mesh across the picture, also before frame 0 and in a scene that the window does not show."""
    shot = bpy.data.scenes.new("shot")
    set_size(shot, (41, 31))
    eye = camera(shot, name="shot camera")
    rig, thing = armature(shot, metarig_bones()), cube(shot, (0, 0, 0), 0.6)
    thing.parent, thing.parent_type, thing.parent_bone = rig, "BONE", "hand.L"
    for frame, x in ((-3, -1.5), (5, 0.5)):
        rig.location.x = x
        rig.keyframe_insert("location", frame=frame)
    middles = []
    for picture in depth.render([thing], shot, frames=(-3, 5), size=(41, 31)):
        rows, columns = np.nonzero(np.isfinite(picture))
        middles.append(columns.mean() + 0.5)
    focal = 41 * eye.data.lens / eye.data.sensor_width
    assert np.diff(middles)[0] == pytest.approx(2.0 * focal / 5, abs=0.8)


def test_another_shape_of_pixels(depth, scene):
    """A driver's scene of 82x62, in an edit of 41x31: the same picture."""
    thing = cube(scene)
    small, = depth.render([thing], scene, frames=(1,), size=(41, 31))
    set_size(scene, (82, 62))
    again, = depth.render([thing], scene, frames=(1,), size=(41, 31))
    assert np.array_equal(np.isfinite(small), np.isfinite(again))


def test_encoding(objects):
    depth = np.array([[1.0, 3.0, np.inf, 2.0]], np.float32)
    assert objects.encode(depth, 1.0, 3.0).tolist() == [[65535, 1, 0, 32768]]


def test_one_range_for_the_shot(objects, tmp_path):
    pictures = objects.DepthPictures(str(tmp_path), "objects")
    for z in (2.0, 6.0, 4.0):
        picture = np.full((5, 7), np.inf, np.float32)
        picture[1, 2] = z
        pictures.add(picture)
    span = pictures.write()
    assert (span.near, span.far) == (2.0, 6.0)
    values = [read(tmp_path / "objects" / f"000{i}.png") for i in (1, 2, 3)]
    assert [int(v[1, 2]) for v in values] == [65535, 1, 32768] and values[0][0, 0] == 0
    assert sorted(p.name for p in (tmp_path / "objects").iterdir()) == ["0001.png", "0002.png", "0003.png"]


def test_nothing_on_any_frame(objects, tmp_path):
    pictures = objects.DepthPictures(str(tmp_path), "objects")
    pictures.add(np.full((5, 7), np.inf, np.float32))
    assert pictures.write() is None and not list((tmp_path / "objects").iterdir())


def test_mask(objects, tmp_path):
    picture = np.full((5, 7), np.inf, np.float32)
    picture[2, 3:5] = 1.0
    objects.write_mask(str(tmp_path), 3, picture)
    mask = read(tmp_path / "mask" / "0003.png")
    assert mask.dtype == np.uint8 and mask.sum() == 510 and (mask[2, 3:5] == 255).all()
