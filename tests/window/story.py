"""What an artist does with the demo shot, in a real Blender with a window and by the mouse; run by test_window.py:

    blender --window-geometry 0 0 1280 960 shot.blend --python story.py -- OUT

Writes OUT/NAME.png (the whole window at each stage) and OUT/told.json: what was clicked, where the editor's parts lay, what
became of the job, and how long each thing of ours kept the window waiting (AA2_MEASURE=1). Exit code 1, and the reason in
told.json, where something is not as it should be. The demo shot's own numbers are tests/demo/shot.py's.
"""
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from hand import Hand, region  # noqa: E402

MODULE = "bl_ext.user_default.aa2_blender"
OUT = Path(sys.argv[sys.argv.index("--") + 1])
OFFSET = "79"        # of the demo shot: picture 4 of the plate is 104 there and 25 here
SETTLED_S = 1.0      # after a change, until the window shows it
SHOWN_FRAME = 44     # the performer stands free
WIDER = 110          # pixels by which the sidebar is drawn out
ENOUGH = 12          # finished frames before the job is stopped in the middle
PATIENCE_S = 240     # for a whole generation on a busy machine
told = {"clicked": [], "pictures": {}, "happened": {}, "longest_ms": {}, "longest_cpu_ms": {}, "buttons": {},
        "error": ""}


class Wrong(Exception):
    """Blender shows something else than an artist may expect."""


