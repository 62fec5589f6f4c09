"""The artist at the window: sees the editor and our work, and keeps a record of both."""
import functools
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy
from hand import FAR, Hand, NotFound, region

MODULE = "bl_ext.user_default.aa2_blender"
OUT = Path(sys.argv[sys.argv.index("--") + 1])
SUBPANEL = 31        # pixels from the middle of a panel's last button to the middle of the first subpanel's header
TOP, BOTTOM = 0, FAR  # turns of the mouse wheel
SETTLED_S = 1.0      # after a change, until the window shows it
PATIENCE_S = 120     # for a whole generation on a busy machine
told = {"clicked": [], "steps_s": {}, "pictures": {}, "happened": {}, "longest_ms": {}, "longest_cpu_ms": {},
        "buttons": {}, "error": ""}


class Wrong(Exception):
    """Blender shows something that an artist would not expect."""


class Artist:
    """The artist's eyes; the chapters are subclasses. Everything runs in Blender's main thread, from one timer."""

    def __init__(self):
        self.enter()

    def enter(self):
        """Find the window again: after a file is opened, nothing that was known about it is valid."""
        self.window = bpy.context.window_manager.windows[0]
        self.area = max(self.window.screen.areas, key=lambda area: area.width * area.height)
        self.hand = Hand(self.window)
        self.hand.clicked = told["clicked"]

    @property
    def edit(self):
        return bpy.data.scenes["Edit"]

    @property
    def settings(self):
        """The settings that the panels show: the plate's own from its first Generate on."""
        return importlib.import_module(MODULE + ".settings.plates").settings_of(self.edit)

    @property
    def session(self):
        return importlib.import_module(MODULE + ".queue.session")

    def go(self, *steps):
        """Do one step after another, and record how long each took."""
        for step in steps:
            began = time.monotonic()
            yield from step()
            told["steps_s"][step.__name__] = round(time.monotonic() - began, 1)

    def press(self, what, words=""):
        yield from self.hand.press(self.area, what, words)

    def strips(self):
        editor = self.edit.sequence_editor
        return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all

    def ours(self, plate="Room"):
        """The names of a plate's strips that belong to a version: not those of a previewed frame or of passes."""
        return [strip.name for strip in self.strips() if strip.get("aa2_job")
                and Path(strip["aa2_job"]).name.startswith("v") and Path(strip["aa2_job"]).parent.name.endswith(plate)]

    def row(self):
        return self.session.queue.rows[-1]

    def states(self):
        return [(row.strip, row.folder.name, row.state) for row in self.session.queue.rows]

    def made(self):
        job = self.row().task.engine_job if self.session.queue.rows and self.row().task else None
        return len(job.frames) if job else 0

    def middle_of(self, name):
        window, strip = region(self.area, "WINDOW"), self.strips()[name]
        x, y = window.view2d.view_to_region((strip.frame_final_start + strip.frame_final_end) / 2 + 5,
                                            strip.channel + 0.5)
        return window.x + x, window.y + y

    def pick(self, name):
        """Make this strip the plate: let the plate follow the active strip, click this one, and pin it."""
        if self.edit.aa2.strip:
            yield from self.press("aa2.pin_plate")
            self.expect("pinned plate", self.edit.aa2.strip, "")
        yield from self.hand.click(self.middle_of(name), f"the strip {name} in the timeline")
        self.expect("followed plate", importlib.import_module(MODULE + ".settings.plates").plate_name(self.edit), name)
        yield from self.press("aa2.pin_plate")
        self.expect("plate", self.edit.aa2.strip, name)

    def set_own(self, name, value):
        """Set a setting that the plate has of its own. Blender tells no data path of a strip's settings, so the hand
        cannot find their buttons; tests/blender/test_panel_steps.py holds that they are drawn."""
        setattr(self.settings, name, value)
        self.area.tag_redraw()      # a button takes what it is pressed with when it is drawn
        yield SETTLED_S

    def only(self, panel):
        yield from self.hand.only(self.area, panel)

    def over_timeline(self):
        window = region(self.area, "WINDOW")
        yield from self.hand.move((window.x + window.width // 2, window.y + window.height - 60))

    def unfold(self, name, below, by, wanted):
        """Open a closed panel and check that `wanted` is in it."""
        yield from self.hand.fold(self.area, name, below, by)
        try:
            yield from self.hand.find(self.area, wanted)
        except NotFound:
            raise Wrong(f"Expected {wanted} in the opened panel {name}.") from None

    def until(self, is_so, what, patience_s=PATIENCE_S):
        end = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > end:
                raise Wrong(f"Expected {what} within {patience_s} s; the queue is {self.states()}.")
            yield 0.1

    def until_idle(self, what):
        """Wait until the task beside the queue is done."""
        yield from self.until(lambda: not self.session.busy(), f"the end of {what}")
        task = self.session.current()
        if task.state != "done":
            raise Wrong(f"{what}: expected it done, got {task.state}: {task.error}")

    def expect(self, what, got, wanted):
        if got != wanted:
            raise Wrong(f"{what}: expected {wanted!r}, got {got!r}.")

    def take(self, name, down=TOP, settled_s=SETTLED_S):
        """Take a picture of the window, and record where the editor's parts are, in pixels from the left and the top.
        `down`: how far the sidebar is scrolled for it, in turns of the wheel; None does not scroll."""
        if down is not None:
            yield from self.hand.page(self.area, down)
        yield from self.hand.away(self.area)
        self.area.tag_redraw()
        yield settled_s
        photograph(name)
        parts = {"sidebar": region(self.area, "UI"), "timeline": region(self.area, "WINDOW"),
                 "viewer": region(self.area, "PREVIEW")}
        told["pictures"][name] = {part: [one.x, self.window.height - one.y - one.height, one.width, one.height]
                                  for part, one in parts.items()} | {"window": [0, 0, self.window.width,
                                                                                self.window.height]}


def perform(steps, whole_s):
    """Do the steps of a story from a timer of Blender's, tell what happened in OUT/told.json, and leave Blender."""
    # persistent: the timer must survive the opening of a file
    bpy.app.timers.register(functools.partial(tick, steps, time.monotonic() + whole_s), first_interval=3.0,
                            persistent=True)


def tick(steps, end):
    """Do the next thing that the artist does; returns the seconds to wait after it."""
    try:
        if time.monotonic() > end:
            raise Wrong(f"Not done in time; {[*told['steps_s']][-1:]} was the last step that was.")
        return next(steps)
    except StopIteration:
        code = 0
    except Exception as error:
        traceback.print_exc()
        photograph("wrong")
        told["error"], code = f"{type(error).__name__}: {error}", 1
    keep_times()
    (OUT / "told.json").write_text(json.dumps(told, indent=1))
    importlib.import_module(MODULE + ".queue.session").forget()
    sys.stdout.flush()
    os._exit(code)


def photograph(name):
    subprocess.run(["import", "-window", "root", "-depth", "8", f"PNG24:{OUT / name}.png"], check=True)


def keep_times():
    """Record what stalls.py has counted so far; an upgrade resets it."""
    stalls = importlib.import_module(MODULE + ".stalls")
    for name in ("longest_ms", "longest_cpu_ms"):
        for kind, ms in getattr(stalls, name).items():
            told[name][kind] = max(ms, told[name].get(kind, 0.0))
