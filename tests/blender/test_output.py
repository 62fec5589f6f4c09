"""The result for other uses: passes, files, a movie with alpha, the compositor, the camera, a plane, and the view
transform."""
from importlib import import_module

import bpy
import numpy as np
import pytest
import shots
import small_shot
from PIL import Image
from shots import placed
from test_place_strip import job_folder, layer, over
from test_result import picture

SIZE = (64, 48)


def test_passes_are_muted_strips_that_stay_with_their_version(made, shot):
    assert bpy.ops.aa2.add_passes() == {"FINISHED"}
    assert bpy.ops.aa2.add_passes() == {"FINISHED"}
    passes = {name: strip for name, strip in placed(shot).items() if " pass " in name}
    assert sorted(passes) == [f"{layer} pass Scene plate" for layer in ("matte", "shadow", "skeleton")]
    assert all(strip.mute and len(strip.elements) == 4 for strip in passes.values())
    assert len({strip.channel for strip in placed(shot).values()}) == 5
    bpy.ops.aa2.place_again()
    assert len(placed(shot)) == 5
    bpy.ops.aa2.vary_seed()
    assert len(placed(shot)) == 2, "another version's passes are others"


def test_output_is_written_beside_the_frames(made, shot, session):
    assert bpy.ops.aa2.write_output(form="png16") == {"FINISHED"}
    assert sorted(path.name for path in (made / "output").iterdir()) == [
        f"{name}_png16" for name in ("character", "matte", "shadow", "skeleton")]


def test_a_movie_keeps_alpha(made, shot, session, part, tmp_path):
    assert bpy.ops.aa2.write_output(form="movie") == {"FINISHED"}, session.current().error
    task = session.current()
    wanted = "ProRes 4444" if bpy.app.version >= (4, 5, 0) else "QuickTime Animation"
    assert task.codec == wanted and task.path == made / "output" / "character.mov"
    # Read as an image, because 5.2's sequencer takes the straight alpha of such a movie for premultiplied.
    film = bpy.data.images.load(str(task.path))
    assert tuple(film.size) == SIZE and film.channels == 4
    pixels = np.array(film.pixels[:]).reshape(SIZE[1], SIZE[0], 4)
    assert np.abs(pixels[24, 32] - (1, 0, 0, 1)).max() < 0.02, "red where the character is"
    assert pixels[:, :14, 3].max() < 0.01, "nothing where it is not"
    strip = shots.strips(shot.sequence_editor).new_movie(name="film", filepath=str(task.path), channel=9, frame_start=1)
    assert part("blender_api").strip_range(strip) == (1, 1 + small_shot.FRAMES)


def test_a_movie_of_an_unfinished_version_says_so(made, shot):
    (made / "frames" / "0003.png").unlink()
    with pytest.raises(RuntimeError, match="Not all frames"):
        bpy.ops.aa2.write_output(form="movie")


def test_the_compositor_button_leaves_foreign_nodes_alone(made, shot, part):
    blender_api = part("blender_api")
    tree = blender_api.compositor(shot)
    mine = tree.nodes.new("CompositorNodeBlur")
    before = {node.name for node in tree.nodes}
    for _press in range(2):
        assert bpy.ops.aa2.add_nodes() == {"FINISHED"}
    ours = [node for node in tree.nodes if node.get("aa2_job")]
    assert len(ours) == 1 and mine.name in tree.nodes and before <= {node.name for node in tree.nodes}


def test_camera_background_is_one_and_on_the_shots_frames(made, shot):
    for _press in range(2):
        assert bpy.ops.aa2.add_background() == {"FINISHED"}
    shown, = shot.camera.data.background_images
    assert shown.display_depth == "FRONT" and shown.image.source == "SEQUENCE"
    assert (shown.image_user.frame_start, shown.image_user.frame_duration) == (1, small_shot.FRAMES)


def test_plane_fills_the_cameras_view(made, shot, tmp_path):
    for _press in range(2):
        assert bpy.ops.aa2.add_plane() == {"FINISHED"}
    plane, = [thing for thing in shot.objects if thing.get("aa2_job")]
    assert plane.parent == shot.camera
    for strip in shots.strips(shot.sequence_editor):
        strip.mute = True
    shot.render.engine, shot.cycles.samples, shot.cycles.use_denoising = "CYCLES", 1, False
    shot.cycles.filter_width = 0.01
    shot.render.use_sequencer, shot.render.film_transparent = False, False
    shot.frame_set(1)
    seen = picture(shot, tmp_path)
    inside = (seen[..., 0] > 250) & (seen[..., 1] < 5)
    wanted = np.zeros(SIZE[::-1], bool)
    wanted[12:36, 16:48] = True
    assert (inside != wanted).mean() < 0.05, "the painted square lies where it is in the picture"


def test_without_a_camera_it_says_so(made, shot):
    bpy.data.objects.remove(shot.camera)
    with pytest.raises(RuntimeError, match="camera"):
        bpy.ops.aa2.add_background()


@pytest.mark.parametrize("transform", ["Standard", "AgX", "Filmic"])
def test_the_view_transform_is_respected(blank, extension, tmp_path, transform):
    """The layer over the plate looks like their sum, painted by hand, in the same view; the plate doesn't change."""
    strip_room = import_module(extension.__name__ + ".place.strip")
    shots.set_size(blank, SIZE)
    blank.render.dither_intensity = 0
    names = shots.write_sequence(tmp_path / "plate", 1, SIZE)
    shots.image_strip(blank, tmp_path / "plate", names)
    plate_only = seen_in(blank, transform, tmp_path)
    strip_room.lay_frames(blank, job_folder(tmp_path / "job", frames=1), "plate")
    with_layer = seen_in(blank, transform, tmp_path)
    nothing = (layer(1)[..., 3] == 0)
    nothing[:, :SIZE[0] // 3] = False  # the shadow
    assert (with_layer[nothing] == plate_only[nothing]).all()
    for strip in list(shots.strips(blank.sequence_editor)):
        shots.strips(blank.sequence_editor).remove(strip)
    (tmp_path / "sum").mkdir()
    Image.fromarray(over(shots.coded(1), 1).round().astype(np.uint8)).save(tmp_path / "sum" / "0001.png")
    shots.image_strip(blank, tmp_path / "sum", ["0001.png"], name="sum")
    assert np.abs(with_layer.astype(int) - seen_in(blank, transform, tmp_path)).max() <= 3


def seen_in(scene, transform, folder):
    scene.view_settings.view_transform = transform
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(folder / "view.png")
    scene.frame_set(1)
    bpy.ops.render.render(write_still=True)
    return shots.read(folder / "view.png")
