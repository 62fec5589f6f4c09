"""The camera of a driver's scene at a frame, and points in the world <-> pixels and depth in the job's picture."""

import bpy
import numpy as np

from .names import Name, find


def size_of(scene: bpy.types.Scene) -> tuple[int, int]:
    """(width, height) in pixels that the scene renders, as Blender rounds them."""
    render = scene.render
    return (render.resolution_x * render.resolution_percentage // 100,
            render.resolution_y * render.resolution_percentage // 100)


def camera_at(scene: bpy.types.Scene, frame: int, name: Name = "") -> bpy.types.Object | None:
    """The camera object that shows `frame`: the named one, else by the timeline's markers as Blender switches them
    (the last one not after the frame, or the leftmost), else the scene's."""
    if name:
        return find(scene.objects, name)
    markers = [m for m in scene.timeline_markers if m.camera]
    before = [m for m in markers if m.frame <= frame]
    if before:
        return max(before, key=lambda m: m.frame).camera
    return min(markers, key=lambda m: m.frame).camera if markers else scene.camera


def pixel_aspect(scene: bpy.types.Scene, size: tuple[int, int]) -> tuple[float, float]:
    """(x, y) pixel aspect, at least 1, that shows the driver's whole frame in a picture of `size`.

    The driver's scene may have another resolution than the edit: its frame then fills the edit's (ours: the plate was
    shot with one camera, whatever size each scene renders)."""
    own = size_of(scene)
    x = scene.render.pixel_aspect_x * own[0] / size[0]
    y = scene.render.pixel_aspect_y * own[1] / size[1]
    return x / min(x, y), y / min(x, y)


def project(points: np.ndarray, cameras: np.ndarray, projections: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """World points (F,K,3) -> (x, y, depth) (F,K,3): pixels with y down and planar depth, positive in front.

    `cameras`: (F,4,4) normalised world matrices; `projections`: (F,4,4) from camera to clip space. Agrees with
    bpy_extras' world_to_camera_view. Points in the camera's own plane get no finite x and y.
    """
    seen = _transform(points, np.linalg.inv(cameras))
    clip = _transform(seen[..., :3], projections)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (clip[..., 0] / clip[..., 3] + 1) / 2 * size[0]
        y = (1 - clip[..., 1] / clip[..., 3]) / 2 * size[1]
    return np.stack([x, y, -seen[..., 2]], axis=2)


def unproject(points: np.ndarray, cameras: np.ndarray, projections: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The inverse of `project`: (x, y, depth) (F,K,3) -> world points (F,K,3)."""
    across, up = points[..., 0] / size[0] * 2 - 1, 1 - points[..., 1] / size[1] * 2
    depth = points[..., 2]
    rows = projections[:, None]
    w = rows[..., 3, 3] - rows[..., 3, 2] * depth                     # the depth for a perspective camera, 1 for ortho
    targets = np.stack([across * w, up * w], axis=2) - rows[..., :2, 3] + rows[..., :2, 2] * depth[..., None]
    flat = np.linalg.solve(np.broadcast_to(rows[..., :2, :2], (*points.shape[:2], 2, 2)), targets[..., None])[..., 0]
    return _transform(np.concatenate([flat, -depth[..., None]], axis=2), cameras)[..., :3]


def _transform(points: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """(F,K,3) by (F,4,4) -> homogeneous (F,K,4)."""
    return points @ matrices[:, :, :3].transpose(0, 2, 1) + matrices[:, None, :, 3]
