"""Shot, Character, Driver and Objects: the artist's choices reach the job, and the panels show the true state."""
import json
from importlib import import_module
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
import shots
import small_shot
from bpy_extras.object_utils import world_to_camera_view
from drawn import Layout, drawn
from PIL import Image

ROOT = "bl_ext.user_default.aa2_blender"

WITH_UPDATES = pytest.mark.skipif(bpy.app.version < (4, 5), reason="the module of 4.2 calls no update (properties.py)")


@pytest.fixture
def request_of(part, shot):
    return lambda: part("settings.request_of").request_of(shot)


@pytest.fixture
def problems(part, shot):
    return lambda: part("gather.job").problems(part("settings.request_of").request_of(shot))


# --- 1: Shot


def test_a_part_of_the_strip(shot, engine, session, request_of):
    engine("paints")
    assert request_of().frames is None
    shot.use_preview_range, shot.frame_preview_start, shot.frame_preview_end = True, 2, 30
    assert bpy.ops.aa2.use_preview_range() == {"FINISHED"}
    assert (shot.aa2.use_range, shot.aa2.range_first, shot.aa2.range_last) == (True, 2, small_shot.FRAMES)
    shot.aa2.range_last = 3
    bpy.ops.aa2.generate()
    job = json.loads((session.current().folder / "job.json").read_text())
    assert (job["first_frame"], job["frames"]) == (2, 2)
    placed = shots.strips(shot.sequence_editor)[session.current().placed[0]]
    assert (int(placed.frame_final_start), int(placed.frame_final_end)) == (2, 4)


def test_a_range_beside_the_strip_is_a_problem(shot, problems, part):
    shot.aa2.use_range, shot.aa2.range_first, shot.aa2.range_last = True, 50, 60
    assert "50 to 60" in problems()[0].message
    shot.frame_start, shot.frame_end = 90, 99
    with pytest.raises(RuntimeError, match="90 to 99"):
        bpy.ops.aa2.use_preview_range()
    assert "range_first" in drawn(part("panels.shot").Shot, shot).all_of("prop")


def test_the_plates_line_tells_its_name_and_pins_it(shot, part):
    """Before the first Generate as after it: the active strip is followed until it is pinned."""
    first, plates = part("panels.generate").Generate, part("settings.plates")
    shot.aa2.strip = ""
    shot.sequence_editor.active_strip = shots.strips(shot.sequence_editor)["plate"]
    layout = drawn(first, shot)
    assert layout.all_of("label")[:2] == ["Plate", "plate"] and "strip" not in layout.all_of("prop")
    assert bpy.ops.aa2.pin_plate() == {"FINISHED"} and shot.aa2.strip == "plate"
    assert "strip" in drawn(first, shot).all_of("prop")
    shot.sequence_editor.active_strip = None
    assert plates.plate_name(shot) == "plate"
    assert bpy.ops.aa2.pin_plate() == {"FINISHED"} and shot.aa2.strip == ""
    assert plates.plate_name(shot) == "" and not bpy.ops.aa2.pin_plate.poll()
    assert "No active strip" in drawn(first, shot).all_of("label")


def test_the_first_panel_has_a_line_each_and_all_others_are_closed_in_both_editors(shot, part):
    panels, generate = part("panels"), part("panels.generate")
    layout = drawn(generate.Generate, shot)
    assert layout.all_of("prop") == ["strip", "reference_kind", "reference_path", "driver", "armature"]
    assert [text for text in layout.all_of("label") if text in ("Plate", "Reference", "Driver")] == [
        "Plate", "Reference", "Driver"]
    assert layout.all_of("operator") == ["aa2.pin_plate", "aa2.generate"]
    for space, _short in panels.EDITORS:
        shown = sorted((cls for cls in panels.CLASSES if cls.bl_space_type == space), key=lambda cls: cls.bl_order)
        assert [cls.bl_label for cls in shown if "DEFAULT_CLOSED" not in cls.bl_options] == ["Character"]
        assert [cls.bl_label for cls in shown if not cls.parent] == [
            "Character", "Shot", "Reference", "Driver", "Objects", "Light", "Look", "Preview", "Queue", "Result"]


