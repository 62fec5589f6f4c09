"""Surface patterns: a row of coefficients a surface and metres along it in, colours out; for clothes and rooms alike.

One formula makes stripes, checks, dots, plaids, gradients, planks and tiles (ours: a table that is gathered once a
pixel costs the same for every pattern, on a CPU as on a GPU):

    w = sigmoid(sharp * (c0 + bu cos(fu u) + bv cos(fv v) + bp cos(fu u) cos(fv v) + bn noise + slope v))
    colour = mix(base, second, w) * (1 + cell tone) * (1 + grain noise) with grooves between cells and one round mark
"""

import functools
import math

import numpy as np
import torch

COLUMNS = ("base_r", "base_g", "base_b", "second_r", "second_g", "second_b", "mark_r", "mark_g", "mark_b",
           "fu", "fv", "pu", "pv", "c0", "bu", "bv", "bp", "bn", "slope", "sharp",
           "cell", "groove", "grain", "grain_scale", "mark_u", "mark_v", "mark_size")
COLUMN = {name: i for i, name in enumerate(COLUMNS)}
NOISE_SIZE = 512


def row(base, second=None, mark=None, **coefficients) -> np.ndarray:
    """One surface's coefficients (len(COLUMNS),); colours are sRGB triples 0..1, frequencies are radians a metre."""
    values = np.zeros(len(COLUMNS), np.float32)
    values[0:3] = base
    values[3:6] = base if second is None else second
    values[6:9] = base if mark is None else mark
    values[COLUMN["c0"]], values[COLUMN["sharp"]], values[COLUMN["grain_scale"]] = -1.0, 20.0, 120.0
    for name, value in coefficients.items():
        values[COLUMN[name]] = value
    return values


@functools.lru_cache(maxsize=4)
def noise_tile(device: str) -> torch.Tensor:
    """A tile of fractal noise (512 * 512,), mean 0 and deviation about 1, that wraps around."""
    rng = np.random.default_rng(7)
    fx, fy = np.fft.fftfreq(NOISE_SIZE)[:, None], np.fft.fftfreq(NOISE_SIZE)[None]
    radius = np.maximum(np.hypot(fx, fy), 1 / NOISE_SIZE)
    spectrum = np.fft.fft2(rng.standard_normal((NOISE_SIZE, NOISE_SIZE))) / radius ** 0.8
    tile = np.fft.ifft2(spectrum).real
    return torch.from_numpy(((tile - tile.mean()) / tile.std()).astype(np.float32)).reshape(-1).to(device)


