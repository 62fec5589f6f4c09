"""What comes after the first shot, as in the other pages of docs/manual: fixing, replacing, the queue, output, an
upgrade."""
from pathlib import Path

import bpy
from artist import BOTTOM, SETTLED_S, SUBPANEL, Artist, Wrong, keep_times, told
from hand import HEAD, region

HERE = Path(__file__).parent
FIX = (40, 43)      # frames of the timeline
MANY, FEW = 48, 1   # steps; many are slow enough to be paused, overtaken and upgraded in the middle
# a strip with a performer, its first frame, and the frame on which he is chosen
TAKE, TAKE_FIRST, TAKE_FRAME = "Take", 80, 84


class OtherShots(Artist):
    """Each step is a generator of the seconds to wait."""

    def other_shots(self):
        yield from self.go(
            self.hide_behind_everything, self.choose_the_light, self.fix_a_range, self.take_more_steps,
            self.replace_with_the_rig, self.bring_in_a_take, self.choose_the_performer,
            self.queue_two_shots, self.look_at_the_farm, self.write_output, self.upgrade_at_work,
            self.show_the_first_version)

    def hide_behind_everything(self):
        yield from self.only("Objects")
        for wanted in (True, False):
            yield from self.set_own("holdouts", wanted)

    def choose_the_light(self):
        """Each source is drawn once; then it is Automatic again, with the balls of the shown version."""
        yield from self.only("Light")
        for source in ("PICTURE", "HDRI", "BALL", "GUESSED", "AUTOMATIC"):
            yield from self.set_own("light_source", source)
        yield from self.take("light-panel")

    def fix_a_range(self):
        """Four frames are made again, the others kept: this gives the next version."""
        yield from self.only("Result")
        yield from self.unfold("Fix Range", "aa2.vary_seed", SUBPANEL, "aa2.fix_range")
        for name, value in (("fix_own", True), ("fix_first", FIX[0]), ("fix_last", FIX[1])):
            yield from self.set_own(name, value)
        yield from self.press("aa2.fix_range")
        yield from self.until(lambda: self.states()[-1:] == [("Room", "v002", "done")], "the fixed version")
        answer = self.row().task.engine_job.answer
        told["happened"].update(fixed=answer.made)
        yield from self.take("fixed", BOTTOM)
        yield from self.hand.fold(self.area, "Fix Range", "aa2.vary_seed", SUBPANEL)    # closed again

    def take_more_steps(self):
        yield from self.only("Look")
        yield from self.set_own("steps", MANY)
        yield from self.take("look", BOTTOM)

    def replace_with_the_rig(self):
        yield from self.only("Shot")
        yield from self.set_own("plate_is", "PERFORMED")
        yield from self.take("replace")

    def bring_in_a_take(self):
        """Pictures of a performer, added behind the first shot as Add > Image/Sequence does."""
        pictures = sorted(path.name for path in (HERE / "shot" / "take").glob("*.png"))
        with bpy.context.temp_override(window=self.window, area=self.area, region=region(self.area, "WINDOW")):
            bpy.ops.sequencer.image_strip_add(directory=str(HERE / "shot" / "take"),
                                              files=[{"name": name} for name in pictures],
                                              frame_start=TAKE_FIRST, channel=1, fit_method="ORIGINAL")
        (strip,) = [strip for strip in self.strips() if strip.frame_final_start == TAKE_FIRST]
        strip.name = TAKE
        self.edit.frame_set(TAKE_FRAME)
        yield from self.over_timeline()
        yield from self.hand.keys("Home", words="Home, over the timeline")

    def choose_the_performer(self):
        yield from self.pick(TAKE)
        yield from self.only("Driver")
        yield from self.press("driver", "Performer")
        self.expect("driver", self.settings.driver, "PERFORMER")
        yield from self.press("aa2.choose_performer")
        search = self.session.current()
        yield from self.until(lambda: search.state != "working", "the people on the frame")
        if search.state != "done" or not search.crowd.boxes:
            raise Wrong(f"Expected a person on the frame, got {search.state}: {search.error}")
        yield SETTLED_S
        yield from self.hand.click(self.in_preview(search.crowd.boxes[0]), "the performer, in the preview")
        chosen = tuple(self.settings.performer_box)
        if not any(chosen):
            raise Wrong("Expected the click on the performer to choose him.")
        self.expect("frame of the performer", self.settings.performer_frame, TAKE_FRAME)
        yield from self.take("performer")

    def in_preview(self, box):
        """The middle of a box, (left, top, right, bottom) in parts of the picture, as a place in the window."""
        view = region(self.area, "PREVIEW")
        across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        render = self.edit.render
        x, y = view.view2d.view_to_region((across - 0.5) * render.resolution_x, (0.5 - down) * render.resolution_y)
        return view.x + x, view.y + y

    def queue_two_shots(self):
        """Queue a slow shot of the room, the take behind it, and another shot of the room. Turns are exchanged, one
        shot is paused, one cancelled."""
        yield from self.generate_of("Room")
        yield from self.until(lambda: self.row().state == "running", "the first shot at work")
        yield from self.only("Look")
        yield from self.set_own("steps", FEW)
        yield from self.generate_of(TAKE)
        yield from self.until(lambda: self.row().state == "waiting", "the second shot in the queue")
        yield from self.pick("Room")
        yield from self.only("Result")
        yield from self.press("aa2.vary_seed")
        yield from self.until(lambda: self.row().state != "gathering", "the third in the queue")
        self.expect("queue", self.states()[-3:],
                    [("Room", "v003", "running"), (TAKE, "v001", "waiting"), ("Room", "v004", "waiting")])
        yield from self.only("Queue")
        last = len(self.session.queue.rows) - 1
        yield from self.press(f"aa2.queue_move(row={last}, by=-1")
        self.expect("queue", self.states()[-2:], [("Room", "v004", "waiting"), (TAKE, "v001", "waiting")])
        yield from self.take("queue", BOTTOM)
        yield from self.press(f"aa2.queue_cancel(row={last - 1}")
        self.expect("queue", self.states()[-2:], [("Room", "v004", "cancelled"), (TAKE, "v001", "waiting")])
        yield from self.press(f"aa2.queue_pause(row={last - 2}")
        yield from self.until(lambda: self.states()[-3][2] == "paused", "the pause of the first shot")
        yield from self.until(lambda: self.states()[-1] == (TAKE, "v001", "done"), "the take's end")
        self.expect("strips over the take", len(self.ours(TAKE)), 2)
        self.edit.frame_set(TAKE_FRAME)
        yield from self.take("replaced", BOTTOM)

    def look_at_the_farm(self):
        """Open the panel below the rows of the queue, with both of its buttons; it is closed again."""
        yield from self.only("Queue")
        yield from self.unfold("Farm", "aa2.clear_finished", SUBPANEL, "aa2.write_farm_job")
        yield from self.hand.find(self.area, "aa2.copy_farm_command")
        yield from self.take("farm", BOTTOM)
        yield from self.hand.fold(self.area, "Farm", "aa2.clear_finished", SUBPANEL)

    def generate_of(self, plate):
        yield from self.pick(plate)
        driver = "PERFORMER" if plate == TAKE else "ARMATURE"
        if self.settings.driver != driver:
            yield from self.only("Driver")
            sidebar, (_x, y) = region(self.area, "UI"), (yield from self.hand.find(self.area, "driver"))
            yield from self.hand.click((sidebar.x + int(sidebar.width * (0.75 if plate == TAKE else 0.25)), y),
                                       f"the driver {driver}")
        self.expect("driver", self.settings.driver, driver)
        rows = len(self.session.queue.rows)
        yield from self.press("aa2.generate")
        yield from self.until(lambda: len(self.session.queue.rows) > rows, "another row in the queue")

    def write_output(self):
        """Write the output of the take, which has few frames."""
        yield from self.pick(TAKE)
        yield from self.only("Result")
        yield from self.unfold("Output", "aa2.vary_seed", SUBPANEL + HEAD, "aa2.write_output")
        yield from self.hand.find(self.area, "aa2.add_passes")
        yield from self.press("aa2.write_output")
        self.expect("Add Passes during Write Output", bpy.ops.aa2.add_passes.poll(), not self.session.busy())
        yield from self.until_idle("the output")
        folder = Path(bpy.path.abspath(self.strips()[self.ours(TAKE)[0]]["aa2_job"]))
        told["happened"]["output"] = sorted(path.name for path in (folder / "output").iterdir())
        yield from self.press("aa2.add_passes")
        yield from self.until_idle("the passes")
        yield from self.take("output", BOTTOM)

    def upgrade_at_work(self):
        """The zip is installed again while the engine works: the engine ends, the queue stays, and the new engine
        continues."""
        yield from self.only("Queue")
        place = next(i for i, state in enumerate(self.states()) if state == ("Room", "v003", "paused"))
        yield from self.press(f"aa2.queue_resume(row={place}")
        row = self.session.queue.rows[place]
        yield from self.until(lambda: row.state == "running" and row.task.engine_job.frames,
                              "the room's shot at work again")
        before, engine = row.made(), self.session.link._process._child.pid
        keep_times()
        bpy.ops.extensions.package_install_files(filepath=str(HERE / "aa2.zip"), repo="user_default",
                                                 enable_on_install=True)
        yield 2.0
        if Path(f"/proc/{engine}").exists():
            raise Wrong("Expected the engine to end with the extension that started it.")
        yield from self.until(lambda: ("Room", "v003", "paused") in self.states(), "the queue after an upgrade", 20)
        place = next(i for i, state in enumerate(self.states()) if state == ("Room", "v003", "paused"))
        row = self.session.queue.rows[place]
        yield from self.press(f"aa2.queue_resume(row={place}")
        yield from self.until(lambda: row.made() > before, "more frames after an upgrade")
        yield from self.press(f"aa2.queue_cancel(row={place}")
        yield from self.until(lambda: row.state == "cancelled", "the end of the job")
        yield SETTLED_S     # the row's buttons are others now
        trash = yield from self.hand.middle(self.area, f"aa2.queue_remove(row={place}")
        yield from self.hand.click(trash, "the button aa2.queue_remove")
        yield from self.until(lambda: ("Room", "v003", "cancelled") not in self.states(), "the job's removal", 20)
        yield from self.press("aa2.clear_finished")
        self.expect("finished jobs", [state for state in self.states() if state[2] == "done"], [])

    def show_the_first_version(self):
        yield from self.pick("Room")
        yield from self.only("Result")
        self.expect("version shown while the next one is not whole", self.shown(), {"v002"})
        for by, wanted in ((1, "v003"), (-1, "v002"), (-1, "v001")):
            yield from self.press(f"aa2.show_version(by={by}")
            self.expect("versions shown", self.shown(), {wanted})

    def shown(self):
        return {Path(self.strips()[name]["aa2_job"]).name for name in self.ours()}
