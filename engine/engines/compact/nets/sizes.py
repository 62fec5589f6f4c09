"""The dataclass that says how large each network is and which of its parts are switched on. It is saved with the
weights."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """Widths in channels. The defaults are the compact model's; the switches are the paper's ablations and ours.

    The denoising net works on latents folded two by two. So its three levels are at an eighth, a sixteenth and a
    thirty-second of the crop: 32x32, 16x16 and 8x8 for 256x256. Only the last two have attention.
    """

    latent_channels: int = 12
    encoder_width: int = 48
    decoder_widths: tuple[int, int] = (96, 48)
    widths: tuple[int, int, int] = (64, 160, 192)
    head_width: int = 32
    pose_width: int = 96
    object_widths: tuple[int, int, int, int] = (24, 64, 160, 192)
    level_width: int = 128

    # The paper's parts. Each is switched off in its ablation row.
    reference_blocks: str = "mid_up"  # or "everywhere", as the Animate Anyone family does
    blending: str = "gated"  # or "literal" (alpha 0.5 at the start), or "off"
    pose_modulation: bool = True
    environment: bool = True
    mask: str = "shape_agnostic"  # the region M_f of training and inference; or "exact" or "box" (paper 3.2)
    # Ours (docs/method.md, "Appearance and the limb warp" and "Layers").
    reference_skeleton: bool = True
    warp: bool = True
    # The denoising net reads the body surface's maps, and says how the surface is lit and where its outline is wrong.
    surface: bool = False
    matte_and_shadow: bool = True  # off: they are not learnt, and everything inside M_f becomes a patch
    # How much more the net trusts the warp than it has learnt, where the warp covers: 0 or more, added to the gates'
    # logits. It is not used in training. Ours: a regression averages over what it cannot know, that is hair, face and
    # light, and by these we recognise a character.
    likeness: float = 0.0

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Sizes":
        """Raises TypeError for a field that this version does not know."""
        kept: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(**kept)


COMPACT = Sizes()
