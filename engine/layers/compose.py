"""One frame as the network decodes it in its crop -> the layers of the character and of the shadow, in job pixels.

On a clean plate the layer is the character alone: alpha is the predicted matte. If a performer has to be covered, the
layer is a patch: everything generated inside M_f, with the shadow in it, faded out at its edge. If it is known what the
performer covers, the patch is the character over that. If the character's surface is known, colour and alpha come from
it, at the plate's own resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..conditions.crop import Crop, put_back
from ..conditions.frames import as_bits, bleed
from ..conditions.region_rule import RegionRule
from .blur import measure_blur, missing_blur, softened
from .look import AS_MADE, Look
from .surface import Shown, lit_surface, regrown

# What a decoder leaves where there should be nothing, and what it lacks where there should be everything (ours: a matte
# of 3 % over the whole region would lie over the plate like haze).
HAZE = 0.04
SHADOW_HAZE = 0.03
# of the matte: below it, dividing by the matte would amplify errors; colour is bled in instead (ours)
UNMIXED_FROM = 0.5
SHADOW_FADE = 0.08       # of the crop's shorter side, over which the shadow fades out at the crop's edges (ours)
PATCH_FADE = RegionRule.fade     # crop pixels over which a patch fades inside M_f
PATCH_EDGE = 3.0         # crop pixels over which such a patch ends at the edge of M_f (ours)
PATCH_ROOM = 2.0         # crop pixels around the performer that a patch covers completely, if the mask is known (ours)


@dataclass(frozen=True)
class Layers:
    """character (h, w, 4) RGBA, straight alpha; shadow (h, w, 3) grey, multiplied over the plate; uint8 or uint16."""

    character: np.ndarray
    shadow: np.ndarray


@dataclass(frozen=True)
class Canvas:
    """The job's `size` (w, h) and `bits`. box (left, top, right, bottom): the job pixels whose centres the crop covers.
    crop: in the box's own pixels."""

    size: tuple
    bits: int
    crop: Crop
    box: tuple


def canvas_of(size: Sequence[int], bits: int, crop: Crop) -> Canvas:
    """Layers are made only within the crop's box, so a distant figure does not cost a full frame."""
    low = np.clip(np.ceil(np.array(crop.box[:2]) - 0.5).astype(int), 0, size)
    high = np.clip(np.ceil(np.array(crop.box[2:]) - 0.5).astype(int), low, size)
    inside = replace(crop, centre=(crop.centre[0] - float(low[0]), crop.centre[1] - float(low[1])))
    return Canvas(tuple(size), bits, inside, (*low.tolist(), *high.tolist()))


def blank(size: Sequence[int], bits: int) -> Layers:
    """The layers of a frame with nobody in it: transparent, and no shadow."""
    kind = np.uint8 if bits == 8 else np.uint16
    return Layers(np.zeros((size[1], size[0], 4), kind), np.full((size[1], size[0], 3), np.iinfo(kind).max, kind))


