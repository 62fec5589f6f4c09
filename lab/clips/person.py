"""A seed -> somebody in the scene: armature, skin, clothes, head, and the lengths that motions are made of."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from . import fabric
from .body import draw_phenotype, shape
from .head import add_head
from .outfit import dress
from .puppet import Puppet
from .rig import build_armature, face_points
from .seeds import generator

SOLE = 0.010        # a shoe's sole, metres


@dataclass(frozen=True)
class Measures:
    """Metres, at rest: `height` standing; `hip` and `ankle` over the floor; `leg` hip to ankle, `thigh`, `arm` shoulder
    to wrist, `trunk` hips to shoulders, `half` and `shoulder` half the distance of the hips and the shoulders, `ball`
    and `heel` before and behind the ankle."""

    height: float
    hip: float
    ankle: float
    leg: float
    thigh: float
    arm: float
    trunk: float
    half: float
    shoulder: float
    ball: float
    heel: float


@dataclass(frozen=True)
class Person:
    """`objects`: all meshes that are the person; `face`: the face's points at rest."""

    rig: object
    objects: list
    measures: Measures
    puppet: Puppet
    face: dict


def build_person(scene, data: Path, seed: int) -> Person:
    """The person of a seed, in rest pose at the origin, facing -y."""
    phenotype = draw_phenotype(generator(seed, "body"))
    figure = shape(data, phenotype)
    rig = build_armature(scene, figure)
    rng = generator(seed, "clothes")
    skin = fabric.draw_skin(rng, phenotype.races, data / "textures" / "mpfb_lips.jpg")
    objects = dress(scene, figure, rig, rng, phenotype.gender, skin)
    objects += add_head(scene, figure, rig, generator(seed, "head"), phenotype.height / 1.7)
    bpy.context.view_layer.update()
    return Person(rig, objects, _measure(figure, phenotype.height), Puppet(rig),
                  {name: Vector(place) for name, place in face_points(figure).items()})


def _measure(figure, height):
    hip, knee, ankle, ball = (figure.joint(f"{bone}_l") for bone in ("thigh", "calf", "foot", "ball"))
    shoulder, elbow, wrist = (figure.joint(f"{bone}_l") for bone in ("upperarm", "lowerarm", "hand"))
    length = lambda a, b: float(np.linalg.norm(a - b))
    foot = figure.points[[v for v in figure.groups["body"] if figure.points[v, 2] < 0.5 * ankle[2]]]
    return Measures(height=height, hip=float(hip[2]), ankle=float(ankle[2]) + SOLE,
                    leg=length(hip, knee) + length(knee, ankle),
                    thigh=length(hip, knee), arm=length(shoulder, elbow) + length(elbow, wrist),
                    trunk=float(shoulder[2] - hip[2]),
                    half=float(hip[0]), shoulder=float(shoulder[0]), ball=float(ankle[1] - ball[1]),
                    heel=float(foot[:, 1].max() - ankle[1]))
