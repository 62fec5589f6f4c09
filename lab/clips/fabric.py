"""What people wear and are made of, as materials in the figure's own rest space,
so that patterns move with the cloth."""

import bpy
import numpy as np

from . import materials

REST = "rest"       # the mesh attribute with each vertex' place at rest, metres
PATTERNS = ("plain", "plain", "mottled", "stripes", "rings", "checks", "dots", "patches", "knit")


class Worn(materials.Shader):
    """A shader whose places are those of the unposed figure."""

    def place(self, scale=(1, 1, 1), turn=(0, 0, 0)):
        where = self.node("Attribute", {"attribute_name": REST}).outputs["Vector"]
        return self.node("Mapping", Vector=where, Scale=scale, Rotation=turn).outputs["Vector"]

    def wave(self, axis, period, turn=(0, 0, 0)):
        """0..1 and back over `period` metres along an axis."""
        return self.node("TexWave", {"bands_direction": axis}, Vector=self.place((1, 1, 1), turn),
                         Scale=0.314 / period).outputs["Fac"]


def draw_colour(rng, low=0.02, high=0.75):
    """Linear RGB of any hue, more often muted than loud."""
    value, grey = rng.uniform(low ** 0.5, high ** 0.5) ** 2, rng.beta(1.2, 1.2)
    hue = rng.dirichlet([0.7] * 3) * 1.8
    return [float(np.clip(value * (grey + (1 - grey) * c), 0.008, 0.85)) for c in hue]


def draw_cloth(rng, name):
    """A random cloth: two or three colours, a pattern, a roughness."""
    s, kind = Worn(name), PATTERNS[rng.integers(len(PATTERNS))]
    a, b = draw_colour(rng), draw_colour(rng)
    size = float(rng.uniform(0.02, 0.09))
    if kind == "stripes":
        colour = s.ramp(s.wave("X", size), (0.48, a), (0.52, b))
    elif kind == "rings":
        colour = s.ramp(s.wave("Z", 1.4 * size), (float(rng.uniform(0.3, 0.7)), a), (0.75, b))
    elif kind == "checks":
        mixed = [0.5 * (x + y) for x, y in zip(a, b, strict=True)]
        colour = s.mix(s.ramp(s.wave("Z", 1.5 * size), (0.48, (0, 0, 0)), (0.52, (1, 1, 1))),
                       s.ramp(s.wave("X", 1.5 * size), (0.48, a), (0.52, mixed)),
                       s.ramp(s.wave("X", 1.5 * size), (0.48, mixed), (0.52, b)))
    elif kind == "dots":
        cells = s.node("TexVoronoi", {"voronoi_dimensions": "3D"}, Vector=s.place(), Scale=0.7 / size, Randomness=0.25)
        colour = s.ramp(cells.outputs["Distance"], (0.24, a), (0.27, b))
    elif kind == "patches":
        colour = s.ramp(s.noise(s.place(), 0.25 / size, 2.0, 1.0), (0.42, a), (0.44, b), (0.58, b),
                        (0.6, draw_colour(rng)))
    else:
        share = 0.75 if kind == "mottled" else 0.92
        colour = s.ramp(s.noise(s.place(), float(rng.uniform(4, 30)), 4.0), (0.3, [share * c for c in a]), (0.7, a))
    folds = s.noise(s.place((1, 1, 0.4)), 16.0, 2.0)
    if kind == "knit":
        folds = s.wave("X", 0.012)
    return s.principled(Base_Color=colour, Roughness=float(rng.uniform(0.55, 1.0)),
                        Normal=s.bump(folds, float(rng.uniform(0.1, 0.4)), 0.008))


def draw_skin(rng, races, lips):
    """Skin by the shares of African, Asian and Caucasian, freckled and flushed a little;
    lips where the mask `lips` is light."""
    bases = np.array([(0.10, 0.045, 0.025), (0.52, 0.30, 0.19), (0.60, 0.34, 0.25)])
    base = np.exp(np.asarray(races) @ np.log(bases)) * rng.uniform(0.8, 1.15)
    s = Worn("Skin")
    tone = [float(c) for c in base]
    flushed = [float(c) for c in base * (1.12, 0.94, 0.90)]
    patches = s.ramp(s.noise(s.place(), 9.0, 3.0), (0.35, tone), (0.65, flushed))
    mask = s.node("TexImage", {"image": bpy.data.images.load(str(lips), check_existing=True)})
    mask.image.colorspace_settings.name = "Non-Color"
    patches = s.mix(mask.outputs["Color"], patches, [float(c) for c in base * (0.75, 0.42, 0.48)])
    return s.principled(Base_Color=patches, Roughness=float(rng.uniform(0.35, 0.6)))


def draw_hair_colour(rng):
    """Linear RGB: black to blond, some red and grey, a few dyed."""
    kind = rng.random()
    if kind < 0.08:
        return draw_colour(rng)
    if kind < 0.2:
        return [float(rng.uniform(0.2, 0.6))] * 3
    light = rng.beta(1, 2.5)
    return [float(0.012 + light * c) for c in np.array((0.40, 0.23, 0.09)) * (1, rng.uniform(0.6, 1.1), 1)]


def hair(colour):
    s = Worn("Hair")
    strands = s.noise(s.place((90.0, 90.0, 2.5)), 1.0, 4.0, 0.6)
    return s.principled(Base_Color=s.ramp(strands, (0.3, colour), (0.7, [min(1, 2.2 * c) for c in colour])),
                        Roughness=0.45, Normal=s.bump(strands, 0.5, 0.004))


def eye(iris):
    """White, iris and pupil by the direction from the eyeball's middle: REST holds that here,
    not a place in the figure."""
    s = Worn("Eye")
    forward = s.node("Math", {"operation": "MULTIPLY"}, )
    forward.inputs[1].default_value = -1.0
    direction = s.node("VectorMath", {"operation": "NORMALIZE"})
    s.set(direction.inputs[0], s.place())
    s.set(forward.inputs[0], s.node("SeparateXYZ", Vector=direction.outputs[0]).outputs["Y"])
    colour = s.ramp(forward.outputs[0], (0.86, (0.72, 0.68, 0.64)), (0.885, [0.4 * c for c in iris]), (0.955, iris),
                    (0.97, (0.004, 0.004, 0.004)))
    return s.principled(Base_Color=colour, Roughness=0.1)


def shoe(rng):
    """One colour above, another for the sole."""
    s = Worn("Shoe")
    z = s.node("SeparateXYZ", Vector=s.place()).outputs["Z"]
    colour = s.ramp(z, (0.016, draw_colour(rng, 0.02, 0.8)), (0.018, draw_colour(rng)))
    return s.principled(Base_Color=colour, Roughness=float(rng.uniform(0.25, 0.8)))
