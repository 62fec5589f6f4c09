"""A small clip of Blender's world, and what is compared with it; run by a bpy's Python from the checkout, not from the zip.

    small_clip.py FOLDER      writes FOLDER/clip, FOLDER/whole.png, FOLDER/seeds.json; ends with 77 where the data cannot be had
"""
import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.building import clips as command  # noqa: E402
from tests.building import clips_data  # noqa: E402
from tests.building.telling import Missing  # noqa: E402

SEED, SIZE, FRAMES = 7, (128, 128), 2       # a hand goes down on a table


def main(folder: Path) -> int:
    try:
        data = clips_data.bodies(Path(sys.executable))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 77
    command.prepare()
    made = importlib.import_module("aa2_blender.clips.clip")
    recipe = made.Recipe(SEED, FRAMES, SIZE, "insertion", True, "reach", fps=4.0)
    left_over = folder / "clip" / "target" / "0009.png"     # of a run that was killed
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"torn")
    made.write_clip(folder / "clip", recipe, data=data, motions=None)
    _whole(folder / "whole.png", made, recipe, data)
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
    """What is read from the motion above, and what is said of a file that is none."""
    capture = importlib.import_module("aa2_blender.clips.capture")
    (folder / "a.bvh").write_text(BVH)
    (folder / "b.bvh").write_text("HIERARCHY")
    told = {name: places.tolist() for name, places in capture.read(folder / "a.bvh").places.items()}
    try:
        capture.read(folder / "b.bvh")
    except capture.GatherError as error:
        told["error"] = str(error)
    return told


def _whole(path, made, recipe, data):
    """The clip's first frame as Cycles renders it with everybody in it, with eight times the samples."""
    import bpy
    shot = made._stage(recipe, data, None)
    scene, passes = bpy.context.scene, made.passes
    passes.set_up(scene, recipe.size)
    plate = passes.plates(scene, shot.person.objects, [1])[0]
    figure = passes.figures(scene, shot.room.objects, [1], made.boxes_of(shot, scene)[0])[0]
    gain = passes.exposure(made.generator(recipe.seed, "film"), plate, figure)
    scene.cycles.samples = 8 * passes.SAMPLES
    picture = passes.display(passes.pictures_with(scene, [1])[0], gain)
    made.write_colour(str(path), made._bytes(picture))


def _seeds(folder, data):
    """Which clips the command makes, with nothing drawn: of three kinds of set, and of one that is started again."""
    run = importlib.import_module("aa2_blender.clips.__main__")
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
    for number, tries in ((4, "x"), (5, "xx")):         # Blender crashed over the one once, over the other twice
        (folder / "train" / f"{number:08d}" / run.TOLD).unlink()
        (folder / "train" / f"{number:08d}.tries").write_text(tries)
    told["crashed"] = seeds("train", "--clips", "130")
    told["tries"] = [path.name for path in (folder / "train").glob("*.tries")]
    told["shares"] = [seeds("halves", "--clips", "10", "--stride", "2", "--first", first) for first in "01"]
    recipes = [replace(run.recipe_of(seed, 6)) for seed in told["held_out"]]
    told["kinds"] = [[recipe.variant, recipe.masked, *recipe.size] for recipe in recipes]
    return told


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(code)
