"""A figure and a generator -> its clothes, cut from MakeHuman's helper surfaces (tights, skirt),
and what skin they leave."""

from dataclasses import dataclass

import numpy as np

from . import fabric
from .parts import add_part

_ARM = ("upperarm", "lowerarm", "hand")
_LEG = ("thigh", "calf", "foot", "ball")


@dataclass(frozen=True)
class Cut:
    """How much a garment covers. `sleeve`: 0 none, 1 to the elbow, 2 to the wrist; `leg`: 0 hip, 1 knee, 2 ankle;
    `hem`: how far the top reaches below the waist, as a part of the thigh; `skirt`: the same down the whole leg,
    or None for trousers."""

    sleeve: float
    hem: float
    leg: float
    skirt: float | None
    collar: float
    barefoot: bool


def draw_cut(rng, gender) -> Cut:
    sleeve = (0.15, 0.45, 0.6, 1.3, 1.95, 1.95)[rng.integers(6)]
    skirted = rng.random() < (0.45 if gender == "female" else 0.06)
    hem = rng.choice([0.25, 0.35, 0.5]) if rng.random() < 0.8 else rng.uniform(0.8, 1.2)
    return Cut(sleeve=float(sleeve), hem=float(hem), leg=(1.97, 1.97, 1.5, 0.85, 0.55)[rng.integers(5)],
               skirt=float(rng.uniform(0.8, 1.7)) if skirted else None, collar=float(rng.uniform(-0.03, 0.02)),
               barefoot=bool(rng.random() < 0.1))


def dress(scene, figure, rig, rng, gender, skin):
    """Adds the clothes and the skin that is seen; returns the objects."""
    cut, where = draw_cut(rng, gender), _Where(figure)
    size = where.size
    waist = where.hips[2] + 0.09 * size
    top_hem, skirt_hem = where.down(cut.hem), where.down(cut.skirt) if cut.skirt else None
    # what each garment covers, `slack` metres inside its edge
    def top(p, arm, leg, slack=0.0):
        return (where.sleeve(p, arm) < cut.sleeve - slack * 6 and p[2] > top_hem + slack
                and (arm > 0.5 or p[2] < where.neck[2] + cut.collar * size - 6 * slack + 0.25 * (p[1] - where.neck[1])))

    def bottom(p, arm, leg, slack=0.0):
        if arm > 0.5:
            return False
        return p[2] < waist - slack and where.leg(p) < cut.leg - slack * 4

    def under_skirt(p, arm, leg, slack=0.0):
        return arm < 0.5 and p[2] < waist - slack and where.leg(p) < 0.25

    def shod(p, arm, leg, slack=0.0):
        return p[2] < where.ankle[2] + 0.03 - slack

    lower = under_skirt if cut.skirt else bottom
    worn = [top, lower] + ([] if cut.barefoot else [shod])
    made = [add_part(scene, figure, rig, "Skin",
                     where.faces("body", lambda *p: not any(f(*p, slack=0.02) for f in worn)), skin)]
    cloth = [fabric.draw_cloth(rng, name) for name in ("Top", "Bottom")]
    loose, dress_ = float(rng.uniform(0.008, 0.022)), cut.skirt and rng.random() < 0.5
    tights = lambda test: where.faces("helper-tights", test)
    made.append(add_part(scene, figure, rig, "Bottom", tights(lambda *p: lower(*p)), cloth[1],
                         off=loose * 0.8 + (0.0 if cut.skirt else 0.004),
                         smooth=4, thick=0.004, flare=None if cut.skirt else (waist, 0.5, where.ankle[2], 1.0)))
    if cut.skirt:
        flare = float(rng.uniform(0.5, 2.5))
        made.append(add_part(scene, figure, rig, "Skirt", where.faces("helper-skirt", lambda p, *_: p[2] > skirt_hem
                                                                      - 0.05), cloth[0 if dress_ else 1],
                             off=loose, smooth=2, thick=0.004, floor=skirt_hem, flare=(waist, 0.7, skirt_hem, flare)))
    made.append(add_part(scene, figure, rig, "Top",
                         tights(lambda p, *more: top(p, *more) or (more[0] < 0.5 and top_hem - 0.06 < p[2] < waist)),
                         cloth[0], off=loose + 0.007, smooth=6, thick=0.005, floor=None if cut.hem > 0.6 else top_hem,
                         roof=None))
    if not cut.barefoot:
        made.append(add_part(scene, figure, rig, "Shoes", tights(shod), fabric.shoe(rng), off=0.007,
                             smooth=3, thick=0.003))
    return made


class _Where:
    """Where on the body a place of the unposed figure is."""

    def __init__(self, figure):
        joint = figure.joint
        self._figure, self._middles = figure, {}
        self.size = float(np.ptp(figure.points[figure.groups["body"], 2])) / 1.7
        self.hips, self.knee, self.ankle, self.neck = joint("thigh_l"), joint("calf_l"), \
            joint("foot_l"), joint("neck_01")
        self._shoulder, self._elbow, self._wrist = joint("upperarm_l"), joint("lowerarm_l"), joint("hand_l")
        self._arm, self._leg = (self._share(bones) for bones in (_ARM, _LEG))

    def _share(self, bones):
        """(n,) how much of each vertex hangs from these bones of either side."""
        share = np.zeros(len(self._figure.points))
        for bone, rows in self._figure.weights.items():
            if bone[:-2] in bones or bone.split("_")[0] in ("thumb", "index", "middle", "ring",
                                                            "pinky") and "hand" in bones:
                for vertex, weight in rows:
                    share[vertex] += weight
        return share

    def faces(self, group, test):
        """The faces of a group whose middle passes test(place, share of the arm, share of the leg)."""
        if group not in self._middles:
            faces = [face for face in self._figure.faces if face[0] == group]
            corners = np.array([face[1] for face in faces])
            self._middles[group] = faces, self._figure.points[corners].mean(axis=1), *(
                share[corners].mean(axis=1).tolist() for share in (self._arm, self._leg))
        return [face for face, *where in zip(*self._middles[group], strict=True) if test(*where)]

    def sleeve(self, p, arm):
        """0 at the shoulder and on the trunk, 1 at the elbow, 2 at the wrist."""
        if arm < 0.5:
            return 0.0
        p = np.array([abs(p[0]), *p[1:]])
        fore, upper = self._wrist - self._elbow, self._elbow - self._shoulder
        along = (p - self._elbow) @ fore / (fore @ fore)
        return 1 + along if along > 0 else float(np.clip((p - self._shoulder) @ upper / (upper @ upper), 0, 1))

    def leg(self, p):
        """0 at the hip, 1 at the knee, 2 at the ankle."""
        return float(np.interp(-p[2], (-self.hips[2], -self.knee[2], -self.ankle[2] + 0.06), (0, 1, 2)))

    def down(self, leg):
        """The height at which the leg is at `leg`."""
        return float(np.interp(leg, (0, 1, 2), (self.hips[2], self.knee[2], self.ankle[2])))
