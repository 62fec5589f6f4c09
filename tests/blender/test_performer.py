"""A performer in the plate drives: what is gathered, which requests the engine gets in which order, and what the artist
is told."""
import json
import os
from pathlib import Path

import bpy
import numpy as np
import pytest
import shots
import small_shot
from drawn import drawn as drawn_panel
from PIL import Image


@pytest.fixture
def shot(blank, tmp_path):
    """A plate with a performer, without a rig or a camera."""
    scene = small_shot.make(tmp_path / "a shot é")
    for thing in list(scene.objects):
        bpy.data.objects.remove(thing)
    scene.aa2.driver, scene.aa2.make_clean = "PERFORMER", False
    return scene


def drawn(scene, folder, name, pictures, *, start=1, channel=5):
    """A strip in the sequencer made from pictures in memory; returns its name."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{name}_{i:04}.png" for i in range(1, len(pictures) + 1)]
    for file, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture).save(folder / file)
    return shots.image_strip(scene, folder, names, start=start, channel=channel, name=name).name


def greys(count=small_shot.FRAMES, size=small_shot.SIZE):
    """Masks with every value of grey, different in each frame."""
    ramp = np.arange(size[0] * size[1]).reshape(size[1], size[0]) % 256
    return [np.repeat(((ramp + 50 * i) % 256).astype(np.uint8)[..., None], 3, axis=2) for i in range(count)]


def gathered(part, scene, folder):
    list(part("gather.job").gather(part("settings.request_of").request_of(scene), folder))
    return part("embedded.engine.contract.jobs").read(str(folder))


def said(part, scene):
    return [problem.message for problem in part("gather.job").problems(part("settings.request_of").request_of(scene))]


def generate():
    try:
        bpy.ops.aa2.generate()
    except RuntimeError as error:
        return str(error)
    return ""


def asked_of(folder):
    return json.loads((Path(folder) / "estimate" / "estimate.json").read_text())


def test_the_plate_alone_is_gathered(part, shot, tmp_path):
    assert said(part, shot) == []
    job = gathered(part, shot, tmp_path / "job")
    assert sorted(os.listdir(tmp_path / "job")) == ["job.json", "reference.png", "source"]
    assert not job.clean_plate and not job.clean_pictures and job.driver.rig == "" and job.mask_joins is False
    assert job.driver.performer == part("embedded.engine.contract.jobs").Performer()
    shot.aa2.property_unset("make_clean")
    job = gathered(part, shot, tmp_path / "with clean")
    assert job.driver.performer.clean and job.clean_pictures, "by default the engine makes a clean plate, and uses it"


def test_generate_estimates_then_runs_and_places(part, shot, engine, session):
    engine("paints")
    shot.aa2.make_clean = True
    assert generate() == ""
    row = session.queue.rows[0]
    assert row.state == "done" and row.placed and row.made() == small_shot.FRAMES
    request = asked_of(row.folder)
    assert (request["frame"], request["box"], request["mask"], request["clean"]) == (1, None, None, True)
    assert json.loads((row.folder / "job.json").read_text())["clean_pictures"] is True
    assert (row.folder / "pose.json").exists() and (row.folder / "mask" / "0004.png").exists()


def test_the_chosen_one_is_asked_for_in_job_pixels(part, shot, engine, session):
    engine("paints")
    plate = shots.strips(shot.sequence_editor)["plate"]
    setattr(plate, "content_start" if hasattr(plate, "content_start") else "frame_start", 11)
    bpy.ops.aa2.choose_performer(box=(0.25, 0.5, 0.5, 1.0), frame=13)
    assert generate() == ""
    request = asked_of(session.queue.rows[0].folder)
    assert request["box"] == [16.0, 24.0, 32.0, 48.0] and request["frame"] == 3
    bpy.ops.aa2.forget_performer()
    assert part("settings.request_of").request_of(shot).performer_box is None


def test_the_nearest_on_the_frame_is_found_by_the_engine(shot, engine):
    engine("paints")
    shot.frame_set(2)
    assert bpy.ops.aa2.choose_performer() == {"FINISHED"}
    assert tuple(shot.aa2.performer_box) == pytest.approx((10 / 64, 4 / 48, 40 / 64, 44 / 48)) \
        and shot.aa2.performer_frame == 2
    shot.frame_set(99)
    with pytest.raises(RuntimeError, match="frames 1 to 4, not 99"):
        bpy.ops.aa2.choose_performer()
    with pytest.raises(RuntimeError, match="left, top, right, bottom"):
        bpy.ops.aa2.choose_performer(box=(0.5, 0.2, 0.4, 1.0))


def test_a_click_means_the_smallest_box_around_it(part):
    boxes = ((0.0, 0.0, 1.0, 1.0), (0.4, 0.4, 0.6, 0.6))
    box_at = part("tasks.performer").box_at
    assert box_at(boxes, 0.5, 0.5) == 1 and box_at(boxes, 0.1, 0.9) == 0 and box_at(boxes[1:], 0.1, 0.9) is None


def test_a_mask_strip_is_gathered_bit_for_bit_and_told_to_the_engine(part, shot, engine, session, tmp_path):
    pictures = greys()
    shot.aa2.mask_strip = drawn(shot, tmp_path / "masks", "mask", pictures)
    shot.aa2.mask_use = "OVERRIDE"
    engine("paints")
    assert generate() == ""
    folder = session.queue.rows[0].folder
    request = asked_of(folder)
    assert request["mask"] == str(folder / "estimate" / "mask") and request["mask_use"] == "override"
    for number, picture in enumerate(pictures, 1):
        stored = Image.open(folder / "estimate" / "mask" / f"{number:04}.png")
        assert stored.mode == "L" and np.array_equal(np.array(stored), picture[..., 0]), number


def test_a_clean_plate_is_gathered_bit_for_bit_and_none_is_made(part, shot, engine, session, tmp_path):
    pictures = [shots.coded(100 + i) for i in range(small_shot.FRAMES)]
    shot.aa2.clean_strip = drawn(shot, tmp_path / "clean", "clean", pictures)
    shot.aa2.make_clean = True
    engine("paints")
    assert generate() == ""
    folder = session.queue.rows[0].folder
    for number, picture in enumerate(pictures, 1):
        assert np.array_equal(shots.read(folder / "clean" / f"{number:04}.png"), picture)
    assert asked_of(folder)["clean"] is False
    assert json.loads((folder / "job.json").read_text())["clean_pictures"] is True


def test_what_stays_in_front_is_gathered_for_performers_and_rigs(part, shot, tmp_path):
    shot.aa2.front_strip = drawn(shot, tmp_path / "front", "held", greys(2), start=2)
    gathered(part, shot, tmp_path / "job")
    stored = [np.array(Image.open(tmp_path / "job" / "front" / f"000{i}.png")) for i in (1, 2, 3, 4)]
    assert np.array_equal(stored[1], greys()[0][..., 0]) and np.array_equal(stored[2], greys()[1][..., 0])
    assert not stored[0].any() and not stored[3].any(), "the plate's frames that the strip does not show"
    shot.aa2.front_strip = ""
    gathered(part, shot, tmp_path / "job")
    assert not (tmp_path / "job" / "front").exists()


@pytest.mark.parametrize("change, words", [
    (dict(front_strip="gone"), "front strip 'gone'"),
    (dict(front_strip="late"), "front strip 'late' shows none of the plate's frames"),
    (dict(mask_strip="plate"), "mask strip is the plate itself"),
    (dict(mask_strip="gone"), "mask strip 'gone'"),
    (dict(mask_strip="short", mask_use="OVERRIDE"), "shows the frames 2 to 3, the plate 1 to 4"),
    (dict(mask_strip="late"), "none of the plate's frames"),
    (dict(clean_strip="short"), "clean plate 'short' shows the frames 2 to 3"),
    (dict(performer_box=(0, 0, 1, 1), performer_frame=9), "chosen on frame 9, outside the frames 1 to 4"),
    (dict(objects="props"), "no camera"),
])
def test_problems_are_named_before_anything_is_pressed(part, shot, tmp_path, change, words):
    drawn(shot, tmp_path / "masks", "short", greys(2), start=2)
    drawn(shot, tmp_path / "masks", "late", greys(2), start=50, channel=6)
    props = bpy.data.collections.new("props")
    for name, value in change.items():
        setattr(shot.aa2, name, props if name == "objects" else value)
    found = said(part, shot)
    assert len(found) == 1 and words in found[0], found
    assert words.split()[-1] in generate()


def test_a_mask_that_joins_may_be_short(part, shot, tmp_path):
    shot.aa2.mask_strip = drawn(shot, tmp_path / "masks", "short", greys(2), start=2)
    gathered(part, shot, tmp_path / "job")
    stored = [np.array(Image.open(tmp_path / "job" / "estimate" / "mask" / f"000{i}.png")) for i in (1, 2, 3, 4)]
    assert not stored[0].any() and not stored[3].any() and np.array_equal(stored[1], greys()[0][..., 0])


def test_with_a_rig_the_mask_joins_its_meshes_or_its_limbs_or_overrides_both(part, blank, tmp_path):
    scene = small_shot.make(tmp_path / "rig")
    scene.aa2.mesh = shots.cube(scene, (0, 0, 1), 0.5)
    corner = np.zeros((48, 64, 3), np.uint8)
    corner[:10, :10] = 255
    scene.aa2.mask_strip = drawn(scene, tmp_path / "masks", "mask", [corner] * small_shot.FRAMES)

    def mask(use):
        scene.aa2.mask_use = use
        job = gathered(part, scene, tmp_path / use)
        return np.array(Image.open(tmp_path / use / "mask" / "0002.png")), job
    joined, job = mask("JOIN")
    assert (joined[:10, :10] == 255).all() and joined[24, 32] == 255 and joined[40, 60] == 0 and not job.mask_joins
    alone, job = mask("OVERRIDE")
    assert np.array_equal(alone, corner[..., 0]) and not job.mask_joins
    scene.aa2.mesh = None
    limbs, job = mask("JOIN")
    assert np.array_equal(limbs, corner[..., 0]) and job.mask_joins, "the engine adds the limbs"
    scene.aa2.mask_use = "CHOOSE"
    assert "set to choose a performer" in said(part, scene)[0]


def test_objects_hide_a_performer_where_there_is_a_camera(part, shot, tmp_path):
    shots.camera(shot)
    props = bpy.data.collections.new("props")
    shot.collection.children.link(props)
    thing = shots.cube(shot, (0, -2, 1), 0.5)
    props.objects.link(thing)
    shot.aa2.objects = props
    assert said(part, shot) == []
    assert gathered(part, shot, tmp_path / "job").objects.near == pytest.approx(2.75, abs=0.01)


def test_generate_twice_is_one_version_and_another_choice_is_another(part, shot, engine, session):
    engine("paints")
    for _press in range(2):
        assert generate() == ""
    assert [row.folder.name for row in session.queue.rows] == ["v001"]
    bpy.ops.aa2.choose_performer(box=(0, 0, 0.5, 1), frame=1)
    assert generate() == ""
    assert [row.folder.name for row in session.queue.rows][-1] == "v002"


def test_a_copy_takes_along_what_was_found(shot, engine, session):
    engine("paints")
    assert generate() == ""
    assert bpy.ops.aa2.vary_seed() == {"FINISHED"}
    folder = session.queue.rows[-1].folder
    assert folder.name == "v002" and (folder / "mask" / "0001.png").exists() and session.queue.rows[-1].state == "done"


def test_cancel_at_every_stage_and_generate_works_again(part, shot, engine, session):
    engine("paints")
    asking, launch = part("settings.request_of"), part("settings.preferences").engine_launch()
    states = set()
    for slices in range(0, 40, 3):
        version = part("tasks.gathering").Gathered(asking.request_of(shot), asking.job_folder(shot))
        task = part("tasks.generation").Generation(version, link=session.link, launch=launch)
        for _slice in range(slices):
            task.advance()
        task.cancel()
        task.run()
        states.add(task.state)
        assert task.state in ("cancelled", "done"), task.error
    assert "cancelled" in states and generate() == ""


def test_what_was_asked_for_outlives_blender(part, shot, engine, session):
    engine("paints")
    bpy.ops.aa2.choose_performer(box=(0.25, 0.5, 0.5, 1.0), frame=3)
    assert generate() == ""
    kept = part("versions.folders").read_request(session.queue.rows[0].folder)
    assert kept == part("settings.request_of").request_of(shot) and kept.performer_box == (16.0, 24.0, 32.0, 48.0)


def test_from_python_and_the_command_line(part, blank, engine, tmp_path):
    small_shot.make(tmp_path / "rig")
    engine("paints")
    code, summary = part("cli").generate(performer_box=(16, 12, 32, 48), performer_frame=2, retarget=0.5, save="")
    assert code == 0 and summary["state"] == "done", summary
    request, job = asked_of(summary["job"]), json.loads((Path(summary["job"]) / "job.json").read_text())
    assert request["box"] == [16.0, 12.0, 32.0, 48.0] and request["frame"] == 2 and job["retarget"] == 0.5
    code, summary = part("cli").generate(rig="figure", save="")
    assert code == 0 and json.loads((Path(summary["job"]) / "job.json").read_text())["driver"]["performer"] is None
    assert part("cli").generate(performer_box=(32, 12, 16, 48), save="")[0] == 3
    assert part("cli").generate(performer=True, mask_strip="gone",
                                save="")[1]["error"]["message"].startswith("The mask strip 'gone'")


def test_fit_to_reference_is_a_field_of_the_job_for_both_drivers(part, shot, tmp_path):
    shot.aa2.retarget = 0.25
    assert gathered(part, shot, tmp_path / "job").retarget == 0.25


def test_the_active_strip_becomes_mask_or_clean_plate(shot, tmp_path):
    strip = shots.strips(shot.sequence_editor)[drawn(shot, tmp_path / "masks", "painted", greys())]
    shot.sequence_editor.active_strip = strip
    bpy.ops.aa2.use_active_strip(role="MASK")
    bpy.ops.aa2.use_active_strip(role="CLEAN")
    assert shot.aa2.mask_strip == shot.aa2.clean_strip == "painted" and shot.aa2.strip == "plate"


def test_the_made_clean_plate_becomes_a_strip_that_the_next_version_uses(shot, engine, session):
    engine("paints")
    assert generate() == "" and not bpy.ops.aa2.add_clean_plate.poll(), "none was asked for"
    shots.ours(shot).make_clean = True
    assert generate() == ""
    made_for = session.queue.rows[-1].folder
    for _press in range(2):
        assert bpy.ops.aa2.add_clean_plate() == {"FINISHED"}
    found = [strip for strip in shots.strips(shot.sequence_editor) if strip.name.startswith("clean plate")]
    assert len(found) == 1 and found[0].mute and len(found[0].elements) == small_shot.FRAMES
    bpy.ops.aa2.use_active_strip(role="CLEAN")
    assert generate() == ""
    folder = session.queue.rows[-1].folder
    assert folder != made_for
    assert shots.ours(shot).clean_strip == found[0].name, "placing the next version left it alone"
    assert np.array_equal(shots.read(folder / "clean" / "0002.png"), shots.read(made_for / "clean" / "0002.png"))
    assert (shots.read(folder / "clean" / "0002.png") == (0, 90, 0)).all()


def test_the_found_mask_becomes_a_strip_for_a_rig_to_paint_in(part, shot, engine, session, tmp_path):
    engine("paints")
    assert not bpy.ops.aa2.add_mask.poll() and generate() == ""
    found = session.queue.rows[-1].folder
    shots.camera(shot)
    bpy.ops.aa2.add_mask()
    bpy.ops.aa2.use_active_strip(role="MASK")
    shot.aa2.mask_use = "OVERRIDE"
    bpy.ops.aa2.make_rig_from_pose()
    gathered(part, shot, tmp_path / "job")
    was = shots.read(found / "mask" / "0003.png")
    assert np.array_equal(shots.read(tmp_path / "job" / "mask" / "0003.png"),
                          was[..., 0]) and was.any() and not was.all()


def test_finding_a_performer_is_part_of_the_cost(part, asked, shot, engine, session):
    room = part("cost")
    one = room.Work(frames=10, megapixels=1, steps=1, window=8, overlap=2)
    rate = room.Rate(performer_s=0.5)
    more = room.cost_of(room.replace(one, performed=True), rate).seconds - room.cost_of(one, rate).seconds
    assert more == pytest.approx(5.0)
    engine("paints")
    assert generate() == ""
    launch = part("settings.preferences").engine_launch()
    assert room.rate_of(launch).performer_s == pytest.approx(0.1 / small_shot.FRAMES)
    assert "frames: about" in part("panels.look").cost_lines(asked(shot))[0]


def test_the_panel_shows_what_a_performer_needs_and_nothing_of_a_rig(part, shot, engine):
    panel = drawn_panel(part("panels.driver").Driver, shot)
    assert "aa2.choose_performer" in panel.all_of("operator") and "aa2.forget_performer" not in panel.all_of("operator")
    assert {"driver", "make_clean", "retarget"} <= set(panel.all_of("prop")) and "armature" not in panel.all_of("prop")
    assert "The nearest person in the plate" in panel.all_of("label")
    bpy.ops.aa2.choose_performer(box=(0, 0, 0.5, 1), frame=3)
    panel = drawn_panel(part("panels.driver").Driver, shot)
    assert "aa2.forget_performer" in panel.all_of("operator") and "Chosen on frame 3" in panel.all_of("label")
    shot.aa2.mask_strip = "plate"
    beside = drawn_panel(part("panels.shot").Beside, shot)
    assert {"mask_strip", "mask_use", "clean_strip", "front_strip"} <= set(beside.all_of("prop"))
    assert {"aa2.add_mask", "aa2.add_clean_plate"} <= set(beside.all_of("operator"))
    shot.aa2.driver = "ARMATURE"
    panel = drawn_panel(part("panels.driver").Driver, shot)
    assert "armature" in panel.all_of("prop") and "aa2.choose_performer" not in panel.all_of("operator")


def test_a_row_whose_performer_was_not_found_in_time_goes_on(shot, engine, session):
    engine("paints", "--dies-estimating")
    assert "signal 6" in generate()
    row = session.queue.rows[0]
    assert row.state == "failed" and row.error.code == "engine_died" and row.made() == 0
    engine("paints")
    assert bpy.ops.aa2.queue_resume(row=0) == {"FINISHED"}
    assert row.state == "done" and row.placed and (row.folder / "pose.json").exists()


def test_previews_find_the_performer_first(part, shot, engine, session):
    engine("paints")
    with pytest.raises(RuntimeError, match="no drawn conditions"):  # this engine never draws any
        bpy.ops.aa2.preview_conditions()
    assert (session.current().folder / "pose.json").exists()
    shot.frame_set(3)
    bpy.ops.aa2.choose_performer(box=(0, 0, 0.5, 1), frame=3)
    assert bpy.ops.aa2.preview_frame() == {"FINISHED"}
    assert asked_of(session.current().folder)["frame"] == 1 \
        and (session.current().folder / "frames" / "0001.png").exists()
    shot.frame_set(4)
    with pytest.raises(RuntimeError, match="chosen on frame 3, outside the frames 4 to 4"):
        bpy.ops.aa2.preview_frame()
