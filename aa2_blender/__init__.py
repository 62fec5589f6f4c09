"""A reference picture, a rig and a plate become a character in the shot: the add-on's way in and out of Blender."""
from . import cli, generation, operators, panel, preferences, properties

_PARTS = (properties, preferences, operators, panel, cli, generation)


def register():
    """Called by Blender when the extension is enabled."""
    for part in _PARTS:
        part.register()


def unregister():
    """Called by Blender when the extension is disabled and before it quits; ends the engine."""
    for part in reversed(_PARTS):
        part.unregister()