def test_the_message_stands_under_the_button(shot, engine, session, part):
    engine("paints")
    bpy.ops.aa2.find_reference_joints()
    labels = drawn(part("panels.generate").Generate, shot).all_of("label")
    assert labels[labels.index("Driver") + 1] == "Joints found", "directly below Generate"
    bpy.ops.aa2.choose_performer()
    assert f"Performer chosen on frame {shot.frame_current}" in drawn(
        part("panels.generate").Generate, shot).all_of("label")


# --- 2: Character


def test_a_frame_of_a_strip_is_the_reference(shot, request_of, part, problems):
    shot.frame_set(3)
    shot.sequence_editor.active_strip = shots.strips(shot.sequence_editor)["plate"]
    assert bpy.ops.aa2.use_frame_as_reference() == {"FINISHED"}
    source = request_of().reference
    assert (source.kind, source.name, source.frame) == ("STRIP", "plate", 3) and problems() == []
    picture = np.array(Image.open(part("settings.request_of").job_folder(shot) / "reference.png"))
    assert (picture[..., :3] == shots.coded(3)).all()
    shot.frame_set(90)
    with pytest.raises(RuntimeError, match="1 to 4, not 90"):
        bpy.ops.aa2.use_frame_as_reference()


def test_an_image_of_the_file_is_the_reference(shot, request_of, part):
    image = bpy.data.images.new("hero", 40, 80)
    shot.aa2.reference_kind, shot.aa2.reference_image = "IMAGE", image
    assert (request_of().reference.kind, request_of().reference.name) == ("IMAGE", "hero")
    props = drawn(part("panels.character").Character, shot)
    assert "reference_image" in props.all_of("prop") and "reference_path" not in props.all_of("prop")


@pytest.mark.parametrize("kind", ["FILE", "IMAGE", "STRIP"])
def test_joints_are_found_in_each_kind_of_reference(shot, engine, session, kind):
    engine("paints")
    shot.aa2.reference_image = bpy.data.images.new("hero", 40, 80)
    shot.aa2.reference_strip, shot.aa2.reference_frame, shot.aa2.reference_kind = "plate", 2, kind
    assert bpy.ops.aa2.find_reference_joints() == {"FINISHED"}
    assert len(shot.aa2.reference_joints) == 20 and tuple(shot.aa2.reference_joints[3].place) == (30, 5)


@WITH_UPDATES
def test_joints_go_with_another_picture(shot, engine, session, request_of):
    engine("paints")
    bpy.ops.aa2.find_reference_joints()
    assert request_of().reference.joints
    shot.aa2.reference_path = str(shot.aa2.reference_path)
    assert request_of().reference.joints, "the same picture, chosen again"
    shot.aa2.reference_path = str(shot.aa2.reference_path) + "x"
    assert request_of().reference.joints is None and shot.aa2.reference_height == 0


def test_a_joint_is_moved_by_numbers(shot, engine, session, request_of):
    with pytest.raises(RuntimeError, match="Find Joints"):
        bpy.ops.aa2.edit_reference_joints(joint="left_wrist", place=(1, 2))
    engine("paints")
    bpy.ops.aa2.find_reference_joints()
    bpy.ops.aa2.edit_reference_joints(joint="left_wrist", place=(12.5, 60))
    joints = {joint.name: tuple(joint.place) for joint in shot.aa2.reference_joints}
    assert joints["left_wrist"] == (12.5, 60) and joints["neck"] == (10, 5)
    assert request_of().reference.joints[7][:2] == (12.5, 60)


def test_the_mouse_and_the_picture_agree(part):
    room = part("operators.joints")
    size, fit = (48, 96), (2.5, 100.0, 40.0)
    assert room.to_region((0, 0), fit, size) == (100, 40 + 2.5 * 96)
    for place in ((0, 0), (13.5, 70.25), (48, 96)):
        assert room.to_picture(room.to_region(place, fit, size), fit, size) == pytest.approx(place)
    assert room.nearest([(10, 10), (50, 50)], (55, 52), 14) == 1 and room.nearest([(10, 10)], (100, 100), 14) is None


