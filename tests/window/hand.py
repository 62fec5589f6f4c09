"""An artist's hand in a real window: it finds our buttons by asking Blender what is under the mouse, and clicks and
types.

Runs inside Blender. Every method that moves the mouse is a generator of the seconds to wait, because Blender handles
events only between two calls of its timers. Places are pixels from the window's left and bottom, as in Blender.
"""
import subprocess

import bpy
import numpy as np

SETTLED_S = 0.4         # after a click, until the window shows it
PROBED_S = 0.04         # after a move, until Blender knows which button is under the mouse
HANDLED_S = 0.02        # after that, until the button there is highlighted
ARRIVED = 25            # times that at most, until Blender has seen the mouse where it was moved
ROW = 16                # pixels; less than the height of a button
NEAR = 12               # rows in which the next button is likely
# Places as parts of the sidebar's width: of fields and single buttons, of other buttons, and where to look if a button
# is at none of these.
MIDDLE = 0.75
LIES = {"aa2.pin_plate": 0.9, "aa2.use_frame_as_reference": 0.89, "aa2.find_reference_joints": 0.3,
        "aa2.use_armature": 0.8, "aa2.place_again": 0.3,
        "aa2.generate_as_shown": 0.3, "aa2.queue_cancel": 0.9, "aa2.queue_remove": 0.9, "aa2.queue_pause": 0.86,
        "aa2.queue_resume": 0.86, "aa2.queue_move": 0.78,
        "aa2.show_version(by=-1": 0.04, "aa2.show_version(by=1": 0.96, "aa2.show_condition(kind='environment'": 0.25,
        "aa2.show_condition(kind='skeleton'": 0.25}
# Operators in the upper part of the sidebar. For all others, the sidebar is first scrolled to its end.
UPPER = ("aa2.use_armature", "aa2.use_frame_as_reference",
         "aa2.find_reference_joints", "aa2.edit_reference_joints", "aa2.edit_bones",
         "aa2.choose_performer")
FIRST = ("aa2.pin_plate", "aa2.use_armature", "aa2.generate", "aa2.cancel", "reference_path")   # of the first panel
ACROSS = (0.89, 0.845, 0.3, 0.8, 0.93, 0.6, 0.45, 0.15, 0.05)
WHEEL_UP, WHEEL_DOWN = "4", "5"
FAR = 60                # turns of the mouse wheel from one end of the sidebar to the other


HEAD = 26               # pixels; the height of a closed panel
EDGE = 12               # pixels from the sidebar's left, where panels show nothing but their colour
PANEL = 61 / 255        # their colour; between them it is 48
PANELS = ("Character", "Shot", "Reference", "Driver", "Objects", "Light", "Look", "Preview", "Queue", "Result")


class NotFound(Exception):
    """No such button was found."""


