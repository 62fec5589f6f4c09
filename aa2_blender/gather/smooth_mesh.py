"""Points and faces -> a smooth mesh of Blender's."""

import bpy
import numpy as np


def smooth_mesh(name: str, points: np.ndarray, faces: np.ndarray, material: bpy.types.Material) -> bpy.types.Mesh:
    """A new mesh: points (V, 3), and faces (N, C) of C corners each. Whole arrays are handed over, since Blender's own
    from_pydata takes several milliseconds for a ball."""
    mesh, (count, corners) = bpy.data.meshes.new(name), faces.shape
    mesh.vertices.add(len(points))
    mesh.loops.add(faces.size)
    mesh.polygons.add(count)
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, np.int32).ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, corners, dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(count, bool))
    mesh.update(calc_edges=True)
    mesh.materials.append(material)
    return mesh
