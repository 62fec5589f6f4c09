"""Characters: a generator in, one person's proportions, garments, hair and colours out."""

from dataclasses import dataclass

import numpy as np

from engine.contract.skeleton import HEAD_HEIGHT

from . import fabric

SKIN = np.array([[.97, .84, .75], [.93, .75, .63], [.84, .62, .47], [.69, .46, .32], [.49, .31, .21], [.30, .19, .14]])
HAIR = np.array([[.06, .05, .05], [.16, .09, .06], [.32, .18, .09], [.55, .34, .16], [.80, .64, .36], [.60, .22, .10],
                 [.62, .62, .62], [.90, .90, .88], [.25, .35, .60], [.75, .30, .50]])


@dataclass(frozen=True)
class Character:
    """One person. Lengths in metres; `sleeve` and `leg` count limb pieces covered (0 none .. 2 to the wrist or
    ankle)."""
    height: float
    head: float            # head height, chin to crown
    shoulder: float        # half the width between the shoulder joints
    hip: float             # half the width between the hip joints
    spine: float           # pelvis to neck
    neck: float            # neck to the head's centre
    upper_arm: float
    fore_arm: float
    hand: float
    thigh: float
    shin: float
    ankle: float           # the ankle's height over the sole
    foot: float            # ankle to toe
    girth: float           # factor on radii
    belly: float
    bust: float
    loose: float           # metres that clothes stand off
    sleeve: float
    leg: float
    skirt: float           # 0 none, else length in thighs (1 = knee)
    flare: float
    hem: float             # how far the top hangs over the hips, metres
    coat: bool
    boots: float           # part of the shin
    hair: str
    hat: str
    extra: str             # none, backpack, bag
    beard: float
    face: np.ndarray       # 6 numbers 0..1: eye size, brow height, mouth width, mouth mood, nose size, jaw
    lips: np.ndarray
    iris: np.ndarray
    fabrics: np.ndarray    # rows of `fabric.row`: see FABRICS

    @property
    def leg_length(self) -> float:
        return self.thigh + self.shin

    @property
    def arm_length(self) -> float:
        return self.upper_arm + self.fore_arm


FABRICS = ("skin", "top", "bottom", "shoe", "hair", "hat", "extra", "belt", "inner", "sole", "coat", "glove")
FABRIC = {name: i for i, name in enumerate(FABRICS)}


def _pick(rng, **shares) -> str:
    names, weights = list(shares), np.array(list(shares.values()), float)
    return str(rng.choice(names, p=weights / weights.sum()))


def _blend(rng, palette: np.ndarray, jitter: float) -> np.ndarray:
    place = rng.uniform(0, len(palette) - 1)
    low = int(place)
    mixed = palette[low] + (place - low) * (palette[min(low + 1, len(palette) - 1)] - palette[low])
    return np.clip(mixed * (1 + rng.normal(0, jitter, 3)), 0.02, 1)


def _fabrics(rng, skirt: float) -> np.ndarray:
    skin, hair = _blend(rng, SKIN, 0.03), np.clip(HAIR[rng.integers(len(HAIR))] * rng.uniform(0.8, 1.2), 0, 1)
    top, bottom = fabric.cloth(rng), fabric.cloth(rng)
    if skirt and rng.random() < 0.55:
        bottom = top                                              # a dress
    shoe, belt = fabric.colour(rng, (0.05, 0.95), (0, 0.7)), fabric.colour(rng, (0.05, 0.6), (0, 0.6))
    plain = lambda colour, grain=0.0: fabric.row(colour, grain=grain)
    rows = {"skin": plain(skin), "top": top, "bottom": bottom, "shoe": plain(shoe),
            "hair": fabric.row(hair, np.clip(hair * 1.5 + 0.03, 0, 1), fu=220, bu=0.6, bn=0.5, c0=-0.2,
                               sharp=2.5, grain=0.08),
            "hat": fabric.cloth(rng), "extra": fabric.cloth(rng), "belt": plain(belt), "inner": fabric.cloth(rng),
            "sole": plain(np.clip(1 - shoe * rng.uniform(0.3, 1), 0.05, 0.95)), "coat": fabric.cloth(rng),
            "glove": plain(fabric.colour(rng) if rng.random() < 0.05 else skin)}
    return np.stack([rows[name] for name in FABRICS])


def draw_character(rng: np.random.Generator) -> Character:
    """A person within the human range (ours: artists' canons with a spread, children from 1.2 m up)."""
    height = float(np.clip(rng.normal(1.7, 0.13), 1.2, 2.05))
    near = lambda mean, spread: float(height * mean * (1 + np.clip(rng.normal(0, spread), -2.2 * spread, 2.2 * spread)))
    head = near(HEAD_HEIGHT * (1 + 0.35 * max(0, 1.6 - height)), 0.05)
    female = rng.random() < 0.5
    dressed = _pick(rng, trousers=0.62, skirt=0.38 if female else 0.05)
    skirt = float(rng.uniform(0.55, 1.75)) if dressed == "skirt" else 0.0
    thigh, shin, ankle = near(0.238, 0.035), near(0.236, 0.035), near(0.042, 0.05)
    spine = near(0.312, 0.03)
    return Character(
        height=height, head=head, shoulder=near(0.103 if female else 0.116, 0.06), hip=near(0.054, 0.07), spine=spine,
        neck=height - (thigh + shin + ankle + spine) - 0.5 * head
        if height - (thigh + shin + ankle + spine) > 1.1 * head else 0.65 * head,
        upper_arm=near(0.168, 0.04), fore_arm=near(0.145, 0.04), hand=near(0.105, 0.04),
        thigh=thigh, shin=shin, ankle=ankle, foot=near(0.105, 0.05),
        girth=float(np.clip(rng.lognormal(0.02, 0.13), 0.78, 1.45)), belly=float(max(0, rng.normal(0, 0.5))),
        bust=float(rng.uniform(0.4, 1.2)) if female else 0.0,
        loose=float(rng.uniform(0.004, 0.022)), sleeve=float(rng.choice([0.0, 0.25, 0.5, 0.7, 1.5, 1.97], p=[.08, .1,
            .22, .12, .12, .36])),
        leg=float(rng.choice([0.3, 0.6, 0.95, 1.5, 1.95], p=[.08, .14, .1, .1,
            .58])) if not skirt else float(rng.choice([0, 1.97], p=[.75, .25])),
        skirt=skirt, flare=float(rng.uniform(0.02, 0.16)), hem=float(rng.uniform(0.0, 0.16)),
        coat=bool(rng.random() < 0.18), boots=float(rng.choice([0.0, 0.25, 0.55, 0.8], p=[.72, .1, .1, .08])),
        hair=_pick(rng, short=0.3, long=0.22 if female else 0.06, bob=0.14 if female else 0.05,
                   bun=0.1 if female else 0.02, tail=0.1 if female else 0.03, curly=0.12, bald=0.02 if female else 0.1),
        hat=_pick(rng, none=0.83, cap=0.07, brim=0.05, beanie=0.05), extra=_pick(rng, none=0.8, backpack=0.1, bag=0.1),
        beard=0.0 if female or rng.random() < 0.6 else float(rng.uniform(0.3, 1)),
        face=rng.uniform(0, 1, 6), lips=np.array([0.65, 0.25, 0.25]) * rng.uniform(0.5, 1.25),
        iris=np.array([[.25, .15, .08], [.35, .5, .7], [.3, .45, .25], [.15, .1, .07]])[rng.integers(4)],
        fabrics=_fabrics(rng, skirt))
