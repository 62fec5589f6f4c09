"""How a request names datablocks: by name, and by library as well if they are linked, since names are not unique."""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..embedded.engine.contract.fields import tuple_of, whole_text

if TYPE_CHECKING:  # kept requests are read without Blender too
    import bpy

Name = str | tuple[str, str]  # a local datablock's name; (name, path of the library) of a linked one
_linked = tuple_of(whole_text, whole_text)


def name_of(block: "bpy.types.ID | None") -> Name:
    """What a request calls a datablock; "" for none."""
    if block is None:
        return ""
    return (block.name, block.library.filepath) if block.library else block.name


def names_of(blocks: "Iterable[bpy.types.ID | None]") -> tuple[Name, ...]:
    """What a request calls the datablocks that are there, once each."""
    return tuple(dict.fromkeys(name_of(block) for block in blocks if block))


def find(blocks: Any, name: Name) -> Any:
    """The datablock of that name among `blocks`, a collection of Blender's; None if there is none.

    A plain name means the local one, or else a linked one, as in requests of before and on the command line. A library
    that was moved is found by its file's name, if no other library has the same.
    """
    if isinstance(name, str):
        found = blocks.get(name) if name else None
        if found is None or found.library is None:
            return found
        return next((block for block in _called(blocks, name) if block.library is None), found)
    linked = [block for block in _called(blocks, name[0]) if block.library]
    exact = [block for block in linked if block.library.filepath == name[1]]
    alike = [block for block in linked if _file_of(block.library.filepath) == _file_of(name[1])]
    return exact[0] if exact else alike[0] if len(alike) == 1 else None


def plain(name: Name) -> str:
    """The name alone, for people to read."""
    return name if isinstance(name, str) else name[0]


def said(name: Name) -> str:
    """The name as messages say it."""
    return repr(name) if isinstance(name, str) else f"{name[0]!r} of the library {name[1]!r}"


def checked_name(value: Any) -> Name:
    """The check of a field that names a datablock."""
    if isinstance(value, (list, tuple)):
        try:
            return _linked(value)
        except ValueError:
            raise ValueError("a name, or a list of a name and a library") from None
    return whole_text(value)


def _called(blocks: Any, name: str) -> Iterator[Any]:
    return (block for block in blocks if block.name == name)


def _file_of(path: str) -> str:
    return os.path.basename(path.replace("\\", "/").removeprefix("//"))