def five_channels(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture (H, W, 5), or (H, W, 3) of an engine without matte -> (H, W, 5): the character's mask (H, W, 1) stands
    in for the matte, and nothing is in shadow."""
    return picture if picture.shape[-1] == 5 else np.concatenate([picture, mask, np.ones_like(mask)], axis=-1)


def compose(decoded: np.ndarray, *, plate: np.ndarray, region: np.ndarray, clean_plate: bool, shadow: bool,
            canvas: Canvas, holdout: np.ndarray | None = None, front: np.ndarray | None = None,
            grain: np.ndarray | None = None, feather: float = 0.0, grow: float = 0.0, blur: float = 0.0,
            behind: np.ndarray | None = None, shown: Shown | None = None, look: Look = AS_MADE,
            cast: np.ndarray | None = None, fade: float = PATCH_FADE) -> Layers:
    """decoded (H, W, 5), plate (H, W, 3), region (H, W, 1): one frame in its crop, 0..1.

    clean_plate: nobody is in the plate, so the decoded matte and shadow are used. behind (box height, box width, 3)
    0..1, only without clean_plate: what the performer covers, in job pixels. `plate` then shows the same inside M_f.
    holdout (h, w) 0..1 in job pixels: what lies in front of the character and takes its shadow; front (h, w) 0..1:
    where the plate stays as it is, over character and shadow; grain (box height, box width, 3) is added to the colour;
    shadow False leaves the shadow out. feather: job pixels over which the layer fades inside M_f's edge; blur: how soft
    the plate is around it, as a sigma in job pixels; a sharper layer is made as soft. shown: the character's surface in
    this frame; a patch then ends at its outline, not at the blocks of M_f. grow: job pixels by which that outline moves
    outwards. look: what the artist changes by hand, in the character only. cast (h, w) 0..1 in job pixels: the factor
    by which the character darkens the plate, if it is known, in place of the network's, also outside of the crop.
    fade: crop pixels over which a patch fades inside M_f.
    """
    decoded = np.clip(decoded, 0.0, 1.0)
    region = region[..., 0]
    feather /= canvas.crop.step
    has_matte = clean_plate or behind is not None
    edge = _patch_alpha(region, max(feather, fade), None if shown is None else shown.mask)
    colour, alpha = _character(decoded, plate, region, feather) if has_matte else _patch(decoded, region, edge)
    lit = _faded_shadow(decoded[..., 4], canvas) if shadow and has_matte else np.ones_like(alpha)
    cast = None if cast is None or not (shadow and has_matte) else _behind(front, cast)
    layers = blank(canvas.size, canvas.bits)
    if cast is not None and clean_plate:
        layers.shadow[:] = as_bits(cast, canvas.bits)[..., None]
    left, top, right, bottom = canvas.box
    if right > left and bottom > top:
        here = np.s_[top:bottom, left:right]
        holdout = _either(*(None if layer is None else layer[here] for layer in (holdout, front)))
        rgba, factor = _in_job_pixels(colour, alpha, lit, canvas)
        factor = _behind(None if front is None else front[here], factor) if cast is None else cast[here]
        who = None
        if shown is not None:
            rgba, who = _with_surface(rgba, shown, decoded, canvas, has_matte=has_matte, grow=grow, feather=feather,
                                      strength=look.light)
        elif not has_matte:
            who = _cover(decoded[..., 3], canvas)
        rgba = _graded(rgba, look, None if has_matte else who)
        rgba = _as_the_plate(rgba, holdout if behind is None else None, grain, blur)
        if behind is not None:
            rgba = _over(behind, rgba, factor, _cover(edge, canvas), holdout)
        layers.character[here] = as_bits(rgba, canvas.bits)
        if clean_plate:
            layers.shadow[here] = as_bits(factor, canvas.bits)[..., None]
    return layers


def _behind(front: np.ndarray | None, factor: np.ndarray) -> np.ndarray:
    """A shadow factor without what falls on what stays in front."""
    return factor if front is None else 1.0 - (1.0 - factor) * (1.0 - front)


def _either(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """The larger of two layers, either of which may be missing."""
    return np.maximum(one, other) if one is not None and other is not None else other if one is None else one


def _character(decoded: np.ndarray, plate: np.ndarray, region: np.ndarray,
               feather: float) -> tuple[np.ndarray, np.ndarray]:
    """Unmixed foreground and matte inside M_f: C = a F + (1 - a) plate * shadow, solved for F."""
    alpha = decoded[..., 3] * (_faded(region, feather) if feather > 0 else region)
    sure = alpha >= UNMIXED_FROM
    behind = plate * decoded[..., 4:]
    share = np.maximum(alpha, UNMIXED_FROM)[..., None]
    unmixed = np.clip((decoded[..., :3] - (1.0 - share) * behind) / share, 0.0, 1.0)
    return bleed(unmixed.astype(np.float32), sure.astype(np.float32)), alpha


def _patch(decoded: np.ndarray, region: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Everything generated inside M_f."""
    return bleed(np.ascontiguousarray(decoded[..., :3]), (region > 0.5).astype(np.float32)), alpha


def _patch_alpha(region: np.ndarray, width: float, mask: np.ndarray | None) -> np.ndarray:
    """(H, W): the patch's alpha: M_f, faded inwards over `width` crop pixels. If the character's mask (H, W) is known,
    the mask, faded outwards. Always 0 outside M_f, where the plate stays as it is."""
    if mask is None or not (mask > 0.5).any():
        return _faded(region, width)
    away = cv2.distanceTransform((mask <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    outwards = np.clip(1.0 - (away - PATCH_ROOM) / width, 0.0, 1.0)
    return np.maximum(mask > 0.5, np.minimum(outwards, _faded(region, PATCH_EDGE)))


def _cover(alpha: np.ndarray, canvas: Canvas) -> np.ndarray:
    """The patch's alpha, (box height, box width)."""
    left, top, right, bottom = canvas.box
    return np.clip(put_back(np.ascontiguousarray(alpha, dtype=np.float32), canvas.crop, (right - left, bottom - top)),
                   0.0, 1.0)


def _over(behind: np.ndarray, rgba: np.ndarray, factor: np.ndarray, cover: np.ndarray,
          holdout: np.ndarray | None) -> np.ndarray:
    """The character and its shadow over what the performer covers, as a patch with the alpha `cover`. Outside the
    patch, there is no new shadow, because the performer's own is still there (ours)."""
    alpha = rgba[..., 3:]
    colour = rgba[..., :3] * alpha + behind * factor[..., None] * (1.0 - alpha)
    return np.dstack([colour, cover if holdout is None else np.minimum(cover, 1.0 - holdout)]).astype(np.float32)


def _faded(region: np.ndarray, width: float) -> np.ndarray:
    """(H, W): 0 outside M_f, rising to 1 over `width` crop pixels inside it."""
    inside = cv2.distanceTransform(np.pad((region > 0.5).astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.minimum(inside, width) / width    # where M_f is everywhere, the distance is the largest float there is


def _faded_shadow(factor: np.ndarray, canvas: Canvas) -> np.ndarray:
    """The shadow factor (H, W) without its haze. It fades to 1 at the crop's edges inside the picture, and stays as it
    is at the picture's own edges."""
    height, width = factor.shape
    left, top, right, bottom = canvas.box
    rows = _from_the_ends(height, top > 0, bottom < canvas.size[1])
    columns = _from_the_ends(width, left > 0, right < canvas.size[0])
    fade = max(SHADOW_FADE * min(height, width), 1.0)
    weight = np.clip(np.minimum(rows[:, None], columns[None, :]) / fade, 0.0, 1.0)
    dark = np.clip((1.0 - factor - SHADOW_HAZE) / (1.0 - SHADOW_HAZE), 0.0, 1.0)
    return (1.0 - weight * dark).astype(np.float32)


def _from_the_ends(length: int, first: bool, last: bool) -> np.ndarray:
    """(length,) the distance in pixels to the nearer end of those that count; infinite if none counts."""
    places = np.arange(length, dtype=np.float32)
    none = np.full_like(places, np.inf)
    return np.minimum(places if first else none, places[::-1] if last else none)


def _in_job_pixels(colour: np.ndarray, alpha: np.ndarray, lit: np.ndarray,
                   canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """What the network painted: box-sized (h, w, 4) RGBA and (h, w) shadow factor, float32."""
    left, top, right, bottom = canvas.box
    size = (right - left, bottom - top)
    alpha = put_back(np.ascontiguousarray(alpha, dtype=np.float32), canvas.crop, size)
    alpha = np.clip((alpha - HAZE) / (1.0 - 2 * HAZE), 0.0, 1.0)
    rgb = put_back(np.ascontiguousarray(colour, dtype=np.float32), canvas.crop, size)
    return np.dstack([rgb, alpha]), 1.0 - put_back(1.0 - lit, canvas.crop, size)


def _with_surface(rgba: np.ndarray, shown: Shown, decoded: np.ndarray, canvas: Canvas, *, has_matte: bool, grow: float,
                  feather: float, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """The surface over what the network painted, (h, w, 4), and the surface's alpha (h, w). With a matte, the surface
    alone is the layer; in a patch, it is a part of it. feather is in crop pixels."""
    colour, alpha, known = lit_surface(shown, decoded, canvas.crop, strength)
    alpha = regrown(alpha, decoded[..., 3], canvas.crop, grow)
    if feather > 0:
        alpha = alpha * _faded(alpha, feather * canvas.crop.step)
    share = known[..., None]
    colour = share * colour + (1.0 - share) * rgba[..., :3]
    if has_matte:
        return np.dstack([bleed(colour, alpha), alpha]), alpha
    mixed = colour * alpha[..., None] + rgba[..., :3] * (1.0 - alpha[..., None])
    return np.dstack([mixed, np.maximum(rgba[..., 3], alpha)]), alpha


def _graded(rgba: np.ndarray, look: Look, who: np.ndarray | None) -> np.ndarray:
    """The layer with the artist's changes. who (h, w) 0..1: where the layer is the character; None: everywhere."""
    colour = rgba[..., :3]
    graded = look.graded(colour)
    if graded is colour:
        return rgba
    if who is not None:
        graded = colour + who[..., None] * (graded - colour)
    return np.dstack([graded, rgba[..., 3]])


def _as_the_plate(rgba: np.ndarray, holdout: np.ndarray | None, grain: np.ndarray | None, blur: float) -> np.ndarray:
    """The layer made as soft and as grainy as the plate around it, and cut by what lies in front of it."""
    rgb, alpha = np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    if blur > 0:
        extra = missing_blur(blur, measure_blur(rgb * alpha[..., None]))
        rgb, alpha = softened(rgb, extra), softened(alpha, extra)
    # not the product: the matte already shows only what is visible, so a product would thin an edge twice
    if holdout is not None:
        alpha = np.minimum(alpha, 1.0 - holdout)
    if grain is not None:
        rgb = rgb + grain * (alpha > 0)[..., None]
    return np.dstack([rgb, alpha])
