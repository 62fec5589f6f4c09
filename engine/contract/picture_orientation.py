"""An open picture file in; how its camera was held, out. Blender and OpenCV show the pixels as they are stored, so a
picture of a camera that was turned lies on its side.

EXIF (JEITA CP-3451, 4.6.4, tag Orientation) in JPEG, PNG (eXIf) and WebP.
"""

import struct
from typing import BinaryIO

UPRIGHT = 1
_TAG, _SHORT = 0x0112, 3
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_EXIF = b"Exif\0\0"
_MOST = 4096                # segments, chunks or entries
_MOST_BYTES = 1 << 17       # of the EXIF data; a JPEG's has 64 kB at most


def orientation(file: BinaryIO) -> int:
    """1 to 8, as EXIF counts: 1 is upright, 3 upside down, 6 and 8 lie on a side, 2, 4, 5 and 7 are mirrored too. 1
    where nothing is known."""
    file.seek(0)
    start = file.read(12)
    try:
        data = _jpeg(file) if start.startswith(_JPEG) else _png(file) if start.startswith(_PNG) else (
            _webp(file) if start[:4] == b"RIFF" and start[8:] == b"WEBP" else b"")
        found = _entry(data.removeprefix(_EXIF)) if data else UPRIGHT
    except (struct.error, OSError):             # it ends early, or an offset is wrong
        return UPRIGHT
    return found if 1 <= found <= 8 else UPRIGHT


def _jpeg(file: BinaryIO) -> bytes:
    file.seek(2)
    for _ in range(_MOST):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or kind == 0xDA:        # the pixels begin
            return b""
        if kind == 0xE1:
            data = file.read(length - 2)
            if data.startswith(_EXIF):
                return data
        else:
            file.seek(length - 2, 1)
    return b""


def _png(file: BinaryIO) -> bytes:
    file.seek(8)
    for _ in range(_MOST):
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"eXIf":
            return file.read(min(length, _MOST_BYTES))
        file.seek(length + 4, 1)
    return b""


def _webp(file: BinaryIO) -> bytes:
    for _ in range(_MOST):
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"EXIF":
            return file.read(min(length, _MOST_BYTES))
        file.seek(length + length % 2, 1)
    return b""


def _entry(data: bytes) -> int:
    """The value of the tag in the first directory of a TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return UPRIGHT
    at, = struct.unpack(order + "I", data[4:8])
    count, = struct.unpack(order + "H", data[at:at + 2])
    for number in range(min(count, _MOST)):
        entry = data[at + 2 + 12 * number:][:12]
        tag, kind, _count, value = struct.unpack(order + "HHIH", entry[:10])
        if tag == _TAG and kind == _SHORT:
            return value
    return UPRIGHT
