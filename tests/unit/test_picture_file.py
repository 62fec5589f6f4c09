"""All pictures from outside are opened in one place: the header of every kind gives the size; bombs, and what is not a
file, are refused."""

import io
import os
import random
import resource
import socket
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.__main__ import main
from engine.conditions import frames
from engine.contract import messages
from engine.contract.errors import JobError
from engine.contract.picture_file import MOST_REFERENCE, Unreadable, open_regular
from engine.contract.picture_header import picture_size
from engine.estimate import footage
from engine.estimate.limb_depth import DepthNet

EXIF = Image.Exif()
EXIF[0x112] = 6
KINDS = {"a.png": {}, "a.jpg": {}, "b.jpg": {"progressive": True, "exif": EXIF}, "a.tif": {},
         "b.tif": {"compression": "tiff_lzw"}, "c.tif": {"big_tiff": True}, "a.bmp": {},
         "a.webp": {}, "b.webp": {"lossless": True}, "c.webp": {"exif": EXIF}}


def written(folder, name):
    path = folder / name
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 37, 3), np.uint8)).save(path, **KINDS[name])
    return path


def claiming(path, width, height):
    """A PNG of a few bytes whose header states any size, with rows of zeros as its data."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000_000), 9))
                     + chunk(b"IEND", b""))
    return str(path)


@pytest.mark.parametrize("name", KINDS)
def test_the_header_tells_what_the_decoder_finds(tmp_path, name):
    path = written(tmp_path, name)
    with open(path, "rb") as file:
        assert picture_size(file) == (37, 48)
    assert frames.read_picture(str(path)).shape == (48, 37, 3)


@pytest.mark.parametrize("name", KINDS)
def test_harmed_headers_give_a_size_or_none(tmp_path, name):
    data, rng = written(tmp_path, name).read_bytes(), random.Random(name)
    for k in range(300):
        harmed = bytearray(data[:rng.randrange(len(data))] if k % 2 else data)
        for _ in range(rng.randrange(1, 9)):
            if harmed:
                harmed[rng.randrange(min(len(harmed), 200))] = rng.randrange(256)
        size = picture_size(io.BytesIO(bytes(harmed)))
        assert size is None or len(size) == 2 and min(size) > 0


@pytest.mark.parametrize("size, words", [((30_000, 30_000), "at most 16384 pixels on a side"),
                                         ((16_384, 16_384), "34 million"), ((8_193, 4_096), "34 million")])
def test_a_reference_of_too_many_pixels_is_never_decoded(tmp_path, size, words):
    path = claiming(tmp_path / "reference.png", *size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(JobError, match=words) as failure:
        frames.read_reference(path)
    assert failure.value.code == "reference_unreadable" and "reference.png" in failure.value.message
    assert f"{size[0]}x{size[1]}" in failure.value.message and "Scale it down" in failure.value.remedy
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB"


def test_the_largest_reference_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MOST_REFERENCE", 40 * 30)
    frames.write_picture(str(tmp_path / "a.png"), np.zeros((30, 40, 3), np.uint8))
    assert frames.read_reference(str(tmp_path / "a.png")).shape == (30, 40, 4) and MOST_REFERENCE >= 6000 * 4000
    frames.write_picture(str(tmp_path / "a.png"), np.zeros((30, 41, 3), np.uint8))
    with pytest.raises(JobError):
        frames.read_reference(str(tmp_path / "a.png"))


READERS = {
    "plate": (lambda path: frames.read_colour(path, (64, 48)), "source_unreadable", "expected 64x48 pixels"),
    "mask": (lambda path: frames.read_grey(path, (64, 48)), "mask_invalid", "expected 64x48 pixels"),
    "person": (footage.read_rgb, "footage_unreadable", "at most 16384"),
    "folder": (lambda path: footage.open_footage(os.path.dirname(path)), "footage_unreadable", "at most 16384")}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_looks_at_the_header_first(tmp_path, reader):
    read, code, words = READERS[reader]
    path = claiming(tmp_path / "in" / "0001.png", 20_000, 20_000)
    with pytest.raises(JobError, match=words) as failure:
        read(path)
    assert failure.value.code == code and "20000x20000" in failure.value.message


def irregular(folder, kind):
    path = folder / "0001.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        socket.socket(socket.AF_UNIX).bind(str(path))
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="files of these kinds are not made like this on Windows")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket"])
@pytest.mark.parametrize("read, code", [
    (frames.read_reference, "reference_unreadable"), (frames.read_colour, "source_unreadable"),
    (frames.read_grey, "mask_invalid"), (footage.read_rgb, "footage_unreadable"), (DepthNet, "pack_missing")])
def test_what_is_no_file_is_refused_at_once(tmp_path, monkeypatch, kind, read, code):
    """Reading a pipe that nobody writes to would never end; then this test would exceed its time limit."""
    monkeypatch.chdir(tmp_path)                                            # a socket's name has to be short
    path = irregular(tmp_path, kind) if kind != "socket" else os.path.basename(irregular(type(tmp_path)("."), kind))
    with pytest.raises(JobError, match=f"0001.png is a {kind}") as failure:
        read(path)
    assert failure.value.code == code


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no place in Windows' folders")
def test_a_pipe_as_footage_or_reference_on_the_command_line(tmp_path, capsys):
    pipe = irregular(tmp_path, "pipe")
    with pytest.raises(JobError, match="is a pipe"):
        footage.open_footage(pipe)
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(JobError, match="film.mp4 is a pipe"):
        footage.open_footage(tmp_path / "film.mp4")
    assert main(["estimate", pipe, "-o", str(tmp_path / "job"), "--reference", pipe]) == 2
    assert main(["joints", pipe]) == 1 and main(["people", pipe]) == 1
    assert capsys.readouterr().err.count("is a pipe; expected a file") == 3


def test_a_file_of_too_many_bytes_is_not_read(tmp_path):
    path = claiming(tmp_path / "a.png", 20, 20)
    os.truncate(path, 70 << 20)                                            # sparse
    with pytest.raises(JobError, match="73 MB, too many"):
        frames.read_picture(path)


@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png"])
def test_names_that_no_file_has(tmp_path, name):
    with pytest.raises(Unreadable, match="can be the name of no file"):
        open_regular(os.path.join(str(tmp_path), name))


def test_a_movie_of_a_name_that_opencv_dies_of(tmp_path):
    with pytest.raises(JobError, match="OpenCV cannot open") as failure:
        footage.open_footage(tmp_path / "\udce9.mp4")
    assert failure.value.code == "footage_unreadable"


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "caf\udce9.mp4"])
@pytest.mark.parametrize("request_type, field", [
    ("run", "job"), ("preview", "job"), ("check", "job"), ("deliver", "job"), ("subject", "job"),
    ("joints", "picture"), ("people", "picture"),
    ("estimate", "job"), ("estimate", "video"), ("estimate", "mask"), ("estimate", "depth_model")])
def test_a_request_with_a_name_that_no_file_has_names_its_field(name, request_type, field):
    value = {"type": request_type, **({"job": "j"} if request_type == "estimate" else {}), field: name}
    with pytest.raises(JobError, match=f"{field}: expected the path of a file or folder") as failure:
        messages.request(value)
    assert failure.value.code == "protocol_garbage" and failure.value.message.encode()


def test_the_command_line_checks_names_and_numbers_as_the_wire_does(tmp_path, capsys):
    assert main(["joints", "caf\udce9.png"]) == 2 and "picture: expected the path" in capsys.readouterr().err
    assert main(["estimate", "-o", str(tmp_path / "j"), "--frame", "0"]) == 2
    assert "frame: expected" in capsys.readouterr().err
    assert not (tmp_path / "j").exists()
