"""Clips and references: a seed in, every layer and joint of a synthetic shot out, exact, without a renderer."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as nnf

from engine.contract.skeleton import BODY, HEAD_POINT_SEEN, HEAD_POINTS

from . import fabric, shadow
from .camera import View, draw_view
from .character import Character, draw_character
from .cones import Primitives, render
from .figure import in_camera, sculpt, wraps
from .light import coefficients
from .motion import draw_motion
from .plate import Plate, paint_plate
from .prop import Prop, hold
from .rig import Skeleton, solve
from .room import Light, collage, draw_light, draw_room
from .seeds import generator
from .shade import shade

# metres that a surface may lie in front of the figure before it hides it (palms sink in a little)
TOUCHING = 0.012


@dataclass(frozen=True)
class Clip:
    """F frames of one character in one room; torch float32, pictures 0..1 sRGB channels last.

    full = visible * foreground + (1 - visible) * clean * shadow, but for the camera's noise.
    """
    full: torch.Tensor           # (F, H, W, 3)
    clean: torch.Tensor          # (F, H, W, 3) without the character and its shadow; a held prop stays
    matte: torch.Tensor          # (F, H, W, 1) the character alone, before nearer objects hide it
    visible: torch.Tensor        # (F, H, W, 1) what of it is seen
    shadow: torch.Tensor         # (F, H, W, 1) sRGB factor, 1 = lit
    foreground: torch.Tensor     # (F, H, W, 3) the character's colour, bled outwards
    objects: torch.Tensor        # (F, H, W, 1) what it touches or passes behind
    objects_depth: torch.Tensor  # (F, H, W) planar metres, 0 off the objects
    body: torch.Tensor           # (F, 20, 4) x, y, depth, confidence
    hands: torch.Tensor          # (F, 2, 21, 4) left, right
    height_px: torch.Tensor      # (F,)
    contact: torch.Tensor        # (F, H, W, 1) about hands and feet that touch something
    exposure: torch.Tensor       # (3,) factor on linear light
    focal: torch.Tensor          # (F,) pixels
    centre: torch.Tensor         # (F, 2) the principal point in pixels
    light: torch.Tensor          # (F, 9, 3) on the character, as contract/harmonics.py has it


@dataclass(frozen=True)
class Reference:
    """One picture of the character in another pose, view and light, cut out on a random background."""
    picture: torch.Tensor        # (H, W, 3)
    body: torch.Tensor           # (20, 4)
    hands: torch.Tensor          # (2, 21, 4)
    height_px: torch.Tensor      # ()
    matte: torch.Tensor          # (H, W, 1)
    exposure: torch.Tensor       # (3,), as in a clip, as are the others
    focal: torch.Tensor          # ()
    centre: torch.Tensor         # (2,)
    light: torch.Tensor          # (9, 3)


def draw_clip(seed: int, frames: int, shape: tuple[int, int], device="cpu", *, character: int | None = None) -> Clip:
    """The clip of a seed; `shape` is (width, height). `character` puts another seed's person into it.

    Seeds with seed % 64 == 63 are held out for evaluation (`held_out`); training must skip them.
    """
    person = draw_character(generator(seed if character is None else character, "character"))
    want, blocks, prop_kind = draw_motion(generator(seed, "motion"), person, frames)
    skeleton = solve(person, want)
    view = draw_view(generator(seed, "camera"), skeleton, person.height, shape)
    path = np.concatenate([skeleton.joints[n][:, :2]
                           for n in ("pelvis", "left_toe", "right_toe", "left_ankle", "right_ankle")])
    room = draw_room(generator(seed, "room"), blocks, path, view.position)
    rng = generator(seed, "prop")
    prop, prop_row = hold(rng, prop_kind, person, skeleton, want.contact), fabric.surface(rng)
    scene = _with_prop(paint_plate(room, view, device), view, room.light, prop, prop_row, person)
    figure = _figure(person, skeleton, view, room.light, device)
    return _compose(generator(seed, "film"), scene, figure, person, skeleton, view, room.light, want.contact)


def draw_reference(seed: int, shape: tuple[int, int], device="cpu") -> Reference:
    """The character of a seed, 60 % standing about frontal, else doing anything; whole in the picture."""
    person, rng = draw_character(generator(seed, "character")), generator(seed, "reference")
    want, _, _ = draw_motion(rng, person, 1, calm=bool(rng.random() < 0.6))
    skeleton = solve(person, want)
    view = draw_view(rng, skeleton, person.height, shape, whole=True)
    light = draw_light(rng)
    matte, _, colour, _ = _figure(person, skeleton, view, light, device)
    width, height = shape
    ground = torch.as_tensor(_background(rng).astype(np.float32), device=device).permute(2, 0, 1)[None]
    ground = nnf.interpolate(ground, (height, width), mode="bilinear", align_corners=False)
    picture = (matte * colour + (1 - matte) * ground).clamp(0, 1)
    body, hands, tall = (x.to(picture.device) for x in _joints(person, skeleton, view))
    focal, centre = _optics(view)
    return Reference(_last(picture)[0], body[0], hands[0], tall[0], _last(matte)[0], torch.ones(3), focal[0], centre[0],
                     coefficients(light, view.rotation, np.ones(3)))


def _background(rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.35:
        return np.ones((2, 2, 3)) * fabric.colour(rng, (0.05, 1.0), (0, 0.6))
    if kind < 0.6:
        return np.stack([fabric.colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    return collage(rng)


def _figure(person: Character, skeleton: Skeleton, view: View, light: Light, device):
    """The character alone: matte (F, 1, H, W), depth at twice the size, bled colour (F, 3, H, W), fine coverage."""
    primitives = in_camera(sculpt(person, skeleton), view.rotation, view.position)
    maps = wraps(person, skeleton, view.rotation, view.position)
    a, b, radius = (x[..., :10, :] if x.ndim > 1 else x[:10] for x in shadow.casters(person, skeleton))
    own = lambda depth: _light_left(depth, view, light, a, b, radius, start=0.07)[0]
    colour, depth = _painted(primitives, person.fabrics, person, view, light, device, maps=maps, own=own)
    cover = (depth < torch.inf).float()[:, None]
    matte, mixed = _halved(cover), _halved(colour)
    return matte, depth, _bled(mixed, matte), cover


def _painted(primitives: Primitives, table, person, view: View, light: Light, device, *, maps=None,
    own=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Colour (F, 3, 2H, 2W), black off the primitives, and depth (F, 2H, 2W)."""
    width, height = 2 * view.size[0], 2 * view.size[1]
    hits, depth = render(primitives, 2 * view.focal, 2 * view.centre, (width, height), device)
    lit = None
    if own:
        lit = own(depth).repeat_interleave(2, 1).repeat_interleave(2, 2).view(-1).index_select(0, hits.pixel)
    shaded = shade(person, hits, primitives, table, light, rotation=view.rotation, wraps=maps, lit=lit)
    colour = torch.zeros(3, depth.numel(), device=device)
    colour[:, hits.pixel] = shaded
    return colour.view(3, len(depth), height, width).transpose(0, 1), depth


