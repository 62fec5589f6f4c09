"""A media file that was cut off or damaged is recognised by its structure; a whole file is accepted, whatever follows
its end."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.contract.cut_off import why_not_whole

MOVIES = {"a.avi": "MJPG", "b.avi": "mp4v", "a.mp4": "mp4v", "a.mov": "MJPG", "a.mkv": "FFV1", "a.webm": "VP80"}


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """{name: bytes} of whole files."""
    folder, found = tmp_path_factory.mktemp("media"), {}
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    for name, code in MOVIES.items():
        writer = cv2.VideoWriter(str(folder / name), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), 25, (96, 64))
        assert writer.isOpened()
        for k in range(12):
            writer.write(np.roll(picture, 3 * k, axis=1))
        writer.release()
        found[name] = (folder / name).read_bytes()
    for name in ("a.png", "a.jpg"):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, {"a.png": "PNG", "a.jpg": "JPEG"}[name])
        found[name] = stream.getvalue()
    return found


def why(path, data, **more):
    path.write_bytes(data)
    with open(path, "rb") as file:
        return why_not_whole(file, **more)


@pytest.mark.parametrize("name", [*MOVIES, "a.png", "a.jpg"])
def test_whole_or_cut(media, tmp_path, name):
    data = media[name]
    assert why(tmp_path / "x", data) == "" == why(tmp_path / "x", data, closely=True)
    assert why(tmp_path / "x", data + b"\0written behind it") == ""
    for part in (0.3, 0.7, 0.97):
        said = why(tmp_path / "x", data[:int(part * len(data))])
        assert said.startswith("was cut off: it has" if name in MOVIES else "ends in the middle"), (part, said)
    assert why(tmp_path / "x", b"") == "is empty (0 bytes)"


def test_how_much_is_missing(media, tmp_path):
    data = media["a.mkv"]
    assert why(tmp_path / "x", data[:-1234]) == f"was cut off: it has {len(data) - 1234:,} of {len(data):,} bytes"


def test_a_flipped_byte_of_a_png(media, tmp_path):
    data = bytearray(media["a.png"])
    data[len(data) // 2] ^= 1
    assert why(tmp_path / "x", data) == "" and "checksum" in why(tmp_path / "x", data, closely=True)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4"])
def test_a_movie_that_does_not_tell_its_end_is_believed(media, tmp_path, name):
    """The movie was written by a recorder that was never stopped, or it was streamed."""
    data = bytearray(media[name])
    if name == "a.avi":
        data[4:8] = bytes(4)
    elif name == "a.mkv":
        at = data.index(b"\x18\x53\x80\x67") + 4
        assert data[at] == 1, "a size of eight bytes"
        data[at:at + 8] = b"\x01" + b"\xff" * 7
    else:
        at = data.index(b"mdat") - 4
        data[at:at + 4] = bytes(4)
    assert why(tmp_path / "x", data[:-100]) == ""


def test_noise_is_nothing_that_is_known(tmp_path):
    rng = np.random.default_rng(3)
    for start in (b"", b"RIFF", b"\x1a\x45\xdf\xa3", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x20ftyp", b"\0\0\0\x01mdat"):
        for length in (0, 3, 9, 80):
            assert isinstance(why(tmp_path / "x", start + rng.bytes(length), closely=True), str)
