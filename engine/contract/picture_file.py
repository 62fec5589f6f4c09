"""A path in; an open file of a picture that may be decoded, or the reason why it may not, out.

All pictures from outside are opened here. Only regular files are opened, so that reading always ends. The header is
read before anything is decoded, because a few kilobytes may unpack to gigabytes.
"""

import os
import stat
from collections.abc import Sequence
from typing import BinaryIO, Literal

from .files import Folder
from .picture_header import KINDS, Size, picture_size

Fault = Literal["missing", "unreadable", "size", "large"]

MOST_SIDE = 16384                # pixels on a side: as in the largest job
# A reference's pixels. Fitting it into a crop takes some 45 bytes for each pixel (measured), and most cameras'
# photographs have at most 33 million (ours).
MOST_REFERENCE = 1 << 25
_MOST_BYTES = 16                 # of a file for each of its pixels: twice the size of four channels of 16 bits
_SPARE_BYTES = 64 << 20          # allowed on top: EXIF, previews, colour profiles


class Unreadable(Exception):
    """Why a file cannot be read: `kind` ("size": it has another size than requested), and a message with what was
    expected and what was found."""

    def __init__(self, kind: Fault, message: str):
        super().__init__(message)
        self.kind = kind
        self.message = message


def open_regular(path: Folder) -> BinaryIO:
    """A binary file to read from. Raises Unreadable if the file is missing, cannot be opened, or is a folder, a pipe, a
    device or a socket: reading a pipe that nobody writes to, or a device, might never end."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unreadable("unreadable", f"{path} is {_kind(os.stat(path).st_mode)}; expected a file.")
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115  the caller closes it
    except FileNotFoundError:
        raise Unreadable("missing", f"{path} does not exist.") from None
    except OSError as error:
        raise Unreadable("unreadable", f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise Unreadable("unreadable", f"{str(path)!r} can be the name of no file.") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):                  # it was replaced in the meantime
        file.close()
        raise Unreadable("unreadable", f"{path} is no regular file.")
    return file


def open_picture(path: Folder, *, size: Sequence[int] | None = None,
                 most_pixels: int = MOST_SIDE ** 2) -> tuple[BinaryIO, Size]:
    """(file, (width, height)) of a picture, opened as by open_regular and positioned at its start. Also raises
    Unreadable if the header is of no known kind, is not of `size`, or states too many pixels."""
    file = open_regular(path)
    try:
        found, length = picture_size(file), os.fstat(file.fileno()).st_size
        if found is None:
            raise Unreadable("unreadable", f"{path} is no whole picture that can be read ({length} bytes); expected "
                             f"{KINDS}.")
        _check(path, found, length, size, most_pixels)
        file.seek(0)
        return file, found
    except BaseException:
        file.close()
        raise


def _check(path: Folder, found: Size, length: int, size: Sequence[int] | None, most_pixels: int) -> None:
    width, height = found
    if size is not None and found != tuple(size):
        raise Unreadable("size", f"{path}: expected {size[0]}x{size[1]} pixels, got {width}x{height}.")
    if max(found) > MOST_SIDE or width * height > most_pixels:
        raise Unreadable("large", f"{path}: expected at most {MOST_SIDE} pixels on a side and {most_pixels / 1e6:.0f} "
                         f"million in all, got {width}x{height}.")
    if length > width * height * _MOST_BYTES + _SPARE_BYTES:
        raise Unreadable("unreadable", f"{path} has {length / 1e6:.0f} MB, too many for a picture of {width}x{height} "
                         "pixels.")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
             stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "no regular file")
