"""The dataclass that says how large the networks are and which parts they have. It is saved with the weights."""

from dataclasses import asdict, dataclass
from typing import Any

BLENDINGS = ("off", "gated", "literal")
MODULATIONS = ("off", "residual", "literal")


@dataclass(frozen=True)
class Sizes:
    """The defaults are the public weights of the Animate Anyone family: Stable Diffusion 1.5's widths, and none of the
    parts that Animate Anyone 2 adds, because nobody has published trained ones."""

    widths: tuple[int, ...] = (320, 640, 1280, 1280)
    layers: int = 2             # residual blocks of a level on the way down; one more on the way up
    heads: int = 8
    groups: int = 32            # of every GroupNorm
    token_width: int = 768      # of the image encoder's token
    pose_widths: tuple[int, ...] = (16, 32, 96, 256)
    longest: int = 32           # frames that the temporal layers have positions for
    image_attention: bool = True    # cross-attention to the image encoder's token, as Animate Anyone has it
    reference_blocks: str = "everywhere"    # as the family does; "mid_up" as Animate Anyone 2 says (3.1)
    # What Animate Anyone 2 adds (paper 3.2 to 3.4). A part that is off has no weights.
    environment: bool = False
    blending: str = "off"       # of objects: "gated" begins as identity (ours), "literal" is the paper's
    modulation: str = "off"     # of poses by depth: "residual" begins as identity (ours), "literal" is the paper's

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Sizes":
        """Raises TypeError for a field that this version does not know, ValueError for a value that it does not."""
        kept: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                                for name, value in fields.items()}
        sizes = cls(**kept)
        for name, known in (("blending", BLENDINGS), ("modulation", MODULATIONS),
                            ("reference_blocks", ("everywhere", "mid_up"))):
            if getattr(sizes, name) not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, got {getattr(sizes, name)!r}")
        return sizes


FAMILY = Sizes()
