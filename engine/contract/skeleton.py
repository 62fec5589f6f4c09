"""The joints and limbs that poses consist of: names, order, and the head's points.

The body is OpenPose's 18 joints in OpenPose's order, so that public Animate-Anyone weights can be used, plus the two
toes (ours: contact shows at the feet). A hand is the 21 points that every hand model uses.
"""

BODY = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
    "right_toe", "left_toe",
)
BODY_INDEX = {name: i for i, name in enumerate(BODY)}

# OpenPose's 17 limbs (without its shoulder-ear pair, as in the released weights), then the two feet.
LIMBS = (
    ("neck", "right_shoulder"), ("neck", "left_shoulder"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear"),
    ("nose", "left_eye"), ("left_eye", "left_ear"),
    ("right_ankle", "right_toe"), ("left_ankle", "left_toe"),
)

HAND = ("wrist",) + tuple(
    f"{finger}_{k}" for finger in ("thumb", "index", "middle", "ring", "little") for k in (1, 2, 3, 4))
HAND_INDEX = {name: i for i, name in enumerate(HAND)}
HAND_LIMBS = tuple(
    (HAND[0] if k == 1 else f"{finger}_{k - 1}", f"{finger}_{k}")
    for finger in ("thumb", "index", "middle", "ring", "little") for k in (1, 2, 3, 4))

# The limbs for which a rig's bones give the turn from the rest pose, each with its two joints.
TURNED_LIMBS = {f"{side}_{limb}": (f"{side}_{start}", f"{side}_{end}") for side in ("left", "right")
                for limb, start, end in (("thigh", "hip", "knee"), ("shin", "knee", "ankle"),
                                         ("upper_arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist"))}

# Face points in the head's own frame, in units of the head's height (chin to crown, about 0.13 of a person), measured
# from the head's centre: (to the character's left, up, forward). Ours: a rig has a head bone but seldom a nose.
HEAD_POINTS = {
    "nose": (0.0, -0.10, 0.46),
    "right_eye": (-0.14, 0.04, 0.38), "left_eye": (0.14, 0.04, 0.38),
    "right_ear": (-0.33, -0.02, 0.0), "left_ear": (0.33, -0.02, 0.0),
}
# A face point is seen while the cosine between two directions is at least this: from the head's centre to the point,
# and towards the camera. Below it, the point's confidence is 0 (ours; the sign tells a back from a front).
HEAD_POINT_SEEN = -0.25

# A person's proportions as parts of the standing height, for rigs without one of these and for limb volumes (ours, from
# common artists' canons of 7.5 heads).
HEAD_HEIGHT = 0.13
