"""Preview Conditions and Preview Frame with the extension's own engine: strips over the plate, and the plate itself
unchanged."""
from importlib import import_module
from pathlib import Path

import bpy
import numpy as np
import pytest
import shots
import small_shot
from drawn import drawn
from PIL import Image

KINDS = ("skeleton", "depth", "surface", "mask", "environment", "objects")


@pytest.fixture
def shot(blank, tmp_path):
    return small_shot.make(tmp_path / "a shot é", size=(160, 121))


def strips(scene):
    return {strip.name: strip for strip in shots.strips(scene.sequence_editor)}


def frame(scene, number, path):
    """(height, width, 3) of the sequencer on a frame."""
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.frame_set(number)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return np.array(Image.open(path))[..., :3].astype(int)


def meta_of(scene):
    return next(strip for strip in strips(scene).values() if strip.type == "META")


def test_conditions_lie_in_a_metastrip_over_the_plate_with_the_skeleton_shown(shot, session, tmp_path):
    plate = frame(shot, 3, tmp_path / "plate.png")
    assert bpy.ops.aa2.preview_conditions() == {"FINISHED"}
    meta = meta_of(shot)
    inside = list(shots.strips(meta))
    assert meta.name == "conditions Scene plate" and not meta.mute
    assert [strip["aa2_condition"] for strip in inside if not strip.mute] == ["skeleton"]
    assert {strip.name for strip in inside} == {f"{kind} Scene plate" for kind in KINDS}
    assert [strip["aa2_condition"] for strip in inside] == list(KINDS)
    assert len(strips(shot)) == 2 and meta.channel > strips(shot)["plate"].channel
    for strip in (meta, *inside):
        assert (int(strip.frame_final_start), int(strip.frame_final_end)) == (1, small_shot.FRAMES + 1)
    assert (frame(shot, 3, tmp_path / "shown.png") != plate).any()
    bpy.ops.aa2.show_condition(kind="skeleton")
    assert meta.mute and (frame(shot, 3, tmp_path / "muted.png") == plate).all()


def test_a_condition_is_shown_where_it_lies_and_hidden_again(shot, session, tmp_path):
    plate = frame(shot, 3, tmp_path / "plate.png")
    bpy.ops.aa2.preview_conditions()
    assert not meta_of(shot).mute
    shown = frame(shot, 3, tmp_path / "shown.png")
    seen = (shown != plate).any(axis=-1)
    folder = Path(session.current().folder)
    drawing = Image.open(folder / "shown" / "skeleton" / "0003.png").resize((160, 121), Image.NEAREST)
    drawing = np.array(drawing)[..., 3] > 0
    assert seen.any() and (seen & ~_grown(drawing)).sum() == 0 \
        and (drawing & ~_grown(seen)).sum() < 0.02 * drawing.sum()
    bpy.ops.aa2.show_condition(kind="skeleton")
    assert meta_of(shot).mute and (frame(shot, 3, tmp_path / "hidden.png") == plate).all()


def _grown(mask):
    return np.any([np.roll(mask, (dy, dx), (0, 1)) for dy in (-2, -1, 0, 1, 2) for dx in (-2, -1, 0, 1, 2)], axis=0)


def test_pressed_again_they_are_replaced_and_what_was_shown_stays_shown(shot, session):
    bpy.ops.aa2.preview_conditions()
    for kind in ("mask", "skeleton"):
        bpy.ops.aa2.show_condition(kind=kind)
    channel = meta_of(shot).channel
    bpy.ops.aa2.preview_conditions()
    assert len(strips(shot)) == 2 and meta_of(shot).channel == channel
    assert [strip["aa2_condition"] for strip in shots.strips(meta_of(shot)) if not strip.mute] == ["mask"]


def test_the_panel_offers_a_switch_for_each(shot, session):
    panel = import_module("bl_ext.user_default.aa2_blender.panels.preview").Preview
    assert "aa2.show_condition" not in drawn(panel, shot).all_of("operator")
    bpy.ops.aa2.preview_conditions()
    assert drawn(panel, shot).all_of("operator").count("aa2.show_condition") == len(KINDS)


def test_one_frame_is_generated_and_no_version_is_touched(shot, engine, session):
    engine("paints")
    bpy.ops.aa2.generate()
    first = set(strips(shot))
    shot.frame_set(3)
    assert bpy.ops.aa2.preview_frame() == {"FINISHED"}
    task = session.current()
    assert task.folder.name == "frame" and len(list((task.folder / "frames").glob("0*.png"))) == 1
    added = {name: strip for name, strip in strips(shot).items() if name not in first}
    assert first <= set(strips(shot)) and len(added) == 2
    assert all((int(strip.frame_final_start), int(strip.frame_final_end)) == (3, 4) for strip in added.values())
    shot.frame_set(2)
    bpy.ops.aa2.preview_frame()
    again = {name: strip for name, strip in strips(shot).items() if name not in first}
    assert len(again) == 2 and all(int(strip.frame_final_start) == 2 for strip in again.values())
    assert [path.name for path in sorted(task.folder.parent.glob("v*"))] == ["v001"]
    version = first - {"plate"}
    assert version and all(strip.mute == (name in version) for name, strip in strips(shot).items())
    bpy.ops.aa2.generate()
    assert len(strips(shot)) == 3 and not any(strip.mute for strip in strips(shot).values())


def test_the_frame_that_was_tried_goes_when_the_shot_comes(shot, engine, session):
    engine("paints")
    bpy.ops.aa2.preview_frame()
    assert len(strips(shot)) == 3 and session.current().achieved().startswith("One frame")
    bpy.ops.aa2.generate()
    assert sorted(strips(shot)) == sorted(["plate", *session.current().placed])


def test_conditions_are_found_again_with_their_job(shot, session, tmp_path):
    bpy.ops.aa2.preview_conditions()
    folder = Path(session.current().folder)
    room = import_module("bl_ext.user_default.aa2_blender.place.conditions")
    room.relink(shot, folder, tmp_path / "nowhere")
    moved = tmp_path / "elsewhere" / "v001"
    folder.rename(moved.parent.mkdir() or moved)
    room.relink(shot, folder, moved)
    for strip in shots.strips(meta_of(shot)):
        assert Path(strip.directory) == moved / "shown" / strip["aa2_condition"] and len(strip.elements) == 4


def test_a_frame_beside_the_plate_is_refused(shot, session):
    shot.frame_set(90)
    with pytest.raises(RuntimeError, match="1 to 4, not 90"):
        bpy.ops.aa2.preview_frame()
