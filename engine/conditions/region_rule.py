"""How an engine wants the region M_f to be made from the character's mask M_c, and how its patches end there."""

from dataclasses import dataclass

SHAPE_AGNOSTIC = "shape_agnostic"


@dataclass(frozen=True)
class RegionRule:
    """kind: one of mask.KINDS. grow: by how much the mask is widened first, as a share of the crop's shorter side.
    block: the region consists of whole blocks of so many crop pixels on each side, counted from the crop's corner; 1:
    it does not (the blocks of SHAPE_AGNOSTIC, ten by ten in the mask's box, come before). hole: the grey 0..1 that the
    engine sees inside M_f where nothing is known. fade: crop pixels over which a patch fades inside M_f.

    The defaults are the paper's (3.2), with our fade: half a block of ten pixels.
    """

    kind: str = SHAPE_AGNOSTIC
    grow: float = 0.0
    block: int = 1
    hole: float = 0.0
    fade: float = 5.0


PAPER = RegionRule()
