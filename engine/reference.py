"""A job's reference -> its joints, found where the artist gave none."""

import numpy as np

from .conditions.frames import as_bits, read_reference
from .contract import folder as files
from .contract.events import Warned


def estimated_joints(folder, job, *, find_joints, emit):
    """(20, 3) x, y, confidence in the reference's pixels, and the standing height in pixels.

    None, None where the artist gave joints, and where nobody can be found, which a warning says. find_joints((h, w, 4)
    uint8) -> estimate.people.Person or None.
    """
    if job.reference.joints is not None:
        return None, None
    person = find_joints(as_bits(read_reference(files.path(folder, job.reference.file))))
    if person is None:
        emit(Warned(folder, "reference_joints_unknown", "No person could be found in the reference; it is used without its "
                    "joints, which costs likeness. Set its joints by hand for a better one."))
        return None, None
    # Rounded, because a machine's last bits must not make another machine's finished frames stale.
    return np.round(person.body[:, [0, 1, 3]].astype(np.float64), 2), round(float(person.height_px), 1)
