"""What a rig carries by every relation that Blender has, and what only stands beside it."""
import bpy
import pytest
from shots import armature, camera, cube, image_strip, metarig_bones, set_size, write_sequence


@pytest.fixture
def scene(blank):
    set_size(blank, (64, 48))
    camera(blank)
    return blank


@pytest.fixture
def rig(scene):
    return armature(scene, metarig_bones(), "rig")


@pytest.fixture
def body(scene, rig):
    thing = cube(scene, name="body")
    thing.modifiers.new("skin", "ARMATURE").object = rig
    return thing


def carried(rig, *also):
    from bl_ext.user_default.aa2_blender.gather.carried import carried_by
    return {thing.name for thing in carried_by(rig, also)}


def held(kind, target, scene, bone=""):
    """A cube with a constraint."""
    thing = cube(scene, name=kind.lower())
    constraint = thing.constraints.new(kind)
    if kind == "ARMATURE":
        constraint = constraint.targets.new()
    constraint.target = target
    if bone:
        constraint.subtarget = bone
    return thing


def bent(kind, target, scene, field="object"):
    """A cube with a modifier."""
    thing = cube(scene, name=kind.lower())
    setattr(thing.modifiers.new("bend", kind), field, target)
    return thing


def child(parent, scene, name="child", kind="OBJECT", bone=""):
    thing = cube(scene, name=name)
    thing.parent, thing.parent_type = parent, kind
    if bone:
        thing.parent_bone = bone
    return thing


def empty(scene, parent, name="empty"):
    thing = bpy.data.objects.new(name, None)
    scene.collection.objects.link(thing)
    thing.parent = parent
    return thing


def lattice(scene, parent):
    thing = bpy.data.objects.new("cage", bpy.data.lattices.new("cage"))
    scene.collection.objects.link(thing)
    thing.parent = parent
    return thing


def driven(rig, scene, axes):
    """A cube whose location a bone drives."""
    thing = cube(scene, name="driven")
    for axis in axes:
        variable = thing.driver_add("location", axis).driver.variables.new()
        variable.type, variable.targets[0].id, variable.targets[0].bone_target = "TRANSFORMS", rig, "hand.L"
    return thing


def noded(target, scene, own, asked=False):
    """A cube with geometry nodes that take an object; `own`: they use the cube's points as well; `asked`: the modifier
    names the object, else a node does."""
    thing, nodes = cube(scene, name="noded"), bpy.data.node_groups.new("nodes", "GeometryNodeTree")
    nodes.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    given = nodes.interface.new_socket("Thing", in_out="INPUT", socket_type="NodeSocketObject")
    nodes.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    entry, info, end = (nodes.nodes.new(kind) for kind in ("NodeGroupInput", "GeometryNodeObjectInfo",
                                                           "NodeGroupOutput"))
    nodes.links.new((entry if own else info).outputs["Geometry"], end.inputs["Geometry"])
    modifier = thing.modifiers.new("nodes", "NODES")
    modifier.node_group = nodes
    if not asked:
        info.inputs["Object"].default_value = target
    elif hasattr(modifier, "properties"):
        getattr(modifier.properties.inputs, given.identifier).value = target
    else:
        modifier[given.identifier] = target
    return thing


def second(scene, rig, bones):
    """Another armature whose `bones` copy the rig's, and a mesh on it."""
    other = armature(scene, metarig_bones(), "second")
    for bone in bones:
        constraint = other.pose.bones[bone].constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = rig, bone
    thing = cube(scene, name="on the second")
    thing.modifiers.new("skin", "ARMATURE").object = other
    return thing


CARRIED = {
    "parent": lambda scene, rig, body: child(rig, scene),
    "bone": lambda scene, rig, body: child(rig, scene, kind="BONE", bone="hand.L"),
    "hat on the body": lambda scene, rig, body: child(body, scene),
    "on three vertices of the body": lambda scene, rig, body: child(body, scene, kind="VERTEX_3"),
    "worn on an empty": lambda scene, rig, body: child(empty(scene, rig), scene),
    "worn on a chain of empties": lambda scene, rig, body: child(empty(scene, empty(scene, body), "next"), scene),
    "Child Of": lambda scene, rig, body: held("CHILD_OF", rig, scene, "hand.L"),
    "Child Of an empty": lambda scene, rig, body: held("CHILD_OF", empty(scene, rig), scene),
    "Copy Transforms": lambda scene, rig, body: held("COPY_TRANSFORMS", rig, scene, "hand.L"),
    "Copy Location": lambda scene, rig, body: held("COPY_LOCATION", body, scene),
    "Armature constraint": lambda scene, rig, body: held("ARMATURE", rig, scene, "hand.L"),
    "Lattice": lambda scene, rig, body: bent("LATTICE", lattice(scene, rig), scene),
    "Hook": lambda scene, rig, body: bent("HOOK", empty(scene, rig), scene),
    "Mesh Deform": lambda scene, rig, body: bent("MESH_DEFORM", body, scene),
    "Surface Deform": lambda scene, rig, body: bent("SURFACE_DEFORM", body, scene, "target"),
    "Shrinkwrap": lambda scene, rig, body: bent("SHRINKWRAP", body, scene, "target"),
    "geometry nodes": lambda scene, rig, body: noded(body, scene, own=False),
    "input of geometry nodes": lambda scene, rig, body: noded(body, scene, own=False, asked=True),
    "driven location": lambda scene, rig, body: driven(rig, scene, (0, 1, 2)),
    "a rig that copies it": lambda scene, rig, body: second(scene, rig, list(metarig_bones())),
    "a rig whose root copies it": lambda scene, rig, body: second(scene, rig, ["spine"])}


