"""A small clip of Blender's world, and the values that it is compared with. A bpy's Python runs this from the checkout,
not from the zip.

    small_clip.py FOLDER      writes FOLDER/clip, FOLDER/held_out (a reference), FOLDER/whole.png, light.json,
                              seeds.json ...; exits with 77 if the data cannot be had
"""
import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from lab.clips import checkout as command
from tools import clips_data
from tools.telling import Missing

SEED, SIZE, FRAMES = 7, (128, 128), 2       # a hand goes down on a table
LEVEL = 0.5                                 # of the ball in the rooms of a reference that is made without a ball


def main(folder: Path) -> int:
    try:
        data = clips_data.bodies(Path(sys.executable))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 77
    command.prepare()
    made = importlib.import_module("lab.clips.clip")
    recipe = made.Recipe(SEED, FRAMES, SIZE, "insertion", True, "reach", fps=4.0)
    left_over = folder / "clip" / "target" / "0009.png"     # left by a run that was killed
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"torn")
    made.write_clip(folder / "clip", recipe, data=data, motions=None)
    _whole(folder / "whole.png", made, recipe, data)
    told = {"analytic": _analytic(), "ball": _seen_ball(folder, made, recipe, data), "levels": _levels()}
    (folder / "light.json").write_text(json.dumps(told))
    held_out = made.Recipe(63, 1, (64, 96), "insertion", True)
    (folder / "held_out").mkdir()
    _, told = made.write_reference(folder / "held_out", held_out, data, 1, LEVEL)
    (folder / "held_out" / "references.json").write_text(json.dumps(told))
    (folder / "seeds.json").write_text(json.dumps(_seeds(folder / "runs", data)))
    (folder / "capture.json").write_text(json.dumps(_capture(folder)))
    return 0


BVH = """HIERARCHY
ROOT Hips
{
	OFFSET 0.0 0.0 0.0
	CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
	JOINT Knee
	{
		OFFSET 0.0 -2.0 0.0
		CHANNELS 3 Zrotation Yrotation Xrotation
		JOINT Foot
		{
			OFFSET 0.0 -3.0 0.0
			CHANNELS 3 Zrotation Yrotation Xrotation
			End Site
			{
				OFFSET 0.0 0.0 1.0
			}
		}
	}
}
MOTION
Frames: 2
Frame Time: .0416667
1.0 10.0 2.0 0 0 0 0 0 0 0 0 0
1.0 10.0 2.0 0 0 0 0 0 90 0 0 0
"""


def _capture(folder):
    """What is read from the motion above, and the message about a file that is not one."""
    capture = importlib.import_module("lab.clips.capture")
    (folder / "a.bvh").write_text(BVH)
    (folder / "b.bvh").write_text("HIERARCHY")
    told = {name: places.tolist() for name, places in capture.read(folder / "a.bvh").places.items()}
    try:
        capture.read(folder / "b.bvh")
    except capture.GatherError as error:
        told["error"] = str(error)
    return told


def _whole(path, made, recipe, data):
    """The clip's first frame, as Cycles renders it with everybody in it and with eight times the samples."""
    import bpy
    shot = made.stage(recipe, data, None)
    scene, passes = bpy.context.scene, made.passes
    passes.set_up(scene, recipe.size)
    plate = passes.plates(scene, shot.person.objects, [1])[0]
    figure = passes.figures(scene, shot.room.objects, [1], made.boxes_of(shot, scene)[0])[0]
    gain = passes.exposure(made.generator(recipe.seed, "film"), plate, figure)
    scene.cycles.samples = 8 * passes.SAMPLES
    picture = passes.display(passes.pictures_with(scene, [1])[0], gain)
    made.write_colour(str(path), made._bytes(picture))


