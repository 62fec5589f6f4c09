"""Pictures -> a movie, and a scene's sequencer -> pictures, both through a bare temporary scene that keeps pixels."""
from contextlib import contextmanager
from pathlib import Path

import bpy


@contextmanager
def bare_scene(like):
    """A scene of the same size, rate and percentage, with nothing between the strips' pixels and the file's."""
    scene = bpy.data.scenes.new("Film")
    for name in ("resolution_x", "resolution_y", "resolution_percentage", "fps", "fps_base"):
        setattr(scene.render, name, getattr(like.render, name))
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    try:
        yield scene
    finally:
        bpy.data.scenes.remove(scene)


def encode(pictures, movie, like):
    """An H.264 movie of some picture files, in their order; `like` is the scene they were made for."""
    pictures = [Path(picture) for picture in pictures]
    with bare_scene(like) as scene:
        strips = scene.sequence_editor_create().strips
        strip = strips.new_image("Pictures", str(pictures[0]), 1, 1, fit_method="ORIGINAL")
        for picture in pictures[1:]:
            strip.elements.append(picture.name)
        strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
        scene.frame_start, scene.frame_end = 1, len(pictures)
        scene.render.filepath = str(Path(movie).resolve())
        scene.render.image_settings.file_format = "FFMPEG"
        settings = scene.render.ffmpeg
        settings.format, settings.codec, settings.gopsize = "MPEG4", "H264", 12
        settings.constant_rate_factor = "PERC_LOSSLESS"
        bpy.ops.render.render(animation=True, scene=scene.name)


def through_sequencer(edit, folder):
    """Render what the sequencer of `edit` shows in its frame range as folder/0001.png ...; returns the files."""
    folder = Path(folder).resolve()
    with bare_scene(edit) as scene:
        strip = scene.sequence_editor_create().strips.new_scene("Edit", edit, 1, 1)
        strip.scene_input = "SEQUENCER"
        scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
        scene.frame_start, scene.frame_end = 1, edit.frame_end - edit.frame_start + 1
        scene.render.filepath = str(folder) + "/"
        bpy.ops.render.render(animation=True, scene=scene.name)
        return [folder / f"{number:04}.png" for number in range(1, scene.frame_end + 1)]