def test_a_standing_figure_where_no_joints_are_found(shot, part, request_of):
    room = part("operators.joints")
    room.lay_standing(shot.aa2, (48, 96))
    joints = request_of().reference.joints
    assert len(joints) == 20 and all(0 <= x <= 48 and 0 <= y <= 96 and seen == 1 for x, y, seen in joints)
    before = room.kept(shot.aa2)
    shot.aa2.reference_joints[3].place = (1, 1)
    room.put_back(shot.aa2, before)
    assert room.kept(shot.aa2) == before


def test_joints_are_found_before_they_are_edited(shot, engine, session, part):
    """What Edit Joints does in a window after its search has ended."""
    room, ours = part("operators.joints"), shot.aa2
    engine("paints")
    search = part("operators.character").search_of(shot)
    session.begin(search)
    assert not search.is_nobody and room.can_begin(search, ours, (48, 96))
    assert tuple(ours.reference_joints[3].place) == (30, 5), "what was found, not a standing figure"


@pytest.mark.parametrize("moved", [True, False])
def test_joints_of_nobody_are_kept_only_if_the_artist_moved_one(shot, engine, session, part, moved):
    room, ours = part("operators.joints"), shot.aa2
    engine("paints", "--nobody")
    search = part("operators.character").search_of(shot)
    session.begin(search)
    assert search.is_nobody and search.error.message == "No person was found in -reference é.png."
    assert len(ours.reference_joints) == 0, "nothing is laid by Find Joints"
    assert room.can_begin(search, ours, (48, 96)) and len(ours.reference_joints) == 20
    before = room.kept(ours)
    if moved:
        ours.reference_joints[7].place = (3, 4)
    assert room.keep_moved(ours, before) == moved
    assert len(ours.reference_joints) == (20 if moved else 0) and bool(ours.reference_height) == moved


# --- 3: Driver


def table(part, shot):
    layout = drawn(part("panels.driver").Bones, shot)
    return layout, layout.all_of("label")


def test_the_table_tells_each_joints_bone_and_state(shot, part, problems):
    _, labels = table(part, shot)
    assert "Mixamo: 14 of 14 joints" in labels
    assert bpy.ops.aa2.edit_bones() == {"FINISHED"}
    layout, labels = table(part, shot)
    assert labels[labels.index("left wrist") + 1] == "mixamorig:LeftHand"
    assert "bone" in layout.all_of("prop") and "aa2.use_active_bone" in layout.all_of("operator")
    row = {one.name: one for one in shot.aa2.bones}["left_wrist"]
    row.bone = "nowhere"
    assert "Mixamo: 13 of 14 joints" in table(part, shot)[1] and "nowhere" in problems()[0].message
    row.bone = "mixamorig:LeftHandIndex1"
    assert problems() == [] and "Mixamo: 14 of 14 joints" in table(part, shot)[1]
    bpy.ops.aa2.clear_bones()
    assert not any(one.bone for one in shot.aa2.bones)


def test_own_bones_reach_the_pose(shot, engine, session):
    engine("paints")
    bpy.ops.aa2.generate()
    before = shots.poses(session.current().folder)[0][0]["body"]
    bpy.ops.aa2.edit_bones()
    {one.name: one for one in shots.ours(shot).bones}["left_wrist"].bone = "mixamorig:LeftHandIndex3"
    bpy.ops.aa2.generate()
    after = shots.poses(session.current().folder)[0][0]["body"]
    assert before[7] != after[7] and before[:7] == after[:7]


def test_the_active_bone_is_taken_for_the_selected_joint(shot, part):
    bones = shot.aa2.armature.data.bones
    with pytest.raises(RuntimeError, match="no active bone"):
        bones.active = None
        bpy.ops.aa2.use_active_bone()
    bones.active = bones["mixamorig:Neck"]
    bpy.ops.aa2.edit_bones()
    shot.aa2.bones_index = 3
    bpy.ops.aa2.use_active_bone()
    assert shot.aa2.bones[3].bone == "mixamorig:Neck"


def test_a_preset_of_the_artists_choice(shot, problems, part):
    shot.aa2.bone_preset = "Daz Genesis 8"
    assert "no bone for" in problems()[0].message and "Daz Genesis 8" in problems()[0].message
    shot.aa2.bone_preset = "Mixamo"
    assert problems() == []