def _analytic():
    """A sun and an evenly coloured sky over an empty scene, and what the ball finds there: two frames, places and
    cameras."""
    import bpy
    import numpy as np
    from mathutils import Euler, Vector
    ball, passes, shapes = (importlib.import_module(f"lab.clips.{name}")
                            for name in ("ball", "passes", "shapes"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("Sky")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.1, 0.2, 0.3, 1)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.color, sun.data.angle = 2.0, (1.0, 0.8, 0.5), 0.01
    way = Vector((0.5, -0.6, 0.7)).normalized()             # direction towards the sun
    sun.rotation_euler = way.to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(sun)
    wall = shapes.box(scene.collection, "Figure", (-1, -1, -1), (1, 1, 1), None)
    passes.set_up(scene, (32, 32))
    cameras = [Euler(turn).to_matrix().to_4x4() for turn in ((1.5, 0.1, 0.4), (1.2, -0.2, 2.0))]
    found = ball.lights_at(scene, [wall], np.array([(0, 0, 1.2), (0, 3, 1.2)]), np.array(cameras))
    return {"found": found.tolist(), "towards": [list(camera.to_3x3().transposed() @ way) for camera in cameras],
            "sun": [c * 2.0 / np.pi for c in (1.0, 0.8, 0.5)], "sky": [0.1, 0.2, 0.3],
            "left": [thing.name for thing in scene.objects], "hidden": wall.hide_render,
            "resolution": scene.render.resolution_x}


def _levels():
    """For each level of the room: the levels of 200 references whose own light is 3."""
    reference = importlib.import_module("lab.clips.reference")
    return {level: [3 * reference.metered(reference.generator(seed, "exposure"), level, 3.0) for seed in range(200)]
            for level in (0.05, 0.9, 30.0)}


def _seen_ball(folder, made, recipe, data):
    """A larger ball at the chest of the clip's first frame, which the clip's own camera renders with nobody in the
    room. Its pixels (n, 3), linear, as exposed in the clip, and the normals there (n, 3) in the camera's axes."""
    import bpy
    import numpy as np
    shot = made.stage(recipe, data, None)
    scene, passes, ball = bpy.context.scene, made.passes, made.ball
    finer = 3
    passes.set_up(scene, [finer * side for side in recipe.size])
    ball.RADIUS = 0.08
    middle = ball.chests_of(shot.joints)[0]
    thing = ball._ball(scene.collection)
    thing.location = middle
    scene.cycles.samples, scene.cycles.use_denoising, scene.render.film_transparent = 64, False, True
    others = [other for other in shot.room.objects if other is not shot.room.prop]
    with passes.changed(shot.person.objects, hide_render=True), passes.changed(others, visible_camera=False):
        around = made.project(made.about(middle[None, None], 0.1), shot.cameras[:1], shot.projections[:1], (1, 1))
        picture = passes.rendered(scene, [1], "the ball", made.box_of(around))[0]
    gain = json.loads((folder / "clip" / made.TOLD).read_text())["gain"][0]
    made.write_colour(str(folder / "ball.png"), made._bytes(passes.display(picture[..., :3], gain)))
    axes = shot.cameras[0][:3, :3] @ ball.CAMERA_AXES
    place = (middle - shot.cameras[0][:3, 3]) @ axes
    optics = made.optics_of(shot.projections, recipe.size)
    focal, centre = (finer * np.array(optics[name][0]) for name in ("focal_px", "centre_px"))
    rows, columns = np.nonzero(picture[..., 3] > 0.99)
    flat = (np.stack([columns, rows], axis=-1) + 0.5 - centre) / focal
    rays = np.column_stack([flat, np.ones(len(flat))])
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    along = rays @ place
    reach = along - np.sqrt(np.maximum(along ** 2 - place @ place + ball.RADIUS ** 2, 0))
    normals = (rays * reach[:, None] - place) / ball.RADIUS
    return {"pixels": (gain * picture[rows, columns, :3]).tolist(), "normals": normals.tolist()}


def _seeds(folder, data):
    """Which clips the command makes, without rendering any: for three kinds of set, and for one that is started
    again."""
    run = importlib.import_module("lab.clips.command")
    found = []

    def write(clip, recipe, **_):
        found.append(recipe.seed)
        clip.mkdir(parents=True, exist_ok=True)
        (clip / run.TOLD).touch()

    run.write_clip = write

    def seeds(name, *options):
        found.clear()
        assert run.main([str(folder / name), "--data", str(data), *options]) == 0
        return list(found)

    told = {"train": seeds("train", "--clips", "130"), "held_out": seeds("held out", "--clips", "32", "--held-out"),
            "truth": seeds("truth", "--clips", "32", "--ground-truth")}
    (folder / "train" / "00000004" / run.TOLD).unlink()
    told["again"] = seeds("train", "--clips", "130")
    for number, tries in ((4, "x"), (5, "xx")):         # Blender crashed once at the one, twice at the other
        (folder / "train" / f"{number:08d}" / run.TOLD).unlink()
        (folder / "train" / f"{number:08d}.tries").write_text(tries)
    told["crashed"] = seeds("train", "--clips", "130")
    told["tries"] = [path.name for path in (folder / "train").glob("*.tries")]
    told["shares"] = [seeds("halves", "--clips", "10", "--stride", "2", "--first", first) for first in "01"]
    recipes = [replace(run.recipe_of(seed, 6)) for seed in told["held_out"]]
    asked = ["--held-out", "--clips", "2", "--frames", "4", "--size", "1024", "512"]
    sized = run.recipes(run._parser().parse_args([str(folder), "--data", str(data), *asked]))
    told["sized"] = [[recipe.seed, recipe.frames, *recipe.size] for recipe in sized]
    told["kinds"] = [[recipe.variant, recipe.masked, *recipe.size] for recipe in recipes]
    return told


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(code)
