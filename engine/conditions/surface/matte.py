"""From a coarse matte to one whose edge lies where the picture's colours change."""
import cv2
import numpy as np

_GRABCUT_SIDE = 512       # GrabCut runs at most at this size; its time grows with the pixels
_BAND = 0.012             # of the longer side, to both sides of the coarse edge, is asked anew
_SURE = 0.9               # of the coarse matte, this far inside stays as it is
_OPAQUE = 0.97            # a matte of which this much is 1 tells nothing
_TINY_HOLE = 2e-4         # of the picture


def of_alpha(alpha):
    """A transparent picture's own alpha (h, w) as its matte, or None where it is opaque throughout."""
    return (
        None if (alpha > 0.5).mean() > _OPAQUE or not (alpha > 0.5).any() else np.ascontiguousarray(alpha, np.float32)
    )


def refined(picture, coarse) -> np.ndarray:
    """picture (h, w, 3), coarse (h, w), float32 0..1 -> matte (h, w) float32 0..1, joined with what was sure."""
    height, width = coarse.shape
    share = min(_GRABCUT_SIDE / max(height, width), 1.0)
    small = (max(int(round(width * share)), 2), max(int(round(height * share)), 2))
    shrunk = [cv2.resize(x, small, interpolation=cv2.INTER_AREA) for x in (np.clip(picture, 0, 1), coarse)]
    found = _cut(*shrunk)
    if found is None:
        return coarse.astype(np.float32)
    edge = cv2.resize(cv2.GaussianBlur(found, (0, 0), 0.8), (width, height), interpolation=cv2.INTER_LINEAR)
    reach = max(int(round(_BAND * max(height, width))), 1)
    sure = cv2.erode((coarse > _SURE).astype(np.float32), np.ones((2 * reach + 1,) * 2))
    return np.clip(np.maximum(edge, sure), 0, 1).astype(np.float32)


def without_holes(matte, limbs, nothing) -> np.ndarray:
    """The matte with holes closed where the surface is and it cannot be seen through: those that a limb's picture
    covers.

    limbs (h, w): which limb the surface shows, `nothing` where none; a gap between arm and body stays open.
    """
    count, regions, facts, _ = cv2.connectedComponentsWithStats((matte < 0.5).astype(np.uint8), connectivity=4)
    height, width = matte.shape
    left, top, wide, high, area = facts.T
    at_border = (left == 0) | (top == 0) | (left + wide == width) | (top + high == height)
    covered = np.bincount(regions.ravel(), (limbs != nothing).ravel(), count)
    hole = ~at_border & ((covered > 0.6 * area) | (area < _TINY_HOLE * matte.size))
    hole[0] = False                                                  # the matte itself
    return np.where(cv2.dilate(hole[regions].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, np.float32(1), matte)


def _cut(picture, coarse):
    """GrabCut about the coarse edge; None where there is no inside or no outside."""
    reach = max(int(_BAND * max(coarse.shape)), 3)
    ball = np.ones((2 * reach + 1,) * 2, np.uint8)
    labels = np.where(coarse > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode((coarse > 0.6).astype(np.uint8), ball) > 0] = cv2.GC_FGD
    labels[cv2.dilate((coarse > 0.3).astype(np.uint8), ball) == 0] = cv2.GC_BGD
    inner, outer = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)), np.isin(labels, (cv2.GC_BGD, cv2.GC_PR_BGD))
    if inner.sum() < 20 or outer.sum() < 20:
        return None
    cv2.setRNGSeed(0)
    cv2.grabCut((picture * 255).astype(np.uint8), labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 3,
                cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
