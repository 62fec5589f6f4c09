"""A clip's job and truth -> where each measure looks: boolean pictures in the job's pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from engine.conditions.bundle import ReferenceBundle, build_window, frame_region, plan_shot

from .clips import Clip

CHARACTER = 0.5       # of the visible matte
NOT_CHARACTER = 0.02  # of the visible matte, under which nothing of the character is seen
BAND_PX = 16          # around M_f
SHADOWED = 0.97       # of the shadow factor
RESAMPLED_PX = 4      # around M_f, over which a crop put back into the job's pixels rings (Lanczos)


@dataclass(frozen=True)
class Regions:
    """(h, w) bool of one frame. `region` is M_f with the paper's patches, whatever the weights."""

    region: np.ndarray
    character: np.ndarray
    around: np.ndarray
    band: np.ndarray
    contact: np.ndarray
    shadow: np.ndarray
    outside: np.ndarray


def regions_of(clip: Clip) -> list[Regions]:
    """Of every frame. M_f is drawn by the product's own path, of the job's mask or its limb volumes."""
    shot = plan_shot(clip.folder, clip.job)
    width, height = shot.plan.shape
    nobody = ReferenceBundle(np.zeros((height, width, 3), np.float32), np.zeros((height, width, 3), np.float32), None)
    found = []
    for number in range(1, clip.job.frames + 1):
        region = frame_region(shot, number, build_window(shot, nobody, [number]).region[0]) > 0.5
        found.append(regions_from(region, matte=clip.grey("matte", number), shade=clip.grey("shade", number),
                                  contact=clip.grey("contact", number) > 0.5))
    return found


def regions_from(region, *, matte, shade, contact) -> Regions:
    """From M_f (h, w) bool, the visible matte and the shadow factor (h, w) 0..1, and the contact discs (h, w) bool.

    band: M_f grown by BAND_PX, without the character: where the plate must continue; shadow: where the character
    darkens the plate; outside: where nothing may change.
    """
    bare = matte < NOT_CHARACTER
    around = grown(region, BAND_PX)
    return Regions(region, matte > CHARACTER, around, around & bare, contact, (shade < SHADOWED) & bare,
                   away_from(region))


def away_from(region) -> np.ndarray:
    """(h, w) bool: where a picture made inside M_f (h, w) bool must leave the plate as it is."""
    return ~grown(region, RESAMPLED_PX)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """(h, w) bool with everything at most `pixels` away."""
    if not mask.any():
        return mask.copy()
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= pixels
