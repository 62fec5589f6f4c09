"""Random generators: a seed and a name give a generator, so that character, room and motion are drawn apart."""

import hashlib

import numpy as np

HELD_OUT_MODULUS = 64


def generator(seed: int, name: str) -> np.random.Generator:
    """The generator of one aspect of the world, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def held_out(seed: int) -> bool:
    """True for identities (and clips) kept for evaluation: seed % 64 == 63. Training must skip them."""
    return seed % HELD_OUT_MODULUS == HELD_OUT_MODULUS - 1
