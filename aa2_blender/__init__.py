"""A reference picture, a rig and a plate become a character in the shot: the add-on's way in and out of Blender."""
from . import cli, operators, panels, preferences, properties, session

_PARTS = (properties, preferences, operators, panels, cli, session)


def register():
    """Called by Blender when the extension is enabled."""
    for part in _PARTS:
        part.register()


def unregister():
    """Called by Blender when the extension is disabled and before it quits; ends the engine."""
    for part in reversed(_PARTS):
        part.unregister()
