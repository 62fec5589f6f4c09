"""Picture files: any name and depth, whole or not at all, and clear errors that name the file."""
import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.conditions import frames
from engine.contract.errors import JobError

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("name", ["0001.png", "-rôle n° 1.png", "日本 é.png"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_pictures_come_back_exactly(tmp_path, name, kind, shape):
    picture = RNG.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)
    path = str(tmp_path / "sous dossier" / name)
    frames.write_picture(path, picture)
    again = frames.read_picture(path, size=(7, 5))
    assert again.dtype == kind and np.array_equal(again, picture)
    assert os.listdir(tmp_path / "sous dossier") == [name]


def test_rgb_order_is_what_others_read(tmp_path):
    path = str(tmp_path / "red.png")
    frames.write_picture(path, np.full((2, 2, 3), (255, 0, 10), np.uint8))
    assert Image.open(path).getpixel((0, 0)) == (255, 0, 10)


@pytest.mark.parametrize("mode, name",
                         [("CMYK", "a.jpg"), ("RGB", "a.png"), ("P", "a.png"), ("RGBA", "a.png"), ("L", "a.png")])
def test_references_of_every_kind_are_read(tmp_path, mode, name):
    path = str(tmp_path / name)
    grey = mode == "L"
    Image.new("RGB", (40, 30), (204, 102, 51)).convert(mode).save(path)
    picture = frames.read_reference(path)
    assert picture.shape == (30, 40, 4) and picture.dtype == np.float32
    expected = (124, 124, 124, 255) if grey else (204, 102, 51, 255)
    assert np.allclose(picture[10, 10] * 255, expected, atol=3)


def test_a_16_bit_reference_keeps_its_alpha(tmp_path):
    path = str(tmp_path / "deep.png")
    picture = RNG.integers(0, 65536, (20, 20, 4)).astype(np.uint16)
    frames.write_picture(path, picture)
    assert np.allclose(frames.read_reference(path), picture / 65535, atol=1e-6)


def broken(tmp_path, case):
    path = str(tmp_path / "référence.png")
    if case == "missing":
        return path
    if case == "one pixel":
        frames.write_picture(path, np.zeros((1, 1, 3), np.uint8))
        return path
    frames.write_picture(path, RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    data = Path(path).read_bytes()
    with open(path, "wb") as file:
        file.write({"empty": b"", "text": b"no picture", "cut": data[:len(data) // 2]}[case])
    return path


@pytest.mark.parametrize("case, code", [("missing", "reference_missing"), ("empty", "reference_unreadable"),
                                        ("text", "reference_unreadable"), ("cut", "reference_unreadable"),
                                        ("one pixel", "reference_invalid")])
def test_broken_references_say_so(tmp_path, case, code):
    path = broken(tmp_path, case)
    with pytest.raises(JobError, match="référence.png") as caught:
        frames.read_reference(path)
    assert caught.value.code == code


def test_a_cut_jpeg_is_no_picture(tmp_path):
    path = tmp_path / "a.jpg"
    Image.effect_noise((80, 80), 90).save(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(JobError) as caught:
        frames.read_reference(str(path))
    assert caught.value.code == "reference_unreadable"


def test_a_folder_or_a_wrong_size_is_refused(tmp_path):
    with pytest.raises(JobError) as caught:
        frames.read_colour(str(tmp_path))
    assert caught.value.code == "source_unreadable"
    path = str(tmp_path / "0001.png")
    frames.write_picture(path, np.zeros((4, 6), np.uint8))
    with pytest.raises(JobError, match="expected 6x5 pixels, got 6x4") as caught:
        frames.read_grey(path, (6, 5))
    assert caught.value.code == "mask_invalid"


@pytest.mark.parametrize("number, code", [(errno.ENOSPC, "disk_full"), (errno.EACCES, "job_not_writable")])
def test_what_cannot_be_written_leaves_the_old_file(tmp_path, monkeypatch, number, code):
    path = str(tmp_path / "0001.png")
    old = np.full((3, 3), 9, np.uint8)
    frames.write_picture(path, old)

    def refuse(*_):
        raise OSError(number, os.strerror(number))
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(JobError, match="0001.png") as caught:
        frames.write_picture(path, np.zeros((3, 3), np.uint8))
    assert caught.value.code == code
    assert np.array_equal(frames.read_picture(path), old) and os.listdir(tmp_path) == ["0001.png"]


def test_bits_round_and_clip():
    assert frames.as_bits(np.array([-1.0, 0.5, 2.0])).tolist() == [0, 128, 255]
    assert frames.as_bits(np.array([1.0]), 16).tolist() == [65535]
    every = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(frames.as_bits(frames.as_float(every), 16), every)


def test_colour_is_bled_so_that_scaling_draws_no_rim():
    colour, alpha = np.zeros((60, 60, 3), np.float32), np.zeros((60, 60), np.float32)
    colour[20:40, 20:40], alpha[20:40, 20:40] = (0.8, 0.4, 0.2), 1.0
    bled = frames.bleed(colour, alpha)
    assert np.allclose(bled, (0.8, 0.4, 0.2)) and np.array_equal(bled[20:40, 20:40], colour[20:40, 20:40])
    small = [cv2.resize(c, (20, 20), interpolation=cv2.INTER_AREA) for c in (np.dstack([bled, alpha]),)][0]
    assert np.allclose(small[small[..., 3] > 0][:, :3], (0.8, 0.4, 0.2), atol=1e-5)


def test_bleeding_stops_far_out_and_survives_empty_and_full_alpha():
    colour, alpha = np.ones((10, 300, 3), np.float32), np.zeros((10, 300), np.float32)
    assert not frames.bleed(colour, alpha).any()
    assert np.array_equal(frames.bleed(colour, alpha + 1), colour)
    alpha[:, 0] = 1
    assert frames.bleed(colour, alpha)[5, [1, 60, 200]].max(axis=1).tolist() == [1, 1, 0]
