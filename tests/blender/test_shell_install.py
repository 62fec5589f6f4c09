"""The installed zip: it registers and unregisters without a trace, and its engine's packages can be imported beside
this numpy."""
import os
import subprocess
import sys
from importlib import import_module

import bpy
import pytest
import shots

PROBE = """
import sys
import cv2, numpy, onnxruntime
print(cv2.__version__, onnxruntime.__version__, numpy.__version__)
cv2.GaussianBlur(numpy.zeros((8, 8, 3), numpy.float32), (3, 3), 1)
print(onnxruntime.get_available_providers())
print(sorted(name for name in sys.modules if name in ("flatbuffers", "google", "packaging", "sympy")))
import engine.contract.jobs
"""


def ours():
    return [name for name in dir(bpy.types) if name.startswith("AA2_")]


def test_it_registers_and_unregisters_twice(extension):
    before = ours()
    for _time in range(2):
        bpy.ops.preferences.addon_disable(module=extension.__name__)
        assert not hasattr(bpy.types.Scene, "aa2") and ours() == []
        bpy.ops.preferences.addon_enable(module=extension.__name__)
        assert hasattr(bpy.types.Scene, "aa2") and ours() == before


def test_panels_stand_in_both_editors(extension):
    import_module(extension.__name__ + ".panels")
    tabs = {(cls.bl_space_type, cls.bl_category) for cls in bpy.types.Panel.__subclasses__()
            if cls.__name__.startswith("AA2_PT_")}
    assert tabs == {("SEQUENCE_EDITOR", "AA2"), ("VIEW_3D", "AA2")}


@pytest.mark.parametrize("name", ["generate", "preview_conditions", "cancel", "place_again", "use_active_strip",
                                  "load_bone_map", "save_bone_map", "find_reference_joints"])
def test_every_button_has_a_label_and_a_tooltip(extension, name):
    kind = getattr(bpy.ops.aa2, name).get_rna_type()
    assert kind.name and kind.description


def test_settings_of_every_scene_are_its_own(blank):
    other = bpy.data.scenes.new("other")
    other.aa2.seed = 5
    assert blank.aa2.seed == 0 and blank.aa2.output == "//aa2_jobs/"


def test_the_edit_is_found_from_the_shot_scene(blank, extension, tmp_path):
    properties = import_module(extension.__name__ + ".settings.properties")
    edit = bpy.data.scenes.new("edit")
    shots.image_strip(edit, tmp_path, shots.write_sequence(tmp_path, 1))
    assert properties.shot_scene(bpy.context) == edit
    other = bpy.data.scenes.new("another edit")
    shots.image_strip(other, tmp_path, ["0001.png"])
    assert properties.shot_scene(bpy.context) == blank
    other.aa2.driver_scene = blank
    assert properties.shot_scene(bpy.context) == other


def test_engine_packages_import_with_this_numpy_and_nothing_else(extension):
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    launch = interpreter.launch()
    assert launch.command[0] == sys.executable and launch.command[1:5] == ("-s", "-P", "-m", "engine")
    environment = dict(launch.environment)
    assert "OCIO" not in environment
    done = subprocess.run([launch.command[0], "-s", "-P", "-c", PROBE], env=environment, capture_output=True, text=True,
                          cwd=os.environ["BLENDER_USER_RESOURCES"])
    assert done.returncode == 0, done.stderr
    versions, providers, extras = done.stdout.splitlines()
    assert versions.startswith("4.11.0 1.31.1") and "CPUExecutionProvider" in providers and extras == "[]"
    assert versions.split()[2] == __import__("numpy").__version__


def test_the_engine_sees_nothing_of_the_extension(extension):
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    paths = dict(interpreter.launch().environment)["PYTHONPATH"].split(os.pathsep)
    for path in paths:
        assert not (set(os.listdir(path)) & {"gather", "place", "link", "operators"}), path


def test_a_python_without_packages_is_said(extension, monkeypatch):
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    monkeypatch.setattr(interpreter.sys, "version_info", (3, 99, 0))
    with pytest.raises(Exception, match="Python 3.99, but the embedded engine has packages for: cp311, cp313"):
        interpreter.launch()


def test_licences_travel_with_the_packages(extension):
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    names = [str(path.relative_to(interpreter.EMBEDDED)) for path in interpreter.EMBEDDED.rglob("*LICENSE*")]
    assert any("opencv" in name and "3RD" in name for name in names)
    assert any("onnxruntime" in name for name in names)
    assert list(interpreter.EMBEDDED.rglob("ThirdPartyNotices.txt"))