@WITH_UPDATES
def test_another_armature_keeps_no_strange_bones(shot, problems):
    bpy.ops.aa2.edit_bones()
    {one.name: one for one in shot.aa2.bones}["left_wrist"].bone = "mixamorig:LeftHandIndex1"
    shot.aa2.armature = shots.armature(shot, shots.metarig_bones(), "other")
    assert problems() == [] and not any(one.bone for one in shot.aa2.bones)


def test_a_saved_map_is_loaded_into_the_table(shot, tmp_path, part):
    file = tmp_path / "map.json"
    bpy.ops.aa2.edit_bones()
    {one.name: one for one in shot.aa2.bones}["left_wrist"].bone = "mixamorig:LeftHandIndex1"
    bpy.ops.aa2.save_bone_map(filepath=str(file))
    bpy.ops.aa2.clear_bones()
    bpy.ops.aa2.load_bone_map(filepath=str(file))
    rows = {one.name: (one.bone, one.end) for one in shot.aa2.bones}
    assert rows["left_wrist"] == ("mixamorig:LeftHandIndex1", "head") and rows["left_toe"][1] == "tail"


def test_the_armature_that_is_meant_is_offered(shot, part):
    """The active one, else the only selected one, else the only one."""
    driver, first, figure = part("operators.driver"), part("panels.generate").Generate, shot.aa2.armature
    shot.aa2.armature = None
    layer = shot.view_layers[0]
    layer.objects.active = None
    assert "aa2.use_armature" in drawn(first, shot).all_of("operator") and driver.offered(shot, "ARMATURE") == figure
    other = shots.armature(shot, shots.metarig_bones(), "other")
    for thing in (figure, other):
        thing.select_set(False)
    layer.objects.active = None
    assert driver.offered(shot, "ARMATURE") is None and not bpy.ops.aa2.use_armature.poll()
    other.select_set(True)
    assert driver.offered(shot, "ARMATURE") == other
    layer.objects.active = figure
    assert bpy.ops.aa2.use_armature() == {"FINISHED"} and shot.aa2.armature == figure


def test_a_missing_camera_and_missing_bones_have_their_buttons(shot, part, problems):
    remedies, first = part("panels.remedies"), part("panels.generate").Generate
    bpy.data.objects.remove(shot.camera)
    assert [remedies.button_of(problem)[1] for problem in problems()] == ["Add Camera"]
    assert bpy.ops.aa2.add_camera() == {"FINISHED"} and problems() == []
    bpy.context.view_layer.update()
    places = [world_to_camera_view(shot, shot.camera, shot.aa2.armature.matrix_world @ bone.head_local)
              for bone in shot.aa2.armature.data.bones]
    assert all(0 < x < 1 and 0 < y < 1 and depth > 0 for x, y, depth in places), "it sees the whole rig"
    shot.aa2.armature = shots.armature(shot, {"Bone": ("", (0, 0, 0), (0, 0, 1))}, "none")
    assert "aa2.edit_bones" in drawn(first, shot).all_of("operator")


# --- 4: Objects


@WITH_UPDATES
def test_objects_and_collections_in_one_list(shot, request_of, part, problems):
    table, cup = (shots.cube(shot, name=name) for name in ("table", "cup"))
    props = bpy.data.collections.new("props")
    shot.collection.children.link(props)
    shot.aa2.objects, shot.aa2.add_object = props, table
    assert shot.aa2.objects is None and shot.aa2.add_object is None, "the fields are free for the next"
    shot.aa2.add_object = table
    assert request_of().objects == ("table",) and request_of().collections == ("props",)
    cup.select_set(True)
    table.select_set(True)
    bpy.ops.aa2.add_selected_objects()
    assert request_of().objects == ("table", "cup") and problems() == []
    assert drawn(part("panels.objects").Objects, shot).all_of("prop").count("name") == 3
    with pytest.raises(RuntimeError, match="Select one"):
        bpy.ops.aa2.add_selected_objects()
    shot.aa2.touched_index = 0
    bpy.ops.aa2.remove_object()
    assert request_of().collections == () and shot.aa2.touched_index == 0
    bpy.data.objects.remove(table)
    assert "Gone" in drawn(part("panels.objects").Objects, shot).all_of("label")
    assert request_of().objects == ("cup",)