class Story:
    """The steps, each a generator of the seconds to wait. All of it runs in Blender's main thread, from one timer."""

    def __init__(self):
        self.enter()

    def enter(self):
        """Finds the window anew: opening a file makes all that was known of it invalid."""
        self.window = bpy.context.window_manager.windows[0]
        self.area = max(self.window.screen.areas, key=lambda area: area.width * area.height)
        self.hand = Hand(self.window)
        self.hand.clicked = told["clicked"]

    @property
    def edit(self):
        return bpy.data.scenes["Edit"]

    @property
    def session(self):
        return importlib.import_module(MODULE + ".session")

    def steps(self):
        for step in (self.open, self.pick_the_plate, self.choose_the_reference, self.choose_the_rig, self.choose_objects,
                     self.preview, self.generate_and_cancel, self.resume, self.place, self.undo_and_redo,
                     self.compare, self.save_and_reload, self.hide_behind_everything, self.replace_a_performer,
                     self.upgrade_at_work, self.show_the_first_version):
            yield from step()

    def open(self):
        """The file as it is opened, the sequencer large, and our tab in its sidebar."""
        self.window.scene = self.edit
        if hasattr(self.window.workspace, "sequencer_scene"):   # 5.0 and later: the sequencer's scene need not be the window's
            self.window.workspace.sequencer_scene = self.edit
        self.area.type = "SEQUENCE_EDITOR"
        with bpy.context.temp_override(window=self.window, area=self.area):
            bpy.ops.screen.screen_full_area()
        yield SETTLED_S
        self.enter()
        self.area.spaces.active.view_type = "SEQUENCER_PREVIEW"
        self.area.spaces.active.show_region_ui = True
        self.area.spaces.active.timeline_overlay.show_thumbnails = False    # they come when they come
        self.edit.frame_set(SHOWN_FRAME)
        yield 3.0
        region(self.area, "UI").active_panel_category = "AA2"
        with bpy.context.temp_override(window=self.window, area=self.area, region=region(self.area, "WINDOW")):
            bpy.ops.sequencer.view_all()
            bpy.ops.sequencer.select_all(action="DESELECT")
        self.edit.sequence_editor.active_strip = None
        yield SETTLED_S
        sidebar = region(self.area, "UI")
        yield from self.hand.drag((sidebar.x, sidebar.y + sidebar.height // 2), (-WIDER, 0))
        yield from self.take("open")

    def pick_the_plate(self):
        window = region(self.area, "WINDOW")
        strip = self.strips()["Room"]
        x, y = window.view2d.view_to_region((strip.frame_final_start + strip.frame_final_end) / 2 + 5, strip.channel + 0.5)
        yield from self.hand.click((window.x + x, window.y + y), "the strip in the timeline")
        yield from self.hand.press(self.area, "aa2.use_active_strip")
        self.expect("plate", self.edit.aa2.strip, "Room")
        yield from self.take("plate")

    def choose_the_reference(self):
        yield from self.hand.enter(self.area, "reference_path", "//reference.png")
        self.expect("reference", self.edit.aa2.reference_path, "//reference.png")
        yield from self.take("character")

    def choose_the_rig(self):
        yield from self.hand.choose(self.area, "driver_scene", "Shot")
        yield from self.hand.choose(self.area, "armature", "Performer")
        self.expect("scene", self.edit.aa2.driver_scene, bpy.data.scenes["Shot"])
        self.expect("rig", self.edit.aa2.armature, bpy.data.objects["Performer"])
        yield from self.hand.press(self.area, "derive_offset")
        yield from self.hand.enter(self.area, "frame_offset", OFFSET)
        self.expect("offset", self.edit.aa2.frame_offset, int(OFFSET))
        yield from self.take("driver")

    def choose_objects(self):
        yield from self.hand.choose(self.area, "objects", "Touched")
        self.expect("objects", self.edit.aa2.objects, bpy.data.collections["Touched"])
        yield from self.take("objects")

    def preview(self):
        yield from self.hand.press(self.area, "aa2.preview_conditions")
        began = time.monotonic()
        yield from self.until(lambda: not self.session.busy(), "the preview's end")
        told["happened"]["preview_s"] = round(time.monotonic() - began, 1)
        self.expect("preview", self.session.current().state, "done")
        yield from self.take("preview")

    def generate_and_cancel(self):
        yield from self.hand.press(self.area, "aa2.generate")
        yield from self.hand.find(self.area, "aa2.queue_cancel")    # while the shot is gathered, to be quick later
        yield from self.until(lambda: self.made() >= ENOUGH, f"{ENOUGH} frames")
        yield from self.take("running", settled_s=0.8)
        yield from self.hand.press(self.area, "aa2.queue_cancel")
        yield from self.until(lambda: self.row().state not in ("running", "waiting"), "the end of the cancelled job")
        self.expect("cancelled", self.row().state, "cancelled")
        told["happened"]["frames_at_cancel"] = self.row().made()
        if not ENOUGH <= self.row().made() < self.row().frames:
            raise Wrong(f"Expected a job cancelled in its middle, got {self.row().made()} of {self.row().frames} frames.")
        yield from self.take("cancelled")

    def resume(self):
        before = self.row().made()
        yield from self.hand.press(self.area, "aa2.queue_resume")
        yield from self.until(lambda: self.row().state not in ("running", "waiting"), "the end of the resumed job")
        self.expect("resumed", self.row().state, "done")
        answer = self.session.current().engine_job.answer
        told["happened"].update(frames=answer.frames, reused=answer.reused, seconds=answer.seconds)
        if answer.reused < before - 1:
            raise Wrong(f"Expected the {before} finished frames to be used again, got {answer.reused}.")
        for what in 2 * ("aa2.generate", "aa2.place_again", "aa2.vary_seed"):   # the sidebar may be drawn down once
            x, y = yield from self.hand.find(self.area, what)
            told["buttons"][what] = x, self.window.height - y
        yield from self.take("result")

    def place(self):
        """The strips are thrown away as an artist would, and laid again by the button."""
        for name in self.ours():
            yield from self.hand.click(self.middle_of(name), f"the strip {name}")
            yield from self.hand.keys("x", words="X, over the timeline")
        self.expect("strips after X", len(self.ours()), 0)
        yield from self.hand.press(self.area, "aa2.place_again")
        self.expect("strips after Place Again", len(self.ours()), 2)
        yield from self.take("placed")

    def undo_and_redo(self):
        for keys, wanted in (("ctrl+z", 0), ("ctrl+shift+z", 2)):
            yield from self.over_timeline()
            yield from self.hand.keys(keys, words=f"{keys}, over the timeline")
            yield SETTLED_S
            self.expect(f"strips after {keys}", len(self.ours()), wanted)
            yield from self.take("undone" if wanted == 0 else "redone")

    def compare(self):
        yield from self.hand.press(self.area, "aa2.compare")
        self.expect("muted", {self.strips()[name].mute for name in self.ours()}, {True})
        yield from self.take("compare")
        yield from self.hand.press(self.area, "aa2.compare")
        self.expect("shown again", {self.strips()[name].mute for name in self.ours()}, {False})

    def save_and_reload(self):
        yield from self.over_timeline()
        yield from self.hand.keys("ctrl+s", words="ctrl+s")
        yield SETTLED_S
        if bpy.data.is_dirty:
            raise Wrong("Expected Ctrl S to save the file, but it is still changed.")
        bpy.ops.wm.revert_mainfile()
        yield 3.0
        self.enter()
        self.expect("strips after opening again", len(self.ours()), 2)
        self.expect("offset after opening again", self.edit.aa2.frame_offset, int(OFFSET))
        yield from self.take("reopened")

    def hide_behind_everything(self):
        for wanted in (True, False):
            yield from self.hand.press(self.area, "holdouts")
            self.expect("Scene Hides", self.edit.aa2.holdouts, wanted)

    def replace_a_performer(self):
        """Another version, of which the first frames will do."""
        yield from self.hand.press(self.area, "clean_plate")
        self.expect("Clean Plate", self.edit.aa2.clean_plate, False)
        yield from self.take("replace")
        yield from self.hand.press(self.area, "aa2.generate")
        yield from self.until(self.made, "a frame of the second version")

    def upgrade_at_work(self):
        """The zip is installed once more while the engine works: it ends, the queue stays, and the new engine goes on."""
        before, engine = self.row().made(), self.session.link._process._child.pid
        keep_times()
        bpy.ops.extensions.package_install_files(filepath=str(HERE / "aa2.zip"), repo="user_default", enable_on_install=True)
        yield 2.0
        if Path(f"/proc/{engine}").exists():
            raise Wrong("Expected the engine to end with the extension that started it.")
        self.expect("the queue after an upgrade", [(row.state, row.folder.name) for row in self.session.queue.rows],
                    [("paused", "v002")])
        yield from self.hand.press(self.area, "aa2.queue_resume")
        yield from self.until(lambda: self.row().made() > before, "more frames after an upgrade")
        yield from self.hand.press(self.area, "aa2.queue_cancel")
        yield from self.until(lambda: self.row().state in ("cancelled", "done"), "the end of the job")

    def show_the_first_version(self):
        self.expect("versions shown", {Path(self.strips()[name]["aa2_job"]).name for name in self.ours()}, {"v002"})
        yield from self.hand.press(self.area, "aa2.show_version(by=-1")
        self.expect("versions shown", {Path(self.strips()[name]["aa2_job"]).name for name in self.ours()}, {"v001"})

    # --- what it sees ---------------------------------------------------------------------------------------------

    def strips(self):
        editor = self.edit.sequence_editor
        return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all

    def ours(self):
        return [strip.name for strip in self.strips() if strip.get("aa2_job")]

    def row(self):
        return self.session.queue.rows[-1]

    def made(self):
        job = self.row().task.engine_job if self.session.queue.rows and self.row().task else None
        return len(job.frames) if job else 0

    def middle_of(self, name):
        window, strip = region(self.area, "WINDOW"), self.strips()[name]
        x, y = window.view2d.view_to_region((strip.frame_final_start + strip.frame_final_end) / 2 + 5, strip.channel + 0.5)
        return window.x + x, window.y + y

    def over_timeline(self):
        window = region(self.area, "WINDOW")
        yield from self.hand.move((window.x + window.width // 2, window.y + window.height - 60))

    def until(self, is_so, what):
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > end:
                raise Wrong(f"Expected {what} within {PATIENCE_S} s.")
            yield 0.1

    def expect(self, what, got, wanted):
        if got != wanted:
            raise Wrong(f"{what}: expected {wanted!r}, got {got!r}.")

    def take(self, name, settled_s=SETTLED_S):
        """A picture of the window, and where the editor's parts lie in it, in pixels from the left and the top."""
        yield from self.hand.away(self.area)
        self.area.tag_redraw()
        yield settled_s
        subprocess.run(["import", "-window", "root", "-depth", "8", f"PNG24:{OUT / name}.png"], check=True)
        parts = {"sidebar": region(self.area, "UI"), "timeline": region(self.area, "WINDOW"),
                 "viewer": region(self.area, "PREVIEW")}
        told["pictures"][name] = {part: [one.x, self.window.height - one.y - one.height, one.width, one.height]
                                  for part, one in parts.items()} | {"window": [0, 0, self.window.width, self.window.height]}


def keep_times():
    """What measure.py has counted so far; an upgrade makes it count anew."""
    measure = importlib.import_module(MODULE + ".measure")
    for name in ("longest_ms", "longest_cpu_ms"):
        for kind, ms in getattr(measure, name).items():
            told[name][kind] = max(ms, told[name].get(kind, 0.0))


def tick(running=[]):
    """Called by Blender's timer, which outlives the opening of a file: the next thing the artist does."""
    if not running:
        running.append(Story().steps())
    try:
        return next(running[0])
    except StopIteration:
        code = 0
    except Exception as error:
        traceback.print_exc()
        subprocess.run(["import", "-window", "root", "-depth", "8", f"PNG24:{OUT / 'wrong'}.png"], check=False)
        told["error"], code = f"{type(error).__name__}: {error}", 1
    keep_times()
    (OUT / "told.json").write_text(json.dumps(told, indent=1))
    importlib.import_module(MODULE + ".session").forget()
    sys.stdout.flush()
    os._exit(code)


bpy.app.timers.register(tick, first_interval=3.0, persistent=True)
