"""A separate Blender without a window runs this: PNG frames with alpha -> one movie with alpha.

    blender -b --factory-startup --python movie_child.py -- FRAMES_FOLDER COUNT FPS MOVIE

ProRes 4444 if this Blender writes it (from 4.5 on), else QuickTime Animation, which also keeps alpha. Prints the codec.
"""
import os
import sys

import bpy


def main(folder, count, fps, movie):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.sequence_editor_create()
    strip = _strip(scene, folder, count)
    scene.render.resolution_x, scene.render.resolution_y = strip.elements[0].orig_width, strip.elements[0].orig_height
    scene.frame_start, scene.frame_end = 1, count
    scene.render.fps, scene.render.fps_base = round(fps * 1000), 1000.0
    _make_exact(scene)
    scene.render.filepath = _plain(movie)
    codec = _choose_movie(scene.render)
    bpy.ops.render.render(animation=True)
    print(f"codec {codec}", flush=True)


def _strip(scene, folder, count):
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image(name="frames", filepath=os.path.join(folder, "0001.png"), channel=1, frame_start=1,
                             fit_method="ORIGINAL")
    for number in range(2, count + 1):
        strip.elements.append(f"{number:04d}.png")
    strip.blend_type, strip.alpha_mode = "ALPHA_OVER", "STRAIGHT"
    strip.colorspace_settings.name = "sRGB"
    return strip


def _make_exact(scene):
    """Pixels are written as they are."""
    scene.sequencer_colorspace_settings.name = "sRGB"
    view, render = scene.view_settings, scene.render
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0
    render.resolution_percentage, render.dither_intensity, render.film_transparent = 100, 0.0, True
    render.use_file_extension = False


def _choose_movie(render):
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    ffmpeg = render.ffmpeg
    ffmpeg.format = "QUICKTIME"
    offered = ffmpeg.bl_rna.properties["codec"].enum_items.keys()
    ffmpeg.codec = "PRORES" if "PRORES" in offered else "QTRLE"
    if ffmpeg.codec == "PRORES":
        ffmpeg.ffmpeg_prores_profile = "4444"
    settings.color_mode = "RGBA"
    return "ProRes 4444" if ffmpeg.codec == "PRORES" else "QuickTime Animation"


def _plain(path):
    """From 4.5 on, braces in a render's path are template variables."""
    output = bpy.types.RenderSettings.bl_rna.properties["filepath"]
    templates = getattr(output, "is_path_supports_templates", False)
    return path.replace("{", "{{").replace("}", "}}") if templates else path


if __name__ == "__main__":
    FOLDER, COUNT, FPS, MOVIE = sys.argv[sys.argv.index("--") + 1:]
    main(FOLDER, int(COUNT), float(FPS), MOVIE)
