"""A setting of a scene that may have keyframes -> its value on each frame, without changing the scene's frame."""

from ..blender_api import curve


def values(scene, path, frames, *, low):
    """A tuple of floats of the property `path` (such as "aa2.mask_grow") on the frames; None where it is 0 on all.

    Keyframes count, cut off at `low` where a curve swings beneath it; drivers do not.
    """
    keyed = curve(scene, path)
    if keyed:
        found = tuple(float(keyed.evaluate(frame)) for frame in frames)
    else:
        found = (float(scene.path_resolve(path)),) * len(frames)
    return tuple(max(value, low) for value in found) if any(found) else None
