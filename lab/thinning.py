"""From a triangle mesh to one with fewer vertices: edges are collapsed where the surface changes least.

Garland and Heckbert's quadrics (SIGGRAPH 1997), with collapses onto one of an edge's two vertices, so that every vertex
that is kept stays where it was, with its skin weights. An open border only collapses along itself.
"""
import heapq

import numpy as np

_TURN = 0.2               # cosine: no face turns further by a collapse
_EVEN = 0.01              # how much a long edge costs, so that round places keep enough vertices for a smooth outline
_BORDER = 10.0            # how much more a border's shape counts than the surface's


def thinned(points, faces, count: int):
    """(kept (n,) vertices, ascending; faces (m, 3) in their numbers) of points (v, 3) and faces (f, 3), n about
    `count`."""
    if count >= len(points):
        return np.arange(len(points)), faces
    mesh = _Mesh(points, faces)
    waiting = [(mesh.cost(v, u), v, u) for v in range(len(points)) for u in mesh.neighbours(v)]
    heapq.heapify(waiting)
    left = len(points)
    while waiting and left > count:
        cost, v, u = heapq.heappop(waiting)
        if v not in mesh.around or u not in mesh.neighbours(v) or not mesh.may_go(v, u):
            continue
        now = mesh.cost(v, u)
        if now > cost + 1e-12:
            heapq.heappush(waiting, (now, v, u))
            continue
        for w in mesh.collapse(v, u):
            for a, b in ((w, u), (u, w)):
                heapq.heappush(waiting, (mesh.cost(a, b), a, b))
        left -= 1
    kept, faces = np.unique(np.array(list(mesh.faces.values())), return_inverse=True)
    return kept, faces.reshape(-1, 3)


class _Mesh:
    """Faces by number, the faces around each vertex, and each vertex's quadric."""

    def __init__(self, points, faces):
        self.points = np.asarray(points, float)
        self.faces = {i: tuple(int(v) for v in face) for i, face in enumerate(faces)}
        self.around = {v: set() for v in range(len(points))}
        for i, face in self.faces.items():
            for v in face:
                self.around[v].add(i)
        self.quadrics = np.zeros((len(points), 4, 4))
        for face in self.faces.values():
            self._add_plane(face, self._normal(face), 1.0)
        for v in self.around:
            for u in self.neighbours(v):
                shared = self.around[v] & self.around[u]
                if v < u and len(shared) == 1:                      # a wall upright on the border
                    edge, normal = self.points[u] - self.points[v], self._normal(self.faces[min(shared)])
                    wall = np.cross(edge, normal) * np.linalg.norm(edge) / max(np.linalg.norm(normal), 1e-15)
                    self._add_plane((v, u), wall, _BORDER)

    def _normal(self, face):
        a, b, c = self.points[list(face)]
        return np.cross(b - a, c - a)

    def _add_plane(self, vertices, normal, weight):
        size = np.linalg.norm(normal)
        if size < 1e-15:
            return
        plane = np.append(normal / size, -self.points[vertices[0]] @ normal / size)
        for v in vertices:
            self.quadrics[v] += weight * size * np.outer(plane, plane)

    def neighbours(self, v) -> set:
        return {u for i in self.around[v] for u in self.faces[i]} - {v}

    def cost(self, v, u) -> float:
        at = np.append(self.points[u], 1.0)
        even = _EVEN * np.sum((self.points[u] - self.points[v]) ** 2) ** 2
        return float(at @ (self.quadrics[v] + self.quadrics[u]) @ at) + even

    def on_border(self, v) -> bool:
        return any(len(self.around[v] & self.around[u]) == 1 for u in self.neighbours(v))

    def may_go(self, v, u) -> bool:
        """Whether v may fall onto u: the surface stays one sheet, and no face turns over."""
        shared = self.around[v] & self.around[u]
        if self.on_border(v) and len(shared) != 1:
            return False
        if len(self.neighbours(v) & self.neighbours(u)) != len(shared):
            return False
        for i in self.around[v] - shared:
            before = self._normal(self.faces[i])
            after = self._normal([u if w == v else w for w in self.faces[i]])
            if before @ after <= _TURN * np.linalg.norm(before) * np.linalg.norm(after):
                return False
        return True

    def collapse(self, v, u) -> set:
        """Collapses v onto u; returns u's neighbours."""
        for i in list(self.around[v]):
            face = self.faces[i]
            if u in face:
                for w in face:
                    self.around[w].discard(i)
                del self.faces[i]
            else:
                self.faces[i] = tuple(u if w == v else w for w in face)
                self.around[u].add(i)
        del self.around[v]
        self.quadrics[u] += self.quadrics[v]
        return self.neighbours(u)
