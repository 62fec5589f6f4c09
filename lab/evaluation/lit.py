"""`score --light`: five frames of Blender's held-out clips, in the light that the product reads from their scenes.

The first run cuts the clips. `build.py clips FOLDER --light` then renders their light (lab/clips/lit.py), and the last
run measures them.
"""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from engine.contract import files, jobs, json_reader
from engine.job.surface import write_surface

from .bare import AS_IT_IS, LIGHT
from .clips import TOLD, Clip, ClipError, clips_in
from .generate import BALL, RENDERED, as_given
from .rows import FULL, Row, engine_of

CLIPS, FRAMES = 16, 5
REFERENCES = "second"       # exposed by their own light: else the reference tells how bright the room is
FOLDER = "light"            # in the cache
_PICTURES = (files.SOURCE, files.MASK, files.OBJECTS, files.DEPTH, files.CLEAN, "target", "matte", "shade", "contact")


def choose_rows(packs: list) -> list[Row]:
    """`full`, which guesses the light; `ball` and `rendered`, which know it; the bare surface and its ceiling."""
    weights = (packs[0] if packs else None,)
    return [Row(FULL, weights), Row("ball", weights, known=BALL), Row("rendered", weights, known=RENDERED),
            Row("surface_only", weights, plate="clean", light=AS_IT_IS),
            Row("oracle_light", weights, plate="clean", light=LIGHT)]


def choose_clips(options, notes: dict) -> list[Clip]:
    """The cut clips, which are cut where they are not there yet. Raises ClipError if their light is not rendered."""
    whole = clips_in(options.blender or options.cache / "blender", REFERENCES)[:min(options.clips, CLIPS)]
    if not whole:
        raise ClipError("there is no held-out clip of Blender's world; make them with `python build.py score`.")
    folders = [cut(clip, options.cache / FOLDER / clip.folder.name) for clip in whole]
    for clip in clips_in(options.cache / FOLDER, REFERENCES):
        if not (clip.folder / files.MESH).exists():
            _write_surface(clip)
    if options.cut:
        return []
    dark = [folder for folder in folders if not (folder / files.LIGHT).exists() or not files.has(folder, files.CAST)]
    if dark:
        raise ClipError(f"the light of {len(dark)} clips is not rendered yet, the first is {dark[0]}; use "
                        "`python build.py score --light`.")
    notes["clips"] = f"the first {FRAMES} frames of {len(folders)} clips, references exposed by their own light"
    return clips_in(options.cache / FOLDER, REFERENCES)[:len(folders)]


def cut(clip: Clip, folder: Path) -> Path:
    """The first frames of a clip as a clip of its own in `folder`, unless it is there. Its poses have the camera's
    focal length, as an armature's have."""
    if (folder / TOLD).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for kind in _PICTURES:
        for number in [number for number in files.numbers(clip.folder, kind) if number <= FRAMES]:
            target = Path(files.picture(folder, kind, number))
            target.parent.mkdir(exist_ok=True)
            os.link(files.picture(clip.folder, kind, number), target)
    for path in clip.folder.glob("reference*"):
        shutil.copyfile(path, folder / path.name)
    jobs.write(folder, replace(clip.job, frames=FRAMES))
    pose, told = (json_reader.read(clip.folder / name) for name in (files.POSE, TOLD))
    for entry, focal in zip(pose["frames"], told["focal_px"], strict=True):
        for person in entry["people"]:          # without it, the surface has no place in the scene
            person["focal_px"] = focal
    for name, value in ((files.POSE, pose), (TOLD, told)):
        files.write_whole(folder / name, json.dumps({key: _first(one, clip.job.frames)
                                                     for key, one in value.items()}).encode())
    return folder


def _write_surface(clip: Clip) -> None:
    """The posed surface, which the clip's scene lights: of the same reference and joints that `full` has."""
    engine = engine_of(None)
    jobs.write(clip.folder, as_given(clip, engine))
    write_surface(str(clip.folder), emit=lambda event: None, find_joints=engine.find_joints)


def progress_to(values: dict) -> str:
    """How far `ball` and `rendered` come from the bare surface to the ceiling, in `character_psnr`; values as
    report.report has them in `models`."""
    def of(row):
        return values[row]["character_psnr"]["mean"]
    bare, whole = of("surface_only"), of("oracle_light") - of("surface_only")
    return ", ".join(f"{row} {100 * (of(row) - bare) / whole:.0f} %" for row in (FULL, "ball", "rendered"))


def _first(value: object, frames: int) -> object:
    """What a clip tells of each of its frames, of the first ones; anything else as it is."""
    return value[:FRAMES] if isinstance(value, list) and len(value) == frames else value
