"""The first shot, as in docs/manual/first-shot.md: from the opened file to a character that is still there after a
reload."""
import time

import bpy
from artist import BOTTOM, MODULE, SETTLED_S, SUBPANEL, Artist, Wrong, told
from hand import region

OFFSET = "79"        # of the demo shot: picture 4 of the plate is at 104 there and at 25 here
SHOWN_FRAME = 44     # no object hides the performer
WIDER = 110          # pixels by which the sidebar is widened
CONDITIONS = ("skeleton", "depth", "surface", "mask", "environment", "objects")
WINDOW = 8           # frames that are made together; a window that was stopped is made again, with the same pictures
ENOUGH = 8           # finished frames before the job is stopped in the middle


class FirstShot(Artist):
    """Each step is a generator of the seconds to wait."""

    def first_shot(self):
        yield from self.go(
            self.open, self.pick_the_plate, self.look_for_somebody_in_the_empty_room, self.choose_the_reference,
            self.look_at_the_joints, self.choose_the_rig,
            self.look_at_the_bones, self.choose_objects, self.preview, self.preview_a_frame, self.generate_and_cancel,
            self.resume, self.place, self.undo_and_redo, self.compare, self.save_and_reload)

    def open(self):
        """Open the file, enlarge the sequencer, and show our tab in its sidebar."""
        bpy.context.preferences.addons[MODULE].preferences.threads = 1      # slow enough to be stopped in the middle
        self.window.scene = self.edit
        # in 5.0 and later, the sequencer's scene may differ from the window's
        if hasattr(self.window.workspace, "sequencer_scene"):
            self.window.workspace.sequencer_scene = self.edit
        self.area.type = "SEQUENCE_EDITOR"
        with bpy.context.temp_override(window=self.window, area=self.area):
            bpy.ops.screen.screen_full_area()
        yield SETTLED_S
        self.enter()
        self.area.spaces.active.view_type = "SEQUENCER_PREVIEW"
        self.area.spaces.active.show_region_ui = True
        self.area.spaces.active.timeline_overlay.show_thumbnails = False    # they appear at unpredictable times
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
        yield from self.pick("Room")
        yield from self.take("plate")

    def look_for_somebody_in_the_empty_room(self):
        """A frame of the plate is the reference: nobody is found, and nothing is kept."""
        yield from self.only("Reference")
        yield from self.choose_kind(0.8, "STRIP")
        yield from self.press("aa2.use_frame_as_reference")
        self.expect("reference", self.settings.reference_strip, "Room")
        yield from self.press("aa2.find_reference_joints")
        yield from self.until(lambda: not self.session.busy(), "the end of the search")
        task = self.session.current()
        self.expect("search", (task.state, task.is_nobody), ("failed", True))
        self.expect("joints of nobody", len(self.settings.reference_joints), 0)
        yield from self.take("nobody")
        yield from self.choose_kind(0.2, "FILE")

    def choose_kind(self, share, wanted):
        """Click a part of the row of kinds in the panel Reference."""
        sidebar, (_x, y) = region(self.area, "UI"), (yield from self.hand.find(self.area, "reference_kind"))
        yield from self.hand.click((sidebar.x + int(sidebar.width * share), y), f"the kind {wanted}")
        self.expect("kind of reference", self.settings.reference_kind, wanted)

    def choose_the_reference(self):
        yield from self.hand.enter(self.area, "reference_path", "//reference.png")
        self.expect("reference", self.settings.reference_path, "//reference.png")
        yield from self.take("character")

    def look_at_the_joints(self):
        """Edit Joints finds the joints first; one is dragged over the picture, and Escape puts it back."""
        yield from self.press("aa2.edit_reference_joints")
        yield from self.until_idle("finding the joints")
        yield SETTLED_S
        joints = self.settings.reference_joints
        before = tuple(joints["left_wrist"].place)
        yield from self.hand.drag(self.in_picture(before), (60, 20))
        if not joints["left_wrist"].place[0] > before[0] + 20:
            raise Wrong(f"Expected the wrist to follow the mouse from {before}, got "
                        f"{tuple(joints['left_wrist'].place)}.")
        told["clicked"].append("the left wrist over the picture, and pulled it")
        yield from self.take("joints")
        yield from self.hand.keys("Escape", words="Escape, over the picture")
        self.expect("the wrist after Escape", tuple(joints["left_wrist"].place), before)

    def in_picture(self, place):
        """A pixel of the reference over the preview, as a place in the window."""
        view, size = region(self.area, "PREVIEW"), \
            bpy.data.images.load(bpy.path.abspath(self.settings.reference_path)).size
        scale = 0.94 * min(view.width / size[0], view.height / size[1])
        return (int(view.x + view.width / 2 + scale * (place[0] - size[0] / 2)),
                int(view.y + view.height / 2 + scale * (size[1] / 2 - place[1])))

    def choose_the_rig(self):
        yield from self.press("aa2.use_armature")
        yield from self.only("Driver")
        yield from self.hand.choose(self.area, "driver_scene", "Shot")
        self.expect("scene", self.settings.driver_scene, bpy.data.scenes["Shot"])
        self.expect("rig", self.settings.armature, bpy.data.objects["Performer"])
        yield from self.press("derive_offset")
        yield from self.hand.enter(self.area, "frame_offset", OFFSET)
        self.expect("offset", self.settings.frame_offset, int(OFFSET))
        yield from self.take("driver")

    def look_at_the_bones(self):
        """Open and close the table of joints."""
        yield from self.unfold("Bones", "retarget", SUBPANEL, "aa2.edit_bones")
        yield from self.press("aa2.edit_bones")
        self.expect("joints in the table without a bone", [row.name for row in self.settings.bones if row.bone], [])
        yield from self.take("bones", 8)
        yield from self.hand.fold(self.area, "Bones", "retarget", SUBPANEL)

    def choose_objects(self):
        yield from self.only("Objects")
        yield from self.hand.choose(self.area, "objects", "Touched")
        self.expect("objects", [row.collection for row in self.settings.touched], [bpy.data.collections["Touched"]])
        yield from self.take("objects", BOTTOM)

    def preview(self):
        yield from self.only("Preview")
        yield from self.press("aa2.preview_conditions")
        began = time.monotonic()
        yield from self.until_idle("the preview")
        told["happened"]["preview_s"] = round(time.monotonic() - began, 1)
        shown = [strip for strip in self.strips() if strip.get("aa2_condition")]
        self.expect("conditions", sorted(strip["aa2_condition"] for strip in shown), sorted(CONDITIONS))
        self.expect("shown", [strip["aa2_condition"] for strip in shown if not strip.mute], ["skeleton"])
        yield from self.take("preview", 10)
        yield from self.press("aa2.show_condition(kind='skeleton'")
        self.expect("muted", {strip.mute for strip in shown}, {True})

    def preview_a_frame(self):
        """Preview the frame under the playhead; its strip is over the plate until the shot is there."""
        yield from self.press("aa2.preview_frame")
        yield from self.until_idle("the preview of a frame")
        yield from self.take("frame", BOTTOM)

    def generate_and_cancel(self):
        yield from self.only("Queue")
        yield from self.press("aa2.generate")
        yield from self.hand.find(self.area, "aa2.queue_cancel")    # while the shot is gathered, to be quick later
        yield from self.until(lambda: self.made() >= ENOUGH, f"{ENOUGH} frames")
        yield from self.take("running", None, settled_s=0.5)
        if self.row().state != "running":
            raise Wrong(f"Expected the job to be at work when it is stopped, got {self.states()}.")
        yield from self.press("aa2.queue_cancel")
        yield from self.until(lambda: self.row().state not in ("running", "waiting"), "the end of the cancelled job")
        self.expect("cancelled", self.row().state, "cancelled")
        told["happened"]["frames_at_cancel"] = self.row().made()
        if not ENOUGH <= self.row().made() < self.row().frames:
            raise Wrong(f"Expected a job cancelled in its middle, got {self.row().made()} of "
                        f"{self.row().frames} frames.")
        yield from self.take("cancelled", BOTTOM)

    def resume(self):
        before = self.row().made()
        yield from self.press("aa2.queue_resume")
        yield from self.until(lambda: self.row().state not in ("running", "waiting"), "the end of the resumed job")
        self.expect("resumed", self.row().state, "done")
        answer = self.session.current().engine_job.answer
        told["happened"].update(frames=answer.frames, reused=answer.reused, seconds=answer.seconds)
        if answer.reused < before - WINDOW:
            raise Wrong(f"Expected the {before} finished frames to be used again, but for a window's, got "
                        f"{answer.reused}.")
        yield from self.only("Result")
        for what in ("aa2.generate", "aa2.place_again", "aa2.vary_seed"):
            x, y = yield from self.hand.middle(self.area, what)
            told["buttons"][what] = x, self.window.height - y
        yield from self.take("result", None)

    def place(self):
        """Delete the strips as an artist would, and place them again with the button."""
        for name in self.ours():
            yield from self.hand.click(self.middle_of(name), f"the strip {name} with Alt", alone=True)
            self.expect("selected", [strip.name for strip in self.strips()
                                     if strip.select and not strip.parent_meta()], [name])
            yield from self.hand.keys("x", words="X, over the timeline")
        self.expect("strips after X", len(self.ours()), 0)
        yield from self.press("aa2.place_again")
        self.expect("strips after Place Again", len(self.ours()), 2)
        yield from self.take("placed", BOTTOM)

    def undo_and_redo(self):
        for keys, wanted in (("ctrl+z", 0), ("ctrl+shift+z", 2)):
            yield from self.over_timeline()
            yield from self.hand.keys(keys, words=f"{keys}, over the timeline")
            yield SETTLED_S
            self.expect(f"strips after {keys}", len(self.ours()), wanted)
            yield from self.take("undone" if wanted == 0 else "redone", BOTTOM)

    def compare(self):
        yield from self.press("aa2.compare")
        self.expect("muted", {self.strips()[name].mute for name in self.ours()}, {True})
        yield from self.take("compare", BOTTOM)
        yield from self.press("aa2.compare")
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
        self.expect("offset after opening again", self.settings.frame_offset, int(OFFSET))
        yield from self.take("reopened", BOTTOM)
