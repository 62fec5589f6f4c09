"""The held-out set: which clips it is made of, by number, and the fast world's half of it."""

from pathlib import Path

from .clips import TOLD, VARIANTS

CLIPS, FRAMES = 64, 16
MODULUS = 64            # training/world/seeds.py: seeds that leave 63 are never trained on
SETS_APART = 1000       # clips between two sets, of which 0 is score's and 1 is quick's


def recipe(k: int, set_: int = 0) -> dict:
    """Clip k of the fast half: its seed, what stands in the plate, and whether its job has a silhouette. Insertion and
    replacement alternate, and so do pairs with the silhouette and pairs with limb volumes."""
    return {"seed": MODULUS * (k + set_ * SETS_APART) + MODULUS - 1, "variant": VARIANTS[k % 2],
            "masked": k // 2 % 2 == 0}


def draw_fast(folder: Path, count: int, frames: int = FRAMES, set_: int = 0,
              tell=lambda done, count: None) -> list[Path]:
    """The first `count` clips of the fast half, drawn where they are not there yet; needs torch only for those."""
    paths = [Path(folder) / f"{recipe(k, set_)['seed']:07d}" for k in range(count)]
    for k, path in enumerate(paths):
        if not (path / TOLD).exists():
            from ..training.clip_folder import write_clip
            write_clip(path, frames=frames, **recipe(k, set_))
        tell(k + 1, count)
    return paths
