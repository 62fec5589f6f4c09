"""Picture files <-> arrays: any file name, 8 or 16 bit. A file is written completely or not at all.

cv2.imread and imwrite cannot open names with accents on every system, so Python reads and writes the bytes.
"""
from collections.abc import Sequence

import cv2
import numpy as np

from ..contract import files
from ..contract.errors import JobError
from ..contract.picture_file import MOST_REFERENCE, MOST_SIDE, Unreadable, open_picture

BLEED_PX = 64            # how far colour is extended under alpha 0; nothing samples it further out
LEAST_REFERENCE = 16     # pixels on its shorter side
_COMPRESSION = [cv2.IMWRITE_PNG_COMPRESSION, 3]
_ANEW_HINT = "Press Generate to write the job again."
_HINTS = {"missing": _ANEW_HINT, "size": _ANEW_HINT,
          "unreadable": "Open and save it again as PNG in any picture program.",
          "large": "Scale it down in any picture program."}


def read_picture(path: files.Folder, *, missing: str = "source_missing", unreadable: str = "source_unreadable",
                 size: Sequence[int] | None = None, most_pixels: int = MOST_SIDE ** 2) -> np.ndarray:
    """The file's pixels as stored: (h, w), (h, w, 3) RGB or (h, w, 4) RGBA, uint8 or uint16.

    Raises JobError with the code `missing` if the file does not exist. The code is `unreadable` if it is not a picture,
    if it is not of `size` (w, h), or if it is larger than `most_pixels` or MOST_SIDE. The size is read from its header,
    before it is decoded.
    """
    try:
        file, expected = open_picture(path, size=size, most_pixels=most_pixels)
    except Unreadable as why:
        raise JobError(missing if why.kind == "missing" else unreadable, why.message, _HINTS[why.kind]) from None
    try:
        with file:
            data = np.frombuffer(file.read(), np.uint8)
    except OSError as error:
        raise JobError(unreadable, f"{path} cannot be read: {error.strerror or error}.") from None
    picture = _decode(data)
    if picture is None or picture.shape[1::-1] != expected:
        raise JobError(unreadable, f"{path} is no whole picture that can be read ({data.size} bytes).",
                       _HINTS["unreadable"])
    return picture


def read_colour(path: files.Folder, size: Sequence[int] | None = None) -> np.ndarray:
    """A frame of the plate as (h, w, 3) RGB uint8 or uint16, sRGB; as_float makes it 0..1."""
    return np.ascontiguousarray(as_colour(read_picture(path, size=size))[..., :3])


def read_grey(path: files.Folder, size: Sequence[int] | None = None) -> np.ndarray:
    """A mask or depth picture as stored in one channel: (h, w) uint8 or uint16."""
    picture = read_picture(path, missing="mask_missing", unreadable="mask_invalid", size=size)
    return picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., 0])


def read_reference(path: files.Folder) -> np.ndarray:
    """The reference as (h, w, 4) float32 0..1, straight alpha."""
    picture = read_picture(path, missing="reference_missing", unreadable="reference_unreadable",
                           most_pixels=MOST_REFERENCE)
    if min(picture.shape[:2]) < LEAST_REFERENCE:
        raise JobError("reference_invalid", f"{path}: expected at least {LEAST_REFERENCE} pixels on each side, got "
                       f"{picture.shape[1]}x{picture.shape[0]}.", "Choose a picture that shows the whole character.")
    picture = as_colour(as_float(picture))
    opaque = np.ones((*picture.shape[:2], 4 - picture.shape[2]), np.float32)
    return np.concatenate([picture, opaque], axis=-1)


def as_float(picture: np.ndarray) -> np.ndarray:
    """uint8 or uint16 -> float32 0..1."""
    return picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)


def as_colour(picture: np.ndarray) -> np.ndarray:
    """(h, w) -> (h, w, 3); colour pictures stay as they are."""
    return np.repeat(picture[..., None], 3, axis=-1) if picture.ndim == 2 else picture


def as_bits(picture: np.ndarray, bits: int = 8) -> np.ndarray:
    """float 0..1 -> uint8 or uint16, rounded."""
    scaled = np.clip(picture, 0.0, 1.0)
    scaled *= (1 << bits) - 1
    return np.rint(scaled, out=scaled).astype(np.uint8 if bits == 8 else np.uint16)


def encoded(picture: np.ndarray) -> bytes:
    """(h, w), (h, w, 3) RGB or (h, w, 4) RGBA, uint8 or uint16, as the bytes of a PNG."""
    order = {2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[2 if picture.ndim == 2 else picture.shape[2]]
    data = cv2.imencode(".png", picture if order is None else cv2.cvtColor(picture, order), _COMPRESSION)[1]
    return data.tobytes()


def write_picture(path: files.Folder, picture: np.ndarray) -> None:
    """Write a picture as `encoded` takes it: completely under its name, or not at all."""
    files.write_whole(path, encoded(picture))


def bleed(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colour (h, w, 3) extended outwards to where alpha (h, w) is 0, so that scaling a strip draws no dark rim.

    Each pixel takes the colour of the nearest covered pixel, up to BLEED_PX away; further out it is black.
    """
    bare = (alpha <= 0).astype(np.uint8)
    if bare.all() or not bare.any():
        return colour * (1 - bare[..., None])
    away, labels = cv2.distanceTransformWithLabels(bare, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros((labels.max() + 1, colour.shape[-1]), colour.dtype)
    covered = bare == 0
    nearest[labels[covered]] = colour[covered]
    return nearest[np.asarray(labels, np.int32)] * (away <= BLEED_PX)[..., None].astype(colour.dtype)


def _decode(data: np.ndarray) -> np.ndarray | None:
    """Bytes -> pixels in RGB order; None if cv2 cannot read all of them."""
    if not data.size:
        return None
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        return None
    if picture.ndim == 3 and picture.shape[2] in (3, 4):
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB if picture.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return picture if picture.ndim == 2 else None
