"""A job's reference -> its subject: the joints where the artist gave none, their depths, and the matte."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ..conditions.character import Character
from ..conditions.frames import as_bits, read_reference
from ..conditions.surface.template import Limb
from ..contract import files, jobs
from ..contract.messages import Warned
from ..contract.skeleton import BODY_INDEX

_SAME = 0.05    # of the standing height: the most by which the given and the found joints of one person differ (ours)
_INSIDE = 0.6  # the share of found joints that must lie in the found matte; else it shows something else (ours)
_PARTS = {"legs": (Limb.LEFT_SHIN, Limb.RIGHT_SHIN), "feet": (Limb.LEFT_FOOT, Limb.RIGHT_FOOT),
          "hands": (Limb.LEFT_HAND, Limb.RIGHT_HAND)}
# What a picture does not show if none of these joints is seen in it.
_JOINTS_OF = {"hips": ("left_hip", "right_hip"), "legs": ("left_knee", "right_knee", "left_ankle", "right_ankle"),
              "arms": ("left_elbow", "right_elbow", "left_wrist", "right_wrist")}


class FoundPerson(Protocol):
    """Who is found in a picture: an estimate.people.Person, or one that an earlier run stored (found_person.Found)."""

    @property
    def body(self) -> np.ndarray: ...
    @property
    def height_px(self) -> float: ...
    @property
    def mask(self) -> np.ndarray: ...
    @property
    def others(self) -> int: ...


FindJoints = Callable[[np.ndarray], FoundPerson | None]  # (h, w, 4) uint8 -> the main person, None for nobody


class Subject(NamedTuple):
    """Who can be seen in the reference.

    joints (20, 3) x, y, confidence in its pixels and the standing height in pixels: None if the artist gave them or
    nobody was found. matte (h, w) float32 0..1: the picture's own alpha if it is cut out, else the estimated one, or
    None. depths (20,) metres in front of an assumed 50 mm lens, 0 if not known: None if the artist gave them or nobody
    was found.
    """

    joints: np.ndarray | None = None
    height_px: float | None = None
    matte: np.ndarray | None = None
    depths: np.ndarray | None = None


def find_subject(folder: str, job: jobs.Job, *, find_joints: FindJoints, emit: Callable[[object], None]) -> Subject:
    """find_joints((h, w, 4) uint8) -> estimate.people.Person or None. Warns if joints are needed and nobody was
    found."""
    picture = read_reference(files.path(folder, job.reference.file))
    alpha = picture[..., 3] if (picture[..., 3] < 1).any() else None
    given = job.reference.joints is not None
    if given and alpha is not None and job.reference.depths is not None:
        return Subject(matte=alpha)
    person = find_joints(as_bits(picture))
    if person is None:
        if not given:
            emit(Warned(folder, "reference_joints_unknown",
                        "No person could be found in the reference; it is used without "
                        "joints, and the character looks less like it. Set its joints by hand."))
        return Subject(matte=alpha)
    if person.others and not given:
        emit(Warned(folder, "reference_people", f"The reference shows {person.others + 1} people. The nearest one "
                    "is the character. If another one is meant, crop the picture to that person."))
    matte = alpha if alpha is not None else _believable(person.mask, person.body[:, [0, 1, 3]]
                                                        if job.reference.joints is None else job.reference.joints)
    # Rounded: otherwise a frame that is finished on one machine would count as outdated on another, because of the last
    # bits.
    depths = np.round(person.body[:, 2].astype(np.float64), 3) if _same_person(job.reference, person) else None
    if given:
        return Subject(matte=matte, depths=depths)
    return Subject(np.round(person.body[:, [0, 1, 3]].astype(np.float64), 2),
                   round(float(person.height_px), 1), matte, depths)


def warn_of_unseen(character: Character | None, folder: str, emit: Callable[[object], None]) -> None:
    """Warn about the parts of the character that are invented, because the reference does not show them. character: as
    carry gives it, or None."""
    if character is None:
        return
    if character.avatar is None:
        emit(Warned(folder, "reference_without_surface",
                    "Hips or shoulders cannot be found in the reference, so the character is moved limb by limb, "
                    "which looks coarse. If the picture has changed, press Find Joints again; else set these joints by "
                    "hand, or choose a reference that shows them."))
        return
    parts = [name for name, limbs in _PARTS.items() if all(limb in character.avatar.invented for limb in limbs)]
    if parts:
        emit(Warned(folder, "reference_in_part", f"No {' and no '.join(parts)} in the reference; they are invented. To "
                    "avoid this, choose a reference that shows all of the person."))


def missing_in(joints: np.ndarray) -> list[str]:
    """Joints (20, 3) x, y, confidence -> which of hips, legs and arms the picture does not show. Joints with a
    confidence of 0 are not in the picture."""
    return [name for name, parts in _JOINTS_OF.items() if not joints[[BODY_INDEX[part] for part in parts], 2].any()]


def _same_person(reference: jobs.Reference, person: FoundPerson) -> bool:
    """Whether the artist's joints are those of the found person, some of them corrected. Then the depths are also that
    person's."""
    if reference.joints is None:
        return True
    given = np.array(reference.joints)
    both = (given[:, 2] > 0) & (person.body[:, 3] > 0)
    away = np.hypot(*(given[both, :2] - person.body[both, :2]).T)
    return bool(both.any()) and float(np.median(away)) < _SAME * person.height_px


def _believable(mask: np.ndarray, joints: np.ndarray | tuple[jobs.Joint, ...]) -> np.ndarray | None:
    """The mask (h, w); None if most of the joints (20, 3) x, y, confidence lie outside it, because it then shows half a
    person, or another one."""
    joints = np.asarray(joints)
    seen = joints[joints[:, 2] > 0, :2].astype(int)
    rows, columns = (np.clip(seen[:, k], 0, mask.shape[1 - k] - 1) for k in (1, 0))
    return mask if len(seen) and (mask[rows, columns] > 0.5).mean() >= _INSIDE else None
