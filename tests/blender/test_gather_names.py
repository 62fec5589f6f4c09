"""Local and linked datablocks of one name: what the artist chose is what is gathered."""
import json
from dataclasses import replace

import bpy
import pytest
from PIL import Image
from shots import armature, camera, cube, image_strip, metarig_bones, mixamo_bones, set_size, write_sequence


@pytest.fixture
def made(extension):
    from bl_ext.user_default.aa2_blender.gather import job, names, shot
    from bl_ext.user_default.aa2_blender.settings import request_of
    from bl_ext.user_default.aa2_blender.versions import folders
    return type("made", (), {"job": job, "names": names, "shot": shot, "request_of": request_of.request_of,
                             "folders": folders})


@pytest.fixture
def library(blank, tmp_path):
    """library(kind) links a rig, a camera, a cube, a collection and an image from another file; `first`: before the
    local ones are made."""
    path = tmp_path / "library é.blend"
    thing, seen, box = armature(blank, metarig_bones(), "Armature"), camera(blank, (0, -9, 1), name="Cam"), cube(blank)
    props = bpy.data.collections.new("props")
    props.objects.link(box)
    picture = bpy.data.images.new("face", 64, 64)
    picture.pack()
    bpy.data.libraries.write(str(path), {thing, seen, box, props, picture}, fake_user=True)
    bpy.ops.wm.read_homefile(use_empty=True)

    def link(scene):
        with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
            wanted.objects, wanted.collections, wanted.images = ["Armature", "Cam", "cube"], ["props"], ["face"]
        for one in wanted.objects:
            scene.collection.objects.link(one)
        return wanted.objects[0], wanted.objects[1], wanted.objects[2], wanted.collections[0], wanted.images[0]
    return link


def local(scene):
    box, props = cube(scene), bpy.data.collections.new("props")
    props.objects.link(box)
    picture = bpy.data.images.new("face", 64, 64)
    return armature(scene, mixamo_bones(), "Armature"), camera(scene, name="Cam"), box, props, picture


def prepared(library, tmp_path, first):
    """(scene, the local things, the linked ones): a shot in whose scene those named by `first` are first."""
    scene = bpy.context.scene
    set_size(scene, (64, 48))
    makers = {"local": local, "linked": library}
    order = [first, "linked" if first == "local" else "local"]
    things = {which: makers[which](scene) for which in order}
    image_strip(scene, tmp_path / "plate", write_sequence(tmp_path / "plate", 2))
    Image.new("RGB", (64, 64), (90, 120, 200)).save(tmp_path / "face.png")
    scene.aa2.strip, scene.aa2.reference_path = "plate", str(tmp_path / "face.png")
    bpy.context.view_layer.update()
    return scene, things["local"], things["linked"]


@pytest.mark.parametrize("first", ["local", "linked"])
def test_what_is_chosen_is_gathered(made, library, tmp_path, first):
    scene, *both = prepared(library, tmp_path, first)
    assert both[0][0].name == both[1][0].name == "Armature"
    for thing, seen, box, props, _ in both:
        ours = scene.aa2
        ours.touched.clear()
        ours.armature, ours.camera, ours.mesh, ours.objects, ours.add_object = thing, seen, box, props, box
        request = made.request_of(scene)
        shot = made.shot.Shot(request)
        assert shot.rig == thing and shot.meshes == [box] and shot.objects == [box]
        assert made.shot.camera_at(shot.driver, 1, shot.camera) == seen
        assert not made.job.problems(request)
        list(made.job.gather(request, tmp_path / "job"))
        preset = json.loads((tmp_path / "job" / "job.json").read_text())["driver"]["preset"]
        assert preset == ("Rigify metarig" if thing.library else "Mixamo")
        people = json.loads((tmp_path / "job" / "pose.json").read_text())["frames"][0]["people"]
        assert people[0]["body"][1][2] == pytest.approx(9 if thing.library else 5, abs=.1)


@pytest.mark.parametrize("first", ["local", "linked"])
def test_images_of_one_name(made, library, tmp_path, first):
    scene, own, linked = prepared(library, tmp_path, first)
    scene.aa2.reference_kind = "IMAGE"
    for picture in (own[-1], linked[-1]):
        scene.aa2.reference_image = picture
        source = made.request_of(scene).reference
        assert (source.name, source.library) == ("face", picture.library.filepath if picture.library else "")


def test_stored_requests_keep_the_library(made, library, tmp_path):
    scene, own, linked = prepared(library, tmp_path, "local")
    for thing, *_ in (own, linked):
        scene.aa2.armature = thing
        request = made.request_of(scene)
        (tmp_path / "v001").mkdir(exist_ok=True)
        made.folders.write_request(tmp_path / "v001", request)
        kept = made.folders.read_request(tmp_path / "v001")
        assert kept == request and made.shot.Shot(kept).rig == thing


def test_a_plain_name_is_the_local_one(made, library, tmp_path):
    """As in requests of before: of the linked one, if there is no local one."""
    scene, own, linked = prepared(library, tmp_path, "linked")
    scene.aa2.armature = linked[0]
    request = replace(made.request_of(scene), rig="Armature")
    assert made.shot.Shot(request).rig == own[0]
    bpy.data.objects.remove(own[0])
    assert made.shot.Shot(request).rig == linked[0]


def test_a_library_that_moved(made, library, tmp_path):
    _, _, linked = prepared(library, tmp_path, "local")
    find = made.names.find
    assert find(bpy.data.objects, ("Armature", "//elsewhere/library é.blend")) == linked[0]
    assert find(bpy.data.objects, ("Armature", "//another.blend")) is None
    assert find(bpy.data.objects, ("Armature", linked[0].library.filepath)) == linked[0]


def test_a_library_that_is_gone_is_said(made, library, tmp_path):
    scene, *_ = prepared(library, tmp_path, "local")
    request = replace(made.request_of(scene), rig=("Armature", "//gone.blend"))
    found = [problem.message for problem in made.job.problems(request)]
    assert any("'Armature' of the library '//gone.blend'" in message for message in found)
