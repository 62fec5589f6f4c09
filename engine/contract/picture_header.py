"""An open picture file in; its size in pixels, as its header states it, out. Nothing is decoded.

PNG (RFC 2083 11.2.2), JPEG (ITU T.81 B.2.2), TIFF 6.0 and BigTIFF, BMP, WebP (RFC 9649): the kinds that the engine
reads.
"""

import struct
from typing import BinaryIO

Size = tuple[int, int]  # width, height
KINDS = "PNG, JPEG, TIFF, BMP or WebP"
_PNG, _BMP, _JPEG = b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8"
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}                                 # JPEG's markers without a length
_FRAME_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}                # those with a size
_MOST_MARKERS = 4096                                                       # before the size; each has up to 64 kB
_MOST_ENTRIES = 4096                                                       # of a TIFF's directory
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_NUMBERS = {3: "H", 4: "I", 16: "Q"}


def picture_size(file: BinaryIO) -> Size | None:
    """(width, height) of the picture in a seekable binary file; None if its header is of none of KINDS."""
    file.seek(0)
    start = file.read(32)
    try:
        size = _size(file, start)
    except (struct.error, OverflowError, OSError):                         # it ends early, or an offset is wrong
        return None
    return size if size and min(size) > 0 else None


def _size(file: BinaryIO, start: bytes) -> Size | None:
    if start.startswith(_PNG):
        width, height = struct.unpack(">II", start[16:24])
        return width, height
    if start.startswith(_JPEG):
        return _jpeg(file)
    if start.startswith(_BMP):
        return _bmp(start)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _webp(start)
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff(file, start)
    return None


def _bmp(start: bytes) -> Size:
    if struct.unpack("<I", start[14:18])[0] == 12:
        width, height = struct.unpack("<HH", start[18:22])
        return width, height
    width, height = struct.unpack("<ii", start[18:26])
    return width, abs(height)                                              # below 0: the first row is the top one


def _webp(start: bytes) -> Size | None:
    kind, data = start[12:16], start[20:]
    if kind == b"VP8X":
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    if kind == b"VP8L":
        bits = struct.unpack("<I", data[1:5])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", data[6:10])
    return (width & 0x3FFF, height & 0x3FFF) if kind == b"VP8 " else None


def _jpeg(file: BinaryIO) -> Size | None:
    """Go from marker to marker up to the frame's."""
    file.seek(2)
    for _ in range(_MOST_MARKERS):
        byte = file.read(1)
        while byte == b"\xff":                                             # any number of these may precede a marker
            byte = file.read(1)
        if not byte:
            return None
        if byte[0] in _BARE_MARKERS:
            continue
        length, = struct.unpack(">H", file.read(2))
        if byte[0] in _FRAME_MARKERS:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        file.seek(max(length - 2, 0), 1)
    return None


def _tiff(file: BinaryIO, start: bytes) -> Size | None:
    """The first directory's width and height."""
    order, big = "<>"[start[:2] == b"MM"], start[2:4] in (b"+\0", b"\0+")
    file.seek(struct.unpack(order + "Q", start[8:16])[0] if big else struct.unpack(order + "I", start[4:8])[0])
    count, = struct.unpack(order + "Q", file.read(8)) if big else struct.unpack(order + "H", file.read(2))
    found, length = {}, 20 if big else 12
    for _ in range(min(count, _MOST_ENTRIES)):
        entry = file.read(length)
        tag, kind = struct.unpack(order + "HH", entry[:4])
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in _TIFF_NUMBERS:
            number = _TIFF_NUMBERS[kind]
            at = length - (8 if big else 4)
            found[tag], = struct.unpack(order + number, entry[at:at + struct.calcsize(number)])
    return (found[_TIFF_WIDTH], found[_TIFF_HEIGHT]) if len(found) == 2 else None