def _halved(picture: torch.Tensor) -> torch.Tensor:
    """(..., 2H, 2W) -> (..., H, W), the mean of each 2 x 2; slices are faster than pooling on a CPU."""
    lines = picture[..., ::2, :] + picture[..., 1::2, :]
    return 0.25 * (lines[..., ::2] + lines[..., 1::2])


def _widened(x: torch.Tensor, size: int) -> torch.Tensor:
    return nnf.avg_pool2d(nnf.avg_pool2d(x, size, ceil_mode=True), 3, 1, 1, count_include_pad=False)


def _bled(mixed: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """Unmixed colours, continued outwards at two coarser scales (ours: cheap, smooth, never black)."""
    colour, cover = mixed, matte
    for size in (4, 32):
        rest = nnf.interpolate(torch.cat([_widened(mixed, size), _widened(matte, size)], 1), matte.shape[-2:],
                               mode="bilinear", align_corners=False)
        fill = (1 - cover) * (rest[:, 3:] / 0.05).clamp(0, 1)
        colour = colour + fill * rest[:, :3] / rest[:, 3:].clamp_min(1e-4)
        cover = cover + fill
    mean = mixed.mean((2, 3), keepdim=True) / matte.mean((2, 3), keepdim=True).clamp_min(1e-4)
    return (colour + (1 - cover) * mean).clamp(0, 1)


@dataclass(frozen=True)
class _Scene:
    """The plate with its prop: colour (F, 3, H, W), key share (F, H, W), depth and object at twice the size."""
    colour: torch.Tensor
    share: torch.Tensor
    deep: torch.Tensor
    object: torch.Tensor


def _with_prop(plate: Plate, view: View, light: Light, prop: Prop | None, row: np.ndarray, person: Character) -> _Scene:
    if prop is None:
        return _Scene(plate.colour, plate.share, plate.deep, plate.object)
    a, b, radius = prop.segment()
    colour = plate.colour * _shadow(plate.deep, plate.share, view, light, a[:, None], b[:, None], np.array([radius]))
    paint, depth = _painted(prop.in_camera(view.rotation, view.position), row[None], person, view,
                            light, plate.deep.device)
    front = depth < plate.deep
    cover = _halved(front.float()[:, None])
    colour = colour * (1 - cover) + _halved(paint * front[:, None])
    share = torch.where(cover[:, 0] > 0.5, 0.35, plate.share)
    return _Scene(colour, share, torch.where(front, depth, plate.deep), torch.where(front, 1.0, plate.object))


def _shadow(deep, share, view: View, light: Light, a: np.ndarray, b: np.ndarray, radius: np.ndarray) -> torch.Tensor:
    """(F, 1, H, W) sRGB factor by which segments (F, s, 3) in world axes darken a plate of depth `deep`."""
    lit, open_ = _light_left(deep, view, light, a, b, radius)
    return (share * lit + (1 - share) * open_).clamp(0, 1).sqrt()[:, None]


def _light_left(deep, view: View, light: Light, a: np.ndarray, b: np.ndarray, radius: np.ndarray,
    start: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """(F, H, W) key and ambient light left on surfaces of depth `deep` (F, 2H, 2W) behind segments in world axes."""
    device = deep.device
    width, height = view.size
    tensor = lambda v: torch.as_tensor(np.asarray(v, np.float32), device=device)
    depth = deep[:, ::2, ::2]
    focal, centre = tensor(view.focal), tensor(view.centre)
    x = (torch.arange(width, device=device) + 0.25 - centre[:, :1]) / focal[:, None]
    y = (torch.arange(height, device=device) + 0.25 - centre[:, 1:]) / focal[:, None]
    a, b = view.to_camera(a), view.to_camera(b)
    middle = 0.5 * (np.minimum(a, b).min(1) + np.maximum(a, b).max(1))
    extent = np.maximum(np.linalg.norm(a - middle[:, None], axis=-1), np.linalg.norm(b - middle[:, None],
        axis=-1)).max(1) + radius.max()
    towards = tensor(view.rotation @ light.direction)
    m, r = tensor(middle)[:, :, None, None], tensor(extent)[:, None, None]
    away = torch.stack([m[:, 0] - depth * x[:, None], m[:, 1] - depth * y[:, :, None], m[:, 2] - depth], 1)
    along, square = (away * towards[:, None, None]).sum(1), (away * away).sum(1)
    # only points whose shadow ray passes the figure's sphere
    aside = (1 + light.softness) * r
    hit = (((square - along * along < aside ** 2) & (along > -r)) | (square < (r + 0.2) ** 2)) & (depth < 50)
    place = hit.view(-1).nonzero()[:, 0]
    frame = torch.div(place, width * height, rounding_mode="floor")
    away = away.transpose(0, 1).reshape(3, -1).index_select(1, place)
    point = tensor(middle).T.index_select(1, frame) - away
    left = shadow.darken(point, frame, tensor(a), tensor(b), list(map(float, radius)), towards=towards[:, None],
        softness=light.softness, start=start)
    return tuple(torch.ones(hit.shape, device=device).view(-1).index_copy_(0, place, value).view(hit.shape)
                 for value in left)


def _compose(rng, scene: _Scene, figure, person: Character, skeleton: Skeleton, view: View, light: Light,
    contact: np.ndarray) -> Clip:
    matte, depth, colour, cover = figure
    visible = _halved(cover * (depth < scene.deep + TOUCHING)[:, None])
    shade_ = _shadow(scene.deep, scene.share, view, light, *shadow.casters(person, skeleton))
    objects = _halved(scene.object[:, None])
    clean, colour, matte, visible, shade_, noise, gain = _filmed(rng, scene.colour, colour, matte, visible, shade_)
    clean = (clean + noise).clamp(0, 1)
    full = (visible * (colour + noise) + (1 - visible) * clean * shade_).clamp(0, 1)
    body, hands, tall = (x.to(full.device) for x in _joints(person, skeleton, view))
    focal, centre = _optics(view)
    return Clip(
        full=_last(full), clean=_last(clean), matte=_last(matte), visible=_last(visible), shadow=_last(shade_),
            foreground=_last(colour),
        objects=_last(objects), objects_depth=scene.deep[:, ::2, ::2] * (objects[:, 0] > 0.5), body=body,
            hands=hands, height_px=tall,
        contact=_last(_contacts(skeleton, view, contact, depth.device)), exposure=gain ** 2, focal=focal, centre=centre,
        light=coefficients(light, view.rotation, gain.numpy()).expand(len(focal), -1, -1))


def _filmed(rng, clean, colour, matte, visible, shade_):
    """A clip's exposure, white balance, lens blur and grain (ours: mild, so that nothing is learnt by heart)."""
    tint = torch.as_tensor((1 + rng.normal(0, 0.025, 3)).astype(np.float32), device=clean.device)[:, None, None]
    gain = tint * (float(rng.uniform(0.42, 0.58)) / clean.mean().clamp_min(0.05)).clamp(0.85, 1.45)
    clean, colour = (clean * gain).clamp(0, 1), (colour * gain).clamp(0, 1)
    side = float(rng.choice([0.0, rng.uniform(0.03, 0.16)]))
    if side:
        layers = torch.cat([clean, colour, matte, visible, shade_], 1)
        padded = nnf.pad(layers, (1, 1, 1, 1), mode="replicate")
        layers = (1 - 2 * side) * padded[..., 1:-1, :] + side * (padded[..., :-2, :] + padded[..., 2:, :])
        layers = (1 - 2 * side) * layers[..., 1:-1] + side * (layers[..., :-2] + layers[..., 2:])
        clean, colour, matte, visible, shade_ = layers.split([3, 3, 1, 1, 1], 1)
    strength, tile = rng.choice([0.0, rng.uniform(0.002, 0.02)]), \
        torch.Generator().manual_seed(int(rng.integers(2 ** 31)))
    noise = strength * torch.randn(clean.shape, generator=tile).to(clean.device) if strength \
        else torch.zeros_like(clean)
    return clean, colour, matte, visible, shade_, noise, gain[:, 0, 0].cpu()


def _optics(view: View) -> tuple[torch.Tensor, torch.Tensor]:
    """Focal length (F,) and principal point (F, 2) in pixels."""
    return torch.from_numpy(view.focal.astype(np.float32)), torch.from_numpy(view.centre.astype(np.float32))


def _joints(person: Character, skeleton: Skeleton, view: View) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints as docs/architecture.md has them: body (F, 20, 4), hands (F, 2, 21, 4), standing height in pixels (F,)."""
    points = np.stack([skeleton.joints[name] for name in BODY], 1)
    body = view.project(points)
    sure = _inside(body, view.size)
    head = skeleton.joints["head"]
    to_camera = view.position - head
    for name in HEAD_POINTS:
        k = BODY.index(name)
        way = points[:, k] - head
        cosine = (way * to_camera).sum(-1) / np.maximum(np.linalg.norm(way, axis=-1)
                                                        * np.linalg.norm(to_camera, axis=-1), 1e-9)
        sure[:, k] *= cosine >= HEAD_POINT_SEEN
    hands = np.stack([view.project(skeleton.hands[:, k]) for k in range(2)], 1)
    with_sure = lambda p, c: torch.from_numpy(np.concatenate([p, c[..., None]], -1).astype(np.float32))
    tall = view.focal * person.height / view.to_camera(skeleton.joints["pelvis"])[:, 2]
    return with_sure(body, sure), with_sure(hands, _inside(hands, view.size)), torch.from_numpy(tall.astype(np.float32))


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return ((x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1]) & (z > 0)).astype(float)


def _contacts(skeleton: Skeleton, view: View, contact: np.ndarray, device) -> torch.Tensor:
    """(F, 1, H, W): discs of 12 cm about the palms and soles that touch something."""
    j = skeleton.joints
    points = np.stack([0.5 * (skeleton.hands[:, 0, 0] + skeleton.hands[:, 0, 9]), 0.5 * (skeleton.hands[:, 1,
        0] + skeleton.hands[:, 1, 9]),
                       0.5 * (j["left_ankle"] + j["left_toe"]), 0.5 * (j["right_ankle"] + j["right_toe"])], 1)
    seen = torch.as_tensor(view.project(points).astype(np.float32), device=device)
    radius = 0.12 * torch.as_tensor(view.focal.astype(np.float32), device=device)[:, None] / seen[...,
        2] * torch.as_tensor(contact > 0.5, device=device)
    width, height = view.size
    x = torch.arange(width, device=device) + 0.5 - seen[..., :1]
    y = torch.arange(height, device=device) + 0.5 - seen[..., 1:2]
    inside = x[:, :, None] ** 2 + y[:, :, :, None] ** 2 < radius[..., None, None] ** 2
    return inside.any(1, keepdim=True).float()


def _last(pictures: torch.Tensor) -> torch.Tensor:
    """(F, C, H, W) -> (F, H, W, C)."""
    return pictures.permute(0, 2, 3, 1).contiguous()