def _noise(u: torch.Tensor, v: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    column = (u * scale).floor().long() & (NOISE_SIZE - 1)
    line = (v * scale).floor().long() & (NOISE_SIZE - 1)
    return noise_tile(str(u.device))[line * NOISE_SIZE + column]


def paint(table: torch.Tensor, surface: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Colours (3, n) sRGB of n points at metres (u, v) on surfaces `surface` (n,) of `table` (surfaces, columns)."""
    rows = table.T.contiguous().index_select(1, surface)
    get = lambda name: rows[COLUMN[name]]
    noise = _noise(u, v, get("grain_scale"))
    across, along = u * get("fu") + get("pu"), v * get("fv") + get("pv")
    cos_u, cos_v = torch.cos(across), torch.cos(along)
    level = get("c0") + get("bu") * cos_u + get("bv") * cos_v + get("bp") * cos_u * cos_v
    level = level + get("bn") * noise + get("slope") * v
    colour = torch.lerp(rows[0:3], rows[3:6], torch.sigmoid(level * get("sharp")))
    cell_u, cell_v = (across / (2 * math.pi)).floor(), (along / (2 * math.pi)).floor()
    tone = torch.sin(cell_u * 12.9898 + cell_v * 78.233) * 43758.547
    tone = 2 * (tone - tone.floor()) - 1
    groove = torch.maximum(cos_u, cos_v) > 1 - get("groove")
    gain = (1 + get("cell") * tone) * (1 + get("grain") * noise) * (1 - 0.45 * groove)
    mark = ((u - get("mark_u")) ** 2 + (v - get("mark_v")) ** 2) < get("mark_size") ** 2
    return torch.where(mark, rows[6:9], colour * gain).clamp(0, 1)


def colour(rng: np.random.Generator, value=(0.15, 0.95), saturation=(0.0, 0.8)) -> np.ndarray:
    """A random sRGB colour; a third are greys."""
    hue, level = rng.uniform(0, 6), rng.uniform(*value)
    strength = rng.uniform(*saturation) if rng.random() > 0.3 else rng.uniform(0, 0.12)
    hues = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return level * (1 - strength * (1 - hues))


def cloth(rng: np.random.Generator) -> np.ndarray:
    """A garment's fabric, in metres on the body: plain, striped, checked, dotted, plaid, graded, marked, mottled."""
    base, second, mark = colour(rng), colour(rng), colour(rng)
    period = lambda low, high: 2 * math.pi / rng.uniform(low, high)
    extra = {"grain": rng.uniform(0, 0.06), "grain_scale": rng.uniform(60, 250), "sharp": rng.uniform(6, 30)}
    kind = rng.choice(["plain", "around", "along", "check", "dots", "plaid", "graded", "marked", "mottled"],
                      p=[0.3, 0.14, 0.09, 0.07, 0.08, 0.08, 0.06, 0.1, 0.08])
    if kind == "around":
        extra |= {"fv": period(0.04, 0.16), "bv": 1, "c0": rng.uniform(-0.6, 0.6), "pv": rng.uniform(0, 6)}
    elif kind == "along":
        extra |= {"fu": period(0.04, 0.12), "bu": 1, "c0": rng.uniform(-0.6, 0.6)}
    elif kind == "check":
        extra |= {"fu": (f := period(0.06, 0.16)), "fv": f, "bp": 1, "c0": 0}
    elif kind == "dots":
        extra |= {"fu": (f := period(0.05, 0.13)), "fv": f, "bu": 1, "bv": 1, "c0": rng.uniform(-1.3, -0.6)}
    elif kind == "plaid":
        extra |= {"fu": (f := period(0.06, 0.15)), "fv": f, "bu": 0.5, "bv": 0.5, "c0": 0, "sharp": 3}
    elif kind == "graded":
        extra |= {"slope": rng.choice([-1, 1]) * rng.uniform(1, 4), "c0": 0, "sharp": 2}
    elif kind == "marked":
        extra |= {"mark_u": rng.uniform(-0.05, 0.05), "mark_v": rng.uniform(0.3, 0.42),
                  "mark_size": rng.uniform(0.04, 0.1)}
    elif kind == "mottled":
        extra |= {"bn": 1, "c0": rng.uniform(-0.5, 0.5), "grain_scale": rng.uniform(80, 200), "sharp": 4}
    return row(base, second, mark, **extra)


def surface(rng: np.random.Generator, kind: str | None = None) -> np.ndarray:
    """A room's surface, in metres: plain, planks, tiles, checker, stripes, plaster, carpet, graded."""
    strong = 0.6 if rng.random() < 0.35 else 0.25             # most rooms are muted, some are not
    base = colour(rng, (0.35, 0.95), (0.0, strong))
    second = np.clip(base * rng.uniform(0.65, 1.25), 0, 1) if rng.random() < 0.7 else colour(rng,
                                                                                             (0.2, 0.95), (0, strong))
    turn = rng.random() < 0.5
    extra = {"grain": rng.uniform(0.0, 0.06), "grain_scale": rng.uniform(40, 200), "pu": rng.uniform(0, 6),
             "pv": rng.uniform(0, 6)}
    kind = kind or rng.choice(["plain", "planks", "tiles", "checker", "stripes", "plaster", "graded"],
                              p=[0.28, 0.17, 0.13, 0.1, 0.1, 0.16, 0.06])
    narrow, wide = 2 * math.pi / rng.uniform(0.1, 0.35), 2 * math.pi / rng.uniform(0.8, 2.5)
    if kind == "planks":
        extra |= {"fu": narrow if turn else wide, "fv": wide if turn else narrow,
                  "cell": rng.uniform(0.03, 0.15), "groove": 0.01}
    elif kind == "tiles":
        extra |= {"fu": narrow, "fv": narrow * rng.choice([1.0, 2.0]), "cell": rng.uniform(0, 0.08),
            "groove": rng.uniform(0.01, 0.05)}
    elif kind == "checker":
        extra |= {"fu": narrow, "fv": narrow, "bp": 1, "c0": 0}
    elif kind == "stripes":
        extra |= {"fu" if turn else "fv": narrow, "bu" if turn else "bv": 1, "c0": rng.uniform(-0.5, 0.5)}
    elif kind == "plaster":
        extra |= {"bn": rng.uniform(0.15, 0.5), "c0": 0, "sharp": 1.5, "grain_scale": rng.uniform(20, 90)}
    elif kind == "graded":
        extra |= {"slope": rng.uniform(-1, 1), "c0": 0, "sharp": 1.5}
    return row(base, second, **extra)


def noise_at(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Fractal noise at tile coordinates (one unit is one texel)."""
    one = torch.ones((), device=u.device)
    return _noise(u, v, one)
