"""Random generators: a seed and a name give a generator, so that body, clothes, room and motion are drawn apart."""

import hashlib

import numpy as np

HELD_OUT_MODULUS = 64


def generator(seed: int, name: str) -> np.random.Generator:
    """The generator of one aspect of a clip, the same on every machine and another one than the fast world's."""
    digest = hashlib.blake2b(f"blender/{seed}/{name}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def held_out(seed: int) -> bool:
    """True for seeds kept for evaluation, seed % 64 == 63, as in the fast world: their bodies, clothes, rooms and
    motions are never trained on."""
    return seed % HELD_OUT_MODULUS == HELD_OUT_MODULUS - 1
