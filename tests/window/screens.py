"""The tab's first panel in stock workspaces, and the first strip of somebody new. test_screens.py runs this:

    blender --window-geometry 0 0 1280 800 shot.blend --python screens.py -- OUT

Writes OUT/NAME.png, the whole window, for each of SCREENS, and OUT/told.json: which buttons of the first panel were
seen without scrolling, and how many clicks and seconds the first strip took.
"""
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from artist import SETTLED_S, Artist, perform, photograph, told
from first_shot import OFFSET
from hand import region

WHOLE_S = 500
# Name of the picture -> (workspace, type of the editor, what it shows, scale of the interface).
SCREENS = {
    "video-editing": ("Video Editing", "SEQUENCE_EDITOR", "SEQUENCER", 1.0),
    "video-editing-preview": ("Video Editing", "SEQUENCE_EDITOR", "PREVIEW", 1.0),
    "layout": ("Layout", "VIEW_3D", "", 1.0), "animation": ("Animation", "VIEW_3D", "", 1.0),
    "shading": ("Shading", "VIEW_3D", "", 1.0),
    "layout-large": ("Layout", "VIEW_3D", "", 1.5),
    "video-editing-large": ("Video Editing", "SEQUENCE_EDITOR", "SEQUENCER", 1.5)}
# Parts of the sidebar's width at which all buttons of the first panel are met, however wide it is.
SHARES = (0.58, 0.845, 0.89)
BELOW = 3.5 * 20        # pixels at scale 1: half of Generate, and the two lines of the cost below it
TEMPLATE = "bl_app_templates_system/Video_Editing/startup.blend"
PATIENCE_S = 90         # for the first strip on a busy machine


class Screens(Artist):
    """Each step is a generator of the seconds to wait."""

    def steps(self):
        yield from self.go(self.begin, self.look_at_all, self.first_strip)

    def begin(self):
        """Bring in the workspace of Blender's template for video editing. The shot is as whoever animated it left it;
        its frame offset is the animator's to say."""
        template = next(Path(folder) / TEMPLATE for folder in bpy.utils.script_paths(subdir="startup")
                        if (Path(folder) / TEMPLATE).exists())
        bpy.ops.workspace.append_activate(idname="Video Editing", filepath=str(template))
        self.edit.sequence_editor.active_strip = None
        self.edit.aa2.derive_offset, self.edit.aa2.frame_offset = False, int(OFFSET)
        yield SETTLED_S

    def show(self, name):
        """Show a workspace with the tab in the sidebar of its largest editor of this type."""
        workspace, kind, shows, scale = SCREENS[name]
        bpy.context.preferences.view.ui_scale = scale
        self.window.workspace = bpy.data.workspaces[workspace]
        yield SETTLED_S
        self.window.scene = self.edit
        there = [area for area in self.window.screen.areas if area.type == kind
                 and (not shows or area.spaces.active.view_type == shows)]
        self.area = max(there, key=lambda area: area.width * area.height)
        self.area.spaces.active.show_region_ui = True
        yield 2 * SETTLED_S
        region(self.area, "UI").active_panel_category = "AA2"
        yield SETTLED_S

    def first_strip(self):
        """Click the plate, choose the picture and the rig, press Generate, and wait for the first strip."""
        yield from self.show("video-editing")
        with bpy.context.temp_override(window=self.window, area=self.area, region=region(self.area, "WINDOW")):
            bpy.ops.sequencer.view_all()
        yield SETTLED_S
        before, began = len(self.hand.clicked), time.monotonic()
        yield from self.hand.click(self.middle_of("Room"), "the strip Room in the timeline")
        yield from self.hand.enter(self.area, "reference_path", "//reference.png")
        yield from self.press("aa2.use_armature")
        yield from self.press("aa2.generate")
        pressed = time.monotonic()
        yield from self.until(lambda: self.ours(), "the first strip", PATIENCE_S)
        told["happened"].update(
            clicks=len(self.hand.clicked) - before, seconds_of_clicking=round(pressed - began, 1),
            seconds_to_the_first_strip=round(time.monotonic() - pressed, 1))
        yield 2 * SETTLED_S
        photograph("first-strip")

    def look_at_all(self):
        """Take each picture, and look for the buttons without scrolling: first where the rig is missing, which has a
        message and a remedy's button, then where nothing is."""
        ours, rig = self.edit.aa2, bpy.data.objects["Performer"]
        ours.reference_path = "//reference.png"
        for name in SCREENS:
            yield from self.show(name)
            for what, ours.strip, ours.armature in (("missing", "", None), ("whole", "Room", rig)):
                self.edit.sequence_editor.active_strip = None
                yield from self.away_and_photograph(f"{name}-{what}")
            sidebar = region(self.area, "UI")
            found = yield from self.hand.first_page(self.area, SHARES, "aa2.generate")
            told["pictures"][name] = {
                "sidebar": [sidebar.x, self.window.height - sidebar.y - sidebar.height, sidebar.width, sidebar.height],
                "buttons": found, "below": BELOW * SCREENS[name][3]}
        ours.strip, ours.reference_path, ours.armature = "", "", None

    def away_and_photograph(self, name):
        yield from self.hand.page(self.area, 0)
        yield from self.hand.away(self.area)
        self.area.tag_redraw()
        yield SETTLED_S
        photograph(name)


perform(Screens().steps(), WHOLE_S)
