# Blender's module is untyped here: what is right differs between its releases, and bpy runs in none of ours.
from typing import Any

def __getattr__(name: str) -> Any: ...
