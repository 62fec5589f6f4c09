"""What a shot's settings allow, but is hardly meant: said before and after the work, and nothing is refused."""

import bpy
import numpy as np

from .ends import rest_places
from .presets import BoneEnds
from .problem import GatherError
from .request import Request
from .rotations import unit
from .shot import Shot, bone_map

_SAME_RATE = 1e-3       # frames a second
# Cosines at rest from which somebody stands on hands and feet: arms along the legs, and the spine across them (ours).
_ARMS, _SPINE = 0.7, 0.45


def doubts(request: Request) -> list[str]:
    """Sentences about a request that can be gathered, but may not show what is meant. Quick enough for every redraw."""
    try:
        shot = Shot(request)
        return [*_rates(shot.scene, shot.driver), *(_of_rig(request, shot.rig) if shot.rig else ())]
    except GatherError:
        return []                                                   # problems() says it


def _rates(edit: bpy.types.Scene, driver: bpy.types.Scene) -> list[str]:
    rates = [scene.render.fps / scene.render.fps_base for scene in (edit, driver)]
    if abs(rates[0] - rates[1]) < _SAME_RATE:
        return []
    return [f"Scene {edit.name!r} runs at {rates[0]:.5g} frames per second and {driver.name!r} at {rates[1]:.5g}. "
            "Frames are taken one for one, so the character moves faster or slower than in its own scene. Give both "
            "scenes the same frame rate."]


def _of_rig(request: Request, rig: bpy.types.Object) -> list[str]:
    found = []
    if rig.data.pose_position == "REST":
        found.append(f"Rig {rig.name!r} shows its rest position, so it does not move. Set Pose Position in its "
                     "Armature properties.")
    if _is_on_all_fours(rig, bone_map(request, rig).joints):
        found.append(f"Rig {rig.name!r} stands on its hands and feet at rest, as an animal does. The networks know "
                     "people only.")
    return found


def _is_on_all_fours(rig: bpy.types.Object, joints: BoneEnds) -> bool:
    at = rest_places(rig, joints)

    def both(start: str, end: str) -> np.ndarray:
        return unit(at[f"left_{end}"] + at[f"right_{end}"] - at[f"left_{start}"] - at[f"right_{start}"])
    legs, arms = both("hip", "ankle"), both("shoulder", "wrist")
    spine = unit(at["neck"] - (at["left_hip"] + at["right_hip"]) / 2)
    return bool(arms @ legs > _ARMS and abs(spine @ legs) < _SPINE)
