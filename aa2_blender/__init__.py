"""A reference picture, a rig and a plate become a character in the shot: the add-on's way in and out of Blender."""
import sys

if "_PARTS" in globals():
    # Blender's Reload Scripts runs this file once more, but not the modules below it: they are to be read anew.
    for _name in [name for name in sys.modules if name.startswith(__name__ + ".")]:
        del sys.modules[_name]
        globals().pop(_name.removeprefix(__name__ + "."), None)

from . import cli, operators, panels
from .queue import session
from .settings import preferences, properties

_PARTS = (properties, preferences, operators, panels, cli, session)


def register():
    """Called by Blender when the extension is enabled."""
    for part in _PARTS:
        part.register()


def unregister():
    """Called by Blender when the extension is disabled and before it quits; ends the engine."""
    for part in reversed(_PARTS):
        part.unregister()