def test_listed_objects_hide_the_character(shot, engine, session):
    engine("paints")
    shot.aa2.add_object = shots.cube(shot, location=(0, -2, 1), name="table")
    bpy.ops.aa2.generate()
    folder = session.current().folder
    assert json.loads((folder / "job.json").read_text())["objects"]["near"] == pytest.approx(2.5, abs=0.01)
    assert len(list((folder / "objects").glob("*.png"))) == small_shot.FRAMES
    assert import_module(f"{ROOT}.versions.folders").read_request(folder).objects == ("table",)


# --- All panels


def test_all_buttons_are_in_a_menu_with_a_tooltip_and_those_that_change_the_file_can_be_undone(part):
    """F3 searches menus. Buttons that need a row of the queue, and the parts of a table, are only in the panel."""
    menu, operators = part("panels.menu"), part("operators")
    offered = {operator for step in menu.STEPS for operator in step}
    missing = {cls.bl_idname for cls in operators.CLASSES if cls not in offered}
    assert missing == {"aa2.queue_move", "aa2.queue_pause", "aa2.queue_resume", "aa2.queue_cancel", "aa2.queue_remove",
                       "aa2.queue_place", "aa2.show_condition", "aa2.remove_object", "aa2.forget_performer",
                       "aa2.fix_range"}
    for cls in operators.CLASSES:
        tooltip = vars(cls).get("bl_description") or cls.__doc__
        assert tooltip and len(tooltip.strip()) > 15 and not tooltip.strip().endswith(".") and "\n" not in tooltip, cls
        assert cls.bl_label and "REGISTER" in cls.bl_options, cls
    layout = drawn_menu(menu.AA2_MT_character)
    assert len(layout.all_of("operator")) == len(offered)


def drawn_menu(cls):
    layout = Layout()
    cls.draw(SimpleNamespace(layout=layout), None)
    return layout


def test_the_menu_is_in_strip_and_in_object_and_goes_with_the_extension(part):
    menu = part("panels.menu")
    for name in menu.MENUS:
        assert menu.draw_entry in getattr(bpy.types, name).draw._draw_funcs


def test_the_preferences_say_where_the_tab_is_and_how_the_engine_is(blank, part, engine, tmp_path):
    room = part("settings.preferences")
    ours, layout = room.of_this_machine(), Layout()
    room.AA2_AP_preferences.draw(Told(ours, layout), None)
    labels, weights = layout.all_of("label"), ("pack", "pack_sd15_aa2", "pack_wan_vace", "pack_wan_animate")
    assert "sidebar (N)" in labels[0] and "embedded runtime" in labels[1] and labels[2].startswith("Weights: ")
    assert layout.all_of("prop") == [*weights, "threads_in_use", "threads_is_automatic", "python"]
    ours.pack = str(tmp_path)
    try:
        assert room.state_of_engine()[1] == (f"There are no weights in {tmp_path}", "ERROR")
    finally:
        ours.pack = ""


class Told:
    """Preferences that draw into a Layout."""

    def __init__(self, ours, layout):
        self.bl_rna, self.layout, self.threads_is_automatic = ours.bl_rna, layout, ours.threads_is_automatic


def test_buttons_are_verbs_and_say_where_something_opens(part):
    """Three dots are where a file browser or a dialog opens."""
    labels = {cls.bl_idname: cls.bl_label for cls in part("operators").CLASSES}
    takes = {name: set(getattr(bpy.ops.aa2, name.partition(".")[2]).get_rna_type().properties.keys())
             for name in labels}
    opening = {name for name, properties in takes.items() if {"directory", "filepath"} & properties}
    assert {name for name, label in labels.items() if label.endswith("...")} == opening
    verbs = {"Use", "Pin", "Add", "Find", "Edit", "Clear", "Load", "Save", "Remove", "Choose", "Make", "Preview",
             "Show", "Generate", "Cancel", "Move", "Pause", "Resume", "Place", "Compare", "Vary", "Fix", "Write",
             "Copy", "Convert"}
    assert {label.split()[0] for label in labels.values()} <= verbs