class Hand:
    """`clicked` lists in words what was pressed, in order."""

    def __init__(self, window):
        self.window = window
        self.clicked = []
        self._seen = {}         # button -> its last place
        self._passed = {}       # what was under the mouse while it moved -> its last place
        self._row = window.height   # a little above the last button that was found: the next one is likely below

    def press(self, area, what, words=""):
        """Find the button of an operator ("aa2.generate") or setting ("strip") in an area's sidebar, and click it."""
        place = yield from self.find(area, what)
        yield from self.click(place, words or f"the button {what}")

    def find(self, area, what):
        """The place of a button. First its last place is tried, then the visible page of the sidebar, then all of the
        sidebar from its top. The part of the width where the button is known to be comes first."""
        sidebar = region(area, "UI")
        if what in FIRST:
            yield from self.page(area, 0)
        for place in [self._seen.get(what), *(place for found, place in self._passed.items() if matches(found, what))]:
            if place and (yield from self._lies_at(place, area, sidebar, what)):
                self._seen[what] = place
                return place
        known = next((share for name, share in LIES.items() if what.startswith(name)), MIDDLE)
        down = what.startswith(("aa2.", "wm.", "fix_", "form")) and not what.startswith(UPPER)
        ends = ((WHEEL_DOWN, FAR), (WHEEL_UP, FAR)) if down else ((WHEEL_UP, FAR), (WHEEL_DOWN, FAR))
        if (yield from self._search(area, sidebar, what, (known,), NEAR)):
            return self._seen[what]
        for shares in ((known,), ACROSS):
            for wheel in (*ends, (WHEEL_UP, FAR), *((WHEEL_DOWN, 12),) * 3):
                yield from self._scroll(sidebar, *wheel)
                if (yield from self._search(area, sidebar, what, shares)):
                    return self._seen[what]
        raise NotFound(f"There is no button {what!r} in the sidebar.")

    def first_page(self, area, shares, last):
        """{what a button does: how far its place is below the sidebar's top, in pixels} of the buttons that are seen
        without scrolling, at these parts of the sidebar's width, down to the button `last`."""
        yield from self.page(area, 0)
        sidebar, there = region(area, "UI"), {}
        top = sidebar.y + sidebar.height
        for y in range(top - ROW // 2, sidebar.y, -ROW):
            for share in shares:
                yield from self.move((sidebar.x + int(sidebar.width * share), y))
                yield PROBED_S
                found = under_mouse(self.window, area, sidebar)
                if found:
                    there.setdefault(found, top - y)
            if any(matches(found, last) for found in there):
                break
        return there

    def _search(self, area, sidebar, what, shares, most=None):
        """Look below the last button that was found, and then from the top, at these parts of the sidebar's width and
        in at most `most` rows."""
        top, bottom = sidebar.y + sidebar.height - ROW // 2, sidebar.y
        rows = list(range(min(self._row, top), bottom, -ROW)) + list(range(top, self._row, -ROW))
        for share in shares:
            for y in rows[:most]:
                place = sidebar.x + int(sidebar.width * share), y
                if (yield from self._lies_at(place, area, sidebar, what)):
                    self._seen[what], self._row = place, y + 2 * ROW
                    return True
        return False

    def page(self, area, down):
        """Scroll the sidebar to its top, and then down by turns of the wheel, as far as it goes."""
        sidebar = region(area, "UI")
        yield from self._scroll(sidebar, WHEEL_UP, FAR)
        if down:
            yield from self._scroll(sidebar, WHEEL_DOWN, down)

    def _scroll(self, sidebar, wheel, times):
        yield from self.move((sidebar.x + sidebar.width // 2, sidebar.y + sidebar.height // 2))
        self._key("click", "--repeat", str(times), "--delay", "4", wheel)
        self._row = sidebar.y + sidebar.height
        yield SETTLED_S

    def _lies_at(self, place, area, sidebar, what):
        yield from self.move(place)
        found = under_mouse(self.window, area, sidebar)
        if found:
            self._passed[found] = place
        return matches(found, what)

    def middle(self, area, what):
        """The place of a button, at the middle of its height."""
        x, y = yield from self.find(area, what)
        ends = []
        for step in (2, -2):
            end = y
            while (yield from self._lies_at((x, end + step), area, region(area, "UI"), what)):
                end += step
            ends.append(end)
        return x, sum(ends) // 2

    def only(self, area, name):
        """Open the panel `name` and close all others but the first. The panels are the light stretches of the sidebar's
        left edge; a closed one is as high as its head."""
        yield from self.page(area, 0)
        for _turn in range(len(PANELS)):
            stretches = yield from self._panels(area)
            opened = [PANELS[k] for k, (top, bottom) in enumerate(stretches) if k and bottom - top > 2 * HEAD]
            wrong = next((one for one in opened if one != name), None if name in opened else name)
            if wrong is None:
                self._row = self.window.height - stretches[PANELS.index(name)][0]   # what comes next is in there
                return
            top, _bottom = stretches[PANELS.index(wrong)]
            yield from self.click((region(area, "UI").x + 80, self.window.height - top - HEAD // 2),
                                  f"the head of {wrong}")
        raise NotFound(f"The panel {name!r} cannot be opened alone: {stretches}")

    def _panels(self, area):
        """[(top, bottom)] of the panels in the sidebar, in pixels from the window's top."""
        yield from self.away(area)
        yield SETTLED_S
        sidebar, file = region(area, "UI"), bpy.app.tempdir + "panels.png"
        self._run("import", "-window", "root", "-depth", "8", f"PNG24:{file}")
        picture = bpy.data.images.load(file)
        width, height = picture.size
        pixels = np.empty(width * height * 4, np.float32)
        picture.pixels.foreach_get(pixels)
        bpy.data.images.remove(picture)
        edge = pixels.reshape(height, width, 4)[::-1][:, sidebar.x + EDGE, 0]
        first = self.window.height - sidebar.y - sidebar.height
        is_panel = np.abs(edge[first:first + sidebar.height] - PANEL) < 0.02
        bounds = first + np.flatnonzero(np.diff(np.concatenate([[0], is_panel, [0]]).astype(int)))
        stretches = zip(bounds[::2].tolist(), bounds[1::2].tolist(), strict=True)
        return [(top, bottom) for top, bottom in stretches if bottom - top > HEAD // 2]

    def fold(self, area, name, below, by):
        """Open or close the panel `name`, whose header is `by` pixels below the middle of a button."""
        _x, y = yield from self.middle(area, below)
        yield from self.click((region(area, "UI").x + 80, y - by), f"the head of {name}")

    def move(self, place):
        """Move the mouse, and wait until Blender has seen it there: on a busy machine that takes a while."""
        subprocess.run(["xdotool", "mousemove", str(place[0]), str(self.window.height - place[1])], check=True)
        yield PROBED_S
        for _turn in range(ARRIVED):
            if is_at(self.window, place):
                break
            yield PROBED_S
        yield HANDLED_S

    def click(self, place, words, alone=False):
        """Click with the left button; recorded as `words`. `alone`: hold Alt, so that a strip is selected without those
        that are connected with it."""
        yield from self.move(place)
        for held in ("alt",) * alone:
            self._key("keydown", held)
            yield PROBED_S
        self._key("click", "1")
        for held in ("alt",) * alone:
            yield PROBED_S
            self._key("keyup", held)
        self.clicked.append(words)
        yield SETTLED_S

    def enter(self, area, what, text):
        """Replace the content of a text or number field."""
        place = yield from self.find(area, what)
        yield from self.move(place)
        self._key("click", "--repeat", "2", "--delay", "60", "1")
        yield SETTLED_S
        self._key("key", "ctrl+a")
        self._key("type", "--delay", "20", text)
        yield from self.keys("Return")
        self.clicked.append(f"the field {what}, and wrote {text}")

    def choose(self, area, what, name):
        """Choose an entry of the list that a field for an object, a scene or a collection opens."""
        yield from self.click((yield from self.find(area, what)), f"the field {what}, and chose {name}")
        self._key("type", "--delay", "20", name)
        yield SETTLED_S
        yield from self.keys("Return")

    def drag(self, place, by):
        """Drag what is at a place, for example the edge of a sidebar."""
        yield from self.move(place)
        self._key("mousedown", "1")
        yield PROBED_S
        for share in (0.3, 0.7, 1.0):
            yield from self.move((place[0] + int(by[0] * share), place[1] + int(by[1] * share)))
        self._key("mouseup", "1")
        yield SETTLED_S

    def keys(self, *names, words=""):
        """Press keys, with X's names, one after another; they go to the editor under the mouse."""
        for name in names:
            self._key("key", name)
            yield SETTLED_S
        if words:
            self.clicked.append(words)

    def away(self, area):
        """Move the mouse away from all buttons, but inside the editor: only there does the last button lose its
        highlight."""
        preview = region(area, "PREVIEW") if area.type == "SEQUENCE_EDITOR" else None
        viewer = preview if preview and preview.height > 1 else region(area, "WINDOW")
        yield from self.move((viewer.x + viewer.width // 2, viewer.y + viewer.height // 2))

    def _key(self, *words):
        self._run("xdotool", *words)

    def _run(self, *words):
        subprocess.run(words, check=True)


class WINDOW_TEST_OT_where(bpy.types.Operator):
    """Keeps where Blender saw the mouse last."""

    bl_idname = "window_test.where"
    bl_label = "Where"
    place = (0, 0)

    def invoke(self, _context, event):
        type(self).place = event.mouse_x, event.mouse_y
        return {"FINISHED"}


bpy.utils.register_class(WINDOW_TEST_OT_where)


def is_at(window, place):
    """Whether Blender has seen the mouse at a place."""
    with bpy.context.temp_override(window=window):
        bpy.ops.window_test.where("INVOKE_DEFAULT")
    return all(abs(seen - wanted) <= 1 for seen, wanted in zip(WINDOW_TEST_OT_where.place, place, strict=True))


def region(area, kind):
    return next(region for region in area.regions if region.type == kind)


def under_mouse(window, area, sidebar):
    """What the button under the mouse does, as a Python expression; "" if there is no button."""
    manager = bpy.context.window_manager
    with bpy.context.temp_override(window=window, area=area, region=sidebar):
        if bpy.ops.ui.copy_python_command_button.poll():
            manager.clipboard = ""
            bpy.ops.ui.copy_python_command_button()
            return manager.clipboard
        if bpy.ops.ui.copy_data_path_button.poll():
            manager.clipboard = ""
            bpy.ops.ui.copy_data_path_button(full_path=True)
            return manager.clipboard
    return ""


def matches(found, what):
    """`what`: an operator's name, possibly with the beginning of its arguments, or a setting's name."""
    return found.startswith(f"bpy.ops.{what}" + "(" * ("(" not in what)) or found.endswith(f".aa2.{what}")
