"""Pictures on the disk as icons. Blender reads them in the background while it draws."""
import os
from pathlib import Path

import bpy
import bpy.utils.previews

_MOST = 64
_kept = None


def thumbnail_of(path: Path | None) -> int:
    """The icon of a picture as it is on the disk now; 0 for no picture."""
    if path is None or _kept is None:
        return 0
    try:
        name = f"{path} {os.stat(path).st_mtime_ns}"
    except OSError:
        return 0
    if os.path.isdir(path):
        return 0
    if name not in _kept:
        if len(_kept) > _MOST:
            _kept.clear()
        _kept.load(name, str(path), "IMAGE")
    return _kept[name].icon_id


def register() -> None:
    global _kept
    _kept = bpy.utils.previews.new()


def unregister() -> None:
    global _kept
    bpy.utils.previews.remove(_kept)
    _kept = None
