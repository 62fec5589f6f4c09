"""A layout that stores what a panel draws, so that panels can be tested without a window.

It is as strict as Blender's: properties and operators must exist, and icons must be known.
"""
from types import SimpleNamespace

import bpy

ICONS = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()


class Layout:
    """`said` lists (kind, text) of everything that is drawn here and in all layouts below, in order."""

    def __init__(self, said=None):
        self.said = [] if said is None else said
        self.enabled = self.active = True

    def below(self, **_how):
        return Layout(self.said)

    row = column = box = split = grid_flow = below

    def separator(self, **_how):
        pass

    def label(self, *, text="", icon="NONE", icon_value=0, **_how):
        assert icon in ICONS, icon
        self.said.append(("label", text))
        if icon_value:
            self.said.append(("icon", icon_value))

    def progress(self, *, factor=0.0, text="", **_how):
        assert 0 <= factor <= 1
        self.said.append(("progress", text))

    def template_icon(self, *, icon_value, scale=1.0):
        self.said.append(("icon", icon_value))

    def prop(self, data, name, *, text=None, icon="NONE", **_how):
        assert icon in ICONS, icon
        assert name in data.bl_rna.properties, f"{data} has no property {name}"
        self.said.append(("prop", name))

    def prop_search(self, data, name, source, _collection, **_how):
        self.prop(data, name)

    def operator(self, name, *, text=None, icon="NONE", **_how):
        assert icon in ICONS, icon
        room, short = name.split(".")
        assert short in dir(getattr(bpy.ops, room)), f"there is no operator {name}"
        self.said.append(("operator", name))
        return SimpleNamespace(**dict.fromkeys(getattr(getattr(bpy.ops, room), short).get_rna_type().properties.keys()))

    def template_list(self, name, _id, data, collection, _active, index, rows=5):
        """Draws all rows, like a list that is long enough."""
        kind = getattr(bpy.types, name)
        assert index in data.bl_rna.properties
        seen = SimpleNamespace(**{key: value for key, value in vars(kind).items() if not key.startswith("__")})
        for item in getattr(data, collection):
            kind.draw_item(seen, None, self, data, item, 0, data, index)

    def icon(self, thing):
        return thing.bl_rna.properties is not None

    def all_of(self, kind):
        return [text for one, text in self.said if one == kind]


def drawn(part, scene):
    """What a Part of panels/ draws for a scene, as a Layout."""
    layout = Layout()
    system = SimpleNamespace(ui_scale=1.0)
    context = SimpleNamespace(region=SimpleNamespace(width=400), scene=scene,
                              preferences=SimpleNamespace(system=system))
    part().tell(layout, context, scene)
    return layout
