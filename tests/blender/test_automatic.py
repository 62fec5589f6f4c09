"""A setting that stores 0 for "automatic" shows the number that will be used, with a switch beside it."""
import os

import bpy
import pytest
import shots
from drawn import drawn

STEPS, GUIDANCE = ("steps", "window"), "guidance"
CALLED = pytest.mark.skipif(bpy.app.version < (4, 5), reason="the module of 4.2 calls no function of a property")


def real(part, name):
    return part("cost").defaults(part("cost").EMBEDDED_PACK)[name]


def test_every_automatic_setting_of_the_table_has_its_number_and_its_switch(shot, part):
    table = part("settings.table")
    assert [one.name for one in table.SETTINGS if one.zero_is is table.ZeroIs.NONE] == list(STEPS)
    assert [one.name for one in table.SETTINGS if one.zero_is is table.ZeroIs.NUMBER] == [GUIDANCE]
    properties = shot.aa2.bl_rna.properties
    for name in (*STEPS, GUIDANCE):
        number, stored, switch = (properties[f"{name}{end}"] for end in ("_in_use", "", "_is_automatic"))
        assert (number.hard_min, number.hard_max, number.name) == (1, stored.hard_max, stored.name)
        assert switch.name == "Automatic" and "(0: automatic)" in stored.description
        assert "0" not in number.description and not number.is_animatable


@CALLED
@pytest.mark.parametrize("name", STEPS)
def test_the_switch_keeps_the_number_that_is_shown(shot, part, asked, name):
    ours, in_use, is_automatic = shot.aa2, f"{name}_in_use", f"{name}_is_automatic"
    assert getattr(ours, is_automatic) and getattr(ours, in_use) == real(part, name)
    assert getattr(asked(shot).request.settings, name) is None, "a job leaves it to the weights"
    setattr(ours, is_automatic, False)
    assert not getattr(ours, is_automatic) and getattr(ours, name) == real(part, name)
    setattr(ours, in_use, 3)
    assert getattr(ours, name) == 3 and getattr(asked(shot).request.settings, name) == 3
    setattr(ours, is_automatic, True)
    assert getattr(ours, name) == 0 and getattr(ours, in_use) == real(part, name)


@CALLED
def test_an_automatic_guidance_is_a_number_in_the_job(shot, part, asked):
    """A job of the embedded engine has the same number, and the same keys, as before there was a switch."""
    ours = shot.aa2
    assert ours.guidance == 0 and ours.guidance_is_automatic and ours.guidance_in_use == 1.0
    assert asked(shot).request.settings.guidance == 1.0 == real(part, GUIDANCE)
    ours.guidance_is_automatic = False
    ours.guidance_in_use = 2.5
    assert asked(shot).request.settings.guidance == ours.guidance == 2.5


def test_the_panel_shows_numbers_and_no_zero(shot, part):
    layout = drawn(part("panels.look").Look, shot)
    assert [name for name in layout.all_of("prop") if name.startswith((*STEPS, GUIDANCE))] == [
        "steps_in_use", "steps_is_automatic", "guidance_in_use", "guidance_is_automatic", "window_in_use",
        "window_is_automatic"]


@CALLED
def test_files_hold_what_they_held(shot, part, tmp_path):
    """What an older release stored means what it meant: 0 and nothing are automatic, and a number is itself. A plate
    takes both over from the scene."""
    shot.aa2.steps, shot.aa2.window = 0, 4
    part("settings.request_of").keep_settings(shot)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    ours = shots.ours(bpy.context.scene)
    assert ours.uid and (ours.steps, ours.window) == (0, 4)
    assert ours.steps_is_automatic and not ours.window_is_automatic
    assert (ours.steps_in_use, ours.window_in_use) == (real(part, "steps"), 4)


@CALLED
def test_the_command_line_takes_zero_for_automatic(shot, part):
    given = vars(part("cli.parser").parser().parse_args(["generate", "--steps", "0", "--window", "6"]))
    part("cli.asking").set_values(shot.aa2, {name: given[name] for name in STEPS})
    assert shot.aa2.steps_is_automatic and shot.aa2.window_in_use == 6


@CALLED
def test_threads_are_one_for_each_core(blank, part):
    ours, launch = part("settings.preferences").of_this_machine(), part("settings.preferences").engine_launch
    assert ours.threads_is_automatic and ours.threads_in_use == os.cpu_count()
    assert "--threads" not in launch().command
    try:
        ours.threads_in_use = 3
        assert launch().command[-2:] == ("--threads", "3") and not ours.threads_is_automatic
    finally:
        ours.threads_is_automatic = True
    assert ours.threads == 0
