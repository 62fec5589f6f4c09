"""One dataclass that says how large every network is and which of its parts are switched on; saved with the weights."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """Widths in channels. The defaults are the compact model's; the switches are the paper's ablations and ours.

    The denoising net works on latents folded two by two, so its three levels lie at an eighth, a sixteenth and a
    thirty-second of the crop: 32x32, 16x16 and 8x8 for 256x256, attention on the last two only.
    """

    latent_channels: int = 12
    encoder_width: int = 48
    decoder_widths: tuple[int, int] = (96, 48)
    widths: tuple[int, int, int] = (64, 160, 192)
    head_width: int = 32
    pose_width: int = 96
    object_widths: tuple[int, int, int, int] = (24, 64, 160, 192)
    level_width: int = 128

    # The paper's parts, each off for its ablation row.
    reference_blocks: str = "mid_up"  # or "everywhere", as the Animate Anyone family does
    blending: str = "gated"  # or "literal" (alpha 0.5 at the start), or "off"
    pose_modulation: bool = True
    environment: bool = True
    mask: str = "shape_agnostic"  # the region M_f of training and inference; or "exact" or "box" (paper 3.2)
    # Ours (docs/method.md, "Appearance and the limb warp" and "Layers").
    reference_skeleton: bool = True
    warp: bool = True
    # Reads the body surface's maps, and says how it is lit and where its outline is wrong.
    surface: bool = False
    matte_and_shadow: bool = True  # off: they are not learnt, and what is made inside M_f is laid as a patch
    # How much more than it learnt the net trusts the limb warp where one lies, 0 or more, in the gates' logits. None in
    # training: a regression averages over what it cannot know, hair, face and light,
    # and these are what a character is known by (ours).
    likeness: float = 0.0

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Sizes":
        """Raises TypeError for a field this version does not know."""
        kept: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(**kept)


COMPACT = Sizes()
