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
