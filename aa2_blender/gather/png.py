"""Pictures in memory -> PNG files; written here because Blender's own writer would manage their colours."""

import struct
import zlib

import numpy as np

from ..embedded.engine.contract.files import write_whole

_LEVEL = 1
_GREY, _RGB, _RGBA = 0, 2, 6


def write_grey(path: str, picture: np.ndarray) -> None:
    """Write (height, width) uint8 or uint16, whole or not at all."""
    _write_pixels(path, picture, _GREY)


def write_colour(path: str, picture: np.ndarray) -> None:
    """Write (height, width, 3) or (height, width, 4) uint8 or uint16, RGB or RGBA, whole or not at all."""
    _write_pixels(path, picture, _RGBA if picture.shape[2] == 4 else _RGB)


def write_plain(path: str, size: tuple[int, int], colour: tuple[int, ...]) -> None:
    """Write a picture of one 8-bit colour, (r, g, b) or (r, g, b, a)."""
    width, height = size
    kind = _RGBA if len(colour) == 4 else _RGB
    _write(path, width, height, 8, kind, (b"\0" + bytes(colour) * width) * height)


def _write_pixels(path: str, picture: np.ndarray, kind: int) -> None:
    height, width = picture.shape[:2]
    bits = picture.dtype.itemsize * 8
    rows = np.ascontiguousarray(picture, dtype=">u2" if bits == 16 else "u1").view(np.uint8).reshape(height, -1)
    _write(path, width, height, bits, kind, np.pad(rows, ((0, 0), (1, 0))).tobytes())


def _write(path: str, width: int, height: int, bits: int, kind: int, rows: bytes) -> None:
    """`rows`: each row's bytes after its filter byte (PNG specification, sections 11.2.2 and 9.2)."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, _LEVEL)), (b"IEND", b""))
    packed = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
              for name, data in chunks)
    write_whole(path, b"\x89PNG\r\n\x1a\n" + b"".join(packed))
