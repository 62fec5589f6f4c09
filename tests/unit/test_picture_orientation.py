"""How a camera was held, against Pillow, which also writes the files."""
import io

import pytest
from PIL import Image

from engine.contract.picture_orientation import orientation


def file_of(kind, number):
    exif = Image.Exif()
    if number:
        exif[0x0112] = number
    written = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 199)).save(written, kind, exif=exif)
    return written


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("number", range(9))
def test_every_orientation(kind, number):
    file = file_of(kind, number)
    assert orientation(file) == (number or 1) == Image.open(file).getexif().get(0x0112, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_without_exif(kind):
    written = io.BytesIO()
    Image.new("RGB", (40, 30)).save(written, kind)
    assert orientation(written) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_cut_off_and_damaged_files_are_upright_or_right(kind):
    whole = file_of(kind, 6).getvalue()
    for end in range(len(whole)):
        assert orientation(io.BytesIO(whole[:end])) in (1, 6)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        assert 1 <= orientation(io.BytesIO(bytes(damaged))) <= 8
