"""The reference from a file, an image datablock or a strip, and files that are not a reference."""
import struct
import zlib

import bpy
import numpy as np
import pytest
from PIL import Image, ImageOps
from shots import coded, image_strip, png_bits, read, write_sequence
from test_gather_media import harm
from test_gather_strip import write_png16

SIZE = (40, 60)


@pytest.fixture
def write(blank, tmp_path):
    from bl_ext.user_default.aa2_blender.gather import reference
    from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource

    def run(kind, name, frame=0):
        folder = tmp_path / "job"
        folder.mkdir(exist_ok=True)
        reference.write(ReferenceSource(kind=kind, name=str(name), frame=frame), blank, str(folder))
        path = folder / "reference.png"
        assert png_bits(path) == 8
        return read(path)
    return run


def with_alpha():
    return np.dstack([coded(3, SIZE), np.tile(np.linspace(0, 255, 40).astype(np.uint8), (60, 1))])


@pytest.mark.parametrize("name", ["plain.png", "-sträßen bild {1} #2.png"])
def test_png_is_exact(write, tmp_path, name):
    Image.fromarray(coded(3, SIZE)).save(tmp_path / name)
    assert np.array_equal(write("FILE", tmp_path / name), coded(3, SIZE))


def test_alpha_stays(write, tmp_path):
    Image.fromarray(with_alpha()).save(tmp_path / "a.png")
    out = write("FILE", tmp_path / "a.png")
    assert np.array_equal(out[..., 3], with_alpha()[..., 3])
    solid = out[..., 3] == 255
    assert np.array_equal(out[solid], with_alpha()[solid])


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_kinds_of_jpeg(write, tmp_path, mode):
    flat = Image.new("RGB", SIZE, (90, 90, 90)).convert(mode)
    flat.save(tmp_path / "r.jpg", quality=95)
    out = write("FILE", tmp_path / "r.jpg")
    assert out.shape[:2] == (60, 40) and np.abs(out[..., :3].astype(int) - 90).max() <= 4


def test_palette_and_grey_png(write, tmp_path):
    Image.fromarray(coded(2, SIZE)[..., 1]).save(tmp_path / "grey.png")
    out = write("FILE", tmp_path / "grey.png")
    assert np.array_equal(out[..., 0] if out.ndim == 3 else out, coded(2, SIZE)[..., 1])


def test_sixteen_bits_become_eight(write, tmp_path):
    write_png16(tmp_path / "deep.png", coded(3, SIZE).astype(np.uint16) * 257)
    assert np.abs(write("FILE", tmp_path / "deep.png").astype(int) - coded(3, SIZE)).max() <= 1


def test_generated_unsaved_and_packed_images(write, tmp_path):
    image = bpy.data.images.new("Bild", *SIZE, alpha=True)
    image.pixels.foreach_set((with_alpha()[::-1] / 255).astype(np.float32).ravel())
    image.update()
    out = write("IMAGE", "Bild")
    assert np.array_equal(out[..., 3], with_alpha()[..., 3])
    image.pack()
    assert np.array_equal(write("IMAGE", "Bild"), out)
    assert [i.name for i in bpy.data.images] == ["Bild"]


def test_a_frame_of_a_strip(write, blank, tmp_path):
    blank.render.resolution_x, blank.render.resolution_y = SIZE
    image_strip(blank, tmp_path, write_sequence(tmp_path, 5, SIZE), start=-2)
    assert np.array_equal(write("STRIP", "plate", frame=1), coded(4, SIZE))
    with pytest.raises(Exception, match="-2 to 2, not 3"):
        write("STRIP", "plate", frame=3)


@pytest.mark.parametrize("kind", ["FILE", "IMAGE"])
@pytest.mark.parametrize("how, said", [("pipe", "is a pipe"), ("cut", "ends in the middle"), ("flipped", "is damaged"),
                                       ("large", "20000 x 20000 pixels; expected at most")])
def test_a_file_is_looked_at_before_blender_reads_it(write, tmp_path, kind, how, said):
    """Blender would wait for a pipe without end, and decode a picture of any size."""
    path = tmp_path / "r.png"
    Image.fromarray(coded(3, SIZE)).save(path)
    name = path
    if kind == "IMAGE":
        image = bpy.data.images.load(str(path))
        image.buffers_free()
        name = image.name
    if how == "large":
        data = bytearray(path.read_bytes())
        data[16:24] = struct.pack(">II", 20000, 20000)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        path.write_bytes(data)
    else:
        harm(path, how)
    if kind == "FILE" and how == "pipe":
        said = "does not exist"
    with pytest.raises(Exception, match=said) as failure:
        write(kind, name)
    assert "r.png" in str(failure.value) and failure.value.remedy


def test_not_a_picture(write, tmp_path):
    (tmp_path / "notes.png").write_text("these are no pixels")
    with pytest.raises(Exception, match="notes.png"):
        write("FILE", tmp_path / "notes.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    with pytest.raises(Exception, match="1 x 1"):
        write("FILE", tmp_path / "dot.png")
    with pytest.raises(Exception, match="nowhere.png.*does not exist"):
        write("FILE", tmp_path / "nowhere.png")
    with pytest.raises(Exception, match="'gone' is not in this file"):
        write("IMAGE", "gone")
    with pytest.raises(Exception, match="No reference"):
        write("FILE", "")


@pytest.mark.parametrize("kind", ["FILE", "IMAGE", "packed"])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_picture_of_a_turned_camera_stands_upright(write, tmp_path, kind, number):
    """Pillow turns the same file for comparison."""
    exif = Image.Exif()
    exif[0x0112] = number
    Image.fromarray(coded(3, SIZE)).save(tmp_path / "photo.png", exif=exif)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "photo.png")))
    name = tmp_path / "photo.png"
    if kind != "FILE":
        image = bpy.data.images.load(str(name))
        if kind == "packed":
            image.pack()
        name = image.name
    out = write("FILE" if kind == "FILE" else "IMAGE", name)
    assert np.array_equal(out[..., :3], wanted)


@pytest.mark.parametrize("name, said", [
    ("photo.HEIC", "is a HEIC picture, which Blender cannot read"), ("photo.avif", "is an AVIF picture"),
    ("walk.gif", "is a GIF"), ("folder", "is a folder, not a picture"),
    ("//photo.png", "this file, which is not saved")])
def test_what_cannot_be_a_reference_gets_its_own_sentence(write, tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    if name != "folder" and not name.startswith("//"):
        (tmp_path / name).write_bytes(b"something")
    with pytest.raises(Exception, match=said):
        write("FILE", name if name.startswith("//") else tmp_path / name)
