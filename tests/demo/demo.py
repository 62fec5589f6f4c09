"""Does everything an artist does: `python build.py demo` runs this in a bpy 4.5 with a fresh user folder.

It takes the zip (AA2_ZIP) and the demo shot. In demo_output/ it leaves the frames, the composite, a movie, the .blend
and one contact sheet. It prints where each is, how long each stage took, and how recognisable the character is.
"""
import argparse
import faulthandler
import importlib
import os
import shutil
import sys
import time
from pathlib import Path

import bpy

from engine.contract import files
from tests.demo.film import encode, through_sequencer
from tests.demo.measure import measure, table
from tests.demo.sheet import contact_sheet
from tests.demo.shot_cache import shot_folder
from tests.demo.stages import Stages, watched

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MODULE = "bl_ext.user_default.aa2_blender"
OFFSET = 79     # the shot's frame minus the edit's: picture 4 of the plate is at 104 there and at 25 here


def main():
    parser = argparse.ArgumentParser(prog="build.py demo", description=__doc__.splitlines()[0])
    parser.add_argument("--pack", default="", help="a folder of weights instead of the embedded ones")
    parser.add_argument("--output", type=Path, default=ROOT / "demo_output", help="a folder that is made anew")
    parser.add_argument("--light", choices=("guessed", "ball", "rendered"), default="rendered",
                        help="where the light comes from (default: rendered, which looks best and takes ten minutes)")
    parser.add_argument("--small", action="store_true", help="a shot of 40 percent, for a quick look")
    args = parser.parse_args()
    faulthandler.enable()
    quieten_blender()
    began, stages, output = time.monotonic(), Stages(), args.output.resolve()
    with stages("demo shot"):
        made = shot_folder(*(("--percent", "40", "--samples", "8") if args.small else ()))
    with stages("install"):
        install(args.pack)
    with stages("open the shot"):
        edit = open_shot(made, output)
        choose(edit, args.light)
    press(stages, "find joints", bpy.ops.aa2.find_reference_joints)
    press(stages, "generate", bpy.ops.aa2.generate)
    job = job_of(edit)
    press(stages, "preview", bpy.ops.aa2.preview_conditions)
    bpy.ops.aa2.show_condition(kind="skeleton")     # it is shown at once; the film shows the result alone
    bpy.ops.wm.save_mainfile()
    with stages("composite"):
        composites = through_sequencer(edit, output / "composite")
    with stages("movie"):
        encode(composites, output / "composite.mp4", edit)
    with stages("contact sheet"):
        contact_sheet(job, composites, output / "contact_sheet.png", first_frame=edit.frame_start)
    with stages("measure"):
        likeness = measure(job, [(*joint.place, joint.confidence) for joint in edit.aa2.reference_joints],
                           edit.aa2.reference_height)
    report(output, job, stages, likeness, time.monotonic() - began)
    return 0


def install(pack):
    """Install the zip into the fresh user folder, as Install from Disk does."""
    bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default",
                                             enable_on_install=True)
    bpy.context.preferences.addons[MODULE].preferences.pack = str(Path(pack).resolve()) if pack else ""
    bpy.context.preferences.filepaths.save_version = 0


def open_shot(made, output):
    """Open a copy of the shot in the output folder; returns its edit scene."""
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(made, output, ignore=shutil.ignore_patterns("still.png", "complete"))
    shutil.copy(HERE / "reference.png", output)
    bpy.ops.wm.open_mainfile(filepath=str(output / "shot.blend"))
    bpy.context.window.scene = bpy.data.scenes["Edit"]
    return bpy.data.scenes["Edit"]


def quieten_blender():
    """Drop what Blender itself prints: a line for each sample of each render, 40,000 in all, which bury ours."""
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def choose(edit, light):
    """What the artist sets in the panel."""
    ours = edit.aa2
    ours.strip, ours.reference_path = "Room", "//reference.png"
    ours.driver_scene, ours.armature = bpy.data.scenes["Shot"], bpy.data.objects["Performer"]
    ours.derive_offset, ours.frame_offset = False, OFFSET
    ours.objects = bpy.data.collections["Touched"]
    ours.light_source = light.upper()


def press(stages, name, button):
    """Press a button and show its progress. If it fails, the demo ends with the button's own message."""
    session = importlib.import_module(MODULE + ".queue.session")
    before = session.current()

    def look():
        task = session.current()
        return str(task.progress) if task and task is not before else None
    try:
        with stages(name), watched(look) as spent:
            button()
    except RuntimeError as error:
        sys.exit(f"The demo stopped at {name!r}: {str(error).strip()}")
    task = session.current()
    if task.state != "done":
        sys.exit(f"The demo stopped at {name!r}: the task ended as {task.state}: {task.error}")
    for stage, seconds in spent.items():
        stages.add(f"  {name}: {stage}", seconds)
    answer = task.engine_job.answer if task.engine_job else None
    for stage, seconds in getattr(answer, "stages", {}).items():
        stages.add(f"    engine: {stage}", seconds)


def job_of(edit):
    """The job's folder, found through the strips that were placed: their paths are relative, and the files exist."""
    placed = [strip for strip in edit.sequence_editor.strips if strip.get("aa2_job")]
    for strip in placed:
        folder = Path(bpy.path.abspath(strip.directory))
        missing = [element.filename for element in strip.elements if not (folder / element.filename).is_file()]
        if not strip.directory.startswith("//") or missing:
            sys.exit(f"Strip {strip.name!r}: expected a relative path with all files, got {strip.directory!r}, "
                     f"missing {missing[:3]}.")
    if len(placed) != 2:
        sys.exit(f"Expected a character strip and a shadow strip, got {[strip.name for strip in placed]}.")
    return Path(bpy.path.abspath(placed[0]["aa2_job"])).resolve()


def report(output, job, stages, likeness, seconds):
    places = (("character frames (RGBA)", job / files.FRAMES), ("shadow frames", job / files.SHADOW),
              ("composited frames", output / "composite"), ("movie", output / "composite.mp4"),
              ("blend with strips", output / "shot.blend"), ("contact sheet", output / "contact_sheet.png"))
    print("\nHow long it took\n" + stages.table() + f"\n  in all {seconds:.1f} s")
    print("\nHow recognisable the character is\n" + table(likeness))
    for fault in likeness.faults():
        print(f"  NOT REACHED: {fault}")
    print("\nWhere it lies")
    for name, place in places:
        print(f"  {name:<24} {place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place}")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
