"""The light that a job knows -> the colour of a white surface in this light, at every pixel of the body surface.

Ours. light.json has spherical harmonics for each frame (contract/harmonics.py), irradiance/ has pictures. If a job has
both, the pictures are used.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import files, harmonics, json_reader
from ..contract.errors import JobError
from .crop import Crop, take
from .frames import as_float, read_colour
from .surface.drawing import Maps

VERSION = 1
MOST_WHITE = 2.0        # the value of the brightest pixel of irradiance/: twice the picture's white
_BRIGHTEST = 2.2        # of a white surface, in linear light
_GAMMA = 1 / 2.2
_LARGEST, _LARGEST_FRAME = 2**16, 2**11      # bytes of light.json, and of each frame in it
_MOST = 1e4             # of a coefficient
_REMEDY = "Write it again, or remove it: then the networks guess the light."


@dataclass(frozen=True)
class KnownLight:
    """What a job knows about its light. frames: the (9, 3) of each frame, or None. has_pictures: irradiance/ exists.
    Without arguments, it knows nothing."""

    folder: str = ""
    size: tuple = (0, 0)
    frames: tuple = ()
    has_pictures: bool = False

    def in_crop(self, number: int, maps: Maps, crop: Crop) -> np.ndarray | None:
        """(H, W, 3): the colour of white on the surface of frame `number`, whose maps are in the crop; None if not
        known."""
        if self.has_pictures:
            return MOST_WHITE * as_float(take(self._picture(number), crop))
        return self._on(number, maps)

    def in_box(self, number: int, maps: Maps, box: Sequence[int]) -> np.ndarray | None:
        """The same in a box (left, top, right, bottom) of the frame."""
        if self.has_pictures:
            left, top, right, bottom = box
            return MOST_WHITE * as_float(self._picture(number)[top:bottom, left:right])
        return self._on(number, maps)

    def _on(self, number: int, maps: Maps) -> np.ndarray | None:
        coefficients = self.frames[number - 1] if self.frames else None
        return None if coefficients is None else white_in_light(maps, coefficients)

    def _picture(self, number: int) -> np.ndarray:
        return read_colour(files.picture(self.folder, files.IRRADIANCE, number), self.size)


def read_light(folder: str, frames: int, size: tuple[int, int]) -> KnownLight:
    """The KnownLight of a job's folder. Raises JobError that names the wrong frame."""
    path = files.path(folder, files.LIGHT)
    has_pictures = files.has(folder, files.IRRADIANCE)
    try:
        value = json_reader.read(path, _LARGEST + frames * _LARGEST_FRAME)
    except FileNotFoundError:
        return KnownLight(folder, size, (), has_pictures)
    except OSError as error:
        raise JobError("light_invalid", f"{path} cannot be read: {error.strerror}.", _REMEDY) from None
    except json_reader.Unreadable as error:
        raise JobError("light_invalid", f"{path}: {error}.", _REMEDY) from None
    entries = value.get("frames")
    if value.get("version") != VERSION or not isinstance(entries, list) or len(entries) != frames:
        raise JobError("light_invalid", f"{path}: expected version {VERSION} and {frames} frames, as many as in "
                                        "job.json.", _REMEDY)
    found = tuple(_coefficients(path, entry, number) for number, entry in enumerate(entries, 1))
    return KnownLight(folder, size, found, has_pictures)


def shade_of(normals: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(n, 3) 0..: the colour of a white surface with unit normals (n, 3) in a light (9, 3), encoded like the picture
    (linear light to the power of 1 / 2.2); 1 is the picture's white."""
    shade = np.stack(harmonics.basis(*np.asarray(normals, np.float32).T), axis=1) @ np.asarray(coefficients, np.float32)
    return np.clip(shade, 0, _BRIGHTEST) ** np.float32(_GAMMA)


def white_in_light(maps: Maps, coefficients: np.ndarray) -> np.ndarray:
    """(h, w, 3): shade_of where the surface's maps cover anything, else 0."""
    white = np.zeros((*maps.coverage.shape, 3), np.float32)
    there = maps.coverage > 0
    white[there] = shade_of(maps.normal[there] / maps.coverage[there, None], coefficients)
    return white


def _coefficients(path: str, entry: object, number: int) -> np.ndarray | None:
    if entry is None:
        return None
    try:
        found = np.array(entry, np.float64)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.shape != (harmonics.COEFFICIENTS, 3) or not (np.abs(found) <= _MOST).all():
        raise JobError("light_invalid", f"{path}: frame {number}: expected null or {harmonics.COEFFICIENTS} times "
                                        f"[red, green, blue], numbers of at most {_MOST:g}.", _REMEDY)
    return found
