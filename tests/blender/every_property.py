"""A blend -> all its datablocks' properties as plain values, to compare two states of it."""
import bpy

# What a render or Python itself changes without anybody having touched the blend; storage_type, when an attribute is
# read in 5.2; strobe, which 4.2 makes at least 1 when it evaluates a strip; and the tools' settings, whose brushes are
# dangling pointers in 4.2.
_IGNORED = {"rna_type", "bl_rna", "session_uid", "is_evaluated", "original", "users", "preview", "is_dirty",
            "depsgraph", "is_runtime_data", "is_missing", "has_data", "render", "bindcode", "pixels", "tag",
            "storage_type", "tool_settings", "strobe"}
# Of datablocks: what belongs to the window and not to the file.
_NOT_OURS = {"window_managers", "screens", "workspaces", "brushes", "palettes", "fonts"}


def snapshot():
    """{path: value} of every property of every datablock; pointers to datablocks are names, and what is stored inside
    a datablock is followed, each struct once."""
    found = {}
    for kind in bpy.data.bl_rna.properties:
        if kind.type != "COLLECTION" or kind.identifier in _NOT_OURS:
            continue
        for block in getattr(bpy.data, kind.identifier):
            _read(block, f"{kind.identifier}[{block.name_full}]", found, set())
            for name in block.keys():  # noqa: SIM118 - a datablock is no dictionary
                found[f"{kind.identifier}[{block.name_full}][{name}]"] = str(block[name])
    return found


def changes(before, after):
    """What differs between two snapshots, as lines to read."""
    return [f"{path}: {before.get(path, 'nothing')} -> {after.get(path, 'nothing')}"
            for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]


def _read(struct, path, found, seen):
    key = (struct.as_pointer(), struct.bl_rna.identifier)
    if key in seen or len(path) > 400:
        return
    seen.add(key)
    for known in struct.bl_rna.properties:
        name = known.identifier
        if name in _IGNORED and (name != "render" or not isinstance(struct, bpy.types.Scene)):
            continue
        try:
            value = getattr(struct, name)
        except (AttributeError, RuntimeError, TypeError):
            continue
        _keep(value, known, f"{path}.{name}", found, seen)


def _keep(value, known, path, found, seen):
    if known.type == "POINTER":
        _follow(value, path, found, seen)
    elif known.type == "COLLECTION":
        found[f"{path}#"] = len(value)
        for number, one in enumerate(value):
            _follow(one, f"{path}[{number}]", found, seen)
    else:
        found[path] = tuple(map(str, value)) if getattr(known, "is_array", False) else repr(value)


def _follow(value, path, found, seen):
    if not isinstance(value, bpy.types.bpy_struct):
        found[path] = repr(value)
    elif isinstance(value, bpy.types.ID) and not value.is_embedded_data:
        found[path] = value.name_full
    else:
        _read(value, path, found, seen)
