"""An open media file in; the reason why it is not whole, or "", out. Decoders fill in what is missing, so only the
file's structure is read.

PNG (RFC 2083), JPEG (ITU T.81), AVI (RIFF), MP4 and MOV (ISO 14496-12), Matroska and WebM (RFC 9559, RFC 8794). For any
other kind the answer is "", because its structure is not known here.
"""

import os
import struct
import zlib
from typing import BinaryIO

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_END, _JPEG_END = b"\0\0\0\0IEND\xaeB`\x82", b"\xff\xd9"
_SHORT, _TAIL = 64, 1 << 20                                                # cameras write more after a JPEG's end
# Top-level boxes of an MP4 or MOV: those that take much room, and those that a file begins with. Anything else may not
# be a box at all.
_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx", b"uuid"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ENDS = "ends in the middle"


def is_known_picture(file: BinaryIO) -> bool:
    """Whether why_not_whole can judge this picture."""
    return _start(file).startswith((_PNG, _JPEG))


def why_not_whole(file: BinaryIO, *, closely: bool = False) -> str:
    """What is wrong, as the rest of a sentence that begins with the file's name; "" if nothing is. Reads little of the
    file; with `closely`, it reads every byte of a PNG and compares the checksums."""
    start, length = _start(file), os.fstat(file.fileno()).st_size
    if not length:
        return "is empty (0 bytes)"
    try:
        if start.startswith(_PNG):
            return _png(file, length, closely)
        if start.startswith(_JPEG):
            return _jpeg(file, length)
        end = _stated_end(file, start, length)
    except struct.error:
        return _ENDS
    return f"was cut off: it has {length:,} of {end:,} bytes" if end > length else ""


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_SHORT)


def _png(file: BinaryIO, length: int, closely: bool) -> str:
    file.seek(max(length - _SHORT, 0))
    if not closely and _PNG_END in file.read(_SHORT):
        return ""
    at = len(_PNG)
    while at + 12 <= length:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        at += 12 + size
        if at > length:
            return _ENDS
        if closely and zlib.crc32(file.read(size), zlib.crc32(kind)) != struct.unpack(">I", file.read(4))[0]:
            return "is damaged: a checksum in it is wrong"
        if kind == b"IEND":
            return ""
    return _ENDS


def _jpeg(file: BinaryIO, length: int) -> str:
    file.seek(max(length - _TAIL, 0))
    return "" if _JPEG_END in file.read(_TAIL) else _ENDS


def _stated_end(file: BinaryIO, start: bytes, length: int) -> int:
    """Where the file should end; 0 if the file doesn't say."""
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return _riff_end(file, length)
    if start[4:8] in _BOXES:
        return _boxes_end(file, length)
    if start.startswith(_EBML):
        return _matroska_end(start)
    return 0


def _riff_end(file: BinaryIO, length: int) -> int:
    """A large AVI consists of several RIFFs. A RIFF of size 0 was never finished and says nothing. The last byte may be
    padding."""
    at = 0
    while at + 12 <= length:
        file.seek(at)
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or not size:
            return 0
        at += 8 + size + size % 2
    return at - 1 if at == length + 1 else at


def _boxes_end(file: BinaryIO, length: int) -> int:
    at = 0
    while at + 8 <= length:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:                                                      # the size follows the name, in 8 bytes
            size, = struct.unpack(">Q", file.read(8))
        if size < 8 or kind not in _BOXES:                                 # 0: up to the end of the file
            return 0
        at += size
    return at if at > length else 0


def _matroska_end(start: bytes) -> int:
    """The segment contains everything but the first element. A segment of unknown size was streamed."""
    head, at = _variable(start, 4)
    at += head or 0
    if start[at:at + 4] != _SEGMENT:
        return 0
    size, at = _variable(start, at + 4)
    return 0 if size is None else at + size


def _variable(data: bytes, at: int) -> tuple[int | None, int]:
    """(number, where it ends) of one of EBML's numbers of variable length; None if the number means "unknown"."""
    first, = struct.unpack("B", data[at:at + 1])
    more = 8 - first.bit_length()                                          # bytes after the first
    most = (1 << 7 * (more + 1)) - 1
    number = int.from_bytes(data[at:at + more + 1], "big") & most
    return None if number == most else number, at + more + 1
