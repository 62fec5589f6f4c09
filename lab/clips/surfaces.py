"""A generator -> materials for rooms and furniture: floors, walls, wood, plain paint."""

from . import fabric, materials


def draw_floor(rng):
    a, b = fabric.draw_colour(rng, 0.03, 0.6), fabric.draw_colour(rng, 0.03, 0.6)
    kind = rng.integers(5)
    if kind == 0:
        dark = [0.55 * c for c in _wood(rng)]
        return materials.planks("Boards", [min(1, 1.7 * c) for c in dark], dark)
    if kind == 1:
        return materials.woven("Carpet", a, b)
    s = materials.Shader("Floor")
    if kind == 2:
        size = float(rng.uniform(0.25, 0.8))
        tiles = s.node("TexBrick", {"offset": float(rng.choice([0.0, 0.5]))}, Vector=s.place(),
                       Color1=materials.rgba(a), Color2=materials.rgba(b),
                       Mortar=materials.rgba([0.4 * c for c in a]), Scale=1.0, Mortar_Size=0.006, Brick_Width=size,
                       Row_Height=size * float(rng.choice([0.5, 1])))
        colour = tiles.outputs["Color"]
    elif kind == 3:
        checks = s.node("TexChecker", Vector=s.place(), Color1=materials.rgba(a), Color2=materials.rgba(b),
                        Scale=float(rng.uniform(1.2, 4)))
        colour = checks.outputs["Color"]
    else:
        colour = s.ramp(s.noise(s.place(), float(rng.uniform(0.8, 6)), 6.0), (0.3, [0.75 * c for c in a]), (0.7, a))
    return s.principled(Base_Color=colour, Roughness=float(rng.uniform(0.25, 0.95)))


def draw_wall(rng):
    a, b = fabric.draw_colour(rng, 0.1, 0.8), fabric.draw_colour(rng, 0.05, 0.7)
    kind = rng.integers(5)
    if kind < 2:
        return materials.plaster("Wall", a)
    s = materials.Shader("Wall")
    # a wall's own z is upright: turned, so that bricks lie along it
    if kind == 2:
        bricks = s.node("TexBrick", Vector=s.place((1, 1, 1), (1.5708, 0, 0)), Color1=materials.rgba(a),
                        Color2=materials.rgba(b),
                        Mortar=materials.rgba((0.4, 0.38, 0.35)), Scale=1.0, Mortar_Size=0.012,
                        Brick_Width=0.26, Row_Height=0.085)
        colour = bricks.outputs["Color"]
    elif kind == 3:
        waves = s.node("TexWave", {"bands_direction": "X"}, Vector=s.place(),
                       Scale=0.314 / float(rng.uniform(0.08, 0.4)))
        colour = s.ramp(waves.outputs["Fac"], (0.48, a), (0.52, [0.5 * (x + y) for x, y in zip(a, b, strict=True)]))
    else:
        colour = s.ramp(s.noise(s.place((1, 1, 0.15)), float(rng.uniform(2, 9)), 5.0, 0.8), (0.35, a),
                        (0.65, [0.6 * c for c in a]))
    return s.principled(Base_Color=colour, Roughness=0.8)


def draw_surface(rng, name):
    """Of a piece of furniture: wood or paint, sometimes cloth or metal."""
    kind = rng.random()
    if kind < 0.45:
        tone = _wood(rng)
        return materials.wood(name, tone, [0.5 * c for c in tone], roughness=float(rng.uniform(0.25, 0.7)))
    if kind < 0.6:
        s = materials.Shader(name)
        a, b = fabric.draw_colour(rng), fabric.draw_colour(rng)
        return s.principled(Base_Color=s.ramp(s.noise(s.place(), float(rng.uniform(3, 20)), 3.0), (0.45, a), (0.55, b)),
                            Roughness=0.9)
    return materials.plain(name, fabric.draw_colour(rng), float(rng.uniform(0.2, 0.9)),
                           Metallic=float(rng.random() < 0.12))


def _wood(rng):
    light = rng.uniform(0.15, 1.0)
    return [float(light * c) for c in (0.50, 0.28 * rng.uniform(0.8, 1.15), 0.13 * rng.uniform(0.6, 1.4))]
