"""The README's pictures, taken in a real Blender with a window:

    xvfb-run -a -s "-screen 0 1600x900x24" blender --window-geometry 0 0 1600 900 FOLDER/shot.blend \
        --python tests/e2e/window.py -- docs/images

FOLDER is a copy of the demo shot with tests/demo/reference.png beside it, and the extension is installed. Needs
ImageMagick's `import`, since Blender's own screenshot is black without a graphics card. Writes step1.png ... step5.png
and quits; exit code 1 and the reason where the job does not end as done.
"""
import importlib
import os
import subprocess
import sys
import traceback

import bpy

SESSION = "bl_ext.user_default.aa2_blender.session"
OUT = sys.argv[sys.argv.index("--") + 1]
OFFSET = 79          # of the demo shot, see tests/demo/demo.py
SETTLED_S = 1.5      # after a change, until the window shows it
SHOWN_FRAME = 44
PROGRESS = 0.4       # of a stage of the engine, for the picture of a running job
WIDEST = 800         # pixels; keeps each picture below 200 kB


def story():
    """Yields the seconds to wait after each thing the artist does."""
    edit, area = bpy.data.scenes["Edit"], biggest_area()
    ours, session = edit.aa2, importlib.import_module(SESSION)
    area.type = "SEQUENCE_EDITOR"
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    area.spaces.active.show_region_ui = True
    edit.frame_set(SHOWN_FRAME)
    yield 3.0
    region(area, "UI").active_panel_category = "AA2"
    with bpy.context.temp_override(area=area, region=region(area, "WINDOW")):
        bpy.ops.sequencer.view_all()
    plate = edit.sequence_editor.sequences_all["Room"]
    edit.sequence_editor.active_strip, ours.strip = plate, plate.name
    yield SETTLED_S
    take(area, "step1")
    ours.reference_path = "//reference.png"
    area.tag_redraw()
    yield SETTLED_S
    take(region(area, "UI"), "step2")
    ours.driver_scene, ours.armature = bpy.data.scenes["Shot"], bpy.data.objects["Performer"]
    ours.derive_offset, ours.frame_offset = False, OFFSET
    ours.objects = bpy.data.collections["Touched"]
    area.tag_redraw()
    yield SETTLED_S
    take(region(area, "UI"), "step3")
    bpy.ops.aa2.generate()
    task, taken = session.current(), False
    while session.busy():
        yield 0.2
        done = task.engine_job and task.progress.eta_s and task.progress.step / task.progress.total
        if not taken and done and done > PROGRESS:
            take(region(area, "UI"), "step4")
            taken = True
    if task.state != "done" or not taken:
        raise RuntimeError(f"Expected a job that ends as done and shows progress, got {task.state}: {task.error}")
    area.tag_redraw()
    yield 2 * SETTLED_S
    take(area, "step5")


def biggest_area():
    return max(bpy.context.window_manager.windows[0].screen.areas, key=lambda area: area.width * area.height)


def region(area, kind):
    return next(region for region in area.regions if region.type == kind)


def take(part, name):
    """A picture of an area or region as the screen shows it; Blender counts y from the window's bottom."""
    top = bpy.context.window_manager.windows[0].height - part.y - part.height
    height = part.height if part.width > 800 else min(part.height, 480)  # a sidebar is empty further down
    subprocess.run(["import", "-window", "root", "-crop", f"{part.width}x{height}+{part.x}+{top}", "+repage",
                    "-resize", f"{WIDEST}x>", "-depth", "8", "PNG24:" + os.path.join(OUT, f"{name}.png")], check=True)


def tick(steps=story()):
    """Called by Blender's timer: the next thing the artist does; quits after the last."""
    try:
        return next(steps)
    except StopIteration:
        code = 0
    except Exception:
        traceback.print_exc()
        code = 1
    importlib.import_module(SESSION).forget()
    sys.stdout.flush()
    os._exit(code)


bpy.app.timers.register(tick, first_interval=3.0)
