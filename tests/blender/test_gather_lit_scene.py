"""The lit scene and the grey that is rendered in it."""
import bpy
import numpy as np
import pytest
from every_property import changes, snapshot
from shots import armature, camera, cube, metarig_bones, set_size

SIZE = 8


@pytest.fixture
def scene(blank):
    """A plane of the world's own colour lies at the origin; a sun, keyed from 1 to 3 W/m², shines down on it."""
    set_size(blank, (640, 480))
    camera(blank)
    lamp = bpy.data.lights.new("Sun", "SUN")
    for frame, energy in ((1, 1.0), (3, 3.0)):
        lamp.energy = energy
        lamp.keyframe_insert("energy", frame=frame)
    sun = bpy.data.objects.new("Sun", lamp)
    blank.collection.objects.link(sun)
    blank.view_settings.view_transform = "Standard"
    blank.frame_set(1)
    return blank


def card(scene, part):
    """A grey card at the origin, and a camera that looks at it from above; both are new."""
    mesh = bpy.data.meshes.new("card")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    mesh.materials.append(part("gather.grey").material())
    thing = bpy.data.objects.new("card", mesh)
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    eye.data.type, eye.data.ortho_scale, eye.location = "ORTHO", 1.0, (0, 0, 0.5)
    for one in (thing, eye):
        scene.collection.objects.link(one)
    scene.camera = eye
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.cycles.samples = 8
    return thing


def shading_of(part, scene, path, frame=1):
    grey = part("gather.grey")
    grey.show(scene, str(path))
    part("gather.lit_scene").render(scene, frame, "the test")
    shown = grey.read(str(path))
    assert shown.shape == (SIZE, SIZE, 4) and (shown[..., 3] == 1).all()
    return float(grey.shading(shown[..., :3]).mean())


def test_a_sun_of_pi_watts_is_a_shading_of_one(part, scene, tmp_path):
    """Blender's sun of strength pi lights a white surface to 1; animated light follows the frame."""
    with part("gather.lit_scene").lit_scene(scene, ()) as lit:
        card(lit, part)
        levels = [shading_of(part, lit, tmp_path / "card.png", frame) for frame in (1, 3)]
        assert bpy.data.lights["Sun"].energy == 1, "a render need not evaluate the blend's own objects"
    assert levels == pytest.approx([1 / np.pi, 3 / np.pi], rel=2e-3)


@pytest.mark.parametrize("view", ["Standard", "AgX", "Filmic"])
def test_the_display_decides(part, scene, tmp_path, view):
    """A card of albedo 0.18 in the scene itself and the shading times 0.18 look alike to a level."""
    grey = part("gather.grey")
    scene.view_settings.view_transform, scene.view_settings.exposure = view, 0.7
    with part("gather.lit_scene").lit_scene(scene, ()) as lit:
        card(lit, part)
        got = shading_of(part, lit, tmp_path / "card.png", 3)
        shown = grey.read(str(tmp_path / "card.png"))[..., :3].mean()
    linear = got * grey.GREY
    assert 1.055 * linear ** (1 / 2.4) - 0.055 == pytest.approx(shown, abs=1 / 255)
    as_it_is = grey.GREY * 3 / np.pi * 2 ** 0.7
    assert (linear == pytest.approx(as_it_is, rel=0.01)) == (view == "Standard")


def test_nobody_carried_is_there_but_lamps(part, scene):
    rig, body, lamp = armature(scene, metarig_bones()), cube(scene), bpy.data.objects["Sun"]
    body.parent = lamp.parent = rig
    character = part("gather.carried").carried_by(rig)
    with part("gather.lit_scene").lit_scene(scene, character) as lit:
        assert {thing.name for thing in lit.objects} == {"Sun", scene.camera.name}


def test_collections_that_are_not_rendered_are_left_out(part, scene):
    for name, hidden, excluded, indirect in (("off", True, False, False), ("out", False, True, False),
                                             ("bounce", False, False, True)):
        group = bpy.data.collections.new(name)
        scene.collection.children.link(group)
        group.objects.link(cube(scene, name=name))
        scene.collection.objects.unlink(bpy.data.objects[name])
        group.hide_render = hidden
        layer = scene.view_layers[0].layer_collection.children[name]
        layer.exclude, layer.indirect_only = excluded, indirect
    with part("gather.lit_scene").lit_scene(scene, ()) as lit:
        assert {thing.name for thing in lit.objects} & {"off", "out", "bounce"} == {"bounce"}
        around = part("gather.lit_scene").around(lit)
        assert not around.indirect_only and "bounce" not in around.collection.objects
        layer = around.children[0]
        assert layer.indirect_only and layer.collection.objects.keys() == ["bounce"]


def test_light_linking_treats_the_new_object_as_the_character(part, scene, tmp_path):
    """The sun lights nothing but the body; what stands in for the body is lit too."""
    body, group = cube(scene), bpy.data.collections.new("only the body")
    group.objects.link(body)
    bpy.data.objects["Sun"].light_linking.receiver_collection = group
    with part("gather.lit_scene").lit_scene(scene, {body}) as lit:
        thing = card(lit, part)
        dark = shading_of(part, lit, tmp_path / "card.png")
        with part("gather.lit_scene").stands_in(thing, {body}):
            bright = shading_of(part, lit, tmp_path / "card.png")
    assert dark < 0.01 and bright == pytest.approx(1 / np.pi, rel=0.01)
    assert group.objects.keys() == [body.name]


def _closed(part, scene, path):
    def steps():
        with part("gather.lit_scene").lit_scene(scene, ()) as lit:
            card(lit, part)
            for frame in (3, 4):
                yield shading_of(part, lit, path, frame)
    running = steps()
    next(running)
    running.close()


def _raised(part, scene, path):
    with pytest.raises(ZeroDivisionError), part("gather.lit_scene").lit_scene(scene, ()) as lit:
        card(lit, part)
        shading_of(part, lit, path, 3)
        raise ZeroDivisionError


@pytest.mark.parametrize("end", [_closed, _raised])
def test_every_property_is_as_before(part, scene, tmp_path, end):
    """Also of a lamp in a collection that is switched off in viewports, which no frame of this scene evaluates, where a
    keyed value was changed by hand, and of a world that follows the frame by a driver."""
    scene.render.engine = next(name for name in ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE")
                               if name in scene.render.bl_rna.properties["engine"].enum_items)
    group, sun = bpy.data.collections.new("switched off"), bpy.data.objects["Sun"]
    scene.collection.children.link(group)
    scene.collection.objects.unlink(sun)
    group.objects.link(sun)
    group.hide_viewport = True
    scene.world = bpy.data.worlds.new("follows")
    scene.world.driver_add("color", 0).driver.expression = "frame / 10"
    scene.frame_set(2)
    sun.data.energy = 7.0
    before = snapshot()
    assert len(before) > 1000 and "lights[Sun].energy" in before
    end(part, scene, tmp_path / "card.png")
    assert changes(before, snapshot()) == []
