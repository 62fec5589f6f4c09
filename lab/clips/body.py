"""A generator -> the shape of somebody: MakeHuman's macro targets by gender, age, build and race,
and a standing height."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from . import makehuman

_MACRO = "macrodetails/"
_RACES = ("african", "asian", "caucasian")


@dataclass(frozen=True)
class Phenotype:
    """`age`: weights of child, young, old; `muscle`, `weight`: 0..1, 0.5 is average; `races`: weights of _RACES."""

    gender: str
    age: dict
    muscle: float
    weight: float
    races: tuple
    height: float


def draw_phenotype(rng) -> Phenotype:
    """One in eight is a child; the others are 1.50 to 1.96 m tall."""
    gender = ("female", "male")[rng.integers(2)]
    child = rng.random() < 0.125
    old = 0.0 if child else float(np.clip(rng.normal(0.1, 0.3), 0, 0.9))
    age = {"child": 0.8, "young": 0.2} if child else {"young": 1 - old, "old": old}
    low, high = (1.10, 1.42) if child else (1.50, 1.80) if gender == "female" else (1.60, 1.96)
    races = rng.dirichlet([0.5] * 3)
    return Phenotype(gender=gender, age=age, muscle=float(rng.uniform(0.15, 0.85)), weight=float(rng.beta(2, 2.2)),
                     races=tuple(map(float, races)), height=float(rng.uniform(low, high)))


def targets_of(person: Phenotype) -> dict:
    """Target files and their weights; those that would hardly show are left out."""
    def between(value, low, middle, high):
        return {low: max(0, 1 - 2 * value), middle: 1 - abs(2 * value - 1), high: max(0, 2 * value - 1)}

    found = {}
    for (age, a), (muscle, m), (weight, w) in product(
            person.age.items(), between(person.muscle, "minmuscle", "averagemuscle", "maxmuscle").items(),
            between(person.weight, "minweight", "averageweight", "maxweight").items()):
        found[f"{_MACRO}universal-{person.gender}-{age}-{muscle}-{weight}"] = a * m * w
    for race, share in zip(_RACES, person.races, strict=True):
        for age, a in person.age.items():
            found[f"{_MACRO}{race}-{person.gender}-{age}"] = a * share
    return {name: value for name, value in found.items() if value > 0.03}


def shape(data, person: Phenotype) -> makehuman.Figure:
    """The figure at its height, soles on the floor z = 0, its middle over the origin, facing -y."""
    figure = makehuman.load(data, targets_of(person))
    body = figure.groups["body"]
    figure.points *= person.height / np.ptp(figure.points[body, 2])
    figure.points[:, 2] -= figure.points[body, 2].min()
    return figure
