"""A job's reference -> its subject: the joints where the artist gave none, and the matte."""

from typing import NamedTuple

import numpy as np

from ..conditions.frames import as_bits, read_reference
from ..contract import folder as files
from ..contract.events import Warned

_INSIDE = 0.6  # of the joints found have to lie in the matte found, or it is of something else (ours)


class Subject(NamedTuple):
    """Who is to be seen in the reference.

    joints (20, 3) x, y, confidence in its pixels and the standing height in pixels: None where the artist gave them or
    nobody can be found. matte (h, w) float32 0..1: the picture's own alpha where it is cut out, else as estimated, or None.
    """

    joints: np.ndarray | None = None
    height_px: float | None = None
    matte: np.ndarray | None = None


def find_subject(folder, job, *, find_joints, emit) -> Subject:
    """find_joints((h, w, 4) uint8) -> estimate.people.Person or None. Warns where joints are wanted and nobody is found."""
    picture = read_reference(files.path(folder, job.reference.file))
    alpha = picture[..., 3] if (picture[..., 3] < 1).any() else None
    given = job.reference.joints is not None
    if given and alpha is not None:
        return Subject(matte=alpha)
    person = find_joints(as_bits(picture))
    if person is None:
        if not given:
            emit(Warned(folder, "reference_joints_unknown", "No person could be found in the reference; it is used without "
                        "its joints, which costs likeness. Set its joints by hand for a better one."))
        return Subject(matte=alpha)
    matte = alpha if alpha is not None else _believable(person)
    if given:
        return Subject(matte=matte)
    # Rounded, because a machine's last bits must not make another machine's finished frames stale.
    return Subject(np.round(person.body[:, [0, 1, 3]].astype(np.float64), 2), round(float(person.height_px), 1), matte)


def _believable(person):
    """The person's mask, unless most of the joints lie outside it."""
    seen = person.body[person.body[:, 3] > 0, :2].astype(int)
    rows, columns = (np.clip(seen[:, k], 0, person.mask.shape[1 - k] - 1) for k in (1, 0))
    return person.mask if len(seen) and (person.mask[rows, columns] > 0.5).mean() >= _INSIDE else None
