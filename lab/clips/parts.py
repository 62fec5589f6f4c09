"""Some faces of a figure -> one skinned object: smoothed, stood off along its normals, thickened,
then bound to the rig."""

import bmesh
import bpy  # first: it brings bmesh
import numpy as np

from . import fabric
from .rig import bind


def add_part(scene, figure, rig, name, faces, material, *, off=0.0, smooth=0, thick=0.0, floor=None,
             roof=None, flare=None):
    """One part of the performer, its faces those of makehuman.Figure; lengths in metres.

    `floor`, `roof`: cut off below, above this height at rest (a hem, a collar). `flare`: (z, share, z, share) of the
    stand-off, linear between.
    """
    used = sorted({vertex for _, corners, _ in faces for vertex in corners})
    number = {vertex: k for k, vertex in enumerate(used)}
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(figure.points[used].tolist(), [], [[number[v] for v in corners] for _, corners, _ in faces])
    mesh.uv_layers.new().uv.foreach_set("vector", figure.textures[[t for _, _, row in faces for t in row]].ravel())
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    bind(rig, thing, figure.weights, used)
    for height, up in ((floor, 1), (roof, -1)):
        if height is not None:
            _hem(mesh, height, up)
    modifiers = []
    if smooth:
        modifiers.append(thing.modifiers.new("Loose", "SMOOTH"))
        modifiers[-1].iterations = smooth
    if off:
        modifiers.append(thing.modifiers.new("Stand off", "DISPLACE"))
        modifiers[-1].strength, modifiers[-1].mid_level = off, 0.0
        if flare:
            modifiers[-1].vertex_group = _flared(thing, flare)
    if thick:
        modifiers.append(thing.modifiers.new("Thick", "SOLIDIFY"))
        modifiers[-1].thickness = -thick
    apply(thing, modifiers)
    return dressed(thing, material)


def apply(thing, modifiers):
    """The mesh as these modifiers make it, in place of the mesh; they go, others stay."""
    others = [modifier for modifier in thing.modifiers if modifier not in modifiers]
    for modifier in others:
        modifier.show_viewport = False
    bpy.context.view_layer.update()
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    made = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True,
                                           depsgraph=bpy.context.evaluated_depsgraph_get())
    old, thing.data = thing.data, made
    bpy.data.meshes.remove(old)
    for modifier in modifiers:
        thing.modifiers.remove(modifier)
    for modifier in others:
        modifier.show_viewport = True


def dressed(thing, material, origin=(0, 0, 0)):
    """Gives a part its material, smooth shading, and its places at rest, from `origin`, for the material's pattern."""
    mesh = thing.data
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    places = places.reshape(-1, 3) - np.asarray(origin, np.float32)
    mesh.attributes.new(fabric.REST, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", places.ravel())
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.materials.clear()
    mesh.materials.append(material)
    return thing


def _flared(thing, flare):
    z0, w0, z1, w1 = flare
    group = thing.vertex_groups.new(name="Flare")
    for vertex in thing.data.vertices:
        group.add([vertex.index], float(np.interp(vertex.co.z, *zip(*sorted([(z0, w0), (z1, w1)]), strict=True))),
                  "REPLACE")
    return group.name


def _hem(mesh, height, up):
    """Cut a mesh off level at a height, keeping what is above it (`up` 1) or below (-1)."""
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.bisect_plane(bm, geom=bm.verts[:] + bm.edges[:] + bm.faces[:], plane_co=(0, 0, height),
                           plane_no=(0, 0, up), clear_inner=True)
    bm.to_mesh(mesh)
    bm.free()
