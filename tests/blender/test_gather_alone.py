"""The plate's own pixels and nothing else, whatever is muted, faded, trimmed or animated in the edit."""
import wave

import numpy as np
import pytest
from shots import coded, image_strip, number_in, set_size, strips, write_sequence
from test_gather_strip import made


@pytest.fixture
def plate(part):
    return part("gather.strip")


@pytest.fixture
def scene(blank):
    set_size(blank, (64, 48))
    return blank


def trim(strip, first, end):
    from bl_ext.user_default.aa2_blender import blender_api
    blender_api.trim(strip, first, end)


ANIMATED = {
    "the plate's mute": lambda scene, strip, other: key(strip, "mute", True),
    "the plate's opacity": lambda scene, strip, other: key(strip, "blend_alpha", 0.5),
    "another strip's mute": lambda scene, strip, other: key(other, "mute", False),
    "a driver of another's mute": lambda scene, strip, other: drive(other, "mute"),
    "the channel's mute": lambda scene, strip, other: key(
        scene.sequence_editor.channels[strip.channel], "mute", True),
    "the exposure": lambda scene, strip, other: key(scene.view_settings, "exposure", 3.0),
}


def key(thing, name, value):
    setattr(thing, name, value)
    thing.keyframe_insert(name, frame=1)


def drive(thing, name):
    thing.driver_add(name).driver.expression = "0"


@pytest.mark.parametrize("what", ANIMATED)
def test_whatever_is_animated(plate, scene, tmp_path, what):
    """Only the plate's own pixels count, and the edit keeps its keyframes."""
    names = write_sequence(tmp_path, 3)
    strip = image_strip(scene, tmp_path, names)
    other = image_strip(scene, tmp_path, names[::-1], channel=7, name="above")
    ANIMATED[what](scene, strip, other)
    action = scene.animation_data.action
    paths = sorted(curve.data_path for curve in curves_of(action)) if action else []
    out = made(plate, scene, strip, tmp_path)
    assert all(np.array_equal(p, coded(i)) for i, p in enumerate(out, 1))
    assert scene.animation_data.action == action
    assert not action or sorted(curve.data_path for curve in curves_of(action)) == paths
    assert len(scene.animation_data.drivers) == (what == "a driver of another's mute")


def curves_of(action):
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [curve for bag in action.layers[0].strips[0].channelbags for curve in bag.fcurves]


def test_on_a_muted_channel(plate, scene, tmp_path):
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 3), channel=4)
    scene.sequence_editor.channels[4].mute = True
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [1, 2, 3]


def test_only_what_all_metas_show(plate, scene, tmp_path):
    """A metastrip that is trimmed to the frames 2 and 3, in one that is faded out and muted."""
    strip = image_strip(scene, tmp_path, write_sequence(tmp_path, 4))
    outer = strips(scene.sequence_editor).new_meta("outer", channel=3, frame_start=1)
    inner = strips(scene.sequence_editor).new_meta("inner", channel=2, frame_start=1)
    strip.move_to_meta(inner)
    inner.move_to_meta(outer)
    for frame in (2, 1):
        strip.frame_start = frame                     # only a change inside updates a metastrip's length
    for meta, first, end in ((inner, 1, 5), (outer, 1, 5), (outer, 2, 4)):
        trim(meta, first, end)
    outer.mute, inner.blend_alpha = True, 0.25
    assert plate.frames_of(strip) == (2, 3)
    assert [number_in(p) for p in made(plate, scene, strip, tmp_path)] == [2, 3]
    with pytest.raises(Exception, match="shows no frame from 4 to 4"):
        plate.frames_of(strip, (4, 4))


def test_a_meta_of_sound_is_no_plate(plate, scene, tmp_path):
    sound = tmp_path / "silence.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    try:
        heard = strips(scene.sequence_editor_create()).new_sound("sound", str(sound), channel=1, frame_start=1)
    except RuntimeError as error:
        pytest.skip(f"this module of Blender knows no sound: {error}")
    meta = strips(scene.sequence_editor).new_meta("meta", channel=3, frame_start=1)
    heard.move_to_meta(meta)
    trim(meta, 1, 5)
    assert plate.why_no_plate(meta) == "Meta strip 'meta' has no pictures in it."
