"""An artist's hand in a real window: finds our buttons by asking Blender what lies under the mouse, clicks,
types, looks.

Runs inside Blender. Every method that moves the mouse is a generator of the seconds to wait, since Blender handles its
events only between two calls of its timers. Places are pixels from the window's left and bottom, as Blender counts.
"""
import subprocess

import bpy

SETTLED_S = 0.4         # after a click, until the window shows it
PROBED_S = 0.04         # after a move, until Blender knows the button under the mouse
ROW = 16                # pixels; less than the height of a button
NEAR = 12               # rows; where the next button is likely
# Of the sidebar's width: where fields and single buttons lie, where others do,
# and where to look when it is at none of these.
MIDDLE = 0.75
LIES = {"aa2.use_active_strip": 0.89, "aa2.find_reference_joints": 0.3, "aa2.preview_conditions": 0.3,
        "aa2.place_again": 0.3,
        "aa2.redo": 0.3, "aa2.queue_cancel": 0.89, "aa2.queue_pause": 0.845, "aa2.queue_resume": 0.845,
        "aa2.queue_move": 0.755,
        "aa2.show_version(by=-1": 0.04, "aa2.show_condition(kind='environment'": 0.63,
        "aa2.show_condition(kind='skeleton'": 0.1}
# Operators that lie in the sidebar's upper part; all others lie at its end, where it is scrolled to first.
UPPER = ("aa2.use_active_strip", "aa2.find_reference_joints", "aa2.edit_reference_joints", "aa2.edit_bones",
         "aa2.choose_performer")
ACROSS = (0.89, 0.845, 0.3, 0.8, 0.93, 0.6, 0.45, 0.15, 0.05)
WHEEL_UP, WHEEL_DOWN = "4", "5"
FAR = 60                # turns of the wheel, from one end of the sidebar to the other


HEAD = 26               # pixels; the height of a closed panel within another


class NotFound(Exception):
    """No such button could be seen."""


class Hand:
    """`clicked` tells in words what was pressed, in order."""

    def __init__(self, window):
        self.window = window
        self.clicked = []
        self._seen = {}         # what -> its last place
        self._passed = {}       # what lay under the mouse on its ways -> the last place
        self._row = window.height   # a little above the last button that was found: the next one is likely below

    def press(self, area, what, words=""):
        """Finds the button of an operator ("aa2.generate") or setting ("strip") in an area's sidebar and clicks it."""
        place = yield from self.find(area, what)
        yield from self.click(place, words or f"the button {what}")

    def find(self, area, what):
        """The place of a button: where it was last, else on the page of the sidebar that is shown, else from its top
        down; first where it is known to lie across the sidebar."""
        sidebar = region(area, "UI")
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

    def _search(self, area, sidebar, what, shares, most=None):
        """Looks below the last button that was found and round again, at these parts of the sidebar's width;
        at `most` rows."""
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
        """Scrolls the sidebar to its top, then down by turns of the wheel, as far as it goes."""
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
        """The place of a button at half its height."""
        x, y = yield from self.find(area, what)
        ends = []
        for step in (2, -2):
            end = y
            while (yield from self._lies_at((x, end + step), area, region(area, "UI"), what)):
                end += step
            ends.append(end)
        return x, sum(ends) // 2

    def fold(self, area, name, below, by):
        """Opens or closes the panel `name`, whose head lies `by` pixels below the middle of a button."""
        _x, y = yield from self.middle(area, below)
        yield from self.click((region(area, "UI").x + 80, y - by), f"the head of {name}")

    def move(self, place):
        subprocess.run(["xdotool", "mousemove", str(place[0]), str(self.window.height - place[1])], check=True)
        yield PROBED_S

    def click(self, place, words):
        """A press of the left button, told as `words`."""
        yield from self.move(place)
        self._key("click", "1")
        self.clicked.append(words)
        yield SETTLED_S

    def enter(self, area, what, text):
        """Writes over what stands in a field of text or of a number."""
        place = yield from self.find(area, what)
        yield from self.move(place)
        self._key("click", "--repeat", "2", "--delay", "60", "1")
        yield SETTLED_S
        self._key("key", "ctrl+a")
        self._key("type", "--delay", "20", text)
        yield from self.keys("Return")
        self.clicked.append(f"the field {what}, and wrote {text}")

    def choose(self, area, what, name):
        """Picks from the list that a field for an object, a scene or a collection opens."""
        yield from self.click((yield from self.find(area, what)), f"the field {what}, and chose {name}")
        self._key("type", "--delay", "20", name)
        yield SETTLED_S
        yield from self.keys("Return")

    def drag(self, place, by):
        """Pulls what lies at a place, such as the edge of a sidebar."""
        yield from self.move(place)
        self._key("mousedown", "1")
        yield PROBED_S
        for share in (0.3, 0.7, 1.0):
            yield from self.move((place[0] + int(by[0] * share), place[1] + int(by[1] * share)))
        self._key("mouseup", "1")
        yield SETTLED_S

    def keys(self, *names, words=""):
        """Keys by X's names, one after another; they go to the editor under the mouse."""
        for name in names:
            self._key("key", name)
            yield SETTLED_S
        if words:
            self.clicked.append(words)

    def away(self, area):
        """The mouse over no button, but within the editor: only there does the last button let go of it."""
        viewer = region(area, "PREVIEW")
        yield from self.move((viewer.x + viewer.width // 2, viewer.y + viewer.height // 2))

    def _key(self, *words):
        subprocess.run(["xdotool", *words], check=True)


def region(area, kind):
    return next(region for region in area.regions if region.type == kind)


def under_mouse(window, area, sidebar):
    """What the button under the mouse does, as Python would say it; "" over no button."""
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
    """`what`: an operator's name, perhaps with the beginning of its arguments, or a setting's."""
    return found.startswith(f"bpy.ops.{what}" + "(" * ("(" not in what)) or found.endswith(f".aa2.{what}")
