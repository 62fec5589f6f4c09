"""What a redraw looks up: Blender draws a panel many times a second, so each thing is looked for once."""
import bpy
import pytest
import shots
from drawn import drawn

LOOKED_UP = ("plate_of", "kept_folder", "folders_of_others")      # each goes through strips, or to the disk


@pytest.fixture
def counted(part, monkeypatch):
    """{name: how often one of LOOKED_UP was called}, wherever it was called from."""
    counts, plates = dict.fromkeys(LOOKED_UP, 0), part("settings.plates")

    def counting(name, function):
        def call(*given):
            counts[name] += 1
            return function(*given)
        return call
    for name in LOOKED_UP:
        function = getattr(plates, name)
        for room in ("settings.plates", "settings.request_of"):
            monkeypatch.setattr(part(room), name, counting(name, function))
    return counts


def test_a_redraw_looks_for_the_plate_and_its_folder_once(shot, engine, session, part, counted):
    """Of a plate without versions, whose folder could be that of another plate, and of one that has its own."""
    for _generate in range(2):
        counted.update(dict.fromkeys(LOOKED_UP, 0))
        layout = drawn(part("panels.generate").Generate, shot)
        assert any("frames: about" in label for label in layout.all_of("label")), "all of the panel was drawn"
        assert all(count <= 1 for count in counted.values()) and counted["plate_of"] == 1, counted
        engine("paints")
        bpy.ops.aa2.generate()


def test_what_is_asked_is_looked_up_anew_at_the_next_redraw(shot, asked, part):
    before = asked(shot)
    assert before.plate.name == "plate" and before.problems == []
    shot.aa2.strip = "gone"
    shots.strips(shot.sequence_editor)["plate"].name = "other"
    assert asked(shot).plate is None and asked(shot).problems and before.plate.name == "other"
    assert part("settings.request_of").request_of(shot).strip == "gone"


def test_after_the_first_problem_a_button_stands_for_the_words(shot, part, asked):
    shot.aa2.strip, shot.aa2.armature, shot.aa2.reference_path = "", None, ""
    shot.sequence_editor.active_strip = None
    plate, reference, rig, *_more = asked(shot).problems
    layout = drawn(part("panels.generate").Generate, shot)
    said = " ".join(layout.all_of("label"))
    assert all(problem.message in said for problem in asked(shot).problems)
    assert plate.remedy in said and reference.remedy in said and rig.remedy not in said, "the reference has no button"
    assert [name for name in layout.all_of("operator") if name in ("aa2.use_active_strip", "aa2.use_armature")] == [
        "aa2.use_active_strip", "aa2.use_armature"]


def test_who_drives_is_said_in_the_width_of_a_line(shot, part):
    """A line of the first panel has room for about 18 letters at the sidebar's default width."""
    name, ours = part("panels.performer").performer_name, shot.aa2
    said = [name(ours)]
    ours.mask_strip = "mask"
    said.append(name(ours))
    ours.performer_box, ours.performer_frame = (0.1, 0.1, 0.2, 0.2), 25
    said.append(name(ours))
    assert said == ["Nearest person", "Person in the mask", "Person, frame 25"]
    assert all(len(text) <= 18 for text in said)
