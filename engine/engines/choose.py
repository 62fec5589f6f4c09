"""An engine's name, as jobs and packs give it -> its class. Importing this imports no engine."""

import importlib
from typing import TYPE_CHECKING

from ..contract.errors import JobError

if TYPE_CHECKING:
    from .base import Engine

# Name -> (module, class).
ENGINES = {
    "compact": (".compact.engine", "CompactEngine"),
    "sd15-aa2": (".sd15.engine", "Sd15Engine"),
    "wan-vace": (".wan.vace", "VaceEngine"),
    "wan-animate": (".wan.animate", "AnimateEngine"),
}


def kind_of(name: str) -> "type[Engine]":
    """The class of the engine with this name. Raises JobError."""
    if name not in ENGINES:
        raise JobError("settings_invalid", f"engine: expected one of {', '.join(ENGINES)}, got {name[:60]!r}.",
                       "Update the extension, or choose another engine.")
    module, kind = ENGINES[name]
    return getattr(importlib.import_module(module, __package__), kind)