@pytest.mark.parametrize("how", CARRIED)
def test_carried(scene, rig, body, how):
    thing = CARRIED[how](scene, rig, body)
    assert {"rig", "body", thing.name} <= carried(rig)


SCENERY = {
    "wall": lambda scene, rig, body: cube(scene, name="wall"),
    "looks at it": lambda scene, rig, body: held("TRACK_TO", rig, scene, "spine.006"),
    "keeps its distance": lambda scene, rig, body: held("LIMIT_DISTANCE", body, scene),
    "ground with footprints": lambda scene, rig, body: noded(body, scene, own=True),
    "ground that feet sink into": lambda scene, rig, body: noded(body, scene, own=True, asked=True),
    "a door that it opens": lambda scene, rig, body: driven(rig, scene, (2,)),
    "somebody who holds its hand": lambda scene, rig, body: second(scene, rig, ["hand.L"])}


@pytest.mark.parametrize("how", SCENERY)
def test_scenery(scene, rig, body, how):
    assert SCENERY[how](scene, rig, body).name not in carried(rig)


def test_what_the_rig_stands_on_is_scenery(scene, rig, body):
    """A rig on a car, and the driver's hat on the car's seat, are not the rig's."""
    car = cube(scene, name="car")
    rig.parent = car
    seat = child(car, scene, "seat")
    assert not {"car", seat.name} & carried(rig)


def test_muted_constraints_carry_nothing(scene, rig):
    thing = held("CHILD_OF", rig, scene, "hand.L")
    thing.constraints[0].mute = True
    assert thing.name not in carried(rig)


def test_a_control_rig_is_the_characters(scene, rig):
    """The chosen rig copies a control rig; a prop on the controls moves with the character."""
    controls = armature(scene, metarig_bones(), "controls")
    for bone in rig.pose.bones:
        constraint = bone.constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = controls, bone.name
    prop = child(controls, scene, "prop", "BONE", "hand.L")
    assert {"controls", prop.name} <= carried(rig)


def test_hair_on_the_body(scene, rig, body):
    curves = bpy.data.hair_curves.new("hair")
    hair = bpy.data.objects.new("hair", curves)
    scene.collection.objects.link(hair)
    curves.surface = body
    assert "hair" in carried(rig)


def test_meshes_that_no_relation_joins(scene, rig):
    """A chosen mesh belongs to the character, and so does what hangs from it."""
    cached = cube(scene, name="cached")
    hat = child(cached, scene, "hat")
    assert "hat" not in carried(rig) and {"cached", hat.name} <= carried(rig, cached)


def test_a_circle_of_relations_ends(scene, rig):
    first, other = held("COPY_LOCATION", rig, scene), cube(scene, name="other")
    other.constraints.new("COPY_LOCATION").target = first
    first.constraints.new("COPY_LOCATION").target = other
    assert {"copy_location", "other"} <= carried(rig)


def test_scene_hides_only_with_scenery(scene, rig, body, tmp_path):
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource, Request
    from bl_ext.user_default.aa2_blender.gather.shot import Shot
    for how in ("hat on the body", "worn on an empty", "Child Of", "a rig that copies it"):
        CARRIED[how](scene, rig, body)
    cube(scene, (0, 3, 1), 2, name="wall")
    image_strip(scene, tmp_path / "plate", write_sequence(tmp_path / "plate", 1))
    bpy.context.view_layer.update()
    asked = Request(name="x", scene=scene.name, strip="plate", rig="rig", holdouts=True, reference=ReferenceSource())
    assert [thing.name for thing in Shot(asked).holdouts] == ["wall"]
