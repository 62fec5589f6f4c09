"""A rig posed by arithmetic: rotations and joint places in armature space in, bone keys out; no constraints.

A `turn` is the rotation that carries a bone from its rest direction to its posed one (identity: as at rest).
"""
from mathutils import Matrix


class Puppet:
    """One frame's pose while it is made; `posed` holds the armature-space matrix of every bone placed so far."""

    def __init__(self, armature):
        self.bones = armature.pose.bones
        self.scale = armature.scale.x
        self.posed = {}
        self.basis = {}
        self.before = {}                    # the last key's rotations, so that quaternions do not change sign

    def begin(self):
        self.posed, self.basis = {}, {}

    def rest(self, name):
        return self.bones[name].bone.matrix_local

    def tail(self, name):
        return self.bones[name].bone.tail_local

    def length(self, name):
        return self.bones[name].bone.length

    def place(self, name):
        """The bone's matrix when it merely follows its parent."""
        parent = self.bones[name].bone.parent
        if parent is None:
            return self.rest(name).copy()
        if parent.name not in self.posed:
            self.follow(parent.name)
        return self.posed[parent.name] @ parent.matrix_local.inverted() @ self.rest(name)

    def joint(self, name):
        """Where the bone starts, by its parent's pose."""
        return self.place(name).translation

    def follow(self, name):
        self.posed[name] = self.place(name)
        self.basis[name] = Matrix.Identity(4)

    def turn(self, name, rotation, location=None):
        """Pose a bone by a rotation (3x3) from its rest direction; a root may be given its location too."""
        followed = self.place(name)
        posed = (rotation @ self.rest(name).to_3x3()).to_4x4()
        posed.translation = followed.translation if location is None else location
        self.posed[name], self.basis[name] = posed, followed.inverted() @ posed

    def blend(self, name, rotation, amount):
        """Pose a bone between following its parent (amount 0) and a rotation from rest (amount 1)."""
        followed = self.place(name).to_quaternion()
        goal = (rotation @ self.rest(name).to_3x3()).to_quaternion()
        mixed = followed.slerp(goal, amount).to_matrix()
        self.turn(name, mixed @ self.rest(name).to_3x3().transposed())

    def bend(self, upper, lower, target, pole, rest_pole):
        """Two-bone inverse kinematics: the end of `lower` comes to `target`, the middle joint bends towards `pole`."""
        a, b = self.length(upper), self.length(lower)
        root = self.joint(upper)
        reach = target - root
        distance = reach.length
        if distance > a + b:
            raise ValueError(f"{lower} must reach {distance:.3f} but the limb is {a + b:.3f} long")
        along = (a * a - b * b + distance * distance) / (2 * distance)
        height = max(a * a - along * along, 0.0) ** 0.5
        reach.normalize()
        side = (pole - reach * pole.dot(reach)).normalized()
        middle = root + reach * along + side * height
        rest_reach = (self.tail(lower) - self.rest(upper).translation).normalized()
        rest_side = (rest_pole - rest_reach * rest_pole.dot(rest_reach)).normalized()
        for name, direction in ((upper, middle - root), (lower, target - middle)):
            rest = self.rest(name).to_3x3().col[1]
            was = hinged(rest, rest_reach.cross(rest_side))
            self.turn(name, hinged(direction, reach.cross(side)) @ was.transposed())

    def key(self, frame):
        """Write the pose as keys at a scene frame."""
        for name, basis in self.basis.items():
            bone = self.bones[name]
            location, rotation, _ = basis.decompose()
            if name in self.before:
                rotation.make_compatible(self.before[name])
            self.before[name] = rotation.copy()
            bone.rotation_mode = "QUATERNION"
            bone.rotation_quaternion = rotation
            bone.keyframe_insert("rotation_quaternion", frame=frame)
            if bone.parent is None:
                bone.location = location
                bone.keyframe_insert("location", frame=frame)


def hinged(direction, hinge):
    """The rotation with y along `direction` and x along the hinge, as near as it can be."""
    y = direction.normalized()
    z = hinge.cross(y).normalized()
    return Matrix((y.cross(z), y, z)).transposed()
