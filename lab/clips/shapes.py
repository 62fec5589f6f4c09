"""Corners and profiles -> objects in a collection: boxes and bodies of revolution; metres.

Shared with the demo's room, which imports it by itself: nothing here is imported relatively.
"""
import math
from itertools import pairwise

import bmesh
import bpy  # first: it brings bmesh
from mathutils import Matrix, Vector


def add(collection, name, mesh, material, at=(0, 0, 0), smooth=False):
    ob = bpy.data.objects.new(name, mesh)
    ob.location = at
    mesh.materials.append(material)
    if smooth:
        mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    collection.objects.link(ob)
    return ob


def box(collection, name, low, high, material, bevel=0.0):
    """An axis-aligned box from corner to corner, its origin in its middle."""
    low, high = Vector(low), Vector(high)
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1.0, matrix=Matrix.Diagonal((*(high - low), 1.0)))
    if bevel:
        bmesh.ops.bevel(bm, geom=bm.edges[:], offset=bevel, segments=2, affect="EDGES", profile=0.5)
    return add(collection, name, finished(bm, name), material, (low + high) / 2)


def lathe(collection, name, profile, material, at, segments=40):
    """A body of revolution about z from (radius, height) pairs, lowest first; heights from `at`."""
    bm = bmesh.new()
    rings = [[bm.verts.new((r * math.cos(a), r * math.sin(a), z)) for a in
              (2 * math.pi * k / segments for k in range(segments))] for r, z in profile]
    for below, above in pairwise(rings):
        for k in range(segments):
            n = (k + 1) % segments
            bm.faces.new((below[k], below[n], above[n], above[k]))
    bm.faces.new(reversed(rings[0]))
    return add(collection, name, finished(bm, name), material, at, smooth=True)


def finished(bm, name):
    mesh = bpy.data.meshes.new(name)
    bm.to_mesh(mesh)
    bm.free()
    return mesh
